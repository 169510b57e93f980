// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/webhooks"
)

// plain is basic without a probe.
func plain(more map[string]string) map[string]string {
	files := maps.Clone(basic)
	delete(files, "Probes/size.H_db1")
	maps.Copy(files, more)
	return files
}

// served starts a controller with both hosts enrolled and published.
func (w *world) served() (st *store.Store, web, db *machine) {
	w.t.Helper()
	w.start()
	st = w.database()
	web, db = w.enrol(st, "web1"), w.enrol(st, "db1")
	w.untilWoken("both hosts are served", func() bool {
		return text(web.fetch(), "/etc/motd") == "hello\n" && text(db.fetch(), "/etc/motd") == "hello\n"
	})
	w.looks()
	return st, web, db
}

// A host gets what Decisions says for it with its release, and another list is news.
func TestDecisionListsReachHosts(t *testing.T) {
	t.Parallel()
	list := func(name string) map[string]string {
		return map[string]string{
			"Decisions/whitelist.H_web1": `<Decisions><Decision type="Path" name="` + name + `"/></Decisions>`,
			"Decisions/blacklist":        `<Decisions><Decision type="Service" name="*"/></Decisions>`,
		}
	}
	w := newWorld(t, plain(list("/etc/*")))
	st, web, db := w.served()
	policy := web.fetch().Manifest.Policy
	require.Equal(t, [][2]string{{"Path", "/etc/*"}}, policy.Whitelist)
	require.Equal(t, [][2]string{{"Service", "*"}}, policy.Blacklist)
	require.Empty(t, db.fetch().Manifest.Policy.Whitelist)
	before := db.fetch().Manifest.Sequence
	w.untilSettled(st, w.direct("another list", list("/srv/*")), "published")
	require.Equal(t, [][2]string{{"Path", "/srv/*"}}, web.fetch().Manifest.Policy.Whitelist)
	require.Equal(t, before, db.fetch().Manifest.Sequence)
}

// A host that the specification does not have gets nothing, and only the controller can
// tell why: in its log, once, until the reason is gone.
func TestWhyAHostGetsNoReleaseIsLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	w.start()
	st := w.database()
	stranger := w.enrol(st, "stranger")
	told := func() []string { return linesWith(w.log.String(), "a host gets no release") }
	w.untilWoken("the reason is told", func() bool { return told() != nil })
	require.Contains(t, told()[0], "host=stranger")
	require.Contains(t, told()[0], "clients.xml")
	w.untilSettled(st, w.direct("something else", map[string]string{"Cfg/etc/motd/motd": "else\n"}), "published")
	require.Len(t, told(), 1)
	w.direct("welcome", map[string]string{
		"Metadata/clients.xml": `<Clients><Client name="web1" profile="web"/><Client name="db1" profile="db"/><Client name="stranger" profile="db"/></Clients>`,
	})
	w.untilWoken("it is served", func() bool { return stranger.fetch() != nil })
	require.Len(t, told(), 1)
}

var broken = map[string]string{"Bundler/motd.xml": "<Bundle>\n  <Path\n</Bundle>\n"}

func TestABrokenCommitIsRefusedWhileTheLastGoodOneIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	w.start()
	st := w.database()
	web := w.enrol(st, "web1")
	w.untilWoken("web1 is served", func() bool { return text(web.fetch(), "/etc/motd") == "hello\n" })
	before := web.fetch().Manifest.Sequence
	bad := w.direct("broken", broken)
	ref := w.untilSettled(st, bad, "refused")
	require.Contains(t, ref.Detail, "Bundler/motd.xml:3:")
	require.Equal(t, before, web.fetch().Manifest.Sequence)
	require.Contains(t, w.trail(st), "branch-refused "+bad)

	// A host that enrols meanwhile gets the last good commit, also after a restart.
	w.stop()
	w.start()
	db := w.enrol(st, "db1")
	w.untilWoken("db1 is served", func() bool { return text(db.fetch(), "/etc/motd") == "hello\n" })
	require.NotEqual(t, bad, db.fetch().Manifest.Commit)

	good := w.direct("mended", map[string]string{"Bundler/motd.xml": basic["Bundler/motd.xml"], "Cfg/etc/motd/motd": "mended\n"})
	w.untilSettled(st, good, "published")
	require.Equal(t, "mended\n", text(web.fetch(), "/etc/motd"))
	require.Equal(t, "mended\n", text(db.fetch(), "/etc/motd"))
}

