// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller"
	"github.com/bindery/bindery/webhooks/forgetest"
	"github.com/bindery/bindery/webhooks/github/githubtest"
)

// thorough says that "make e2e-faults" asks for every case; else there are some.
func thorough() bool { return os.Getenv("BINDERY_FAULTS") == "all" }

// stride is how many steps lie between two at which something is killed.
func stride(short int) int {
	if thorough() {
		return 1
	}
	return short
}

// newAppWorld is a world where the controller comes as a GitHub App.
func newAppWorld(t *testing.T, files map[string]string) (*world, *githubtest.App) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	a := &githubtest.App{ID: 77, Installation: 5, Slug: "bindery", Bot: forgetest.User{ID: 91234, Login: "bindery[bot]"}, Key: &key.PublicKey}
	k := atGitHub
	k.fake = func(ctx context.Context, c forgetest.Config) (*forgetest.Server, error) {
		return githubtest.NewWithApp(ctx, c, a)
	}
	k.settings = `github: {api: "%s/api/v3/", app: {id: 77, installation_id: 5, private_key_file: app.pem}, webhook_secret_files: [hook.secret]}`
	w := newWorldAt(t, k, files)
	w.replaceSetting(", token_file: git.token, poll", ", poll")
	w.write("app.pem", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
	return w, a
}

// scene is a world of some kind of forge, and how its checks are read.
type scene struct {
	*world
	app *githubtest.App
}

// concluded are the checks of a commit, each in a word.
func (s *scene) concluded(commit string) (out []string) {
	if s.app != nil {
		for _, r := range s.app.Runs(commit) {
			out = append(out, r.Conclusion)
		}
		return out
	}
	for _, st := range s.forge.Statuses(commit) {
		out = append(out, st.State)
	}
	return out
}

// right holds a pull request against what it has to have in the end: one comment that
// says the newest, and one check that is concluded.
func (s *scene) right(number int, head, base, line string) {
	s.t.Helper()
	preview, _ := s.ours(number)
	require.Contains(s.t, preview, "head="+head)
	require.Contains(s.t, preview, "base="+base)
	require.Contains(s.t, preview, line)
	require.Equal(s.t, []string{"success"}, s.concluded(head))
}

// everywhere runs a test at every kind of forge, with hosts that are served; what it
// gives is stopped. What takes long runs at one of them alone unless it is asked for.
func everywhere(t *testing.T, long bool, test func(*scene, *machine)) {
	t.Parallel()
	kinds := []kind{atGitHub, atGitea, atGitLab, {name: "app"}}
	if long && !thorough() {
		kinds = kinds[:1]
	}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			s := &scene{}
			if k.name == "app" {
				s.world, s.app = newAppWorld(t, plain(nil))
			} else {
				s.world = newWorldAt(t, k, plain(nil))
			}
			s.start()
			web := s.enrol(s.database(), "web1")
			s.untilWoken("web1 is served", func() bool { return text(web.fetch(), "/etc/motd") == "hello\n" })
			s.stop()
			test(s, web)
		})
	}
}

// round is one change of the branch, and one of a pull request.
func (s *scene) round(n int) (tip, head string) {
	s.t.Helper()
	tip = s.direct("round", map[string]string{"Cfg/etc/motd/motd.H_web1": fmt.Sprintf("web %d\n", n)})
	s.git("checkout", "-q", "-B", "change", "main")
	head = s.commit("round", map[string]string{"Cfg/etc/motd/motd": fmt.Sprintf("round %d\n", n)})
	s.push("change")
	s.git("checkout", "-q", "main")
	return tip, head
}

