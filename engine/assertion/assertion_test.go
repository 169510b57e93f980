// SPDX-License-Identifier: Apache-2.0

package assertion_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/assertion"
	"github.com/bindery/bindery/engine/config"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// specimen is one case: what is asserted in base and head, and what hosts have there.
type specimen struct {
	base, head fstest.MapFS
	hosts      map[string]*assertion.Host
	want       string
}

// readCase reads tests/X for both sides, base/tests/X, head/tests/X, head/HOST and base/HOST. The first line of a
// host is its groups.
func readCase(t *testing.T, a *txtar.Archive) *specimen {
	t.Helper()
	s := &specimen{base: fstest.MapFS{}, head: fstest.MapFS{}, hosts: map[string]*assertion.Host{}}
	for _, f := range a.Files {
		side, name, _ := strings.Cut(f.Name, "/")
		switch {
		case f.Name == "want":
			s.want = string(f.Data)
		case side == "tests":
			s.head[f.Name] = &fstest.MapFile{Data: f.Data}
			s.base[f.Name] = &fstest.MapFile{Data: f.Data}
		case side == "base" && strings.HasPrefix(name, "tests/"):
			s.base[name] = &fstest.MapFile{Data: f.Data}
		case side == "head" && strings.HasPrefix(name, "tests/"):
			s.head[name] = &fstest.MapFile{Data: f.Data}
		default:
			s.host(t, side, name, f.Data)
		}
	}
	return s
}

func (s *specimen) host(t *testing.T, side, names string, data []byte) {
	groups, xml, _ := bytes.Cut(data, []byte("\n"))
	for name := range strings.SplitSeq(names, ",") {
		h := s.hosts[name]
		if h == nil {
			h = &assertion.Host{Name: name}
			s.hosts[name] = h
		}
		var conf *config.Config
		if len(bytes.TrimSpace(xml)) > 0 {
			var err error
			conf, err = config.Decode(xml)
			require.NoError(t, err)
		}
		if side == "base" {
			h.BaseGroups, h.Base, h.InBase = strings.Fields(string(groups)), conf, true
		} else {
			h.Groups, h.Head, h.InHead = strings.Fields(string(groups)), conf, true
		}
	}
}

func (s *specimen) input() assertion.Input {
	var in assertion.Input
	in.Head, _ = assertion.Read(s.head)
	for _, h := range s.hosts {
		in.Hosts = append(in.Hosts, *h)
		if h.InBase && in.Base == nil {
			in.Base, _ = assertion.Read(s.base)
		}
	}
	return in
}

func shown(r assertion.Result) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s [%s]\n  on %s\n", f.Problem, f.Problem.Code, strings.Join(f.Hosts, " "))
		if f.Problem.Hint != "" {
			fmt.Fprintf(&b, "  why: %s\n", f.Problem.Hint)
		}
		if f.Approvals > 1 {
			fmt.Fprintf(&b, "  approvals: %d\n", f.Approvals)
		}
		for _, v := range f.Violations {
			fmt.Fprintf(&b, "  - %s: %s (%s)\n", v.Entry, v.Says, strings.Join(v.Hosts, " "))
		}
		for _, c := range f.Changes {
			for _, ch := range c.Changes {
				fmt.Fprintf(&b, "  ~ %s %s (%s)\n", ch.Key, ch.Kind, strings.Join(c.Hosts, " "))
			}
		}
	}
	for _, p := range r.Idle {
		fmt.Fprintf(&b, "%s [%s]\n", p, p.Code)
	}
	return b.String()
}

func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			require.NoError(t, err)
			s := readCase(t, a)
			_, wrong := assertion.Read(s.head)
			got := ""
			for _, p := range wrong {
				got += fmt.Sprintf("%s [%s]\n", p, p.Code)
			}
			got += shown(check(t, s.input()))
			if *update {
				a.Files = slices.DeleteFunc(a.Files, func(f txtar.File) bool { return f.Name == "want" })
				a.Files = append(a.Files, txtar.File{Name: "want", Data: []byte(got)})
				require.NoError(t, os.WriteFile(name, txtar.Format(a), 0o644))
				return
			}
			require.Equal(t, s.want, got)
		})
	}
}

