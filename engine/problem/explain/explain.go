// SPDX-License-Identifier: Apache-2.0

// Package explain says what every code of a Problem means: why it matters, how to
// put it right, and an example that has it beside one that has not. The texts are
// the files of codes/; the examples are what the tests of the engine run. It must
// not know who finds a problem, nor how a page looks.
package explain

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

//go:embed codes/*.txtar
var codes embed.FS

// Code is one code and all that is said about it.
type Code struct {
	Code string
	// What is one or two sentences; Why says what comes of it, Fix what to do.
	What, Why, Fix string
	// Bcfg2 are the names that Bcfg2's own programs have for it, where they differ.
	Bcfg2 []string
	// Mended says what of it "bindery lint --fix" puts right; "yes" is all, "" nothing.
	Mended string
	// Bad and Good are files of a specification. They are empty where no small files
	// of text can show it: Needs is what would.
	Bad, Good []File
	Needs     string
}

// File is one file of an example, by its name in the specification.
type File struct {
	Name, Data string
}

// All gives every code, sorted.
func All() ([]Code, error) {
	names, err := fs.Glob(codes, "codes/*.txtar")
	if err != nil {
		return nil, fmt.Errorf("list the codes: %w", err)
	}
	out := make([]Code, 0, len(names))
	for _, name := range names {
		data, err := fs.ReadFile(codes, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		c, err := parse(strings.TrimSuffix(path.Base(name), ".txtar"), data)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// Find gives the code of that name, or the ones that Bcfg2 calls so.
func Find(all []Code, name string) []Code {
	var out []Code
	for _, c := range all {
		if c.Code == name {
			return []Code{c}
		}
		if slices.Contains(c.Bcfg2, name) {
			out = append(out, c)
		}
	}
	return out
}

// parse reads one file: what, then lines that begin with a keyword, then examples.
func parse(code string, data []byte) (Code, error) {
	a := txtar.Parse(data)
	c := Code{Code: code}
	var what []string
	for line := range strings.SplitSeq(string(a.Comment), "\n") {
		key, value, _ := strings.Cut(line, ": ")
		switch key {
		case "Why":
			c.Why = value
		case "Fix":
			c.Fix = value
		case "Bcfg2":
			c.Bcfg2 = strings.Fields(value)
		case "Mended":
			c.Mended = value
		case "Needs":
			c.Needs = value
		case "":
		default:
			what = append(what, line)
		}
	}
	c.What = strings.Join(what, " ")
	for _, f := range a.Files {
		folder, name, _ := strings.Cut(f.Name, "/")
		switch folder {
		case "bad":
			c.Bad = append(c.Bad, File{name, string(f.Data)})
		case "good":
			c.Good = append(c.Good, File{name, string(f.Data)})
		default:
			return Code{}, fmt.Errorf("%s stands neither in bad nor in good", f.Name)
		}
	}
	if c.What == "" || c.Why == "" || c.Fix == "" {
		return Code{}, fmt.Errorf("what, why or fix is missing")
	}
	return c, nil
}
