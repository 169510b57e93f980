// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/forgetest"
)

const eveToken = "reader-token-012345"

var (
	alice = forgetest.User{ID: 7, Login: "alice"}
	eve   = forgetest.User{ID: 8, Login: "eve", Reader: true}
)

// say comments on a pull request.
func (w *world) say(number int, u forgetest.User, body string) int64 {
	w.t.Helper()
	c, err := w.forge.AddComment(w.t.Context(), number, u, body)
	require.NoError(w.t, err)
	return c.ID
}

// reactions are those of the controller on a comment, as the forge calls them.
func (w *world) reactions(id int64) string {
	w.t.Helper()
	c, err := w.forge.Comment(id)
	require.NoError(w.t, err)
	return strings.NewReplacer("thumbsup", "+1", "thumbsdown", "-1", "bindery:", "").Replace(strings.Join(c.Reactions, " "))
}

// ours are what the controller said on a pull request: the preview, and the answer.
func (w *world) ours(number int) (preview, answer string) {
	w.t.Helper()
	for _, c := range w.forge.Comments(number) {
		m, ok := webhooks.ParseMarker(c.Body)
		switch {
		case !ok:
		case m.Reply:
			require.Empty(w.t, answer, "two answers")
			answer = c.Body
		default:
			require.Empty(w.t, preview, "two previews")
			preview = c.Body
		}
	}
	return preview, answer
}

// ask asks as somebody who may write, and gives the answer.
func (w *world) ask(number int, body, reaction string) string {
	w.t.Helper()
	id := w.say(number, alice, body)
	w.untilWoken(body+" is answered", func() bool { return strings.HasSuffix(w.reactions(id), reaction) })
	_, answer := w.ours(number)
	return answer
}

// Whoever may write looks at a stranger's change and allows that very commit.
func TestAForkIsBuiltOnceSomebodyAllowsIt(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{atGitHub, atGitea, atGitLab} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldAt(t, k, basic)
			w.forge.Admit(eveToken, eve)
			w.start()
			number, head := w.propose("change", louder, "fork")
			w.untilStatus(head, webhooks.Pending)

			refused := w.say(number, eve, "/bindery preview "+head)
			edited := w.say(number, alice, "I like this")
			w.untilWoken("a stranger is refused", func() bool { return w.reactions(refused) == "-1" })
			_, err := w.forge.EditComment(edited, alice, "/bindery preview "+head)
			require.NoError(t, err)
			_ = w.say(number, alice, "> /bindery preview "+head)
			_ = w.say(number, alice, "/binderypreview "+head)
			w.looks()
			preview, answer := w.ours(number)
			require.NotContains(t, preview, "HELLO")
			require.Empty(t, answer, "what was edited or quoted is no command")
			require.Empty(t, w.reactions(edited))

			require.Contains(t, w.ask(number, "/bindery preview "+head[:12], "-1"), "/bindery preview "+head)
			require.Contains(t, w.ask(number, "/bindery show web1", "-1"), "was not built")
			require.Equal(t, "pending", w.status(head).State)
			require.Contains(t, w.ask(number, "/bindery preview "+head+"\nthank you", "+1"), "It is built now")
			w.untilStatus(head, webhooks.Success)
			preview, _ = w.ours(number)
			require.Contains(t, preview, "+HELLO")

			w.git("checkout", "-q", "change")
			later := w.commit("more", map[string]string{"Cfg/etc/motd/motd": "HELLO!\n"})
			w.push("change")
			w.untilStatus(later, webhooks.Pending)
			preview, _ = w.ours(number)
			require.NotContains(t, preview, "HELLO!")
			require.Contains(t, w.trail(w.database()), "fork-allowed "+head)
			require.NotContains(t, w.log.String(), botToken)
		})
	}
}

