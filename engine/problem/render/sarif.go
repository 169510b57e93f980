// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"io"
	"net/url"
	"slices"

	"github.com/bindery/bindery/engine/problem"
)

// Tool is what SARIF says about who found the problems.
type Tool struct {
	Name, Version string
	// Rules are what codes mean; a code without one is listed by its name alone.
	Rules map[string]string
	// Prefix is the folder of the specification within the repository, with a slash.
	Prefix string
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifRule struct {
	ID    string     `json:"id"`
	Short *sarifText `json:"shortDescription,omitempty"`
}

type sarifRegion struct {
	StartLine   int        `json:"startLine"`
	StartColumn int        `json:"startColumn,omitempty"`
	Snippet     *sarifText `json:"snippet,omitempty"`
}

type sarifArtifact struct {
	URI  string `json:"uri"`
	Base string `json:"uriBaseId"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifLocation struct {
	Physical sarifPhysical `json:"physicalLocation"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	RuleIndex int             `json:"ruleIndex"`
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations,omitempty"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version,omitempty"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRun struct {
	Tool struct {
		Driver sarifDriver `json:"driver"`
	} `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

// SARIF writes a log of version 2.1.0, which code scanning of forges reads.
func SARIF(w io.Writer, problems []*problem.Problem, tool Tool, source Source) error {
	var codes []string
	for _, p := range problems {
		codes = append(codes, p.Code)
	}
	slices.Sort(codes)
	codes = slices.Compact(codes)
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: tool.Name, Version: tool.Version, Rules: []sarifRule{}}
	for _, c := range codes {
		rule := sarifRule{ID: c}
		if doc := tool.Rules[c]; doc != "" {
			rule.Short = &sarifText{doc}
		}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
	}
	for _, p := range problems {
		index, _ := slices.BinarySearchFunc(codes, p.Code, cmp.Compare[string])
		run.Results = append(run.Results, result(p, index, tool.Prefix, source))
	}
	return encode(w, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

func result(p *problem.Problem, index int, prefix string, source Source) sarifResult {
	r := sarifResult{RuleID: p.Code, RuleIndex: index, Level: "error", Message: sarifText{printable(p.Msg)}}
	if p.Severity == problem.Warning {
		r.Level = "warning"
	}
	if p.Hint != "" {
		r.Message.Text += " (" + printable(p.Hint) + ")"
	}
	if p.Pos.File == "" {
		return r
	}
	uri := url.URL{Path: prefix + p.Pos.File}
	where := sarifPhysical{Artifact: sarifArtifact{URI: uri.String(), Base: "%SRCROOT%"}}
	if p.Pos.Line > 0 {
		where.Region = &sarifRegion{StartLine: p.Pos.Line, StartColumn: p.Pos.Column}
		if source != nil {
			if line, _, ok := source(p.Pos); ok {
				where.Region.Snippet = &sarifText{clip(line)}
			}
		}
	}
	r.Locations = []sarifLocation{{where}}
	return r
}
