// SPDX-License-Identifier: Apache-2.0

package review_test

import (
	"context"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/assertion"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review"
)

// counting is a context that ends after it was asked so many times, and counts on.
type counting struct {
	context.Context
	asked, end int
}

func (c *counting) Err() error {
	if c.asked++; c.asked > c.end {
		return context.Canceled
	}
	return nil
}

// Wherever the work is when the context ends, the next question is the last.
func TestCancelEndsReview(t *testing.T) {
	const hosts = 30
	rules, wrong := assertion.Read(fstest.MapFS{"tests/a.yaml": &fstest.MapFile{Data: []byte("assertions: [{name: a, entry: 'Path:/etc/motd', lines: [x]}]")}})
	require.Empty(t, wrong)
	in := review.Input{Key: key, Assertions: rules}
	for i := range hosts {
		one := func(text string) *config.Bundle {
			return bundle("a", file("/etc/motd", fmt.Sprintf("%s of number %d\n", text, i)), entry("Package", "ntp", "version", text))
		}
		in.Hosts = append(in.Hosts, host(fmt.Sprintf("h%d", i), side(one("1")), side(one("2"))))
	}
	whole := &counting{Context: t.Context(), end: 1 << 30}
	_, err := review.New(whole, in)
	require.NoError(t, err)
	require.Greater(t, whole.asked, 6*hosts, "every loop over the hosts asks")
	for end := range whole.asked {
		ctx := &counting{Context: t.Context(), end: end}
		r, err := review.New(ctx, in)
		require.ErrorIs(t, err, context.Canceled)
		require.Nil(t, r)
		require.Equal(t, end+1, ctx.asked)
	}
}
