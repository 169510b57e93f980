// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/forgetest"
)

// stages is a world with two environments of one repository, and a host in each.
func stages(t *testing.T, files map[string]string) *world {
	t.Helper()
	w := newWorld(t, files)
	w.replaceSetting(", poll", ", environments: [{branch: staging}, {branch: main, name: production, unreviewed: hold}], poll")
	w.push("staging")
	return w
}

// untilOutcome waits for what comes of a branch.
func (w *world) untilOutcome(st *store.Store, branch, commit, outcome string) store.Ref {
	w.t.Helper()
	var ref store.Ref
	w.untilWoken(commit+" of "+branch+" is "+outcome, func() bool {
		ref, _ = st.Ref(w.t.Context(), repo, "refs/heads/"+branch)
		return ref.Commit == commit && ref.Outcome == outcome
	})
	return ref
}

// A change is reviewed for staging, published there, promoted by a pull request that is
// reviewed for production, and published there. Nothing of one reaches the other's host.
func TestAPromotionFromStagingToProduction(t *testing.T) {
	t.Parallel()
	w := stages(t, plain(nil))
	w.start()
	st := w.database()
	stage, prod := w.enrolIn(st, "web1", "staging"), w.enrolIn(st, "db1", "production")
	w.untilWoken("both are served", func() bool {
		return text(stage.fetch(), "/etc/motd") == "hello\n" && text(prod.fetch(), "/etc/motd") == "hello\n"
	})

	w.git("checkout", "-q", "-B", "topic", "main")
	head := w.commit("louder", louder)
	w.push("topic")
	topic, err := w.forge.OpenPull(t.Context(), forgetest.Pull{Title: "louder", Head: "topic", BaseRef: "staging", Author: forgetest.User{ID: 7, Login: "alice"}})
	require.NoError(t, err)
	w.untilStatus(head, webhooks.Success)
	require.Contains(t, w.comment(topic.Number).Body, "web1")
	require.NotContains(t, w.comment(topic.Number).Body, "db1", "it is another environment's")
	_, err = w.forge.MergePull(t.Context(), topic.Number, "merge", "", forgetest.User{ID: 7, Login: "alice"})
	require.NoError(t, err)
	w.untilWoken("staging has it", func() bool { return text(stage.fetch(), "/etc/motd") == "HELLO\n" })
	require.Equal(t, "hello\n", text(prod.fetch(), "/etc/motd"))

	promotion, err := w.forge.OpenPull(t.Context(), forgetest.Pull{Title: "promote", Head: "staging", BaseRef: "main", Author: forgetest.User{ID: 7, Login: "alice"}})
	require.NoError(t, err)
	w.untilWoken("the promotion is previewed", func() bool { return len(w.forge.Comments(promotion.Number)) == 1 })
	require.Contains(t, w.comment(promotion.Number).Body, "db1")
	require.NotContains(t, w.comment(promotion.Number).Body, "web1")
	w.merge(promotion.Number, "merge")
	w.untilWoken("production has it", func() bool { return text(prod.fetch(), "/etc/motd") == "HELLO\n" })
	ref := w.untilOutcome(st, "main", w.git("rev-parse", "HEAD"), "published")
	require.Empty(t, ref.Detail, "it was reviewed for production")
}

// What staging's review showed is not a review for production.
func TestAReviewOfAnotherEnvironmentDoesNotCount(t *testing.T) {
	t.Parallel()
	w := stages(t, plain(nil))
	w.start()
	st := w.database()
	prod := w.enrolIn(st, "db1", "production")
	w.untilWoken("production is served", func() bool { return text(prod.fetch(), "/etc/motd") == "hello\n" })
	w.git("checkout", "-q", "-B", "topic", "main")
	head := w.commit("louder", louder)
	w.push("topic")
	_, err := w.forge.OpenPull(t.Context(), forgetest.Pull{Title: "louder", Head: "topic", BaseRef: "staging", Author: forgetest.User{ID: 7, Login: "alice"}})
	require.NoError(t, err)
	w.untilStatus(head, webhooks.Success)
	w.push("main")
	ref := w.untilOutcome(st, "main", head, "held")
	require.Contains(t, ref.Detail, "Path:/etc/motd on db1")
	require.Equal(t, "hello\n", text(prod.fetch(), "/etc/motd"))
}

