// SPDX-License-Identifier: Apache-2.0

package engine

import (
	_ "embed" // zones.txt
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Window is a time in which hosts may be changed.
type Window struct {
	// Hosts and Groups are whom it counts for. Default: all.
	Hosts []string `json:"hosts,omitempty" yaml:"hosts"`
	// Groups are those whose hosts it counts for.
	Groups []string `json:"groups,omitempty" yaml:"groups"`
	// Days are mon, tue, wed, thu, fri, sat, sun: those on which it opens. Default:
	// all.
	Days []string `json:"days,omitempty" yaml:"days"`
	// From is when it opens, such as 22:00.
	From string `json:"from" yaml:"from"`
	// To is when it closes, on the next day where that is not after From.
	To string `json:"to" yaml:"to"`
	// Timezone is that of both, such as Europe/Berlin. Default: UTC.
	Timezone string `json:"timezone,omitempty" yaml:"timezone"`
}

// Pace is how often hosts run.
type Pace struct {
	// Hosts and Groups are whom it counts for. Default: all.
	Hosts []string `json:"hosts,omitempty" yaml:"hosts"`
	// Groups are those whose hosts it counts for.
	Groups []string `json:"groups,omitempty" yaml:"groups"`
	// Every is the time between two runs, such as 15m.
	Every time.Duration `json:"every" yaml:"every"`
}

var (
	weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	clock    = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
)

// zones are the names of time zones, one a line: those that agents bring with them. A
// host that cannot read the zone of a window does not open it.
//
//go:embed zones.txt
var zones string

// Bounds of how often hosts run.
const (
	minEvery = time.Minute
	maxEvery = 24 * time.Hour
)

// concerns tells whether a list of hosts and groups means a host; an empty one means
// all.
func concerns(hosts, of []string, host string, groups []string) bool {
	if len(hosts)+len(of) == 0 {
		return true
	}
	return slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, host) }) ||
		slices.ContainsFunc(of, func(g string) bool { return slices.Contains(groups, g) })
}

// timed keeps what is about one host, without the names of others.
func (p *Policy) timed(host string, groups []string) {
	var windows []Window
	for _, w := range p.Windows {
		if concerns(w.Hosts, w.Groups, host, groups) {
			w.Hosts, w.Groups = nil, nil
			windows = append(windows, w)
		}
	}
	p.Windows = windows
	i := slices.IndexFunc(p.Schedule, func(s Pace) bool { return concerns(s.Hosts, s.Groups, host, groups) })
	if i < 0 {
		p.Schedule = nil
		return
	}
	p.Schedule = []Pace{{Every: p.Schedule[i].Every}}
}

// checkTimes looks at windows and at the schedule.
func (p *Policy) checkTimes(bad func(what, hint string)) {
	for i := range p.Windows {
		if what := p.Windows[i].wrong(); what != "" {
			bad(fmt.Sprintf("policy.windows[%d]: %s", i, what), `write days such as sat, from: "22:00", to: "04:00", timezone: Europe/Berlin`)
		}
	}
	for i, s := range p.Schedule {
		if s.Every < minEvery || s.Every > maxEvery {
			bad(fmt.Sprintf("policy.schedule[%d].every is %s", i, s.Every), fmt.Sprintf("write a time from %s to %s", minEvery, maxEvery))
		}
	}
}

// wrong tells what is wrong with a window, "" for nothing.
func (w *Window) wrong() string {
	for _, d := range w.Days {
		if !slices.Contains(weekdays, d) {
			return fmt.Sprintf("%q is no day", d)
		}
	}
	switch {
	case !clock.MatchString(w.From) || !clock.MatchString(w.To):
		return "from and to are no times of a day"
	case w.Timezone != "" && !slices.Contains(strings.Fields(zones), w.Timezone):
		return fmt.Sprintf("%q is no time zone", w.Timezone)
	}
	return ""
}
