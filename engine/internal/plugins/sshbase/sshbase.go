// SPDX-License-Identifier: Apache-2.0

// Package sshbase is Bcfg2's SSHbase: the SSH keys of hosts, which stand in the
// repository, and the list of all public ones. A key that is missing is never
// made. It must not know other generators, nor ask for addresses anywhere.
package sshbase

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/keyfile"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/secret"
)

const dir, target = "SSHbase", "/etc/ssh/"

// knownHosts is the file of all public keys.
const knownHosts = "ssh_known_hosts"

// private are the keys that hosts have; each has a public half as well.
var private = []string{"ssh_host_dsa_key", "ssh_host_ecdsa_key", "ssh_host_ed25519_key", "ssh_host_key", "ssh_host_rsa_key"}

// keyTypes says of what type each key is.
var keyTypes = map[string]string{
	"ssh_host_dsa_key": "dsa", "ssh_host_ecdsa_key": "ecdsa", "ssh_host_ed25519_key": "ed25519", "ssh_host_key": "rsa1", "ssh_host_rsa_key": "rsa",
}

// publicOf names the public half of each.
var publicOf = func() map[string]string {
	out := map[string]string{}
	for _, name := range private {
		out[name] = name + ".pub"
	}
	return out
}()

// SSHbase is safe for concurrent use.
type SSHbase struct {
	sets   map[string]*set // by base name
	info   *plugin.Info
	shared func() (string, *problem.Problem)

	fleet   plugin.Fleet
	names   map[string][]string
	statics []*key
	// sealed: a public key is encrypted, and so the list of them is secret.
	sealed bool
	// part is all keys, metadata what known hosts are called.
	part, metadata *memo.Part
}

var (
	_ plugin.Generator = (*SSHbase)(nil)
	_ plugin.Lister    = (*SSHbase)(nil)
	_ plugin.Sourced   = (*SSHbase)(nil)
	_ plugin.KeyHolder = (*SSHbase)(nil)
)

// set is the files of one kind of key. There are as many as hosts, so those for one
// host each are sorted when one of the kind is first asked for.
type set struct {
	list []plugin.Variant[*key]
	// hosts are the names of the files for one host each.
	hosts  []string
	sorted func() *plugin.Variants[*key]
}

// best is the file for a host, nil for none.
func (st *set) best(v *memo.View) *plugin.Variant[*key] { return st.sorted().Best(v) }

// key is a file, read when it is first needed. There may be tens of thousands, of
// which few are.
type key struct {
	name string
	env  *plugin.Env
	once sync.Once
	data string
	bad  *problem.Problem
	// sealed: the file is encrypted.
	sealed bool
}

// maxKey bounds a key, and what is known of other hosts, in bytes.
const maxKey = 4 << 20

func newKey(env *plugin.Env, name string) *key {
	_, sealed := secret.Plain(name)
	return &key{name: name, env: env, sealed: sealed}
}

func (k *key) load() (string, *problem.Problem) {
	k.once.Do(func() {
		data, p := file.Read(k.env.FS, k.name, maxKey)
		if p == nil && k.sealed {
			data, p = k.env.Vault.File(k.name, data)
		}
		k.data, k.bad = string(data), p
	})
	return k.data, k.bad
}

// text gives the content to a computation.
func (k *key) text(v *memo.View) (string, *problem.Problem) {
	text, p := k.load()
	if k.sealed && p == nil {
		v.Taint()
	}
	return text, p
}

