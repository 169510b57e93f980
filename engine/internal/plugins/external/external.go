// SPDX-License-Identifier: Apache-2.0

// Package external is the plugins of Bcfg2 that tell of a host what others know:
// Ohai, PuppetENC, Ldap and AWSTags. What those said is recorded beside the
// specification; nothing here asks anyone. It must not know how it was recorded.
package external

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

// Names are the plugins that New makes.
var Names = []string{"AWSTags", "Ldap", "Ohai", "PuppetENC"}

// New makes one of the plugins; nil for a name that is not among Names.
func New(env plugin.Env, name string) plugin.Connector {
	switch name {
	case "AWSTags":
		return newTags(env)
	case "Ldap":
		return ldap{}
	case "Ohai":
		return newOhai(env)
	case "PuppetENC":
		return newENC(env)
	}
	return nil
}

// recordHint says how what is missing comes in.
func recordHint(source string) string {
	return fmt.Sprintf("record it: bindery facts import --source %s FILE", source)
}

// object tells whether a text is one JSON object.
func object(text string) error {
	var v map[string]any
	return decode(text, &v)
}

// decode reads one JSON document, and nothing behind it.
func decode(text string, v any) error {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("there is more behind the document")
	}
	return nil
}

// unusable is a record that cannot be read. What it says is not shown.
func unusable(source string, h *host.Host) *problem.Problem {
	return problem.New(problem.Pos{File: source}, "external-data-unusable",
		fmt.Sprintf("what is recorded of %s for %s is not the JSON that it should be", source, h.Name), recordHint(source))
}

// missing is a record that is not there.
func missing(source, what string) *problem.Problem {
	return problem.Warn(problem.Pos{File: source}, "external-data-missing",
		fmt.Sprintf("nothing is recorded of %s: %s", source, what), recordHint(source))
}

// ldap is what queries of Ldap/config.py gave, by the name of the query.
type ldap struct{}

// Name is the plugin's name.
func (ldap) Name() string { return "Ldap" }

// Groups gives none, and attaches the data.
func (ldap) Groups(h *host.Host) ([]host.Grant, *problem.Problem) {
	text, ok := h.External["Ldap"]
	switch {
	case !ok:
		return nil, missing("Ldap", "templates see no results of its queries")
	case object(text) != nil:
		return nil, unusable("Ldap", h)
	}
	h.Attach("Ldap", text)
	return nil, nil
}
