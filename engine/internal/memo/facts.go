// SPDX-License-Identifier: Apache-2.0

package memo

import (
	"maps"
	"slices"
	"strings"
)

// separator stands between the items of an answer that is a list. Names and
// addresses are words, and texts of XML have no such character.
const separator = "\x00"

// tell answers the questions that only templates ask.
func (v *View) tell(q *question) string {
	switch q.kind {
	case profile:
		return v.h.Profile
	case groupList:
		return v.h.GroupKey()
	case inNamed:
		_, found := slices.BinarySearch(v.h.Names, q.text)
		return answer(found)
	case record:
		return v.field(q.text)
	case probe:
		if data, ok := v.h.Answers()[q.text]; ok {
			return yes + data
		}
		return no
	case attached:
		return v.h.Attached(q.text)
	default:
		names := slices.Sorted(maps.Keys(v.h.Answers()))
		return join(slices.DeleteFunc(names, foreign))
	}
}

func (v *View) field(name string) string {
	c := v.h.Client
	if c == nil {
		return ""
	}
	switch name {
	case "uuid":
		return c.UUID
	case "password":
		return c.Password
	case "aliases":
		return join(c.Aliases)
	default:
		return join(c.Addresses)
	}
}

func join(list []string) string { return strings.Join(list, separator) }

func parts(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, separator)
}

// In tells whether the host is in the group of that name.
func (v *View) In(group string) bool { return v.ask(question{kind: inNamed, text: group}) == yes }

// Profile returns the host's profile.
func (v *View) Profile() string { return v.ask(question{kind: profile}) }

// Bundles returns the bundles of the host. It asks for all groups at once.
func (v *View) Bundles() []string {
	v.ask(question{kind: groupList})
	return v.h.Bundles
}

// Groups returns all groups of the host, sorted.
func (v *View) Groups() []string {
	v.ask(question{kind: groupList})
	return v.h.Names
}

// Categories returns the host's group of each category.
func (v *View) Categories() map[string]string {
	v.ask(question{kind: groupList})
	return v.h.Categories
}

// UUID returns what clients.xml says, "" for nothing.
func (v *View) UUID() string { return v.ask(question{kind: record, text: "uuid"}) }

// Password returns what clients.xml says, "" for nothing. It is a secret.
func (v *View) Password() string {
	password := v.ask(question{kind: record, text: "password"})
	if password != "" {
		v.Taint()
	}
	return password
}

// Aliases returns the other names of the host.
func (v *View) Aliases() []string { return parts(v.ask(question{kind: record, text: "aliases"})) }

// Addresses returns the addresses of the host.
func (v *View) Addresses() []string { return parts(v.ask(question{kind: record, text: "addresses"})) }

// foreign tells whether an answer is another plugin's than Probes.
func foreign(key string) bool { return strings.Contains(key, ":") }

// Attached returns what a plugin tells templates of the host, as JSON.
func (v *View) Attached(plugin string) string {
	return v.ask(question{kind: attached, text: plugin})
}

// Probe returns the host's answer to a probe of Probes.
func (v *View) Probe(name string) (string, bool) {
	if foreign(name) {
		return "", false
	}
	a := v.ask(question{kind: probe, text: name})
	return strings.TrimPrefix(a, yes), a != no
}

// Probes returns the names of the probes that the host answered, sorted.
func (v *View) Probes() []string { return parts(v.ask(question{kind: probeList})) }

// Asked is one question that was put, and its answer where it is no secret.
type Asked struct {
	// About is what kind of thing was asked for: group, probe, hostname …
	About string `json:"about"`
	// Name is which one; "" where there is but one.
	Name string `json:"name,omitempty"`
	// Answer is the answer; probe data and passwords are not told.
	Answer string `json:"answer,omitempty"`
}

// Asked lists the questions that were put through a View, in order. group gives
// the name of a numbered group.
func (v *View) Asked(group func(id int) string) []Asked {
	var out []Asked
	for _, s := range v.trace {
		out = append(out, tellable(s, group))
	}
	return out
}

func tellable(s step, group func(id int) string) Asked {
	words := map[string]string{yes: "yes", no: "no"}
	switch s.q.kind {
	case inGroup:
		return Asked{"group", group(s.q.id), words[s.a]}
	case inNamed:
		return Asked{"group", s.q.text, words[s.a]}
	case isHost:
		return Asked{"client", s.q.text, words[s.a]}
	case hostName:
		return Asked{About: "hostname", Answer: s.a}
	case among:
		if s.a == "" {
			return Asked{About: "files for single hosts", Answer: "none for this one"}
		}
		return Asked{About: "files for single hosts", Answer: "one for this one"}
	case profile:
		return Asked{About: "profile", Answer: s.a}
	case version:
		return Asked{About: "client version", Answer: s.a}
	case category:
		return Asked{"category", s.q.text, s.a}
	case groupList:
		return Asked{About: "all groups"}
	case probe:
		return Asked{About: "probe", Name: s.q.text}
	case probeList:
		return Asked{About: "names of all probes"}
	default:
		return Asked{About: "client", Name: s.q.text}
	}
}
