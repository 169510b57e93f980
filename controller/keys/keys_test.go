// SPDX-License-Identifier: Apache-2.0

package keys_test

import (
	"crypto"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/keys"
	"github.com/bindery/bindery/engine/release"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func initialised(t *testing.T, passphrase []byte) keys.Ceremony {
	t.Helper()
	c := keys.Ceremony{
		Offline: filepath.Join(t.TempDir(), "off"), Online: filepath.Join(t.TempDir(), "on"),
		Passphrase: passphrase, Expires: now.AddDate(1, 0, 0),
	}
	_, err := keys.Init(c)
	require.NoError(t, err)
	return c
}

func TestInitAndLoad(t *testing.T) {
	c := initialised(t, []byte("correct horse"))
	o, err := keys.Load(c.Online)
	require.NoError(t, err)
	require.Equal(t, int64(1), o.Root().Version)
	require.Equal(t, c.Expires, o.Root().Expires)
	require.NoFileExists(t, filepath.Join(c.Online, keys.RootKeyFile))
	require.NoFileExists(t, filepath.Join(c.Offline, keys.TargetsFile))

	one, err := o.Secret("one")
	require.NoError(t, err)
	two, err := o.Secret("two")
	require.NoError(t, err)
	require.Len(t, one, 32)
	require.NotEqual(t, one, two)
	again, err := keys.Load(c.Online)
	require.NoError(t, err)
	same, err := again.Secret("one")
	require.NoError(t, err)
	require.Equal(t, one, same)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", o, o, o), "signer")
}

func TestRootKey(t *testing.T) {
	c := initialised(t, []byte("correct horse"))
	path := filepath.Join(c.Offline, keys.RootKeyFile)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), "ENCRYPTED")
	s, err := keys.LoadRootKey(path, func() ([]byte, error) { return []byte("correct horse"), nil })
	require.NoError(t, err)
	pub, err := s.PublicKey()
	require.NoError(t, err)
	id, err := release.KeyID(pub)
	require.NoError(t, err)
	roots, err := keys.LoadRoots(c.Offline)
	require.NoError(t, err)
	require.Equal(t, []string{id}, roots[0].KeyIDs["root"])

	_, err = keys.LoadRootKey(path, func() ([]byte, error) { return []byte("wrong horse"), nil })
	require.ErrorContains(t, err, "passphrase is wrong")
	gone := errors.New("no terminal")
	_, err = keys.LoadRootKey(path, func() ([]byte, error) { return nil, gone })
	require.ErrorIs(t, err, gone)
	_, err = keys.LoadRootKey(path, nil)
	require.ErrorContains(t, err, "wrapped with a passphrase")

	plain := initialised(t, nil)
	_, err = keys.LoadRootKey(filepath.Join(plain.Offline, keys.RootKeyFile), nil)
	require.NoError(t, err)
}

func TestNothingIsOverwritten(t *testing.T) {
	c := initialised(t, nil)
	for _, again := range []keys.Ceremony{
		c, {Offline: c.Offline, Online: t.TempDir()}, {Offline: t.TempDir(), Online: c.Online},
	} {
		again.Expires = c.Expires
		_, err := keys.Init(again)
		require.ErrorIs(t, err, keys.ErrExists)
	}
	_, err := keys.Load(c.Online)
	require.NoError(t, err)
}

func TestLoadRefuses(t *testing.T) {
	for _, file := range []string{keys.TargetsFile, keys.SnapshotFile, keys.TimestampFile, keys.SecretFile} {
		for name, c := range map[string]struct {
			spoil func(path string) error
			want  string
		}{
			"readable by the group": {func(p string) error { return os.Chmod(p, 0o640) }, "others than the owner"},
			"readable by the world": {func(p string) error { return os.Chmod(p, 0o604) }, "chmod 600"},
			"missing":               {os.Remove, "no such file"},
			"damaged":               {func(p string) error { return os.WriteFile(p, []byte("junk"), 0o600) }, "damaged"},
			"a folder in its place": {func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o700)) }, "not a file"},
			"a torn file":           {func(p string) error { return os.Truncate(p, 20) }, "damaged"},
		} {
			t.Run(file+"/"+name, func(t *testing.T) {
				on := initialised(t, nil).Online
				require.NoError(t, c.spoil(filepath.Join(on, file)))
				_, err := keys.Load(on)
				require.ErrorContains(t, err, c.want)
				require.ErrorContains(t, err, file)
			})
		}
	}
}

// Keys of one controller under the root of another sign nothing that agents accept:
// that is found at the start, not by the agents.
func TestKeysOfAnotherRoot(t *testing.T) {
	one, two := initialised(t, nil), initialised(t, nil)
	for _, file := range []string{keys.TargetsFile, keys.SnapshotFile, keys.TimestampFile} {
		data, err := os.ReadFile(filepath.Join(two.Online, file))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(one.Online, file), data, 0o600))
		_, err = keys.Load(one.Online)
		require.ErrorContains(t, err, "does not name this key")
	}
}

func TestLoadRoots(t *testing.T) {
	_, err := keys.LoadRoots(t.TempDir())
	require.ErrorIs(t, err, keys.ErrNoRoot)
	c := initialised(t, nil)
	first, err := keys.LoadRoots(c.Online)
	require.NoError(t, err)

	// A successor hangs on its predecessor.
	root, err := keys.LoadRootKey(filepath.Join(c.Offline, keys.RootKeyFile), nil)
	require.NoError(t, err)
	pub, err := root.PublicKey()
	require.NoError(t, err)
	all := release.RoleKeys{Keys: []crypto.PublicKey{pub}, Threshold: 1}
	next, err := release.NewRoot(release.RootSpec{Version: 2, Expires: now, Root: all, Targets: all, Snapshot: all, Timestamp: all}, root)
	require.NoError(t, err)
	path := filepath.Join(c.Online, keys.RootName(2))
	require.NoError(t, os.WriteFile(path, next.Data, 0o644))
	roots, err := keys.LoadRoots(c.Online)
	require.NoError(t, err)
	require.Equal(t, []*release.Root{first[0], next}, roots)

	foreign, err := keys.LoadRoots(initialised(t, nil).Online)
	require.NoError(t, err)
	for _, bad := range [][]byte{foreign[0].Data, first[0].Data, []byte("{}"), nil} {
		require.NoError(t, os.WriteFile(path, bad, 0o644))
		_, err = keys.LoadRoots(c.Online)
		require.ErrorIs(t, err, release.ErrUntrusted)
	}
	require.NoError(t, os.Rename(filepath.Join(c.Online, keys.RootName(1)), path))
	_, err = keys.LoadRoots(c.Online)
	require.ErrorContains(t, err, "it holds version 1")
}

func TestAlarms(t *testing.T) {
	for days, want := range map[int]keys.Alarm{
		91: keys.AlarmNone, 90: keys.AlarmSoon, 30: keys.AlarmNow, 14: keys.AlarmLate, 7: keys.AlarmDanger, 0: keys.AlarmExpired, -3: keys.AlarmExpired,
	} {
		require.Equal(t, want, keys.AlarmAt(now.AddDate(0, 0, days), now), days)
	}
}
