// SPDX-License-Identifier: Apache-2.0

package action_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/action"
	"github.com/bindery/bindery/agent/driver/drivertest"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
)

func host(t *testing.T) *system.Machine {
	t.Helper()
	m, _, _ := systemtest.Machine()
	m.Processes = system.Host{}
	return m
}

func newDriver(t *testing.T, m *system.Machine) driver.Driver {
	t.Helper()
	d, err := action.New(action.Config{Machine: m, Timeout: time.Minute})
	require.NoError(t, err)
	return d
}

func entry(attrs ...config.Attr) config.Entry {
	return config.Entry{Tag: "Action", Attrs: append(attrs, config.Attr{Name: "name", Value: "a"})}
}

func command(line string, attrs ...config.Attr) config.Entry {
	return entry(append(attrs, config.Attr{Name: "command", Value: line})...)
}

func TestConformance(t *testing.T) {
	ok := func(name string, e config.Entry) drivertest.Case {
		return drivertest.Case{Name: name, Entry: e, Found: driver.Correct, Repeats: true}
	}
	bad := func(name string, e config.Entry) drivertest.Case {
		return drivertest.Case{Name: name, Entry: e, Fails: true}
	}
	drivertest.Suite{Machine: host, New: newDriver}.Run(t, []drivertest.Case{
		ok("plain", command("true "+drivertest.Canary)),
		ok("failure ignored", command("false", config.Attr{Name: "status", Value: "ignore"})),
		ok("missing program ignored", command("/no/such/program", config.Attr{Name: "status", Value: "ignore"})),
		ok("shell", command("test 1 = 1 && true", config.Attr{Name: "shell", Value: "true"})),
		ok("as of old", config.Entry{Tag: "PostInstall", Attrs: []config.Attr{{Name: "name", Value: "true " + drivertest.Canary}}}),
		ok("as of old, and failing", config.Entry{Tag: "PostInstall", Attrs: []config.Attr{{Name: "name", Value: "false"}}}),
		bad("as of old, with an open quote", config.Entry{Tag: "PostInstall", Attrs: []config.Attr{{Name: "name", Value: "echo '" + drivertest.Canary}}}),
		bad("bad timing", command("true", config.Attr{Name: "timing", Value: "never"})),
		bad("bad when", command("true", config.Attr{Name: "when", Value: "never"})),
		bad("bad status", command("true", config.Attr{Name: "status", Value: "never"})),
		bad("open quote", command("echo '"+drivertest.Canary)),
		bad("no command", entry()),
	})
}

func apply(t *testing.T, m *system.Machine, c action.Config, e config.Entry) (driver.Outcome, error) {
	t.Helper()
	c.Machine = m
	d, err := action.New(c)
	require.NoError(t, err)
	return d.Apply(t.Context(), driver.Item{Entry: config.NewEntry(e)}, true)
}

func TestFailures(t *testing.T) {
	m := host(t)
	out, err := apply(t, m, action.Config{}, command("sh -c 'echo "+drivertest.Canary+"; exit 3'"))
	require.EqualError(t, err, "the command ended with status 3")
	require.Equal(t, driver.Incorrect, out.State)
	_, err = apply(t, m, action.Config{}, command("/no/such/"+drivertest.Canary))
	require.EqualError(t, err, "the command could not be started")
	_, err = apply(t, m, action.Config{Timeout: 20 * time.Millisecond}, command("sleep 1000"))
	require.ErrorIs(t, err, system.ErrTimeout)
}

// A command without shell="true" never meets a shell.
func TestNoShell(t *testing.T) {
	target := t.TempDir() + "/made"
	_, err := apply(t, host(t), action.Config{}, command("echo x > "+target))
	require.NoError(t, err)
	require.NoFileExists(t, target)
	_, err = apply(t, host(t), action.Config{}, command("echo x > "+target, config.Attr{Name: "shell", Value: "true"}))
	require.NoError(t, err)
	require.FileExists(t, target)
	require.NoError(t, os.Remove(target))
	_, err = apply(t, host(t), action.Config{}, command("echo x > "+target, config.Attr{Name: "shell", Value: "True"}))
	require.NoError(t, err)
	require.NoFileExists(t, target)
}

func TestNotRun(t *testing.T) {
	m, _, procs := systemtest.Machine()
	e := command("true", config.Attr{Name: "build", Value: "false"})
	out, err := apply(t, m, action.Config{Build: true}, e)
	require.NoError(t, err)
	require.Equal(t, driver.NotVerified, out.State)
	m.Root = "/elsewhere"
	out, err = apply(t, m, action.Config{}, command("true"))
	require.NoError(t, err)
	require.Equal(t, driver.NotVerified, out.State)
	require.Empty(t, procs.Ran())
}

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		``: nil, "  \t\n ": nil,
		`a b  c`: {"a", "b", "c"}, `a "b c" 'd "e'`: {"a", "b c", `d "e`}, `a\ b "\"\\\n"`: {"a b", `"\\n`}, `x""y ''`: {"xy", ""},
		`$HOME > f | g; h`: {"$HOME", ">", "f", "|", "g;", "h"},
	} {
		got, err := action.Words(line)
		require.NoError(t, err, line)
		require.Equal(t, want, got, line)
	}
	for _, line := range []string{`a "b`, `a 'b`, `a\`, "a\x00b"} {
		_, err := action.Words(line)
		require.Error(t, err, "%q", line)
	}
}

func FuzzWords(f *testing.F) {
	f.Add(`a "b c" 'd' \e`)
	f.Fuzz(func(t *testing.T, line string) {
		words, err := action.Words(line)
		if err != nil {
			require.Nil(t, words)
		}
	})
}
