// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// settled is a host that has applied "good" to /f.
func settled(t *testing.T) *node {
	t.Helper()
	n := newNode(t, newSite(t), nil)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "good")}})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	return n
}

// stillGood checks that drift is repaired to the last good release, whatever the
// source does.
func (n *node) stillGood(cause error) *agent.Result {
	n.t.Helper()
	require.NoError(n.t, os.WriteFile(n.root+"/f", []byte("drift"), 0o600))
	n.open()
	r := n.run(agent.Options{})
	require.ErrorIs(n.t, r.Fetch, cause)
	require.Equal(n.t, "good", read(n.t, n.root+"/f"))
	require.Contains(n.t, n.log.String(), "the last verified release stays in force")
	return r
}

// blob changes one published file of the host.
func (n *node) blob(part string, change func([]byte) []byte) {
	n.Mu.Lock()
	defer n.Mu.Unlock()
	for name, data := range n.Blobs {
		if strings.HasPrefix(name, "h/"+n.hostID+"/") && strings.Contains(name, part) {
			n.Blobs[name] = change(bytes.Clone(data))
		}
	}
}

func TestDamagedRelease(t *testing.T) {
	t.Parallel()
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	cut := func(b []byte) []byte { return b[:len(b)/2] }
	grow := func(b []byte) []byte { return append(b, bytes.Repeat([]byte{'\n'}, 1<<20)...) }
	for _, part := range []string{"timestamp.json", ".snapshot.json", ".targets.json", ".bundle"} {
		for kind, change := range map[string]func([]byte) []byte{"flipped": flip, "truncated": cut, "endless": grow} {
			t.Run(part+" "+kind, func(t *testing.T) {
				t.Parallel()
				n := settled(t)
				n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "new")}})
				n.blob(part, change)
				r := n.stillGood(release.ErrUntrusted)
				require.Equal(t, release.StateFailed, r.Report.State)
				require.NotEmpty(t, r.Report.Error)
				n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "newer")}})
				require.NoError(t, n.run(agent.Options{}).Fetch, "a good release heals it")
				require.Equal(t, "newer", read(t, n.root+"/f"))
			})
		}
	}
}

func TestOtherHostsRelease(t *testing.T) {
	t.Parallel()
	n := settled(t)
	other := newNode(t, n.Site, nil)
	n.Publish(other.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "other")}})
	n.Mu.Lock()
	for name, data := range n.Blobs {
		if rest, ok := strings.CutPrefix(name, "h/"+other.hostID+"/"); ok {
			n.Blobs["h/"+n.hostID+"/"+rest] = data
		}
	}
	n.Mu.Unlock()
	n.stillGood(release.ErrWrongHost)
}

func TestOlderRelease(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "old")}})
	n.Mu.Lock()
	old := n.Blobs["h/"+n.hostID+"/timestamp.json"]
	n.Mu.Unlock()
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "good")}})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	n.blob("timestamp.json", func([]byte) []byte { return old })
	n.stillGood(release.ErrRollback)
}

// Even a fetching half that was taken over cannot make the applying half go back.
func TestOlderReleaseInTheSpool(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "old")}})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	old := tree(t, n.dir.Path()+"/spool")
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "good")}})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.NoError(t, os.RemoveAll(n.dir.Path()+"/spool"))
	require.NoError(t, os.Mkdir(n.dir.Path()+"/spool", 0o700))
	for name, content := range old {
		if content != "directory" {
			require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
		}
	}
	_, err := n.agent.Run(t.Context(), agent.Options{DryRun: true, Offline: true})
	require.ErrorIs(t, err, release.ErrRollback)
	require.NoError(t, n.run(agent.Options{}).Fetch, "the next poll brings the right one again")
	require.Equal(t, "good", read(t, n.root+"/f"))
}

// Stolen keys published a sequence far ahead. New keys, under the next root, heal
// every host although their sequences are lower.
func TestKeysRotatedAfterFastForward(t *testing.T) {
	t.Parallel()
	n := settled(t)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "stolen")}, Version: 1 << 51})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	n.Rotate()
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "healed")}, Version: time.Now().Unix() + 10})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	require.Equal(t, "healed", read(t, n.root+"/f"))
}

