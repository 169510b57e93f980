// SPDX-License-Identifier: Apache-2.0

package suitetest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/forgetest"
)

func pulls(p *place) {
	f := p.client()
	list, err := f.Pulls(p.Context())
	require.NoError(p, err)
	require.Len(p, list, 1)
	require.Equal(p, p.git("rev-parse", "change"), list[0].Head)
	require.Equal(p, "refs/heads/main", list[0].BaseRef)
	require.Equal(p, p.Refs+"1/head", list[0].HeadRef)
	if p.MergeRef {
		require.Equal(p, p.Refs+"1/merge", list[0].MergeRef)
	} else {
		require.Empty(p, list[0].MergeRef)
	}
	require.Equal(p, "ann", list[0].Author)
	require.True(p, list[0].Open)
	require.False(p, list[0].Fork)
	require.False(p, list[0].Draft)
	require.Contains(p, p.git("ls-remote", p.remote()), list[0].HeadRef)

	p.open(forgetest.Pull{Fork: true, Draft: true})
	list, err = f.Pulls(p.Context())
	require.NoError(p, err)
	require.True(p, list[1].Fork)
	require.True(p, list[1].Draft)

	merged, err := p.forge.MergePull(p.Context(), 1, "", "", ann)
	require.NoError(p, err)
	one, err := f.Pull(p.Context(), 1)
	require.NoError(p, err)
	require.True(p, one.Merged)
	require.False(p, one.Open)
	require.Equal(p, merged.MergeSHA, one.MergeCommit)
	list, err = f.Pulls(p.Context())
	require.NoError(p, err)
	require.Len(p, list, 1)

	_, err = f.Pull(p.Context(), 99)
	require.True(p, webhooks.IsMissing(err), err)
}

func pages(p *place) {
	for range 6 {
		p.open(forgetest.Pull{})
	}
	list, err := p.client().Pulls(p.Context())
	require.NoError(p, err)
	require.Len(p, list, 7)
	for i, one := range list {
		require.Equal(p, i+1, one.Number)
	}
}

func oneComment(p *place) {
	f := p.client()
	first, err := f.Post(p.Context(), said(1, "hello"))
	require.NoError(p, err)
	require.Equal(p, webhooks.Created, first.Outcome)

	again := said(2, "hello")
	again.Known = first.ID
	second, err := f.Post(p.Context(), again)
	require.NoError(p, err)
	require.Equal(p, webhooks.Unchanged, second.Outcome)
	require.Zero(p, p.forge.Calls(p.Edit))

	// Without the stored id it is found among others' comments, on a later page.
	for i := range 7 {
		p.say(ann, fmt.Sprintf("chat %d", i))
	}
	third, err := p.client().Post(p.Context(), said(3, "hello again"))
	require.NoError(p, err)
	require.Equal(p, webhooks.Posted{ID: first.ID, URL: first.URL, Outcome: webhooks.Edited}, third)
	require.Equal(p, 1, p.forge.Calls(p.Edit))

	// An older build does not overwrite a newer one.
	late, err := f.Post(p.Context(), said(2, "old news"))
	require.NoError(p, err)
	require.Equal(p, webhooks.Superseded, late.Outcome)
	require.Equal(p, 1, p.forge.Calls(p.Edit))
}

func forgedMarker(p *place) {
	p.say(ann, webhooks.Marker{App: bot.ID, Pull: 1, Seq: 99}.String()+"\nall is well")
	posted, err := p.client().Post(p.Context(), said(1, "not at all"))
	require.NoError(p, err)
	require.Equal(p, webhooks.Created, posted.Outcome)
	require.Zero(p, p.forge.Calls("DELETE"))
}

func onlyEdit(p *place) {
	post := said(1, "No host is affected")
	post.OnlyEdit = true
	posted, err := p.client().Post(p.Context(), post)
	require.NoError(p, err)
	require.Equal(p, webhooks.Absent, posted.Outcome)
	require.Zero(p, p.forge.Calls("POST", p.Comments))
}

