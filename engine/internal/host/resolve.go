// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/bindery/bindery/engine/problem"
)

// Metadata is clients.xml and groups.xml, read. It is safe for concurrent use.
type Metadata struct {
	groups   *groups
	clients  *clients
	problems []*problem.Problem
	broken   *problem.Problem

	mu    sync.RWMutex
	cache map[string]*Membership
}

// Membership is what groups.xml makes of a profile and of the groups that other
// plugins give: it is the same for many hosts and shared by them.
type Membership struct {
	// Profile is the profile group, "" for none.
	Profile string
	// Groups are the numbered groups; Names all groups, sorted.
	Groups Set
	Names  []string
	// Categories map a category to the one group of it.
	Categories map[string]string
	// Bundles are sorted.
	Bundles []string
	// Problems are warnings about this combination.
	Problems []*problem.Problem

	key   string
	extra []string // groups that no condition asks for
	// without are groups that the host is not to be in, whoever gives them.
	without []string
	// dynamic are the groups of extra that a connector defined, by a category.
	dynamic map[string]bool
	// settled: another run of the rules would change nothing.
	settled bool
	refused *problem.Problem
}

// Refused is why a host of this membership cannot be built; nil where it can.
func (m *Membership) Refused() *problem.Problem { return m.refused }

// Host is one host with everything that is known about it.
type Host struct {
	*Membership
	Name string
	// Client is nil for a host that clients.xml does not list.
	Client *Client
	// Probes are the host's answers by the key of the probe; nil: none yet.
	Probes map[string]string
	// External is what is recorded of other sources, as JSON by plugin.
	External map[string]string
	// data is what templates see of plugins, as JSON by plugin.
	data map[string]string
	// Recorded are the answers that the specification itself keeps, for a host that
	// has not answered yet.
	Recorded map[string]string
	// Notes are findings of connectors about this host.
	Notes []*problem.Problem
	// Nested counts the questions about other hosts that this host is resolved for,
	// each for the sake of the one before.
	Nested int
}

// Grant is a group that a connector gives.
type Grant struct {
	Group string
	// Category is that of a group which groups.xml does not define; "" for none.
	Category string
}

// GroupKey tells memberships apart: equal keys have equal profile, groups,
// categories and bundles.
func (m *Membership) GroupKey() string { return m.key }

// Answers are what is known of the host's probes.
func (h *Host) Answers() map[string]string {
	if h.Probes == nil {
		return h.Recorded
	}
	return h.Probes
}

// Attach sets what templates see of a plugin, as JSON.
func (h *Host) Attach(plugin, json string) {
	if h.data == nil {
		h.data = map[string]string{}
	}
	h.data[plugin] = json
}

// Attached is what templates see of a plugin, as JSON: an empty object where it has
// nothing to say.
func (h *Host) Attached(plugin string) string {
	if data, ok := h.data[plugin]; ok {
		return data
	}
	return "{}"
}

// Findings are the problems of the host's membership, at the line of clients.xml
// that lists the host where it is about that.
func (h *Host) Findings() []*problem.Problem {
	out := slices.Concat(h.Problems, h.Notes)
	for i, p := range out {
		if h.Client != nil && p.Pos == (problem.Pos{File: ClientsFile}) {
			at := *p
			at.Pos = h.Client.Pos
			out[i] = &at
		}
	}
	return out
}

// Read reads the metadata of a specification, groups.xml and clients.xml. One whose
// metadata cannot be read knows no host; Resolve then says why.
func Read(fsys fs.FS, voc *Vocabulary) *Metadata {
	m := &Metadata{cache: map[string]*Membership{}}
	var p *problem.Problem
	var found []*problem.Problem
	if m.groups, found, p = readGroups(fsys, voc); p != nil {
		m.broken, m.problems = p, append(m.problems, p)
	}
	m.problems = append(m.problems, found...)
	if m.clients, p = readClients(fsys); p != nil {
		m.broken, m.problems = p, append(m.problems, p)
		return m
	}
	m.problems = append(m.problems, m.clients.found...)
	if m.broken != nil {
		return m
	}
	for _, profile := range m.clients.profiles {
		voc.ID(profile)
	}
	return m
}

