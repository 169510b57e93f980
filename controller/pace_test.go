// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller"
	"github.com/bindery/bindery/internal/schedule"
	"github.com/bindery/bindery/internal/transport"
	"github.com/bindery/bindery/webhooks"
)

// brake stops builds for as long as it is pulled.
type brake struct {
	mu      sync.Mutex
	pulled  bool
	entered int
	dropped int
}

func (b *brake) set(pulled bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pulled = pulled
}

func (b *brake) counts() (entered, dropped int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.entered, b.dropped
}

// building is what comes before each build.
func (b *brake) building(ctx context.Context, _ string) error {
	b.mu.Lock()
	held := b.pulled
	if held {
		b.entered++
	}
	b.mu.Unlock()
	for held {
		select {
		case <-ctx.Done():
			b.mu.Lock()
			b.dropped++
			b.mu.Unlock()
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
		b.mu.Lock()
		held = b.pulled
		b.mu.Unlock()
	}
	return nil
}

// hands is a clock that a test moves on.
type hands struct {
	mu    sync.Mutex
	ahead time.Duration
	waits map[chan time.Time]time.Time
}

func (h *hands) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.ahead)
}

func (h *hands) after(d time.Duration) (<-chan time.Time, func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := make(chan time.Time, 1)
	if h.waits == nil {
		h.waits = map[chan time.Time]time.Time{}
	}
	h.waits[c] = time.Now().Add(h.ahead + d)
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.waits, c)
	}
}

// move moves the clock on and rings what is due.
func (h *hands) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ahead += d
	now := time.Now().Add(h.ahead)
	for c, at := range h.waits {
		if !at.After(now) {
			c <- now
			delete(h.waits, c)
		}
	}
}

func (h *hands) clock() schedule.Clock { return schedule.Clock{Now: h.now, After: h.after} }

// impatient is for tests that make the forge fail.
var impatient = transport.Config{MinWait: time.Millisecond, MaxWait: 5 * time.Millisecond}

// A push while the preview is built cancels that, and the newest is shown alone.
func TestAForcePushDuringABuild(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{atGitHub, atGitea, atGitLab} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w, b := newWorldAt(t, k, basic), &brake{}
			stage := controller.Stage{Building: b.building}
			require.NoError(t, w.tryStart(stage.Open))
			w.looks()
			b.set(true)
			number, old := w.propose("change", louder)
			w.untilWoken("the build begins", func() bool { n, _ := b.counts(); return n == 1 })
			w.git("checkout", "-q", "-B", "change", "main")
			head := w.commit("other", map[string]string{"Cfg/etc/motd/motd": "Hello\n"})
			w.push("change") // its delivery says so
			w.until("the build is dropped", func() bool { _, n := b.counts(); return n == 1 })
			b.set(false)
			w.untilStatus(head, webhooks.Success)
			require.Contains(t, w.comment(number).Body, "+Hello")
			require.Contains(t, w.comment(number).Body, "seq=1 ")
			require.Empty(t, w.forge.Statuses(old))
			require.Len(t, w.forge.Statuses(head), 1)
			require.Contains(t, w.log.String(), "superseded")
			require.NotContains(t, w.log.String(), "preview failed")
		})
	}
}

// The branch is published while the preview of a pull request takes its time, which
// gives way twice and no more.
func TestAPreviewGivesWayToThePublication(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t, plain(nil)), &brake{}
	stage := controller.Stage{Building: b.building}
	require.NoError(t, w.tryStart(stage.Open))
	st := w.database()
	web := w.enrol(st, "web1")
	w.untilWoken("the branch is published", func() bool { return text(web.fetch(), "/etc/motd") == "hello\n" })
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	w.git("checkout", "-q", "change")
	b.set(true)
	head = w.commit("slow", map[string]string{"Cfg/etc/motd/motd": "HELLO!\n"})
	w.push("change")
	w.untilWoken("the build begins", func() bool { n, _ := b.counts(); return n == 1 })
	tip := w.direct("more", map[string]string{"Bundler/other.xml": `<Bundle name="other"/>` + "\n"})
	w.until("the build is dropped", func() bool { _, n := b.counts(); return n == 1 })
	b.set(false)
	w.untilSettled(st, tip, "published")
	w.untilStatus(head, webhooks.Success)
	require.Contains(t, w.comment(number).Body, "base="+tip)
	require.Contains(t, w.comment(number).Body, "+HELLO!")
}