// Killed at every call to the forge, to git, to the database and to what is published,
// before it happens or right after: the next start ends in one comment, one check and
// the whole release.
func TestFaultsKilledAtEveryStep(t *testing.T) {
	everywhere(t, true, func(s *scene, web *machine) {
		st := s.database()
		s.round(0)
		number := s.open("change")
		round, kills := 0, 0
		for _, applied := range []bool{false, true} {
			for n, killed := 1, true; killed; n += stride(12) {
				require.Less(t, n, 200, "the work has no end")
				round++
				tip, head := s.round(round)
				done := func() bool {
					ref, err := st.Ref(t.Context(), repo, fmt.Sprintf("refs/pull/%d", number))
					return err == nil && ref.Commit == head && s.outcome(st).Commit == tip
				}
				killed = s.killStep(n, applied, done)
				s.start()
				s.untilWoken(fmt.Sprintf("round %d converges after a kill at step %d", round, n), done)
				s.right(number, head, tip, fmt.Sprintf("+round %d", round))
				require.Equal(t, fmt.Sprintf("web %d\n", round), text(web.fetch(), "/etc/motd"))
				s.stop()
				if killed {
					kills++
				}
			}
		}
		t.Logf("%d kills", kills)
		require.GreaterOrEqual(t, kills, 30/stride(12))
	})
}

// killStep starts a controller and kills it at its n-th step; it tells whether there
// was one.
func (s *scene) killStep(n int, applied bool, done func() bool) bool {
	s.t.Helper()
	fuse := &controller.Fuse{At: n, Applied: applied}
	s.wire.setStep(fuse.Step)
	defer s.wire.setStep(nil)
	err := s.tryStart(func(ctx context.Context, c controller.Config) (*controller.Controller, error) {
		ctx, fuse.Kill = context.WithCancel(ctx)
		return fuse.Open(ctx, c)
	})
	if err != nil {
		require.True(s.t, fuse.Blown(), "%v", err)
		return true
	}
	s.untilWoken(fmt.Sprintf("step %d, or the end", n), func() bool { return fuse.Blown() || done() })
	s.stop()
	return fuse.Blown()
}

// trigger kills a process at its n-th request.
type trigger struct {
	mu      sync.Mutex
	at, n   int
	applied bool
	kill    func() error
	dead    bool
}

var errShot = errors.New("shot")

func (x *trigger) step(do func() error) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.dead {
		return errShot
	}
	if x.n++; x.n != x.at {
		return do()
	}
	x.dead = true
	if x.applied {
		_ = do()
	}
	return errors.Join(errShot, x.kill())
}

func (x *trigger) shot() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.dead
}

// The same with the real program and a real SIGKILL, at its requests.
func TestFaultsTheProgramIsKilledAtItsRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	s := &scene{world: w}
	w.start()
	st := w.database()
	web := w.enrol(st, "web1")
	w.untilWoken("web1 is served", func() bool { return text(web.fetch(), "/etc/motd") == "hello\n" })
	w.stop()
	program := filepath.Join(w.dir, "bindery")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../cmd/bindery").CombinedOutput()
	require.NoError(t, err, string(out))
	s.round(0)
	number, round := w.open("change"), 0
	for _, applied := range []bool{false, true} {
		for n, shot := 1, true; shot; n += stride(15) {
			require.Less(t, n, 100, "the work has no end")
			round++
			x := &trigger{at: n, applied: applied}
			cmd := w.process(program)
			x.kill = cmd.Process.Kill
			w.wire.setStep(x.step)
			tip, head := s.round(round)
			done := func() bool {
				ref, err := st.Ref(t.Context(), repo, fmt.Sprintf("refs/pull/%d", number))
				return err == nil && ref.Commit == head && w.outcome(st).Commit == tip
			}
			w.until(fmt.Sprintf("request %d, or the end", n), func() bool { return x.shot() || done() })
			shot = x.shot()
			if !shot {
				require.NoError(t, cmd.Process.Kill())
			}
			require.Error(t, cmd.Wait())
			w.wire.setStep(nil)
			w.start()
			w.untilWoken(fmt.Sprintf("round %d converges", round), done)
			s.right(number, head, tip, fmt.Sprintf("+round %d", round))
			require.Equal(t, fmt.Sprintf("web %d\n", round), text(web.fetch(), "/etc/motd"))
			w.stop()
		}
	}
	require.GreaterOrEqual(t, round, 3)
}
