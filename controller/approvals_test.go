// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/forgetest"
)

var (
	bob   = forgetest.User{ID: 21, Login: "bob"}
	carol = forgetest.User{ID: 22, Login: "Carol"}
)

// guarded is the plain specification with an assertion about what hosts get, and one
// about changes, which two people have to approve.
func guarded(more map[string]string) map[string]string {
	files := plain(map[string]string{"tests/motd.yaml": `assertions:
  - name: no shouting
    why: people are asleep
    entry: Path:/etc/motd
    no_lines_match: ["^[A-Z!]+$"]
  - name: one at a time
    entry: Path:/etc/issue
    max_changed: 1
    approvals: 2
`})
	files["Bundler/motd.xml"] = `<Bundle name="motd"><Path name="/etc/motd"/><Path name="/etc/issue"/></Bundle>` + "\n"
	files["Cfg/etc/issue/issue"] = "one\n"
	for name, text := range more {
		files[name] = text
	}
	return files
}

func newGuarded(t *testing.T, k kind, more map[string]string, extra ...string) *world {
	t.Helper()
	w := newWorldAt(t, k, guarded(more), extra...)
	w.forge.Admit(eveToken, eve)
	w.forge.Admit("token-of-bob-012345", bob)
	w.forge.Admit("token-of-carol-0123", carol)
	return w
}

// approves approves as somebody, and waits for the reaction.
func (w *world) approves(number int, u forgetest.User, hash, reaction string) string {
	w.t.Helper()
	id := w.say(number, u, "/bindery approve "+hash)
	w.untilWoken(u.Login+" is heard", func() bool { return strings.HasSuffix(w.reactions(id), reaction) })
	_, answer := w.ours(number)
	return answer
}

// findings are those of the newest review.
func (w *world) findings(st *store.Store, number int) []review.Finding {
	w.t.Helper()
	r, err := st.LatestReview(w.t.Context(), repo, number)
	require.NoError(w.t, err)
	var out struct{ Findings []review.Finding }
	require.NoError(w.t, json.Unmarshal(r.Body, &out))
	return out.Findings
}

func TestAFindingIsApprovedByItsHash(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{atGitHub, atGitea, atGitLab} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := newGuarded(t, k, nil)
			st, web, db := w.served()
			number, head := w.propose("change", louder)
			failure := webhooks.Failure
			if k.name == atGitLab.name {
				failure = "failed" // as it is called there
			}
			w.untilStatus(head, failure)
			require.Contains(t, w.status(head).Description, "1 assertion does not hold")
			preview, _ := w.ours(number)
			require.Contains(t, preview, "tests/motd.yaml:2:5")
			hash := w.findings(st, number)[0].Hash
			require.Contains(t, preview, "/bindery approve "+hash)

			require.Contains(t, w.approves(number, alice, hash, "-1"), "Somebody else", "the author does not")
			w.approves(number, eve, hash, "-1")
			require.Contains(t, w.approves(number, bob, strings.Repeat("0", 32), "-1"), hash)
			w.looks()
			require.Equal(t, string(failure), w.status(head).State)
			require.Contains(t, w.approves(number, bob, hash, "+1"), "1 of 1 approvals")
			w.untilStatus(head, webhooks.Success)
			preview, _ = w.ours(number)
			require.Contains(t, preview, "approved by <code>bob</code>")
			trail := w.trail(st)
			require.Contains(t, trail, "finding-approved "+hash)
			require.NotContains(t, trail, "alice finding")

			// What says something else is not approved, what says the same is.
			w.git("checkout", "-q", "change")
			same := w.commit("elsewhere", map[string]string{"Cfg/etc/motd/motd": "HELLO\nworld\n"})
			w.push("change")
			w.untilStatus(same, webhooks.Success)
			other := w.commit("more of it", map[string]string{"tests/more.yaml": "assertions: [{name: another, entry: 'Path:/etc/none', exists: true}]\n"})
			w.push("change")
			w.untilStatus(other, failure)
			found := w.findings(st, number)
			require.Len(t, found, 2)
			require.NotEqual(t, found[0].Hash, found[1].Hash)
			for _, f := range found {
				if f.Hash != hash {
					w.approves(number, bob, f.Hash, "+1")
				}
			}
			w.untilStatus(other, webhooks.Success)

			w.merge(number, "squash")
			ref := w.untilSettled(st, w.git("rev-parse", "main"), "published")
			require.Empty(t, ref.Detail)
			require.Equal(t, "HELLO\nworld\n", text(web.fetch(), "/etc/motd"))
			require.Equal(t, "HELLO\nworld\n", text(db.fetch(), "/etc/motd"))

			// What is published is approved for good.
			_, next := w.propose("next", map[string]string{"Cfg/etc/motd/motd": "HELLO\nall\n"})
			w.untilStatus(next, webhooks.Success)
		})
	}
}

