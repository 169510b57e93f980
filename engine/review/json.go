// SPDX-License-Identifier: Apache-2.0

package review

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/bindery/bindery/engine/review/words"
)

// JSON writes the Report as it is typed here, in one stable form. Lists are
// never null, and nothing in it acts on a terminal.
func (r *Report) JSON() ([]byte, error) {
	out := *r
	if out.Hosts == nil {
		out.Hosts = []string{}
	}
	if out.Impact == nil {
		out.Impact = []Impact{}
	}
	if out.Errors == nil {
		out.Errors = []Cause{}
	}
	if out.Changes == nil {
		out.Changes = []Change{}
	}
	data, err := json.MarshalIndent(&out, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write report: %w", err)
	}
	return append(visible(data), '\n'), nil
}

// visible writes what would act on a terminal, such as marks that turn the direction of
// writing, as escapes: to programs they are the same. They stand in texts alone.
func visible(data []byte) []byte {
	acts := func(c rune) bool { return c != '\n' && words.Invisible(c) }
	if !bytes.ContainsFunc(data, acts) {
		return data
	}
	out := make([]byte, 0, len(data)+64)
	for _, c := range string(data) {
		switch {
		case !acts(c):
			out = utf8.AppendRune(out, c)
		case c > 0xFFFF:
			high, low := utf16.EncodeRune(c)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, c)
		}
	}
	return out
}

// ReadJSON reads what JSON wrote, but for the Set.
func ReadJSON(data []byte) (*Report, error) {
	r := new(Report)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	return r, nil
}

var severities = [...]string{"failure", "removal", "sensitive", "reboot", "restart", "reload", "content", "metadata", "order"}

// MarshalText gives the severity its name, so that the JSON needs no table.
func (s Severity) MarshalText() ([]byte, error) {
	if s < 0 || int(s) >= len(severities) {
		return nil, fmt.Errorf("severity %d is unknown", int(s))
	}
	return []byte(severities[s]), nil
}

// UnmarshalText reads the name of a severity.
func (s *Severity) UnmarshalText(name []byte) error {
	i := slices.Index(severities[:], string(name))
	if i < 0 {
		return fmt.Errorf("severity %q is unknown", name)
	}
	*s = Severity(i)
	return nil
}
