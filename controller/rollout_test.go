// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/webhooks"
)

// report tells what came of a run with what is published now.
func (m *machine) report(state release.RunState, more func(*release.Report)) {
	m.w.t.Helper()
	m.counter++
	b := m.fetch()
	r := release.Report{
		HostID: m.welcome.HostID, Host: m.name, Counter: m.counter, Sequence: b.Manifest.Sequence, Commit: b.Manifest.Commit,
		Mode: release.ModeApply, Started: m.w.now().UTC(), Finished: m.w.now().UTC(), State: state, Agent: "test",
	}
	if more != nil {
		more(&r)
	}
	data, err := m.id.SignReport(r)
	require.NoError(m.w.t, err)
	m.post("/api/v1/reports", data)
}

// The comment lives on after the merge: it says how far hosts came, with the preview
// below, until all have applied the change.
func TestTheCommentFollowsTheRollout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	_, web, db := w.served()
	number, head := w.propose("louder", louder)
	w.untilStatus(head, webhooks.Success)
	shown := w.comment(number)
	w.merge(number, "squash")
	top := func() string {
		_, body, _ := strings.Cut(w.comment(number).Body, "\n")
		line, _, _ := strings.Cut(body, "\n")
		return line
	}
	w.untilWoken("the rollout is told", func() bool { return strings.HasPrefix(top(), "🚚 Rolling out <code>") })
	require.Contains(t, top(), ": 0/2 hosts applied · 2 waiting")
	after := w.comment(number)
	require.Equal(t, shown.ID, after.ID, "the same comment")
	_, below, _ := strings.Cut(shown.Body, "\n")
	require.Contains(t, after.Body, "<details><summary>What the preview showed</summary>\n\n"+strings.TrimSpace(below))

	web.report(release.StateClean, nil)
	db.report(release.StateDirty, func(r *release.Report) {
		r.Bad = []release.Item{{Key: config.Key{Tag: "Path", Name: "/etc/motd"}, Reason: "CANARYreason"}}
	})
	calls := w.forge.Calls("PATCH", "/issues/comments/")
	w.looks()
	require.Equal(t, calls, w.forge.Calls("PATCH", "/issues/comments/"), "not more than once a minute")
	w.skew.Add(61)
	w.untilWoken("a failure is told", func() bool { return strings.Contains(top(), "1/2 hosts applied · 1 failed (<code>db1</code>)") })

	// What is only reported has not failed.
	db.report(release.StateDirty, func(r *release.Report) {
		r.Mode, r.Bad = release.ModeReport, []release.Item{{Key: config.Key{Tag: "Path", Name: "/etc/motd"}}}
	})
	w.skew.Add(61)
	w.untilWoken("report mode is told", func() bool {
		return strings.Contains(top(), "1/2 hosts applied · 1 in report mode, not applied")
	})

	// What was taken back has failed, whatever else is only reported.
	db.report(release.StateRolledBack, func(r *release.Report) {
		r.Reported, r.Bad = []release.Reported{{Bundle: "base"}}, []release.Item{{Key: config.Key{Tag: "Path", Name: "/etc/motd"}, Bundle: "base"}}
	})
	w.skew.Add(61)
	w.untilWoken("what was taken back is told", func() bool { return strings.Contains(top(), "1/2 hosts applied · 1 failed") })

	// It goes on after a restart, and ends when the last host is there.
	w.stop()
	w.start()
	db.report(release.StateClean, nil)
	w.skew.Add(61)
	w.untilWoken("it is done", func() bool { return strings.HasPrefix(top(), "✅ 2/2 hosts on <code>") })
	require.NotContains(t, w.comment(number).Body, "CANARY")
	calls = w.forge.Calls("PATCH", "/issues/comments/")
	web.report(release.StateFailed, nil)
	w.skew.Add(int64((8 * 24 * time.Hour).Seconds()))
	w.looks()
	require.Equal(t, calls, w.forge.Calls("PATCH", "/issues/comments/"), "what ended stays")
}

