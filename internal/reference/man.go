// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// ManEnv names the folder that "make man" wants the pages in.
const ManEnv = "BINDERY_MAN"

// Man writes a manual page for a command and for everything below it. Their date is
// SOURCE_DATE_EPOCH, and none where that is not set, so that equal commands have
// equal pages.
func Man(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // pages are public
		return fmt.Errorf("write man pages: %w", err)
	}
	date := time.Unix(0, 0)
	if epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		date = time.Unix(epoch, 0)
	}
	date = date.UTC()
	root.DisableAutoGenTag = true
	header := &doc.GenManHeader{Section: "1", Date: &date, Source: root.Name(), Manual: "Bindery"}
	if err := doc.GenManTree(root, header, dir); err != nil {
		return fmt.Errorf("write man pages: %w", err)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil {
		return fmt.Errorf("write man pages: %w", err)
	}
	for _, name := range pages {
		page, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(name, manly(page, date), 0o644) //nolint:gosec // pages are public
		}
		if err != nil {
			return fmt.Errorf("write man pages: %w", err)
		}
	}
	return nil
}

// What cobra writes is Markdown made into a page: options are paragraphs with a tab in
// them, defaults that say nothing are shown, what follows an indented list goes on in
// its last line, and a date is a month.
var (
	manOption = regexp.MustCompile(`(?m)^(?:\.PP\n)?(\\fB-.*)\n\t`)
	manSwitch = regexp.MustCompile(`(?m)^(\\fB-.*)\[=false\]$`)
	manValue  = regexp.MustCompile(`(?m)^(\\fB-.*?)=(?:""|\[\])?$`)
	manRunOn  = regexp.MustCompile(`(?m)^( .*)\n([^ .\n])`)
	manDate   = regexp.MustCompile(`(?m)^(\.TH "[^"]*" "[^"]*") "[^"]*"`)
)

// manly makes a page of cobra's one that man and mandoc lay out as it is meant.
func manly(page []byte, date time.Time) []byte {
	page = manOption.ReplaceAll(page, []byte(".TP\n$1\n"))
	page = manSwitch.ReplaceAll(page, []byte("$1"))
	page = manValue.ReplaceAll(page, []byte(`$1 \fIVALUE\fR`))
	page = manRunOn.ReplaceAll(page, []byte("$1\n.PP\n$2"))
	return manDate.ReplaceAll(page, []byte(`$1 "`+date.Format(time.DateOnly)+`"`))
}
