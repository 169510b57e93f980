// SPDX-License-Identifier: Apache-2.0

// Package machinetest runs real Linux systems for tests: a copy of a root folder in
// systemd-nspawn, booted or not, with its own processes, services and network, which
// can be cut. It needs root and leaves nothing behind. It must not know what is tested.
package machinetest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	bootTime = 2 * time.Minute
	look     = 50 * time.Millisecond
)

// Machine is a system that runs.
type Machine struct {
	testing.TB
	// Root is its root folder, as the host sees it.
	Root string
	// Address is the host's, and Own the machine's, on the link between them.
	Address, Own string

	// args are systemd-nspawn's own, first is the name of the machine's first process.
	args   []string
	first  string
	booted bool
	nspawn int
	leader int
	link   string
	stop   func()
}

// Copy makes a root folder of its own. Nothing in it runs by the clock: what a test
// finds changed was changed by the test.
func Copy(t testing.TB, base string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "root")
	run(t, "cp", "-a", "--reflink=auto", base, root)
	require.NoError(t, os.RemoveAll(root+"/etc/systemd/system/timers.target.wants"))
	if dir := root + "/etc/dpkg/dpkg.cfg.d"; isDir(dir) {
		require.NoError(t, os.WriteFile(dir+"/quick", []byte("force-unsafe-io\n"), 0o600))
	}
	return root
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// Boot starts a system on a root folder, and waits until systemd says that it is up.
// It ends with the test, by force.
func Boot(t testing.TB, root string) *Machine {
	t.Helper()
	m := &Machine{TB: t, Root: root, first: "systemd", args: []string{"-b"}, booted: true}
	m.begin()
	return m
}

// Enter makes a root folder a system of its own that is not booted, as a chroot is
// not: its first process only buries the dead. It ends with the test, by force.
func Enter(t testing.TB, root string) *Machine {
	t.Helper()
	m := &Machine{TB: t, Root: root, first: "(sd-stubinit)", args: []string{"--as-pid2", "sleep", "infinity"}}
	m.begin()
	return m
}

// Restart cuts the power and gives it back: what was written is there, all that ran is
// not. Its link to the host is laid anew.
func (m *Machine) Restart() {
	m.Helper()
	m.stop()
	m.power()
	if m.link != "" {
		m.lay()
	}
}

func (m *Machine) begin() {
	m.Helper()
	m.Cleanup(func() {
		if m.stop != nil {
			m.stop()
		}
	})
	m.power()
}

// power starts the machine and waits until it is up.
func (m *Machine) power() {
	m.Helper()
	ended := m.start()
	m.until("the machine has its first process", func() bool {
		select {
		case err := <-ended:
			ended <- err
			text, _ := os.ReadFile(m.Root + ".log")
			require.FailNow(m, "systemd-nspawn ended", "%v\n%s", err, text)
		default:
		}
		return m.find()
	})
	if m.booted {
		m.until("the machine is up", func() bool {
			state, _, _ := m.Run(nil, "systemctl", "is-system-running")
			state = strings.TrimSpace(state)
			return state == "running" || state == "degraded"
		})
	}
}

// start runs systemd-nspawn until somebody stops it.
func (m *Machine) start() (ended chan error) {
	m.Helper()
	groups := newGroups(m)
	log, err := os.Create(m.Root + ".log")
	require.NoError(m, err)
	cmd := exec.Command("sh", append([]string{
		"-c", groups.join() + `exec systemd-nspawn "$@"`, "sh", "-q", "--register=no", "--keep-unit", "--private-network", "--link-journal=no", "--console=pipe",
		"--machine=e2e-" + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(time.Now().UnixNano()%1e9, 36), "-D", m.Root,
	}, m.args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	ended = make(chan error, 1)
	started := make(chan error)
	go func() {
		// The death signal is the thread's, not the process's.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	require.NoError(m, <-started)
	m.nspawn = cmd.Process.Pid
	m.stop = func() {
		m.stop = nil
		m.end(ended)
		require.NoError(m, log.Close())
		if text, err := os.ReadFile(log.Name()); err == nil && m.Failed() {
			m.Logf("the machine's console:\n%s", text[max(0, len(text)-5000):])
		}
		groups.remove()
	}
	return ended
}

// find looks for the machine's first process: the grandchild of what was started is it
// once it has its own name.
func (m *Machine) find() bool {
	m.leader = 0
	for _, pid := range children(m.nspawn) {
		if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil && strings.TrimSpace(string(name)) == m.first {
			m.leader = pid
		}
	}
	return m.leader > 0
}

func children(pid int) []int {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	if err != nil {
		return nil
	}
	var out []int
	for _, word := range strings.Fields(string(data)) {
		if n, err := strconv.Atoi(word); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// end kills systemd-nspawn; the kernel ends the machine's processes and mounts with
// its first process.
func (m *Machine) end(ended chan error) {
	leader := m.leader
	_ = syscall.Kill(-m.nspawn, syscall.SIGKILL)
	<-ended
	m.until("the machine is gone", func() bool {
		if leader == 0 {
			return true
		}
		_ = syscall.Kill(leader, syscall.SIGKILL)
		_, err := os.Stat(fmt.Sprintf("/proc/%d", leader))
		return err != nil
	})
}

// Run runs a program on the machine to its end.
func (m *Machine) Run(stdin []byte, args ...string) (out string, code int, problems string) {
	m.Helper()
	cmd := m.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); cmd.ProcessState == nil {
		require.NoError(m, err)
	}
	return stdout.String(), cmd.ProcessState.ExitCode(), stderr.String()
}

// Do runs a program that must succeed, and gives what it wrote.
func (m *Machine) Do(args ...string) string {
	m.Helper()
	out, code, problems := m.Run(nil, args...)
	require.Zero(m, code, "%s\n%s%s", strings.Join(args, " "), out, problems)
	return out
}

// Start runs a program on the machine. The function kills it, and it alone, with
// SIGKILL, and waits for its end.
func (m *Machine) Start(args ...string) (kill func()) {
	m.Helper()
	cmd := m.command(args...)
	require.NoError(m, cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	return func() {
		for _, pid := range children(cmd.Process.Pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		<-done
	}
}

func (m *Machine) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(m.Context(), "nsenter", append([]string{"-t", strconv.Itoa(m.leader), "-a", "--"}, args...)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}
	cmd.Dir = "/"
	return cmd
}

func (m *Machine) until(what string, ok func() bool) {
	m.Helper()
	for end := time.Now().Add(bootTime); time.Now().Before(end); time.Sleep(look) {
		if ok() {
			return
		}
	}
	require.FailNow(m, "it did not come about", "within %s: %s", bootTime, what)
}

// run runs a program on the host.
func run(t testing.TB, args ...string) {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	require.NoError(t, err, "%s\n%s", strings.Join(args, " "), out)
}
