// SPDX-License-Identifier: Apache-2.0

package parcel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/self"
)

// absent is written down of a package that is not installed; else its versions are.
const absent = "-"

// Standing implements driver.Keeper.
func (d *Driver) Standing(ctx context.Context, items []driver.Item) ([]driver.Standing, error) {
	var was []driver.Standing
	for _, item := range items {
		if w, err := d.read(item); err == nil {
			was = append(was, driver.Standing{Kind: driver.Kind{Tag: "Package", Type: d.c.Type}, Name: w.name})
		}
	}
	return d.Again(ctx, was)
}

// Again implements driver.Keeper.
func (d *Driver) Again(ctx context.Context, was []driver.Standing) ([]driver.Standing, error) {
	why, err := d.reach(ctx)
	if err != nil || why != "" {
		return nil, err
	}
	c := &call{Driver: d, ctx: ctx}
	if err := d.tool.installed(c); err != nil {
		return nil, err
	}
	out := slices.Clone(was)
	for i := range out {
		if out[i].State = strings.Join(c.have[out[i].Name], " "); out[i].State == "" {
			out[i].State = absent
		}
	}
	return out, nil
}

// Restore implements driver.Keeper: what came goes. What was there in another
// version stays, because nobody knows where that one came from.
func (d *Driver) Restore(ctx context.Context, p driver.Passage, r driver.Restoration) (out driver.Restored) {
	if r.Ending {
		return out
	}
	if !plainName.MatchString(p.Name) {
		out.Err = errors.New("not a name of a package")
		return out
	}
	now, err := d.Again(ctx, []driver.Standing{p.Standing})
	if err != nil || len(now) == 0 {
		out.Err = err
		return out
	}
	is := now[0].State
	switch {
	case is == p.State:
		return out
	case p.State == absent && self.Package(p.Name):
		out.Kept = append(out.Kept, p.Name+": "+self.ErrRemove.Error())
		return out
	case p.After != nil && is != *p.After && !r.Force:
		out.Kept = append(out.Kept, p.Name+": it was changed since, and is "+is)
		return out
	}
	c := &call{Driver: d, ctx: ctx}
	had := strings.Fields(p.State)
	for _, version := range had {
		if version != absent && !slices.Contains(strings.Fields(is), version) {
			out.Kept = append(out.Kept, fmt.Sprintf("%s: where its version %s came from is not known", p.Name, version))
			return out
		}
	}
	for _, version := range strings.Fields(is) {
		if slices.Contains(had, version) {
			continue
		}
		out.What = append(out.What, "remove "+p.Name+" "+version)
		if !r.Apply {
			continue
		}
		if d.tool.prepare != nil {
			if _, out.Err = d.tool.prepare(c); out.Err != nil {
				return out
			}
		}
		if out.Err = c.do(d.tool.remove(p.Name, version)); out.Err != nil {
			return out
		}
	}
	return out
}

var _ driver.Keeper = (*Driver)(nil)