// conf is one host's configuration of one file.
func conf(text string, attrs ...config.Attr) *config.Config {
	attrs = append([]config.Attr{{Name: "name", Value: "/etc/x"}, {Name: "type", Value: "file"}}, attrs...)
	e := config.NewEntry(config.Entry{Tag: "Path", Attrs: attrs, Text: text})
	return &config.Config{Bundles: []*config.Bundle{config.NewBundle("Bundle", []config.Attr{{Name: "name", Value: "x"}}, []*config.Entry{e})}}
}

func read(t testing.TB, text string) *assertion.Set {
	t.Helper()
	set, wrong := assertion.Read(fstest.MapFS{"tests/a.yaml": &fstest.MapFile{Data: []byte(text)}})
	require.Empty(t, wrong)
	return set
}

func check(t testing.TB, in assertion.Input) assertion.Result {
	t.Helper()
	result, err := assertion.Check(t.Context(), in)
	require.NoError(t, err)
	return result
}

// one gives the only finding.
func one(t *testing.T, in assertion.Input) assertion.Finding {
	t.Helper()
	found := check(t, in).Findings
	require.Len(t, found, 1)
	return found[0]
}

func host(name string, base, head *config.Config) assertion.Host {
	return assertion.Host{Name: name, Base: base, Head: head, InBase: base != nil, InHead: head != nil}
}

// An approval ends when the finding says something else.
func TestHashFollowsWhatIsSaid(t *testing.T) {
	set := read(t, "assertions: [{name: still, entry: 'Path:*', max_changed: 0}]")
	why := read(t, "assertions: [{name: still, why: because, approvals: 3, entry: 'Path:*', max_changed: 0}]")
	other := read(t, "assertions: [{name: still, entry: 'Path:/etc/*', max_changed: 0}]")
	hash := func(set *assertion.Set, hosts ...assertion.Host) string {
		return one(t, assertion.Input{Head: set, Base: set, Hosts: hosts}).Hash
	}
	first := hash(set, host("a", conf("1"), conf("2")), host("b", conf("1"), conf("1")))
	require.Len(t, first, 32)
	require.Equal(t, first, hash(set, host("b", conf("1"), conf("1")), host("a", conf("1"), conf("2"))), "the order of hosts does not count")
	require.Equal(t, first, hash(why, host("a", conf("1"), conf("2")), host("b", conf("1"), conf("1"))), "nor what is said about it")
	for name, changed := range map[string]string{
		"another content":   hash(set, host("a", conf("1"), conf("3")), host("b", conf("1"), conf("1"))),
		"another old one":   hash(set, host("a", conf("0"), conf("2")), host("b", conf("1"), conf("1"))),
		"another host":      hash(set, host("a", conf("1"), conf("1")), host("b", conf("1"), conf("2"))),
		"one more host":     hash(set, host("a", conf("1"), conf("2")), host("b", conf("1"), conf("2"))),
		"another assertion": hash(other, host("a", conf("1"), conf("2")), host("b", conf("1"), conf("1"))),
	} {
		require.NotEqual(t, first, changed, name)
	}
}

