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

// At any other git server a signed request wakes the controller, and there is nothing
// to comment on.
func TestAnyGitServerWakesTheController(t *testing.T) {
	t.Parallel()
	generic := kind{"generic", atGitHub.fake, "webhook: {secret_files: [hook.secret]} # %s"}
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
