// SPDX-License-Identifier: Apache-2.0

package github_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/github"
)

// inbox is a receiver that keeps what woke it.
type inbox struct {
	url    string
	mu     sync.Mutex
	ids    map[string]bool
	events []webhooks.Event
}

func (i *inbox) Seen(_ context.Context, id string) (bool, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	seen := i.ids[id]
	i.ids[id] = true
	return seen, nil
}

func (i *inbox) wake(e webhooks.Event) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.events = append(i.events, e)
}

// take gives the events so far and forgets them, without their ids.
func (i *inbox) take() []webhooks.Event {
	i.mu.Lock()
	defer i.mu.Unlock()
	out := i.events
	i.events = nil
	for n := range out {
		out[n].Delivery = ""
	}
	return out
}

func (p *place) hook() *inbox {
	p.t.Helper()
	secret := []byte("CANARY-hook-secret-1")
	in := &inbox{ids: map[string]bool{}}
	receiver, err := webhooks.NewReceiver(webhooks.ReceiverConfig{
		Routes: []webhooks.Route{{Repo: repo, Secrets: [][]byte{secret}, Wake: in.wake}}, Dialect: github.Dialect(), Deliveries: in,
	})
	require.NoError(p.t, err)
	server := httptest.NewServer(receiver)
	p.t.Cleanup(server.Close)
	in.url = server.URL
	p.forge.SetHook(in.url, secret)
	return in
}

func TestWhatAPushSends(t *testing.T) {
	p := newPlace(t)
	in := p.hook()
	p.commit("motd", "three\n")
	head := p.git("rev-parse", "HEAD")
	p.git("push", "--quiet", p.remote(), "change")
	require.Equal(t, []webhooks.Event{
		{Kind: webhooks.Push, Repo: repo, Ref: "refs/heads/change", Commit: head},
		{Kind: webhooks.PullRequest, Repo: repo, Number: 1, Action: "synchronize"},
	}, in.take())
	pull, err := p.client().Pull(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, head, pull.Head)

	sent := p.forge.Deliveries()
	last := sent[len(sent)-1]
	require.Equal(t, http.StatusAccepted, last.Code)
	code, err := p.forge.Redeliver(t.Context(), last.ID)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, code)
	require.True(t, in.take()[0].Repeated)

	// Signed with another secret: refused, and nobody wakes.
	p.forge.SetHook(in.url, []byte("CANARY-wrong-secret"))
	code, err = p.forge.Redeliver(t.Context(), last.ID)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, code)
	require.Empty(t, in.take())
}

func TestMergeRefsFollowBothSides(t *testing.T) {
	p := newPlace(t)
	parents := func() string {
		p.git("fetch", "--quiet", p.remote(), "+refs/pull/1/merge:refs/merge")
		return p.git("log", "-1", "--format=%P", "refs/merge")
	}
	require.Equal(t, p.git("rev-parse", "main")+" "+p.git("rev-parse", "change"), parents())

	p.git("checkout", "--quiet", "main")
	p.commit("issue", "new on main\n")
	p.git("push", "--quiet", p.remote(), "main")
	require.Equal(t, p.git("rev-parse", "main")+" "+p.git("rev-parse", "change"), parents())

	p.commit("motd", "conflict\n")
	p.git("push", "--quiet", p.remote(), "main")
	require.NotContains(t, p.git("ls-remote", p.remote()), "refs/pull/1/merge")
	require.Equal(t, http.StatusMethodNotAllowed, p.post("PUT", "/pulls/1/merge", `{}`))

	p.commit("motd", "one\n")
	p.git("push", "--quiet", p.remote(), "main")
	in := p.hook()
	require.Equal(t, http.StatusOK, p.post("PUT", "/pulls/1/merge", `{"merge_method":"squash"}`))
	pull, err := p.client().Pull(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, []webhooks.Event{
		{Kind: webhooks.Push, Repo: repo, Ref: "refs/heads/main", Commit: pull.MergeCommit},
		{Kind: webhooks.PullRequest, Repo: repo, Number: 1, Action: "closed"},
	}, in.take())
	p.git("fetch", "--quiet", p.remote(), "main")
	require.Equal(t, p.git("rev-parse", "main"), p.git("log", "-1", "--format=%P", "FETCH_HEAD"))
	require.Equal(t, "two", p.git("show", "FETCH_HEAD:motd"))
	require.Equal(t, http.StatusConflict, p.post("PUT", "/pulls/1/merge", `{}`))
}
