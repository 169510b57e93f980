// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"net/http"

	"github.com/bindery/bindery/controller/events"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/release"
)

// sender makes who tells others of reports.
func (ct *Controller) sender() (*events.Sender, error) {
	var hooks []events.Hook
	for i, e := range ct.c.Settings.Events {
		hooks = append(hooks, events.Hook{URL: e.URL, Secret: ct.c.Secrets.events[i]})
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return events.New(events.Config{Hooks: hooks, Client: client, Logger: ct.c.Logger})
}

// tell leaves what came of a run for whoever is to be told, comments that follow a
// change among them. Profile and groups are those of the last build.
func (ct *Controller) tell(h store.Host, r *release.Report) {
	var profile string
	var groups []string
	if p := ct.environments[h.Environment]; p != nil {
		profile, groups = p.membership(h.Name)
		if p.rolling.Load() {
			p.pace.soon(reportPause)
		}
	}
	ct.events.Send(events.Event{
		Event: "report", Host: h.Name, Environment: h.Environment, Profile: profile, Groups: groups, State: string(r.State), Commit: r.Commit, DryRun: r.DryRun,
		Total: r.Total, Good: r.Good, Bad: len(r.Bad), Changed: len(r.Modified), Extra: len(r.Extra), At: ct.c.Now().UTC(),
	})
}

// membership gives the profile and the groups that a host had in the last build.
func (p *pipeline) membership(name string) (string, []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.members[name]
	return m.profile, m.groups
}

// member is what a host was in the last build.
type member struct {
	profile string
	groups  []string
}

// know keeps what hosts are, for events.
func (p *pipeline) know(s *site) {
	members := make(map[string]member, len(s.results))
	for name, r := range s.results {
		members[name] = member{r.Profile, r.Groups}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members = members
}
