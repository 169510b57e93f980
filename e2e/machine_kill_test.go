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
	chance := rand.New(rand.NewPCG(seed, 0))
	e := newEstate(t, nil, clutter)
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
		t.Logf("%2d: killed after %s: %s", i, after.Round(time.Millisecond), moment)
		r := e.apply(0)
		require.Equal(t, "clean", r.Report.State)
		require.Empty(t, want.Differences(e.list(false, copies...)), "killed after %s", after)
		require.Equal(t, packages, e.packages())
		require.Equal(t, units, e.units())
	}
	e.converged()
	require.Greater(t, len(moments), 1, "runs were killed at different moments")
}

// reset makes the machine as it was before anything was applied, or nearly: the
// quickest way to have all to do again.
func (e *estate) reset() {
	e.Helper()
	e.Do("sh", "-ec", `systemctl disable -q --now app
systemctl disable -q uplink
dpkg --purge --force-all app app-data >/dev/null 2>&1
rm -rf /etc/app /srv/shared /srv/latest /srv/twin /home/deploy
userdel deploy 2>/dev/null; groupdel ops 2>/dev/null || true
mkdir -p /srv/old/deep; echo old > /srv/old/deep/file; touch /srv/kept/not; echo before > /etc/motd; echo deb http://nowhere.invalid x y > /etc/apt/sources.list
chmod 644 /usr/share/common-licenses/Artistic
systemctl daemon-reload`)
}

// moment says in words how far a run came.
func (e *estate) moment() string {
	e.Helper()
	return strings.TrimSpace(e.Do("sh", "-c", `getent passwd deploy >/dev/null && echo users
[ -e /etc/apt/sources.list ] || echo sources
dpkg-query -W -f '${db:Status-Status}\n' app 2>/dev/null
[ -e /etc/app/secret ] && echo files
systemctl is-active app
pgrep -x apt-get; true`))
}
