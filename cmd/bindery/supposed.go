// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/review"
)

// supposition is what is to be taken for true of one host, or of all: "".
type supposition struct {
	host         string
	join, leave  string
	probe, value string
}

// suppositions are all that --as-if and --set say.
type suppositions []supposition

var asIfForm = regexp.MustCompile(`^(?:([^:]+):)?group(\+=|-=)(\S+)$`)

// suppositions reads the flags. A host that they name must exist.
func (o *comparisonOptions) suppositions(hosts []string) (suppositions, error) {
	var out suppositions
	for _, text := range o.asIf {
		m := asIfForm.FindStringSubmatch(text)
		switch {
		case m == nil:
			return nil, fmt.Errorf("--as-if is HOST:group+=NAME or HOST:group-=NAME, not %q", text)
		case m[1] != "" && !slices.Contains(hosts, m[1]):
			return nil, fmt.Errorf("--as-if %s: there is no host %s", text, m[1])
		case m[2] == "+=":
			out = append(out, supposition{host: m[1], join: m[3]})
		default:
			out = append(out, supposition{host: m[1], leave: m[3]})
		}
	}
	for _, text := range o.set {
		probe, value, ok := strings.Cut(text, "=")
		if !ok || probe == "" {
			return nil, fmt.Errorf("--set is HOST:PROBE=VALUE, not %q", text)
		}
		s := supposition{probe: probe, value: value}
		// The key of a probe may hold a colon itself.
		if host, rest, ok := strings.Cut(probe, ":"); ok && slices.Contains(hosts, host) {
			s.host, s.probe = host, rest
		}
		out = append(out, s)
	}
	return out, nil
}

// apply changes what is known of a host.
func (s suppositions) apply(in *engine.Input) {
	for _, x := range s {
		switch {
		case x.host != "" && x.host != in.Host:
		case x.join != "":
			in.Join = append(in.Join, x.join)
		case x.leave != "":
			in.Leave = append(in.Leave, x.leave)
		default:
			probes := maps.Clone(in.Probes)
			if probes == nil {
				probes = map[string]string{}
			}
			probes[x.probe] = x.value
			in.Probes = probes
		}
	}
}

// keptOut tells whether hosts should have come into a group and none did.
func (x supposition) keptOut(hosts map[string]*review.Host) bool {
	out := false
	for name, h := range hosts {
		if x.host != "" && x.host != name || h.Head == nil || h.Head.Refused != nil {
			continue
		}
		if slices.Contains(h.Groups, x.join) {
			return false
		}
		out = true
	}
	return out
}

// tell names groups that Metadata does not name and that no host was in: they may be
// misspelt.
func (s suppositions) tell(notes io.Writer, named []string, hosts []review.Host) {
	for _, x := range s {
		g := cmp.Or(x.join, x.leave)
		in := func(h review.Host) bool { return slices.Contains(h.BaseGroups, g) }
		if g != "" && !slices.Contains(named, g) && !slices.ContainsFunc(hosts, in) {
			fmt.Fprintf(notes, "bindery: --as-if: no host is in the group %q, and Metadata/groups.xml does not name it\n", g)
		}
	}
}

// check tells of a probe that no host is asked, and of a group that no host comes into:
// they would change nothing, in silence.
func (s suppositions) check(asked map[string]bool, hosts map[string]*review.Host) error {
	for _, x := range s {
		if x.join != "" && x.keptOut(hosts) {
			return fmt.Errorf("--as-if: %s cannot come into the group %s so: another group of its category comes first; take that away with group-=", cmp.Or(x.host, "hosts"), x.join)
		}
		if x.probe != "" && !asked[x.probe] {
			return fmt.Errorf("--set %s: no host is asked that probe; hosts are asked: %s", x.probe, strings.Join(slices.Sorted(maps.Keys(asked)), ", "))
		}
	}
	return nil
}
