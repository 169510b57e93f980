// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
)

type buildOptions struct {
	specOptions
	source sourceOptions
	all    bool
	host   []string
	out    string
	format string
	strict bool
}

func newBuildCommand(s streams) *cobra.Command {
	var o buildOptions
	cmd := &cobra.Command{
		Use:   "build (--spec DIR | --git URL [--rev REV]) (--all --out DIR | --host NAME...)",
		Short: "Compute the literal configuration of hosts",
		Long: `Build computes what hosts would get, exactly as it would be published.

With --out, every host becomes DIR/HOST.xml (or .json), its probes
DIR/HOST.probes.json, its decision lists DIR/HOST.decisions.json, and everything that could not be bound or was refused is in
DIR/problems.json. Without --out, one host is written to standard output.

An entry that cannot be bound never stops the others: it is delivered with the
attribute failure, and listed. Build writes literal contents, secrets included:
its files are readable by you alone.
` + exitHelp,
		Example: `  bindery build --spec . --host web1.example.org
  bindery build --spec . --all --out /tmp/out --probe-data facts.json
  bindery build --git https://git.example.org/site.git --rev main --host web1.example.org --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBuild(cmd.Context(), &o, s) },
	}
	o.source.AddFlags(cmd)
	o.specOptions.AddFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.all, "all", false, "every host of clients.xml, and every --client")
	f.StringArrayVar(&o.host, "host", nil, "a host to build; may be repeated")
	f.StringVar(&o.out, "out", "", "write one file per host into this `folder`")
	f.StringVar(&o.format, "format", "xml", "xml or json")
	f.BoolVar(&o.strict, "strict", false, "exit 1 where an entry failed or a host was refused")
	cmd.MarkFlagsMutuallyExclusive("all", "host")
	cmd.MarkFlagsOneRequired("all", "host")
	return cmd
}

func runBuild(ctx context.Context, o *buildOptions, s streams) error {
	switch {
	case o.format != "xml" && o.format != "json":
		return fmt.Errorf("--format is xml or json, not %q", o.format)
	case o.out == "" && o.all:
		return errors.New("--all writes many files: say where with --out DIR")
	case o.out == "" && len(o.host) > 1:
		return errors.New("several hosts write several files: say where with --out DIR")
	}
	snap, err := o.source.open(ctx)
	if err != nil {
		return err
	}
	o.clients = append(o.clients, o.host...)
	o.localSources = o.source.spec != ""
	op, err := openSpec(ctx, snap, &o.specOptions)
	if err != nil {
		return err
	}
	hosts := o.host
	if o.all {
		hosts = op.spec.Hosts()
	}
	w := &buildWriter{o: o, op: op, s: s, problems: []outProblem{}}
	if err := w.build(ctx, hosts); err != nil {
		return err
	}
	return w.finish(hosts)
}

// chunk is how many hosts are built between two looks at the progress, and held
// in memory at once.
const chunk = 256

// buildWriter writes results as they come.
type buildWriter struct {
	o        *buildOptions
	op       *opened
	s        streams
	problems []outProblem
	failed   int
	refused  *problem.Problem
}

// outProblem is one line of problems.json.
type outProblem struct {
	Client string      `json:"client"`
	Entry  string      `json:"entry"`
	Error  string      `json:"error"`
	Pos    problem.Pos `json:"pos"`
	Code   string      `json:"code"`
	Hint   string      `json:"hint,omitempty"`
}

func newOutProblem(client, entry string, p *problem.Problem) outProblem {
	return outProblem{Client: client, Entry: entry, Error: p.Msg, Pos: p.Pos, Code: p.Code, Hint: p.Hint}
}

func (w *buildWriter) build(ctx context.Context, hosts []string) error {
	if w.o.out != "" {
		if err := os.MkdirAll(w.o.out, 0o700); err != nil {
			return withCode(exitUnavailable, err)
		}
	}
	for _, p := range w.op.problems {
		w.problems = append(w.problems, newOutProblem("", "Specification "+p.Pos.File, p))
	}
	bar := newProgress(w.s.Err, "hosts", len(hosts))
	defer bar.stop()
	for part := range slices.Chunk(hosts, chunk) {
		results, err := w.op.spec.All(ctx, w.op.inputs(part))
		if err != nil {
			return withCode(exitUnavailable, err)
		}
		for _, r := range results {
			if err := w.one(r); err != nil {
				return withCode(exitUnavailable, err)
			}
		}
		bar.add(len(part))
	}
	return nil
}

func (w *buildWriter) one(r *engine.Result) error {
	if r.Refused != nil {
		w.refused = r.Refused
		w.failed++
		w.problems = append(w.problems, newOutProblem(r.Host, "ERROR", r.Refused))
		return nil
	}
	for _, f := range r.Failures {
		w.failed++
		w.problems = append(w.problems, newOutProblem(r.Host, f.Tag+" "+f.Name, f.Problem))
	}
	r.Config.Revision = w.op.snap.Commit()
	data := r.Config.XML()
	if w.o.format == "json" {
		var err error
		if data, err = marshal(newOutHost(r)); err != nil {
			return err
		}
	}
	if w.o.out == "" {
		_, err := w.s.Out.Write(data)
		return err
	}
	if err := writePrivate(filepath.Join(w.o.out, r.Host+"."+w.o.format), data); err != nil {
		return err
	}
	if r.Decisions != nil {
		if err := w.json(r.Host+".decisions.json", r.Decisions); err != nil {
			return err
		}
	}
	if len(r.Probes) == 0 {
		return nil
	}
	return w.probes(r)
}

// outProbe is one line of HOST.probes.json; source is the script.
type outProbe struct {
	Name        string `json:"name"`
	Interpreter string `json:"interpreter"`
	Source      string `json:"source"`
	Plugin      string `json:"plugin"`
}

func (w *buildWriter) probes(r *engine.Result) error {
	var out []outProbe
	for _, p := range r.Probes {
		out = append(out, outProbe{Name: p.Name, Interpreter: p.Interpreter, Source: p.Script, Plugin: p.Source})
	}
	return w.json(r.Host+".probes.json", out)
}

func (w *buildWriter) json(name string, v any) error {
	data, err := marshal(v)
	if err != nil {
		return err
	}
	return writePrivate(filepath.Join(w.o.out, name), data)
}

func (w *buildWriter) finish(hosts []string) error {
	if w.o.out == "" {
		if w.refused != nil {
			return withCode(exitFindings, w.refused)
		}
		w.tell()
	} else {
		data, err := marshal(w.problems)
		if err == nil {
			err = writePrivate(filepath.Join(w.o.out, "problems.json"), data)
		}
		if err != nil {
			return withCode(exitUnavailable, err)
		}
		fmt.Fprintf(w.s.Err, "bindery: %d hosts, %d failed entries or refused hosts; see %s\n", len(hosts), w.failed, filepath.Join(w.o.out, "problems.json"))
	}
	if w.o.strict && (w.failed > 0 || problem.Errors(w.op.problems) > 0) {
		return quietly(exitFindings)
	}
	return nil
}

// tell says beside a host on standard output what is wrong: the errors of the
// specification, and what could not be bound.
func (w *buildWriter) tell() {
	for _, p := range w.op.problems {
		if p.Severity == problem.Error {
			fmt.Fprintf(w.s.Err, "bindery: %s: %s\n", p.Pos, p.Msg)
		}
	}
	for _, p := range w.problems {
		if p.Client == "" {
			continue
		}
		fmt.Fprintf(w.s.Err, "bindery: %s: %s: %s", p.Entry, p.Pos, p.Error)
		if p.Hint != "" {
			fmt.Fprintf(w.s.Err, " (%s)", p.Hint)
		}
		fmt.Fprintln(w.s.Err)
	}
}

// writePrivate replaces a file by one that its owner alone can read, whatever mode the
// old one has and wherever a link of that name leads.
func writePrivate(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func marshal(v any) ([]byte, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	return append(data, '\n'), err
}

// outHost is one host as JSON.
type outHost struct {
	Host       string         `json:"host"`
	Revision   string         `json:"revision,omitempty"`
	Profile    string         `json:"profile"`
	Groups     []string       `json:"groups"`
	Digest     string         `json:"digest"`
	Structures []outStructure `json:"structures"`
}

type outStructure struct {
	Tag     string     `json:"tag"`
	Name    string     `json:"name,omitempty"`
	Entries []outEntry `json:"entries"`
}

type outEntry struct {
	Tag        string            `json:"tag"`
	Name       string            `json:"name"`
	Attributes map[string]string `json:"attributes"`
	Text       string            `json:"text,omitempty"`
	XML        string            `json:"xml,omitempty"` // where there are child elements
	Failure    string            `json:"failure,omitempty"`
	NamedAt    config.Source     `json:"named_at"`
	BoundAt    config.Source     `json:"bound_at"`
}

func newOutHost(r *engine.Result) outHost {
	out := outHost{Host: r.Host, Revision: r.Config.Revision, Profile: r.Profile, Groups: r.Groups, Digest: r.Config.Digest().String(), Structures: []outStructure{}}
	for _, b := range r.Config.Bundles {
		st := outStructure{Tag: b.Tag, Name: b.Name(), Entries: []outEntry{}}
		for _, e := range b.Entries {
			oe := outEntry{Tag: e.Tag, Name: e.Name(), Attributes: map[string]string{}, Text: e.Text, Failure: e.Failure, NamedAt: e.NamedAt, BoundAt: e.BoundAt}
			for _, a := range e.Attrs {
				oe.Attributes[a.Name] = a.Value
			}
			if len(e.Children) > 0 {
				oe.XML = string(e.XML())
			}
			st.Entries = append(st.Entries, oe)
		}
		out.Structures = append(out.Structures, st)
	}
	return out
}