// A pull request that is closed while it is built is dropped.
func TestAClosedPullRequestIsNotBuiltToTheEnd(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t, basic), &brake{}
	stage := controller.Stage{Building: b.building}
	require.NoError(t, w.tryStart(stage.Open))
	w.looks()
	b.set(true)
	number, head := w.propose("change", louder)
	w.untilWoken("the build begins", func() bool { n, _ := b.counts(); return n == 1 })
	w.edit(number, map[string]any{"state": "closed"})
	w.until("the build is dropped", func() bool { _, n := b.counts(); return n == 1 })
	b.set(false)
	w.looks()
	require.Empty(t, w.forge.Comments(number))
	require.Empty(t, w.forge.Statuses(head))
}

// Two pushes within a moment are one preview more, of the second.
func TestPushesInQuickSuccessionAreOnePreview(t *testing.T) {
	t.Parallel()
	w, h := newWorld(t, basic), &hands{}
	stage := controller.Stage{Clock: h.clock()}
	require.NoError(t, w.tryStart(stage.Open))
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	w.git("checkout", "-q", "change")
	for i := range 3 {
		h.move(time.Millisecond)
		head = w.commit("more", map[string]string{"Cfg/etc/motd/motd": fmt.Sprintf("HELLO %d\n", i)})
		w.push("change")
	}
	h.move(4 * time.Second)
	w.untilStatus(head, webhooks.Success)
	require.Contains(t, w.comment(number).Body, "+HELLO 2")
	require.LessOrEqual(t, strings.Count(w.log.String(), "msg=previewed"), 3)
}

// An hour without the forge, by the clock of the test, and without any webhook: it is
// asked less and less often, and polls alone find what people did meanwhile.
func TestAnHourWithoutTheForge(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{atGitHub, atGitea, atGitLab} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w, h := newWorldAt(t, k, plain(nil)), &hands{}
			w.replaceSetting(`poll: "@every 24h"`, `poll: "@every 1m"`)
			stage := controller.Stage{Clock: h.clock(), HTTP: impatient}
			require.NoError(t, w.tryStart(stage.Open))
			st, number, head := w.database(), 0, ""
			web := w.enrol(st, "web1")
			w.untilWoken("the branch is published", func() bool { return text(web.fetch(), "/etc/motd") == "hello\n" })
			w.looks()
			w.forge.SetHook("", nil) // its deliveries are lost, too
			w.wire.setDown(true)
			tip := w.direct("more", map[string]string{"Cfg/etc/motd/motd.H_db1": "db\n"})
			number, head = w.propose("change", louder)
			id := w.say(number, alice, "/bindery show web1")
			for range 60 {
				before := w.ended()
				h.move(time.Minute)
				// Either it looks, or it waits longer.
				for range 20 {
					if w.ended() > before {
						break
					}
					time.Sleep(5 * time.Millisecond)
				}
			}
			require.Less(t, w.ended(), 40, "it backs off")
			require.Empty(t, w.forge.Statuses(head))
			require.Equal(t, "hello\n", text(web.fetch(), "/etc/motd"))

			w.wire.setDown(false)
			w.wait("everything is found", func() bool {
				return w.outcome(st).Commit == tip && w.status(head).State == string(webhooks.Success) && strings.HasSuffix(w.reactions(id), "+1")
			}, func() { h.move(time.Minute) })
			preview, answer := w.ours(number)
			require.Contains(t, preview, "+HELLO")
			require.Contains(t, answer, "Bundle motd")
			require.Len(t, w.forge.Statuses(head), 1)
		})
	}
}
