// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/problem/render"
	"github.com/bindery/bindery/engine/secret"
)

type lintOptions struct {
	specOptions
	source sourceOptions
	format string
	strict bool
	build  bool
	// explain is a code to explain instead of looking at a specification.
	explain string
	fix     bool
	dryRun  bool
}

func newLintCommand(s streams) *cobra.Command {
	var o lintOptions
	cmd := &cobra.Command{
		Use:   "lint (--spec DIR | --git URL [--rev REV] | --explain CODE)",
		Short: "Look for what is wrong in a specification",
		Long: `Lint reads a specification and reports every problem with file, line and
column, the line itself, and what to do about it. An error makes something
unusable; a warning leaves the result defined, but perhaps not as meant.

No host is built, unless --build asks for it: then lint also tells which entries
cannot be bound, given the answers in --probe-data. Secrets in the lines that are
shown are masked; lines of encrypted and private files are not shown at all.

Every problem has a code in brackets: --explain CODE says what it means, why it
matters and how to put it right; Bcfg2's names for codes are known too.

--fix rewrites old spellings that have one meaning: perms, location, names of
bundles, and the entries of before 1.0, such as ConfigFile. Only the bytes in
question change. All hosts are built with and without, and a file is left alone
where one would be given something else; entries of before 1.0, which no client
applies, become ones that are applied. Look at the difference before you commit.
` + `
Exit codes:
  0  nothing found, or warnings only
  1  errors; with --strict, warnings too
  2  wrong use
  3  the specification cannot be read
  130  interrupted`,
		Example: `  bindery lint --spec .
  bindery lint --spec . --build --probe-data facts.json
  bindery lint --git https://git.example.org/site.git --rev main --strict
  bindery lint --spec . --format sarif > bindery.sarif
  bindery lint --spec . --format github          in a GitHub workflow
  bindery lint --spec . --fix --dry-run
  bindery lint --explain unknown-group`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLint(cmd.Context(), &o, s) },
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "text", "text, json, sarif or github")
	f.BoolVar(&o.strict, "strict", false, "exit 1 on warnings too")
	f.StringVar(&o.explain, "explain", "", "say what a code means, and look at nothing; list names all codes")
	o.source.AddFlags(cmd, "explain")
	o.specOptions.AddFlags(cmd)
	f.BoolVar(&o.fix, "fix", false, "first rewrite old spellings in the folder of --spec")
	f.BoolVar(&o.dryRun, "dry-run", false, "with --fix: show what would change, and write nothing")
	f.BoolVar(&o.build, "build", false, "also build every host and report what cannot be bound")
	return cmd
}

func runLint(ctx context.Context, o *lintOptions, s streams) error {
	if o.explain != "" {
		return explainCode(s, o.explain)
	}
	if !slices.Contains([]string{"text", "json", "sarif", "github"}, o.format) {
		return fmt.Errorf("--format is text, json, sarif or github, not %q", o.format)
	}
	if o.probeData != "" && !o.build {
		return errors.New("--probe-data is for hosts that are built: add --build")
	}
	if o.dryRun && !o.fix || o.fix && o.source.spec == "" {
		return errors.New("--fix is for the folder of --spec, and --dry-run for --fix")
	}
	snap, err := o.source.open(ctx)
	if err != nil {
		return err
	}
	if o.fix {
		if snap, err = fixSpec(ctx, o, s, snap); err != nil || snap == nil {
			return err
		}
	}
	found, err := findProblems(ctx, o, snap)
	if err != nil {
		return err
	}
	if err := o.write(s, snap, found); err != nil {
		return withCode(exitUnavailable, err)
	}
	if problem.Errors(found) > 0 || o.strict && len(found) > 0 {
		return quietly(exitFindings)
	}
	return nil
}

func findProblems(ctx context.Context, o *lintOptions, snap *git.Snapshot) ([]*problem.Problem, error) {
	if !o.build {
		opts, err := o.engineOptions()
		if err != nil {
			return nil, err
		}
		found, err := engine.Lint(ctx, snap, opts)
		return found, withCode(exitUnavailable, err)
	}
	op, err := openSpec(ctx, snap, &o.specOptions)
	if err != nil {
		return nil, err
	}
	found, err := op.spec.LintBuilt(ctx, op.inputs(op.spec.Hosts()))
	if !o.keys.Any() {
		// Who lints has no keys as a rule, and nothing is wrong with that.
		found = slices.DeleteFunc(found, func(p *problem.Problem) bool { return p.Code == secret.CodeNoKey })
	}
	return found, withCode(exitUnavailable, err)
}

// write shows problems in the format asked for. The summary is for people, and
// stays out of what programs read.
func (o *lintOptions) write(s streams, snap *git.Snapshot, found []*problem.Problem) error {
	source := render.Source(engine.Source(snap))
	switch o.format {
	case "json":
		return render.JSON(s.Out, found, source)
	case "sarif":
		rules, err := meanings()
		if err != nil {
			return err
		}
		return render.SARIF(s.Out, found, render.Tool{Name: "bindery", Rules: rules, Prefix: o.prefix()}, source)
	case "github":
		return render.GitHub(s.Out, found, o.prefix())
	}
	if err := render.Text(s.Out, found, render.TextConfig{Source: source, Colour: colour(s.Out)}); err != nil {
		return err
	}
	if len(found) > 0 {
		fmt.Fprintln(s.Out)
	}
	_, err := fmt.Fprintln(s.Out, render.Count(found))
	return err
}

// prefix is where the specification stands below the current folder, as forges
// name files from the root of the repository.
func (o *lintOptions) prefix() string {
	dir := filepath.ToSlash(filepath.Clean(o.source.spec))
	if o.source.spec == "" || dir == "." || !filepath.IsLocal(dir) {
		return ""
	}
	return dir + "/"
}

// colour tells whether a stream is a terminal whose user wants colours.
func colour(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(w)
}
