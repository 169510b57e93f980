// SPDX-License-Identifier: Apache-2.0

//go:build machine

package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/e2e/machinetest"
)

// TestMachineConverges: what the specification says becomes true, stays true, and
// becomes true again.
func TestMachineConverges(t *testing.T) {
	e := newEstate(t, nil, clutter)
	r := e.apply(0)
	require.Equal(t, "clean", r.Report.State)
	require.Equal(t, r.Report.Total, r.Report.Good)
	e.converged()

	before := machinetest.List(t, e.Root, machinetest.Aspects{Times: true, Without: []string{"/var/lib/bindery", "/var/log"}})
	again := e.apply(0)
	require.Equal(t, "clean", again.Report.State)
	require.Empty(t, again.Report.Modified)
	after := machinetest.List(t, e.Root, machinetest.Aspects{Times: true, Without: []string{"/var/lib/bindery", "/var/log"}})
	require.Empty(t, before.Differences(after), "a run that has nothing to do writes nothing")
}
