// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/internal/secrets"
)

// specOptions are the flags with which build, lint and diff read a specification.
type specOptions struct {
	probeData string
	factsRoot string
	plugins   []string
	conf      string
	hosts     string
	clients   []string
	keys      secrets.Config
	ring      *secrets.Keyring
	// parsed is what files were parsed to: both sides of a comparison have most.
	parsed *engine.Cache
	// localSources: package sources on this machine need not be recorded.
	localSources bool
}

// AddFlags declares the flags that say how a specification is read.
func (o *specOptions) AddFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.probeData, "probe-data", "", "JSON `file` with the hosts' answers: {\"host\": {\"probe\": \"output\"}}, and under \"external\" what others know of a host; or what facts export wrote")
	f.StringVar(&o.factsRoot, "facts-root", "", "root metadata, a `file`: --probe-data must be signed by its targets key")
	f.StringSliceVar(&o.plugins, "plugins", nil, "plugins that are on, separated by commas (default: bindery.yaml, else the directories that exist)")
	f.StringVar(&o.conf, "conf", "", "bcfg2.conf `file` whose options win over those of the tree")
	f.StringVar(&o.hosts, "hosts", "", "`file` of lines \"address name...\" that stands for DNS")
	f.StringArrayVar(&o.clients, "client", nil, "a host that clients.xml does not list, or an alias; may be repeated")
	f.StringArrayVar(&o.keys.IdentityFiles, "identity", nil, "`file` of age identities that open what is encrypted; may be repeated")
	f.StringVar(&o.keys.PassphraseFile, "passphrases", "", "`file` with passphrases in a section [encryption], as in bcfg2.conf")
	f.StringVar(&o.keys.SOPS, "sops", "", "`program` sops, run for files that it encrypted")
}

// maxSettings bounds the files named on the command line, in bytes.
const maxSettings = 256 << 20

// engineOptions reads the files that the flags name.
func (o *specOptions) engineOptions() (engine.Options, error) {
	opts := engine.Options{Plugins: o.plugins, Clients: o.clients}
	if o.conf != "" {
		data, err := readFile(o.conf)
		if err != nil {
			return opts, err
		}
		if opts.Conf, err = engine.ParseConf(data); err != nil {
			return opts, fmt.Errorf("%s: %w", o.conf, err)
		}
	}
	if o.hosts != "" {
		data, err := readFile(o.hosts)
		if err != nil {
			return opts, err
		}
		if opts.Names, err = parseHosts(data); err != nil {
			return opts, fmt.Errorf("%s: %w", o.hosts, err)
		}
	}
	if o.ring == nil {
		var err error
		if o.ring, err = secrets.New(o.keys); err != nil {
			return opts, withCode(exitUsage, err)
		}
	}
	if o.parsed == nil {
		o.parsed = engine.NewCache(engine.CacheSize)
	}
	opts.Secrets, opts.Cache = o.ring, o.parsed
	return opts, nil
}

// facts reads what is known of hosts; without --probe-data that is nothing. Where it
// was exported by a controller, what that says of it comes too.
func (o *specOptions) facts() (map[string]engine.Facts, *release.FleetFacts, error) {
	if o.probeData == "" {
		if o.factsRoot != "" {
			return nil, nil, errors.New("--facts-root goes with --probe-data")
		}
		return nil, nil, nil
	}
	data, err := readFile(o.probeData)
	if err != nil {
		return nil, nil, err
	}
	var exported *release.FleetFacts
	if o.factsRoot != "" || release.IsFleetFacts(data) {
		if exported, err = o.openFacts(data); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", o.probeData, err)
		}
		data = exported.Hosts
	}
	out, err := engine.ParseFacts(data)
	if err != nil {
		return nil, nil, withCode(exitUsage, fmt.Errorf("%s: %w", o.probeData, err))
	}
	return out, exported, nil
}

// openFacts reads exported facts, and checks who signed them where that is asked for.
func (o *specOptions) openFacts(data []byte) (*release.FleetFacts, error) {
	if o.factsRoot == "" {
		f, err := release.ReadFleetFacts(data)
		return f, withCode(exitUsage, err)
	}
	text, err := readFile(o.factsRoot)
	if err != nil {
		return nil, err
	}
	root, err := release.ParseRoot(text)
	if err != nil {
		return nil, withCode(exitUntrusted, fmt.Errorf("%s: %w", o.factsRoot, err))
	}
	f, err := release.OpenFleetFacts(data, root, time.Now())
	return f, withCode(exitUntrusted, err)
}

