// SPDX-License-Identifier: Apache-2.0

package release_test

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/release"
)

func TestVerify(t *testing.T) {
	w := newWorld(t)
	one := w.publish(t, "one")
	v := w.verifier(t, release.State{})
	require.Equal(t, int64(1), v.RootVersion())
	require.Empty(t, v.Next().Name)
	newer, err := v.UpdateTimestamp(one.Timestamp)
	require.NoError(t, err)
	require.True(t, newer)
	require.Equal(t, release.Want{Name: release.SnapshotName(one.Version), Limit: len(one.Snapshot)}, v.Next())
	require.NoError(t, v.Accept(one.Snapshot))
	require.Equal(t, release.Want{Name: release.TargetsName(one.Version), Limit: len(one.Targets)}, v.Next())
	_, err = v.Target()
	require.ErrorContains(t, err, "not complete")
	require.NoError(t, v.Accept(one.Targets))
	target, err := v.Target()
	require.NoError(t, err)
	require.Equal(t, one.BundleName, target.Name)
	require.Equal(t, "c-one", target.Custom.Commit)
	require.NoError(t, target.Check(one.Sealed))

	// A later poll finds nothing new, then something.
	kept := v.State()
	v = w.verifier(t, kept)
	require.NoError(t, v.Unchanged())
	require.Empty(t, v.Next().Name)
	kept = w.accept(t, kept, one, "one")
	two := w.publish(t, "two")
	kept = w.accept(t, kept, two, "two")
	b, err := release.Reopen(w.hostID, kept, two.Sealed, w.id)
	require.NoError(t, err)
	require.Equal(t, two.Version, b.Manifest.Sequence)
}

// attack is something that an agent is shown that keeps release one.
type attack struct {
	name string
	want error
	run  func(t *testing.T, w *world, kept release.State, one *release.Documents) error
}

// refuse expects each attack to be refused for its reason, and what was kept to open
// as before.
func refuse(t *testing.T, attacks []attack) {
	t.Helper()
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			w := newWorld(t)
			one := w.publish(t, "one")
			kept := w.accept(t, release.State{}, one, "one")
			err := a.run(t, w, kept, one)
			require.ErrorIs(t, err, a.want)
			b, err := release.Reopen(w.hostID, kept, one.Sealed, w.id)
			require.NoError(t, err)
			require.Equal(t, "c-one", b.Manifest.Commit)
		})
	}
}

func shown(w *world, t *testing.T, kept release.State, d *release.Documents) error {
	t.Helper()
	_, err := take(w.verifier(t, kept), d, w.id)
	return err
}

