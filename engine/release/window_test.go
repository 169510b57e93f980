// SPDX-License-Identifier: Apache-2.0

package release_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/release"
)

func TestWindow(t *testing.T) {
	night := release.Window{Days: []string{"sat"}, From: "22:00", To: "04:00", Timezone: "Europe/Berlin"}
	day := release.Window{From: "09:00", To: "17:00"}
	require.Equal(t, "sat 22:00 to 04:00 Europe/Berlin", night.String())
	require.Equal(t, "every day 09:00 to 17:00 UTC", day.String())
	for _, c := range []struct {
		w    release.Window
		at   string
		open bool
	}{
		// A Saturday in November: Berlin is an hour ahead.
		{night, "2026-11-21T20:59:59Z", false}, {night, "2026-11-21T21:00:00Z", true}, {night, "2026-11-22T02:59:59Z", true},
		{night, "2026-11-22T03:00:00Z", false}, {night, "2026-11-22T21:30:00Z", false}, {night, "2026-11-21T02:00:00Z", false},
		// In summer two hours, and on the night when clocks go forward it is an hour shorter.
		{night, "2026-06-20T20:00:00Z", true}, {night, "2026-03-29T01:59:00Z", true}, {night, "2026-03-29T02:00:00Z", false},
		{day, "2026-11-21T08:59:00Z", false}, {day, "2026-11-21T09:00:00Z", true}, {day, "2026-11-21T17:00:00Z", false},
		{release.Window{From: "00:00", To: "00:00"}, "2026-11-21T12:00:00Z", true},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		require.NoError(t, err)
		open, err := c.w.Open(at)
		require.NoError(t, err)
		require.Equal(t, c.open, open, "%s at %s", c.w, c.at)
	}
	for _, bad := range []release.Window{{From: "9", To: "10:00"}, {From: "09:00", To: "25:00"}, {From: "09:00", To: "10:00", Timezone: "Atlantis/Center"}} {
		_, err := bad.Open(time.Now())
		require.Error(t, err)
	}
	require.Error(t, release.Policy{Mode: release.ModeApply, Every: time.Second}.Validate())
}
