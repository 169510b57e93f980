// SPDX-License-Identifier: Apache-2.0

package packages_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/plugins/packages"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// asking is a structure that names packages.
func asking(names ...string) []*plugin.Structure {
	st := &plugin.Structure{Tag: "Bundle"}
	for _, n := range names {
		st.Entries = append(st.Entries, plugin.Abstract{Item: &plugin.Item{Element: &xmltree.Element{Tag: "Package", Attrs: []xmltree.Attr{{Name: "name", Value: n}}}}})
	}
	return []*plugin.Structure{st}
}

// Ten thousand hosts that ask for the same are resolved once.
func TestOneResolution(t *testing.T) {
	content := "bindery package listing 1\nP\ta\nD\tb\nP\tb\n"
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(content)))
	var clients strings.Builder
	for i := range 10000 {
		fmt.Fprintf(&clients, `<Client name="h%d" profile="p"/>`, i)
	}
	fsys := fstest.MapFS{}
	for name, text := range map[string]string{
		"Metadata/groups.xml":      `<Groups><Group name="p" profile="true"><Group name="x"/></Group><Group name="q" profile="true"><Group name="y"/></Group></Groups>`,
		"Metadata/clients.xml":     `<Clients><Client name="other" profile="q"/>` + clients.String() + `</Clients>`,
		"Packages/sources.xml":     `<Sources><Source type="apt" url="http://d" version="s"><Component>main</Component><Arch>x</Arch><Arch>y</Arch></Source></Sources>`,
		"Packages/snapshot.json":   fmt.Sprintf(`{"indexes": {"http://d/dists/s/main/binary-x/Packages": {"content": %q}, "http://d/dists/s/main/binary-y/Packages": {"content": %q}}}`, sum, sum),
		"Packages/snapshot/" + sum: content,
	} {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	voc := &host.Vocabulary{}
	meta := host.Read(fsys, voc)
	p := packages.New(plugin.Env{FS: fsys, Voc: voc, Conf: plugin.Conf{}, Report: func(p *problem.Problem) { t.Error(p) }})
	completed := func(name string, have []*plugin.Structure) *plugin.Structure {
		h, refused := meta.Resolve(name, "")
		require.Nil(t, refused)
		st, found := p.Complete(memo.NewView(h), have)
		require.Empty(t, found)
		return st
	}
	first := completed("h0", asking("a"))
	require.Len(t, first.Entries, 1)
	for i := range 10000 {
		// The structures may be each host's own.
		require.Same(t, first, completed(fmt.Sprintf("h%d", i), asking("a")))
	}
	require.NotSame(t, first, completed("h0", asking("b")))
	require.NotSame(t, first, completed("other", asking("a")))
}
