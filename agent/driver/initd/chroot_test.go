// SPDX-License-Identifier: Apache-2.0

//go:build chroot

package initd_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver/drivertest"
	"github.com/bindery/bindery/agent/system"
)

// script is an init script of a service that is a process and a file with its
// number.
func script(name string) string {
	return `#!/bin/sh
### BEGIN INIT INFO
# Provides: ` + name + `
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
# Short-Description: for tests
### END INIT INFO
pid=/run/` + name + `.pid
stop() { [ ! -e $pid ] || kill $(cat $pid); rm -f $pid; }
start() {
	[ ` + name + ` != bad ] || { echo "bad does not start" >&2; exit 1; }
	[ -e $pid ] && kill -0 $(cat $pid) && return
	sleep 600 <&- >&- 2>&- &
	echo $! >$pid
}
case "$1" in
start) start ;;
stop) stop ;;
restart|reload) stop; start ;;
status) [ -e $pid ] && kill -0 $(cat $pid) || exit 3 ;;
esac
`
}

// openrc is the same in the words of openrc-run(8).
func openrc(name string) string {
	return `#!/sbin/openrc-run
start() {
	[ ` + name + ` != bad ] || { eerror "bad does not start"; return 1; }
	sleep 600 <&- >&- 2>&- &
	echo $! >/run/` + name + `.pid
}
stop() {
	kill $(cat /run/` + name + `.pid)
	rm /run/` + name + `.pid
}
`
}

// within runs programs in a tree of their own.
type within struct{ root string }

func (w within) Run(ctx context.Context, c system.Command) (system.Result, error) {
	c.Args = append([]string{"chroot", w.root}, c.Args...)
	return system.Host{}.Run(ctx, c)
}

func put(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(text), mode))
}

// The real update-rc.d with insserv, and the real OpenRC, each in a root of its own:
// see "make e2e-services".
func TestChroot(t *testing.T) {
	for kind, text := range map[string]func(string) string{"deb": script, "rc-update": openrc} {
		t.Run(kind, func(t *testing.T) {
			root := os.Getenv("BINDERY_CHROOTS") + "/" + kind
			require.FileExists(t, root+"/etc/debian_version", "make e2e-services makes the roots")
			clean := func() { reset(t, root, text) }
			t.Cleanup(clean)
			drivertest.Suite{Machine: func(t *testing.T) *system.Machine {
				t.Helper()
				clean()
				m, err := system.New(system.Config{Root: root})
				require.NoError(t, err)
				m.Processes, m.Root = within{root}, "/"
				return m
			}, New: of(kind)}.Run(t, cases())
		})
	}
}

// runlevel is a record of utmp(5) that says runlevel 2, after none.
func runlevel() string {
	record := make([]byte, 384)
	record[0], record[4], record[5] = 1, '2', 'N'
	return string(record)
}

// reset makes up enabled and running, bad enabled, and down neither.
func reset(t *testing.T, root string, text func(string) string) {
	t.Helper()
	sh := "set -e\nmkdir -p /run/openrc\nrm -f /etc/runlevels/default/up /etc/runlevels/default/down /etc/runlevels/default/bad\n"
	for _, name := range []string{"up", "down", "bad"} {
		pid := "/run/" + name + ".pid"
		sh += fmt.Sprintf("[ ! -e %s ] || kill $(cat %s) || :\nrm -f %s /etc/rc?.d/[SK]??%s\n", pid, pid, pid, name)
		put(t, root+"/etc/init.d/"+name, text(name), 0o755)
	}
	if strings.HasPrefix(text("up"), "#!/sbin/openrc-run") {
		sh += "touch /run/openrc/softlevel\nrm -rf /run/openrc/*/up /run/openrc/*/down /run/openrc/*/bad\nrc-update -q add up default\nrc-update -q add bad default\nrc-service -q up start\n"
	} else {
		put(t, root+"/run/utmp", runlevel(), 0o644)
		sh += "update-rc.d up defaults\nupdate-rc.d bad defaults\n/etc/init.d/up start\n"
	}
	r, err := within{root}.Run(context.WithoutCancel(t.Context()), system.Command{
		Args: []string{"/bin/sh", "-c", sh}, Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, Timeout: time.Minute, MaxTail: 4096,
	})
	require.NoError(t, err)
	require.Zero(t, r.Exit, "%s", r.Tail)
}