// Problems are the findings of reading.
func (m *Metadata) Problems() []*problem.Problem { return m.problems }

// Names lists the hosts of clients.xml, sorted.
func (m *Metadata) Names() []string {
	if m.broken != nil {
		return nil
	}
	return slices.Clone(m.clients.names)
}

// Canonical gives the client that a name stands for, in lower case.
func (m *Metadata) Canonical(name string) string {
	name = strings.ToLower(name)
	if m.broken != nil {
		return name
	}
	if target, ok := m.clients.aliases[name]; ok {
		return target
	}
	return name
}

// Resolve finds the host that a name stands for, directly or as an alias, and
// what clients.xml and groups.xml make of it. assert is a public profile that the
// host asks for, "" for none; without are groups that it is not to be in.
func (m *Metadata) Resolve(name, assert string, without ...string) (*Host, *problem.Problem) {
	if m.broken != nil {
		return nil, problem.New(m.broken.Pos, "metadata-unreadable",
			"no host can be built, because the metadata cannot be read: "+m.broken.Msg, m.broken.Hint)
	}
	name = m.Canonical(name)
	if !ValidName(name) {
		return nil, problem.New(problem.Pos{File: ClientsFile}, "bad-host-name", fmt.Sprintf("%q is no host name", name), "")
	}
	c := m.clients.byName[name]
	var profiles []string
	switch {
	case assert != "":
		if d := m.definition(assert); d == nil || !d.public {
			return nil, problem.New(problem.Pos{File: GroupsFile}, "profile-not-public",
				fmt.Sprintf("host %s asks for profile %s, which is not public", name, assert), `mark the group public="true", or list the host in clients.xml`)
		}
		profiles = []string{assert}
	case c != nil:
		profiles = c.Profiles
	case m.groups.deflt != "":
		profiles = []string{m.groups.deflt}
	default:
		return nil, problem.New(problem.Pos{File: ClientsFile}, "unknown-host",
			fmt.Sprintf("host %s is not listed, and no group is the default", name), `list it, or mark a group of groups.xml default="true"`)
	}
	h := &Host{Membership: m.membership(name, profiles, without), Name: name, Client: c}
	return h, h.refused
}

// Imaginary is a host that clients.xml does not list and that is in just one
// group, whatever that group would bring.
func (m *Metadata) Imaginary(name, group string) *Host {
	ms := &Membership{Profile: group, Names: []string{group}, Categories: map[string]string{}, key: "\x03" + group}
	if id, ok := m.groups.voc.Find(group); ok {
		ms.Groups.add(id)
	}
	return &Host{Membership: ms, Name: name}
}

// ListedAt is where a group first lists a bundle.
func (m *Metadata) ListedAt(bundle string) problem.Pos { return m.groups.listed[bundle] }

func (m *Metadata) definition(group string) *definition {
	id, ok := m.groups.voc.Find(group)
	if !ok {
		return nil
	}
	return m.groups.defs[id]
}

// Extend adds the groups that a connector gives, as Bcfg2 merges them: those of a
// taken category are suppressed, then the rules of groups.xml run again, even
// where it gives none. A bundle stays, even if its group is taken away by that.
func (m *Metadata) Extend(h *Host, more []Grant) {
	if len(more) == 0 && h.settled {
		return
	}
	key := h.key + "\x02"
	for _, g := range more {
		key += g.Group + "\x00" + g.Category + "\x04"
	}
	h.Membership = m.cached(key, func() *Membership {
		r := m.resolver(h.Name, h.Membership)
		var added []string
		for _, g := range more {
			if r.has(g.Group) || !r.define(g) || !r.book(g.Group) {
				continue
			}
			r.add(g.Group)
			added = append(added, g.Group)
		}
		r.passes()
		if r.profile == "" {
			for _, g := range added {
				if d := m.definition(g); d != nil && d.profile {
					r.profile = g
					break
				}
			}
			if r.profile == "" {
				r.profile = m.groups.deflt
			}
		}
		return r.membership(key)
	})
}

