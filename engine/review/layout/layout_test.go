// SPDX-License-Identifier: Apache-2.0

package layout_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/layout"
)

// Whatever a report says will happen has words and an icon.
func TestImpactsHaveWords(t *testing.T) {
	for _, kind := range review.Impacts() {
		icon, words := layout.Impact(kind)
		require.NotEmpty(t, icon, kind)
		require.NotEmpty(t, words, kind)
	}
}

// A file that comes says whose it is, and of the rest only what is not as ever.
func TestAFileThatComesSaysWhatIsUnusual(t *testing.T) {
	attrs := func(more ...string) (out []review.AttrChange) {
		all := append([]string{"group", "root", "important", "False", "mode", "600", "owner", "app", "sensitive", "false"}, more...)
		for i := 0; i < len(all); i += 2 {
			out = append(out, review.AttrChange{Name: all[i], New: &all[i+1]})
		}
		return out
	}
	for want, v := range map[string]*review.Variant{
		"# app:root 600": {Attrs: attrs("paranoid", "true", "secontext", "__default__", "type", "file")},
		"# app:root 600, paranoid=false, secontext=etc_t": {Attrs: attrs("paranoid", "false", "secontext", "etc_t")},
	} {
		v.Hunks = []review.Hunk{{Lines: []review.Line{{Op: "+", Text: "x"}}}}
		rows, _ := layout.Rows(&review.Change{Kind: review.EntryAdded}, v, layout.Shape{})
		require.Equal(t, []layout.Row{{Op: '+', Text: want}, {Op: '+', Text: "x"}}, rows)
	}
}
