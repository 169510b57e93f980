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
	of(t, kinds(), func(t *testing.T, k kind) { newEstate(t, k, nil).undone() })
}

func (e *estate) undone() {
	began, packages, units := e.list(false), e.packages(), e.units()
	e.apply(0)
	e.converged()
	ended, installed, running := e.list(false), e.packages(), e.units()
	require.NotEqual(e.T, units, running)

	e.Do("bindery-agent", "undo", "--dry-run")
	require.Empty(e.T, ended.Differences(e.list(false)), "a dry run changes nothing")
	e.Do("bindery-agent", "undo", "--reason", "a test")
	require.Empty(e.T, began.Differences(e.list(false)))
	require.Equal(e.T, packages, e.packages())
	require.Equal(e.T, units, e.units())

	// It stays so, until somebody lets the release be applied again.
	r := e.apply(1)
	require.Equal(e.T, "rolled-back", r.Report.State)
	require.Empty(e.T, began.Differences(e.list(false)))
	e.Do("bindery-agent", "resume")
	e.apply(0)
	require.Empty(e.T, ended.Differences(e.list(false)))
	require.Equal(e.T, installed, e.packages())
	require.Equal(e.T, running, e.units())

	// Of a later change, the run before it is what comes back: a version, a text, a
	// unit that was told both times.
	if e.kind.hasPackages() {
		e.publish(map[string]string{"Rules/rules.xml": strings.NewReplacer(e.kind.says(one), e.kind.says(two), `mode="0770"`, `mode="0750"`).Replace(e.source("Rules/rules.xml"))})
	}
	e.publish(map[string]string{e.kind.conf: "workers = 9\n"})
	e.apply(0)
	require.Equal(e.T, "workers = 9", strings.TrimSpace(e.reads("/run/app.conf")))
	if e.kind.hasPackages() {
		require.Equal(e.T, "2.0", e.reads("/usr/share/app/version"))
	}
	e.Do("bindery-agent", "undo")
	require.Empty(e.T, ended.Differences(e.list(false)))
	require.Equal(e.T, "workers = 2", strings.TrimSpace(e.reads("/run/app.conf")), "the service reads what it read before")
	require.Equal(e.T, installed, e.packages())
	require.Equal(e.T, running, e.units())
}

// One version of the application, and another one.
const (
	one = `name="app" type="deb" version="1.0"`
	two = `name="app" type="deb" version="2.0"`
)
