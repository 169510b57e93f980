// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/status"
	"github.com/bindery/bindery/engine/release"
)

// A host that only reports says so, and for how long: in the list and by itself. So do
// bundles.
func TestReportModeIsShownWithItsAge(t *testing.T) {
	t.Parallel()
	since := time.Now().Add(-75 * time.Hour)
	host := status.Host{Name: "web1", State: status.StateFailed, Report: &status.Report{
		Mode: release.ModeReport, ModeSince: since, Reported: []release.Reported{{Bundle: "new", Since: since.Add(48 * time.Hour)}, {Bundle: "dry"}},
	}}
	var out bytes.Buffer
	listHosts(&out, []status.Host{host})
	require.Contains(t, out.String(), "failed, only reports")
	out.Reset()
	showHost(&out, &status.Detail{Host: host})
	require.Regexp(t, `it plans and changes nothing, since .*, 3 days\n`, out.String())
	require.Regexp(t, `bundle new is looked at and not changed, since .*, 1 days\n`, out.String())
	require.Contains(t, out.String(), "bundle dry is looked at and not changed\n")
	host.Report.Mode, host.Report.Reported = release.ModeApply, nil
	out.Reset()
	listHosts(&out, []status.Host{host})
	showHost(&out, &status.Detail{Host: host})
	require.NotContains(t, out.String(), "reports")
	require.NotContains(t, out.String(), "mode ")
}