// Reports of hosts are told without a webhook or a poll: those of a moment together, and
// not more than once a minute.
func TestReportsMoveTheComment(t *testing.T) {
	t.Parallel()
	w, h := newWorld(t, plain(nil)), &hands{}
	stage := controller.Stage{Clock: h.clock(), HTTP: impatient}
	require.NoError(t, w.tryStart(stage.Open))
	st := w.database()
	web, db := w.enrol(st, "web1"), w.enrol(st, "db1")
	w.untilWoken("the branch is published", func() bool {
		return text(web.fetch(), "/etc/motd") == "hello\n" && text(db.fetch(), "/etc/motd") == "hello\n"
	})
	number, head := w.propose("louder", louder)
	w.untilStatus(head, webhooks.Success)
	w.merge(number, "merge")
	w.untilWoken("the rollout is told", func() bool { return strings.Contains(w.comment(number).Body, ": 0/2 hosts applied") })
	w.looks()

	w.forge.SetHook("", nil)
	edits, looks := w.forge.Calls("PATCH", "/issues/comments/"), w.ended()
	web.report(release.StateClean, nil)
	w.wait("it looks", func() bool { return w.ended() > looks }, func() { h.move(3 * time.Second) })
	require.Equal(t, edits, w.forge.Calls("PATCH", "/issues/comments/"), "within a minute of the last edit")
	db.report(release.StateFailed, nil)
	w.skew.Add(61)
	w.wait("both are told", func() bool {
		return strings.Contains(w.comment(number).Body, "1/2 hosts applied · 1 failed (<code>db1</code>)")
	}, func() { h.move(time.Minute) })
	require.Equal(t, edits+1, w.forge.Calls("PATCH", "/issues/comments/"))

	w.skew.Add(61)
	db.report(release.StateClean, nil)
	w.wait("it is done", func() bool { return strings.Contains(w.comment(number).Body, "✅ 2/2 hosts on <code>") }, func() { h.move(3 * time.Second) })
}

// What was merged and may not be published says so; what was closed says nothing.
func TestTheCommentSaysWhatIsHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	st, web, _ := w.served()
	number, head := w.propose("louder", louder)
	closed, other := w.propose("other", map[string]string{"Cfg/etc/motd/motd": "other\n"})
	w.untilStatus(head, webhooks.Success)
	w.untilStatus(other, webhooks.Success)
	quiet := w.comment(closed).Body
	w.edit(closed, map[string]any{"state": "closed"})
	w.stop()
	w.merge(number, "merge")
	w.direct("broken", broken)
	w.start()
	w.untilSettled(st, w.git("rev-parse", "main"), "refused")
	w.untilWoken("it is told", func() bool { return strings.Contains(w.comment(number).Body, "⏸ Merged as ") })
	require.Contains(t, w.comment(number).Body, "and not published: <code>refused: ")
	require.Equal(t, quiet, w.comment(closed).Body)
	require.Equal(t, "hello\n", text(web.fetch(), "/etc/motd"))
}

// What hosts reported, and what else is open, stands beside what a change does; a base
// that moves says whether the same would come of it.
func TestSurroundingsOfAPreview(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	_, web, _ := w.served()
	web.report(release.StateDirty, func(r *release.Report) {
		r.Bad = []release.Item{{Key: config.Key{Tag: "Path", Name: "/etc/motd", Type: "file"}}}
	})
	first, head := w.propose("louder", louder)
	w.untilStatus(head, webhooks.Success)
	body := w.comment(first).Body
	require.Contains(t, body, "| Already drifted on touched entries | 1 |")
	require.Contains(t, body, "1 host says that it is not as it should be today: <code>web1</code>")
	require.Contains(t, body, "<summary>Commands</summary>")

	second, other := w.propose("other", map[string]string{"Cfg/etc/motd/motd": "other\n"})
	w.untilStatus(other, webhooks.Success)
	require.Contains(t, w.comment(second).Body, "Also touching these hosts: #1 (<code>Path:/etc/motd</code>, 2 hosts).")

	w.direct("elsewhere", map[string]string{"Cfg/etc/other/other": "nobody has it\n"})
	w.untilWoken("it is previewed on the new base", func() bool { return strings.Contains(w.comment(first).Body, " moved by 1 commit ") })
	require.Contains(t, w.comment(first).Body, "still valid")
}

// Facts that nobody confirmed for a week, and hosts that were never there, are counted
// beside what changes; equal answers that come anew are no news, but not old.
func TestOldFactsAndHostsNeverSeenAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	st := w.database()
	db := w.enrol(st, "db1")
	var b *release.Bundle
	w.untilWoken("db1 has its probes", func() bool { b = db.fetch(); return b != nil })
	db.answer(b, map[string]string{"size": "small\n"})
	w.untilWoken("db1 is bound", func() bool { b = db.fetch(); return b.Config != nil })
	say := func(text string) string {
		number, head := w.propose(text, map[string]string{"Cfg/etc/motd/motd": text + "\n"})
		w.untilStatus(head, webhooks.Success)
		return w.comment(number).Body
	}
	body := say("early")
	require.NotContains(t, body, "Facts older than 7 days")
	require.NotContains(t, body, "drifted", "no host has reported")
	require.Contains(t, body, "| Never seen | 1 |")
	w.skew.Add(int64((8 * 24 * time.Hour).Seconds()))
	require.Contains(t, say("late"), "| Facts older than 7 days | 1 |")
	db.answer(b, map[string]string{"size": "small\n"})
	require.NotContains(t, say("later"), "Facts older than 7 days")
	w.enrol(st, "web1")
	require.NotContains(t, say("last"), "Never seen")
}