func TestExpiredMetadata(t *testing.T) {
	t.Parallel()
	n := newNode(t, newSite(t), nil)
	then := time.Now().Add(-100 * time.Hour)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "good")}, Now: then})
	n.config.Machine.Now = func() time.Time { return then }
	require.NoError(t, n.run(agent.Options{}).Fetch)
	n.config.Machine.Now = time.Now
	r := n.stillGood(release.ErrExpired)
	require.Contains(t, r.Report.Error, "expired")
	require.ErrorContains(t, n.run(agent.Options{DryRun: true}).Fetch, "expired")
}

// A clock that fell back to 1970 is no reason to think that anything is fresh.
func TestClockBehindTheFloor(t *testing.T) {
	t.Parallel()
	n := settled(t)
	n.config.Machine.Now = func() time.Time { return time.Unix(0, 0) }
	n.open()
	require.NoError(t, n.run(agent.Options{}).Fetch)
	old := time.Now().Add(-200 * time.Hour)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", "frozen")}, Now: old, Version: n.Version[n.hostID] + 1})
	n.stillGood(release.ErrExpired)
}

func TestSourceThatIsAway(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"500":  func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(500); return true },
		"404":  func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(404); return true },
		"hung": func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) },
		"redirect": func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := settled(t)
			n.Broken = broken
			r := n.stillGood(agent.ErrUnavailable)
			if name == "404" {
				require.ErrorContains(t, r.Fetch, "there is no release for this host (yet); where the controller runs, `bindery hosts show NAME` and the log say why")
			}
		})
	}
}

// Whatever file of the state is torn, the host heals itself.
func TestTornState(t *testing.T) {
	t.Parallel()
	n := settled(t)
	for name, content := range tree(t, n.dir.Path()) {
		base := filepath.Base(name)
		if content == "directory" || base == "identity" || base == "root.json" || base == "enrolment.json" {
			continue
		}
		for _, torn := range []string{"", content[:len(content)/2], "\x00\x00"} {
			require.NoError(t, os.WriteFile(name, []byte(torn), 0o600))
			require.NoError(t, os.WriteFile(n.root+"/f", []byte("drift"), 0o600))
			n.open()
			require.NoError(t, n.run(agent.Options{}).Fetch, "%s as %q", base, torn)
			require.Equal(t, "good", read(t, n.root+"/f"))
		}
	}
	require.NoError(t, os.WriteFile(n.dir.Path()+"/root.json", []byte("{"), 0o600))
	require.ErrorContains(t, n.stillGood(release.ErrUntrusted).Fetch, "enrol again")
}

// faulty opens the node's state so that the n-th step that writes fails.
func (n *node) faulty(at int, fault error) (steps *int) {
	n.t.Helper()
	steps = new(int)
	d, err := state.Open(state.Config{Path: n.dir.Path(), Before: func(string, string) error {
		if *steps++; *steps == at {
			return fault
		}
		return nil
	}})
	require.NoError(n.t, err)
	n.t.Cleanup(d.Close)
	n.config.State = d
	n.open()
	return steps
}

// A disk that is full at any write of the state loses nothing.
func TestFaultAtEveryStateWrite(t *testing.T) {
	t.Parallel()
	n := settled(t)
	full := errors.New("no space left on device")
	for at := 1; ; at++ {
		want := "content " + strconv.Itoa(at)
		n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/f", want)}})
		before := read(t, n.root+"/f")
		steps := n.faulty(at, full)
		r, err := n.agent.Run(t.Context(), agent.Options{})
		if err == nil {
			err = r.Fetch
		}
		if *steps < at {
			require.NoError(t, err)
			require.Greater(t, at, 20)
			break
		}
		require.Contains(t, []string{before, want}, read(t, n.root+"/f"))
		if err != nil {
			require.ErrorIs(t, err, full, "step %d", at)
		}
		n.faulty(0, nil)
		require.NoError(t, n.run(agent.Options{}).Fetch, "after a fault in step %d", at)
		require.Equal(t, want, read(t, n.root+"/f"))
	}
}

