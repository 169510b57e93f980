// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/fixtures/fleet"
)

// digested is a tree in memory that knows digests.
type digested struct{ fstest.MapFS }

func (d digested) Digest(name string) string {
	h := sha256.New()
	_ = fs.WalkDir(d.MapFS, name, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%q %q ", p, e.Type())
		if f := d.MapFS[p]; f != nil {
			fmt.Fprintf(h, "%q ", f.Data)
		}
		return nil
	})
	return string(h.Sum(nil))
}

// site draws a specification with all that values can be made of besides their
// own file.
func (d *drawn) site() {
	d.metadata()
	d.entries()
	body := func() string {
		return d.one("plain", "host ${metadata.hostname}", "${'g1' in metadata.groups}", "{% include inc.txt %}", "{% include /Bundler/b0.xml %}",
			"${metadata.Properties['p.xml'].XMLMatch(metadata).find('v').text}", "${', '.join(metadata.query.all_clients())}",
			"${open('/var/lib/bcfg2/Rules/r0.xml').read()}", "${len(list(metadata.Properties.keys()))}", "${metadata.TemplateHelper['h'].f()}",
			"${metadata.query.by_name('h1.example.org').Properties['p.xml'].XMLMatch(metadata).find('v').text}") +
			d.one("", " of ${metadata.hostname}", " ${metadata.profile}") + "\n"
	}
	for i := range 3 {
		d.write(fmt.Sprintf("Cfg/t%d/t%d%s.genshi", i, i, d.one("", "", ".G10_"+d.group(), ".H_"+d.host())), body())
		if d.upTo(2) > 0 {
			d.write(fmt.Sprintf("Cfg/t%d/inc.txt", i), d.one("one ", "two ")+d.one("", "${metadata.hostname}"))
		}
	}
	d.write("Properties/p.xml", "<Properties><v>"+d.one("a", "b")+"</v>"+d.nest(1, func() string { return "<v>c</v>" })+"</Properties>")
	d.write("Properties/q.xml", d.one("<Properties/>", "<broken"))
	d.write("TemplateHelper/h.py", "__export__ = ['f']\ndef f():\n    return '"+d.one("x", "y")+"'\n")
	d.write("SSHbase/ssh_host_rsa_key.pub.H_"+d.host(), "key "+d.one("1", "2"))
	d.write("Bundler/t.xml", "<Bundle>"+d.nest(1, func() string {
		return d.one("<Path name='/t0'/>", "<Path name='/t1'/>", "<Path name='/t2'/>", "<Path glob='/t*'/>", "<Path name='/etc/ssh/ssh_known_hosts'/>",
			"<Path name='/etc/ssh/ssh_host_rsa_key.pub'/>", "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='b1.xml'/>", "<Path name='/new' altsrc='/t0'/>")
	})+"</Bundle>")
	d.write("Bundler/m.xml", "<Bundle xmlns:py='http://genshi.edgewall.org/'><Path py:if=\"'g1' in metadata.groups\" name='/t1'/><BoundPath name='/m' of='"+
		d.one("", "${metadata.hostname}", "${metadata.Properties['p.xml'].XMLMatch(metadata).find('v').text}")+"'/></Bundle>")
	d.write("Metadata/groups.xml", strings.Replace(string(d.fsys["Metadata/groups.xml"].Data), "<Groups>",
		"<Groups><Group name='all' default='true' profile='true'><Bundle name='t'/><Bundle name='m'/></Group><Client name='h1.example.org'><Group name='all'/></Client>", 1))
}

// edit changes one thing of a specification, of any kind.
func (d *drawn) edit(other *drawn) {
	names := rapid.SampledFrom(keys(d.fsys, other.fsys)).Draw(d.t, "file")
	switch {
	case d.upTo(4) == 0:
		delete(d.fsys, names)
	case d.upTo(4) == 0:
		d.write(path.Join(path.Dir(names), d.one("inc.txt", "t0.genshi", "x.xml", "f1.G20_g9", "info.xml")), d.one("<Bundle/>", "text\n", "<FileInfo><Info mode='0600'/></FileInfo>"))
	case other.fsys[names] != nil:
		d.fsys[names] = other.fsys[names]
	default:
		d.write(names, string(d.fsys[names].Data)+"<!-- changed -->\n")
	}
}

