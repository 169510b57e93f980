// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine"
)

// An environment knows its own hosts, and of no others what they answered or what was
// imported for them. Of a name that nobody has it knows what was imported.
func TestAFleetIsOneEnvironment(t *testing.T) {
	ctx := t.Context()
	st, err := store.New(ctx, store.Config{Path: filepath.Join(t.TempDir(), "state.db")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	for name, environment := range map[string]string{"ours": "a", "theirs": "b"} {
		require.NoError(t, st.AddToken(ctx, store.Token{ID: name, Host: name, Environment: environment, Verifier: []byte("v"), Expires: time.Now().Add(time.Hour)}))
		require.NoError(t, st.Enrol(ctx, name, store.Host{ID: "id-" + name, Name: name, Identity: []byte{1}, Recipient: "r"}))
		_, err := st.PutFacts(ctx, store.Facts{HostID: "id-" + name, Counter: 1, Answers: map[string]string{"os": name}})
		require.NoError(t, err)
	}
	_, err = st.PutExternal(ctx, "alice", "Ldap", map[string]string{"ours": "{}", "theirs": "{}", "nobody": "{}"}, false)
	require.NoError(t, err)

	p := &pipeline{env: "a", store: st}
	f, err := p.fleet(ctx)
	require.NoError(t, err)
	require.Len(t, f.hosts, 1)
	require.Equal(t, "ours", f.hosts[0].Name)
	require.Equal(t, map[string]bool{"theirs": true}, f.others)
	require.Equal(t, engine.Input{Host: "theirs"}, f.input("theirs"))
	require.Equal(t, map[string]string{"Ldap": "{}"}, f.input("nobody").External)
	require.Equal(t, map[string]string{"os": "ours"}, f.input("ours").Probes)

	// Who moves while hosts are published is not published by the old one any more.
	require.NoError(t, st.Move(ctx, "alice", f.hosts[0], "b"))
	ours, err := p.ours(ctx)
	require.NoError(t, err)
	require.Equal(t, map[string]bool{"id-ours": false, "id-theirs": false}, ours)
}

// What waits for its turn ends with its context.
func TestATurnIsTakenByOne(t *testing.T) {
	turn := newTurns().build
	done, err := turn.take(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = turn.take(ctx)
	require.ErrorIs(t, err, context.Canceled)
	done()
	done, err = turn.take(t.Context())
	require.NoError(t, err)
	done()
}
