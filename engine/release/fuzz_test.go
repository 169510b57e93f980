// SPDX-License-Identifier: Apache-2.0

package release_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/release"
)

func itoa(n int) string { return strconv.Itoa(n) }

// private takes the signing key out of an identity's own text.
func private(t *testing.T, id *release.Identity) ed25519.PrivateKey {
	t.Helper()
	text, err := id.Marshal()
	require.NoError(t, err)
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	out, ok := key.(ed25519.PrivateKey)
	require.True(t, ok)
	return out
}

func FuzzUnpack(f *testing.F) {
	f.Add(pack(f, bundle(f)))
	f.Add(archive(f, entry{name: "manifest.json", data: `{"format":1}`}))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := release.Unpack(data)
		if err != nil {
			return
		}
		// What was read can be written, and says the same.
		again, err := release.Pack(b)
		require.NoError(t, err)
		c, err := release.Unpack(again)
		require.NoError(t, err)
		require.Equal(t, b.Manifest, c.Manifest)
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"format":1,"host":"h","waiting":true}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if b, err := release.Unpack(archive(t, entry{name: "manifest.json", data: string(data)}, entry{name: "probes.json", data: "[]"})); err == nil {
			require.Nil(t, b.Config)
		}
	})
}

func FuzzToken(f *testing.F) {
	f.Add(newDesk(f).token.Text())
	f.Add("ENR1-0011223344556677-x-y")
	f.Fuzz(func(t *testing.T, text string) {
		if token, err := release.ParseToken(text); err == nil {
			again, err := release.ParseToken(token.Text())
			require.NoError(t, err)
			require.Equal(t, token, again)
		} else {
			require.ErrorIs(t, err, release.ErrToken)
		}
	})
}

func FuzzIdentity(f *testing.F) {
	id, err := release.NewIdentity()
	require.NoError(f, err)
	text, err := id.Marshal()
	require.NoError(f, err)
	f.Add(text)
	f.Fuzz(func(t *testing.T, data []byte) {
		if id, err := release.ParseIdentity(data); err == nil {
			require.NoError(t, id.Public().Validate())
		}
	})
}

// Whatever comes over the network, nobody but the holder of a key is believed.
func FuzzEnvelope(f *testing.F) {
	id, err := release.NewIdentity()
	require.NoError(f, err)
	facts, err := id.SignFacts(release.Facts{HostID: anyID, Host: "web1"})
	require.NoError(f, err)
	d := newDesk(f)
	request, err := release.NewEnrolment(d.w.id, d.token, "web1").Request()
	require.NoError(f, err)
	f.Add(facts)
	f.Add(request)
	stranger, err := release.NewIdentity()
	require.NoError(f, err)
	keyOf := func(string) (ed25519.PublicKey, error) { return stranger.Public().Signing, nil }
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := release.OpenFacts(data, keyOf)
		require.Error(t, err)
		_, err = release.OpenReport(data, keyOf)
		require.Error(t, err)
		if r, err := release.ParseEnrolRequest(data); err == nil {
			require.NoError(t, r.Identity.Validate())
		}
		e := release.NewEnrolment(d.w.id, d.token, "web1")
		_, err = e.Respond(data)
		require.Error(t, err)
		_, err = e.Finish(data)
		require.Error(t, err)
	})
}

// Hostile metadata never panics, is never trusted and never changes what is kept.
func FuzzMetadata(f *testing.F) {
	w := newWorld(f)
	one := w.publish(f, "one")
	kept := w.accept(f, release.State{}, one, "one")
	two := w.publish(f, "two")
	stranger := newWorld(f)
	foreign := stranger.publish(f, "x")
	for _, seed := range [][]byte{
		foreign.Timestamp, foreign.Snapshot, foreign.Targets, stranger.root.Data,
		[]byte(`{"signed":{"_type":"root","roles":{"root":null}},"signatures":[]}`),
		[]byte(`{"signed":{"_type":"timestamp","meta":{"snapshot.json":null}},"signatures":null}`),
		[]byte(`{"signed":{"_type":"targets","targets":{"bundle":{"custom":null}}}}`),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		refused := func(err error) {
			require.True(t, errors.Is(err, release.ErrUntrusted) || errors.Is(err, release.ErrTooLarge), "%v", err)
		}
		v := w.verifier(t, kept)
		refused(v.UpdateRoot(data))
		require.Equal(t, release.State{Root: kept.Root}, v.State())

		v = w.verifier(t, kept)
		if newer, err := v.UpdateTimestamp(data); err == nil {
			require.False(t, newer)
		} else {
			refused(err)
		}
		require.Equal(t, kept.Timestamp, v.State().Timestamp)

		v = w.verifier(t, release.State{})
		_, err := v.UpdateTimestamp(two.Timestamp)
		require.NoError(t, err)
		refused(v.Accept(data))

		// Damage in what is kept is survived.
		v = w.verifier(t, release.State{Root: kept.Root, Timestamp: data, Snapshot: data, Targets: data})
		_, err = take(v, two, w.id)
		require.NoError(t, err)

		if _, err := release.ParseRoot(data); err != nil {
			refused(err)
		}
		if _, err := release.ReadCurrent(w.hostID, w.root.Data, data, nil); err != nil {
			refused(err)
		}
	})
}
