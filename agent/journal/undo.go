// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"syscall"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
)

// Past is what one run and all after it did, as one change from how it was before
// to how they left it.
type Past struct {
	journal *Journal
	ids     []int64
	steps   []Step
	// Things are what no file shows.
	Things []driver.Passage
	// Notes are what cannot be taken back.
	Notes []string
	// Damage is what the journal has lost: what it tells of is not taken back.
	Damage []string
	// Runs are those that are taken back, oldest first.
	Runs []Summary
}

// Since reads a run and those after it.
func (j *Journal) Since(id int64) (*Past, error) {
	runs, err := j.Runs()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(runs, func(s Summary) bool { return s.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("%w: %d", ErrNoRun, id)
	}
	p := &Past{journal: j, Runs: runs[i:]}
	f := folding{steps: map[Text]*Step{}, things: map[thing]*driver.Passage{}}
	for _, r := range p.Runs {
		p.ids = append(p.ids, r.ID)
		records, lost, err := j.records(r.ID)
		if err != nil {
			return nil, err
		}
		if lost > 0 {
			p.Damage = append(p.Damage, fmt.Sprintf("the journal is damaged: of %d of the changes of run %d nobody knows what they were", lost, r.ID))
		}
		for _, rec := range records {
			for _, s := range rec.Steps {
				f.step(s)
			}
			for _, t := range rec.Things {
				f.thing(t)
			}
			if rec.Note != "" {
				p.Notes = append(p.Notes, rec.Note)
			}
		}
		if r.End != nil {
			f.end(r.End)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.steps)) {
		s := f.steps[name]
		s.timeless()
		p.steps = append(p.steps, *s)
	}
	for _, k := range f.order {
		p.Things = append(p.Things, *f.things[k])
	}
	return p, nil
}

// folding makes one change of many.
type folding struct {
	steps  map[Text]*Step
	things map[thing]*driver.Passage
	order  []thing
}

// step adds a change: the first before and the last after count.
func (f *folding) step(s Step) {
	was := f.steps[s.Name]
	s.dated = s.After.Partial && s.After.Modified != nil
	if was == nil {
		s.place = len(f.steps)
		f.steps[s.Name] = &s
		return
	}
	was.dated = was.dated || s.dated
	found := s.Before
	if found.Partial && !was.After.Partial {
		found = overlay(was.After, s.Before)
	}
	was.seen = append(was.seen, found)
	if was.Before.Partial {
		partly := s.Before.Partial
		was.Before = overlay(s.Before, was.Before)
		was.Before.Partial = partly
	} else if s.Before.Partial {
		// What the older record had no reason to name: it was not there.
		for name, value := range s.Before.Extended {
			if _, named := was.Before.Extended[name]; !named && value == nil {
				was.Before.Extended = with(was.Before.Extended, name, nil)
			}
		}
	}
	if s.After.Partial {
		partly := was.After.Partial
		was.After = overlay(was.After, s.After)
		was.After.Partial = partly
	} else {
		was.After = s.After
	}
}

// timeless forgets times that no run set: what is brought back is new, or who looks at
// times would not see that it is another one. Of a directory the time is that of what
// came and went in it, and is nobody's change.
func (s *Step) timeless() {
	if !s.dated {
		s.Before.Modified = nil
	}
	if !s.dated || s.After.Kind == system.Directory {
		s.After.Modified = nil
	}
	for i := range s.seen {
		if !s.dated || s.seen[i].Kind == system.Directory {
			s.seen[i].Modified = nil
		}
	}
}

func with(m map[string][]byte, name string, value []byte) map[string][]byte {
	out := maps.Clone(m)
	if out == nil {
		out = map[string][]byte{}
	}
	out[name] = value
	return out
}

// overlay is a node with the attributes that another one names.
func overlay(n, attributes Node) Node {
	for _, a := range []struct{ into, from *int }{{&n.Mode, &attributes.Mode}, {&n.UID, &attributes.UID}, {&n.GID, &attributes.GID}} {
		if *a.from != system.Keep {
			*a.into = *a.from
		}
	}
	if attributes.Modified != nil {
		n.Modified = attributes.Modified
	}
	for name, value := range attributes.Extended {
		n.Extended = with(n.Extended, name, value)
	}
	return n
}

func (f *folding) thing(s driver.Standing) {
	k := thing{s.Kind, s.Name}
	if f.things[k] == nil {
		f.things[k] = &driver.Passage{Standing: s}
		f.order = append(f.order, k)
	}
	// Until the run says how it left it, nobody knows.
	f.things[k].After = nil
}

func (f *folding) end(e *End) {
	for _, s := range e.After {
		if p := f.things[thing{s.Kind, s.Name}]; p != nil {
			after := s.State
			p.After = &after
		}
	}
	for _, s := range e.Steps {
		if was := f.steps[s.Name]; was != nil {
			was.After = s.After
		}
	}
}

// Move is one path that an undo brings back, or why it does not.
type Move struct {
	Name string `json:"name"`
	// What is "restore", "remove", "attributes" or "keep".
	What string `json:"what"`
	Why  string `json:"why,omitempty"`
	Err  error  `json:"-"`
	// Unkept is why what stood there is not in the journal, so that an undo of the undo
	// does not bring it back.
	Unkept error `json:"-"`

	before, now Node
	// place is when the path was changed first; lead is the path that this one was
	// another name of, nil for none.
	place int
	lead  *Move
	// at is what stands there, by no name: attributes are brought back of that alone.
	at system.Info
	// ours tells that the runs left it so, and nobody changed it since.
	ours bool
}

// change makes a change of the move. What a run left and nobody changed since is no loss:
// where the journal has no room for it, or the disk, it goes all the same. A host that its
// own release has filled must not keep that for want of room.
func (m *Move) change(f *Files, c system.Change) error {
	err := f.Change(c)
	var unkept *unkeptError
	if !m.ours || !errors.As(err, &unkept) || !full(err) {
		return err
	}
	m.Unkept = unkept
	return f.Files.Change(c)
}

func full(err error) bool {
	return errors.Is(err, ErrFull) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// What a Move does.
const (
	Restore    = "restore"
	Remove     = "remove"
	Attributes = "attributes"
	Kept       = "keep"
)

// Moves compares how paths stand now with how they were and how they were left.
// What somebody changed since is kept, unless it is forced. What is as it was needs
// no move.
func (p *Past) Moves(f *Files, force bool) []Move {
	var out []Move
	for _, s := range p.steps {
		if m := p.move(f, s, force); m != nil {
			out = append(out, *m)
		}
	}
	return out
}

// join finds the moves that bring back names of one file. The one that was changed
// first leads: what was done to it before others, was done to all of them.
func join(moves []*Move) {
	leads := map[string]*Move{}
	for _, again := range []bool{false, true} {
		for _, m := range moves {
			if m.What != Restore || m.before.Kind != system.File || m.before.File == "" {
				continue
			}
			k := m.before.File + m.before.Sum
			switch lead := leads[k]; {
			case !again && (lead == nil || m.place < lead.place):
				leads[k] = m
			case again && lead != m:
				m.lead = lead
			}
		}
	}
}

// Together lets files that speak of each other come back all or not at all: where one
// is kept, those that would have come back are kept for it, with copies NAME- of them.
func Together(moves []Move, names []string) {
	why := ""
	for _, m := range moves {
		if m.What == Kept && slices.Contains(names, m.Name) {
			why = "it goes with " + m.Name + ", which is kept: " + m.Why
			break
		}
	}
	if why == "" {
		return
	}
	for i := range moves {
		if m := &moves[i]; m.What != Kept && slices.Contains(names, strings.TrimSuffix(m.Name, "-")) {
			m.What, m.Why = Kept, why
		}
	}
}

func (p *Past) move(f *Files, s Step, force bool) *Move {
	m := &Move{Name: string(s.Name), before: s.Before, place: s.place}
	info, err := f.Look(m.Name)
	m.at = info
	switch {
	case errors.Is(err, fs.ErrNotExist):
		m.now, err = none(), nil
	case errors.Is(err, system.ErrUntrusted), err == nil && info.Protected:
		m.What, m.Why = Kept, "it is out of reach: "+reason(err)
		return m
	case err != nil:
	case s.Before.Partial && s.After.Partial:
		m.now = partial(info)
		m.now.Extended, err = f.attributes(m.Name, kept()...)
	default:
		m.now, err = f.describe(nil, m.Name, info)
	}
	if err != nil {
		// Who moves one path about must not keep the others from coming back.
		m.What, m.Why = Kept, "it cannot be looked at: "+err.Error()
		return m
	}
	if alike(m.now, s.Before) {
		return nil
	}
	m.ours = s.ours(m.now)
	switch {
	case s.Before.Kind == system.Other:
		m.What, m.Why = Kept, "what was there was a "+string(system.Other)
	case !force && !m.ours:
		m.What, m.Why = Kept, "it was changed since"
	case s.Before.Kind == "":
		m.What = Remove
	case same(m.now, s.Before) || s.Before.Partial:
		m.What = Attributes
		if s.Before.Partial && m.now.Kind != s.Before.Kind {
			m.What, m.Why = Kept, "something else stands there now"
		}
	default:
		m.What = Restore
	}
	return m
}

// same tells whether one thing can become another one by its attributes alone. A file
// of another owner is made anew: with the rights that one gave, it would be neither's
// in between.
func same(now, before Node) bool {
	return now.Kind == before.Kind && now.Sum == before.Sum && now.Target == before.Target &&
		now.Major == before.Major && now.Minor == before.Minor &&
		(now.Kind != system.File || before.UID == system.Keep || now.UID == before.UID)
}

// ours tells whether the runs themselves left a path as it is. A change that was
// written down and then failed, or was never made because the run was killed, left it
// as it was before.
func (s *Step) ours(now Node) bool {
	return s.After.Unknown || alike(now, s.After) || slices.ContainsFunc(s.seen, func(n Node) bool { return alike(now, n) })
}

func reason(err error) string {
	if err == nil {
		return system.ErrProtected.Error()
	}
	return system.ErrUntrusted.Error()
}

// alike tells whether a path stands as a node says, as far as it says it.
func alike(now, n Node) bool {
	if now.Kind != n.Kind {
		return false
	}
	if n.Kind == "" {
		return true
	}
	if !n.Partial && (now.Sum != n.Sum || now.Target != n.Target || now.Major != n.Major || now.Minor != n.Minor) {
		return false
	}
	for _, a := range [][2]int{{n.Mode, now.Mode}, {n.UID, now.UID}, {n.GID, now.GID}} {
		if a[0] != system.Keep && a[1] != system.Keep && a[0] != a[1] {
			return false
		}
	}
	if n.Modified != nil && now.Modified != nil && *n.Modified != *now.Modified {
		return false
	}
	for name, value := range n.Extended {
		if string(now.Extended[name]) != string(value) {
			return false
		}
	}
	return true
}

func depth(name string) int { return strings.Count(name, "/") }