func TestSeveralPeopleApproveAndTakeBack(t *testing.T) {
	t.Parallel()
	w := newGuarded(t, atGitHub, nil)
	st, _, _ := w.served()
	number, head := w.propose("change", map[string]string{"Cfg/etc/issue/issue": "two\n"})
	w.untilStatus(head, webhooks.Failure)
	hash := w.findings(st, number)[0].Hash
	w.approves(number, bob, hash, "+1")
	require.Contains(t, w.approves(number, bob, hash, "+1"), "1 of 2 approvals", "nobody counts twice")
	w.looks()
	require.Equal(t, "failure", w.status(head).State)
	w.approves(number, carol, hash, "+1")
	w.untilStatus(head, webhooks.Success)
	id := w.say(number, carol, "/bindery unapprove "+hash)
	w.untilWoken("it is taken back", func() bool { return strings.HasSuffix(w.reactions(id), "+1") })
	w.untilStatus(head, webhooks.Failure)
	require.Contains(t, w.trail(st), "finding-unapproved "+hash)

	// Merged all the same it is held, until the merged pull request has it approved.
	w.merge(number, "merge")
	tip := w.git("rev-parse", "main")
	ref := w.untilSettled(st, tip, "held")
	require.Contains(t, ref.Detail, "tests/motd.yaml:6:5")
	require.Contains(t, ref.Detail, hash)
	w.approves(number, carol, hash, "+1")
	w.untilSettled(st, tip, "published")
}

func TestADirectPushThatBreaksAnAssertionIsHeld(t *testing.T) {
	t.Parallel()
	w := newGuarded(t, atGitHub, nil)
	st, web, _ := w.served()
	tip := w.direct("loud", louder)
	ref := w.untilSettled(st, tip, "held")
	require.Contains(t, ref.Detail, `the assertion "no shouting" does not hold`)
	require.Regexp(t, regexp.MustCompile(`its hash is [0-9a-f]{32}`), ref.Detail)
	require.Equal(t, "hello\n", text(web.fetch(), "/etc/motd"))
	tip = w.direct("quiet", map[string]string{"Cfg/etc/motd/motd": "hush\n"})
	w.untilSettled(st, tip, "published")
	require.Equal(t, "hush\n", text(web.fetch(), "/etc/motd"))
}

// Two merges that the controller sees at once need no approval of what both do
// together, where each had what it needed.
func TestTwoQuickMergesWereEachApproved(t *testing.T) {
	t.Parallel()
	limit := map[string]string{"tests/motd.yaml": `assertions:
  - name: one at a time
    max_changed: 1
  - name: no shouting
    entry: Path:/etc/*
    no_lines_match: ["^[A-Z!]+$"]
`, "Cfg/etc/issue/issue.H_db1": "db\n"}
	w := newGuarded(t, atGitHub, limit)
	st, web, _ := w.served()
	one, first := w.propose("one", map[string]string{"Cfg/etc/issue/issue": "ONE\n"})
	two, second := w.propose("two", map[string]string{"Cfg/etc/issue/issue.H_db1": "DB\n"})
	w.untilStatus(first, webhooks.Failure)
	w.untilStatus(second, webhooks.Failure)
	for number, head := range map[int]string{one: first, two: second} {
		found := w.findings(st, number)
		require.Len(t, found, 1, "one host each is within the limit")
		w.approves(number, bob, found[0].Hash, "+1")
		w.untilStatus(head, webhooks.Success)
	}
	w.stop()
	w.merge(one, "squash")
	w.merge(two, "merge")
	w.start()
	ref := w.untilSettled(st, w.git("rev-parse", "main"), "published")
	require.Empty(t, ref.Detail)
	require.Equal(t, "ONE\n", text(web.fetch(), "/etc/issue"))
}

// The queue wants what the reviews had approved, and nothing else.
func TestAMergeQueueKnowsApprovals(t *testing.T) {
	t.Parallel()
	w := newGuarded(t, atGitHub, nil)
	st, _, _ := w.served()
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Failure)
	main := w.git("rev-parse", "main")
	merged := w.enqueue(number, main, head, nil)
	w.untilStatus(merged, webhooks.Failure)
	w.approves(number, bob, w.findings(st, number)[0].Hash, "+1")
	w.untilStatus(merged, webhooks.Success)
	more := w.enqueue(number, main, head, map[string]string{"Cfg/etc/issue/issue": "two\n"})
	w.untilStatus(more, webhooks.Failure)
	require.Contains(t, w.status(more).Description, "1 assertion does not hold")
}

// A mistake in an assertion is an error of the specification, whoever made it.
func TestAMalformedAssertionFailsTheCheck(t *testing.T) {
	t.Parallel()
	w := newGuarded(t, atGitHub, nil)
	w.start()
	number, head := w.propose("change", map[string]string{"tests/motd.yaml": "assertions:\n  - name: x\n    lines: [a]\n    keep: true\n"}, "fork")
	w.untilStatus(head, webhooks.Failure)
	preview, _ := w.ours(number)
	require.Contains(t, preview, "tests/motd.yaml:4:5")
}
