// SPDX-License-Identifier: Apache-2.0

package paranoid_test

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/paranoid"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
)

func write(t *testing.T, m *system.Machine, name, text string) {
	t.Helper()
	require.NoError(t, m.Files.Change(system.Change{Op: system.Write, Name: name, Mode: 0o644, Content: []byte(text)}))
}

// Copies are found by name and time, only the administrator reads them, and the
// newest stay; copies of other files do not count, nor does what no copy is.
func TestTheNewestCopiesStay(t *testing.T) {
	m, _, _ := systemtest.Machine()
	now := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	p, err := paranoid.New(paranoid.Config{Files: m.Files, Now: func() time.Time { now = now.Add(time.Second); return now }, Dir: "/var/cache/copies/", Copies: 2})
	require.NoError(t, err)
	write(t, m, "/a", "one")
	require.NoError(t, p.Keep("/a"))
	write(t, m, "/var/cache/copies/_a_by-hand", "mine")
	write(t, m, "/a_b", "other")
	require.NoError(t, p.Keep("/a_b"))
	for _, text := range []string{"two", "three"} {
		write(t, m, "/a", text)
		require.NoError(t, p.Keep("//a"))
	}
	require.NoError(t, p.Keep("/none"))
	require.NoError(t, p.Keep("/var"))
	list, err := m.Files.List("/var/cache/copies")
	require.NoError(t, err)
	var names []string
	for _, info := range list {
		names = append(names, info.Name)
	}
	require.ElementsMatch(t, []string{"_a_2026-01-02T03:04:08.000006", "_a_2026-01-02T03:04:09.000006", "_a_by-hand", "_a_b_2026-01-02T03:04:07.000006"}, names)
	f, err := m.Files.Open("/var/cache/copies/_a_2026-01-02T03:04:09.000006")
	require.NoError(t, err)
	text, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "three", string(text))
	info, err := m.Files.Look("/var/cache/copies/_a_2026-01-02T03:04:09.000006")
	require.NoError(t, err)
	require.Equal(t, uint32(0o600), info.Mode)
	info, err = m.Files.Look("/var/cache/copies")
	require.NoError(t, err)
	require.Equal(t, uint32(0o700), info.Mode)
}

func TestRefused(t *testing.T) {
	m, _, _ := systemtest.Machine()
	for _, c := range []paranoid.Config{
		{}, {Files: m.Files}, {Files: m.Files, Now: time.Now, Dir: "relative"}, {Files: m.Files, Now: time.Now, Dir: "/"}, {Files: m.Files, Now: time.Now, Copies: -1}, {Files: m.Files, Now: time.Now, Copies: 1001},
	} {
		_, err := paranoid.New(c)
		require.Error(t, err)
	}
}
