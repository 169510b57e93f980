// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/cmd/bindery/internal/hostkeys"
	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/problem/render"
	"github.com/bindery/bindery/internal/keypair"
)

func newKeysCommand(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Make the keys and certificates that a specification lacks",
		Long: `Keys makes what the server of Bcfg2 made by itself: the keys of SSHbase, of
Cfg's privkey.xml and sslkey.xml, and the certificates of sslcert.xml and SSLCA. A
build never makes one; it delivers what was committed.
` + exitHelp,
		Example: `  bindery keys ssh --spec . --host web1.example.org
  bindery keys ssl --spec . --all --ca default=ca.crt,ca.key
  bindery keys check --spec . --all --expires-within 30d`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeysSSHCommand(s), newKeysSSLCommand(s), newKeysCheckCommand(s))
	return cmd
}

// recipientsFile lists whom private keys are locked for, unless a flag says so.
const recipientsFile = ".age-recipients"

// keysOptions are what keys ssh and keys ssl have in common.
type keysOptions struct {
	specOptions
	spec       string
	branch     string
	host       []string
	all        bool
	paths      []string
	rotate     []string
	recipients []string
	plain      bool
	dryRun     bool
	format     string
	config     hostkeys.Config
	requests   string
}

// AddFlags declares the flags.
func (o *keysOptions) AddFlags(cmd *cobra.Command) {
	o.specOptions.AddFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.spec, "spec", ".", "specification in a `folder`, where the files are written")
	f.StringVar(&o.branch, "branch", "", "commit to a `branch` of the folder's repository instead, begun at HEAD where there is none")
	f.StringSliceVar(&o.host, "host", nil, "`name` of a host; may be repeated")
	f.BoolVar(&o.all, "all", false, "all hosts of clients.xml")
	f.StringArrayVar(&o.paths, "path", nil, "a further `path` whose key is made, although no bundle names it; may be repeated")
	f.StringArrayVar(&o.rotate, "rotate", nil, "a `path` whose key or certificate is replaced; may be repeated")
	f.StringArrayVar(&o.recipients, "recipient", nil, "encrypt private keys for this `recipient` of age; may be repeated (default: those in "+recipientsFile+")")
	f.BoolVar(&o.plain, "plain", false, "write private keys unencrypted, and do not warn")
	f.BoolVar(&o.dryRun, "dry-run", false, "only say what would be made")
	f.StringVar(&o.format, "format", "text", "text or json")
	cmd.MarkFlagsOneRequired("host", "all")
	cmd.MarkFlagsMutuallyExclusive("host", "all")
	cmd.MarkFlagsMutuallyExclusive("plain", "recipient")
}

func runKeys(ctx context.Context, o *keysOptions, s streams) error {
	if o.format != "text" && o.format != "json" {
		return fmt.Errorf("--format is text or json, not %q", o.format)
	}
	snap, err := o.snapshot(ctx)
	if err != nil {
		return err
	}
	op, err := openSpec(ctx, snap, &o.specOptions)
	if err == nil && !op.spec.Listed() && !slices.Contains(op.spec.Plugins(), "SSHbase") {
		// The first key makes the directory that switches the plugin on.
		o.plugins = append(op.spec.Plugins(), "SSHbase")
		op, err = openSpec(ctx, snap, &o.specOptions)
	}
	if err != nil {
		return err
	}
	o.config.Spec, o.config.Paths, o.config.Rotate, o.config.Plan, o.config.Now = op.spec, o.paths, o.rotate, o.dryRun, time.Now()
	if o.config.Recipients, err = o.sealFor(snap); err != nil {
		return withCode(exitUsage, err)
	}
	hosts := o.host
	if o.all {
		hosts = op.spec.Hosts()
	}
	m := hostkeys.New(o.config)
	bar := newProgress(s.Err, "making keys", len(hosts))
	for _, in := range op.inputs(hosts) {
		if err := m.Host(ctx, in); err != nil {
			bar.stop()
			return withCode(exitUnavailable, err)
		}
		bar.add(1)
	}
	bar.stop()
	if err := o.write(ctx, snap, m.Files); err != nil {
		return withCode(exitUnavailable, err)
	}
	return o.report(s, m)
}

