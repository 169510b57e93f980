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

func TestWindowNext(t *testing.T) {
	night := release.Window{Days: []string{"sat"}, From: "22:00", To: "04:00", Timezone: "Europe/Berlin"}
	spring := release.Window{From: "02:30", To: "02:45", Timezone: "Europe/Berlin"}
	early := release.Window{From: "02:30", To: "05:00", Timezone: "America/New_York"}
	berlin := release.Window{From: "02:30", To: "05:00", Timezone: "Europe/Berlin"}
	midnight := release.Window{Days: []string{"sun"}, From: "00:00", To: "05:00", Timezone: "America/Santiago"}
	for _, c := range []struct {
		w     release.Window
		after string
		want  string
		lasts time.Duration
	}{
		// It opens as clocks go forward where its time does not exist.
		{early, "2026-03-07T12:00:00Z", "2026-03-08T07:00:00Z", 150 * time.Minute},
		{early, "2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z", 150 * time.Minute},
		{berlin, "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z", 150 * time.Minute},
		{midnight, "2026-09-05T12:00:00Z", "2026-09-06T04:00:00Z", 5 * time.Hour},
		{night, "2026-11-21T20:59:59Z", "2026-11-21T21:00:00Z", 6 * time.Hour},
		{night, "2026-11-21T21:00:00Z", "2026-11-28T21:00:00Z", 6 * time.Hour},
		{night, "2026-07-01T00:00:00Z", "2026-07-04T20:00:00Z", 6 * time.Hour},     // summer
		{spring, "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z", 15 * time.Minute}, // not on the 29th
		{release.Window{From: "00:00", To: "00:00"}, "2026-11-21T12:00:00Z", "2026-11-22T00:00:00Z", 24 * time.Hour},
		{release.Window{Days: []string{"never"}, From: "00:00", To: "00:00"}, "2026-11-21T12:00:00Z", "", 0},
		{release.Window{From: "9", To: "10:00"}, "2026-11-21T12:00:00Z", "", 0},
		{release.Window{From: "09:00", To: "25:00"}, "2026-11-21T12:00:00Z", "", 0},
		{release.Window{From: "09:00", To: "10:00", Timezone: "Atlantis/Center"}, "2026-11-21T12:00:00Z", "", 0},
	} {
		after, err := time.Parse(time.RFC3339, c.after)
		require.NoError(t, err)
		opens, lasts := c.w.Next(after)
		want := time.Time{}
		if c.want != "" {
			want, err = time.Parse(time.RFC3339, c.want)
			require.NoError(t, err)
		}
		require.True(t, want.Equal(opens), "%s after %s: %s", c.w, c.after, opens)
		require.Equal(t, c.lasts, lasts)
	}
}
