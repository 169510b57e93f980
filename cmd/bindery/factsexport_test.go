// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/review"
)

// What a controller exports is what a preview elsewhere is built with; it is checked
// against the root, and redacted no answer is in it.
func TestFactsExport(t *testing.T) {
	dir := t.TempDir()
	command := func(want int, args ...string) (string, string) {
		t.Helper()
		var out, problems bytes.Buffer
		code := run(t.Context(), args, streams{Out: &out, Err: &problems})
		require.Equal(t, want, code, problems.String())
		return out.String(), problems.String()
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	for _, keys := range []string{"keys", "others"} {
		command(exitOK, "root", "init", "--dir", filepath.Join(dir, keys+"-offline"), "--online", filepath.Join(dir, keys), "--no-passphrase")
	}
	config := write("controller.yaml", "listen: 127.0.0.1:0\nstate: "+dir+"/state\nkeys: "+dir+"/keys\nrepositories: [{name: o/r, url: "+dir+"}]\n")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "state"), 0o700))
	week := time.Now().Add(-review.FactsLife - time.Hour)
	st, err := store.New(t.Context(), store.Config{Path: filepath.Join(dir, "state", "bindery.db"), Now: func() time.Time { return week }})
	require.NoError(t, err)
	require.NoError(t, st.AddToken(t.Context(), store.Token{ID: "t", Host: "web1", Environment: "main", Verifier: []byte("v"), Expires: time.Now().Add(time.Hour)}))
	require.NoError(t, st.Enrol(t.Context(), "t", store.Host{ID: "id", Name: "web1", Identity: []byte{1}, Recipient: "r"}))
	_, err = st.PutFacts(t.Context(), store.Facts{HostID: "id", Counter: 1, ProbeDigest: "d", Answers: map[string]string{"arch": "group:amd64\nCANARY\n"}})
	require.NoError(t, err)
	require.NoError(t, st.AddToken(t.Context(), store.Token{ID: "u", Host: "lab1", Environment: "lab", Verifier: []byte("v"), Expires: time.Now().Add(time.Hour)}))
	require.NoError(t, st.Enrol(t.Context(), "u", store.Host{ID: "id2", Name: "lab1", Identity: []byte{1}, Recipient: "r"}))
	_, err = st.PutExternal(t.Context(), "a", "Ldap", map[string]string{"web2": `{"q":["CANARY"]}`, "lab1": `{}`}, false)
	require.NoError(t, err)
	require.NoError(t, st.Close())

	write("spec/Metadata/clients.xml", `<Clients><Client name="web1" profile="p"/></Clients>`)
	write("spec/Metadata/groups.xml", `<Groups><Group name="p" profile="true"/><Group name="amd64"><Bundle name="b"/></Group></Groups>`)
	write("spec/Bundler/b.xml", `<Bundle name="b"><Path name="/arch"/></Bundle>`)
	write("spec/Probes/arch", "#!/bin/sh\n")
	write("spec/Cfg/arch/arch.genshi", "${metadata.Probes['arch']}\n")
	root := filepath.Join(dir, "keys", "1.root.json")

	whole, _ := command(exitOK, "facts", "export", "--config", config)
	require.NotContains(t, whole, "lab1")
	facts := write("facts.json", whole)
	out, _ := command(exitOK, "build", "--spec", dir+"/spec", "--host", "web1", "--probe-data", facts, "--facts-root", root)
	require.Contains(t, out, "CANARY")

	// They were old when they were exported, and say so where they show something.
	out, _ = command(exitOK, "diff", "--spec-dirs", dir+"/spec", dir+"/spec", "--probe-data", facts, "--as-if", "group-=amd64")
	require.Regexp(t, `(?m)^ +1  facts older than 7 days$`, out)

	redacted, _ := command(exitOK, "facts", "export", "--redact", "--config", config)
	facts = write("redacted.json", redacted)
	out, _ = command(exitOK, "diff", "--spec-dirs", dir+"/spec", dir+"/spec", "--probe-data", facts, "--facts-root", root)
	require.Regexp(t, `^No host is affected\.\n  facts of 20\d\d-\d\d-\d\d \d\d:\d\d UTC, redacted\n`, out)
	out, _ = command(exitOK, "build", "--spec", dir+"/spec", "--host", "web1", "--probe-data", facts)
	require.Contains(t, out, "redacted-")
	require.NotContains(t, out, "CANARY")

	_, problem := command(exitUntrusted, "build", "--spec", dir+"/spec", "--host", "web1", "--probe-data", facts, "--facts-root", dir+"/others/1.root.json")
	require.Contains(t, problem, "not trusted")
	plain := write("plain.json", `{"web1": {"arch": "x"}}`)
	command(exitUntrusted, "build", "--spec", dir+"/spec", "--host", "web1", "--probe-data", plain, "--facts-root", root)
	command(exitUntrusted, "build", "--spec", dir+"/spec", "--host", "web1", "--probe-data", plain, "--facts-root", plain)
	command(exitUsage, "build", "--spec", dir+"/spec", "--host", "web1", "--facts-root", root)

	two := write("two.yaml", "listen: 127.0.0.1:0\nstate: "+dir+"/state\nkeys: "+dir+"/keys\nrepositories: [{name: o/r, url: "+dir+", environments: [{branch: main}, {branch: lab}]}]\n")
	_, problem = command(exitUsage, "facts", "export", "--config", two)
	require.Contains(t, problem, "--environment")

	st, err = store.New(t.Context(), store.Config{Path: filepath.Join(dir, "state", "bindery.db")})
	require.NoError(t, err)
	trail, err := st.AuditTrail(t.Context(), 2)
	require.NoError(t, err)
	require.NoError(t, st.Close())
	require.Equal(t, "facts-exported", trail[0].Action)
	require.Equal(t, "of main, redacted", trail[0].Detail)

	// A host is moved once, and its answers stay behind.
	out, _ = command(exitOK, "hosts", "move", "WEB1", "lab", "--config", two)
	require.Equal(t, "web1 is in lab now; it was in main.\n", out)
	out, _ = command(exitOK, "hosts", "move", "web1", "lab", "--config", two)
	require.Equal(t, "web1 is in lab already.\n", out)
	out, _ = command(exitOK, "hosts", "move", "lab1", "main", "--config", two, "--format", "json")
	require.JSONEq(t, `{"host": "lab1", "from": "lab", "to": "main"}`, out)
	out, _ = command(exitOK, "facts", "export", "--config", two, "--environment", "lab")
	require.NotContains(t, out, "CANARY\n")
	_, problem = command(exitUsage, "hosts", "add", "web1", "--config", two)
	require.Contains(t, problem, "in the environment lab")
}
