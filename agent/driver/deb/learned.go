// SPDX-License-Identifier: Apache-2.0

package deb

import (
	"encoding/json"
	"maps"

	"github.com/bindery/bindery/agent/driver"
)

// learned is what a process hands to the next one.
type learned struct {
	Good   map[string]right `json:"good"`
	Policy memo             `json:"policy"`
}

// Learn implements driver.Learner.
func (d *Driver) Learn(data []byte) {
	var l learned
	if json.Unmarshal(data, &l) != nil || l.Good == nil {
		return
	}
	d.good, d.policies, d.news = l.Good, l.Policy, false
}

// Learned implements driver.Learner.
func (d *Driver) Learned() ([]byte, error) {
	if !d.news {
		return nil, nil
	}
	d.news = false
	now := d.c.Machine.Now()
	maps.DeleteFunc(d.good, func(_ string, was right) bool { return now.Sub(was.At) > 24*d.c.VerifyEvery })
	return json.Marshal(learned{Good: d.good, Policy: d.policies})
}

var _ driver.Learner = (*Driver)(nil)
