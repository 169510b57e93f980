// SPDX-License-Identifier: Apache-2.0

// Package page writes a report as one page of HTML that needs nothing else: it works
// without scripts, and with its own it searches and filters. All changes are there,
// whole. Foreign text is escaped and seen, never obeyed; the page forbids itself to
// load anything. The package must not know who serves it.
package page

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/words"
)

//go:embed static
var static embed.FS

// Pages writes reports. It is safe for concurrent use.
type Pages struct {
	templates     *template.Template
	style, script string
	policy        string
}

// New reads what the pages are made of.
func New() (*Pages, error) {
	p := &Pages{}
	for name, into := range map[string]*string{"static/report.css": &p.style, "static/report.js": &p.script} {
		data, err := static.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("report page: %w", err)
		}
		*into = string(data)
	}
	var err error
	p.templates, err = template.New("page.html").Funcs(functions()).ParseFS(static, "static/*.html")
	if err != nil {
		return nil, fmt.Errorf("report page: %w", err)
	}
	p.policy = "default-src 'none'; style-src " + sum(p.style) + "; script-src " + sum(p.script) +
		"; img-src data:; base-uri 'none'; form-action 'none'"
	return p, nil
}

// sum names an inline style or script in a policy.
func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(s[:]) + "'"
}

// Style is the style sheet of Fragment, Script what makes it searchable.
func (p *Pages) Style() string { return p.style }

// Script is optional for those who show a Fragment: the tools of the page appear with it.
func (p *Pages) Script() string { return p.script }

// Write writes the whole page.
func (p *Pages) Write(w io.Writer, r *review.Report) error {
	return p.execute(w, "page.html", struct {
		Policy string
		Style  template.CSS
		Script template.JS
		Report *view
	}{p.policy, template.CSS(p.style), template.JS(p.script), newView(r)})
}

// Fragment writes the report alone, for a page that has Style and Script itself.
func (p *Pages) Fragment(w io.Writer, r *review.Report) error {
	return p.execute(w, "report", newView(r))
}

func (p *Pages) execute(w io.Writer, name string, data any) error {
	b := bufio.NewWriterSize(w, 64<<10)
	if err := p.templates.ExecuteTemplate(b, name, data); err != nil {
		return fmt.Errorf("write report page: %w", err)
	}
	return b.Flush()
}

func functions() template.FuncMap {
	return template.FuncMap{
		"seen":   func(s string) string { return words.Visible(s, false) },
		"number": words.Number,
		"hosts":  func(n int) string { return words.Count(n, "host", "hosts") },
		"count":  words.Count,
		"verb":   words.Verb,
		"join":   func(list []string) string { return strings.Join(list, ", ") },
		"first":  func(n int, list []string) []string { return list[:min(n, len(list))] },
		"more":   func(n int, list []string) int { return max(len(list)-n, 0) },
	}
}
