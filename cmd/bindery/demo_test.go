// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// binaries builds both programs as make does.
func binaries(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", dir+"/", "../...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return dir
}

// showing is a demo that runs.
type showing struct {
	cmd *exec.Cmd
	tmp string
	out bytes.Buffer
}

func show(t *testing.T, bin string, args ...string) *showing {
	t.Helper()
	s := &showing{tmp: t.TempDir()}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	s.cmd = exec.CommandContext(ctx, filepath.Join(bin, "bindery"), append([]string{"demo"}, args...)...)
	s.cmd.Env = append(os.Environ(), "TMPDIR="+s.tmp)
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	return s
}

// left lists processes that work below the demo's folder.
func (s *showing) left(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*/cwd")
	require.NoError(t, err)
	var out []string
	for _, link := range dirs {
		if cwd, err := os.Readlink(link); err == nil && strings.HasPrefix(cwd, s.tmp) {
			out = append(out, link+" "+cwd)
		}
	}
	return out
}

func (s *showing) empty(t *testing.T) {
	t.Helper()
	require.Empty(t, s.left(t))
	rest, err := os.ReadDir(s.tmp)
	require.NoError(t, err)
	require.Empty(t, rest)
}

// wait reads the output up to a text.
func (s *showing) wait(t *testing.T, text string) string {
	t.Helper()
	pipe, end, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { pipe.Close() })
	s.cmd.Stdout, s.cmd.Stderr = end, end
	require.NoError(t, s.cmd.Start())
	require.NoError(t, end.Close())
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		fmt.Fprintln(&s.out, lines.Text())
		if strings.Contains(lines.Text(), text) {
			return s.out.String()
		}
	}
	require.Fail(t, "the demo ended before it said "+text, s.out.String())
	return ""
}

func TestDemo(t *testing.T) {
	bin := binaries(t)

	t.Run("whole", func(t *testing.T) {
		t.Parallel()
		s := show(t, bin)
		require.NoError(t, s.cmd.Run(), s.out.String())
		out := s.out.String()
		prose := strings.Join(strings.Fields(strings.NewReplacer("│", "", "┃", "").Replace(out)), " ")
		for _, want := range []string{
			"waiting for facts",
			`the forge delivered "push", signed, and the controller answered 202`,
			"8 hosts change, all build",
			"package telnet removed: 8 hosts",
			"/etc/nginx/tls/shop.key changed (secret): 4 hosts",
			"found no change that the review did not show",
			"web1: 19 files equal byte for byte",
			"db2: 17 files equal byte for byte",
			"the next run of the schedule put it back",
			"published; not reviewed: Path:/etc/issue.net on db[1-2].example.org",
			"not trusted: content differs from what was signed",
			"refused, exit code 4",
			"refused; 1 new error, the first: Bundler/nginx.xml:17:1: not well-formed",
			"Bundler/nginx.xml:17:1: not well-formed",
			"the last good one",
		} {
			require.Contains(t, prose, want, out)
		}
		require.Len(t, regexp.MustCompile(`(published|reviewed) [0-9a-f:]{16}…: equal`).FindAllString(out, -1), 2)
		require.Equal(t, 2, strings.Count(out[strings.LastIndex(out, "hosts list"):], " applied "), out)
		for _, never := range []string{"first edition", "second edition", "made-up-password", "ENR1-", "\x1b"} {
			require.NotContains(t, out, never)
		}
		s.empty(t)
	})

	t.Run("kept until it is interrupted", func(t *testing.T) {
		t.Parallel()
		s := show(t, bin, "--keep")
		out := s.wait(t, "logs  ")
		people := regexp.MustCompile(`for people +(http://\S+/)`).FindStringSubmatch(out)
		require.NotNil(t, people, out)
		answer, err := http.Get(people[1])
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Len(t, s.left(t), 4, "forge, controller and two agents")
		require.NoError(t, s.cmd.Process.Signal(syscall.SIGINT))
		require.NoError(t, s.cmd.Wait())
		s.empty(t)
	})

	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		s := show(t, bin)
		s.wait(t, "Two hosts enrol")
		require.NoError(t, s.cmd.Process.Signal(syscall.SIGINT))
		var exit *exec.ExitError
		require.ErrorAs(t, s.cmd.Wait(), &exit)
		require.Equal(t, exitInterrupted, exit.ExitCode())
		s.empty(t)
	})

	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		s := show(t, bin)
		s.wait(t, "Two hosts enrol")
		require.NoError(t, s.cmd.Process.Kill())
		require.Error(t, s.cmd.Wait())
		require.Eventually(t, func() bool { return len(s.left(t)) == 0 }, time.Minute, 50*time.Millisecond, "no process outlives the demo")
	})

	t.Run("no agent", func(t *testing.T) {
		t.Parallel()
		alone := t.TempDir()
		require.NoError(t, os.Link(filepath.Join(bin, "bindery"), filepath.Join(alone, "bindery")))
		s := show(t, alone)
		var exit *exec.ExitError
		require.ErrorAs(t, s.cmd.Run(), &exit)
		require.Equal(t, exitUsage, exit.ExitCode())
		require.Contains(t, s.out.String(), "make build")
		s.empty(t)
	})

	t.Run("what fails is told, with its log", func(t *testing.T) {
		t.Parallel()
		broken := filepath.Join(t.TempDir(), "agent")
		require.NoError(t, os.WriteFile(broken, []byte("#!/bin/sh\necho no disk >&2\nexit 3\n"), 0o700))
		s := show(t, bin, "--agent", broken)
		var exit *exec.ExitError
		require.ErrorAs(t, s.cmd.Run(), &exit)
		require.Equal(t, exitUnavailable, exit.ExitCode())
		require.Contains(t, s.out.String(), "ended with 3:\nno disk")
		require.Contains(t, s.out.String(), "two hosts enrol")
		require.Empty(t, s.left(t))
		kept, err := filepath.Glob(filepath.Join(s.tmp, "bindery-demo-*", "logs", "controller.log"))
		require.NoError(t, err)
		require.Len(t, kept, 1)
	})
}