func deletedComment(p *place) {
	f := p.client()
	first, err := f.Post(p.Context(), said(1, "hello"))
	require.NoError(p, err)
	require.NoError(p, p.forge.DeleteComment(first.ID, bot))

	again := said(2, "hello again")
	again.Known = first.ID
	second, err := f.Post(p.Context(), again)
	require.NoError(p, err)
	require.Equal(p, webhooks.Created, second.Outcome)
	require.NotEqual(p, first.ID, second.ID)

	// Deleted between the look and the edit: the edit's 404 creates once.
	p.forge.Inject(forgetest.Fault{Match: []string{p.Edit}, Times: 1, Code: http.StatusNotFound})
	again.Known, again.Marker.Seq, again.Body = second.ID, 3, "third"
	third, err := f.Post(p.Context(), again)
	require.NoError(p, err)
	require.Equal(p, second.ID, third.ID, "the oldest of ours stays")
	require.Equal(p, []string{"third"}, p.bodies())
}

func lostAnswer(p *place) {
	p.forge.Inject(forgetest.Fault{Match: []string{"POST", p.Comments}, Times: 1, CutOff: true})
	posted, err := p.client().Post(p.Context(), said(1, "hello"))
	require.NoError(p, err)
	require.Equal(p, webhooks.Created, posted.Outcome)
	require.Equal(p, 1, p.forge.Calls("POST", p.Comments))
}

