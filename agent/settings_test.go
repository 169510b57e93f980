// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
)

func TestSettings(t *testing.T) {
	s, err := agent.ParseSettings([]byte("url: https://bindery.example.org\nschedule: '@hourly'\nprobes:\n  timeout: 5s\n  max_output: 100\nfacts_wait: 1m\n"))
	require.NoError(t, err)
	require.Equal(t, agent.Settings{
		URL: "https://bindery.example.org", Schedule: "@hourly", FactsWait: time.Minute,
		Probes: agent.ProbeSettings{Timeout: 5 * time.Second, MaxOutput: 100},
	}, s)
	s, err = agent.ParseSettings(nil)
	require.NoError(t, err)
	require.Equal(t, agent.Settings{}, s)
	for _, bad := range []string{"urll: x", "probes: {time: 1s}", "url: a\nurl: b", "facts_wait: soon", "url: [", "- x"} {
		_, err := agent.ParseSettings([]byte(bad))
		require.Error(t, err, bad)
	}
	_, err = agent.ParseSettings([]byte("# mine\nschedule: 61 * * * *\n"))
	require.ErrorContains(t, err, "above maximum")
	require.ErrorContains(t, err, "2 | schedule: 61")
	_, err = agent.ParseSettings([]byte("timezone: Atlantis/Center\n"))
	require.ErrorContains(t, err, "1 | timezone: Atlantis/Center")
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte("url: x\nprobes: {timeout: 1s}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := agent.ParseSettings(data)
		if err != nil {
			require.Equal(t, agent.Settings{}, s)
		}
	})
}
