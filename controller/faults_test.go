// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller"
	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/forgetest"
)

// answers are those that go wrong, by name.
var answers = []struct {
	name  string
	fault forgetest.Fault
}{
	{"403", forgetest.Fault{Code: http.StatusForbidden}},
	{"422", forgetest.Fault{Code: http.StatusUnprocessableEntity}},
	{"429", forgetest.Fault{Code: http.StatusTooManyRequests}},
	{"500", forgetest.Fault{Code: http.StatusInternalServerError}},
	{"503", forgetest.Fault{Code: http.StatusServiceUnavailable}},
	{"cut off", forgetest.Fault{CutOff: true}},
	{"primary limit", forgetest.Fault{RateLimit: 2 * time.Second}}, // the client of GitHub has its own clock
	{"secondary limit", forgetest.Fault{Secondary: time.Second}},
}

// calls are those that a preview makes: to list, to create, to edit, to conclude.
func calls(k string) []struct {
	name  string
	match []string
	fresh bool
} {
	pulls, comments, edit, status := "/pulls", "/issues/", "PATCH", "/statuses/"
	switch k {
	case "gitlab":
		pulls, comments, edit = "/merge_requests", "/notes", "PUT"
	case "app":
		status = "/check-runs"
	}
	return []struct {
		name  string
		match []string
		fresh bool
	}{
		{"list", []string{"GET", "/api/", pulls}, false},
		{"create", []string{"POST", "/api/", comments}, true},
		{"edit", []string{edit, "/api/", comments}, false},
		{"conclude", []string{"POST", "/api/", status}, false},
	}
}

// Every answer that can go wrong, at every call that a preview makes: each ends in one
// comment that says the newest, and one check that is concluded.
func TestFaultsEveryAnswerGoesWrong(t *testing.T) {
	everywhere(t, true, func(s *scene, _ *machine) {
		h := &hands{}
		s.replaceSetting(`poll: "@every 24h"`, `poll: "@every 1m"`)
		stage := controller.Stage{Clock: h.clock(), HTTP: impatient}
		require.NoError(t, s.tryStart(stage.Open))
		tip := s.git("rev-parse", "main")
		kind := s.kind.name
		if s.app != nil {
			kind = "app"
		}
		n, number := 0, 0
		for i, call := range calls(kind) {
			for j, a := range answers {
				if (i+j)%stride(4) != 0 {
					continue
				}
				n++
				if number == 0 || call.fresh {
					if number != 0 {
						_, err := s.forge.EditPull(t.Context(), number, forgetest.Edit{State: new("closed")})
						require.NoError(t, err)
					}
					number = 0
				}
				fault := a.fault
				fault.Match, fault.Times = call.match, 1
				s.forge.Inject(fault)
				s.git("checkout", "-q", "-B", "change", "main")
				head := s.commit("round", map[string]string{"Cfg/etc/motd/motd": fmt.Sprintf("round %d\n", n)})
				s.push("change")
				s.git("checkout", "-q", "main")
				if number == 0 {
					number = s.open("change")
				}
				s.wait(call.name+" "+a.name+" converges", func() bool {
					preview, _ := s.sees(number)
					return strings.Contains(preview, "head="+head) && len(s.concluded(head)) > 0 && s.concluded(head)[0] == "success"
				}, func() { h.move(time.Minute) })
				s.right(number, head, tip, fmt.Sprintf("+round %d", n))
				require.Zero(t, s.forge.Faults(), "%s %s was met", call.name, a.name)
			}
		}
		require.NotContains(t, s.log.String(), botToken)
	})
}

// sees is what the controller said, without holding that it said it once.
func (w *world) sees(number int) (preview string, count int) {
	for _, c := range w.forge.Comments(number) {
		if m, ok := webhooks.ParseMarker(c.Body); ok && !m.Reply {
			preview, count = c.Body, count+1
		}
	}
	return preview, count
}

// twin is another controller of the same forge, with a state of its own.
func (w *world) twin() *world {
	w.t.Helper()
	other := &world{t: w.t, kind: w.kind, dir: w.t.TempDir(), log: &syncBuffer{}, forge: w.forge, server: w.server, wire: w.wire}
	for _, name := range []string{"git.token", "hook.secret", "app.pem", "controller.yaml"} {
		data, err := os.ReadFile(filepath.Join(w.dir, name))
		if err == nil {
			other.write(name, strings.Replace(string(data), "keys: keys", "keys: "+filepath.Join(w.dir, "keys"), 1))
		}
	}
	return other
}