// New reads the directory; keys are read when they are first needed.
func New(env plugin.Env) *SSHbase {
	s := &SSHbase{sets: map[string]*set{knownHosts: {}}, fleet: env.Fleet, names: env.Names, part: &memo.Part{}, metadata: env.Sources.Metadata}
	s.part.Below(env.Sources.Revision, dir)
	env = env.Unnoted()
	s.shared = sync.OnceValues(s.known)
	for _, name := range private {
		s.sets[name], s.sets[name+".pub"] = &set{}, &set{}
	}
	found := list(env)
	for _, p := range found.problems {
		env.Report(p)
	}
	for _, name := range found.statics {
		s.statics = append(s.statics, newKey(&env, dir+"/"+name))
	}
	s.sealed = found.sealed
	for base, st := range s.sets {
		st.hosts = found.hosts[base]
		for _, name := range found.others[base] {
			specific, _, _ := parse(name, base)
			st.list = append(st.list, variant(&env, name, specific))
			if specific.Group != "" {
				env.Voc.ID(specific.Group) // hosts are looked at only with what is known by then
			}
		}
		st.sorted = sync.OnceValue(func() *plugin.Variants[*key] {
			for _, name := range st.hosts {
				specific, _, _ := parse(name, base)
				st.list = append(st.list, variant(&env, name, specific))
			}
			return plugin.NewVariants(env.Voc, st.list)
		})
	}
	s.info = plugin.NewInfoOf(env, dir, found.infos)
	return s
}

func variant(env *plugin.Env, name string, specific plugin.Specific) plugin.Variant[*key] {
	return plugin.Variant[*key]{Specific: specific, File: name, Value: newKey(env, dir+"/"+name)}
}

// Name is the plugin's name.
func (s *SSHbase) Name() string { return "SSHbase" }

// Lists tells whether the path is that of a key or of the list of keys.
func (s *SSHbase) Lists(n plugin.Name) bool {
	base, ok := strings.CutPrefix(n.Name, target)
	return ok && n.Tag == "Path" && s.sets[base] != nil
}

// Part is all keys for the path of any.
func (s *SSHbase) Part(n plugin.Name) *memo.Part {
	if !s.Lists(n) {
		return nil
	}
	return s.part
}

// Names lists the paths, sorted.
func (s *SSHbase) Names(tag string) []string {
	if tag != "Path" {
		return nil
	}
	var out []string
	for base := range s.sets {
		out = append(out, target+base)
	}
	slices.Sort(out)
	return out
}

// Handles is always false: all paths are listed.
func (s *SSHbase) Handles(*memo.View, plugin.Name) bool { return false }

// Bind gives a Path its key. Of known hosts, a file in the repository counts;
// without, it is made of the public keys of all hosts.
func (s *SSHbase) Bind(v *memo.View, d *plugin.Draft) *problem.Problem {
	base := path.Base(d.Name())
	public := base == knownHosts || strings.HasSuffix(base, ".pub")
	d.Set("owner", "root")
	d.Set("group", "root")
	d.Set("mode", "0600")
	if public {
		d.Set("mode", "0644")
	}
	if strings.HasPrefix(base, "ssh_host_key") {
		d.Set("encoding", "base64")
	}
	if s.info != nil {
		if p := s.info.Bind(v, d); p != nil {
			return p
		}
	}
	d.Set("type", "file")
	d.Sensitive = d.Sensitive || !public
	if best := s.sets[base].best(v); best != nil {
		d.BoundAt = config.Source{File: best.Value.name}
		text, p := best.Value.text(v)
		if p != nil {
			return p
		}
		return d.Fill(best.Value.name, text)
	}
	if base == knownHosts {
		return s.bindKnown(v, d)
	}
	p := keyfile.Missing(problem.Pos{File: dir}, "the key for "+d.Name(), "ssh")
	if kind := keyTypes[strings.TrimSuffix(base, ".pub")]; kind == "dsa" || kind == "rsa1" {
		p.Hint = "no OpenSSH of today uses such a key: take it out of the bundle"
	}
	return p
}

