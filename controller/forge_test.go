// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/github/githubtest"
)

var louder = map[string]string{"Cfg/etc/motd/motd": "HELLO\n"}

func TestAForgeThatAnswers500IsAskedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.forge.Inject(githubtest.Fault{Match: []string{"GET", "/pulls"}, Times: 1, Code: http.StatusInternalServerError})
	w.forge.Inject(githubtest.Fault{Match: []string{"POST", "/comments"}, Times: 1, Code: http.StatusInternalServerError})
	w.forge.Inject(githubtest.Fault{Match: []string{"POST", "/statuses/"}, Times: 1, Code: http.StatusBadGateway})
	w.start()
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	require.Contains(t, w.comment(number).Body, "+HELLO")
}

func TestAnAnswerThatIsCutOffIsNotPostedTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.forge.Inject(githubtest.Fault{Match: []string{"POST", "/comments"}, Times: 1, CutOff: true})
	w.forge.Inject(githubtest.Fault{Match: []string{"GET", "/pulls"}, Times: 1, CutOff: true})
	w.start()
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	require.Contains(t, w.comment(number).Body, "+HELLO")
	require.Equal(t, 1, w.forge.Calls("POST", "/comments"))
}

// A forge that asks to be left alone for an hour is left alone, however often
// something wakes the controller; git itself is not limited, so publishing goes on.
func TestAForgeThatLimitsIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]githubtest.Fault{
		"primary":   {RateLimit: time.Hour},
		"secondary": {Secondary: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, basic)
			fault.Match, fault.Times = []string{"GET", "/pulls"}, 1
			w.forge.Inject(fault)
			w.start()
			st := w.database()
			web := w.enrol(st, "web1")
			w.untilWoken("the branch is published", func() bool { return text(web.fetch(), "/etc/motd") == "hello\n" })
			number, head := w.propose("change", louder)
			for range 3 {
				w.looks()
			}
			require.Equal(t, 1, w.forge.Calls("GET", "/api/v3/"))
			require.Empty(t, w.forge.Comments(number))
			require.Contains(t, w.log.String(), "rate limited, again in ")

			w.stop()
			w.start() // an hour later, as it were
			w.untilStatus(head, webhooks.Success)
			w.comment(number)
		})
	}
}

func TestAForgeThatIsDownFreezesChangeAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	st := w.database()
	web := w.enrol(st, "web1")
	w.untilWoken("the branch is published", func() bool { return text(web.fetch(), "/etc/motd") == "hello\n" })
	w.wire.setDown(true)
	number, head := w.propose("change", louder)
	main := w.direct("more", map[string]string{"Cfg/etc/motd/motd": "hello again\n"})
	w.until("the forge is tried", func() bool { return w.wire.refused() > 0 })
	require.Equal(t, "hello\n", text(web.fetch(), "/etc/motd"))
	w.wire.setDown(false)
	w.untilWoken("the push is published", func() bool { return text(web.fetch(), "/etc/motd") == "hello again\n" })
	w.untilSettled(st, main, "published")
	w.untilWoken("the pull request is previewed", func() bool { return w.status(head).State != "" })
	require.LessOrEqual(t, len(w.forge.Comments(number)), 1)
}

func TestARepositoryThatCannotBeReachedYetStopsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.wire.setDown(true)
	w.start()
	st := w.database()
	web := w.enrol(st, "web1")
	w.until("the forge is tried", func() bool { return w.wire.refused() > 0 })
	resp, err := http.Get(w.url("/healthz"))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Nil(t, web.fetch())
	w.wire.setDown(false)
	w.untilWoken("the branch is published", func() bool { return text(web.fetch(), "/etc/motd") == "hello\n" })
}

func TestForgedDeliveriesStopAtTheDoor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	push := []byte(`{"ref":"refs/heads/main","after":"x","repository":{"full_name":"` + repo + `"}}`)
	require.Equal(t, http.StatusUnauthorized, w.deliver("push", "a", "", push), "unsigned")
	require.Equal(t, http.StatusUnauthorized, w.deliver("push", "b", "another-secret-of-16", push), "signed by another")
	require.Equal(t, http.StatusRequestEntityTooLarge, w.deliver("push", "c", hookSecret, bytes.Repeat([]byte(" "), 25<<20+1)), "oversized")
	require.Equal(t, http.StatusBadRequest, w.deliver("push", "d", hookSecret, []byte("nonsense")), "malformed")
	require.Equal(t, http.StatusNoContent, w.deliver("star", "e", hookSecret, []byte("{}")), "of no interest")
	require.NotContains(t, w.log.String(), hookSecret)
}

func TestARepeatedDeliveryOnlyWakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	body := w.comment(number)
	require.Equal(t, http.StatusAccepted, w.deliver("ping", "same", hookSecret, []byte("{}")))
	looked := w.ended()
	w.until("a look ends", func() bool { return w.ended() > looked })
	looked = w.ended()
	require.Equal(t, http.StatusOK, w.deliver("ping", "same", hookSecret, []byte("{}")))
	w.until("it woke", func() bool { return w.ended() > looked })
	w.looks()
	require.Equal(t, body, w.comment(number))
	require.Len(t, w.forge.Statuses(head), 1)
	require.Equal(t, 1, w.forge.Calls("POST", "/comments"))
	require.Zero(t, w.forge.Calls("PATCH"))
}

func TestDeliveriesAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	codes := map[int]int{}
	for i := range 400 {
		codes[w.deliver("push", string(rune('a'+i%26)), "", []byte("{}"))]++
	}
	require.Positive(t, codes[http.StatusTooManyRequests])
	require.Positive(t, codes[http.StatusUnauthorized])
}

func TestTwoSecretsWhileOneReplacesTheOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	const fresh = "fresh-hook-secret-0123456789"
	w.write("fresh.secret", fresh)
	w.replaceSetting("webhook_secret_files: [hook.secret]", "webhook_secret_files: [hook.secret, fresh.secret]")
	w.start()
	require.Equal(t, http.StatusAccepted, w.deliver("ping", "1", hookSecret, []byte("{}")))
	require.Equal(t, http.StatusAccepted, w.deliver("ping", "2", fresh, []byte("{}")))
	w.stop()
	w.replaceSetting("[hook.secret, fresh.secret]", "[fresh.secret]")
	w.start()
	require.Equal(t, http.StatusUnauthorized, w.deliver("ping", "3", hookSecret, []byte("{}")))
	require.Equal(t, http.StatusAccepted, w.deliver("ping", "4", fresh, []byte("{}")))
}
