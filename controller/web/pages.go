// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/controller/status"
)

// rows is how many reviews and events a page shows.
const rows = 200

// tile is one state on the front page.
type tile struct {
	State status.State
	N     int
}

func (w *Web) front(out http.ResponseWriter, r *http.Request) {
	here := r.URL.Query().Get("environment")
	o, err := w.c.Status.Overview(r.Context(), here)
	if err != nil {
		w.fail(out, r, err)
		return
	}
	var tiles []tile
	for _, s := range status.States() {
		tiles = append(tiles, tile{s, o.States[s]})
	}
	// What is well comes first to the eye.
	slices.Reverse(tiles)
	w.show(out, r, http.StatusOK, "front", view{Title: "Fleet", Here: "/", Data: struct {
		*status.Overview
		Tiles       []tile
		Environment string
	}{o, tiles, here}})
}

// hosts lists all hosts or those of one state, what presses most first.
func (w *Web) hosts(out http.ResponseWriter, r *http.Request) {
	here := r.URL.Query().Get("environment")
	all, err := w.c.Status.Hosts(r.Context(), here)
	if err != nil {
		w.fail(out, r, err)
		return
	}
	order := status.States()
	only := status.State(r.URL.Query().Get("state"))
	if !slices.Contains(order, only) {
		only = ""
	}
	shown := slices.DeleteFunc(slices.Clone(all), func(h status.Host) bool { return only != "" && h.State != only })
	slices.SortStableFunc(shown, func(a, b status.Host) int {
		return cmp.Compare(slices.Index(order, a.State), slices.Index(order, b.State))
	})
	w.show(out, r, http.StatusOK, "hosts", view{Title: "Hosts", Here: "/hosts", Data: struct {
		Hosts       []status.Host
		All         int
		Only        status.State
		States      []status.State
		Environment string
	}{shown, len(all), only, order, here}})
}

func (w *Web) host(out http.ResponseWriter, r *http.Request) {
	d, err := w.c.Status.Host(r.Context(), r.PathValue("name"))
	if err != nil {
		w.fail(out, r, err)
		return
	}
	w.show(out, r, http.StatusOK, "host", view{Title: d.Name, Here: "/hosts", Data: d})
}

func (w *Web) releases(out http.ResponseWriter, r *http.Request) {
	all, err := w.c.Status.Releases(r.Context(), r.URL.Query().Get("environment"))
	if err != nil {
		w.fail(out, r, err)
		return
	}
	w.show(out, r, http.StatusOK, "releases", view{Title: "Releases", Here: "/releases", Data: all})
}

func (w *Web) reviews(out http.ResponseWriter, r *http.Request) {
	all, err := w.c.Journal.Reviews(r.Context(), r.URL.Query().Get("environment"), rows, false)
	if err != nil {
		w.fail(out, r, err)
		return
	}
	w.show(out, r, http.StatusOK, "reviews", view{Title: "Reviews", Here: "/reviews", Data: all})
}

func (w *Web) events(out http.ResponseWriter, r *http.Request) {
	all, err := w.c.Journal.Events(r.Context(), rows)
	if err != nil {
		w.fail(out, r, err)
		return
	}
	w.show(out, r, http.StatusOK, "events", view{Title: "Audit", Here: "/audit", Data: all})
}

func (w *Web) functions() template.FuncMap {
	return template.FuncMap{
		"ago":   func(t time.Time) string { return ago(w.c.Now().Sub(t)) },
		"iso":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"clock": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"short": short,
		"words": words,
		"tone":  tone,
		"count": count,
		"first": func(n int, list []string) []string { return list[:min(n, len(list))] },
		"more":  func(n int, list []string) int { return max(len(list)-n, 0) },
	}
}

// ago says how long something is past, in the largest fitting unit.
func ago(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if n := int(d / u.unit); n > 0 {
			return count(n, u.name) + " ago"
		}
	}
	return "just now"
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// short is enough of a commit or a digest to know it again.
func short(id string) string { return id[:min(len(id), 10)] }

// words makes a state of ours readable.
func words(v any) string {
	if v == status.StateWaiting {
		return "waiting for facts"
	}
	return strings.ReplaceAll(fmt.Sprint(v), "-", " ")
}

// tone says how a word is coloured: good, busy or bad. The word itself is always
// shown too.
func tone(v any) string {
	switch fmt.Sprint(v) {
	case "applied", "clean", "changed", "published", "success", "unchanged", "host-enrolled", "host-moved":
		return "good"
	case "failed", "rolled-back", "dirty", "refused", "error", "failure", "token-reused", "stale", "invalid", "conflict", "unapproved":
		return "bad"
	}
	return "busy"
}