func keys(all ...fstest.MapFS) []string {
	var out []string
	for _, m := range all {
		for name := range m {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// What is taken over from a result before is what would have been computed: over
// any changes, byte for byte, problems and probes included.
func TestWarmEqualsCold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fresh := func() *drawn {
			d := &drawn{t: rt, fsys: fstest.MapFS{}, answers: map[string]map[string]string{}}
			for i := range 4 {
				d.hosts = append(d.hosts, fmt.Sprintf("h%d.example.org", i))
			}
			d.site()
			return d
		}
		d, other := fresh(), fresh()
		last := map[string]*engine.Result{}
		parsed := engine.NewCache(100_000) // some of it is dropped
		for range 4 {
			tree := digested{fstest.MapFS{}}
			for name, f := range d.fsys {
				tree.MapFS[name] = f
			}
			opts := engine.Options{Clients: d.hosts[:2+d.upTo(2)]}
			cold := open(t, tree, opts)
			opts.Cache = parsed
			warm := open(t, tree, opts)
			if d.upTo(3) == 0 {
				require.Equal(rt, linted(rt, cold), linted(rt, warm))
			}
			for _, h := range d.hosts {
				in := engine.Input{Host: h, Probes: d.answers[h]}
				want, err := cold.Build(t.Context(), in)
				require.NoError(rt, err)
				in.Last = last[h]
				got, err := warm.Build(t.Context(), in)
				require.NoError(rt, err)
				require.Equal(rt, whole(want), whole(got), h)
				if d.upTo(4) > 0 {
					last[h] = got // else one that is two revisions old
				}
			}
			for range 1 + d.upTo(1) {
				d.edit(other)
			}
			if h := d.host(); d.upTo(4) == 0 {
				d.answers[h] = other.answers[h]
			}
		}
	})
}

// linted shows all that is wrong with a specification.
func linted(t require.TestingT, s *engine.Spec) string {
	found, err := s.Lint(context.Background())
	require.NoError(t, err)
	var b strings.Builder
	for _, p := range found {
		fmt.Fprintln(&b, *p)
	}
	return b.String()
}

// whole shows all that a result says, provenance included.
func whole(r *engine.Result) string {
	var b strings.Builder
	fmt.Fprintln(&b, r.Host, r.Profile, r.Groups, r.Refused)
	if r.Config != nil {
		b.Write(r.Config.XML())
		for _, k := range r.Config.Keyed() {
			fmt.Fprintln(&b, k.Key, k.Entry.NamedAt, k.Entry.BoundAt, k.Entry.Secret())
		}
	}
	for _, f := range r.Failures {
		fmt.Fprintln(&b, f.Tag, f.Name, *f.Problem)
	}
	for _, p := range r.Problems {
		fmt.Fprintln(&b, *p)
	}
	fmt.Fprintln(&b, r.Probes, r.Decisions)
	return b.String()
}

// A change costs what it touches: all else is the very same in memory.
func TestWarmTakesOver(t *testing.T) {
	f, err := fleet.New(fleet.Options{Hosts: 30, Seed: 1, Templates: true, SSHKeys: true})
	require.NoError(t, err)
	spec := open(t, f.Tree, engine.Options{})
	in := make([]engine.Input, len(f.Hosts))
	for i, h := range f.Hosts {
		in[i].Host = h
	}
	before, err := spec.All(t.Context(), in)
	require.NoError(t, err)
	for i := range in {
		in[i].Last = before[i]
	}
	name, path := "", ""
	for _, e := range before[0].Config.Keyed() {
		if strings.HasSuffix(e.Entry.BoundAt.File, ".genshi") {
			name, path = e.Entry.BoundAt.File, e.Key.Name
		}
	}
	require.NotEmpty(t, name)
	changed := f.Replace(name, append(slices.Clone(f.Tree.Files()[name]), "changed\n"...))
	after, err := open(t, changed.Tree, engine.Options{}).All(t.Context(), in)
	require.NoError(t, err)
	touched := 0
	for i := range after {
		for j, b := range after[i].Config.Bundles {
			was := before[i].Config.Bundles[j]
			if b == was {
				continue
			}
			touched++
			for k, e := range b.Entries {
				if e.Name() != path && strings.HasSuffix(e.BoundAt.File, ".genshi") && bytes.Contains(e.XML(), []byte(f.Hosts[i])) {
					require.Same(t, was.Entries[k], e, e.Name())
				}
				if e.BoundAt.File == name {
					require.NotEqual(t, was.Entries[k].Digest(), e.Digest())
				}
			}
		}
	}
	require.Positive(t, touched)
	require.LessOrEqual(t, touched, len(in))
}
