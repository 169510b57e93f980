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
