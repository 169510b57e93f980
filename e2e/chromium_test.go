// SPDX-License-Identifier: Apache-2.0

//go:build gitea || browser

package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// maxPicture keeps a clone small: pictures stay in the history for ever.
const maxPicture = 300 << 10

// tab is a page in a Chromium of its own.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// newTab starts Chromium with an empty profile and without a way out of this machine.
func newTab(t *testing.T) *tab {
	t.Helper()
	program, err := exec.LookPath("chromium")
	require.NoError(t, err, "apt-get install chromium")
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.Flag("font-render-hinting", "none"),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		t.Log("Chromium ended:", chromedp.Cancel(ctx))
		end()
	})
	// The first use starts the program; what has a time limit must not be the first.
	require.NoError(t, chromedp.Do(ctx))
	return &tab{t, ctx}
}

// do runs steps with a limit of time.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, steps...))
}

// got runs an action that gives something.
func got[T any](b *tab, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	out, err := chromedp.Run(ctx, a)
	require.NoError(b.t, err)
	return out
}

// value evaluates an expression.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	return got(b, chromedp.Evaluate[T](expression))
}

// call sends a command of the protocol.
func call[P any](b *tab, command cdp.Command[P, cdp.Empty], params P) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, command, params)
	require.NoError(b.t, err)
}

// size makes the page so large, in one of the two colour schemes.
func (b *tab) size(width, height int64, scheme string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height))
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// becomes waits until an expression is true.
func (b *tab) becomes(expression string) {
	b.t.Helper()
	until(b.t, expression, func() bool { return value[bool](b, "Boolean("+expression+")") })
}

// picture writes what is seen of the page into docs/images, where pictures shall be
// made, and checks in any case that it can be.
func (b *tab) picture(name string) {
	b.t.Helper()
	data := got(b, chromedp.CaptureScreenshot())
	require.Greater(b.t, len(data), 5_000, "%s shows next to nothing", name)
	require.Less(b.t, len(data), maxPicture, "%s is too large for a clone", name)
	if os.Getenv("BINDERY_PICTURES") != "" {
		require.NoError(b.t, os.WriteFile(filepath.Join("..", "docs", "images", name), data, 0o644))
	}
}
