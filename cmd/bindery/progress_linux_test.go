// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// newTerminal makes a pseudo-terminal: what is written to the second can be read from the
// first.
func newTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = master.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = slave.Close() })
	return master, slave
}

// Long work shows on a terminal how far it is, and that it is done; nothing of it gets
// into a file or a pipe.
func TestProgressIsForTerminals(t *testing.T) {
	master, slave := newTerminal(t)
	bar := newProgress(slave, "hosts", 200)
	bar.add(50)
	var seen []byte
	read := func(until string) {
		t.Helper()
		part := make([]byte, 4096)
		for !bytes.Contains(seen, []byte(until)) { // go test has a deadline
			n, err := master.Read(part)
			require.NoError(t, err)
			seen = append(seen, part[:n]...)
		}
	}
	read("25.00%")
	bar.add(50)
	read("50.00%")
	bar.stop()
	read("hosts ... done!")

	file, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	bar = newProgress(file, "hosts", 200)
	bar.add(200)
	bar.stop()
	data, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	require.Empty(t, data)

	// Work that takes no time shows nothing.
	bar = newProgress(slave, "short", 1)
	bar.stop()
	_, err = slave.WriteString("end")
	require.NoError(t, err)
	seen = nil
	read("end")
	require.NotContains(t, string(seen), "short")
}
