// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/bindery/bindery/engine/assertion"
	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/plugins"
	"github.com/bindery/bindery/engine/internal/tmpl/render"
	"github.com/bindery/bindery/engine/internal/vault"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/secret"
)

// Spec is a specification that has been read. It is immutable and safe for
// concurrent use; what it remembers of hosts that were built only makes the next
// one faster.
type Spec struct {
	fsys      fs.FS
	conf      plugin.Conf
	voc       *host.Vocabulary
	meta      *host.Metadata
	plugins   *plugins.Set
	templates *render.Renderer
	vault     *vault.Vault
	policy    Policy
	sensitive []string // patterns of paths
	names     []string
	listed    bool // names are those of a list
	hosts     []string
	problems  []*problem.Problem
	asserted  *assertion.Set
	sources   *memo.Sources
	secrets   secret.Keyring

	bundles    map[string]*memo.Tree[*boundStructure]
	abstracts  map[string]*memo.Tree[*abstract]
	structures []memo.Tree[[]*boundStructure]
	probes     memo.Tree[*probeSet]
	decisions  memo.Tree[*decisionSet]
	entries    sync.Map // *plugin.Item → *item
	compared   sync.Map // [2]*host.Membership → bool
	paths      func() []string
	all        func() []*host.Host
}

// Open reads a specification. Whatever is wrong in it is in Problems; an error
// means that the tree cannot be read at all.
func Open(ctx context.Context, fsys fs.FS, opts Options) (*Spec, error) {
	if _, err := fs.ReadDir(fsys, "."); err != nil {
		return nil, fmt.Errorf("read specification: %w", err)
	}
	s := &Spec{fsys: fsys, voc: &host.Vocabulary{}, bundles: map[string]*memo.Tree[*boundStructure]{}, abstracts: map[string]*memo.Tree[*abstract]{}, sources: memo.NewSources(fsys, opts.Cache.shelf()), secrets: opts.Secrets}
	s.sources.Revision.Fact(factOptions, opts.digest())
	s.sources.Rest.Fact(s.sources.Revision, factOptions)
	noted := s.sources.Rest.FS(s.sources.Revision, s.sources.Tree)
	report := func(p *problem.Problem) { s.problems = append(s.problems, p) }
	set, conf := readSettings(noted, opts, report)
	s.policy, s.sensitive, s.conf = set.Policy, set.Sensitive, conf
	s.names = set.Plugins
	if s.listed = s.names != nil; !s.listed {
		s.names = plugins.Present(noted)
	}
	s.meta = host.Read(s.sources.Metadata.FS(s.sources.Revision, s.sources.Tree), s.voc)
	s.problems = append(s.problems, s.meta.Problems()...)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	recipients := secret.Recipients(readIfThere(fsys, secret.RecipientsFile, report))
	s.vault = vault.New(opts.Secrets, recipients, conf["encryption"])
	delete(conf, "encryption") // passphrases are for the vault alone
	s.templates = render.New(render.Config{Sources: s.sources, Fleet: fleet{s: s}, Connectors: plugins.Data(s.names), Vault: s.vault})
	s.plugins = plugins.Load(plugin.Env{
		FS: noted, Sources: s.sources, Conf: conf, Voc: s.voc, Names: opts.Names, Templates: s.templates, Vault: s.vault, Fleet: fleet{s: s}, Binder: fleet{s: s}, Report: report,
		Others: func(n int) render.Fleet { return fleet{s: s, nested: n} },
	}, s.names)
	s.structures = make([]memo.Tree[[]*boundStructure], len(s.plugins.Structures))
	if s.plugins.Bundler != nil {
		for _, name := range s.plugins.Bundler.Names() {
			s.bundles[name], s.abstracts[name] = &memo.Tree[*boundStructure]{}, &memo.Tree[*abstract]{}
		}
	}
	s.asserted = s.readAssertions()
	s.paths = sync.OnceValue(s.listPaths)
	s.all = sync.OnceValue(s.listHosts)
	s.hosts = append(s.meta.Names(), opts.Clients...)
	if len(opts.Clients) > 0 {
		slices.Sort(s.hosts)
		s.hosts = slices.Compact(s.hosts)
	}
	bundle := func(name string) bool {
		if _, ok := s.bundles[name]; ok {
			return true
		}
		_, err := fs.Stat(noted, "SGenshi/"+name+".xml")
		return err == nil
	}
	s.policy.known(s.hosts, s.meta.Groups(), bundle, func(path ...any) problem.Pos { return settingAt(noted, path...) }, report)
	s.problems = problem.Sort(s.problems)
	return s, ctx.Err()
}

// factOptions is what a result depends on besides the tree and the host.
const factOptions = "options"

// digest tells options apart, but for the keyring and the cache; it is "" where that cannot be
// done.
func (o Options) digest() string {
	o.Secrets, o.Cache = nil, nil
	// Encoding orders maps by key, and refuses what is no data.
	data, err := json.Marshal(o)
	if err != nil {
		return ""
	}
	return string(data)
}

// Problems lists what is wrong with the specification itself, in order of position.
func (s *Spec) Problems() []*problem.Problem { return s.problems }

// Hosts lists the hosts that exist, sorted: clients.xml and Options.Clients.
func (s *Spec) Hosts() []string { return s.hosts }

// Groups lists the groups that Metadata names, sorted. Hosts may be in others: what is
// named in a condition alone is a group too.
func (s *Spec) Groups() []string { return s.meta.Groups() }

// Canonical gives the name under which a host is built: in lower case, and that of
// the client that an alias stands for.
func (s *Spec) Canonical(name string) string { return s.meta.Canonical(name) }

// Plugins lists the plugins that are on.
func (s *Spec) Plugins() []string { return s.names }

// Listed tells whether a list says which plugins are on, and not the directories
// that exist.
func (s *Spec) Listed() bool { return s.listed }

// Assertions are what the specification says must stay true.
func (s *Spec) Assertions() *assertion.Set { return s.asserted }

// readAssertions reads them from the tree itself: no host depends on them.
func (s *Spec) readAssertions() *assertion.Set {
	set, wrong := assertion.Read(s.fsys)
	s.problems = append(s.problems, wrong...)
	return set
}

// Policy returns what the specification says about applying; see Policy.For.
func (s *Spec) Policy() Policy { return s.policy }
