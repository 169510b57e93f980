// SPDX-License-Identifier: Apache-2.0

package dir_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/blob"
	"github.com/bindery/bindery/controller/blob/dir"
)

// writerEnv makes the test binary a writer process on the directory that it names.
const (
	writerEnv  = "BLOB_DIR_WRITER"
	taskEnv    = writerEnv + "_TASK"
	increments = 30
	killedSize = 200_000
)

func TestMain(m *testing.M) {
	path := os.Getenv(writerEnv)
	if path == "" {
		os.Exit(m.Run())
	}
	task := map[string]func(context.Context, *dir.Dir) error{"": count, "endless": rewrite, "full": fill}[os.Getenv(taskEnv)]
	d, err := dir.New(dir.Config{Path: path})
	if err == nil {
		err = task(context.Background(), d)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func writer(t *testing.T, path string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), writerEnv+"="+path), env...)
	cmd.Stderr = os.Stderr
	return cmd
}

// rewrite writes one file for ever.
func rewrite(ctx context.Context, d *dir.Dir) error {
	for i := byte('a'); ; i = 'a' + (i-'a'+1)%26 {
		if _, err := d.Put(ctx, "h/big", bytes.Repeat([]byte{i}, killedSize), blob.Condition{}); err != nil {
			return err
		}
		fmt.Println("written")
	}
}

// fill writes more than a small disk holds.
func fill(ctx context.Context, d *dir.Dir) error {
	if _, err := d.Put(ctx, "h/a", []byte("old"), blob.Absent()); err != nil {
		return err
	}
	if _, err := d.Put(ctx, "h/a", make([]byte, 4<<20), blob.Condition{}); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("a full disk gave %w", err)
	}
	if data, _, err := d.Get(ctx, "h/a"); err != nil || string(data) != "old" {
		return fmt.Errorf("a full disk left %q: %w", data, err)
	}
	// What could not be written takes no room.
	_, err := d.Put(ctx, "h/b", make([]byte, 500_000), blob.Absent())
	return err
}

// count counts up by compare-and-swap.
func count(ctx context.Context, d *dir.Dir) error {
	for done := 0; done < increments; {
		data, tag, err := d.Get(ctx, "counter")
		cond := blob.Match(tag)
		if errors.Is(err, blob.ErrNotFound) {
			data, cond, err = []byte("0"), blob.Absent(), nil
		}
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(data))
		if err != nil {
			return err
		}
		switch _, err := d.Put(ctx, "counter", []byte(strconv.Itoa(n+1)), cond); {
		case err == nil:
			done++
		case !errors.Is(err, blob.ErrPrecondition):
			return err
		}
	}
	return nil
}

// Processes that count up together lose no step.
func TestProcesses(t *testing.T) {
	path := t.TempDir()
	const processes = 3
	var running []*exec.Cmd
	for range processes {
		cmd := writer(t, path)
		require.NoError(t, cmd.Start())
		running = append(running, cmd)
	}
	for _, cmd := range running {
		require.NoError(t, cmd.Wait())
	}
	data, _, err := open(t, path).Get(t.Context(), "counter")
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(processes*increments), string(data))
}

// A writer that is killed leaves whole files and no lock.
func TestKilledWriter(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	for range 5 {
		cmd := writer(t, path, taskEnv+"=endless")
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		_, err = out.Read(make([]byte, 8))
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())

		data, tag, err := d.Get(t.Context(), "h/big")
		require.NoError(t, err)
		require.Equal(t, bytes.Repeat(data[:1], killedSize), data)
		_, err = d.Put(t.Context(), "h/big", []byte("mine"), blob.Match(tag))
		require.NoError(t, err)
	}
}

// A disk of one megabyte: the error names the cause, and the old file stays.
func TestFullDisk(t *testing.T) {
	path := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "unshare", "--mount", "--map-root-user",
		"sh", "-c", `mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2"`, "sh", path, os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+path, taskEnv+"=full")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}
