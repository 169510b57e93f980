// SPDX-License-Identifier: Apache-2.0

package rpm

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/bindery/bindery/agent/driver"
)

// learned is what a process hands to the next one.
type learned struct {
	Good  map[string]time.Time `json:"good"`
	Newer updates              `json:"newer"`
	// Groups and Hand are what dnf said of groups, and of what was asked for.
	Groups map[string]answer `json:"groups"`
	Hand   answer            `json:"hand"`
	// Lame are packages whose scripts failed.
	Lame map[string]string `json:"lame,omitempty"`
}

// Learn implements driver.Learner.
func (d *Driver) Learn(data []byte) {
	var l learned
	if json.Unmarshal(data, &l) != nil || l.Good == nil {
		return
	}
	d.good, d.newer, d.hand, d.news = l.Good, l.Newer, l.Hand, false
	if l.Groups != nil {
		d.groups = l.Groups
	}
	if l.Lame != nil {
		d.lame = l.Lame
	}
}

// Learned implements driver.Learner.
func (d *Driver) Learned() ([]byte, error) {
	if !d.news {
		return nil, nil
	}
	d.news = false
	now := d.c.Machine.Now()
	maps.DeleteFunc(d.good, func(_ string, at time.Time) bool { return now.Sub(at) > 24*d.c.AskEvery })
	maps.DeleteFunc(d.groups, func(name string, a answer) bool { return !d.fresh(a, name) })
	return json.Marshal(learned{Good: d.good, Newer: d.newer, Groups: d.groups, Hand: d.hand, Lame: d.lame})
}

var _ driver.Learner = (*Driver)(nil)
