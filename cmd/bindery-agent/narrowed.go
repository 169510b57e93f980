// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/pflag"

	"github.com/bindery/bindery/agent/choice"
)

// narrowed are the flags that narrow a run down.
type narrowed struct {
	bundles, notBundles names
	entries             []string
	quick               bool
}

// names are what a flag lists, with commas between. An empty one is refused: a variable
// of a script that is not set must not mean all there is.
type names []string

// String, Set and Type implement pflag.Value.
func (n *names) String() string { return strings.Join(*n, ",") }

// Set adds names.
func (n *names) Set(list string) error {
	for name := range strings.SplitSeq(list, ",") {
		if name == "" {
			return errors.New("a name is missing")
		}
		*n = append(*n, name)
	}
	return nil
}

// Type is what the help calls them.
func (n *names) Type() string { return "strings" }

func (o *narrowed) addFlags(f *pflag.FlagSet) {
	f.VarP(&o.bundles, "bundle", "b", "only these bundles, with commas between")
	f.VarP(&o.notBundles, "not-bundle", "B", "all bundles but these")
	f.StringArrayVar(&o.entries, "entry", nil, "only entries that match TAG:NAME, with * ? [ ] as in fnmatch; may be repeated")
	f.BoolVarP(&o.quick, "quick", "q", false, "do not look at the sums of the files of packages")
}

func (o *narrowed) choice() choice.Choice {
	return choice.Choice{Bundles: o.bundles, NotBundles: o.notBundles, Entries: o.entries}
}

func (o *narrowed) partial() bool {
	c := o.choice()
	return c.Partial() || o.quick
}

// asking asks somebody on a terminal. What is no clear yes is no.
func asking(s streams) (func(context.Context, string) (bool, error), error) {
	f, ok := s.In.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return nil, errors.New("--interactive needs a terminal to ask on")
	}
	return questions(s.In, s.Out), nil
}

// questions reads answers, one a line. At the end of the input all else is no.
func questions(in io.Reader, out io.Writer) func(context.Context, string) (bool, error) {
	lines := bufio.NewReader(in)
	answers := make(chan string, 1)
	return func(ctx context.Context, question string) (bool, error) {
		fmt.Fprintf(out, "%s? [y/N] ", printable(question))
		go func() {
			line, err := lines.ReadString('\n')
			if err != nil {
				line = ""
			}
			answers <- line
		}()
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case line := <-answers:
			switch strings.ToLower(strings.TrimSpace(line)) {
			case "y", "yes":
				return true, nil
			}
			return false, nil
		}
	}
}
