// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/webhooks"
)

func (w *world) edit(number int, change map[string]any) {
	w.t.Helper()
	w.call(http.MethodPatch, fmt.Sprintf("/repos/%s/pulls/%d", repo, number), change)
}

func TestADraftGetsItsStatusAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	number, head := w.propose("change", louder, "draft")
	w.untilStatus(head, webhooks.Success)
	require.Empty(t, w.forge.Comments(number))
	w.edit(number, map[string]any{"draft": false})
	w.untilWoken("ready for review, it gets its comment", func() bool { return len(w.forge.Comments(number)) == 1 })
}

func TestACommentThatAPersonDeletedComesBackOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	// The fake lets the author alone delete; a maintainer's deletion looks the same.
	w.callAs(botToken, http.MethodDelete, fmt.Sprintf("/repos/%s/issues/comments/%d", repo, w.comment(number).ID), nil)
	w.looks()
	require.Empty(t, w.forge.Comments(number), "the same is not said again")
	w.git("checkout", "-q", "change")
	head = w.commit("more", map[string]string{"Cfg/etc/motd/motd": "HELLO!\n"})
	w.push("change")
	w.untilStatus(head, webhooks.Success)
	require.Contains(t, w.comment(number).Body, "+HELLO!")
}

func TestACommentIsEditedAfterARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	first := w.comment(number)
	w.stop()
	w.start()
	w.looks()
	require.Equal(t, first, w.comment(number))
	require.Len(t, w.forge.Statuses(head), 1)

	// A force-push of the head, while nobody looks.
	w.stop()
	w.git("checkout", "-q", "change")
	w.git("reset", "-q", "--hard", "main")
	again := w.commit("other", map[string]string{"Cfg/etc/motd/motd": "Hello\n"})
	w.push("change")
	w.start()
	w.untilStatus(again, webhooks.Success)
	second := w.comment(number)
	require.Equal(t, first.ID, second.ID)
	require.Contains(t, second.Body, "+Hello")
	require.NotContains(t, second.Body, "+HELLO")
	require.Contains(t, second.Body, "seq=2")
}

func TestAChangeOfNothingPostsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	number, head := w.propose("change", map[string]string{"README": "words\n"})
	w.untilStatus(head, webhooks.Success)
	require.Equal(t, "No host is affected · without the facts of 1 host", w.status(head).Description)
	require.Empty(t, w.forge.Comments(number))

	// One that changed something and no longer does says so in the comment it has.
	w.git("checkout", "-q", "change")
	head = w.commit("loud", louder)
	w.push("change")
	w.untilStatus(head, webhooks.Success)
	w.comment(number)
	head = w.commit("calm", map[string]string{"Cfg/etc/motd/motd": "hello\n"})
	w.push("change")
	w.untilStatus(head, webhooks.Success)
	require.Contains(t, w.comment(number).Body, "No host is affected")
}

func TestAClosedPullRequestIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	body := w.comment(number)
	w.edit(number, map[string]any{"state": "closed"})
	w.git("checkout", "-q", "change")
	later := w.commit("more", map[string]string{"Cfg/etc/motd/motd": "HELLO!\n"})
	w.push("change")
	w.looks()
	require.Equal(t, body, w.comment(number))
	require.Empty(t, w.forge.Statuses(later))
	w.edit(number, map[string]any{"state": "open"})
	w.untilWoken("opened again, it is previewed", func() bool { return w.comment(number).Body != body.Body })
}

// Templates are programs, so nothing of a stranger's is run.
func TestAForkIsReadAndNotBuilt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	number, head := w.propose("change", louder, "fork")
	w.untilStatus(head, webhooks.Pending)
	body := w.comment(number).Body
	require.Contains(t, body, "🔒 from a fork, so it was read and not built")
	require.NotContains(t, body, "HELLO")

	_, head = w.propose("worse", map[string]string{"Bundler/motd.xml": "<Bundle>\n"}, "fork")
	w.untilStatus(head, webhooks.Failure)
	require.Contains(t, w.status(head).Description, "1 new error")
}

func TestAConflictNamesItsFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	w.direct("conflicting", map[string]string{"Cfg/etc/motd/motd": "moin\n"})
	w.untilStatus(head, webhooks.Failure)
	require.Contains(t, w.status(head).Description, "does not merge: 1 file is in conflict")
	require.Contains(t, w.comment(number).Body, "<code>Cfg/etc/motd/motd</code>")

	w.git("checkout", "-q", "-B", "change", "main")
	again := w.commit("resolved", louder)
	w.push("change")
	w.untilStatus(again, webhooks.Success)
	require.Contains(t, w.comment(number).Body, "-moin")
}

func TestABaseThatMovedIsComparedAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	first := w.comment(number)
	base := w.direct("elsewhere", map[string]string{"Cfg/etc/big/big": "bigger\n"})
	w.untilWoken("the comment names the new base", func() bool { return w.comment(number).Body != first.Body })
	second := w.comment(number)
	require.Equal(t, first.ID, second.ID)
	require.Contains(t, second.Body, "base="+base)
	require.NotContains(t, second.Body, "bigger", "what the base brought is not the pull request's")
	require.Equal(t, string(webhooks.Success), w.status(head).State)
}

func TestAPullRequestThatBreaksSaysWhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	number, head := w.propose("change", map[string]string{"Bundler/motd.xml": "<Bundle>\n  <Path\n</Bundle>\n"})
	w.untilStatus(head, webhooks.Failure)
	require.Contains(t, w.comment(number).Body, "Bundler/motd.xml:3")
}

func TestPullRequestsOfOtherBranchesAreNotOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.git("push", "-q", w.remote(), "HEAD:refs/heads/other")
	w.start()
	w.git("checkout", "-q", "-B", "change", "main")
	head := w.commit("change", louder)
	w.push("change")
	w.call(http.MethodPost, "/repos/"+repo+"/pulls", map[string]any{"title": "x", "head": "change", "base": "other"})
	w.looks()
	require.Empty(t, w.forge.Statuses(head))
}