func (m *Metadata) cached(key string, make func() *Membership) *Membership {
	m.mu.RLock()
	got := m.cache[key]
	m.mu.RUnlock()
	if got != nil {
		return got
	}
	got = make()
	m.mu.Lock()
	defer m.mu.Unlock()
	if first := m.cache[key]; first != nil {
		return first
	}
	m.cache[key] = got
	return got
}

func (m *Metadata) membership(name string, profiles, without []string) *Membership {
	key := strings.Join(profiles, "\x00") + "\x01"
	if len(without) > 0 {
		key += strings.Join(without, "\x00") + "\x05"
	}
	if m.groups.clients[name] {
		key += name
	}
	return m.cached(key, func() *Membership {
		r := m.resolver(name, nil)
		r.without = without
		r.start(profiles)
		return r.membership(key)
	})
}

// resolver holds one resolution while it runs.
type resolver struct {
	m          *Metadata
	host       string
	profile    string
	set        Set
	extra      []string
	without    []string
	dynamic    map[string]bool
	categories map[string]string
	bundles    []string
	problems   []*problem.Problem
	steps      int
	settled    bool
}

func (m *Metadata) resolver(host string, from *Membership) *resolver {
	r := &resolver{m: m, host: host, categories: map[string]string{}, dynamic: map[string]bool{}}
	if from != nil {
		r.profile = from.Profile
		r.set = slices.Clone(from.Groups)
		r.extra, r.without = slices.Clone(from.extra), from.without
		maps.Copy(r.dynamic, from.dynamic)
		maps.Copy(r.categories, from.Categories)
		r.problems = slices.Clone(from.Problems)
		r.bundles = slices.Clone(from.Bundles)
	}
	return r
}

// start is what clients.xml gives: its profiles, or the default group where
// nothing is left of them.
func (r *resolver) start(profiles []string) {
	for _, p := range profiles {
		d := r.m.definition(p)
		switch {
		case d == nil:
			r.warn(problem.Pos{File: ClientsFile}, "nonexistent-profile-group", fmt.Sprintf("profile group %q is not defined", p))
		case !d.profile:
			r.warn(d.pos, "non-profile-set-as-profile", fmt.Sprintf("group %s is set as a profile, but is not marked profile=\"true\"", p))
		}
		if !r.book(p) {
			continue
		}
		r.add(p)
		if r.profile == "" && d != nil && d.profile {
			r.profile = p
		}
	}
	r.passes()
	if r.set.len() == 0 && r.m.groups.deflt != "" {
		if r.book(r.m.groups.deflt) {
			r.add(r.m.groups.deflt)
		}
		r.passes()
	}
	if r.profile == "" {
		var names []string
		r.set.each(func(id int) {
			if d := r.m.groups.defs[id]; d != nil && d.profile {
				names = append(names, r.m.groups.voc.Name(id))
			}
		})
		if len(names) > 0 {
			r.profile = slices.Min(names)
		}
	}
}

func (r *resolver) warn(pos problem.Pos, code, msg string) {
	r.problems = append(r.problems, problem.Warn(pos, code, msg, ""))
}

func (r *resolver) has(group string) bool {
	if id, ok := r.m.groups.voc.Find(group); ok {
		return r.set.Has(id)
	}
	return slices.Contains(r.extra, group)
}

func (r *resolver) add(group string) {
	if id, ok := r.m.groups.voc.Find(group); ok {
		r.set.add(id)
		return
	}
	r.extra = append(r.extra, group)
}

// define takes the category that a connector gives a group, or tells that it is
// taken. A group of groups.xml keeps what that says.
func (r *resolver) define(g Grant) bool {
	if g.Category == "" {
		return true
	}
	if d := r.m.definition(g.Group); d != nil {
		if d.category != g.Category {
			r.warn(d.pos, "predefined-group", fmt.Sprintf("group %s is defined here; category %s, which a plugin gives it, does not count", g.Group, g.Category))
		}
		return true
	}
	if holder, taken := r.categories[g.Category]; taken {
		r.warn(problem.Pos{File: GroupsFile}, "category-conflict", fmt.Sprintf("group %s is suppressed: the host is in %s of category %s already", g.Group, holder, g.Category))
		return false
	}
	r.categories[g.Category] = g.Group
	r.dynamic[g.Group] = true
	return true
}

