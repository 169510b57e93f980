// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Facts are what is known of a host besides the specification.
type Facts struct {
	// Probes are the host's answers, by config.Probe.Key. Nil: none yet.
	Probes map[string]string
	// External is what others know of the host, as JSON by plugin.
	External map[string]string
}

// keyExternal is the key of a host's facts that is no probe.
const keyExternal = "external"

// ParseFacts reads the facts of hosts from JSON:
//
//	{"host": {"probe": "output", "Ohai:Ohai": "output", "external": {"PuppetENC": {…}}}}
//
// An answer to a probe of another plugin than Probes has that plugin before its
// name. A host for which there is nothing but external data has not answered yet.
func ParseFacts(data []byte) (map[string]Facts, error) {
	var hosts map[string]map[string]json.RawMessage
	if err := json.Unmarshal(data, &hosts); err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	out := make(map[string]Facts, len(hosts))
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		f, err := parseHost(hosts[name])
		if err != nil {
			return nil, fmt.Errorf("read facts: host %s: %w", name, err)
		}
		out[name] = f
	}
	return out, nil
}

func parseHost(values map[string]json.RawMessage) (Facts, error) {
	var f Facts
	if raw, ok := values[keyExternal]; ok && raw[0] == '{' {
		var external map[string]json.RawMessage
		if err := json.Unmarshal(raw, &external); err != nil {
			return f, fmt.Errorf("%s: %w", keyExternal, err)
		}
		f.External = make(map[string]string, len(external))
		for plugin, text := range external {
			f.External[plugin] = string(text)
		}
		delete(values, keyExternal)
		if len(values) == 0 {
			return f, nil
		}
	}
	f.Probes = make(map[string]string, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		var answer string
		if err := json.Unmarshal(values[key], &answer); err != nil {
			return f, fmt.Errorf("the answer %q is no text", key)
		}
		f.Probes[key] = answer
	}
	return f, nil
}
