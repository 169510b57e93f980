// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
)

// mirror is a repository that is signed, and a specification with a source of it.
type mirror struct {
	key   *openpgp.Entity
	files map[string][]byte
	spec  string
}

const signedIndex = "Package: app\nDepends: lib\n"

func newMirror(t *testing.T, source string) *mirror {
	t.Helper()
	key, err := openpgp.NewEntity("Archive", "", "archive@example.org", nil)
	require.NoError(t, err)
	m := &mirror{key: key, files: map[string][]byte{}, spec: t.TempDir()}
	var public bytes.Buffer
	require.NoError(t, key.Serialize(&public))
	m.files["/key"], m.files["/dists/s/main/binary-x/Packages.gz"] = public.Bytes(), []byte(signedIndex)
	m.sign(t, time.Now().Add(time.Hour))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if data, ok := m.files[r.URL.Path]; ok {
			_, _ = w.Write(data)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(server.Close)
	require.NoError(t, os.Mkdir(filepath.Join(m.spec, "Packages"), 0o755))
	text := fmt.Sprintf(`<Sources><Source type="apt" url="%s" version="s"><Component>main</Component><Arch>x</Arch>%s</Source></Sources>`, server.URL, fmt.Sprintf(source, server.URL))
	require.NoError(t, os.WriteFile(filepath.Join(m.spec, "Packages/sources.xml"), []byte(text), 0o644))
	return m
}

// sign writes an InRelease that is valid for a time.
func (m *mirror) sign(t *testing.T, until time.Time) {
	t.Helper()
	var b bytes.Buffer
	w, err := clearsign.Encode(&b, m.key.PrivateKey, nil)
	require.NoError(t, err)
	fmt.Fprintf(w, "Valid-Until: %s\nSHA256:\n %x %d main/binary-x/Packages.gz\n", until.UTC().Format("Mon, 02 Jan 2006 15:04:05 UTC"), sha256.Sum256([]byte(signedIndex)), len(signedIndex))
	require.NoError(t, w.Close())
	m.files["/dists/s/InRelease"] = b.Bytes()
}

// update runs the command, and gives its exit code and what it said.
func (m *mirror) update(t *testing.T, o packagesOptions) (int, string) {
	t.Helper()
	var said bytes.Buffer
	o.spec = m.spec
	err := runPackagesUpdate(t.Context(), &o, streams{Out: &said, Err: &said})
	if err == nil {
		return exitOK, said.String()
	}
	failed, ok := errors.AsType[*exitError](err)
	require.True(t, ok)
	return failed.code, said.String() + err.Error()
}

func (m *mirror) recorded(t *testing.T) engine.PackageSnapshot {
	t.Helper()
	return recordedPackages(os.DirFS(m.spec))
}

func TestSignedSource(t *testing.T) {
	m := newMirror(t, "<GPGKey>%s/key</GPGKey>")
	code, said := m.update(t, packagesOptions{signed: true})
	require.Zero(t, code, said)
	before := m.recorded(t)
	require.Len(t, before.Indexes, 1)
	for _, r := range before.Indexes {
		require.Equal(t, "InRelease, sha256", r.CheckedBy)
		require.Equal(t, fmt.Sprintf("%X", m.key.PrimaryKey.Fingerprint), r.SignedBy)
	}
	good := m.files["/dists/s/InRelease"]
	for want, spoil := range map[string]func(){
		"instead of":      func() { m.files["/dists/s/main/binary-x/Packages.gz"] = []byte(signedIndex + "\n") },
		"check signature": func() { m.files["/dists/s/InRelease"] = bytes.Replace(good, []byte("main/"), []byte("evil/"), 1) },
		"it has no signature for the source's GPGKey": func() { delete(m.files, "/dists/s/InRelease") },
		"it was valid until":                          func() { m.sign(t, time.Now().Add(-time.Hour)) },
	} {
		m.files["/dists/s/InRelease"], m.files["/dists/s/main/binary-x/Packages.gz"] = good, []byte(signedIndex)
		spoil()
		code, said := m.update(t, packagesOptions{})
		require.Equal(t, exitUntrusted, code, said)
		require.Contains(t, said, want)
		require.Equal(t, before, m.recorded(t), "what was recorded stays")
	}
	m.files["/dists/s/InRelease"] = good
	delete(m.files, "/key")
	code, said = m.update(t, packagesOptions{})
	require.Equal(t, exitUnavailable, code)
	require.Contains(t, said, "its GPGKey: fetch http://")
	m.files["/key"] = []byte("no key")
	code, said = m.update(t, packagesOptions{})
	require.Equal(t, exitUnavailable, code)
	require.Contains(t, said, "read keys")
}

func TestKeyring(t *testing.T) {
	m := newMirror(t, "<!-- %s -->")
	code, said := m.update(t, packagesOptions{})
	require.Zero(t, code)
	require.Contains(t, said, "is unsigned: no signature of it was checked")
	ring := filepath.Join(t.TempDir(), "ring.gpg")
	require.NoError(t, os.WriteFile(ring, m.files["/key"], 0o644))
	code, said = m.update(t, packagesOptions{keyrings: []string{ring}, signed: true})
	require.Zero(t, code, said)
	require.NotContains(t, said, "warning")
	// What was signed once stays so.
	code, said = m.update(t, packagesOptions{})
	require.Equal(t, exitUntrusted, code)
	require.Contains(t, said, "before, and is not now")
}
