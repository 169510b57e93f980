// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// fenced is a block of shell commands in a page.
var fenced = regexp.MustCompile("(?ms)^ *```sh\n(.*?)^ *```$")

// word is what the shell takes as one argument, quotes included.
var word = regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`)

// Examples holds every command line that pages and help texts show against the
// commands themselves: the command exists, its flags and the number of its
// arguments fit. Nothing is run. Pages are all *.md below pages.
func Examples(pages fs.FS, newRoot func() *cobra.Command) error {
	var wrong []error
	program := newRoot().Name()
	check := func(where, text string) {
		for _, args := range commandLines(text, program) {
			if err := try(newRoot(), args); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %s %s: %w", where, program, strings.Join(args, " "), err))
			}
		}
	}
	each(newRoot(), func(c *cobra.Command) { check(c.CommandPath()+" --help", c.Example) })
	err := fs.WalkDir(pages, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".md" {
			return err
		}
		data, err := fs.ReadFile(pages, name)
		if err != nil {
			return err
		}
		for _, block := range fenced.FindAllStringSubmatch(string(data), -1) {
			check(name, block[1])
		}
		return nil
	})
	return errors.Join(append(wrong, err)...)
}

// commandLines finds what is said to a program, up to whatever the shell does with
// it next.
func commandLines(text, program string) [][]string {
	call := regexp.MustCompile(`(?m)(?:^|[\s(/])` + regexp.QuoteMeta(program) + `((?: [^\n|>&#()]*)?)`)
	var out [][]string
	for _, m := range call.FindAllStringSubmatch(text, -1) {
		// What explains an example stands behind some blanks.
		line, _, _ := strings.Cut(strings.TrimSpace(m[1]), "   ")
		out = append(out, word.FindAllString(line, -1))
	}
	return out
}

func try(root *cobra.Command, args []string) error {
	c, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := c.ParseFlags(rest); err != nil {
		return err
	}
	if c.HasSubCommands() && len(c.Flags().Args()) > 0 {
		return errors.New("no such command")
	}
	return c.ValidateArgs(c.Flags().Args())
}
