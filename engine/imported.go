// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/bindery/bindery/engine/internal/xmltree"
)

// Probed is what Bcfg2's server knew of the probes of a host. It stands for the
// host's answers until it gives some.
type Probed struct {
	Groups  []string          `json:"groups,omitempty"`
	Answers map[string]string `json:"answers,omitempty"`
}

// ProbedHosts are hosts of Probes, by name.
type ProbedHosts map[string]*Probed

// Add notes a group or, with a probe's name, an answer.
func (h ProbedHosts) Add(host, group, probe, answer string) {
	host = strings.ToLower(host)
	p := h[host]
	if p == nil {
		p = &Probed{}
		h[host] = p
	}
	if probe == "" {
		p.Groups = append(p.Groups, group)
		return
	}
	if p.Answers == nil {
		p.Answers = map[string]string{}
	}
	p.Answers[probe] = answer
}

// External gives the hosts as data for Facts.External, by host.
func (h ProbedHosts) External() (map[string]string, error) {
	out := make(map[string]string, len(h))
	for host, p := range h {
		text, err := json.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("keep probes of %s: %w", host, err)
		}
		out[host] = string(text)
	}
	return out, nil
}

// ParseProbed reads Probes/probed.xml, or what Django's dumpdata writes of the tables
// that stand for it.
func ParseProbed(data []byte) (ProbedHosts, error) {
	if text := bytes.TrimSpace(data); bytes.HasPrefix(text, []byte("[")) {
		return parseDump(text)
	}
	root, p := xmltree.Parse("probed.xml", data)
	if p != nil {
		return nil, fmt.Errorf("read probed.xml: %w", p)
	}
	out := ProbedHosts{}
	for _, c := range root.Children {
		if !c.Is("Client") {
			continue
		}
		for _, e := range c.Children {
			switch {
			case e.Is("Group"):
				out.Add(c.Get("name"), e.Get("name"), "", "")
			case e.Is("Probe"):
				out.Add(c.Get("name"), "", e.Get("name"), e.Get("value"))
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("read probed.xml: no Client in it has a Probe or a Group")
	}
	return out, nil
}

func parseDump(data []byte) (ProbedHosts, error) {
	var rows []struct {
		Model  string `json:"model"`
		Fields struct {
			Hostname string `json:"hostname"`
			Probe    string `json:"probe"`
			Data     string `json:"data"`
			Group    string `json:"group"`
		} `json:"fields"`
	}
	if err := json.Unmarshal(data, &rows); err != nil {
		return nil, fmt.Errorf("read dump: %w", err)
	}
	out := ProbedHosts{}
	for _, r := range rows {
		switch model := strings.ToLower(r.Model); {
		case strings.HasSuffix(model, ".probesdatamodel"):
			out.Add(r.Fields.Hostname, "", r.Fields.Probe, r.Fields.Data)
		case strings.HasSuffix(model, ".probesgroupsmodel"):
			out.Add(r.Fields.Hostname, r.Fields.Group, "", "")
		}
	}
	if len(out) == 0 {
		return nil, errors.New("read dump: no row of ProbesDataModel or ProbesGroupsModel is in it")
	}
	return out, nil
}

// ParseExternal reads what was said of hosts, as JSON or YAML: a mapping of names of
// hosts. It gives JSON by host.
func ParseExternal(data []byte) (map[string]string, error) {
	text := data
	if !json.Valid(data) {
		var err error
		if text, err = yaml.YAMLToJSON(data); err != nil {
			return nil, errors.New("read data: it is neither JSON nor YAML")
		}
	}
	var hosts map[string]json.RawMessage
	if err := json.Unmarshal(text, &hosts); err != nil {
		return nil, errors.New("read data: it is no mapping of names of hosts")
	}
	out := make(map[string]string, len(hosts))
	for host, raw := range hosts {
		if c := bytes.TrimSpace(raw); c[0] != '{' && c[0] != '[' {
			return nil, fmt.Errorf("read data: what is said of %.80q is no mapping", host)
		}
		out[strings.ToLower(host)] = string(raw)
	}
	if len(out) == 0 {
		return nil, errors.New("read data: no host is in it")
	}
	return out, nil
}
