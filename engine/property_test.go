// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/bindery/bindery/engine"
)

// drawn is a random specification with its hosts and their answers.
type drawn struct {
	t       *rapid.T
	fsys    fstest.MapFS
	hosts   []string
	answers map[string]map[string]string
}

func (d *drawn) one(of ...string) string { return rapid.SampledFrom(of).Draw(d.t, "one") }

func (d *drawn) upTo(n int) int { return rapid.IntRange(0, n).Draw(d.t, "count") }

func (d *drawn) group() string { return fmt.Sprintf("g%d", d.upTo(6)) }

func (d *drawn) host() string { return rapid.SampledFrom(d.hosts).Draw(d.t, "host") }

func (d *drawn) write(name, data string) { d.fsys[name] = &fstest.MapFile{Data: []byte(data)} }

// nest writes elements with conditions around some of them.
func (d *drawn) nest(depth int, leaf func() string) string {
	var b strings.Builder
	for range 1 + d.upTo(2) {
		switch {
		case depth == 0 || d.upTo(1) == 0:
			b.WriteString(leaf())
		case d.upTo(3) == 0:
			fmt.Fprintf(&b, "<Client name=%q%s>%s</Client>", d.host(), d.negate(), d.nest(depth-1, leaf))
		default:
			fmt.Fprintf(&b, "<Group name=%q%s>%s</Group>", d.group(), d.negate(), d.nest(depth-1, leaf))
		}
	}
	return b.String()
}

func (d *drawn) negate() string { return d.one("", "", ` negate="true"`, ` negate="True"`) }

func (d *drawn) metadata() {
	var groups, clients strings.Builder
	for range 2 + d.upTo(6) {
		fmt.Fprintf(&groups, "<Group name=%q%s%s%s>%s</Group>\n", d.group(),
			d.one("", ` profile="true"`), d.one("", "", ` category="c"`, ` category="d"`), d.one("", "", "", ` default="true"`),
			d.nest(2, func() string {
				if d.upTo(3) == 0 {
					return fmt.Sprintf("<Bundle name='b%d'/>", d.upTo(2))
				}
				return fmt.Sprintf("<Group name=%q%s/>", d.group(), d.one("", "", ` negate="true"`))
			}))
	}
	for _, h := range d.hosts {
		if d.upTo(5) > 0 {
			fmt.Fprintf(&clients, "<Client name=%q profile=%q/>\n", h, d.group())
		}
		d.answers[h] = map[string]string{"p": d.one("", "group:"+d.group()+"\n", "data\ngroup:"+d.group()+"\ngroup:other\n")}
	}
	d.write("Metadata/groups.xml", "<Groups>"+groups.String()+"</Groups>")
	d.write("Metadata/clients.xml", "<Clients>"+clients.String()+"</Clients>")
	d.write("GroupPatterns/config.xml", fmt.Sprintf("<GroupPatterns><GroupPattern><NamePattern>h(\\d)</NamePattern><Group>%s</Group><Group>n$1</Group></GroupPattern></GroupPatterns>", d.group()))
	d.write("Probes/p", "echo")
	d.write("Probes/p.G5_g1", "echo one")
}

func (d *drawn) entries() {
	path := func() string {
		return fmt.Sprintf("<Path name='/f%d'%s><x/>%s</Path>", d.upTo(3), d.one("", "", " altsrc='/f0'"), d.one("", "<Group name='g2'><y/></Group>"))
	}
	for i := range 3 {
		d.write(fmt.Sprintf("Bundler/b%d.xml", i), "<Bundle>"+d.nest(2, func() string {
			switch d.upTo(4) {
			case 0:
				return fmt.Sprintf("<BoundService name='s%d'/>", d.upTo(2))
			case 1:
				return fmt.Sprintf("<Service name='s%d'/>", d.upTo(3))
			case 2:
				return fmt.Sprintf("<Package name='p%d'/>", d.upTo(3))
			case 3:
				return fmt.Sprintf("<RequiredBundle name='b%d'/>", d.upTo(3))
			}
			return path()
		})+"</Bundle>")
	}
	for i := range 3 {
		for range 1 + d.upTo(3) {
			qualifier := d.one("", ".H_"+d.host(), fmt.Sprintf(".G%d_%s", d.upTo(3), d.group()))
			d.write(fmt.Sprintf("Cfg/f%d/f%d%s%s", i, i, qualifier, d.one("", "", "", ".cat")), d.one("+a\n", "-a\n+b\n", "a\n", ""))
		}
	}
	d.write("Cfg/f0/info.xml", "<FileInfo>"+d.nest(2, func() string { return fmt.Sprintf("<Info mode='%d'/>", d.upTo(7)) })+"</FileInfo>")
	for i := range 2 {
		d.write(fmt.Sprintf("Rules/r%d.xml", i), fmt.Sprintf("<Rules priority='%d'>%s</Rules>", d.upTo(1), d.nest(2, func() string {
			return fmt.Sprintf("<%s name='%s%d' n='%d'/>", d.one("Service", "Service", "Package"), d.one("s", "p"), d.upTo(3), d.upTo(9))
		})))
	}
	d.write("Defaults/d.xml", "<Defaults priority='1'>"+d.nest(1, func() string { return "<Service name='.*' d='" + d.group() + "'/>" })+"</Defaults>")
	d.write("Packages/sources.xml", "<Sources>"+d.nest(1, func() string {
		return "<Source type='" + d.one("apt", "yum") + "'><Arch>" + d.group() + "</Arch></Source>"
	})+"</Sources>")
}

// What a host gets does not depend on other hosts: not on their order, not on what
// was remembered of them, not on building them at the same time.
func TestHostsDoNotDependOnEachOther(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := &drawn{t: rt, fsys: fstest.MapFS{}, answers: map[string]map[string]string{}}
		for i := range 6 {
			d.hosts = append(d.hosts, fmt.Sprintf("h%d.example.org", i))
		}
		d.metadata()
		d.entries()
		opts := engine.Options{Clients: d.hosts}
		in := make([]engine.Input, 0, len(d.hosts))
		alone := map[string]map[string]string{}
		for _, h := range d.hosts {
			in = append(in, engine.Input{Host: h, Probes: d.answers[h]})
			spec := open(t, d.fsys, opts)
			r, err := spec.Build(t.Context(), in[len(in)-1])
			require.NoError(rt, err)
			alone[h] = show(spec, []*engine.Result{r})
			checkFailures(t, r)
		}
		random := rand.New(rand.NewPCG(1, 2))
		spec := open(t, d.fsys, opts)
		for range 2 {
			random.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
			results, err := spec.All(t.Context(), in)
			require.NoError(rt, err)
			for _, r := range results {
				require.Equal(rt, alone[r.Host], show(spec, []*engine.Result{r}), r.Host)
			}
		}
	})
}
