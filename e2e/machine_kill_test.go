// SPDX-License-Identifier: Apache-2.0

//go:build machine

package e2e_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// kills is how often a run is killed.
const kills = 20

// TestMachineKilled: a run is killed with SIGKILL at any moment, and what it started
// goes on or not. One run later all is as it shall be, and the same bytes.
func TestMachineKilled(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("BINDERY_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("BINDERY_SEED=%d", seed)
	of(t, kinds(), func(t *testing.T, k kind) {
		newEstate(t, k, nil).killed(rand.New(rand.NewPCG(seed, uint64(k.name[0]))))
	})
}

func (e *estate) killed(chance *rand.Rand) {
	e.apply(0)
	e.reset()
	began := time.Now()
	e.apply(0)
	whole := time.Since(began)
	e.converged()
	want, packages, units := e.list(false, copies...), e.packages(), e.units()
	moments := map[string]int{}
	for i := range kills {
		e.reset()
		kill := e.Start("bindery-agent", "run", "--once")
		after := time.Duration(chance.Int64N(int64(whole)))
		time.Sleep(after) // the moment is what is tested
		kill()
		moment := e.moment()
		moments[moment]++
		e.T.Logf("%2d: killed after %s: %s", i, after.Round(time.Millisecond), moment)
		r := e.apply(0)
		require.Equal(e.T, "clean", r.Report.State)
		require.Empty(e.T, want.Differences(e.list(false, copies...)), "killed after %s", after)
		require.Equal(e.T, packages, e.packages())
		require.Equal(e.T, units, e.units())
	}
	e.converged()
	require.Greater(e.T, len(moments), 1, "runs were killed at different moments")
}

// reset makes the machine as it was before anything was applied, or nearly.
func (e *estate) reset() {
	e.Helper()
	e.sh("set -e\n" + e.kind.reset)
}

// moment says in words how far a run came.
func (e *estate) moment() string {
	e.Helper()
	return strings.ReplaceAll(strings.TrimSpace(e.sh(e.kind.moment+"\ntrue")), "\n", ", ")
}