// Facts are taken and answered while the branch is refused, also after a restart.
func TestFactsAreAnsweredWhileTheBranchIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	st := w.database()
	db := w.enrol(st, "db1")
	var waiting *release.Bundle
	w.untilWoken("db1 has its probes", func() bool { waiting = db.fetch(); return waiting != nil })
	bad := w.direct("broken", broken)
	w.untilSettled(st, bad, "refused")
	w.stop()
	w.start()
	w.looks()
	db.answer(waiting, map[string]string{"size": "group:big\n"})
	w.untilWoken("db1 is bound with its facts", func() bool { return text(db.fetch(), "/etc/big") == "big\n" })
	require.Equal(t, "refused", w.outcome(st).Outcome)
}

// failure is why an entry of a host is published as failed; "" where it is not.
func failure(b *release.Bundle, path string) string {
	for _, k := range b.Config.Keyed() {
		if k.Key.Name == path {
			return k.Entry.Failure
		}
	}
	return ""
}

func TestAHostWhoseEntryNoLongerBindsIsHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(map[string]string{"Cfg/etc/issue/issue": "one\n", "Bundler/motd.xml": `<Bundle name="motd"><Path name="/etc/motd"/><Path name="/etc/issue"/></Bundle>` + "\n"}))
	st, web, db := w.served()
	before := web.fetch()
	// Only db1 has a variant now; web1's entry does not bind.
	first := w.direct("worse", map[string]string{"Cfg/etc/motd/motd": "", "Cfg/etc/motd/motd.H_db1": "db\n"})
	ref := w.untilSettled(st, first, "published")
	require.Contains(t, ref.Detail, "1 hosts keep their last release: web1")
	require.Equal(t, before.Manifest.Sequence, web.fetch().Manifest.Sequence)
	require.Equal(t, "db\n", text(db.fetch(), "/etc/motd"))

	// The next commit compares web1 with what web1 has, not with the commit before.
	second := w.direct("more", map[string]string{"Cfg/etc/issue/issue": "two\n"})
	ref = w.untilSettled(st, second, "published")
	require.Contains(t, ref.Detail, "1 hosts keep their last release: web1")
	require.Equal(t, before.Manifest.Sequence, web.fetch().Manifest.Sequence)
	require.Equal(t, "two\n", text(db.fetch(), "/etc/issue"))

	// A restart changes nothing, and a host that never had anything is not held.
	w.stop()
	w.start()
	w.looks()
	require.Equal(t, before.Manifest.Sequence, web.fetch().Manifest.Sequence)
	require.Equal(t, "one\n", text(web.fetch(), "/etc/issue"))

	third := w.direct("mended", map[string]string{"Cfg/etc/motd/motd": "all\n"})
	ref = w.untilSettled(st, third, "published")
	require.NotContains(t, ref.Detail, "keep")
	require.Equal(t, "all\n", text(web.fetch(), "/etc/motd"))
	require.Equal(t, "two\n", text(web.fetch(), "/etc/issue"))
}

func TestANewHostIsNotHeldByWhatItNeverHad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	w.start()
	st := w.database()
	db := w.enrol(st, "db1")
	w.untilWoken("db1 is served", func() bool { return text(db.fetch(), "/etc/motd") == "hello\n" })
	commit := w.direct("worse", map[string]string{"Cfg/etc/motd/motd": "", "Cfg/etc/motd/motd.H_db1": "db\n"})
	w.untilSettled(st, commit, "published")
	web := w.enrol(st, "web1")
	w.untilWoken("web1 is served", func() bool { return web.fetch() != nil })
	require.NotEmpty(t, failure(web.fetch(), "/etc/motd"))
}

func TestAnEntryThatNeverBoundIsPublishedAsFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(map[string]string{"Bundler/motd.xml": `<Bundle name="motd"><Path name="/etc/motd"/><Path name="/etc/nothing"/></Bundle>` + "\n"}))
	_, web, _ := w.served()
	require.NotEmpty(t, failure(web.fetch(), "/etc/nothing"))
	require.Empty(t, failure(web.fetch(), "/etc/motd"))
}

func TestADirectPushIsAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	st, web, _ := w.served()
	tip := w.direct("unseen", louder)
	ref := w.untilSettled(st, tip, "published")
	require.Equal(t, "not reviewed: Path:/etc/motd on db1, web1", ref.Detail)
	require.Equal(t, "HELLO\n", text(web.fetch(), "/etc/motd"))
	require.Contains(t, w.trail(st), "branch-unreviewed "+tip+": not reviewed: Path:/etc/motd")
	// It stays known, and is announced once.
	w.looks()
	w.stop()
	w.start()
	w.looks()
	require.Equal(t, ref.Detail, w.outcome(st).Detail)
	require.Len(t, linesWith(w.trail(st), "branch-unreviewed"), 1)
}

// A branch that goes on and back again is announced again: what was said once is no
// leave for ever.
func TestWhatWasAnnouncedOnceIsAnnouncedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	st, web, _ := w.served()
	loud := w.direct("unseen", louder)
	w.untilSettled(st, loud, "published")
	calm := w.direct("calm", map[string]string{"Cfg/etc/motd/motd": "calm\n"})
	w.untilSettled(st, calm, "published")
	w.git("reset", "-q", "--hard", loud)
	w.push("main")
	w.untilWoken("it is published again", func() bool { return text(web.fetch(), "/etc/motd") == "HELLO\n" })
	w.untilSettled(st, loud, "published")
	require.Len(t, linesWith(w.trail(st), "branch-unreviewed "+loud), 2)

	// Where policy holds what nobody reviewed, no announcement of before counts.
	w.stop()
	w.replaceSetting("state: state", "state: state\npublish: {unreviewed: hold}")
	w.git("reset", "-q", "--hard", calm)
	w.push("main")
	w.start()
	w.untilSettled(st, calm, "held")
	require.Equal(t, "HELLO\n", text(web.fetch(), "/etc/motd"))
}

func TestADirectPushIsHeldWherePolicySaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil), "publish: {unreviewed: hold}")
	st, web, _ := w.served()
	tip := w.direct("unseen", louder)
	ref := w.untilSettled(st, tip, "held")
	require.Contains(t, ref.Detail, "Path:/etc/motd on db1, web1")
	require.Equal(t, "hello\n", text(web.fetch(), "/etc/motd"))

	// What is merged on top does not carry it along.
	number, head := w.propose("change", map[string]string{"Cfg/etc/motd/motd": "reviewed\n"})
	w.untilStatus(head, webhooks.Success)
	w.merge(number, "merge")
	w.untilSettled(st, w.git("rev-parse", "main"), "held")
	require.Equal(t, "hello\n", text(web.fetch(), "/etc/motd"))
}

// A pull request that puts a direct push right again leaves nothing unreviewed.
func TestAReviewedMergeIsPublishedUnderHold(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"merge", "squash", "rebase"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, plain(nil), "publish: {unreviewed: hold}")
			st, web, db := w.served()
			number, _ := w.propose("change", louder)
			w.git("checkout", "-q", "change")
			head := w.commit("second", map[string]string{"Cfg/etc/motd/motd": "HELLO!\n"})
			w.push("change")
			w.untilStatus(head, webhooks.Success)
			w.merge(number, method)
			ref := w.untilSettled(st, w.git("rev-parse", "main"), "published")
			require.Empty(t, ref.Detail)
			require.Equal(t, "HELLO!\n", text(web.fetch(), "/etc/motd"))
			require.Equal(t, "HELLO!\n", text(db.fetch(), "/etc/motd"))
		})
	}
}