// Two controllers that know nothing of each other build the same and speak at the same
// moment, again and again: one comment stands, and says the newest.
func TestFaultsTwoControllersRace(t *testing.T) {
	everywhere(t, false, func(s *scene, _ *machine) {
		s.stop()
		other, b := s.twin(), &brake{}
		stage := controller.Stage{Building: b.building, HTTP: impatient}
		require.NoError(t, s.tryStart(stage.Open))
		require.NoError(t, other.tryStart(stage.Open))
		s.looks()
		other.looks()
		tip := s.git("rev-parse", "main")
		for round := range 3 {
			b.set(true)
			began, _ := b.counts()
			s.git("checkout", "-q", "-B", "change", "main")
			head := s.commit("round", map[string]string{"Cfg/etc/motd/motd": fmt.Sprintf("round %d\n", round)})
			s.push("change")
			s.git("checkout", "-q", "main")
			if round == 0 {
				s.open("change")
			}
			s.wait("both build", func() bool { n, _ := b.counts(); return n >= began+2 }, func() { s.wake(); other.wake() })
			// Both look for the comment before either has written one.
			s.forge.Inject(forgetest.Fault{Match: []string{"GET", "/comments"}, Times: 2, Stall: 50 * time.Millisecond})
			b.set(false)
			s.wait("both have shown it", func() bool {
				return strings.Contains(s.log.String(), "rev="+head+" verdict") && strings.Contains(other.log.String(), "rev="+head+" verdict")
			}, func() { s.wake(); other.wake() })
			s.looks()
			other.looks()
			preview, count := s.sees(1)
			require.Equal(t, 1, count)
			require.Contains(t, preview, "head="+head)
			require.Contains(t, preview, "base="+tip)
			require.Contains(t, preview, fmt.Sprintf("+round %d", round))
			require.Equal(t, "success", s.concluded(head)[0])
		}
	})
}

// endless is a template that no build gets to the end of, and one that leaves a trace.
var endless = map[string]string{
	"Cfg/etc/motd/motd.cheetah": "#while True\n#set $x = 1\n#end while\n",
	"Cfg/etc/big/big.jinja2":    "{{ 1 // 0 }}TRACE\n",
	"Cfg/etc/motd/motd":         "",
	"Cfg/etc/big/big":           "",
}

// Nothing of a fork is evaluated until somebody who may write allows that commit: not
// even begun, and its templates leave no trace. Allowed, they do.
func TestFaultsAForkIsNotEvaluated(t *testing.T) {
	everywhere(t, false, func(s *scene, _ *machine) {
		s.stop()
		var mu sync.Mutex
		built := map[string]bool{}
		stage := controller.Stage{HTTP: impatient, Building: func(_ context.Context, commit string) error {
			mu.Lock()
			defer mu.Unlock()
			built[commit] = true
			return nil
		}}
		require.NoError(t, s.tryStart(stage.Open))
		main := s.git("rev-parse", "main")
		number, head := s.propose("change", endless, "fork")
		s.untilWoken("it is linted", func() bool { preview, _ := s.ours(number); return strings.Contains(preview, "from a fork") })
		s.looks()
		preview, _ := s.ours(number)
		require.Contains(t, preview, "read and not built")
		require.NotContains(t, preview, "template")
		require.NotContains(t, preview, "TRACE")
		mu.Lock()
		for commit := range built {
			require.Equal(t, main, commit, "the branch alone is built")
		}
		mu.Unlock()
		require.Contains(t, s.ask(number, "/bindery preview "+head, "+1"), "It is built now")
		s.untilWoken("it is evaluated", func() bool { preview, _ := s.ours(number); return strings.Contains(preview, "motd.cheetah") })
		s.looks()
		require.NotEqual(t, "pending", s.concluded(head)[0])
	})
}

// A draft that becomes ready, is pushed to by force and closed and opened again has
// one comment and a check that is concluded at each head.
func TestFaultsALifeOfAPullRequest(t *testing.T) {
	everywhere(t, false, func(s *scene, _ *machine) {
		s.start()
		tip := s.git("rev-parse", "main")
		number, head := s.propose("change", louder)
		s.untilWoken("it is shown", func() bool { return len(s.concluded(head)) == 1 })
		s.right(number, head, tip, "+HELLO")
		id := s.say(number, alice, "fine")
		s.looks()
		_, err := s.forge.EditComment(id, alice, "/bindery purge")
		require.NoError(t, err)
		s.looks()
		require.Empty(t, s.reactions(id), "what was edited is no command")
		s.git("checkout", "-q", "-B", "change", "main")
		again := s.commit("force", map[string]string{"Cfg/etc/motd/motd": "Hello\n"})
		s.push("change")
		s.git("checkout", "-q", "main")
		s.untilWoken("the force-push is shown", func() bool { return len(s.concluded(again)) == 1 })
		s.right(number, again, tip, "+Hello")
		require.Equal(t, []string{"success"}, s.concluded(head), "the old head keeps its check")
		for _, d := range s.forge.Deliveries() { // all of them a second time
			_, err := s.forge.Redeliver(t.Context(), d.ID)
			require.NoError(t, err)
		}
		s.looks()
		s.right(number, again, tip, "+Hello")
	})
}
