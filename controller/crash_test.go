// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller"
	"github.com/bindery/bindery/webhooks"
)

// killAt starts a controller that is killed at its n-th write, and waits for that.
// It tells whether the n-th write came at all: otherwise the work was done before.
func (w *world) killAt(n int, applied bool, done func() bool) bool {
	w.t.Helper()
	fuse := &controller.Fuse{At: n, Applied: applied}
	err := w.tryStart(func(ctx context.Context, c controller.Config) (*controller.Controller, error) {
		ctx, fuse.Kill = context.WithCancel(ctx)
		return fuse.Open(ctx, c)
	})
	if err != nil {
		require.True(w.t, fuse.Blown(), "%v", err)
		return true
	}
	w.untilWoken(fmt.Sprintf("write %d, or the end", n), func() bool { return fuse.Blown() || done() })
	w.stop()
	return fuse.Blown()
}

// everyWrite kills a controller at each write that some work takes, before or after
// it happens; work gives the work of each round, and how to see that it is
// done; check looks at the world after the restart that follows each kill.
func everyWrite(t *testing.T, w *world, kinds []bool, work func(round int) (done func() bool), check func(round int)) (kills int) {
	t.Helper()
	round := 0
	for _, applied := range kinds {
		for n := 1; ; n++ {
			require.Less(t, n, 60, "the work has no end")
			round++
			done := work(round)
			killed := w.killAt(n, applied, done)
			w.start()
			w.untilWoken(fmt.Sprintf("round %d converges after a kill at write %d", round, n), done)
			check(round)
			w.stop()
			if !killed {
				break
			}
			kills++
		}
	}
	return kills
}

// A publication that is killed at any write leaves each host with the old or the
// new release, and the next start finishes it.
func TestAPublicationKilledAtEveryWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	st, web, db := w.served()
	w.stop()
	word := "hello\n"
	// After one write is before the next: nothing else happens in between.
	kills := everyWrite(t, w, []bool{false}, func(round int) func() bool {
		word = fmt.Sprintf("round %d\n", round)
		tip := w.direct(word, map[string]string{"Cfg/etc/motd/motd": word})
		return func() bool { return w.outcome(st).Commit == tip }
	}, func(int) {
		for _, m := range []*machine{web, db} {
			got := m.fetch() // verifies, and never goes back
			require.Equal(t, word, text(got, "/etc/motd"))
			latest, err := st.LatestReleases(t.Context())
			require.NoError(t, err)
			require.Equal(t, got.Manifest.Sequence, latest[m.welcome.HostID].Sequence)
			require.Equal(t, got.Manifest.ConfigMark, latest[m.welcome.HostID].ConfigDigest)
		}
		require.Contains(t, w.trail(st), "branch-unreviewed "+w.git("rev-parse", "main"))
	})
	// Two hosts with four files each, and the rows.
	require.GreaterOrEqual(t, kills, 2*4+4)
}

// What was published and not recorded is read back, also where the branch went back
// meanwhile, so that the record says nothing is to be done.
func TestAReleaseThatWasNotRecordedIsTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	st, web, _ := w.served()
	w.stop()
	start := w.git("rev-parse", "main")
	w.direct("never wanted", louder)
	for n := 1; text(web.fetch(), "/etc/motd") != "HELLO\n"; n++ {
		require.Less(t, n, 40)
		w.killAt(n, true, func() bool { return false })
	}
	w.git("reset", "-q", "--hard", start)
	w.push("main")
	w.start()
	w.untilWoken("the host is back", func() bool { return text(web.fetch(), "/etc/motd") == "hello\n" })
	w.untilSettled(st, start, "published")
}

// A preview that is killed at any write ends in exactly one comment that says the
// newest, one status, and one review of that head.
func TestAPreviewKilledAtEveryWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	st, _, _ := w.served()
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	w.stop()
	w.git("checkout", "-q", "change")
	// Between two writes the forge is told something.
	kills := everyWrite(t, w, []bool{false, true}, func(round int) func() bool {
		head = w.commit("round", map[string]string{"Cfg/etc/motd/motd": fmt.Sprintf("round %d\n", round)})
		w.push("change")
		return func() bool {
			ref, err := st.Ref(t.Context(), repo, fmt.Sprintf("refs/pull/%d", number))
			return err == nil && ref.Commit == head
		}
	}, func(round int) {
		require.Contains(t, w.comment(number).Body, fmt.Sprintf("+round %d", round))
		require.Contains(t, w.comment(number).Body, "head="+head)
		require.Len(t, w.forge.Statuses(head), 1)
		reviews, err := st.ReviewsOfHead(t.Context(), repo, head)
		require.NoError(t, err)
		require.Len(t, reviews, 1)
	})
	require.GreaterOrEqual(t, kills, 2*3)
	// The same for the very first comment of pull requests.
	for n := 1; n <= 4; n++ {
		w.git("checkout", "-q", "main")
		number, head := w.propose(fmt.Sprintf("first-%d", n), louder)
		w.killAt(n, n%2 == 0, func() bool { return w.status(head).State != "" && len(w.forge.Comments(number)) == 1 })
		w.start()
		w.untilStatus(head, webhooks.Success)
		w.looks()
		w.comment(number)
		w.stop()
	}
}

// Two controllers on one state take turns by compare-and-swap: each host has a whole
// release of the newest commit in the end, and the record says so.
func TestTwoControllersOnOneState(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	st, web, db := w.served()
	other := &world{t: t, kind: w.kind, dir: w.dir, log: w.log, forge: w.forge, server: w.server, wire: w.wire}
	other.start()
	var last string
	for round := range 4 {
		last = w.direct("both", map[string]string{"Cfg/etc/motd/motd": fmt.Sprintf("both %d\n", round)})
		w.wake()
		other.wake()
		for _, m := range []*machine{web, db} {
			require.NotNil(t, m.fetch().Config)
		}
	}
	w.untilWoken("they agree", func() bool {
		other.wake()
		return w.outcome(st).Commit == last && text(web.fetch(), "/etc/motd") == "both 3\n" && text(db.fetch(), "/etc/motd") == "both 3\n"
	})
	w.looks()
	other.looks()
	latest, err := st.LatestReleases(t.Context())
	require.NoError(t, err)
	for _, m := range []*machine{web, db} {
		require.Equal(t, "both 3\n", text(m.fetch(), "/etc/motd"))
		require.Equal(t, m.fetch().Manifest.Sequence, latest[m.welcome.HostID].Sequence)
	}
	var sequences []int64
	all, err := st.Releases(t.Context(), web.welcome.HostID, 100)
	require.NoError(t, err)
	for _, r := range all {
		sequences = append(sequences, r.Sequence)
	}
	require.True(t, slices.IsSortedFunc(sequences, func(a, b int64) int { return int(b - a) }))
}