// A host that is moved gets the new environment's configuration with the next sequence,
// and nothing of it waits for a review.
func TestAHostIsMoved(t *testing.T) {
	t.Parallel()
	w := stages(t, plain(nil))
	w.git("checkout", "-q", "-B", "staging", "main")
	w.commit("staging is louder", louder)
	w.push("staging")
	w.git("checkout", "-q", "main")
	w.start()
	st := w.database()
	stage, prod := w.enrolIn(st, "web1", "staging"), w.enrolIn(st, "db1", "production")
	w.untilWoken("both are served", func() bool {
		return text(stage.fetch(), "/etc/motd") == "HELLO\n" && text(prod.fetch(), "/etc/motd") == "hello\n"
	})
	before := stage.fetch().Manifest.Sequence

	h, err := st.HostNamed(t.Context(), "web1")
	require.NoError(t, err)
	require.NoError(t, st.Move(t.Context(), "alice", h, "production"))
	w.untilWoken("it has production's", func() bool { return text(stage.fetch(), "/etc/motd") == "hello\n" })
	require.Greater(t, stage.fetch().Manifest.Sequence, before)
	require.Contains(t, w.trail(st), "host-moved web1: from staging to production")
	require.Empty(t, w.untilOutcome(st, "main", w.git("rev-parse", "main"), "published").Detail)

	// It follows its new branch alone, also after a restart, and can be moved back.
	w.stop()
	w.start()
	w.git("checkout", "-q", "staging")
	tip := w.commit("still louder", map[string]string{"Cfg/etc/motd/motd": "HELLO!\n"})
	w.push("staging")
	w.untilOutcome(st, "staging", tip, "published")
	require.Equal(t, "hello\n", text(stage.fetch(), "/etc/motd"))
	h.Environment = "production"
	require.NoError(t, st.Move(t.Context(), "alice", h, "staging"))
	w.untilWoken("it is back", func() bool { return text(stage.fetch(), "/etc/motd") == "HELLO!\n" })
}

// A pull request that gets another base is previewed for that one's hosts, in the
// comment that it has.
func TestAPullRequestGetsAnotherBase(t *testing.T) {
	t.Parallel()
	w := stages(t, plain(nil))
	w.start()
	st := w.database()
	w.enrolIn(st, "web1", "staging")
	w.enrolIn(st, "db1", "production")
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	first := w.comment(number)
	require.Contains(t, first.Body, "db1")
	require.NotContains(t, first.Body, "web1")
	w.edit(number, map[string]any{"base": "staging"})
	w.untilWoken("it is previewed for staging", func() bool { return strings.Contains(w.comment(number).Body, "web1") })
	require.Equal(t, first.ID, w.comment(number).ID)
	require.NotContains(t, w.comment(number).Body, "db1")
	w.edit(number, map[string]any{"base": "main"})
	w.untilWoken("and for production again", func() bool { return strings.Contains(w.comment(number).Body, "db1") })
	require.Equal(t, first.ID, w.comment(number).ID)

	newest, err := st.LatestReview(t.Context(), repo, number)
	require.NoError(t, err)
	require.Equal(t, "production", newest.Environment)
	require.EqualValues(t, 3, newest.Seq, "one number for all of them, so that the newest text wins")
}

