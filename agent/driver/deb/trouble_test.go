// SPDX-License-Identifier: Apache-2.0

package deb_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/deb"
	"github.com/bindery/bindery/agent/system"
)

// lock holds a lock as another package manager does, and gives it back.
func lock(t *testing.T, name string) (release func()) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o640)
	require.NoError(t, err)
	require.NoError(t, syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}))
	return func() { require.NoError(t, f.Close()) }
}

func hasty(t *testing.T, m *system.Machine) *deb.Driver {
	t.Helper()
	d, err := deb.New(deb.Config{Machine: m, LockWait: time.Second})
	require.NoError(t, err)
	return d
}

// Another package manager at work is waited for once, not once for each package, and
// then named.
func TestAnotherAtWork(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	counted := &recorder{Processes: m.Processes}
	dir := m.Processes.(inside).dir
	m.Processes = counted
	release := lock(t, dir+"/var/lib/dpkg/lock-frontend")
	d := hasty(t, m)
	all := items(pack("name=one", "version=auto"), pack("name=two", "version=auto"))
	for _, r := range d.ApplyAll(t.Context(), all, true) {
		require.ErrorContains(t, r.Err, fmt.Sprintf("It is held by process %d", os.Getpid()))
	}
	require.Equal(t, []string{"apt-get install"}, counted.effects())
	errs := d.Remove(t.Context(), []driver.Surplus{{Name: "dpkg*"}, {Name: "one"}, {Name: "two"}})
	require.ErrorContains(t, errs[0], "not a name of a package")
	release()
	for _, r := range d.ApplyAll(t.Context(), all, true) {
		require.NoError(t, r.Err)
	}
	release = lock(t, dir+"/var/lib/dpkg/lock-frontend")
	errs = d.Remove(t.Context(), []driver.Surplus{{Name: "one"}, {Name: "-x"}, {Name: "two"}})
	require.ErrorContains(t, errs[0], "It is held by process")
	require.ErrorContains(t, errs[1], "not a name of a package")
	require.ErrorContains(t, errs[2], "It is held by process")
	release()
	errs = d.Remove(t.Context(), []driver.Surplus{{Name: "one"}, {Name: "-x"}, {Name: "two"}})
	require.NoError(t, errs[0])
	require.ErrorContains(t, errs[1], "not a name of a package")
	require.NoError(t, errs[2])
}

// Packages that are half installed may be in somebody's hands: that is waited for, and
// only then finished.
func TestAnotherInTheMiddle(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	halfWay(t, m)
	release := lock(t, m.Processes.(inside).dir+"/var/lib/dpkg/lock-frontend")
	d := hasty(t, m)
	all := items(pack("name=one", "version=any"), pack("name=two", "version=auto"))
	for _, r := range d.ApplyAll(t.Context(), all, true) {
		require.ErrorContains(t, r.Err, "locked by another process with pid")
		require.False(t, r.Changed)
	}
	release()
	for _, r := range d.ApplyAll(t.Context(), all, true) {
		require.NoError(t, r.Err)
		require.True(t, r.Changed)
	}
}

// between does something before apt-get changes anything for the first time.
type between struct {
	system.Processes
	do func()
}

func (b *between) Run(ctx context.Context, c system.Command) (system.Result, error) {
	if !c.Asks && b.do != nil && slices.Contains(c.Args, "install") {
		b.do()
		b.do = nil
	}
	return b.Processes.Run(ctx, c)
}

// Another package manager unpacks a package after it was looked for, and is killed.
// What it left is finished in the same run.
func TestAnotherIsStoppedMeanwhile(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	plain := *m
	m.Processes = &between{Processes: m.Processes, do: func() { halfWay(t, &plain) }}
	d := newDriver(t, m).(driver.Batch)
	one := items(pack("name=one", "version=2.0-1"))
	r := d.ApplyAll(t.Context(), one, true)[0]
	require.NoError(t, r.Err)
	require.True(t, r.Changed)
	require.Equal(t, driver.Correct, d.ApplyAll(t.Context(), one, false)[0].State)
}

