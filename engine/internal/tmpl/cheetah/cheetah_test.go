// SPDX-License-Identifier: Apache-2.0

package cheetah

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
	"github.com/bindery/bindery/engine/problem"
)

func TestProblems(t *testing.T) {
	tests := []struct{ src, code, want, hint string }{
		{"é $nope", "template-error", `t.cheetah:1:3: NotFound: cannot find 'nope' in "$nope"`, `\$`},
		{"a\nb $metadata.nope c", "template-error", `t.cheetah:2:3: NotFound: cannot find 'nope' while searching for 'metadata.nope' in "$metadata.nope"`, "$!metadata.nope"},
		{"a\r\n\r\n$(date)", "template-error", `t.cheetah:3:1: NotFound: cannot find 'date'`, `\$`},
		{"#if x\ny\n", "template-syntax", "t.cheetah:1:1: the template cannot be used: #if has no #end", "#end if"},
		{"#if True\n #for $i in [1]\nx\n#end if\n", "template-syntax", "t.cheetah:4:1: the template cannot be used: #end if stands where #for of line 2 is open", "#end for"},
		{"a #end", "template-syntax", "t.cheetah:1:3: the template cannot be used: #end must name", `\#end`},
		{"x\n  #if True\n#end if", "template-syntax", `t.cheetah:2:3: the template cannot be used: "#if True" has nothing in it`, "#pass"},
		{"x\n#if ==\ny\n#end if", "template-syntax", `t.cheetah:2:1: the template cannot be used: invalid syntax`, `\#`},
		{"#return", "template-syntax", "#return is not supported", `\#return`},
		{"a\nb\xff", "template-encoding", "t.cheetah:2:2: the template cannot be used: byte 0xff is not UTF-8", "UTF-8"},
		{"#if 'x' in metadata.groups\ny\n#end if", "template-error", "t.cheetah:1:1: NameError", "dollar"},
		{"x\n#while True\n#pass\n#end while", "template-limit", "t.cheetah:", "end by itself"},
		{"#def f\n$f\n#end def\n$f", "template-limit", "t.cheetah:2:1: ", ""},
		{"#set $s = '''a\nb''' + 1\n", "template-error", "t.cheetah:1:1: TypeError", ""},
		{"#set $s = '''a\nb'''\n$s.x", "template-error", "t.cheetah:3:1: NotFound", ""},
		{"x\n#include 'inc'\n", "template-error", "t.cheetah:2:1: IOError", "whole path"},
		{"#include '/nosuch'\n", "template-error", "t.cheetah:1:1: IOError", ""},
		{"#include $len\n", "template-error", "t.cheetah:1:1: TypeError", ""},
		{"#import nosuch\n", "template-error", "t.cheetah:1:1: ImportError", ""},
		{"#import subprocess\n", "template-refused", "t.cheetah:1:1: module subprocess", "probe"},
		{"<% x %>", "template-syntax", "t.cheetah:1:1: ", `\<%`},
		{strings.Repeat("#if 1\n", 80), "template-syntax", "nest too deep", ""},
		{"${" + strings.Repeat("$a(", 5000), "template-syntax", "nest too deep", ""},
	}
	for _, test := range tests {
		_, err := render(t, test.src, "rules", "a.ex.org", "/t")
		require.Error(t, err, test.src)
		var p *problem.Problem
		require.ErrorAs(t, err, &p)
		require.Contains(t, p.Error(), test.want)
		require.Equal(t, test.code, p.Code)
		require.Contains(t, p.Hint, test.hint)
	}
}

func TestInclude(t *testing.T) {
	got, err := render(t, "#set global $gg = 1\n#include '/inc'\n#include raw '/inc'\n", "rules", "a.ex.org", "/t")
	require.NoError(t, err)
	require.Equal(t, "inc /t 1\ninc $name $gg\n", got)

	_, err = render(t, "a\n#include '/inc'\n", "rules", "a.ex.org", "/t")
	require.ErrorContains(t, err, "t.cheetah:2:1: IncludeError: /inc:1:11: NotFound: cannot find 'gg'")

	_, err = render(t, "#set global $gg = '#include source=$gg'\n#include source=$gg\n", "rules", "a.ex.org", "/t")
	require.ErrorContains(t, err, "nests too deep")
}

// TestAgain holds that rendering leaves nothing behind in the template.
func TestAgain(t *testing.T) {
	tm, p := Parse("t", "#def f: $n\n#set global $g = $getVar('g', 0) + 1\n$f$g")
	require.Nil(t, p)
	for _, n := range []string{"x", "y"} {
		th := py.New().NewThread(&py.World{})
		got, p := tm.Render(th, map[string]py.Value{"n": starlark.String(n)})
		th.Close()
		require.Nil(t, p)
		require.Equal(t, n+"1", got)
	}
}

func FuzzCheetah(f *testing.F) {
	for _, tests := range rules {
		for _, test := range tests {
			f.Add(test.src)
		}
	}
	for _, src := range failing {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		tm, p := Parse("t", src)
		if p != nil {
			require.NotEmpty(t, p.Msg)
			return
		}
		th := py.New().NewThread(&py.World{})
		defer th.Close()
		if _, p := tm.Render(th, map[string]py.Value{"name": starlark.String("n")}); p != nil {
			require.NotEmpty(t, p.Msg)
		}
	})
}
