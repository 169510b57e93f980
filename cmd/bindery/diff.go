// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/markdown"
	"github.com/bindery/bindery/engine/review/page"
	"github.com/bindery/bindery/engine/review/terminal"
)

type diffOptions struct {
	comparisonOptions
	format   string
	context  int
	exitCode bool
	noPager  bool
}

func newDiffCommand(s streams) *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff (--git URL BASE..HEAD | --spec DIR [--base REV] | --spec-dirs BASE HEAD)",
		Short: "Show what a change does to every host",
		Long: `Diff builds every host of two specifications and shows what differs: which hosts
change, how, and what follows from it. Equal changes are shown once, with the
hosts that have them.

BASE..HEAD compares two commits as they are; BASE...HEAD compares HEAD with what
it was branched from. --spec compares what stands in a working tree with what was
committed. Secrets are shown as fingerprints, which can be compared
within one run only.

With --format html it is one page that needs nothing else, with every change whole:
it can be searched by host, kind and text, and printed.

--as-if and --set build the head as if a host were in another group, or had answered
a probe otherwise: BASE and HEAD may be the same then. Without --probe-data hosts are
built without their facts, which the verdict says.

On a terminal the text has colours, unless NO_COLOR is set, and goes through $PAGER,
or through less.

The JSON form (docs/reference/diff.schema.json) holds "hosts", exactly the hosts whose configuration differs, and
"changes": per entry what changed and on which hosts.
` + exitHelp + `
1 means that head has errors that base has not, that hosts no longer build, or that an
assertion does not hold and is not approved; with --exit-code also that a host changes.`,
		Example: `  bindery diff --git . main..HEAD
  bindery diff --git https://git.example.org/site.git main...feature --format markdown
  bindery diff --git . main...feature --format html > review.html
  bindery diff --spec . --group web
  bindery diff --spec . --as-if web1.example.org:group+=staging
  bindery diff --git . HEAD..HEAD --probe-data facts.json --set web1.example.org:arch=arm64
  bindery diff --spec-dirs /srv/spec /home/me/spec --host web1.example.org --context 0`,
		Args: o.args,
		RunE: func(cmd *cobra.Command, args []string) error { return runDiff(cmd.Context(), &o, args, s) },
	}
	o.AddFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "text", "text, markdown, json or html")
	f.IntVar(&o.context, "context", 3, "equal lines around each change in text, 0 to 3")
	o.approve.AddFlags(cmd)
	f.BoolVar(&o.exitCode, "exit-code", false, "exit 1 if any host changes, too")
	f.BoolVar(&o.noPager, "no-pager", false, "write text to the terminal at once, not through $PAGER")
	return cmd
}

func runDiff(ctx context.Context, o *diffOptions, args []string, s streams) error {
	switch {
	case !slices.Contains([]string{"text", "markdown", "json", "html"}, o.format):
		return fmt.Errorf("--format is text, markdown, json or html, not %q", o.format)
	case o.context < 0 || o.context > 3:
		return fmt.Errorf("--context is 0 to 3, not %d", o.context)
	}
	c, err := o.compare(ctx, args, s.Err)
	if err != nil {
		return err
	}
	r := c.report
	pager := ""
	if o.format == "text" && !o.noPager && isTerminal(s.Out) {
		pager = pagerCommand()
	}
	if err := paged(ctx, s, pager, func(w io.Writer) error { return o.write(w, r, colour(s.Out)) }); err != nil {
		return withCode(exitUnavailable, err)
	}
	if !r.Verdict.OK || o.exitCode && len(r.Hosts) > 0 {
		return quietly(exitFindings)
	}
	return nil
}

func (o *diffOptions) write(w io.Writer, r *review.Report, coloured bool) error {
	var text string
	switch o.format {
	case "json":
		data, err := r.JSON()
		if err != nil {
			return err
		}
		text = string(data)
	case "html":
		pages, err := page.New()
		if err != nil {
			return err
		}
		return pages.Write(w, r)
	case "markdown":
		text = markdown.New(r, markdown.Options{}).Body
	default:
		text = terminal.New(r, terminal.Options{Color: coloured, Context: o.context})
	}
	_, err := io.WriteString(w, text)
	return err
}
