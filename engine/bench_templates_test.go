// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/fixtures/fleet"
)

// BenchmarkTemplate binds hosts anew whose one file is a template: what a host costs
// by what the template asks.
func BenchmarkTemplate(b *testing.B) {
	long := strings.Repeat("a line of a file that is managed\n", 40)
	for name, text := range map[string]string{
		"group":   long + "{% if 'web' in metadata.groups %}web{% end %}\n",
		"name":    long + "host = ${metadata.hostname}\n{% if 'web' in metadata.groups %}web{% end %}\n",
		"by name": long + "host = ${metadata.hostname.upper()}\n",
	} {
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			var clients strings.Builder
			in := make([]engine.Input, 1000)
			for i := range in {
				in[i].Host = fmt.Sprintf("h%d.example.org", i)
				fmt.Fprintf(&clients, "<Client name='%s' profile='%s'/>", in[i].Host, []string{"web", "db"}[i%2])
			}
			tree := fleet.NewTree(map[string][]byte{
				"Metadata/clients.xml": []byte("<Clients>" + clients.String() + "</Clients>"),
				"Metadata/groups.xml":  []byte(`<Groups><Group name="web" profile="true"><Bundle name="b"/></Group><Group name="db" profile="true"><Bundle name="b"/></Group></Groups>`),
				"Bundler/b.xml":        []byte(`<Bundle name="b"><Path name="/f"/></Bundle>`),
				"Cfg/f/f.genshi":       []byte(text),
			})
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				spec, err := engine.Open(b.Context(), tree, engine.Options{})
				require.NoError(b, err)
				b.StartTimer()
				_, err = spec.All(b.Context(), in)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.N)*float64(len(in))/b.Elapsed().Seconds(), "hosts/s")
		})
	}
}

// BenchmarkWarm reads a specification of 1,000 hosts in which one template was
// changed, and binds all hosts with what they had.
func BenchmarkWarm(b *testing.B) {
	f, err := fleet.New(fleet.Options{Hosts: 1000, Seed: 1, Templates: true, SSHKeys: true})
	require.NoError(b, err)
	in := make([]engine.Input, len(f.Hosts))
	for i, h := range f.Hosts {
		in[i].Host = h
	}
	spec, err := engine.Open(b.Context(), f.Tree, engine.Options{})
	require.NoError(b, err)
	before, err := spec.All(b.Context(), in)
	require.NoError(b, err)
	count := map[string]int{}
	for i := range in {
		in[i].Last = before[i]
		for _, e := range before[i].Config.Keyed() {
			count[e.Entry.BoundAt.File]++
		}
	}
	for what, fits := range map[string]func(n int) bool{
		"of-some":  func(n int) bool { return n < len(in)/20 },
		"of-every": func(n int) bool { return n > len(in)*9/10 },
	} {
		name := ""
		for file, n := range count {
			if strings.HasSuffix(file, ".genshi") && fits(n) && file > name {
				name = file
			}
		}
		require.NotEmpty(b, name)
		changed := f.Replace(name, append(bytes.Clone(f.Tree.Files()[name]), "changed\n"...))
		changed.Tree.Digest(".")
		b.Run(what, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				spec, err := engine.Open(b.Context(), changed.Tree, engine.Options{})
				require.NoError(b, err)
				_, err = spec.All(b.Context(), in)
				require.NoError(b, err)
			}
		})
	}
}
