// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/api"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// machine is a host as the network sees it: it enrols, verifies what it fetches,
// and sends facts. It uses the envelope's own code, as an agent does.
type machine struct {
	w       *world
	name    string
	id      *release.Identity
	welcome *release.Welcome
	kept    release.State
	counter int64
}

// enrol makes a token as `bindery hosts add` does, and uses it.
func (w *world) enrol(st *store.Store, name string) *machine {
	w.t.Helper()
	return w.enrolIn(st, name, "main")
}

func (w *world) enrolIn(st *store.Store, name, environment string) *machine {
	w.t.Helper()
	token, row, err := api.MintToken(name, environment, w.root, false, w.now().Add(time.Hour))
	require.NoError(w.t, err)
	require.NoError(w.t, st.AddToken(w.t.Context(), row))
	return w.enrolWith(token, name)
}

func (w *world) enrolWith(token release.Token, name string) *machine {
	w.t.Helper()
	m := &machine{w: w, name: name}
	var err error
	m.id, err = release.NewIdentity()
	require.NoError(w.t, err)
	e := release.NewEnrolment(m.id, token, name)
	first, err := e.Request()
	require.NoError(w.t, err)
	challenge := m.post("/api/v1/enroll", first)
	second, err := e.Respond(challenge)
	require.NoError(w.t, err)
	m.welcome, err = e.Finish(m.post("/api/v1/enroll", second))
	require.NoError(w.t, err)
	m.kept = release.State{Root: m.welcome.Root}
	return m
}

func (m *machine) post(path string, body []byte) []byte {
	m.w.t.Helper()
	resp, err := http.Post(m.w.url(path), "application/json", bytes.NewReader(body))
	require.NoError(m.w.t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(m.w.t, err)
	require.Less(m.w.t, resp.StatusCode, 300, "%s: %s\n%s", path, data, m.w.log)
	return data
}

// get reads what is published for the host, from the disk where nobody serves it.
func (m *machine) get(name string) []byte {
	if m.w.cancel == nil {
		data, err := os.ReadFile(filepath.Join(m.w.dir, "state", "published", release.HostPath(m.welcome.HostID, name)))
		require.NoError(m.w.t, err)
		return data
	}
	resp, err := http.Get(m.w.url("/" + release.HostPath(m.welcome.HostID, name)))
	require.NoError(m.w.t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(m.w.t, err)
	if resp.StatusCode != http.StatusOK {
		return nil
	}
	return data
}

// fetch verifies what is published for the host; nil where there is nothing yet.
func (m *machine) fetch() *release.Bundle {
	m.w.t.Helper()
	timestamp := m.get(release.TimestampName)
	if timestamp == nil {
		return nil
	}
	v, err := release.NewVerifier(m.welcome.HostID, m.kept, m.w.now())
	require.NoError(m.w.t, err)
	_, err = v.UpdateTimestamp(timestamp)
	require.NoError(m.w.t, err)
	for want := v.Next(); want.Name != ""; want = v.Next() {
		require.NoError(m.w.t, v.Accept(m.get(want.Name)))
	}
	target, err := v.Target()
	require.NoError(m.w.t, err)
	b, err := v.Open(m.get(target.Name), m.id)
	require.NoError(m.w.t, err)
	m.kept = v.State()
	return b
}

// answer sends facts for the probes of a bundle.
func (m *machine) answer(b *release.Bundle, answers map[string]string) {
	m.w.t.Helper()
	m.counter++
	data, err := m.id.SignFacts(release.Facts{
		HostID: m.welcome.HostID, Host: m.name, Counter: m.counter, ProbeDigest: config.ProbeDigest(b.Probes).String(),
		Answers: answers, Time: m.w.now().UTC(),
	})
	require.NoError(m.w.t, err)
	m.post("/api/v1/facts", data)
}

// text gives the content of a Path, "" where the host has none such.
func text(b *release.Bundle, path string) string {
	if b == nil || b.Config == nil {
		return ""
	}
	for _, k := range b.Config.Keyed() {
		if k.Key.Name == path {
			return k.Entry.Text
		}
	}
	return ""
}
