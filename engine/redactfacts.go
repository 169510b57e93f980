// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/host"
)

// FormatFacts writes facts in the form that ParseFacts reads. A host that has not
// answered and of which nothing is known is left out.
func FormatFacts(hosts map[string]Facts) ([]byte, error) {
	out := map[string]map[string]json.RawMessage{}
	for name, f := range hosts {
		if f.Probes == nil && len(f.External) == 0 {
			continue
		}
		values := map[string]json.RawMessage{}
		for probe, answer := range f.Probes {
			text, err := json.Marshal(answer)
			if err != nil {
				return nil, fmt.Errorf("write facts of %s: %w", name, err)
			}
			values[probe] = text
		}
		if len(f.External) > 0 {
			external := map[string]json.RawMessage{}
			for plugin, data := range f.External {
				external[plugin] = json.RawMessage(data)
			}
			text, err := json.Marshal(external)
			if err != nil {
				return nil, fmt.Errorf("write facts of %s: %w", name, err)
			}
			values[keyExternal] = text
		}
		out[name] = values
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("write facts: %w", err)
	}
	return data, nil
}

// RedactFacts replaces what hosts answered, and what others know of them, by keyed
// fingerprints: equal values stay equal, and nobody without the key can guess them.
// Groups stay: lines that begin with "group:", and the names of groups and classes.
func RedactFacts(hosts map[string]Facts, key []byte) (map[string]Facts, error) {
	r := redaction{key}
	out := make(map[string]Facts, len(hosts))
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		f := Facts{External: map[string]string{}}
		if hosts[name].Probes != nil {
			f.Probes = map[string]string{}
		}
		for probe, answer := range hosts[name].Probes {
			f.Probes[probe] = r.answer(answer)
		}
		for plugin, data := range hosts[name].External {
			d := json.NewDecoder(strings.NewReader(data))
			d.UseNumber()
			var v any
			if err := d.Decode(&v); err != nil {
				return nil, fmt.Errorf("redact what %s knows of %s: it is no JSON", plugin, name)
			}
			text, err := json.Marshal(r.value(v, false))
			if err != nil {
				return nil, fmt.Errorf("redact what %s knows of %s: %w", plugin, name, err)
			}
			f.External[plugin] = string(text)
		}
		out[name] = f
	}
	return out, nil
}

type redaction struct{ key []byte }

func (r redaction) fingerprint(s string) string {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte("bindery fact\x00"))
	mac.Write([]byte(s))
	return "redacted-" + hex.EncodeToString(mac.Sum(nil)[:8])
}

func (r redaction) answer(s string) string {
	groups, data := host.SplitAnswer(s)
	var b bytes.Buffer
	for _, g := range groups {
		b.WriteString("group:" + g + "\n")
	}
	if strings.TrimSpace(data) != "" {
		b.WriteString(r.fingerprint(data) + "\n")
	}
	return b.String()
}

// value redacts what is inside; names are shown where they are those of groups.
func (r redaction) value(v any, names bool) any {
	switch v := v.(type) {
	case string:
		if names {
			return v
		}
		return r.answer(v)
	case json.Number:
		return r.fingerprint(v.String())
	case []any:
		for i := range v {
			v[i] = r.value(v[i], names)
		}
	case map[string]any:
		for k := range v {
			_, list := v[k].([]any)
			v[k] = r.value(v[k], list && (k == "groups" || k == "classes"))
		}
	}
	return v
}