// Two merges that the controller sees at once were both reviewed, also where the
// second builds on the first.
func TestTwoQuickMergesWereReviewed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(map[string]string{"Cfg/etc/issue/issue": "one\n", "Bundler/motd.xml": `<Bundle name="motd"><Path name="/etc/motd"/><Path name="/etc/issue"/></Bundle>` + "\n"}),
		"publish: {unreviewed: hold}")
	st, web, _ := w.served()
	one, first := w.propose("one", louder)
	two, second := w.propose("two", map[string]string{"Cfg/etc/issue/issue": "two\n"})
	w.untilStatus(first, webhooks.Success)
	w.untilStatus(second, webhooks.Success)
	w.stop()
	w.merge(one, "squash")
	w.merge(two, "merge")
	w.start()
	ref := w.untilSettled(st, w.git("rev-parse", "main"), "published")
	require.Empty(t, ref.Detail)
	require.Equal(t, "HELLO\n", text(web.fetch(), "/etc/motd"))
	require.Equal(t, "two\n", text(web.fetch(), "/etc/issue"))
}

// A commit pushed to a reviewed branch right before the merge was not reviewed.
func TestWhatWasPushedAfterTheReviewIsNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil), "publish: {unreviewed: hold}")
	st, web, _ := w.served()
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	w.stop()
	w.git("checkout", "-q", "change")
	w.commit("sneaked in", map[string]string{"Cfg/etc/motd/motd": "sneaky\n"})
	w.push("change")
	w.merge(number, "squash")
	w.start()
	w.untilSettled(st, w.git("rev-parse", "main"), "held")
	require.Equal(t, "hello\n", text(web.fetch(), "/etc/motd"))
}

func TestAForcePushOfTheBranchIsFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	st, web, _ := w.served()
	start := w.git("rev-parse", "main")
	w.direct("one", louder)
	w.untilWoken("it is published", func() bool { return text(web.fetch(), "/etc/motd") == "HELLO\n" })
	w.git("reset", "-q", "--hard", start)
	w.push("main")
	w.untilWoken("the branch is put back", func() bool { return text(web.fetch(), "/etc/motd") == "hello\n" })
	// While the controller looks, the branch moves on and on: the newest wins.
	var last string
	for _, word := range []string{"a\n", "b\n", "c\n", "d\n"} {
		w.git("reset", "-q", "--hard", start)
		last = w.direct(word, map[string]string{"Cfg/etc/motd/motd": word})
	}
	w.untilSettled(st, last, "published")
	require.Equal(t, "d\n", text(web.fetch(), "/etc/motd"))
}

// What the tree of the last release would show too with today's answers is said to
// come from the answers, and held by nothing.
func TestFactsAreLabelledAndFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic, "publish: {unreviewed: hold}")
	w.start()
	st := w.database()
	db := w.enrol(st, "db1")
	var b *release.Bundle
	w.untilWoken("db1 has its probes", func() bool { b = db.fetch(); return b != nil })
	db.answer(b, map[string]string{"size": "small\n"})
	w.untilWoken("db1 is bound", func() bool { b = db.fetch(); return b.Config != nil })
	w.looks()
	require.NotContains(t, w.trail(st), "facts db1")
	db.answer(b, map[string]string{"size": "group:big\n"})
	w.untilWoken("db1 is big", func() bool { return text(db.fetch(), "/etc/big") == "big\n" })
	w.looks()
	require.Len(t, linesWith(w.trail(st), "facts db1: changed by their own answers"), 1)
	require.Equal(t, "published", w.outcome(st).Outcome)
	require.Empty(t, w.outcome(st).Detail)
}

// Facts that came after the review are no reason to hold what was reviewed.
func TestFactsBetweenReviewAndMerge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic, "publish: {unreviewed: hold}")
	w.start()
	st := w.database()
	db := w.enrol(st, "db1")
	var b *release.Bundle
	w.untilWoken("db1 has its probes", func() bool { b = db.fetch(); return b != nil })
	db.answer(b, map[string]string{"size": "small\n"})
	w.untilWoken("db1 is bound", func() bool { b = db.fetch(); return b.Config != nil })
	number, head := w.propose("change", map[string]string{"Cfg/etc/big/big": "bigger\n"})
	w.untilStatus(head, webhooks.Success)
	db.answer(b, map[string]string{"size": "group:big\n"})
	w.untilWoken("db1 is big", func() bool { return text(db.fetch(), "/etc/big") == "big\n" })
	w.looks()
	w.merge(number, "merge")
	ref := w.untilSettled(st, w.git("rev-parse", "main"), "published")
	require.Empty(t, ref.Detail)
	require.Equal(t, "bigger\n", text(db.fetch(), "/etc/big"))
}