func TestMetadataAttacks(t *testing.T) {
	refuse(t, []attack{
		{"rollback", release.ErrRollback, func(t *testing.T, w *world, kept release.State, one *release.Documents) error {
			kept = w.accept(t, kept, w.publish(t, "two"), "two")
			return shown(w, t, kept, one)
		}},
		{"frozen mirror", release.ErrExpired, func(t *testing.T, w *world, kept release.State, one *release.Documents) error {
			w.now = w.now.Add(release.TimestampLife + time.Minute)
			require.ErrorIs(t, w.verifier(t, kept).Unchanged(), release.ErrExpired)
			return shown(w, t, kept, one)
		}},
		{"expired newer timestamp", release.ErrExpired, func(t *testing.T, w *world, kept release.State, _ *release.Documents) error {
			two := w.publish(t, "two")
			w.now = w.now.Add(release.TimestampLife + time.Minute)
			return shown(w, t, kept, two)
		}},
		{"expired root", release.ErrExpired, func(t *testing.T, w *world, kept release.State, _ *release.Documents) error {
			w.now = start.AddDate(1, 0, 1)
			return shown(w, t, kept, w.publish(t, "two"))
		}},
		{"another host's metadata", release.ErrWrongHost, func(t *testing.T, w *world, kept release.State, _ *release.Documents) error {
			return shown(w, t, kept, w.publishAs(t, hostID(t), w.id.Public().Recipient, "other", w.last+5))
		}},
		{"another host's snapshot and targets", release.ErrMismatch, func(t *testing.T, w *world, kept release.State, _ *release.Documents) error {
			two := w.publish(t, "two")
			other := w.publishAs(t, hostID(t), w.id.Public().Recipient, "other", w.last)
			two.Snapshot = other.Snapshot
			err := shown(w, t, kept, two)
			require.ErrorIs(t, err, release.ErrWrongHost)
			two.Snapshot = w.publishAs(t, w.hostID, w.id.Public().Recipient, "mine", w.last).Snapshot
			return shown(w, t, kept, two)
		}},
		{"host field flipped", release.ErrUntrusted, func(t *testing.T, w *world, kept release.State, _ *release.Documents) error {
			other := w.publishAs(t, hostID(t), w.id.Public().Recipient, "other", w.last+5)
			var m struct {
				Signed map[string]any `json:"signed"`
			}
			require.NoError(t, json.Unmarshal(other.Timestamp, &m))
			foreign, ok := m.Signed["x-host"].(string)
			require.True(t, ok)
			other.Timestamp = bytes.ReplaceAll(other.Timestamp, []byte(foreign), []byte(w.hostID))
			return shown(w, t, kept, other)
		}},
		{"stranger's keys", release.ErrUntrusted, func(t *testing.T, w *world, kept release.State, _ *release.Documents) error {
			stranger := newWorld(t)
			stranger.hostID, stranger.id = w.hostID, w.id
			return shown(w, t, kept, stranger.publish(t, "x"))
		}},
		{"one stolen online key", release.ErrUntrusted, func(t *testing.T, w *world, kept release.State, _ *release.Documents) error {
			thief := newWorld(t)
			thief.hostID, thief.id, thief.keys["timestamp"] = w.hostID, w.id, w.keys["timestamp"]
			return shown(w, t, kept, thief.publish(t, "x"))
		}},
		{"endless data", release.ErrTooLarge, func(t *testing.T, w *world, kept release.State, _ *release.Documents) error {
			two := w.publish(t, "two")
			two.Timestamp = append(two.Timestamp, bytes.Repeat([]byte(" "), release.MaxTimestamp)...)
			return shown(w, t, kept, two)
		}},
		{"no metadata at all", release.ErrUntrusted, func(t *testing.T, w *world, kept release.State, _ *release.Documents) error {
			return shown(w, t, kept, &release.Documents{Timestamp: []byte("<html>maintenance</html>")})
		}},
	})
}

func TestBundleAttacks(t *testing.T) {
	refuse(t, []attack{
		{"another host's bundle", release.ErrMismatch, func(t *testing.T, w *world, kept release.State, _ *release.Documents) error {
			two := w.publish(t, "two")
			two.Sealed = w.publishAs(t, hostID(t), w.id.Public().Recipient, "other", w.last).Sealed
			return shown(w, t, kept, two)
		}},
		{"bundle of another host inside my metadata", release.ErrWrongHost, func(t *testing.T, w *world, kept release.State, _ *release.Documents) error {
			w.now = w.now.Add(time.Minute)
			other := w.publishAs(t, hostID(t), w.id.Public().Recipient, "other", w.now.Unix())
			d, err := w.signers().Sign(release.Draft{
				HostID: w.hostID, Version: other.Version, Sealed: other.Sealed, Now: w.now,
				Custom: release.Custom{Commit: "c-other"},
			})
			require.NoError(t, err)
			return shown(w, t, kept, d)
		}},
		{"older bundle inside newer metadata", release.ErrMismatch, func(t *testing.T, w *world, kept release.State, one *release.Documents) error {
			w.now = w.now.Add(time.Minute)
			d, err := w.signers().Sign(release.Draft{
				HostID: w.hostID, Version: w.now.Unix(), Sealed: one.Sealed, Now: w.now,
				Custom: release.Custom{Commit: "c-one"},
			})
			require.NoError(t, err)
			return shown(w, t, kept, d)
		}},
		{"bundle sealed to another key", release.ErrSealed, func(t *testing.T, w *world, kept release.State, _ *release.Documents) error {
			other, err := release.NewIdentity()
			require.NoError(t, err)
			return shown(w, t, kept, w.publishAs(t, w.hostID, other.Public().Recipient, "x", w.last+5))
		}},
		{"tampered bundle", release.ErrMismatch, func(t *testing.T, w *world, kept release.State, _ *release.Documents) error {
			two := w.publish(t, "two")
			two.Sealed = slices.Clone(two.Sealed)
			two.Sealed[len(two.Sealed)/2] ^= 1
			return shown(w, t, kept, two)
		}},
		{"truncated bundle", release.ErrMismatch, func(t *testing.T, w *world, kept release.State, _ *release.Documents) error {
			two := w.publish(t, "two")
			two.Sealed = two.Sealed[:len(two.Sealed)-1]
			return shown(w, t, kept, two)
		}},
		{"bundle with more behind", release.ErrMismatch, func(t *testing.T, w *world, kept release.State, _ *release.Documents) error {
			two := w.publish(t, "two")
			two.Sealed = append(slices.Clone(two.Sealed), 0)
			return shown(w, t, kept, two)
		}},
	})
}

