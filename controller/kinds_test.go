// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/forgetest"
)

// The whole way at every other kind of forge: a pull request gets its comment, another
// push edits it, the status is concluded, and what is merged is published as reviewed.
func TestTheWholeWayAtEveryForge(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{atGitea, atGitLab} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldAt(t, k, basic, "publish: {unreviewed: hold}")
			w.start()
			st := w.database()
			web := w.enrol(st, "web1")
			w.untilWoken("the branch is published", func() bool { return text(web.fetch(), "/etc/motd") == "hello\n" })
			number, head := w.propose("change", louder)
			w.untilStatus(head, webhooks.Success)
			first := w.comment(number)
			require.Contains(t, first.Body, "+HELLO")

			w.git("checkout", "-q", "change")
			head = w.commit("more", map[string]string{"Cfg/etc/motd/motd": "HELLO!\n"})
			w.push("change")
			w.untilStatus(head, webhooks.Success)
			require.Equal(t, first.ID, w.comment(number).ID)
			require.Contains(t, w.comment(number).Body, "+HELLO!")

			w.merge(number, "squash")
			w.untilWoken("what was merged is published", func() bool { return text(web.fetch(), "/etc/motd") == "HELLO!\n" })
			require.NotContains(t, w.log.String(), botToken)
		})
	}
}

// Where the forge has no merge of its own, what is previewed is head merged onto the
// tip all the same, and what is merged is published as reviewed.
func TestAForgeWithoutMergesIsPreviewedMerged(t *testing.T) {
	t.Parallel()
	w := newWorldAt(t, atGitea, both(), "publish: {unreviewed: hold}")
	st, web, _ := w.served()
	number, head := w.propose("change", louder)
	other, otherHead := w.propose("other", map[string]string{"Cfg/etc/issue/issue": "two\n"})
	w.untilStatus(head, webhooks.Success)
	w.untilStatus(otherHead, webhooks.Success)
	first := w.comment(number)
	w.merge(other, "squash")
	base := w.git("rev-parse", "main")
	w.untilWoken("the comment names the new base", func() bool { return w.comment(number).Body != first.Body })
	w.looks() // it is recorded that it was said
	second := w.comment(number)
	require.Equal(t, first.ID, second.ID)
	require.Contains(t, second.Body, "base="+base)
	require.Contains(t, second.Body, "+HELLO")
	require.NotContains(t, second.Body, "issue", "what the base brought is not the pull request's")
	require.Equal(t, string(webhooks.Success), w.status(head).State)

	// It is the same after a restart, and said once.
	w.stop()
	w.start()
	w.looks()
	require.Equal(t, second, w.comment(number))
	w.merge(number, "merge")
	ref := w.untilSettled(st, w.git("rev-parse", "main"), "published")
	require.Empty(t, ref.Detail)
	require.Equal(t, "HELLO\n", text(web.fetch(), "/etc/motd"))
	require.Equal(t, "two\n", text(web.fetch(), "/etc/issue"))
}

// What conflicts says which files, and is built once it no longer does.
func TestAForgeWithoutMergesSaysWhatConflicts(t *testing.T) {
	t.Parallel()
	w := newWorldAt(t, atGitea, basic)
	w.start()
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	w.direct("conflicting", map[string]string{"Cfg/etc/motd/motd": "moin\n"})
	w.untilStatus(head, webhooks.Failure)
	require.Contains(t, w.status(head).Description, "does not merge: 1 file is in conflict")
	require.Contains(t, w.comment(number).Body, "<code>Cfg/etc/motd/motd</code>")
	w.direct("as it was", map[string]string{"Cfg/etc/motd/motd": "hello\n"})
	w.untilStatus(head, webhooks.Success)
	require.Contains(t, w.comment(number).Body, "+HELLO")
}

// At any other git server a signed request wakes the controller, and there is nothing
// to comment on.
func TestAnyGitServerWakesTheController(t *testing.T) {
	t.Parallel()
	generic := kind{"generic", atGitHub.fake, "webhook: {secret_files: [hook.secret]}%.0s"}
	w := newWorldAt(t, generic, basic)
	w.start()
	st := w.database()
	web := w.enrol(st, "web1")
	w.untilWoken("the branch is published", func() bool { return text(web.fetch(), "/etc/motd") == "hello\n" })
	number, _ := w.propose("change", louder)
	w.direct("louder", map[string]string{"Cfg/etc/motd/motd": "MOIN\n"})
	w.forge.SetHook("", nil)
	w.until("the next push is published", func() bool { return text(web.fetch(), "/etc/motd") == "MOIN\n" })
	require.Empty(t, w.forge.Comments(number))
	require.Zero(t, w.forge.Calls("/api/v3/"))
	require.Equal(t, http.StatusUnauthorized, w.deliver("", "", "another-secret-of-16", []byte("changed")))
	require.Equal(t, http.StatusAccepted, w.deliver("", "", hookSecret, []byte("changed")))
	require.Equal(t, http.StatusOK, w.deliver("", "", hookSecret, []byte("changed")), "repeated")
}

// A reader of Gitea can bring a head that shows as one of the repository itself.
func TestAHeadPushedByAReaderIsNotBuilt(t *testing.T) {
	t.Parallel()
	w := newWorldAt(t, atGitea, basic)
	w.start()
	w.git("checkout", "-q", "-B", "change", "main")
	head := w.commit("change", louder)
	w.push("change")
	_, err := w.forge.OpenPull(t.Context(), forgetest.Pull{Title: "x", Head: "change", BaseRef: "main", Fork: true, Author: forgetest.User{ID: 8, Login: "eve", Reader: true}})
	require.NoError(t, err)
	w.untilStatus(head, webhooks.Pending)
	require.NotContains(t, w.comment(1).Body, "HELLO")
}

// As an App, what is wrong stands on its lines, and git fetches with the App's tokens.
func TestAnAppAnnotatesLines(t *testing.T) {
	t.Parallel()
	w, a := newAppWorld(t, basic)
	w.start()
	number, head := w.propose("change", map[string]string{"Bundler/motd.xml": "<Bundle>\n  <Path\n</Bundle>\n"})
	w.untilWoken("the check is concluded", func() bool { return len(a.Runs(head)) == 1 })
	run := a.Runs(head)[0]
	require.Equal(t, "completed failure", run.Status+" "+run.Conclusion)
	require.Equal(t, webhooks.StatusContext, run.Name)
	require.NotEmpty(t, run.Annotations)
	require.Equal(t, "Bundler/motd.xml", run.Annotations[0].Path)
	require.Equal(t, 3, run.Annotations[0].Line)
	require.Contains(t, w.comment(number).Body, "Bundler/motd.xml:3")
	require.Empty(t, w.forge.Statuses(head))
	require.NotContains(t, w.log.String(), "CANARY")
	require.NotContains(t, w.log.String(), "PRIVATE KEY")
}
