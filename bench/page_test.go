// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
)

func TestPage(t *testing.T) {
	f := file{
		Commit:  "abc",
		Machine: machine{CPU: "cpu", Cores: 2, OS: "linux/amd64", Go: "go1", Load: "0.5"},
		Records: []record{
			{Name: "bind", Hosts: 10, Wall: .5, CPU: .75, CPUMin: .7, CPUMax: .8, Peak: 5e6, Command: "x", Figures: []figure{{"hosts per second", 20, "/s"}}, Control: &control{Bytes: 1e6, CPU: .001}},
			{Name: "size", Figures: []figure{{"bindery", 12.345, "MB"}}, Command: "y"},
		},
	}
	text := string(page(f))
	require.Contains(t, text, "| hosts | hosts per second | wall s | CPU s (min – max) | peak MB | copied MB | control CPU s |\n|---:|---:|---:|---:|---:|---:|---:|\n"+
		"| 10 | 20.0 /s | 0.500 | 0.750 (0.700 – 0.800) | 5.00 | 1.00 | 0.00100 |\n")
	require.Contains(t, text, "| bindery |\n|---:|\n| 12.3 MB |\n")
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1234.6: "1235", 12.34: "12.3", .012345: "0.0123", 1e-9: "0.000000"} {
		require.Equal(t, want, number(v))
	}
}

func TestNumbers(t *testing.T) {
	ns, err := numbers("10, 100")
	require.NoError(t, err)
	require.Equal(t, []int{10, 100}, ns)
	for _, bad := range []string{"", "a", "0", "-1"} {
		_, err := numbers(bad)
		require.Error(t, err, bad)
	}
}

// What did not bind is not measured.
func TestVerify(t *testing.T) {
	entries := make([]*config.Entry, 60)
	for i := range entries {
		entries[i] = config.NewEntry(config.Entry{Tag: "Package"})
	}
	good := &engine.Result{Config: &config.Config{Bundles: []*config.Bundle{config.NewBundle("Bundle", nil, entries)}}}
	n, err := verify([]*engine.Result{good}, 1)
	require.NoError(t, err)
	require.Equal(t, 60, n)

	p := &problem.Problem{Msg: "no generator"}
	for _, bad := range []*engine.Result{
		{Refused: p},
		{Config: good.Config, Failures: []engine.Failure{{Tag: "Path", Name: "/x", Problem: p}}},
		{Config: &config.Config{}},
	} {
		_, err := verify([]*engine.Result{bad}, 1)
		require.Error(t, err)
	}
	_, err = verify(nil, 1)
	require.Error(t, err)
}

func TestRunRejects(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), []string{"-child", "nothing"}, io.Discard, io.Discard), "no measurement")
	require.Error(t, run(t.Context(), []string{"-hosts", "none"}, io.Discard, io.Discard))
}

func TestFileRoundTrip(t *testing.T) {
	name := filepath.Join(t.TempDir(), "bench.json")
	none, err := readFile(name)
	require.NoError(t, err)
	require.Empty(t, none.Records)
	f := file{Commit: "c", Records: []record{{Name: "bind", Hosts: 10, CPU: 2}, {Name: "size", CPU: 1}}}
	require.NoError(t, f.write(name, io.Discard))
	got, err := readFile(name)
	require.NoError(t, err)
	require.Equal(t, f, got)
	require.Len(t, got.named("bind"), 1)
	require.NoError(t, os.WriteFile(name, []byte("{"), 0o600))
	_, err = readFile(name)
	require.Error(t, err)
	sortByCPU(f.Records)
	require.Equal(t, "size", f.Records[0].Name)
}

func TestCopied(t *testing.T) {
	c := copied(func(yield func([]byte) bool) { _ = yield([]byte("abc")) && yield([]byte("de")) })
	require.EqualValues(t, 5, c.Bytes)
}