// A refused document is in no state that may be kept, and nothing is accepted after it.
func TestRefusalIsFinal(t *testing.T) {
	w := newWorld(t)
	kept := w.accept(t, release.State{}, w.publish(t, "one"), "one")
	v := w.verifier(t, kept)
	_, err := v.UpdateTimestamp(w.publishAs(t, hostID(t), w.id.Public().Recipient, "x", w.last+5).Timestamp)
	require.ErrorIs(t, err, release.ErrWrongHost)
	require.Equal(t, kept.Timestamp, v.State().Timestamp)
	_, err = v.UpdateTimestamp(w.publish(t, "two").Timestamp)
	require.ErrorIs(t, err, release.ErrWrongHost)
	require.ErrorIs(t, v.Accept(nil), release.ErrWrongHost)
	_, err = v.Target()
	require.ErrorIs(t, err, release.ErrWrongHost)
}

// A timestamp that was only signed again brings no other document with it.
func TestRenewal(t *testing.T) {
	w := newWorld(t)
	one := w.publish(t, "one")
	kept := w.accept(t, release.State{}, one, "one")
	cur, err := release.ReadCurrent(w.hostID, w.root.Data, one.Timestamp, nil)
	require.NoError(t, err)
	w.now = w.now.Add(release.TimestampRenewal)
	renewed, err := release.Signers{Timestamp: w.keys["timestamp"][0]}.Renew(cur, w.now)
	require.NoError(t, err)
	v := w.verifier(t, kept)
	newer, err := v.UpdateTimestamp(renewed)
	require.NoError(t, err)
	require.True(t, newer)
	require.Empty(t, v.Next().Name)
	_, err = v.Open(one.Sealed, w.id)
	require.NoError(t, err)
	require.Len(t, renewed, len(one.Timestamp))
}

// Kept documents that a crash tore are dropped, named, and fetched again.
func TestTornCache(t *testing.T) {
	for name, tear := range map[string]func(*release.State){
		"timestamp.json": func(s *release.State) { s.Timestamp = s.Timestamp[:len(s.Timestamp)/2] },
		"snapshot":       func(s *release.State) { s.Snapshot = s.Snapshot[:40] },
		"targets":        func(s *release.State) { s.Targets = []byte("\x00\x00") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			one := w.publish(t, "one")
			kept := w.accept(t, release.State{}, one, "one")
			whole := kept
			tear(&kept)
			v := w.verifier(t, kept)
			_, err := take(v, one, w.id)
			require.NoError(t, err)
			require.Equal(t, whole, v.State())
			if name != "targets" {
				require.Equal(t, []string{name}, v.Dropped())
			}
			_, err = release.Reopen(w.hostID, kept, one.Sealed, w.id)
			require.ErrorIs(t, err, release.ErrUntrusted)
		})
	}
}

// What is kept for another host is not used.
func TestForeignCache(t *testing.T) {
	w := newWorld(t)
	one := w.publish(t, "one")
	other := w.publishAs(t, hostID(t), w.id.Public().Recipient, "x", w.last+100)
	kept := release.State{Root: w.root.Data, Timestamp: other.Timestamp, Snapshot: other.Snapshot, Targets: other.Targets}
	v := w.verifier(t, kept)
	_, err := take(v, one, w.id)
	require.NoError(t, err)
	require.Equal(t, []string{"timestamp.json", "snapshot"}, v.Dropped())
}

