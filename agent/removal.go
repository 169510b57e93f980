// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

// Removal is what is taken away of what is on the host and in no configuration.
type Removal string

// The removals. Each is of what a driver lists as extra; nothing else is touched.
const (
	RemoveNothing  Removal = ""
	RemoveAll      Removal = "all"
	RemovePackages Removal = "packages"
	RemoveServices Removal = "services"
	RemoveUsers    Removal = "users"
)

// Validate refuses a word that is none.
func (r Removal) Validate() error {
	if !slices.Contains([]Removal{RemoveNothing, RemoveAll, RemovePackages, RemoveServices, RemoveUsers}, r) {
		return fmt.Errorf("removal %q is none of all, packages, services, users", r)
	}
	return nil
}

func (r Removal) covers(tag string) bool {
	switch r {
	case RemoveAll:
		return true
	case RemovePackages:
		return tag == "Package"
	case RemoveServices:
		return tag == "Service"
	case RemoveUsers:
		return tag == "POSIXUser" || tag == "POSIXGroup"
	}
	return false
}

// Surplus is something that is on the host and in no configuration.
type Surplus struct {
	driver.Surplus
	// Removed tells that the run took it away.
	Removed bool `json:"removed,omitempty"`
	// Failed tells that it should have gone, and Reason why it is still there.
	Failed bool   `json:"failed,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// goes says what goes before what: services before their packages, users before
// their groups.
func goes(tag string) int {
	return slices.Index([]string{"Service", "Package", "POSIXUser", "POSIXGroup"}, tag)
}

// tidyUp lists what nobody asks for, and takes it away if it should.
func (r *run) tidyUp(ctx context.Context, p *release.Policy) error {
	if err := r.phase(ctx, "extra", r.survey); err != nil {
		return err
	}
	if err := r.phase(ctx, "remove", func(ctx context.Context) error { return r.clear(ctx, p) }); err != nil {
		return err
	}
	if slices.ContainsFunc(r.surplus, func(s Surplus) bool { return s.Removed }) {
		return r.lookAgain(ctx) // what went may have taken along what is configured
	}
	return nil
}

// clear takes away what is asked for, after all else: what a package leaves behind
// is seen only then. Bounds count it together with what entries took away.
func (r *run) clear(ctx context.Context, p *release.Policy) error {
	var going []*Surplus
	for i := range r.surplus {
		s := &r.surplus[i]
		if !r.o.Remove.covers(s.Kind.Tag) || r.o.Choice.Partial() {
			continue
		}
		if s.Reason = r.o.Choice.Forbidden(s.Kind.Tag, s.Name); s.Reason != "" {
			continue
		}
		if _, ok := r.drivers[s.Kind].(driver.Remover); !ok {
			s.Failed, s.Reason = true, "left: its driver takes nothing away"
			continue
		}
		going = append(going, s)
	}
	if why := r.tooMuch(p, going); why != "" {
		for _, s := range going {
			s.Failed, s.Reason = true, why
		}
		return nil
	}
	slices.SortStableFunc(going, func(a, b *Surplus) int { return cmp.Compare(goes(a.Kind.Tag), goes(b.Kind.Tag)) })
	if r.record == nil {
		for _, s := range going {
			s.Reason = "would be taken away"
		}
		return nil
	}
	var group []*Surplus
	for i, s := range going {
		yes, err := r.asked(ctx, fmt.Sprintf("take away %s:%s", s.Kind.Tag, s.Name))
		if err != nil {
			return err
		}
		if yes {
			group = append(group, s)
		} else {
			s.Reason = "left: you said no"
		}
		if i+1 < len(going) && going[i+1].Kind == s.Kind {
			continue
		}
		if err := r.remove(ctx, group); err != nil {
			return err
		}
		group = nil
	}
	return nil
}

// remove takes things of one kind away, all written down before.
func (r *run) remove(ctx context.Context, group []*Surplus) error {
	if len(group) == 0 {
		return nil
	}
	d := r.drivers[group[0].Kind].(driver.Remover)
	what := make([]driver.Surplus, len(group))
	was := make([]driver.Standing, len(group))
	for i, s := range group {
		what[i], was[i] = s.Surplus, driver.Standing{Kind: s.Kind, Name: s.Name}
	}
	if err := r.writeAway(ctx, d, was); err != nil {
		for _, s := range group {
			s.Failed, s.Reason = true, "left: "+err.Error()
		}
		return nil
	}
	limited, cancel := r.limited(ctx, len(group))
	defer cancel()
	for i, err := range d.Remove(limited, what) {
		s := group[i]
		s.Removed = err == nil
		if err = late(ctx, limited, err); err != nil {
			s.Failed, s.Reason = true, err.Error()
		}
	}
	return ctx.Err()
}

// writeAway writes down how things stand that are about to go.
func (r *run) writeAway(ctx context.Context, d driver.Remover, was []driver.Standing) error {
	if t, ok := d.(driver.Touching); ok {
		if err := r.record.Watch(r.files, t.Touches()); err != nil {
			return err
		}
	}
	keeper, ok := d.(driver.Keeper)
	if !ok {
		return nil
	}
	things, err := keeper.Again(ctx, was)
	if err != nil {
		return fmt.Errorf("write down how it was: %w", err)
	}
	return r.record.Things(things, false)
}

// extra tells of what nobody asked for: as changed where it is gone.
func extra(all []Surplus, rep *release.Report) {
	for _, s := range all {
		item := release.Item{Key: config.Key{Tag: s.Kind.Tag, Type: s.Kind.Type, Name: s.Name}}
		if s.Removed {
			item.Reason = short("was not configured, and was taken away: " + s.What)
			rep.Modified = append(rep.Modified, item)
			continue
		}
		item.Reason = "not configured: " + s.What
		if s.Reason != "" {
			item.Reason += "; " + s.Reason
		}
		item.Reason = short(item.Reason)
		rep.Extra = append(rep.Extra, item)
	}
}
