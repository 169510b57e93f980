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
			t.Cleanup(func() { sweep(t, root) })
			machine := func(t *testing.T) *system.Machine {
				t.Helper()
				reset(t, root, text)
				m, err := system.New(system.Config{Root: root})
				require.NoError(t, err)
				m.Processes, m.Root = within{root}, "/"
				return m
			}
			drivertest.Suite{Machine: machine, New: of(kind)}.Run(t, cases())
			takenBack(t, of(kind)(t, machine(t)))
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
	sweep(t, root)
	for _, name := range services() {
		put(t, root+"/etc/init.d/"+name, text(name), 0o755)
	}
	if strings.HasPrefix(text("up"), "#!/sbin/openrc-run") {
		inside(t, root, "mkdir -p /run/openrc\ntouch /run/openrc/softlevel\nrc-update -q add up default\nrc-update -q add bad default\nrc-service -q up start\n")
		return
	}
	put(t, root+"/run/utmp", runlevel(), 0o644)
	inside(t, root, "update-rc.d up defaults\nupdate-rc.d bad defaults\n/etc/init.d/up start\n")
}

func services() []string { return []string{"up", "down", "bad"} }

// sweep ends the services, and takes away all that is known of them.
func sweep(t *testing.T, root string) {
	t.Helper()
	for _, name := range services() {
		pid := "/run/" + name + ".pid"
		inside(t, root, fmt.Sprintf("[ ! -e %s ] || kill $(cat %s) || :\nrm -rf %s /etc/init.d/%s /etc/rc?.d/[SK]??%[4]s /etc/runlevels/default/%[4]s /run/openrc/*/%[4]s\n", pid, pid, pid, name))
	}
}

// inside runs shell in a tree of its own, also once the test itself has ended.
func inside(t *testing.T, root, sh string) {
	t.Helper()
	r, err := within{root}.Run(context.WithoutCancel(t.Context()), system.Command{
		Args: []string{"/bin/sh", "-ec", sh}, Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, Timeout: time.Minute, MaxTail: 4096,
	})
	require.NoError(t, err)
	require.Zero(t, r.Exit, "%s", r.Tail)
}
