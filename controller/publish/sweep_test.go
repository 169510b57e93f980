// SPDX-License-Identifier: Apache-2.0

package publish_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/blob"
	"github.com/bindery/bindery/controller/blob/blobtest"
	"github.com/bindery/bindery/controller/publish"
	"github.com/bindery/bindery/engine/release"
)

// The sweep keeps a release fresh with one write and the timestamp key alone.
func TestSweep(t *testing.T) {
	s := newSite(t)
	p := s.publisher(t, s.store)
	published, err := p.Publish(t.Context(), s.wants("one"))
	require.NoError(t, err)
	_, kept, err := s.fetch(t, release.State{})
	require.NoError(t, err)
	const nobody = "00000000000000000000000000000000"
	ids := map[string]int64{s.host.ID: published.Sequence, nobody: 0}

	got, err := p.Sweep(t.Context(), ids)
	require.NoError(t, err)
	require.Equal(t, 0, got.Renewed)
	require.Equal(t, 2, got.Fresh)

	s.keys.Signers.Targets, s.keys.Signers.Snapshot = nil, nil
	for range 5 {
		s.clock.skip(release.TimestampRenewal)
		counted := &blobtest.Faulty{Store: s.store}
		before := len(list(t, s))
		got, err = s.publisher(t, counted).Sweep(t.Context(), ids)
		require.NoError(t, err)
		require.Equal(t, 1, got.Renewed)
		require.Empty(t, got.Failed)
		require.Equal(t, []string{nobody}, got.Ageing, "the host without a timestamp")
		require.Equal(t, 2, counted.Writes()) // the root, which is there, and the timestamp
		require.Len(t, list(t, s), before)

		var b *release.Bundle
		b, kept, err = s.fetch(t, kept)
		require.NoError(t, err)
		require.Equal(t, published.Sequence, b.Manifest.Sequence)
	}
	cur, err := p.Current(t.Context(), s.host.ID)
	require.NoError(t, err)
	require.Greater(t, cur.TimestampVersion, published.Sequence)

	// Nobody sweeps: the agent notices, and keeps what it has.
	s.clock.skip(release.TimestampLife + time.Hour)
	_, _, err = s.fetch(t, kept)
	require.ErrorIs(t, err, release.ErrExpired)
}

// After a renewal the next release still has a higher version than the timestamp.
func TestPublishAfterSweep(t *testing.T) {
	s := newSite(t)
	p := s.publisher(t, s.store)
	_, err := p.Publish(t.Context(), s.wants("one"))
	require.NoError(t, err)
	s.clock.skip(release.TimestampRenewal)
	_, err = p.Sweep(t.Context(), map[string]int64{s.host.ID: 0})
	require.NoError(t, err)
	_, kept, err := s.fetch(t, release.State{})
	require.NoError(t, err)
	_, err = p.Publish(t.Context(), s.wants("two"))
	require.NoError(t, err)
	b, _, err := s.fetch(t, kept)
	require.NoError(t, err)
	require.Equal(t, "two", text(b))
}

func TestSweepAgeing(t *testing.T) {
	s := newSite(t)
	p := s.publisher(t, s.store)
	_, err := p.Publish(t.Context(), s.wants("one"))
	require.NoError(t, err)
	s.clock.skip(release.MetadataLife - 80*24*time.Hour)
	got, err := p.Sweep(t.Context(), map[string]int64{s.host.ID: 0})
	require.NoError(t, err)
	require.Equal(t, []string{s.host.ID}, got.Ageing)
	out, err := p.Publish(t.Context(), s.wants("one"))
	require.NoError(t, err)
	require.False(t, out.Unchanged)
}

func TestSweepFailure(t *testing.T) {
	s := newSite(t)
	_, err := s.publisher(t, s.store).Publish(t.Context(), s.wants("one"))
	require.NoError(t, err)
	s.clock.skip(release.TimestampRenewal)
	p := s.publisher(t, &blobtest.Faulty{Store: s.store, FailAt: 2})
	got, err := p.Sweep(t.Context(), map[string]int64{s.host.ID: 0})
	require.NoError(t, err)
	require.ErrorIs(t, got.Failed[s.host.ID], blobtest.ErrFault)

	_, err = s.store.Put(t.Context(), release.HostPath(s.host.ID, release.TimestampName), []byte("{}"), blob.Condition{})
	require.NoError(t, err)
	got, err = s.publisher(t, s.store).Sweep(t.Context(), map[string]int64{s.host.ID: 0})
	require.NoError(t, err)
	require.ErrorIs(t, got.Failed[s.host.ID], release.ErrUntrusted)
	require.Equal(t, []string{s.host.ID}, got.Ageing)
}

// Whoever can write to the store puts an old release back. The controller must not
// make it fresh, nor take it for what it published last.
func TestOldReleaseIsPutBack(t *testing.T) {
	s := newSite(t)
	p := s.publisher(t, s.store)
	_, err := p.Publish(t.Context(), s.wants("one"))
	require.NoError(t, err)
	timestamp := release.HostPath(s.host.ID, release.TimestampName)
	old, _, err := s.store.Get(t.Context(), timestamp)
	require.NoError(t, err)
	two, err := p.Publish(t.Context(), s.wants("two"))
	require.NoError(t, err)
	_, kept, err := s.fetch(t, release.State{})
	require.NoError(t, err)

	putBack := func() []byte {
		_, err := s.store.Put(t.Context(), timestamp, old, blob.Condition{})
		require.NoError(t, err)
		data, _, err := s.store.Get(t.Context(), timestamp)
		require.NoError(t, err)
		return data
	}
	before := putBack()
	s.clock.skip(release.TimestampRenewal)
	got, err := p.Sweep(t.Context(), map[string]int64{s.host.ID: two.Sequence})
	require.NoError(t, err)
	require.ErrorIs(t, got.Failed[s.host.ID], publish.ErrPutBack)
	require.Equal(t, []string{s.host.ID}, got.Ageing)
	after, _, err := s.store.Get(t.Context(), timestamp)
	require.NoError(t, err)
	require.Equal(t, before, after, "nothing was signed")

	// Back to the content of the old release: agents take it only as a new one.
	again := s.wants("one")
	again.Last = two.Sequence
	out, err := p.Publish(t.Context(), again)
	require.NoError(t, err)
	require.False(t, out.Unchanged)
	require.Greater(t, out.Sequence, two.Sequence)
	b, _, err := s.fetch(t, kept)
	require.NoError(t, err)
	require.Equal(t, "one", text(b))
}

func list(t *testing.T, s *site) []string {
	t.Helper()
	names, err := s.store.List(t.Context(), "")
	require.NoError(t, err)
	return names
}
