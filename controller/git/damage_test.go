// SPDX-License-Identifier: Apache-2.0

package git_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/git"
)

// Environments of one repository share a mirror, and each fetches what is its own. One
// that finds the mirror damaged clones it for all of them: the others read on.
func TestADamagedMirrorIsClonedForAll(t *testing.T) {
	o := newOrigin(t)
	dir := filepath.Join(t.TempDir(), "m")
	m, err := git.New(git.Config{URL: o.http.URL + o.forge.ClonePath(), Dir: dir, Token: token, PackLimit: 1 << 16})
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	o.write("a", "1")
	o.commit()
	o.push("main")
	o.write("a", "2")
	topic := o.commit()
	o.push("HEAD:refs/heads/topic", "HEAD:refs/heads/other")
	require.NoError(t, m.Fetch(t.Context(), "refs/heads/main"))
	require.NoError(t, m.Fetch(t.Context(), "refs/heads/topic", "refs/heads/gone"))

	damage := func() {
		require.NoError(t, m.Fetch(t.Context(), "refs/heads/main")) // what was read is forgotten
		packs, err := filepath.Glob(filepath.Join(dir, "objects", "pack", "*.pack"))
		require.NoError(t, err)
		require.NotEmpty(t, packs)
		for _, p := range packs {
			require.NoError(t, os.Chmod(p, 0o600))
			require.NoError(t, os.Truncate(p, 0))
		}
		_, err = m.Commit(t.Context(), topic)
		require.Error(t, err)
	}
	damage()
	require.NoError(t, m.Fetch(t.Context(), "refs/heads/main"))
	require.Equal(t, "2", o.read(m, "topic", "a"))
	require.Equal(t, "1", o.read(m, "main", "a"))
	_, err = m.Resolve(t.Context(), "refs/heads/other")
	require.ErrorIs(t, err, git.ErrUnknownRevision, "nobody asked for it")

	// What one of them can fetch no more costs the others nothing.
	noise := make([]byte, 1<<17)
	_, err = rand.Read(noise)
	require.NoError(t, err)
	o.write("a", string(noise))
	o.commit()
	o.push("HEAD:refs/heads/topic")
	damage()
	require.NoError(t, m.Fetch(t.Context(), "refs/heads/main"))
	require.Equal(t, "1", o.read(m, "main", "a"))
	require.ErrorContains(t, m.Fetch(t.Context(), "refs/heads/topic"), "may bring 65536 bytes")
}