func race(p *place) {
	// Both look before either has written: each then creates one.
	p.forge.Inject(forgetest.Fault{Match: []string{"GET", p.Comments}, Times: 2, Stall: 50 * time.Millisecond})
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i := range 2 {
		f := p.client()
		wg.Go(func() {
			_, errs[i] = f.Post(context.WithoutCancel(p.Context()), said(int64(i+1), fmt.Sprintf("build %d", i+1)))
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(p, err)
	}
	// Whoever comes next settles what a race may have left.
	posted, err := p.client().Post(p.Context(), said(2, "build 2"))
	require.NoError(p, err)
	require.NotZero(p, posted.ID)
	require.Equal(p, []string{"build 2"}, p.bodies())
}

func jobFirst(p *place)  { beside(p, true) }
func jobSecond(p *place) { beside(p, false) }

// beside lets a CI job and a controller speak by one account: each has its one comment,
// and neither takes the other's for its own, whatever they count.
func beside(p *place, jobFirst bool) {
	post := func(job bool, round int64, body string) webhooks.Post {
		out := said(round, body)
		if out.Marker.Job = job; job {
			out.Marker.Seq += 1_800_000_000
		}
		return out
	}
	f := p.client()
	for round, outcome := range []webhooks.Outcome{webhooks.Created, webhooks.Edited} {
		for _, job := range []bool{jobFirst, !jobFirst} {
			posted, err := f.Post(p.Context(), post(job, int64(round+1), fmt.Sprintf("job %t, round %d", job, round)))
			require.NoError(p, err)
			require.Equal(p, outcome, posted.Outcome)
		}
	}
	require.Equal(p, 2, p.forge.Calls(p.Edit))
	for _, c := range p.forge.Comments(1) {
		require.NoError(p, p.forge.DeleteComment(c.ID, bot))
	}

	// All look before any has written.
	p.forge.Inject(forgetest.Fault{Match: []string{"GET", p.Comments}, Times: 4, Stall: 50 * time.Millisecond})
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		f, job := p.client(), (i%2 == 0) == jobFirst
		wg.Go(func() {
			_, errs[i] = f.Post(context.WithoutCancel(p.Context()), post(job, int64(3+i/2), fmt.Sprintf("job %t, build %d", job, i/2)))
		})
	}
	wg.Wait()
	require.NoError(p, errors.Join(errs...))
	for _, job := range []bool{jobFirst, !jobFirst} {
		_, err := p.client().Post(p.Context(), post(job, 4, fmt.Sprintf("job %t, build 1", job)))
		require.NoError(p, err)
	}
	require.ElementsMatch(p, []string{"job true, build 1", "job false, build 1"}, p.bodies())
}

// anew leaves nothing of a comment that held what it should not.
func anew(p *place) {
	f := p.client()
	first, err := f.Post(p.Context(), said(1, "a secret"))
	require.NoError(p, err)
	clean := said(2, "no secret")
	clean.Known, clean.Anew = first.ID, true
	second, err := f.Post(p.Context(), clean)
	require.NoError(p, err)
	require.NotEqual(p, first.ID, second.ID)
	require.Equal(p, []string{"no secret"}, p.bodies())
	_, err = p.forge.Comment(first.ID)
	require.Error(p, err)

	late := said(1, "a secret")
	late.Anew = true
	posted, err := f.Post(p.Context(), late)
	require.NoError(p, err)
	require.Equal(p, webhooks.Superseded, posted.Outcome)
	require.Equal(p, []string{"no secret"}, p.bodies())
}

// reply is another comment of ours, and neither takes the other for its own.
func reply(p *place) {
	f := p.client()
	preview, err := f.Post(p.Context(), said(1, "preview"))
	require.NoError(p, err)
	answer := webhooks.Post{Number: 1, Marker: webhooks.Marker{Reply: true, Seq: 40}, Body: "answer"}
	first, err := f.Post(p.Context(), answer)
	require.NoError(p, err)
	require.NotEqual(p, preview.ID, first.ID)
	answer.Marker.Seq, answer.Body = 41, "next answer"
	second, err := f.Post(p.Context(), answer)
	require.NoError(p, err)
	require.Equal(p, first.ID, second.ID)
	_, err = f.Post(p.Context(), said(2, "preview 2"))
	require.NoError(p, err)
	require.Equal(p, []string{"preview 2", "next answer"}, p.bodies())
}

func (p *place) word(s webhooks.State) string {
	if w, ok := p.States[s]; ok {
		return w
	}
	return string(s)
}

func status(p *place) {
	f := p.client()
	_, err := f.Pulls(p.Context()) // as the controller does before
	require.NoError(p, err)
	commit := p.git("rev-parse", "change")
	long := webhooks.Status{State: webhooks.Failure, Description: strings.Repeat("ä ", 200), URL: "https://bindery.test/reviews/1"}
	require.NoError(p, f.SetStatus(p.Context(), commit, long))
	require.NoError(p, f.SetStatus(p.Context(), commit, long))
	require.Equal(p, 1, p.forge.Calls("POST", p.Statuses), "the same again is no call")
	for i, s := range []webhooks.State{webhooks.Success, webhooks.Pending, webhooks.Broken, webhooks.Success} {
		require.NoError(p, f.SetStatus(p.Context(), commit, webhooks.Status{State: s, Description: "fine"}))
		require.Equal(p, i+2, p.forge.Calls("POST", p.Statuses))
		last := p.forge.Statuses(commit)[0]
		require.Equal(p, p.word(s), last.State)
		require.Equal(p, webhooks.StatusContext, last.Context)
	}
}

func faults(p *place) {
	for name, c := range map[string]struct {
		fault  forgetest.Fault
		reason webhooks.Reason
		retry  bool
	}{
		"500 for ever":     {forgetest.Fault{Times: 3, Code: http.StatusInternalServerError}, webhooks.Unavailable, true},
		"502 for ever":     {forgetest.Fault{Times: 3, Code: http.StatusBadGateway}, webhooks.Unavailable, true},
		"cut off for ever": {forgetest.Fault{Times: 3, CutOff: true}, webhooks.Unreachable, true},
		"rate limit":       {forgetest.Fault{Times: 1, RateLimit: time.Hour}, webhooks.RateLimited, true},
		"secondary limit":  {forgetest.Fault{Times: 1, Secondary: time.Minute}, webhooks.RateLimited, true},
		"denied":           {forgetest.Fault{Times: 1, Code: http.StatusForbidden}, webhooks.Denied, false},
		"bad credentials":  {forgetest.Fault{Times: 1, Code: http.StatusUnauthorized}, webhooks.Denied, false},
		"unprocessable":    {forgetest.Fault{Times: 1, Code: http.StatusUnprocessableEntity}, webhooks.Invalid, false},
	} {
		p.forge.Inject(c.fault)
		_, err := p.client().Pulls(p.Context())
		var typed *webhooks.Error
		require.ErrorAs(p, err, &typed, name)
		require.Equal(p, c.reason, typed.Reason, "%s: %v", name, err)
		require.Equal(p, c.retry, typed.Retryable(), name)
		require.NotContains(p, err.Error()+p.log.String(), "CANARY")
		require.Equal(p, c.fault.RateLimit+c.fault.Secondary > 0, typed.After > 0, name)
	}
}

// budget leaves the forge alone before it has to ask for that.
func budget(p *place) {
	f := p.client()
	_, err := f.Pulls(p.Context()) // as the controller does before
	require.NoError(p, err)
	var limited *webhooks.Error
	head := p.git("rev-parse", "change")
	for i := range 85 {
		status := webhooks.Status{State: []webhooks.State{webhooks.Success, webhooks.Failure}[i%2], Description: fmt.Sprint("build ", i)}
		if err = f.SetStatus(p.Context(), head, status); err != nil {
			break
		}
	}
	require.ErrorAs(p, err, &limited)
	require.Equal(p, webhooks.RateLimited, limited.Reason)
	require.Positive(p, limited.After)
	require.Equal(p, 80, p.forge.Calls("POST", "/api/"))

	f = p.client()
	p.forge.Inject(forgetest.Fault{Times: 1, Left: 400})
	_, err = f.Pulls(p.Context())
	require.NoError(p, err)
	calls := p.forge.Calls()
	_, err = f.Pulls(p.Context())
	require.ErrorAs(p, err, &limited)
	require.Equal(p, webhooks.RateLimited, limited.Reason)
	require.Equal(p, calls, p.forge.Calls())
	posted, err := f.Post(p.Context(), said(1, "what was begun is ended"))
	require.NoError(p, err)
	require.Equal(p, webhooks.Created, posted.Outcome)
}

func shortFaults(p *place) {
	for name, fault := range map[string]forgetest.Fault{
		"500":             {Times: 2, Code: http.StatusInternalServerError},
		"cut off":         {Times: 2, CutOff: true},
		"secondary limit": {Times: 1, Secondary: time.Second},
	} {
		p.forge.Inject(fault)
		list, err := p.client().Pulls(p.Context())
		require.NoError(p, err, name)
		require.Len(p, list, 1)
		require.NotContains(p, p.log.String(), "CANARY")
	}
}

func permission(p *place) {
	f := p.client()
	for _, c := range []struct {
		note webhooks.Note
		may  bool
	}{
		{webhooks.Note{Author: ann.ID, Login: ann.Login}, true},
		{webhooks.Note{Author: eve.ID, Login: eve.Login}, false},
		{webhooks.Note{Author: 4711, Login: "nobody"}, false},
		{webhooks.Note{}, false},
	} {
		may, err := f.MayWrite(p.Context(), c.note)
		require.NoError(p, err)
		require.Equal(p, c.may, may, c.note.Login)
	}
	p.forge.Inject(forgetest.Fault{Times: 1, Code: http.StatusForbidden})
	may, err := f.MayWrite(p.Context(), webhooks.Note{Author: ann.ID, Login: ann.Login})
	require.Error(p, err)
	require.False(p, may)
}

func reactions(p *place) {
	c := p.say(ann, "/bindery show web1")
	f := p.client()
	for range 2 {
		for _, r := range []webhooks.Reaction{webhooks.Looking, webhooks.Done, webhooks.Refused} {
			require.NoError(p, f.React(p.Context(), 1, webhooks.Note{ID: c.ID}, r))
		}
	}
	kept, err := p.forge.Comment(c.ID)
	require.NoError(p, err)
	require.Len(p, kept.Reactions, p.Reactions)
}

func notes(p *place) {
	for i := range 4 {
		p.say(ann, fmt.Sprintf("chat %d", i))
	}
	c := p.say(eve, "first")
	f := p.client()
	list, err := f.Notes(p.Context(), 1)
	require.NoError(p, err)
	require.Len(p, list, 5, "all pages")
	last := list[4]
	require.Equal(p, webhooks.Note{ID: c.ID, Author: eve.ID, Login: "eve", URL: last.URL, Body: "first"}, last)
	_, err = p.forge.EditComment(c.ID, eve, "second")
	require.NoError(p, err)
	list, err = f.Notes(p.Context(), 1)
	require.NoError(p, err)
	require.True(p, list[4].Edited)
}

// cancelled is a call whose caller left: it ends, and no other call with it.
func cancelled(p *place) {
	f := p.client()
	gone, cancel := context.WithCancel(p.Context())
	cancel()
	_, err := f.Pulls(gone)
	require.ErrorIs(p, err, context.Canceled)
	_, err = f.Post(gone, said(1, "x"))
	require.ErrorIs(p, err, context.Canceled)
	_, err = f.Pulls(p.Context())
	require.NoError(p, err)
}

// inbox is a receiver that keeps what woke it.
type inbox struct {
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

// take gives the events so far and forgets them, without their ids and actions.
func (i *inbox) take() []webhooks.Event {
	i.mu.Lock()
	defer i.mu.Unlock()
	out := i.events
	i.events = nil
	for n := range out {
		out[n].Delivery, out[n].Action = "", ""
	}
	return out
}

func deliveries(p *place) {
	secret := []byte("CANARY-hook-secret-1")
	in := &inbox{ids: map[string]bool{}}
	receiver, err := webhooks.NewReceiver(webhooks.ReceiverConfig{
		Dialect: p.Dialect, Deliveries: in,
		Routes: []webhooks.Route{{Repo: repo, Secrets: [][]byte{[]byte("CANARY-other-secret"), secret}, Wake: func(e webhooks.Event) {
			in.mu.Lock()
			defer in.mu.Unlock()
			in.events = append(in.events, e)
		}}},
	})
	require.NoError(p, err)
	server := httptest.NewServer(receiver)
	p.Cleanup(server.Close)
	p.forge.SetHook(server.URL, secret)

	p.commit("motd", "three\n")
	head := p.git("rev-parse", "HEAD")
	p.git("push", "--quiet", p.remote(), "change")
	p.say(ann, "hello")
	require.Equal(p, []webhooks.Event{
		{Kind: webhooks.Push, Repo: repo, Ref: "refs/heads/change", Commit: head},
		{Kind: webhooks.PullRequest, Repo: repo, Number: 1},
		{Kind: webhooks.Comment, Repo: repo, Number: 1},
	}, in.take())

	sent := p.forge.Deliveries()
	last := sent[len(sent)-1]
	require.Equal(p, http.StatusAccepted, last.Code)
	code, err := p.forge.Redeliver(p.Context(), last.ID)
	require.NoError(p, err)
	require.Equal(p, http.StatusOK, code)
	require.True(p, in.take()[0].Repeated)

	// Signed with another secret: refused, and nobody wakes.
	p.forge.SetHook(server.URL, []byte("CANARY-wrong-secret"))
	code, err = p.forge.Redeliver(p.Context(), last.ID)
	require.NoError(p, err)
	require.Equal(p, http.StatusUnauthorized, code)
	require.Empty(p, in.take())
}
