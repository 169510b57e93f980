// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/bindery/bindery/agent/choice"
	"github.com/bindery/bindery/agent/journal"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/internal/schedule"
)

// Settings are what agent.yaml says. Every key may be left out.
type Settings struct {
	// URL is the controller's address. Enrolment keeps it; this replaces it.
	URL string `yaml:"url"`
	// Host is the name to enrol under. Default: the system's host name.
	Host string `yaml:"host"`
	// State is the agent's own directory. Default: /var/lib/bindery below root.
	State string `yaml:"state"`
	// Root is the directory that stands for the host's "/". Default: /.
	Root string `yaml:"root"`
	// FetchUser is the user that talks to the network in the agent's place, by the
	// unit bindery-agent-fetch.service; the packages set both up. Default: none, the
	// agent does it itself. Under another root than / it always does.
	FetchUser string `yaml:"fetch_user"`
	// Schedule is a cron expression, or @every DURATION. Each host has a time of its own:
	// within the interval, and within an hour of the times that an expression names.
	// Default: what policy.schedule of the release says, else every five minutes.
	Schedule string `yaml:"schedule"`
	// Timezone is the schedule's. Default: UTC.
	Timezone string `yaml:"timezone"`
	// Probes bounds what one probe may do.
	Probes ProbeSettings `yaml:"probes"`
	// ActionTimeout bounds one command of an Action. Default: 10m.
	ActionTimeout time.Duration `yaml:"action_timeout"`
	// EntryTimeout bounds what is done for one entry that is no Action. Default: 30m.
	EntryTimeout time.Duration `yaml:"entry_timeout"`
	// Decision is which list of Decisions counts on this host: whitelist or blacklist.
	// Default: neither.
	Decision choice.Decision `yaml:"decision"`
	// FactsWait is how long a run waits for the release that new facts bring.
	// Default: 30s.
	FactsWait time.Duration `yaml:"facts_wait"`
	// Drivers are types of entries whose drivers were never run against their
	// tools and shall work here all the same: chkconfig, upstart, smf,
	// sysv, blast, encap.
	Drivers []string `yaml:"drivers"`
	// Paranoid keeps copies of files that entries with paranoid="true" replace.
	Paranoid ParanoidSettings `yaml:"paranoid"`
	// Journal bounds what is kept of how the host was before runs changed it.
	Journal JournalSettings `yaml:"journal"`
}

// ParanoidSettings say where copies of replaced files are kept.
type ParanoidSettings struct {
	// Enabled keeps copies at all. Default: false.
	Enabled bool `yaml:"enabled"`
	// Path is the directory of the copies. Default: /var/cache/bindery.
	Path string `yaml:"path"`
	// MaxCopies is how many copies of one file are kept. Default: 1.
	MaxCopies int `yaml:"max_copies"`
}

// JournalSettings bound the journal. Of more than is allowed the oldest runs go.
type JournalSettings struct {
	// Runs is how many runs are kept. Default: 50.
	Runs int `yaml:"runs"`
	// Age is how long a run is kept. Default: 720h.
	Age time.Duration `yaml:"age"`
	// Megabytes is what all runs may hold together. Default: 1024.
	Megabytes int `yaml:"megabytes"`
	// RunMegabytes is what one run may hold; what needs more is not changed. Trees and
	// large files leave a quarter of it for others.
	// Default: 256.
	RunMegabytes int `yaml:"run_megabytes"`
}

// Limits are the settings in the journal's own terms.
func (j JournalSettings) Limits() journal.Limits {
	return journal.Limits{Runs: j.Runs, Age: j.Age, Bytes: int64(j.Megabytes) << 20, RunBytes: int64(j.RunMegabytes) << 20}
}

// ProbeSettings bound what one probe may do.
type ProbeSettings struct {
	// Timeout ends the probe. Default: 30s.
	Timeout time.Duration `yaml:"timeout"`
	// MaxOutput is how many bytes it may write. Default: 65536.
	MaxOutput int `yaml:"max_output"`
	// User is the name of who it runs as. Default: whoever runs the agent.
	User string `yaml:"user"`
	// Root are names of probes that run as whoever runs the agent all the same.
	Root []string `yaml:"root"`
	// CPU is the processor time that each of its processes may take. Default: 20s.
	CPU time.Duration `yaml:"cpu"`
	// Megabytes is the memory that each of its processes may have. Default: 512, and
	// on macOS, which cannot limit it, none.
	Megabytes int `yaml:"megabytes"`
	// Processes is how many a user of its own may have at once. Default: 100.
	Processes int `yaml:"processes"`
}

// complete fills in what is not there.
func (p ProbeSettings) complete() (ProbeSettings, error) {
	if p.Timeout < 0 || p.MaxOutput < 0 || p.CPU < 0 || p.Megabytes < 0 || p.Processes < 0 {
		return p, errors.New("agent: negative limit of probes")
	}
	if len(p.Root) > 0 && p.User == "" {
		return p, errors.New("agent: probes.root names probes, and probes.user nobody: all run as whoever runs the agent")
	}
	p.Timeout, p.MaxOutput = cmp.Or(p.Timeout, 30*time.Second), cmp.Or(p.MaxOutput, 64<<10)
	p.CPU, p.Processes = cmp.Or(p.CPU, 20*time.Second), cmp.Or(p.Processes, 100)
	switch {
	case system.LimitsMemory:
		p.Megabytes = cmp.Or(p.Megabytes, 512)
	case p.Megabytes > 0:
		return p, errors.New("agent: probes.megabytes: this system holds no program to a limit of memory; leave it out")
	}
	return p, nil
}

// ParseSettings reads agent.yaml. A key that it does not know is an error, which
// shows the line.
func ParseSettings(data []byte) (Settings, error) {
	var s Settings
	if err := yaml.UnmarshalWithOptions(data, &s, yaml.Strict()); err != nil && len(data) > 0 {
		return Settings{}, fmt.Errorf("read settings: %w", err)
	}
	for _, c := range []struct{ key, expr, zone string }{{"timezone", anyTime, s.Timezone}, {"schedule", cmp.Or(s.Schedule, anyTime), ""}} {
		if _, err := schedule.Parse(c.expr, c.zone); err != nil {
			return Settings{}, fmt.Errorf("read settings: %w%s", err, where(data, c.key))
		}
	}
	return s, nil
}

// anyTime is a schedule that is good.
const anyTime = "@hourly"

// where shows the line of a key.
func where(data []byte, key string) string {
	path, err := yaml.PathString("$." + key)
	if err != nil {
		return ""
	}
	lines, err := path.AnnotateSource(data, false)
	if err != nil {
		return ""
	}
	return "\n" + strings.TrimRight(string(lines), "\n")
}
