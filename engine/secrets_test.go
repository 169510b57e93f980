// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/secret"
	"github.com/bindery/bindery/fixtures/canarytest"
	"github.com/bindery/bindery/internal/secrets"
)

const canary = `CANARY<&"7f3k>`

func sealedSpec(t *testing.T, k canarytest.Keys) fstest.MapFS {
	t.Helper()
	files := k.Files(t, canary)
	files["Metadata/clients.xml"] = `<Clients><Client name="web1" profile="web"/><Client name="db1" profile="db"/></Clients>`
	files["Metadata/groups.xml"] = `<Groups><Group name="db" profile="true"/><Group name="web" profile="true">` +
		`<Bundle name="` + strings.Join(canarytest.Bundles, `"/><Bundle name="`) + `"/></Group></Groups>`
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return out
}

func keyring(t *testing.T, k canarytest.Keys) *secrets.Keyring {
	t.Helper()
	ring, err := secrets.New(secrets.Config{IdentityFiles: []string{k.Identity}, PassphraseFile: k.Passphrases, SOPS: k.SOPS})
	require.NoError(t, err)
	return ring
}

// Whatever is made of a secret holds it, and says that it is one.
func TestSecretsAreFollowed(t *testing.T) {
	k := canarytest.NewKeys(t)
	spec := open(t, sealedSpec(t, k), engine.Options{Secrets: keyring(t, k)})
	require.Empty(t, spec.Problems())
	for range 2 { // computed, and remembered
		r, err := spec.Build(t.Context(), engine.Input{Host: "web1"})
		require.NoError(t, err)
		held, failed := map[string]*config.Entry{}, []string{}
		for _, e := range r.Config.Keyed() {
			held[e.Entry.Name()] = e.Entry
			if e.Entry.Failure != "" {
				failed = append(failed, e.Entry.Name())
				require.NotContains(t, e.Entry.Failure, "CANARY")
			}
		}
		require.Equal(t, canarytest.Failing, failed)
		for _, name := range append(slices.Clone(canarytest.Entries), "templated", "/t/link") {
			e := held[name]
			require.NotNil(t, e, name)
			require.True(t, e.Secret(), name)
			_, found := canarytest.Find(string(e.XML()), canary)
			require.True(t, found, "%s: %s", name, e.XML())
		}
		require.False(t, held["/s/public"].Secret(), "what stands beside a secret is none")
		require.Equal(t, canarytest.Public+" pw\n", held["/s/public"].Text)
		said, err := json.Marshal(struct{ Failures, Problems any }{r.Failures, r.Problems})
		require.NoError(t, err)
		require.NotContains(t, string(said), "CANARY")
		require.Contains(t, string(said), "ValueError: what it says is withheld")
	}
}

// Without keys everything that needs one says which, and nothing else fails.
func TestSecretsWithoutKeys(t *testing.T) {
	k := canarytest.NewKeys(t)
	files := sealedSpec(t, k)
	files[".age-recipients"] = &fstest.MapFile{Data: []byte("# us\nage1example\n")}
	none, err := secrets.New(secrets.Config{})
	require.NoError(t, err)
	for _, ring := range []secret.Keyring{nil, none} {
		spec := open(t, files, engine.Options{Secrets: ring})
		r, err := spec.Build(t.Context(), engine.Input{Host: "web1"})
		require.NoError(t, err)
		for _, f := range r.Failures {
			require.Equal(t, secret.CodeNoKey, f.Problem.Code, "%s: %s", f.Name, f.Problem)
			require.NotEmpty(t, f.Problem.Hint)
		}
		require.Len(t, r.Failures, len(canarytest.Entries)+len(canarytest.Failing))
		require.Equal(t, canarytest.Public+" pw\n", byName(t, r, "/s/public").Text)
		found, err := spec.LintHosts(t.Context(), []engine.Input{{Host: "web1"}})
		require.NoError(t, err)
		for _, p := range found {
			require.Contains(t, []string{secret.CodeNoKey, "structure-lost"}, p.Code)
		}
	}
	spec := open(t, files, engine.Options{Secrets: none})
	r, err := spec.Build(t.Context(), engine.Input{Host: "web1"})
	require.NoError(t, err)
	require.Contains(t, byName(t, r, "/s/age").Failure, "no identity is given; .age-recipients lists age1example")
	require.Contains(t, byName(t, r, "/s/genshi").Failure, "the passphrase site is not given")
	require.Contains(t, byName(t, r, "/s/sops").Failure, "encrypted with sops to age1example")
}

func byName(t *testing.T, r *engine.Result, name string) *config.Entry {
	t.Helper()
	for _, e := range r.Config.Keyed() {
		if e.Entry.Name() == name {
			return e.Entry
		}
	}
	require.Fail(t, "no entry", name)
	return nil
}

// A passphrase in the tree opens what it is for, and is reported, never shown.
func TestPassphrasesInTheTree(t *testing.T) {
	k := canarytest.NewKeys(t)
	files := sealedSpec(t, k)
	files["bcfg2.conf"] = &fstest.MapFile{Data: []byte("[encryption]\nsite = correct horse\n")}
	none, err := secrets.New(secrets.Config{})
	require.NoError(t, err)
	spec := open(t, files, engine.Options{Secrets: none})
	r, err := spec.Build(t.Context(), engine.Input{Host: "web1"})
	require.NoError(t, err)
	require.Equal(t, canary+"\n", byName(t, r, "/s/genshi").Text)
	require.Len(t, spec.Problems(), 1)
	p := spec.Problems()[0]
	require.Equal(t, "bcfg2.conf:1: passphrase-in-tree", p.Pos.String()+": "+p.Code)
	_, _, shown := engine.Source(files)(p.Pos)
	require.False(t, shown, "no line of such a file is shown")
}

// lax_decryption leaves what cannot be opened as it is.
func TestLaxDecryption(t *testing.T) {
	k := canarytest.NewKeys(t)
	files := sealedSpec(t, k)
	none, err := secrets.New(secrets.Config{})
	require.NoError(t, err)
	spec := open(t, files, engine.Options{Secrets: none, Conf: map[string]map[string]string{"encryption": {"lax_decryption": "true"}}})
	r, err := spec.Build(t.Context(), engine.Input{Host: "web1"})
	require.NoError(t, err)
	e := byName(t, r, "/s/genshi")
	require.Equal(t, k.Crypt(canary)+"\n", e.Text)
	require.False(t, e.Secret())
}