// What cannot be had is told of with the reason why lists are old; what sources do
// answer is taken all the same.
func TestSourcesThatFail(t *testing.T) {
	t.Parallel()
	repo := archive(t)
	old, err := os.ReadFile(repo + "/Packages")
	require.NoError(t, err)
	put(t, repo+"/Packages", "")
	m := root(t, repo)
	put(t, repo+"/Packages", string(old))
	dir := m.Processes.(inside).dir
	expired := t.TempDir()
	put(t, expired+"/Packages", "")
	put(t, expired+"/Release", "Date: Thu, 01 Jan 2015 00:00:00 UTC\nValid-Until: Thu, 08 Jan 2015 00:00:00 UTC\nSHA256:\n"+
		" "+strings.Fields(run(t, expired, "sha256sum", "Packages"))[0]+" 0 Packages\n")
	put(t, dir+"/etc/apt/sources.list.d/expired.list", "deb [trusted=yes] copy:"+expired+" ./\n")
	d := newDriver(t, m).(driver.Batch)
	r := d.ApplyAll(t.Context(), items(pack("name=one", "version=auto"), pack("name=absent", "version=any")), true)
	require.NoError(t, r[0].Err)
	require.True(t, r[0].Changed)
	require.ErrorContains(t, r[1].Err, "no configured source has it, and apt-get update ended with status 100: E: Release file for")
	require.ErrorContains(t, r[1].Err, "is expired")

	put(t, dir+"/etc/apt/sources.list.d/expired.list", "deb [trusted=yes] copy:"+expired+"/gone ./\n")
	r = d.ApplyAll(t.Context(), items(pack("name=one", "version=1.0-1"), pack("name=one", "version=9")), true)
	require.NoError(t, r[0].Err)
	require.ErrorContains(t, r[1].Err, "no configured source has version 9, and apt-get update ended")

	// Nobody signed it.
	put(t, dir+"/etc/apt/sources.list.d/expired.list", "deb copy:"+expired+" ./\n")
	r = d.ApplyAll(t.Context(), items(pack("name=absent", "version=any")), true)
	require.ErrorContains(t, r[0].Err, "is not signed")

	// What apt cannot read tells nothing of versions that are written down.
	put(t, dir+"/etc/apt/sources.list.d/expired.list", "deb nonsense\n")
	r = d.ApplyAll(t.Context(), items(pack("name=one", "version=auto"), pack("name=one", "version=1.0-1"), pack("name=absent", "version=any")), true)
	require.Equal(t, []driver.State{driver.NotVerified, driver.Correct, driver.Missing}, []driver.State{r[0].State, r[1].State, r[2].State})
	require.ErrorContains(t, r[0].Err, "Malformed entry")
	require.NoError(t, r[1].Err)
	require.ErrorContains(t, r[2].Err, "Malformed entry")
}

// Nobody is asked: configuration files that were changed by hand stay, those that are
// missing come back, and a script that wants an answer gets none.
func TestQuestions(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	dir := m.Processes.(inside).dir
	d := newDriver(t, m).(driver.Batch)
	require.NoError(t, d.ApplyAll(t.Context(), items(pack("name=conf", "version=1")), true)[0].Err)
	put(t, dir+"/etc/conf.conf", "by hand")
	require.NoError(t, os.Remove(dir+"/etc/gone.conf"))
	r := d.ApplyAll(t.Context(), items(pack("name=conf", "version=2"), pack("name=asks", "version=1")), true)
	require.NoError(t, r[0].Err)
	require.NoError(t, r[1].Err)
	for name, want := range map[string]string{"conf.conf": "by hand", "conf.conf.dpkg-dist": "conf of 2", "gone.conf": "gone of 2"} {
		text, err := os.ReadFile(dir + "/etc/" + name)
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
}