// A real full disk: the file keeps its old content, and the error says why.
func TestFullDisk(t *testing.T) {
	n := settled(t)
	small := n.root + "/small"
	require.NoError(t, os.Mkdir(small, 0o755))
	mounted := unix.Mount("tmpfs", small, "tmpfs", 0, "size=1m") == nil
	if mounted {
		t.Cleanup(func() { _ = unix.Unmount(small, unix.MNT_DETACH) })
	} else {
		// Without privilege a limit on file size stands in for the small disk.
		var old unix.Rlimit
		require.NoError(t, unix.Getrlimit(unix.RLIMIT_FSIZE, &old))
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1 << 20, Max: old.Max}))
		t.Cleanup(func() { _ = unix.Setrlimit(unix.RLIMIT_FSIZE, &old) })
	}
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/small/f", "old"), agenttest.File("/f", "good")}})
	require.NoError(t, n.run(agent.Options{}).Fetch)
	big := strings.Repeat("x", 2<<20)
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/small/f", big), agenttest.File("/f", "newer")}})
	r := n.run(agent.Options{})
	if mounted {
		require.Contains(t, r.Lines[0].Reason, "no space left on device")
	} else {
		require.Contains(t, r.Lines[0].Reason, "file too large")
	}
	require.Equal(t, "old", read(t, small+"/f"))
	require.Equal(t, "newer", read(t, n.root+"/f"), "other entries go on")
	list, err := os.ReadDir(small)
	require.NoError(t, err)
	require.Len(t, list, 1, "nothing half-written stays")
}

// A read-only disk: entries on it fail with the cause.
func TestReadOnlyDisk(t *testing.T) {
	n := settled(t)
	require.NoError(t, os.Mkdir(n.root+"/ro", 0o755))
	require.NoError(t, os.WriteFile(n.root+"/ro/f", []byte("old"), 0o644))
	if unix.Mount("tmpfs", n.root+"/ro", "tmpfs", unix.MS_RDONLY, "size=1m") == nil {
		t.Cleanup(func() { _ = unix.Unmount(n.root+"/ro", unix.MNT_DETACH) })
	} else {
		require.NoError(t, os.Chmod(n.root+"/ro", 0o555))
		t.Cleanup(func() { _ = os.Chmod(n.root+"/ro", 0o755) })
	}
	n.Publish(n.hostID, agenttest.Release{Entries: []config.Entry{agenttest.File("/ro/f", "new"), agenttest.File("/f", "newer")}})
	r := n.run(agent.Options{})
	require.Regexp(t, "read-only file system|permission denied", r.Lines[0].Reason)
	require.Equal(t, "newer", read(t, n.root+"/f"))
}

// Whatever is in the spool, only what was verified is taken from it.
func FuzzSpool(f *testing.F) {
	f.Add([]byte(`{"plain":"00"}`), []byte("x"))
	f.Add([]byte(`{"plain":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}`), []byte("x"))
	f.Fuzz(func(t *testing.T, manifest, bundle []byte) {
		n := settled(t)
		sum := sha256.Sum256(bundle)
		dir := n.dir.Path() + "/spool/"
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.WriteFile(dir+"manifest.json", manifest, 0o600))
		require.NoError(t, os.WriteFile(dir+hex.EncodeToString(sum[:])+".bundle", bundle, 0o600))
		_, err := n.agent.Run(t.Context(), agent.Options{DryRun: true, Offline: true})
		require.Error(t, err)
		require.NoError(t, n.run(agent.Options{}).Fetch, "the next poll heals it")
	})
}

// Whatever a source answers, the last verified release stays in force.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"signed":{"_type":"timestamp"},"signatures":[]}`), uint16(200))
	f.Add([]byte(``), uint16(304))
	f.Add([]byte(`{"signed":{"_type":"root","roles":{"root":null}},"signatures":[]}`), uint16(200))
	f.Fuzz(func(t *testing.T, body []byte, status uint16) {
		if status < 200 || status > 599 {
			return
		}
		n := settled(t)
		n.config.Client.Transport = answer{body: body, status: int(status)}
		n.open()
		require.NoError(t, os.WriteFile(n.root+"/f", []byte("drift"), 0o600))
		_ = n.run(agent.Options{})
		require.Equal(t, "good", read(t, n.root+"/f"))
	})
}

// answer is a source that always says the same.
type answer struct {
	body   []byte
	status int
}

// RoundTrip implements http.RoundTripper.
func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, Header: http.Header{}, Request: r, Body: io.NopCloser(bytes.NewReader(a.body)),
	}, nil
}
