// SPDX-License-Identifier: Apache-2.0

package heap

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPercent(t *testing.T) {
	const mb = 1 << 20
	require.Equal(t, usual, percent(400*mb, 0))
	require.Equal(t, usual, percent(400*mb, 10*mb))
	require.Equal(t, usual, percent(400*mb, 400*mb))
	require.Equal(t, 50, percent(400*mb, 800*mb))
	require.Equal(t, least, percent(400*mb, 8000*mb))
}

// Every collection sets the collector for the next one.
func TestBound(t *testing.T) {
	before := debug.SetGCPercent(usual)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	t.Setenv("GOGC", "100")
	Bound(1)
	require.Equal(t, usual, debug.SetGCPercent(usual))
	adjust(1 << 20)
	held := make([]byte, 64<<20)
	for debug.SetGCPercent(usual) != least {
		runtime.GC()
		runtime.Gosched()
	}
	runtime.KeepAlive(held)
}
