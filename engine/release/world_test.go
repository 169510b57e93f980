// SPDX-License-Identifier: Apache-2.0

package release_test

import (
	"crypto"
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is one controller's keys, one host, and all that is published for it.
type world struct {
	root   *release.Root
	keys   map[string][]release.Signer // by role
	id     *release.Identity
	hostID string
	now    time.Time
	last   int64
}

func newSigner(t testing.TB) release.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	s, err := signature.LoadED25519Signer(private)
	require.NoError(t, err)
	return s
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{keys: map[string][]release.Signer{}, hostID: hostID(t), now: start}
	for _, role := range []string{"root", "targets", "snapshot", "timestamp"} {
		w.keys[role] = []release.Signer{newSigner(t)}
	}
	w.root = w.makeRoot(t, 1, 1, w.keys["root"]...)
	var err error
	w.id, err = release.NewIdentity()
	require.NoError(t, err)
	return w
}

func hostID(t testing.TB) string {
	t.Helper()
	id, err := release.NewHostID()
	require.NoError(t, err)
	return id
}

func (w *world) spec(t testing.TB, version int64, threshold int) release.RootSpec {
	t.Helper()
	spec := release.RootSpec{Version: version, Expires: start.AddDate(1, 0, 0)}
	for role, into := range map[string]*release.RoleKeys{
		"root": &spec.Root, "targets": &spec.Targets, "snapshot": &spec.Snapshot, "timestamp": &spec.Timestamp,
	} {
		into.Threshold = 1
		if role == "root" {
			into.Threshold = threshold
		}
		for _, s := range w.keys[role] {
			into.Keys = append(into.Keys, public(t, s))
		}
	}
	return spec
}

func public(t testing.TB, s release.Signer) crypto.PublicKey {
	t.Helper()
	pub, err := s.PublicKey()
	require.NoError(t, err)
	return pub
}

func (w *world) makeRoot(t testing.TB, version int64, threshold int, signers ...release.Signer) *release.Root {
	t.Helper()
	r, err := release.NewRoot(w.spec(t, version, threshold), signers...)
	require.NoError(t, err)
	return r
}

func (w *world) signers() release.Signers {
	return release.Signers{Targets: w.keys["targets"][0], Snapshot: w.keys["snapshot"][0], Timestamp: w.keys["timestamp"][0]}
}

func motd(host, text string) *config.Config {
	return &config.Config{Host: host, Bundles: []*config.Bundle{
		config.NewBundle("Bundle", []config.Attr{{Name: "name", Value: "motd"}}, []*config.Entry{
			config.NewEntry(config.Entry{Tag: "Path", Text: text, Attrs: []config.Attr{
				{Name: "name", Value: "/etc/motd"}, {Name: "type", Value: "file"}, {Name: "mode", Value: "0644"},
			}}),
		}),
	}}
}

var apply = release.Policy{Mode: release.ModeApply}

// publish signs the next release of a host, some seconds later.
func (w *world) publish(t testing.TB, text string) *release.Documents {
	t.Helper()
	w.now = w.now.Add(10 * time.Second)
	version, err := release.NextVersion(w.last, w.now)
	require.NoError(t, err)
	w.last = version
	return w.publishAs(t, w.hostID, w.id.Public().Recipient, text, version)
}

func (w *world) publishAs(t testing.TB, hostID, recipient, text string, version int64) *release.Documents {
	t.Helper()
	b, err := release.NewBundle(release.Identified{Host: "web1", HostID: hostID, Commit: "c-" + text, Tree: "t", Engine: "e", Sequence: version},
		motd("web1", text), nil, apply)
	require.NoError(t, err)
	plain, err := release.Pack(b)
	require.NoError(t, err)
	sealed, err := release.Seal(plain, recipient)
	require.NoError(t, err)
	docs, err := w.signers().Sign(release.Draft{
		HostID: hostID, Version: version, Sealed: sealed, Now: w.now,
		Custom: release.Custom{Format: release.Format, Commit: "c-" + text, Engine: "e", Created: w.now, Mark: "m"},
	})
	require.NoError(t, err)
	return docs
}

func (w *world) verifier(t testing.TB, kept release.State) *release.Verifier {
	t.Helper()
	if kept.Root == nil {
		kept.Root = w.root.Data
	}
	v, err := release.NewVerifier(w.hostID, kept, w.now)
	require.NoError(t, err)
	return v
}

// take gives an agent everything that belongs to one release.
func take(v *release.Verifier, d *release.Documents, id *release.Identity) (*release.Bundle, error) {
	if _, err := v.UpdateTimestamp(d.Timestamp); err != nil {
		return nil, err
	}
	for want := v.Next(); want.Name != ""; want = v.Next() {
		data := d.Snapshot
		if want.Name == release.TargetsName(d.Version) {
			data = d.Targets
		}
		if err := v.Accept(data); err != nil {
			return nil, err
		}
	}
	return v.Open(d.Sealed, id)
}

// accept is take where it must succeed; it returns what the agent keeps.
func (w *world) accept(t testing.TB, kept release.State, d *release.Documents, want string) release.State {
	t.Helper()
	v := w.verifier(t, kept)
	b, err := take(v, d, w.id)
	require.NoError(t, err)
	require.Equal(t, want, b.Config.Bundles[0].Entries[0].Text)
	return v.State()
}
