// SPDX-License-Identifier: Apache-2.0

package system_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/system"
)

// nobodys is a user of the tests' own that nothing else runs as.
var nobodys = system.User{UID: 64999, GID: 64999}

// confine runs a script with limits.
func confine(t *testing.T, l system.Limits, script string) (system.Result, error) {
	t.Helper()
	return system.Host{}.Run(t.Context(), system.Command{
		Args: []string{"sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin", "X=1"}, Dir: "/", Timeout: 20 * time.Second, MaxOutput: 1000, Limits: &l,
	})
}

// running tells whether a process is there and not dead.
func running(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestConfined(t *testing.T) {
	r, err := confine(t, system.Limits{CPU: time.Minute, Memory: 64 << 20}, "echo $X; pwd; umask; ulimit -t; ulimit -d; ulimit -c; cat; echo no >&2; exit 3")
	require.NoError(t, err)
	require.Equal(t, system.Result{Exit: 3, Stdout: []byte("1\n/\n0077\n60\n65536\n0\n")}, r, "nothing comes from standard input, and standard error goes nowhere")

	r, err = confine(t, system.Limits{}, "exec >&-; exit 0")
	require.NoError(t, err, "it need not keep its output open")
	require.Empty(t, r.Stdout)
	r, err = confine(t, system.Limits{}, "kill -9 $$")
	require.NoError(t, err)
	require.Equal(t, 137, r.Exit)
	_, err = confine(t, system.Limits{}, "while :; do echo y; done")
	require.ErrorIs(t, err, system.ErrOutput)
	_, err = confine(t, system.Limits{CPU: time.Second}, "while :; do :; done")
	require.ErrorIs(t, err, system.ErrCPU)
	r, err = confine(t, system.Limits{Memory: 32 << 20}, "x=x; while :; do x=$x$x; done")
	require.NoError(t, err)
	require.NotZero(t, r.Exit, "there is no memory for it")
}

// What a program leaves behind ends with it: a child that holds the output, one that
// lets go of everything, one in a session of its own, and daemons whose parents ended.
func TestConfinedLeavesNobodyBehind(t *testing.T) {
	if _, err := os.Stat("/proc/self/task/" + strconv.Itoa(os.Getpid()) + "/children"); err != nil {
		require.ErrorIs(t, err, os.ErrNotExist)
		return // this kernel does not name children
	}
	for _, script := range []string{
		"sleep 1000 & echo $!",
		"sleep 1000 >/dev/null 2>&1 & echo $!",
		"setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.2",
		"(setsid sh -c 'sleep 1000 & echo $!' &) ; sleep 0.3",
		"(setsid sh -c 'trap \"\" TERM HUP; while :; do setsid sleep 1000 & sleep 0.01; done' >/dev/null & ); echo 1000000000",
	} {
		r, err := confine(t, system.Limits{}, script)
		require.NoError(t, err, script)
		pid := strings.TrimSpace(string(r.Stdout))
		require.NotEmpty(t, pid)
		require.False(t, running(pid), script)
	}
}

func TestConfinedAsAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		_, err := confine(t, system.Limits{User: &nobodys}, "id -u")
		require.ErrorIs(t, err, os.ErrPermission)
		return
	}
	script := t.TempDir() + "/script"
	require.NoError(t, os.WriteFile(script, []byte("id -u; id -g; id -G; cat "+script+"\n"), 0o755))
	f, err := os.Open(script)
	require.NoError(t, err)
	defer f.Close()
	r, err := system.Host{}.Run(t.Context(), system.Command{
		Args: []string{"sh", "/dev/fd/3"}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: "/", Timeout: time.Minute, MaxOutput: 1000,
		Limits: &system.Limits{User: &nobodys}, Script: f,
	})
	require.NoError(t, err)
	require.Equal(t, "64999\n64999\n64999\n", string(r.Stdout), "the script is read, and its directory is not")

	// A bomb of forks, in groups and sessions of their own, has an end.
	for _, bomb := range []string{"b() { b | b & }; b; sleep 0.3", "b() { setsid sh -c \"$B\" & setsid sh -c \"$B\" & }; export B='setsid sh -c \"$B\" & setsid sh -c \"$B\" & wait'; b; sleep 0.3"} {
		_, err = confine(t, system.Limits{User: &nobodys, Processes: 40, CPU: 10 * time.Second}, bomb)
		require.NoError(t, err)
		require.Empty(t, ofUser(t, "64999"))
	}
	forgetful(t)
}

// ofUser lists what runs as a user.
func ofUser(t *testing.T, uid string) []string {
	t.Helper()
	dirs, err := os.ReadDir("/proc")
	require.NoError(t, err)
	var out []string
	for _, d := range dirs {
		data, err := os.ReadFile("/proc/" + d.Name() + "/status")
		if err == nil && strings.Contains(string(data), "Uid:\t"+uid) && !strings.Contains(string(data), "State:\tZ") {
			out = append(out, d.Name())
		}
	}
	return out
}
