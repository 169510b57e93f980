// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
)

var update = flag.Bool("update", false, "write what is computed into the fixtures")

// fixture is one archive of fixtures/specs: a specification, and below want/ what
// every host gets and what is found. Lines "key: value" before the first file are
// settings: plugins and clients as on the command line, and the files whose
// content is base64, has no final newline, or has CR LF at the ends of lines. The
// file hosts stands for DNS.
type fixture struct {
	name    string
	archive *txtar.Archive
	fsys    fstest.MapFS
	options engine.Options
	facts   map[string]engine.Facts
	want    map[string]string
}

func readFixture(t *testing.T, name string) *fixture {
	t.Helper()
	a, err := txtar.ParseFile(name)
	require.NoError(t, err)
	f := &fixture{name: name, archive: a, fsys: fstest.MapFS{}, want: map[string]string{}}
	settings := map[string][]string{}
	for line := range strings.SplitSeq(string(a.Comment), "\n") {
		if key, value, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, "#") {
			settings[key] = strings.Fields(value)
		}
	}
	f.options.Plugins, f.options.Clients = settings["plugins"], settings["clients"]
	for _, file := range a.Files {
		switch {
		case strings.HasPrefix(file.Name, "want/"):
			f.want[strings.TrimPrefix(file.Name, "want/")] = string(file.Data)
		case file.Name == "hosts":
			f.options.Names = map[string][]string{}
			for line := range strings.SplitSeq(string(file.Data), "\n") {
				if words := strings.Fields(line); len(words) > 0 {
					f.options.Names[words[0]] = words[1:]
				}
			}
		case file.Name == "facts.json":
			f.facts, err = engine.ParseFacts(file.Data)
			require.NoError(t, err)
		default:
			f.fsys[file.Name] = &fstest.MapFile{Data: file.Data, Mode: 0o644}
		}
	}
	for _, name := range settings["base64"] {
		data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(f.fsys[name].Data)))
		require.NoError(t, err)
		f.fsys[name].Data = data
	}
	for _, name := range settings["noeol"] {
		f.fsys[name].Data = []byte(strings.TrimSuffix(string(f.fsys[name].Data), "\n"))
	}
	for _, name := range settings["crlf"] {
		f.fsys[name].Data = []byte(strings.ReplaceAll(string(f.fsys[name].Data), "\n", "\r\n"))
	}
	return f
}

func open(t *testing.T, fsys fs.FS, opts engine.Options) *engine.Spec {
	t.Helper()
	spec, err := engine.Open(t.Context(), fsys, opts)
	require.NoError(t, err)
	return spec
}

func (f *fixture) inputs(hosts []string) []engine.Input {
	in := make([]engine.Input, len(hosts))
	for i, h := range hosts {
		in[i] = engine.Input{Host: h, Probes: f.facts[h].Probes, External: f.facts[h].External}
	}
	return in
}

// line shows a problem for a file of what is wanted.
func line(of string, p *problem.Problem) string {
	if of != "" {
		of += ": "
	}
	return fmt.Sprintf("%s%s: %s %s: %s\n", of, p.Pos, p.Severity, p.Code, p.Msg)
}

// show gives everything that is wanted of results, by name of file.
func show(spec *engine.Spec, results []*engine.Result) map[string]string {
	out := map[string]string{}
	var problems, hosts strings.Builder
	for _, p := range spec.Problems() {
		problems.WriteString(line("", p))
	}
	for _, r := range results {
		if r.Refused != nil {
			problems.WriteString(line(r.Host+" refused", r.Refused))
			continue
		}
		fmt.Fprintf(&hosts, "%s: profile %s, groups %s\n", r.Host, r.Profile, strings.Join(r.Groups, " "))
		for _, p := range r.Problems {
			problems.WriteString(line(r.Host, p))
		}
		for _, e := range r.Failures {
			problems.WriteString(line(r.Host+" "+e.Tag+" "+e.Name, e.Problem))
		}
		out[r.Host+".xml"] = string(r.Config.XML())
		var probes strings.Builder
		for _, p := range r.Probes {
			fmt.Fprintf(&probes, "%s, %s:\n%s\n", p.Name, p.Interpreter, strings.TrimSuffix(p.Script, "\n"))
		}
		if r.Decisions != nil {
			data, err := json.Marshal(r.Decisions)
			if err != nil {
				data = []byte(err.Error())
			}
			out[r.Host+".decisions"] = string(data) + "\n"
		}
		if probes.Len() > 0 {
			out[r.Host+".probes"] = probes.String()
		}
	}
	out["hosts"], out["problems"] = hosts.String(), problems.String()
	return out
}

func fixtures(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("../fixtures/specs/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	return names
}

// Every archive says what its hosts get. However the hosts are ordered, whatever
// was built before, and one by one or together, they get the same.
func TestFixtures(t *testing.T) {
	for _, name := range fixtures(t) {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			f := readFixture(t, name)
			spec := open(t, f.fsys, f.options)
			results, err := spec.All(t.Context(), f.inputs(spec.Hosts()))
			require.NoError(t, err)
			got := show(spec, results)
			if *update {
				f.write(t, got)
			} else {
				require.Equal(t, sorted(f.want), sorted(got))
				for _, name := range sorted(got) {
					require.Equal(t, f.want[name], got[name], name)
				}
			}
			for _, r := range results {
				checkFailures(t, r)
			}
			f.checkOrder(t, results)
		})
	}
}

// checkFailures compares what a result says about failures with its entries, and
// reads back what would be sent.
func checkFailures(t *testing.T, r *engine.Result) {
	t.Helper()
	if r.Refused != nil {
		require.Nil(t, r.Config)
		return
	}
	require.Len(t, r.Failures, r.Config.Failed())
	again, err := config.Decode(r.Config.XML())
	require.NoError(t, err)
	require.Equal(t, r.Config.Digest(), again.Digest())
	for _, f := range r.Failures {
		require.NotEmpty(t, f.Problem.Msg)
		require.NotEmpty(t, f.Problem.Code)
	}
}

// checkOrder builds the hosts again in other orders and alone.
func (f *fixture) checkOrder(t *testing.T, want []*engine.Result) {
	t.Helper()
	digest := func(r *engine.Result) string {
		if r.Config == nil {
			return "refused: " + r.Refused.Error()
		}
		return r.Config.Digest().String() + strings.Join(r.Groups, " ") + r.Profile
	}
	byHost := map[string]string{}
	var hosts []string
	for _, r := range want {
		byHost[r.Host] = digest(r)
		hosts = append(hosts, r.Host)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		random.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
		spec := open(t, f.fsys, f.options)
		for _, in := range f.inputs(hosts) {
			r, err := spec.Build(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, byHost[in.Host], digest(r), in.Host)
		}
	}
	for _, in := range f.inputs(hosts) {
		r, err := open(t, f.fsys, f.options).Build(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, byHost[in.Host], digest(r), in.Host)
	}
}

func (f *fixture) write(t *testing.T, got map[string]string) {
	t.Helper()
	var files []txtar.File
	for _, file := range f.archive.Files {
		if !strings.HasPrefix(file.Name, "want/") {
			files = append(files, file)
		}
	}
	for _, name := range sorted(got) {
		files = append(files, txtar.File{Name: "want/" + name, Data: []byte(got[name])})
	}
	f.archive.Files = files
	require.NoError(t, os.WriteFile(f.name, txtar.Format(f.archive), 0o644))
}
