// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/mattn/go-isatty"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/driver"
)

// fewLines is how many entries that nobody looked at for the same reason have a
// line each.
const fewLines = 2

// sameReason gathers the entries that nobody looked at, by why: a host has hundreds
// of packages, and what its driver lacks is one message.
func sameReason(lines []agent.Line) map[string][]string {
	out := map[string][]string{}
	for i := range lines {
		if l := &lines[i]; l.State == driver.NotVerified && len(l.Extra) == 0 {
			out[l.Reason] = append(out[l.Reason], l.Key.Name)
		}
	}
	return out
}

// some names the first few.
func some(names []string) string {
	const most = 6
	rest := ""
	if len(names) > most {
		rest = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	return printable(strings.Join(names, ", ")) + rest
}

// printable quotes what would disturb a terminal or the line.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// result is the JSON form of a run: the report, and the entries.
type result struct {
	*agent.Result
	FetchError string `json:"fetch_error,omitempty"`
}

func jsonResult(r *agent.Result) result {
	out := result{Result: r}
	if r.Fetch != nil {
		out.FetchError = r.Fetch.Error()
	}
	return out
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// busy shows on a terminal that something is going on, from the first second on,
// until the function that it returns is called.
func busy(w io.Writer, what string) (done func()) {
	f, ok := w.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return func() {}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-stop:
				if n > 1 {
					fmt.Fprint(f, "\r\x1b[K")
				}
				return
			case <-tick.C:
				fmt.Fprintf(f, "\r%s … %d s", what, n)
			}
		}
	}()
	return func() { close(stop); <-stopped }
}