func TestRootRotation(t *testing.T) {
	w := newWorld(t)
	kept := w.accept(t, release.State{}, w.publish(t, "one"), "one")
	oldRoot := w.keys["root"]
	w.keys["root"] = []release.Signer{newSigner(t), newSigner(t), newSigner(t)}

	signers := []release.Signer{oldRoot[0], w.keys["root"][0], w.keys["root"][2]}
	for name, bad := range map[string][]byte{
		"without the old key":     w.makeRoot(t, 2, 2, signers[1:]...).Data,
		"below the new threshold": unsign(t, w.makeRoot(t, 2, 2, signers...).Data, 2),
	} {
		require.ErrorIs(t, w.verifier(t, kept).UpdateRoot(bad), release.ErrUntrusted, name)
	}
	skipped := w.makeRoot(t, 3, 2, signers...).Data
	require.ErrorIs(t, w.verifier(t, kept).UpdateRoot(skipped), release.ErrRollback)

	two := w.makeRoot(t, 2, 2, signers...)
	require.Equal(t, 2, two.Thresholds["root"])
	again, err := release.ParseSuccessor(w.root, two.Data)
	require.NoError(t, err)
	require.Equal(t, two, again)
	v := w.verifier(t, kept)
	require.NoError(t, v.UpdateRoot(two.Data))
	require.Equal(t, int64(2), v.RootVersion())
	require.NoError(t, v.Unchanged())
	require.ErrorContains(t, v.UpdateRoot(two.Data), "come before")
	require.Equal(t, two.Data, v.State().Root)
}

// unsign takes the n-th signature away.
func unsign(t *testing.T, data []byte, n int) []byte {
	t.Helper()
	var m struct {
		Signed     json.RawMessage   `json:"signed"`
		Signatures []json.RawMessage `json:"signatures"`
	}
	require.NoError(t, json.Unmarshal(data, &m))
	m.Signatures = slices.Delete(m.Signatures, n, n+1)
	out, err := json.Marshal(m)
	require.NoError(t, err)
	return out
}

// A thief of the timestamp and snapshot keys has signed versions far in the future.
// New keys in a new root make agents forget them.
func TestFastForwardRecovery(t *testing.T) {
	w := newWorld(t)
	one := w.publish(t, "one")
	kept := w.accept(t, release.State{}, one, "one")
	thief := w.publishAs(t, w.hostID, w.id.Public().Recipient, "stolen", math.MaxInt64-1)
	kept = w.accept(t, kept, thief, "stolen")
	_, err := release.NextVersion(math.MaxInt64, w.now)
	require.ErrorContains(t, err, "rotate")

	two := w.publish(t, "two")
	_, err = take(w.verifier(t, kept), two, w.id)
	require.ErrorIs(t, err, release.ErrRollback)

	for _, role := range []string{"targets", "snapshot", "timestamp"} {
		w.keys[role] = []release.Signer{newSigner(t)}
	}
	next := w.makeRoot(t, 2, 1, w.keys["root"]...)
	v := w.verifier(t, kept)
	require.NoError(t, v.UpdateRoot(next.Data))
	two = w.publish(t, "two")
	b, err := take(v, two, w.id)
	require.NoError(t, err)
	require.Equal(t, "c-two", b.Manifest.Commit)
	require.Equal(t, []string{"timestamp.json", "snapshot"}, v.Dropped())
}

func TestNewRootRefuses(t *testing.T) {
	w := newWorld(t)
	spec := w.spec(t, 0, 1)
	_, err := release.NewRoot(spec, w.keys["root"]...)
	require.ErrorContains(t, err, "version 0")
	_, err = release.NewRoot(w.spec(t, 1, 2), w.keys["root"]...)
	require.ErrorContains(t, err, "threshold 2")
	_, err = release.NewRoot(w.spec(t, 1, 1))
	require.ErrorIs(t, err, release.ErrUntrusted)
	_, err = release.ParseRoot(make([]byte, release.MaxRoot+1))
	require.ErrorIs(t, err, release.ErrTooLarge)
}

func TestSignRefuses(t *testing.T) {
	w := newWorld(t)
	good := release.Draft{HostID: w.hostID, Version: 1, Sealed: []byte("x"), Now: w.now}
	for name, spoil := range map[string]func(*release.Draft){
		"malformed":      func(d *release.Draft) { d.HostID = "../x" },
		"version":        func(d *release.Draft) { d.Version = 0 },
		"nothing sealed": func(d *release.Draft) { d.Sealed = nil },
	} {
		d := good
		spoil(&d)
		_, err := w.signers().Sign(d)
		require.ErrorContains(t, err, name)
	}
	_, err := release.Signers{}.Sign(good)
	require.ErrorContains(t, err, "no signer")
}

func BenchmarkPollUnchanged(b *testing.B) {
	w := newWorld(b)
	kept := w.accept(b, release.State{}, w.publish(b, "one"), "one")
	for b.Loop() {
		require.NoError(b, w.verifier(b, kept).Unchanged())
	}
}