// snapshot reads the folder, or the branch.
func (o *keysOptions) snapshot(ctx context.Context) (*git.Snapshot, error) {
	if o.branch == "" {
		snap, err := git.Dir(ctx, o.spec, 0)
		return snap, withCode(exitUnavailable, err)
	}
	m, done, err := openRepository(ctx, o.spec)
	if err != nil {
		return nil, err
	}
	defer done()
	snap, err := snapshot(ctx, m, "refs/heads/"+o.branch)
	if errors.Is(err, git.ErrUnknownRevision) {
		return snapshot(ctx, m, "HEAD")
	}
	return snap, err
}

// sealFor says whom private keys are encrypted for; nil for nobody.
func (o *keysOptions) sealFor(tree fs.FS) (*keypair.Recipients, error) {
	if o.plain {
		return nil, nil
	}
	if len(o.recipients) > 0 {
		return keypair.ParseRecipients(strings.Join(o.recipients, "\n"))
	}
	data, err := fs.ReadFile(tree, recipientsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := keypair.ParseRecipients(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", recipientsFile, err)
	}
	return r, nil
}

// write puts what was made into the folder, or on the branch.
func (o *keysOptions) write(ctx context.Context, snap *git.Snapshot, files []hostkeys.File) error {
	var requests, spec []hostkeys.File
	for _, f := range files {
		if f.Request {
			requests = append(requests, f)
		} else {
			spec = append(spec, f)
		}
	}
	if len(requests) > 0 {
		if err := hostkeys.Write(o.requests, requests); err != nil {
			return err
		}
	}
	if len(spec) == 0 {
		return nil
	}
	if o.branch == "" {
		return hostkeys.Write(o.spec, spec)
	}
	p := git.Proposal{Branch: o.branch, Base: snap.Commit(), Files: map[string][]byte{}, Message: "Add keys that hosts lack\n", When: o.config.Now}
	for _, f := range spec {
		p.Files[f.Name] = f.Data
	}
	_, err := git.Propose(ctx, o.spec, p)
	return err
}

// report says what was made. A private key in plain text is worth a warning.
func (o *keysOptions) report(s streams, m *hostkeys.Maker) error {
	var err error
	if o.format == "json" {
		err = o.reportJSON(s.Out, m)
	} else {
		o.reportText(s.Out, m)
		err = render.Text(s.Err, m.Problems, render.TextConfig{Colour: colour(s.Err)})
	}
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	plain := slices.ContainsFunc(m.Files, func(f hostkeys.File) bool { return f.Private }) && o.config.Recipients == nil
	if plain && !o.plain {
		fmt.Fprintf(s.Err, "bindery: private keys are written unencrypted: whoever reads the repository has them. Encrypt them with --recipient, or list recipients in %s\n", recipientsFile)
	}
	if problem.Errors(m.Problems) > 0 {
		return quietly(exitFindings)
	}
	return nil
}

func (o *keysOptions) reportJSON(w io.Writer, m *hostkeys.Maker) error {
	data, err := marshal(struct {
		Made     []hostkeys.Made    `json:"made"`
		Present  int                `json:"present"`
		Problems []*problem.Problem `json:"problems"`
	}{append([]hostkeys.Made{}, m.Made...), m.Present, append([]*problem.Problem{}, m.Problems...)})
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

func (o *keysOptions) reportText(w io.Writer, m *hostkeys.Maker) {
	verb, count := "made", "made"
	if o.dryRun {
		verb, count = "would make", "to make"
	}
	for _, k := range m.Made {
		switch {
		case k.Request != "":
			fmt.Fprintf(w, "%s %s; its certificate belongs into %s\n", verb, k.Request, k.File)
		case k.File == "":
			fmt.Fprintf(w, "%s %s, of the key that is there\n", verb, k.Public)
		case k.Public != "":
			fmt.Fprintf(w, "%s %s and %s\n", verb, k.File, k.Public)
		default:
			fmt.Fprintf(w, "%s %s\n", verb, k.File)
		}
	}
	fmt.Fprintf(w, "%d %s, %d there already%s\n", len(m.Made), count, m.Present, o.next(m))
}

// next says what is left to do.
func (o *keysOptions) next(m *hostkeys.Maker) string {
	switch {
	case len(m.Made) == 0 || o.dryRun:
		return ""
	case o.branch != "":
		return "; committed to " + o.branch
	}
	return "; commit them"
}
