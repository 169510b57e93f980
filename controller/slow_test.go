// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A pull request that is made to be slow is cut off; being told to stop is not that.
func TestWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forever := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		require.ErrorIs(t, within(t.Context(), time.Minute, forever), errSlow)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := within(ctx, time.Minute, forever)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, errSlow)

		other := errors.New("other")
		require.Equal(t, other, within(t.Context(), time.Minute, func(context.Context) error { return other }))
		require.NoError(t, within(t.Context(), time.Minute, func(context.Context) error { return nil }))
	})
}

// A build that waits for another one has all of its time when its turn comes.
func TestWaitingForAnotherBuildDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		built := errors.New("built")
		turns := newTurns()
		took := time.Minute
		s := &sites{fleet: &fleet{}, built: map[string]*site{}, p: &pipeline{turns: turns, building: func(ctx context.Context, _ string) error {
			select {
			case <-time.After(took):
				return built
			case <-ctx.Done():
				return ctx.Err()
			}
		}}}
		get := func(ctx context.Context) error { _, err := s.get(ctx, "c0ffee"); return err }

		done, err := turns.build.take(t.Context())
		require.NoError(t, err)
		time.AfterFunc(previewTime+time.Hour, done)
		require.Equal(t, built, within(t.Context(), previewTime, get))

		// The time before the wait and that after it are one.
		took = previewTime - time.Second
		late := func(ctx context.Context) error {
			time.Sleep(2 * time.Second)
			done, err := turns.build.take(ctx)
			require.NoError(t, err)
			time.AfterFunc(time.Hour, done)
			return get(ctx)
		}
		require.ErrorIs(t, within(t.Context(), previewTime, late), errSlow)

		// Who waits still hears that nobody needs it any more.
		_, err = turns.build.take(t.Context())
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		err = within(ctx, previewTime, get)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, errSlow)
	})
}