// A repository that cannot be reached stops no other, and each has hosts of its own.
func TestTwoRepositoriesAndOneIsDown(t *testing.T) {
	t.Parallel()
	lab := newWorld(t, plain(map[string]string{"Cfg/etc/motd/motd": "lab\n"}))
	w := newWorld(t, plain(nil), fmt.Sprintf(`- {name: lab, url: "%s%s", token_file: git.token, poll: "@every 24h",
   webhook: {secret_files: [hook.secret]}, environments: [{branch: main, name: lab}]}`, lab.server.URL, lab.forge.ClonePath()))
	lab.wire.setDown(true)
	w.start()
	public, _ := w.ct.Addresses()
	lab.forge.SetHook("http://"+public+"/webhooks/generic", []byte(hookSecret))
	st := w.database()
	web, db := w.enrolIn(st, "web1", "main"), w.enrolIn(st, "db1", "lab")
	w.untilWoken("the one that is there is served", func() bool { return text(web.fetch(), "/etc/motd") == "hello\n" })
	w.until("the other says why not", func() bool {
		return len(linesWith(w.log.String(), "level=ERROR msg=\"job ended with an error\" environment=lab")) > 0
	})
	tip := w.direct("more", louder)
	w.untilSettled(st, tip, "published")
	require.Equal(t, "HELLO\n", text(web.fetch(), "/etc/motd"))
	require.Nil(t, db.fetch())

	lab.wire.setDown(false)
	lab.direct("hello", map[string]string{"Cfg/etc/motd/motd": "the lab\n"})
	w.until("its next push is published", func() bool { return text(db.fetch(), "/etc/motd") == "the lab\n" })
	require.Equal(t, "HELLO\n", text(web.fetch(), "/etc/motd"))
	_, err := st.Ref(t.Context(), "lab", "refs/heads/main")
	require.NoError(t, err)

	// A delivery about a repository that is not in the settings wakes nobody.
	require.Equal(t, http.StatusNoContent, w.deliver("push", "stranger", hookSecret, []byte(`{"repository":{"full_name":"some/body"}}`)))
}

// A host whose environment is not in the settings keeps what it has.
func TestAnEnvironmentIsTakenOutOfTheSettings(t *testing.T) {
	t.Parallel()
	w := stages(t, plain(nil))
	w.start()
	st := w.database()
	stage := w.enrolIn(st, "web1", "staging")
	w.untilWoken("it is served", func() bool { return text(stage.fetch(), "/etc/motd") == "hello\n" })
	w.stop()
	w.replaceSetting("{branch: staging}, ", "")
	w.start()
	require.Contains(t, w.log.String(), "hosts are in an environment that the settings do not name")
	tip := w.direct("louder", louder)
	w.untilOutcome(st, "main", tip, "held")
	require.Equal(t, "hello\n", text(stage.fetch(), "/etc/motd"))
}

// What a forge asks of one environment it asks of the account: the other environments,
// and other repositories there, leave it alone as well.
func TestALimitIsOfTheAccount(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{atGitHub, atGitea, atGitLab} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldAt(t, k, plain(nil))
			w.replaceSetting(", poll", ", environments: [{branch: staging}, {branch: main, name: production}], poll")
			w.replaceSetting("repositories:\n", fmt.Sprintf("repositories:\n- {name: example/other, url: %q, token_file: git.token, poll: \"@every 24h\", environments: [{branch: main, name: other}], %s}\n",
				w.server.URL+w.forge.ClonePath(), fmt.Sprintf(k.settings, w.server.URL)))
			w.push("staging")
			w.start()
			asked := func(of string) int { return w.forge.Calls("GET /api/", of) }
			wakeAll := func() {
				for _, name := range []string{repo, "example/other"} {
					w.pings++
					require.Less(t, w.deliver("push", fmt.Sprintf("ping-%d", w.pings), hookSecret,
						fmt.Appendf(nil, `{"repository":{"full_name":%q},"project":{"path_with_namespace":%[1]q}}`, name)), 300)
				}
			}
			w.wait("all have asked", func() bool { return asked("site") > 1 && asked("other") > 1 }, wakeAll)

			w.forge.Inject(forgetest.Fault{Match: []string{"GET /api/", "site"}, Times: 1, Code: http.StatusTooManyRequests, After: time.Hour})
			w.wait("one is told to leave it alone", func() bool { return strings.Contains(w.log.String(), "rate limited, again in 1h") }, wakeAll)
			w.looks()
			before, ended := asked(""), w.ended()
			w.wait("all look again", func() bool { return w.ended() > ended+9 }, wakeAll)
			require.Equal(t, before, asked(""))
		})
	}
}
