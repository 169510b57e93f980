// SPDX-License-Identifier: Apache-2.0

// Package blobtest is the one suite that every blob.Blob has to pass, and a store
// that fails on demand for the tests of those who write to one. It must not know
// any implementation.
package blobtest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/blob"
)

// Run holds a store against the contract. Open gives an empty store; it is called
// once per case, and a second time on the same place where a case reopens it.
func Run(t *testing.T, open func(t *testing.T) (store blob.Blob, reopen func() blob.Blob)) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*testing.T, blob.Blob, func() blob.Blob)
	}{
		{"round trip", roundTrip},
		{"create only", createOnly},
		{"compare and swap", compareAndSwap},
		{"delete", remove},
		{"list", list},
		{"keys", keys},
		{"one winner", oneWinner},
		{"cancelled", cancelled},
	} {
		t.Run(c.name, func(t *testing.T) {
			store, reopen := open(t)
			c.test(t, store, reopen)
		})
	}
}

func roundTrip(t *testing.T, store blob.Blob, reopen func() blob.Blob) {
	ctx := t.Context()
	want := bytes.Repeat([]byte("x\x00y"), 100_000)
	tag, err := store.Put(ctx, "a/b/c.json", want, blob.Condition{})
	require.NoError(t, err)
	for _, s := range []blob.Blob{store, reopen()} {
		got, gotTag, err := s.Get(ctx, "a/b/c.json")
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, tag, gotTag)
	}
	_, err = store.Put(ctx, "empty", nil, blob.Condition{})
	require.NoError(t, err)
	got, _, err := store.Get(ctx, "empty")
	require.NoError(t, err)
	require.Empty(t, got)
	_, _, err = store.Get(ctx, "a/b/d.json")
	require.ErrorIs(t, err, blob.ErrNotFound)
}

func createOnly(t *testing.T, store blob.Blob, _ func() blob.Blob) {
	ctx := t.Context()
	_, err := store.Put(ctx, "k", []byte("first"), blob.Absent())
	require.NoError(t, err)
	_, err = store.Put(ctx, "k", []byte("second"), blob.Absent())
	require.ErrorIs(t, err, blob.ErrPrecondition)
	_, err = store.Put(ctx, "k", []byte("first"), blob.Absent())
	require.ErrorIs(t, err, blob.ErrPrecondition)
	got, _, err := store.Get(ctx, "k")
	require.NoError(t, err)
	require.Equal(t, "first", string(got))
}

func compareAndSwap(t *testing.T, store blob.Blob, _ func() blob.Blob) {
	ctx := t.Context()
	_, err := store.Put(ctx, "k", []byte("x"), blob.Match("no-such-tag"))
	require.ErrorIs(t, err, blob.ErrPrecondition)
	one, err := store.Put(ctx, "k", []byte("one"), blob.Absent())
	require.NoError(t, err)
	two, err := store.Put(ctx, "k", []byte("two"), blob.Match(one))
	require.NoError(t, err)
	require.NotEqual(t, one, two)
	_, err = store.Put(ctx, "k", []byte("three"), blob.Match(one))
	require.ErrorIs(t, err, blob.ErrPrecondition)
	got, tag, err := store.Get(ctx, "k")
	require.NoError(t, err)
	require.Equal(t, "two", string(got))
	require.Equal(t, two, tag)
}

func remove(t *testing.T, store blob.Blob, _ func() blob.Blob) {
	ctx := t.Context()
	_, err := store.Put(ctx, "d/k", []byte("x"), blob.Condition{})
	require.NoError(t, err)
	require.NoError(t, store.Delete(ctx, "d/k"))
	require.NoError(t, store.Delete(ctx, "d/k"))
	require.NoError(t, store.Delete(ctx, "never/was"))
	_, _, err = store.Get(ctx, "d/k")
	require.ErrorIs(t, err, blob.ErrNotFound)
	_, err = store.Put(ctx, "d/k", []byte("again"), blob.Absent())
	require.NoError(t, err)
}

func list(t *testing.T, store blob.Blob, _ func() blob.Blob) {
	ctx := t.Context()
	for _, k := range []string{"h/b/1", "h/a/2", "h/a/1", "h/ab/1", "root/1.json"} {
		_, err := store.Put(ctx, k, []byte(k), blob.Condition{})
		require.NoError(t, err)
	}
	for prefix, want := range map[string][]string{
		"":        {"h/a/1", "h/a/2", "h/ab/1", "h/b/1", "root/1.json"},
		"h/a/":    {"h/a/1", "h/a/2"},
		"h/a":     {"h/a/1", "h/a/2", "h/ab/1"},
		"h/none/": nil, "none": nil,
	} {
		got, err := store.List(ctx, prefix)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func keys(t *testing.T, store blob.Blob, _ func() blob.Blob) {
	ctx := t.Context()
	for _, k := range []string{"", "/", "/etc/passwd", "..", "../x", "a/../../x", "a//b", "a/", "./a", "a/.", ".hidden", "a/.x", "a\x00b", "a\nb", "a\\b", "ä", "a b"} {
		_, err := store.Put(ctx, k, []byte("x"), blob.Condition{})
		require.ErrorIs(t, err, blob.ErrKey)
		_, _, err = store.Get(ctx, k)
		require.ErrorIs(t, err, blob.ErrKey)
		require.ErrorIs(t, store.Delete(ctx, k), blob.ErrKey)
	}
	for _, p := range []string{"../", "/", "a/../"} {
		_, err := store.List(ctx, p)
		require.ErrorIs(t, err, blob.ErrKey)
	}
}

// oneWinner lets many writers go for one key: of every round exactly one succeeds.
func oneWinner(t *testing.T, store blob.Blob, reopen func() blob.Blob) {
	ctx := t.Context()
	other := reopen()
	const rounds, writers = 10, 8
	tag := ""
	for round := range rounds {
		cond := blob.Absent()
		if tag != "" {
			cond = blob.Match(tag)
		}
		var wins, losses atomic.Int32
		var next atomic.Value
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() {
				s := store
				if w%2 == 1 {
					s = other
				}
				got, err := s.Put(ctx, "h/x/timestamp.json", fmt.Appendf(nil, "%d by %d", round, w), cond)
				if err == nil {
					wins.Add(1)
					next.Store(got)
				} else {
					losses.Add(1)
				}
			})
		}
		group.Wait()
		require.Equal(t, int32(1), wins.Load())
		require.Equal(t, int32(writers-1), losses.Load())
		tag, _ = next.Load().(string)
		_, stored, err := store.Get(ctx, "h/x/timestamp.json")
		require.NoError(t, err)
		require.Equal(t, tag, stored)
	}
}

func cancelled(t *testing.T, store blob.Blob, _ func() blob.Blob) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := store.Put(ctx, "k", []byte("x"), blob.Condition{})
	require.ErrorIs(t, err, context.Canceled)
	_, _, err = store.Get(t.Context(), "k")
	require.ErrorIs(t, err, blob.ErrNotFound)
}
