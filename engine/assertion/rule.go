// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
)

// settings is one assertion as it is written.
type settings struct {
	// Name is what people call it. No two assertions have the same.
	Name text `yaml:"name"`
	// Why is told to whoever breaks it.
	Why text `yaml:"why" json:"-"`
	// Hosts are patterns of names, with * and ?; Groups are names of groups. It is about
	// the hosts that one of either picks, and about all hosts where both are left out.
	Hosts  []text `yaml:"hosts"`
	Groups []text `yaml:"groups"`
	// ExceptHosts and ExceptGroups are left out of them.
	ExceptHosts  []text `yaml:"except_hosts"`
	ExceptGroups []text `yaml:"except_groups"`
	// Entry is "Tag:name"; both may hold * and ?. A bundle is "Bundle:name".
	Entry text `yaml:"entry"`

	// Exists says that there is such an entry, or with false that there is none.
	Exists *bool `yaml:"exists"`
	// Attributes are attributes with their values; AttributesMatch with regular
	// expressions that the value matches.
	Attributes      map[string]text `yaml:"attributes"`
	AttributesMatch map[string]text `yaml:"attributes_match"`
	// Lines must each be a line of the content, blanks around it aside, and NoLines must
	// not; LinesMatch and NoLinesMatch are regular expressions for lines.
	Lines        []text `yaml:"lines"`
	NoLines      []text `yaml:"no_lines"`
	LinesMatch   []text `yaml:"lines_match"`
	NoLinesMatch []text `yaml:"no_lines_match"`

	// Kept says that no host loses such an entry by a change.
	Kept bool `yaml:"kept"`
	// MaxChanged is on how many hosts, or on what part of them, such an entry may
	// change; MaxLosing how many hosts may lose one; MaxRemovedHosts how many hosts may
	// go altogether.
	MaxChanged      *limit `yaml:"max_changed"`
	MaxLosing       *limit `yaml:"max_losing"`
	MaxRemovedHosts *limit `yaml:"max_removed_hosts"`

	// Approvals is how many people have to approve what breaks it (default 1).
	Approvals *int `yaml:"approvals" json:"-"`
}

// most is how many approvals an assertion can ask for.
const most = 20

// rule is one assertion, ready to be held against configurations.
type rule struct {
	settings
	pos       problem.Pos
	tag, name *regexp.Regexp
	hosts     []*regexp.Regexp
	except    []*regexp.Regexp
	attrs     map[string]*regexp.Regexp
	has, not  []*regexp.Regexp
	approvals int
	// digest covers what is asserted; why and how many approve are no part of it.
	digest string
}

// absolute tells whether it says something of one build.
func (r *rule) absolute() bool {
	return r.Exists != nil || len(r.Attributes)+len(r.AttributesMatch)+len(r.Lines)+len(r.NoLines)+len(r.LinesMatch)+len(r.NoLinesMatch) > 0
}

// wanted tells whether the entry has to be there.
func (r *rule) wanted() bool { return r.absolute() && (r.Exists == nil || *r.Exists) }

// forbidden tells whether the entry must not be there.
func (r *rule) forbidden() bool { return r.Exists != nil && !*r.Exists }

func (r *rule) comparing() bool {
	return r.Kept || r.MaxChanged != nil || r.MaxLosing != nil || r.MaxRemovedHosts != nil
}

