// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"fmt"
	"os"
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
	return nil
}
