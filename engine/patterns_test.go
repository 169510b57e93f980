// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
)

// counting counts how often a file is read that templates open when they are
// evaluated.
type counting struct {
	fstest.MapFS
	read *atomic.Int64
}

func (c counting) ReadFile(name string) ([]byte, error) {
	if name == "counted" {
		c.read.Add(1)
	}
	return fs.ReadFile(c.MapFS, name)
}

// asking is a site of 40 hosts, of which every second is in web; its templates
// count their evaluations.
func asking(file, text string) (counting, []engine.Input) {
	tree := fstest.MapFS{
		"counted":               {Data: []byte("+")},
		"Metadata/groups.xml":   {Data: []byte(`<Groups><Group name="web" profile="true" public="true"><Bundle name="b"/></Group><Group name="db" profile="true"><Bundle name="b"/></Group></Groups>`)},
		"Bundler/b.xml":         {Data: []byte(`<Bundle name="b"><Path name="/f"/></Bundle>`)},
		"Properties/p.xml":      {Data: []byte(`<Properties><Group name="web"><v>on</v></Group><Group name="web" negate="true"><v>off</v></Group></Properties>`)},
		"Probes/role":           {Data: []byte("#!/bin/sh\necho\n")},
		"Cfg/f/" + file:         {Data: []byte(text)},
		"Cfg/f/part.txt":        {Data: []byte("[${metadata.hostname}]")},
		"TemplateHelper/own.py": {Data: []byte("__export__ = ['of']\ndef of(metadata):\n    return metadata.hostname.upper()\n")},
	}
	var clients strings.Builder
	var in []engine.Input
	for i := range 40 {
		name, profile := fmt.Sprintf("h%d%s", i, strings.Repeat("x", i%7)), []string{"web", "db"}[i%2]
		fmt.Fprintf(&clients, "<Client name='%s' profile='%s'/>", name, profile)
		in = append(in, engine.Input{Host: name, Probes: map[string]string{"role": []string{"a", "b", "c"}[i%3]}})
	}
	tree["Metadata/clients.xml"] = &fstest.MapFile{Data: []byte("<Clients>" + clients.String() + "</Clients>")}
	return counting{tree, &atomic.Int64{}}, in
}

// A template is evaluated once for each answer to what it asks, and not for each
// host, also where all that it does with the host's name is to write it.
func TestTemplatesOncePerAnswer(t *testing.T) {
	const count = "open('/var/lib/bcfg2/counted').read()"
	web := func(i int) bool { return i%2 == 0 }
	group := func(_ string, i int) string { return "+" + map[bool]string{true: "web", false: ""}[web(i)] }
	named := func(h string, i int) string { return group(h, i) + h }
	match := func(_ string, i int) string { return "+" + map[bool]string{true: "on", false: "off"}[web(i)] }
	role := func(i int) string { return []string{"a", "b", "c"}[i%3] }
	const each = 40
	for name, c := range map[string]struct {
		file, text string
		times      int64
		want       func(h string, i int) string
	}{
		"group":            {"f.genshi", "${" + count + "}${'web' if 'web' in metadata.groups else ''}", 2, group},
		"group, Cheetah":   {"f.cheetah", "$" + count + "#slurp\n#if 'web' in $self.metadata.groups\nweb#slurp\n#end if\n", 2, group},
		"XMLMatch":         {"f.genshi", "${" + count + "}${metadata.Properties['p.xml'].XMLMatch(metadata).find('v').text}", 2, match},
		"probe":            {"f.genshi", "${" + count + "}${metadata.Probes['role']}", 3, func(_ string, i int) string { return "+" + role(i) }},
		"named":            {"f.genshi", "${" + count + "}${'web' if 'web' in metadata.groups else ''}${metadata.hostname}", 2, named},
		"named, in blocks": {"f.genshi", "${" + count + "}{% if 'web' in metadata.groups %}web{% end %}{% for i in [1] %}$metadata.hostname{% end %}", 2, named},
		"named, included":  {"f.genshi", "${" + count + "}{% include part.txt %}", 1, func(h string, _ int) string { return "+[" + h + "]" }},
		"named, Cheetah":   {"f.cheetah", "$" + count + "#slurp\n#if 'web' in $self.metadata.groups\nweb#slurp\n#end if\n$self.metadata.hostname#slurp\n", 2, named},
		"named, XMLMatch":  {"f.genshi", "${" + count + "}${metadata.Properties['p.xml'].XMLMatch(metadata).find('v').text}$metadata.hostname", 2, func(h string, i int) string { return match(h, i) + h }},
		"named, probe":     {"f.genshi", "${" + count + "}${metadata.Probes['role']}$metadata.hostname", each, func(h string, i int) string { return "+" + role(i) + h }},
		"name taken apart": {"f.genshi", "${" + count + "}${metadata.hostname[:2]}$metadata.hostname", each, func(h string, _ int) string { return "+" + h[:2] + h }},
		"name in a value":  {"f.genshi", "${" + count + "}{% include ${metadata.hostname}.txt %}", each, func(string, int) string { return "+" }},
		"name in a #def":   {"f.cheetah", "$" + count + "#slurp\n#def f\n$self.metadata.hostname#slurp\n#end def\n$len($f)#slurp\n", each, func(h string, _ int) string { return fmt.Sprint("+", len(h)) }},
		"name in a helper": {"f.genshi", "${" + count + "}${metadata.TemplateHelper['own'].of(metadata)}", each, func(h string, _ int) string { return "+" + strings.ToUpper(h) }},
		"another metadata": {"f.genshi", "${" + count + "}{% with metadata = metadata.query.by_name('h1x') %}$metadata.hostname{% end %}$metadata.hostname", 2, func(h string, _ int) string { return "+h1x" + h }},
	} {
		t.Run(name, func(t *testing.T) {
			tree, in := asking(c.file, c.text)
			results, err := open(t, tree, engine.Options{}).All(t.Context(), in[:1])
			require.NoError(t, err)
			require.Empty(t, results[0].Failures)
			tree.read.Store(0)
			spec := open(t, tree, engine.Options{})
			for i, one := range in {
				r, err := spec.Build(t.Context(), one)
				require.NoError(t, err)
				require.Equal(t, c.want(one.Host, i), r.Config.Bundles[0].Entries[0].Text)
			}
			require.Equal(t, c.times, tree.read.Load())
		})
	}
}
