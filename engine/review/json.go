// SPDX-License-Identifier: Apache-2.0

package review

import (
	"encoding/json"
	"fmt"
)

// JSON writes the Report as it is typed here, in one stable form. Lists are
// never null.
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
	return append(data, '\n'), nil
}

// MarshalText gives the severity its name, so that the JSON needs no table.
func (s Severity) MarshalText() ([]byte, error) {
	names := [...]string{"failure", "removal", "sensitive", "restart", "reload", "content", "metadata"}
	if s < 0 || int(s) >= len(names) {
		return nil, fmt.Errorf("severity %d is unknown", int(s))
	}
	return []byte(names[s]), nil
}
