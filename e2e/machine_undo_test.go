// SPDX-License-Identifier: Apache-2.0

//go:build machine

package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMachineUndo: a run is taken back: bytes, modes, packages, units, users.
func TestMachineUndo(t *testing.T) {
	e := newEstate(t, nil, clutter)
	began, packages, units := e.list(false), e.packages(), e.units()
	e.apply(0)
	e.converged()
	ended, installed, running := e.list(false), e.packages(), e.units()
	require.NotEqual(t, packages, installed)

	e.Do("bindery-agent", "undo", "--dry-run")
	require.Empty(t, ended.Differences(e.list(false)), "a dry run changes nothing")
	e.Do("bindery-agent", "undo", "--reason", "a test")
	require.Empty(t, began.Differences(e.list(false)))
	require.Equal(t, packages, e.packages())
	require.Equal(t, units, e.units())

	// It stays so, until somebody lets the release be applied again.
	r := e.apply(1)
	require.Equal(t, "rolled-back", r.Report.State)
	require.Empty(t, began.Differences(e.list(false)))
	e.Do("bindery-agent", "resume")
	e.apply(0)
	require.Empty(t, ended.Differences(e.list(false)))
	require.Equal(t, installed, e.packages())
	require.Equal(t, running, e.units())

	// Of a later change, the run before it is what comes back: a version, a text, a
	// unit that was told both times.
	rules := strings.NewReplacer(`name="app" type="deb" version="1.0"`, `name="app" type="deb" version="2.0"`, `mode="0770"`, `mode="0750"`).Replace(e.source("Rules/rules.xml"))
	e.publish(map[string]string{"Rules/rules.xml": rules, "Cfg/etc/app/app.conf/app.conf": "workers = 9\n"})
	e.apply(0)
	require.Equal(t, "workers = 9", strings.TrimSpace(e.reads("/run/app.conf")))
	require.Equal(t, "2.0", e.reads("/usr/share/app/version"))
	e.Do("bindery-agent", "undo")
	for _, names := range hardlinks {
		delete(ended, names)
	}
	require.Empty(t, ended.Differences(e.list(false, hardlinks...)))
	require.Equal(t, "workers = 2", strings.TrimSpace(e.reads("/srv/twin")))
	require.Equal(t, "workers = 2", strings.TrimSpace(e.reads("/run/app.conf")), "the service reads what it read before")
	require.Equal(t, installed, e.packages())
	require.Equal(t, running, e.units())
}

// hardlinks are the names of one file: an undo gives each the content, of its own.
var hardlinks = []string{"/etc/app/app.conf", "/srv/twin"}

// packages lists what dpkg has, and what others brought along.
func (e *estate) packages() string {
	e.Helper()
	return e.Do("sh", "-c", "dpkg-query -W -f '${Package} ${Version} ${Status}\n' && apt-mark showauto")
}

// units lists what the specification's units do.
func (e *estate) units() string {
	e.Helper()
	return e.Do("sh", "-c", "for u in app uplink; do echo $u $(systemctl is-active $u) $(systemctl is-enabled $u 2>/dev/null); done")
}