// inputs pairs hosts with their facts, an alias with those of the host that it stands
// for.
func (o *opened) inputs(hosts []string) []engine.Input {
	in := make([]engine.Input, len(hosts))
	for i, h := range hosts {
		f, ok := o.facts[h]
		if !ok {
			f = o.facts[o.spec.Canonical(h)]
		}
		in[i] = engine.Input{Host: h, Probes: f.Probes, External: f.External, Last: o.last[h]}
		o.supposed.apply(&in[i])
	}
	return in
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, withCode(exitUsage, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSettings+1))
	if err != nil {
		return nil, withCode(exitUnavailable, err)
	}
	if len(data) > maxSettings {
		return nil, withCode(exitUsage, fmt.Errorf("%s is larger than %d bytes", name, maxSettings))
	}
	return data, nil
}

func parseHosts(data []byte) (map[string][]string, error) {
	out := map[string][]string{}
	sc := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; sc.Scan(); n++ {
		line, _, _ := strings.Cut(sc.Text(), "#")
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if _, err := netip.ParseAddr(f[0]); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out[f[0]] = append(out[f[0]], f[1:]...)
	}
	return out, sc.Err()
}

// sourceOptions say which tree is read: a folder, or a commit of a repository.
type sourceOptions struct {
	spec string
	url  string
	rev  string
}

// AddFlags declares the flags. One of them is needed, or one of instead, which are
// declared already.
func (o *sourceOptions) AddFlags(cmd *cobra.Command, instead ...string) {
	f := cmd.Flags()
	f.StringVar(&o.spec, "spec", "", "specification in a `folder`")
	f.StringVar(&o.url, "git", "", "specification in a git repository, by `URL` or path; nothing is checked out")
	f.StringVar(&o.rev, "rev", "HEAD", "branch, tag or commit of --git")
	cmd.MarkFlagsMutuallyExclusive("spec", "git")
	cmd.MarkFlagsOneRequired(append([]string{"spec", "git"}, instead...)...)
}

// open reads the tree. The snapshot stays valid after the repository is closed.
func (o *sourceOptions) open(ctx context.Context) (*git.Snapshot, error) {
	if o.spec != "" {
		snap, err := git.Dir(ctx, o.spec, 0)
		return snap, withCode(exitUnavailable, err)
	}
	m, done, err := openRepository(ctx, o.url, o.rev)
	if err != nil {
		return nil, err
	}
	defer done()
	return snapshot(ctx, m, o.rev)
}

// openRepository fetches what revs name into a mirror that is gone when done is
// called; a path is read in place.
func openRepository(ctx context.Context, url string, revs ...string) (*git.Mirror, func(), error) {
	dir, err := os.MkdirTemp("", "bindery-git-")
	if err != nil {
		return nil, nil, withCode(exitUnavailable, err)
	}
	remove := func() { _ = os.RemoveAll(dir) }
	m, err := git.New(git.Config{URL: url, Dir: dir + "/mirror", Token: os.Getenv("BINDERY_GIT_TOKEN")})
	if err != nil {
		remove()
		return nil, nil, withCode(exitUnavailable, err)
	}
	done := func() { _ = m.Close(); remove() }
	if err := m.Fetch(ctx); err != nil {
		done()
		return nil, nil, withCode(exitUnavailable, err)
	}
	return m, done, nil
}

func snapshot(ctx context.Context, m *git.Mirror, rev string) (*git.Snapshot, error) {
	commit, err := m.Resolve(ctx, rev)
	if err != nil {
		return nil, withCode(exitUnavailable, err)
	}
	snap, err := m.Snapshot(ctx, commit)
	return snap, withCode(exitUnavailable, err)
}

// opened is a specification with its hosts, ready to be built.
type opened struct {
	snap  *git.Snapshot
	spec  *engine.Spec
	facts map[string]engine.Facts
	// exported says where facts come from; nil where nothing says it.
	exported *release.FleetFacts
	// last is what hosts got from another revision, if that was built.
	last map[string]*engine.Result
	// supposed is what is taken for true of hosts, against what is known of them.
	supposed suppositions
	problems []*problem.Problem
}

// openSpec reads the files that the flags name, and the specification.
func openSpec(ctx context.Context, snap *git.Snapshot, o *specOptions) (*opened, error) {
	opts, err := o.engineOptions()
	if err != nil {
		return nil, err
	}
	facts, exported, err := o.facts()
	if err != nil {
		return nil, err
	}
	var tree fs.FS = snap
	if o.localSources {
		if tree, err = withLocalSources(ctx, snap, opts); err != nil {
			return nil, withCode(exitUnavailable, err)
		}
	}
	spec, err := engine.Open(ctx, tree, opts)
	if err != nil {
		return nil, withCode(exitUnavailable, err)
	}
	all := problem.Sort(append(slices.Clone(snap.Problems()), spec.Problems()...))
	return &opened{snap: snap, spec: spec, facts: facts, exported: exported, problems: all}, nil
}