func TestQuestionsAreAnsweredInOneComment(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for name, content := range basic {
		files[name] = content
	}
	files["Bundler/motd.xml"] = `<Bundle name="motd"><Path name="/etc/motd"/><Path name="/etc/key"/></Bundle>` + "\n"
	files["Cfg/etc/key/key"] = "CANARY-old\n"
	files["Cfg/etc/key/info.xml"] = `<FileInfo><Info sensitive="true" mode="0600"/></FileInfo>` + "\n"
	w := newWorld(t, files)
	w.start()
	number, head := w.propose("change", map[string]string{"Cfg/etc/motd/motd": "HELLO\n```\n@all ``` x\n", "Cfg/etc/key/key": "CANARY-new\n"})
	w.untilStatus(head, webhooks.Success)

	show := w.ask(number, "/bindery show web1", "+1")
	require.Contains(t, show, "Bundle motd\n")
	require.Contains(t, show, "  Path:/etc/motd\n")
	require.Contains(t, w.ask(number, "/bindery show web9", "-1"), "There is no host `web9`")
	diff := w.ask(number, "/bindery diff web1 Path:/etc/motd", "+1")
	require.Contains(t, diff, "HELLO")
	require.Contains(t, diff, "\n````\n", "a fence that the content cannot end")
	require.NotContains(t, diff, "/etc/key")
	require.Contains(t, w.ask(number, "/bindery diff web1 Path:/etc/none", "+1"), "Nothing changes")
	require.Contains(t, w.ask(number, "/bindery diff web1 motd", "-1"), "TAG:NAME")
	require.Contains(t, w.ask(number, "/bindery diff web1 Path:/etc/key", "+1"), "/etc/key")
	why := w.ask(number, "/bindery why web1 Path:/etc/motd", "+1")
	require.Contains(t, why, "Bundler/motd.xml:1")
	require.Contains(t, why, "Cfg/etc/motd/motd")
	w.ask(number, "/bindery why web1 Path:/etc/key", "+1")
	require.Contains(t, w.ask(number, "/bindery why web1 Path:/etc/none", "-1"), "has no")
	require.Contains(t, w.ask(number, "/bindery why web1", "-1"), "/bindery why HOST TAG:NAME")
	require.Contains(t, w.ask(number, "/bindery destroy @everyone", "-1"), "There is no such command")
	require.NotContains(t, w.wire.text()+w.log.String(), "CANARY")
	require.Len(t, w.forge.Comments(number), 2+11, "one preview, one answer, eleven questions")
}

func TestPurgeLeavesNoOldText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	first := w.comment(number).ID
	w.ask(number, "/bindery purge", "+1")
	w.untilWoken("it is shown anew", func() bool {
		preview, _ := w.ours(number)
		_, err := w.forge.Comment(first)
		return err != nil && strings.Contains(preview, "+HELLO")
	})
	w.looks()
	_, answer := w.ours(number)
	require.Contains(t, answer, "deleted and made anew")
	require.Contains(t, w.trail(w.database()), "preview-purged "+head)
}

// A command that came while nobody listened is answered, once.
func TestACommandIsFoundAfterARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	w.stop()
	w.forge.SetHook("", nil)
	id := w.say(number, alice, "/bindery show web1")
	w.forge.Inject(forgetest.Fault{Match: []string{"POST", "/issues/"}, Times: 1, Code: http.StatusInternalServerError})
	w.forge.Inject(forgetest.Fault{Match: []string{"GET", "/permission"}, Times: 1, CutOff: true})
	w.start()
	w.untilWoken("it is answered", func() bool { return w.reactions(id) == "eyes +1" })
	w.looks() // that it was answered is remembered after the reaction
	w.stop()
	posts := w.forge.Calls("POST", "/comments")
	w.start()
	w.looks()
	require.Equal(t, posts, w.forge.Calls("POST", "/comments"))
	w.ours(number)
}

// A forge that does not say who may write leaves nobody who may.
func TestWithoutAnAnswerNobodyMayWrite(t *testing.T) {
	t.Parallel()
	w := newWorldAt(t, atGitea, basic)
	w.forge.Inject(forgetest.Fault{Match: []string{"GET", "/permission"}, Times: 1, Code: http.StatusForbidden})
	w.start()
	number, head := w.propose("change", louder, "fork")
	w.untilStatus(head, webhooks.Pending)
	id := w.say(number, alice, "/bindery preview "+head)
	w.untilWoken("it is refused", func() bool { return w.reactions(id) == "-1" })
	w.looks()
	require.Equal(t, "pending", w.status(head).State)
	require.Contains(t, w.log.String(), "the forge does not say who may write")
}