// Everybody sees hashes, so nobody may be able to guess a secret from one.
func TestHashAndWordsHoldNothingOfSecrets(t *testing.T) {
	still := read(t, "assertions: [{name: still, entry: 'Path:*', max_changed: 0}]")
	line := read(t, "assertions: [{name: line, entry: 'Path:*', lines_match: ['^canary-9$'], attributes: {mode: '0644', type: socket}}]")
	for what, kind := range map[string]struct {
		attrs []config.Attr
		text  string
	}{
		"marked":        {[]config.Attr{{Name: "sensitive", Value: "true"}}, "canary-%d"},
		"by its mode":   {[]config.Attr{{Name: "mode", Value: "0600"}}, "canary-%d"},
		"by its looks":  {nil, "password = canary-%d\n"},
		"as another is": {nil, "canary-long-%d"},
	} {
		hidden := conf("canary-long-1", config.Attr{Name: "sensitive", Value: "true"})
		hidden2 := conf("canary-long-2", config.Attr{Name: "sensitive", Value: "true"})
		in := func(n int) assertion.Input {
			return assertion.Input{Head: still, Base: still, Hosts: []assertion.Host{
				host("a", conf("old", kind.attrs...), conf(fmt.Sprintf(kind.text, n), kind.attrs...)),
				host("z", hidden, hidden), host("y", hidden2, hidden2),
			}}
		}
		require.Equal(t, one(t, in(1)).Hash, one(t, in(2)).Hash, what)
		failed := in(1)
		failed.Head, failed.Base = line, nil
		for _, f := range check(t, failed).Findings {
			require.NotContains(t, fmt.Sprintf("%+v %+v", f, *f.Problem), "canary-1", what)
			require.NotContains(t, fmt.Sprintf("%+v", f), "canary-long", what)
		}
	}
}

func TestResultsDoNotDependOnOrder(t *testing.T) {
	set := read(t, "assertions: [{name: a, entry: 'Path:*', lines: [x, y]}, {name: b, entry: 'Service:*', exists: true}]")
	var hosts []assertion.Host
	for i := range 40 {
		hosts = append(hosts, host(fmt.Sprintf("h%d", i), nil, conf(fmt.Sprint(i%3))))
	}
	want := shown(check(t, assertion.Input{Head: set, Hosts: hosts}))
	slices.Reverse(hosts)
	require.Equal(t, want, shown(check(t, assertion.Input{Head: set, Hosts: hosts})))
}

func TestReadIsBounded(t *testing.T) {
	set, wrong := assertion.Read(fstest.MapFS{
		"tests/big.yaml":  &fstest.MapFile{Data: bytes.Repeat([]byte("#"), 1<<20+1)},
		"tests/deep.yaml": &fstest.MapFile{Data: bytes.Repeat([]byte("["), 1<<16)},
		"tests/odd.yml":   &fstest.MapFile{Data: []byte("- x\n")},
		"tests/README.md": &fstest.MapFile{Data: []byte("# no assertions\n")},
		"tests/sub":       &fstest.MapFile{Mode: fs.ModeDir},
		"tests/empty.yml": &fstest.MapFile{},
	})
	require.Zero(t, set.Len())
	require.Len(t, wrong, 3)
	require.Zero(t, (*assertion.Set)(nil).Len())
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("assertions:\n  - name: a\n    entry: Path:/x\n    lines: [a]\n    max_changed: 10%\n"))
	f.Add([]byte("assertions: [*a, &a {name: 0644}]"))
	f.Add([]byte("assertions: [{name: a, attributes_match: {mode: '['}, <<: {}}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, wrong := assertion.Read(fstest.MapFS{"tests/a.yaml": &fstest.MapFile{Data: data}})
		for _, p := range wrong {
			require.Equal(t, "tests/a.yaml", p.Pos.File)
			require.NotEmpty(t, p.Msg)
		}
		for _, f := range check(t, assertion.Input{Head: set, Base: set, Hosts: []assertion.Host{host("a", conf("1"), conf("2"))}}).Findings {
			require.Len(t, f.Hash, 32)
		}
	})
}

// Every key stands on the page that lists them.
func TestReferenceNamesEveryKey(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/assertions.md")
	require.NoError(t, err)
	source, err := os.ReadFile("rule.go")
	require.NoError(t, err)
	keys := regexp.MustCompile(`yaml:"([a-z_]+)"`).FindAllSubmatch(source, -1)
	require.Greater(t, len(keys), 15)
	for _, k := range keys {
		require.Contains(t, string(page), "`"+string(k[1])+"`")
	}
}
