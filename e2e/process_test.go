// SPDX-License-Identifier: Apache-2.0

//go:build gitea || browser || machine

package e2e_test

import (
	"bytes"
	"context"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// patience is how long something may take that a person waits for.
	patience = 90 * time.Second
	look     = 100 * time.Millisecond
	endTime  = 10 * time.Second
)

// program finds one of the two that "make build" made.
func program(t *testing.T, name string) string {
	t.Helper()
	return present(t, filepath.Join("..", "bin", name), "make build")
}

// present gives the absolute path of a file that a make target made.
func present(t *testing.T, file, target string) string {
	t.Helper()
	path, err := filepath.Abs(file)
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NoError(t, err, "%s makes it", target)
	return path
}

// freePort finds a port of loopback that nobody uses.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// started runs a program until the test ends, whatever ends it. What it writes goes into a file, which
// is shown where the test fails. It tells whether the program still runs.
func started(t *testing.T, dir, name string, args ...string) (alive func() bool) {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, name+".log"))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := command(ctx, dir, args...)
	cmd.Stdout, cmd.Stderr = file, file
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay, cmd.SysProcAttr = endTime, mortal()
	done, begun := make(chan error, 1), make(chan error)
	go func() {
		// What ends the program with the test is bound to the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		begun <- err
		if err == nil {
			done <- cmd.Wait()
			close(done)
		}
	}()
	require.NoError(t, <-begun)
	t.Cleanup(func() {
		cancel()
		t.Log(name, "was ended:", <-done)
		require.NoError(t, file.Close())
		if t.Failed() {
			text, err := os.ReadFile(file.Name())
			require.NoError(t, err)
			t.Logf("%s:\n%s", name, text[max(0, len(text)-20_000):])
		}
	})
	return func() bool { return len(done) == 0 }
}

// answers tells whether a server is ready.
func answers(url string) bool {
	resp, err := http.Get(url)
	if err == nil {
		err = resp.Body.Close()
	}
	return err == nil && resp.StatusCode == http.StatusOK
}

// command prepares a program that sees nothing of who runs the test.
func command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), "LC_ALL=C.UTF-8", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=alice", "GIT_AUTHOR_EMAIL=alice@example.org", "GIT_COMMITTER_NAME=alice", "GIT_COMMITTER_EMAIL=alice@example.org",
	}
	return cmd
}

// ran runs a program to its end and gives what it wrote on its standard output.
func ran(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, code, problems := ended(t, dir, nil, args...)
	require.Zero(t, code, "%s\n%s%s", strings.Join(args, " "), out, problems)
	return out
}

// ended runs a program to its end, whatever that is. env are settings for it alone.
func ended(t *testing.T, dir string, env []string, args ...string) (out string, code int, problems string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := command(ctx, dir, args...)
	cmd.Env = append(cmd.Env, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); cmd.ProcessState == nil {
		require.NoError(t, err)
	}
	return stdout.String(), cmd.ProcessState.ExitCode(), stderr.String()
}

// until waits for something that others will bring about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(look) {
		if ok() {
			return
		}
	}
	t.Fatalf("it did not come about within %s: %s", patience, what)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// unpack writes files below a folder.
func unpack(t *testing.T, files fs.FS, dir string) {
	t.Helper()
	require.NoError(t, fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err == nil {
			write(t, dir, name, string(data))
		}
		return err
	}))
}