// book takes the category of a group, or tells that it is taken.
func (r *resolver) book(group string) bool {
	if slices.Contains(r.without, group) {
		return false
	}
	d := r.m.definition(group)
	if d == nil || d.category == "" {
		return true
	}
	if holder, taken := r.categories[d.category]; taken {
		if holder != group {
			r.warn(d.pos, "category-conflict", fmt.Sprintf("group %s is suppressed: the host is in %s of category %s already", group, holder, d.category))
		}
		return false
	}
	r.categories[d.category] = group
	return true
}

// passes applies the rules of groups.xml until a pass leaves the number of groups
// as it was. Conditions are tested against the groups at the start of a pass.
func (r *resolver) passes() {
	g := r.m.groups
	var queued []int
	left := 2*(len(g.grant)+len(g.revoke)) + 2
	for r.steps <= maxSteps {
		before := r.set.len()
		queued = queued[:0]
		for i := range g.grant {
			rule := &g.grant[i]
			if r.set.Has(rule.group) || !rule.hold(r.host, r.set, &r.steps) || !r.book(g.voc.Name(rule.group)) {
				continue
			}
			queued = append(queued, rule.group)
		}
		for _, id := range queued {
			r.set.add(id)
		}
		gone := r.revoke()
		if r.set.len() == before {
			r.settled = len(queued) == 0 && gone == 0
			return
		}
		if left--; left == 0 {
			r.steps = maxSteps + 1
		}
	}
}

// maxSteps bounds the conditions that are tested to find the groups of one host.
// Real specifications need some hundreds. Rules that grant and revoke in turn
// could go on for ever, so passes are bounded too.
const maxSteps = 1 << 24

// revoke takes away the groups of which a negated rule holds, and counts them.
func (r *resolver) revoke() int {
	g := r.m.groups
	var gone []int
	for i := range g.revoke {
		if rule := &g.revoke[i]; r.set.Has(rule.group) && rule.hold(r.host, r.set, &r.steps) {
			gone = append(gone, rule.group)
		}
	}
	for _, id := range gone {
		r.set.remove(id)
		if d := g.defs[id]; d != nil && r.categories[d.category] == g.voc.Name(id) {
			delete(r.categories, d.category)
		}
	}
	return len(gone)
}

func (r *resolver) membership(key string) *Membership {
	out := &Membership{
		Profile: r.profile, Groups: r.set, Categories: r.categories, Bundles: r.bundles, key: key, extra: r.extra, without: r.without, dynamic: r.dynamic,
		settled: r.settled && (r.profile != "" || r.m.groups.deflt == ""),
	}
	if r.steps > maxSteps {
		out.refused = problem.New(problem.Pos{File: GroupsFile}, "groups-too-complex", "the groups of the host cannot be found: the rules do not come to an end", "look for groups that are granted and taken away in turn")
		return out
	}
	seen := make(map[string]bool, len(r.bundles))
	for _, b := range r.bundles {
		seen[b] = true
	}
	r.set.each(func(id int) {
		name := r.m.groups.voc.Name(id)
		if name != "" {
			out.Names = append(out.Names, name)
		}
		d := r.m.groups.defs[id]
		if d == nil {
			if name != "" && name != r.profile && !r.dynamic[name] {
				r.warn(problem.Pos{File: GroupsFile}, "undefined-group", fmt.Sprintf("the host is in group %s, which is not defined", name))
			}
			return
		}
		for _, b := range d.bundles {
			if !seen[b] {
				seen[b] = true
				out.Bundles = append(out.Bundles, b)
			}
		}
	})
	for _, name := range r.extra {
		if name != "" {
			out.Names = append(out.Names, name)
		}
	}
	slices.Sort(out.Names)
	slices.Sort(out.Bundles)
	out.Problems = problem.Sort(r.problems)
	return out
}
