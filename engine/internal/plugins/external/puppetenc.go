// SPDX-License-Identifier: Apache-2.0

package external

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

// enc is Puppet's external node classifiers, as they were recorded. It is safe for
// concurrent use.
type enc struct {
	// scripts: the directory has programs, so that every host should have a record.
	scripts bool
}

var _ plugin.Connector = (*enc)(nil)

func newENC(env plugin.Env) *enc { return &enc{scripts: len(plugin.Walk(env, "PuppetENC")) > 0} }

// output is what one classifier prints. What else it prints, such as the
// environment, means nothing here.
type output struct {
	Classes    json.RawMessage `json:"classes"`
	Groups     json.RawMessage `json:"groups"`
	Parameters json.RawMessage `json:"parameters"`
}

// Name is the plugin's name.
func (*enc) Name() string { return "PuppetENC" }

// Groups gives the classes that are recorded, and attaches the parameters. A host
// without a record is refused: without its groups it would be another one.
func (e *enc) Groups(h *host.Host) ([]host.Grant, *problem.Problem) {
	text, ok := h.External["PuppetENC"]
	if !ok {
		if !e.scripts {
			return nil, nil
		}
		return nil, problem.New(problem.Pos{File: "PuppetENC"}, "external-data-missing",
			"the programs in PuppetENC are never run, and what they say of "+h.Name+" is not recorded", recordHint("PuppetENC"))
	}
	groups, params, err := classify(text)
	if err != nil {
		return nil, unusable("PuppetENC", h)
	}
	h.Attach("PuppetENC", params)
	return groups, nil
}

// classify reads what one classifier said, or several in the order of their names.
func classify(text string) (groups []host.Grant, params string, err error) {
	list := []output{{}}
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		err = decode(text, &list)
	} else {
		err = decode(text, &list[0])
	}
	if err != nil {
		return nil, "", err
	}
	all := map[string]json.RawMessage{}
	for _, o := range list {
		classes := o.Classes
		if classes == nil {
			classes = o.Groups
		}
		if err := o.add(&groups, classes, all); err != nil {
			return nil, "", err
		}
	}
	data, err := json.Marshal(all) // sorts the names
	return groups, string(data), err
}

// add takes a list of classes, or classes with their parameters, and the other
// parameters, of which later ones win.
func (o *output) add(groups *[]host.Grant, classes json.RawMessage, params map[string]json.RawMessage) error {
	switch {
	case empty(classes):
	case classes[0] == '[':
		var names []string
		if err := json.Unmarshal(classes, &names); err != nil {
			return fmt.Errorf("read classes: %w", err)
		}
		for _, n := range names {
			*groups = append(*groups, host.Grant{Group: n})
		}
	default:
		var named map[string]json.RawMessage
		if err := json.Unmarshal(classes, &named); err != nil {
			return fmt.Errorf("read classes: %w", err)
		}
		names := make([]string, 0, len(named))
		for n := range named {
			names = append(names, n)
		}
		slices.Sort(names)
		for _, n := range names {
			*groups = append(*groups, host.Grant{Group: n})
			if err := merge(params, named[n]); err != nil {
				return err
			}
		}
	}
	return merge(params, o.Parameters)
}

func merge(params map[string]json.RawMessage, more json.RawMessage) error {
	if empty(more) {
		return nil
	}
	if err := json.Unmarshal(more, &params); err != nil {
		return fmt.Errorf("read parameters: %w", err)
	}
	return nil
}

func empty(m json.RawMessage) bool { return len(m) == 0 || bytes.Equal(m, []byte("null")) }
