// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/bindery/bindery/controller/status"
	"github.com/bindery/bindery/engine/review"
)

func (w *Web) review(out http.ResponseWriter, r *http.Request) {
	// The path is that of the repository, and the number.
	path := r.PathValue("pull")
	cut := strings.LastIndexByte(path, '/')
	pull, err := strconv.Atoi(path[cut+1:])
	if err != nil || cut < 0 {
		w.fail(out, r, status.ErrNotFound)
		return
	}
	v, err := w.c.Journal.Review(r.Context(), path[:cut], pull)
	if err != nil {
		w.fail(out, r, err)
		return
	}
	data := struct {
		*status.Review
		What template.HTML
	}{Review: v}
	if v.Report != nil {
		what, err := review.ReadJSON(v.Report)
		if err != nil {
			w.fail(out, r, fmt.Errorf("review of pull request %d: %w", pull, err))
			return
		}
		var b strings.Builder
		if err := w.reports.Fragment(&b, what); err != nil {
			w.fail(out, r, err)
			return
		}
		data.What = template.HTML(b.String()) // escaped where it was made
	}
	w.show(out, r, http.StatusOK, "review", view{Title: fmt.Sprintf("Pull request %d", pull), Here: "/reviews", Data: data})
}
