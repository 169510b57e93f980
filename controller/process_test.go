// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/webhooks"
)

// process runs the real program and tells it where deliveries go.
func (w *world) process(program string) *exec.Cmd {
	w.t.Helper()
	// A program that hangs fails the test, and shows its log.
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	w.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, "serve", "--config", filepath.Join(w.dir, "controller.yaml"), "--log-level", "debug")
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.StderrPipe()
	require.NoError(w.t, err)
	require.NoError(w.t, cmd.Start())
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		require.NoError(w.t, err, "%s", w.log)
		_, _ = w.log.Write([]byte(line))
		if _, rest, ok := strings.Cut(line, "msg=serving agents="); ok {
			address, _, _ := strings.Cut(rest, " ")
			w.forge.SetHook(address+"/webhooks/github", []byte(hookSecret))
			break
		}
	}
	go func() { _, _ = io.Copy(w.log, lines) }()
	return cmd
}

// untilWritten waits until the program has written to its state so many times, or has
// nothing to write any more.
func (w *world) untilWritten(times int) {
	w.t.Helper()
	last := w.written()
	for end := time.Now().Add(2 * time.Second); times > 0 && time.Now().Before(end); {
		if now := w.written(); now != last {
			last = now
			times--
		}
	}
}

// written tells what is in the state: the files that hosts get, and how far the
// database came.
func (w *world) written() string {
	w.t.Helper()
	var out strings.Builder
	state := filepath.Join(w.dir, "state")
	require.NoError(w.t, filepath.WalkDir(filepath.Join(state, "published"), func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			fmt.Fprintln(&out, name)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was written to the end meanwhile
		}
		return err
	}))
	if info, err := os.Stat(filepath.Join(state, "bindery.db-wal")); err == nil {
		fmt.Fprintln(&out, info.Size(), info.ModTime())
	}
	return out.String()
}

// The real program, killed while people push, at random moments and once it has written
// so much to its database and to what it publishes: the next start goes on, no comment
// doubles, and no host ever sees half a release.
func TestTheProgramIsKilledAtRandom(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	st, web, db := w.served()
	w.stop()
	program := filepath.Join(w.dir, "bindery")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../cmd/bindery")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	number, head := w.propose("change", louder)
	tip := ""
	const rounds = 6
	for round := range rounds {
		cmd := w.process(program)
		w.git("checkout", "-q", "change")
		head = w.commit("round", map[string]string{"Cfg/etc/motd/motd": fmt.Sprintf("HELLO %d\n", round)})
		w.push("change")
		tip = w.direct("round", map[string]string{"Cfg/etc/big/big": fmt.Sprintf("big %d\n", round), "Cfg/etc/motd/motd.H_db1": fmt.Sprintf("db %d\n", round)})
		if round%2 == 0 {
			time.Sleep(rand.N(300 * time.Millisecond))
		} else {
			w.untilWritten(1 + rand.N(10))
		}
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		require.Equal(t, "hello\n", text(web.fetch(), "/etc/motd"))
		require.NotNil(t, db.fetch())
		require.LessOrEqual(t, len(w.forge.Comments(number)), 1)
	}
	// The clock of the program is the real one: go on from there.
	cmd := w.process(program)
	w.until("the branch is settled", func() bool { return w.outcome(st).Commit == tip && w.outcome(st).Outcome == "published" })
	w.until("the check succeeds", func() bool { return w.status(head).State == string(webhooks.Success) })
	require.Equal(t, fmt.Sprintf("db %d\n", rounds-1), text(db.fetch(), "/etc/motd"))
	require.Contains(t, w.comment(number).Body, fmt.Sprintf("+HELLO %d", rounds-1))
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.NoError(t, cmd.Wait(), "%s", w.log)
}
