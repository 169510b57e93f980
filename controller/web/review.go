// SPDX-License-Identifier: Apache-2.0

package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"github.com/bindery/bindery/controller/status"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/review"
)

// maxChanges is how many changes a page shows; the JSON has all of them.
const maxChanges = 300

// report is what a page shows of a review. Its JSON is that of review.Report, in
// which nothing secret is left.
type report struct {
	Verdict  review.Verdict  `json:"verdict"`
	Totals   review.Totals   `json:"totals"`
	Impact   []review.Impact `json:"impact"`
	Errors   []cause         `json:"errors"`
	Known    []cause         `json:"known_errors"`
	Problems []trouble       `json:"problems"`
	Files    []string        `json:"conflicts"`
	Held     *review.Hosts   `json:"held"`
	Added    *review.Hosts   `json:"hosts_added"`
	Removed  *review.Hosts   `json:"hosts_removed"`
	Changes  []change        `json:"changes"`
}

type trouble struct {
	Pos  problem.Pos `json:"pos"`
	Msg  string      `json:"message"`
	Hint string      `json:"hint"`
}

// Error gives "file:line:column: message".
func (t trouble) Error() string { return problem.New(t.Pos, "", t.Msg, "").Error() }

type cause struct {
	Problem trouble  `json:"problem"`
	Entries []string `json:"entries"`
	review.Hosts
}

type change struct {
	Entry    config.Key  `json:"entry"`
	Kind     review.Kind `json:"kind"`
	Severity string      `json:"severity"`
	review.Hosts
	Secret   bool             `json:"secret"`
	Effects  []string         `json:"effects"`
	From     config.Source    `json:"from"`
	Variants []review.Variant `json:"variants"`
}

func (w *Web) review(out http.ResponseWriter, r *http.Request) {
	pull, err := strconv.Atoi(r.PathValue("pull"))
	if err != nil {
		w.fail(out, r, status.ErrNotFound)
		return
	}
	v, err := w.c.Journal.Review(r.Context(), pull)
	if err != nil {
		w.fail(out, r, err)
		return
	}
	data := struct {
		*status.Review
		What report
		More int
	}{Review: v}
	if v.Report != nil {
		if err := json.Unmarshal(v.Report, &data.What); err != nil {
			w.fail(out, r, fmt.Errorf("decode review of pull request %d: %w", pull, err))
			return
		}
	}
	if n := len(data.What.Changes); n > maxChanges {
		data.More, data.What.Changes = n-maxChanges, data.What.Changes[:maxChanges]
	}
	w.show(out, r, http.StatusOK, "review", view{Title: fmt.Sprintf("Pull request %d", pull), Here: "/reviews", Data: data})
}

// plain shows what would act instead of being seen, such as a mark that turns the
// direction of writing.
func plain(v any) string {
	if s, ok := v.(*string); ok {
		v = *s // a page asks only for what is there
	}
	return strings.Map(func(r rune) rune {
		if r != '\t' && r != '\n' && (unicode.Is(unicode.C, r) || unicode.In(r, unicode.Zl, unicode.Zp)) {
			return unicode.ReplacementChar
		}
		return r
	}, fmt.Sprint(v))
}
