// SPDX-License-Identifier: Apache-2.0

package state_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/agent/system"
)

func open(t *testing.T, c state.Config) *state.Dir {
	t.Helper()
	if c.Path == "" {
		c.Path = t.TempDir()
	}
	c.Create = true
	d, err := state.Open(c)
	require.NoError(t, err)
	t.Cleanup(d.Close)
	return d
}

func TestFiles(t *testing.T) {
	d := open(t, state.Config{})
	data, err := d.Read("a/b", 10)
	require.NoError(t, err)
	require.Nil(t, data)
	require.NoError(t, d.Write("a/b", []byte("0123456789")))
	require.NoError(t, d.Write("a/c", nil))
	data, err = d.Read("a/b", 10)
	require.NoError(t, err)
	require.Equal(t, "0123456789", string(data))
	_, err = d.Read("a/b", 9)
	require.ErrorContains(t, err, "more than 9 bytes")
	require.NoError(t, os.WriteFile(d.Path()+"/a/"+system.TempPrefix+"x", nil, 0o600))
	names, err := d.List("a")
	require.NoError(t, err)
	require.Equal(t, []string{"b", "c"}, names)
	info, err := os.Stat(d.Path() + "/a/b")
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	require.NoError(t, d.Remove("a"))
	require.NoError(t, d.Remove("a"))
	names, err = d.List("a")
	require.NoError(t, err)
	require.Empty(t, names)
}

func TestTornDocumentCountsAsAbsent(t *testing.T) {
	d := open(t, state.Config{})
	type doc struct{ N int }
	require.NoError(t, d.Save("x.json", doc{7}))
	var got doc
	found, err := d.Load("x.json", &got)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, 7, got.N)
	for _, torn := range []string{"", `{"N":`, "\x00\x00\x00"} {
		require.NoError(t, os.WriteFile(d.Path()+"/x.json", []byte(torn), 0o600))
		found, err = d.Load("x.json", &got)
		require.NoError(t, err)
		require.False(t, found)
	}
}

func TestCounterOnlyGrows(t *testing.T) {
	d := open(t, state.Config{})
	last := int64(0)
	for _, now := range []time.Time{time.UnixMilli(5000), time.UnixMilli(10), time.UnixMilli(9000), {}} {
		n, err := d.Counter(now)
		require.NoError(t, err)
		require.Greater(t, n, last)
		last = n
	}
	require.NoError(t, os.WriteFile(d.Path()+"/counter", []byte("torn"), 0o600))
	n, err := d.Counter(time.UnixMilli(99999))
	require.NoError(t, err)
	require.EqualValues(t, 99999, n)
}

func TestLock(t *testing.T) {
	path := t.TempDir()
	one, two := open(t, state.Config{Path: path}), open(t, state.Config{Path: path})
	unlock, err := one.Lock()
	require.NoError(t, err)
	_, err = two.Lock()
	require.ErrorIs(t, err, state.ErrBusy)
	unlock()
	unlock, err = two.Lock()
	require.NoError(t, err)
	unlock()
}

func TestRefusals(t *testing.T) {
	path := t.TempDir()
	require.NoError(t, os.Chmod(path, 0o777))
	_, err := state.Open(state.Config{Path: path})
	require.ErrorContains(t, err, "others can write")
	if os.Geteuid() == 0 {
		theirs := t.TempDir()
		require.NoError(t, os.Chown(theirs, 12345, 12345))
		_, err = state.Open(state.Config{Path: theirs})
		require.ErrorContains(t, err, "belongs to user 12345")
	}
	_, err = state.Open(state.Config{Path: path + "/none"})
	require.ErrorIs(t, err, os.ErrNotExist)
	fault := errors.New("no space left on device")
	full := open(t, state.Config{Before: func(step, _ string) error {
		if step == "write" {
			return fault
		}
		return nil
	}})
	require.ErrorIs(t, full.Write("x", nil), fault)
}

func TestHolder(t *testing.T) {
	t.Parallel()
	d, err := state.Open(state.Config{Path: filepath.Join(t.TempDir(), "state"), Create: true})
	require.NoError(t, err)
	defer d.Close()
	holder := func() int {
		pid, known := d.Holder()
		require.True(t, known)
		return pid
	}
	require.Zero(t, holder())
	unlock, err := d.Lock()
	require.NoError(t, err)
	require.Equal(t, os.Getpid(), holder())
	unlock()
	require.Zero(t, holder())
}