// bindKnown makes the list of keys: what all hosts have in it, and the host's own
// keys under the names that it has for itself.
func (s *SSHbase) bindKnown(v *memo.View, d *plugin.Draft) *problem.Problem {
	v.Use(s.metadata)
	v.Name() // ten thousand lists of ten thousand keys each are not to be remembered
	text, p := s.shared()
	if p != nil {
		return p
	}
	if s.sealed {
		v.Taint()
	}
	var own []*plugin.Variant[*key]
	for _, base := range private {
		if best := s.sets[base+".pub"].best(v); best != nil {
			own = append(own, best)
		}
	}
	slices.SortFunc(own, func(a, b *plugin.Variant[*key]) int { return cmp.Compare(a.File, b.File) })
	var lines strings.Builder
	lines.WriteString(text)
	for _, k := range own {
		data, p := k.Value.text(v)
		if p != nil {
			return p
		}
		lines.WriteString("localhost,localhost.localdomain,127.0.0.1 " + data)
	}
	d.BoundAt = config.Source{File: dir}
	return d.Fill(dir, lines.String())
}

// known is what the lists of all hosts have in common.
func (s *SSHbase) known() (string, *problem.Problem) {
	var lines []string
	for _, k := range s.statics {
		data, p := k.load()
		if p != nil {
			return "", p
		}
		lines = append(lines, trimmed(data))
	}
	names := s.hostNames()
	hosts := s.fleet.Hosts()
	for _, base := range slices.Sorted(maps.Keys(s.sets)) {
		if !strings.HasSuffix(base, ".pub") {
			continue
		}
		s.sets[base].sorted()
		list := slices.Clone(s.sets[base].list)
		slices.SortStableFunc(list, func(a, b plugin.Variant[*key]) int {
			return cmp.Or(cmp.Compare(a.Host+a.Group, b.Host+b.Group), cmp.Compare(a.File, b.File))
		})
		for _, k := range list {
			var whose []string
			if k.Host != "" {
				whose = names[k.Host]
			} else {
				for _, h := range hosts {
					if k.Group == "" || slices.Contains(h.Names, k.Group) {
						whose = append(whose, names[h.Name]...)
					}
				}
			}
			if len(whose) == 0 {
				continue
			}
			data, p := k.Value.load()
			if p != nil {
				return "", p
			}
			lines = append(lines, strings.Join(whose, ",")+" "+trimmed(data))
		}
	}
	return strings.Join(lines, "\n") + "\n", nil
}

func trimmed(s string) string { return strings.TrimRight(s, " \t\r\n\v\f") }

// hostNames lists what each host is called: name, aliases, the short forms of
// both, addresses, and what these stand for.
func (s *SSHbase) hostNames() map[string][]string {
	addresses := map[string][]string{}
	for address, names := range s.names {
		for _, n := range names {
			addresses[n] = append(addresses[n], address)
		}
	}
	out := map[string][]string{}
	for _, h := range s.fleet.Hosts() {
		names := []string{h.Name}
		var more []string
		if h.Client != nil {
			names = append(names, h.Client.Aliases...)
			more = append(more, h.Client.Addresses...)
		}
		for _, n := range names {
			short, _, _ := strings.Cut(n, ".")
			more = append(more, short)
			for _, a := range addresses[n] {
				more = append(more, a)
				more = append(more, s.names[a]...)
			}
		}
		names = append(names, more...)
		slices.Sort(names)
		out[h.Name] = slices.Compact(names)
	}
	return out
}

// Keys lists the host key that a path needs.
func (s *SSHbase) Keys(v *memo.View, name string) ([]plugin.Key, []plugin.KeyRef, *problem.Problem) {
	base := strings.TrimSuffix(strings.TrimPrefix(name, target), ".pub")
	kind, known := keyTypes[base]
	if !known {
		return nil, nil, nil
	}
	qualified := keyfile.Qualified(dir+"/"+base, plugin.Specific{Host: v.Name()})
	k := plugin.Key{
		Kind: plugin.HostKey, Path: target + base, File: qualified, Type: kind, At: problem.Pos{File: dir},
		Public: keyfile.Qualified(dir+"/"+base+".pub", plugin.Specific{Host: v.Name()}),
	}
	if best := s.sets[base].best(v); best != nil {
		k.Present = best.Value.name
	}
	if best := s.sets[base+".pub"].best(v); best != nil {
		k.PublicPresent = best.Value.name
	}
	return []plugin.Key{k}, nil, nil
}