// compile checks an assertion; the error says what is wrong and what to write.
func compile(s settings, pos problem.Pos) (*rule, error) {
	r := &rule{settings: s, pos: pos, attrs: map[string]*regexp.Regexp{}, approvals: 1}
	switch {
	case s.Name == "":
		return nil, fmt.Errorf("it has no name")
	case !r.absolute() && !r.comparing():
		return nil, fmt.Errorf("it asserts nothing: give it exists, attributes, lines, kept, max_changed or another")
	case s.Entry == "" && r.absolute():
		return nil, fmt.Errorf("it says nothing about an entry: write entry: TAG:NAME, such as Path:/etc/motd")
	case r.forbidden() && (len(s.Attributes)+len(s.AttributesMatch)+len(s.Lines)+len(s.NoLines)+len(s.LinesMatch)+len(s.NoLinesMatch) > 0 || s.Kept):
		return nil, fmt.Errorf("an entry that must not exist has nothing more to be said about")
	}
	if s.Approvals != nil {
		if r.approvals = *s.Approvals; r.approvals < 1 || r.approvals > most {
			return nil, fmt.Errorf("approvals is %d, not 1 to %d", r.approvals, most)
		}
	}
	tag, name, ok := strings.Cut(string(s.Entry), ":")
	if s.Entry == "" {
		tag, name, ok = "*", "*", true
	}
	if !ok || tag == "" || name == "" {
		return nil, fmt.Errorf("entry is %q, not TAG:NAME such as Path:/etc/motd", s.Entry)
	}
	r.tag, r.name = wildcard(tag), wildcard(name)
	r.hosts, r.except = wildcards(s.Hosts), wildcards(s.ExceptHosts)
	for _, at := range sortedKeys(s.AttributesMatch) {
		re, err := expression(s.AttributesMatch[at])
		if err != nil {
			return nil, fmt.Errorf("attributes_match of %s: %w", at, err)
		}
		r.attrs[at] = re
	}
	var err error
	if r.has, err = expressions(s.LinesMatch); err == nil {
		r.not, err = expressions(s.NoLinesMatch)
	}
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("it cannot be told from others: %w", err)
	}
	sum := sha256.Sum256(data)
	r.digest = hex.EncodeToString(sum[:])
	return r, nil
}

// wildcard compiles a name in which * is any text and ? any character.
func wildcard(pattern string) *regexp.Regexp {
	quoted := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile(`^(?s:` + quoted + `)$`)
}

func wildcards(patterns []text) []*regexp.Regexp {
	out := make([]*regexp.Regexp, len(patterns))
	for i, p := range patterns {
		out[i] = wildcard(string(p))
	}
	return out
}

func expression(pattern text) (*regexp.Regexp, error) {
	re, err := regexp.Compile(string(pattern))
	if err != nil {
		return nil, fmt.Errorf("%q is no regular expression: %w", pattern, err)
	}
	return re, nil
}

func expressions(patterns []text) ([]*regexp.Regexp, error) {
	out := make([]*regexp.Regexp, len(patterns))
	for i, p := range patterns {
		re, err := expression(p)
		if err != nil {
			return nil, err
		}
		out[i] = re
	}
	return out, nil
}

// about tells whether it is about a host that is in these groups.
func (r *rule) about(host string, groups []string) bool {
	in := func(patterns []*regexp.Regexp, names []text) bool {
		return slices.ContainsFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(host) }) ||
			slices.ContainsFunc(names, func(n text) bool { return slices.Contains(groups, string(n)) })
	}
	if in(r.except, r.ExceptGroups) {
		return false
	}
	return len(r.Hosts)+len(r.Groups) == 0 || in(r.hosts, r.Groups)
}

// names tells whether it is about an entry or a structure of that name.
func (r *rule) names(tag, name string) bool {
	return r.tag.MatchString(tag) && r.name.MatchString(name)
}

// counts tells whether a change is one of what the assertion is about. What a bundle
// holds belongs to the bundle.
func (r *rule) counts(ch config.Change) bool {
	if r.names(ch.Key.Tag, ch.Key.Name) {
		return true
	}
	in := func(b *config.Bundle) bool { return b != nil && r.names(b.Tag, b.Name()) }
	return in(ch.OldBundle) || in(ch.NewBundle)
}

// limit is a number of hosts, or a part of them.
type limit struct {
	N       int
	Percent bool
}

func (l limit) String() string {
	if l.Percent {
		return strconv.Itoa(l.N) + "%"
	}
	return strconv.Itoa(l.N)
}

// of gives the number for a fleet of that size.
func (l limit) of(total int) int {
	if l.Percent {
		return total * l.N / 100
	}
	return l.N
}

func parseLimit(s string) (limit, error) {
	number, percent := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || percent && n > 100 {
		return limit{}, fmt.Errorf("%q is neither a number of hosts nor a part of them such as 10%%", s)
	}
	return limit{n, percent}, nil
}
