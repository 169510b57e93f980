// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
)

// Node is how a path stands. Mode, UID and GID are system.Keep where they do not
// matter.
type Node struct {
	// Kind is "" where nothing is.
	Kind system.Kind `json:"kind,omitempty"`
	Mode int         `json:"mode"`
	UID  int         `json:"uid"`
	GID  int         `json:"gid"`
	// Sum names the content of a file.
	Sum    string `json:"sum,omitempty"`
	Target Text   `json:"target,omitempty"`
	// File names a file whatever its names are: paths that had the same one were names
	// of one file. It is no reason to change anything by itself.
	File  string `json:"file,omitempty"`
	Major uint32 `json:"major,omitempty"`
	Minor uint32 `json:"minor,omitempty"`
	// Extended are extended attributes; one that is nil is not there.
	Extended map[string][]byte `json:"extended,omitempty"`
	// Modified is when the content last changed, in nanoseconds since 1970, nil where
	// that does not matter or nobody knows.
	Modified *int64 `json:"modified,omitempty"`
	// Partial tells that only attributes count, not what the thing holds.
	Partial bool `json:"partial,omitempty"`
	// Unknown tells that a tool changes the path, and nobody knows how yet.
	Unknown bool `json:"unknown,omitempty"`
}

// Step is one path before and after one change.
type Step struct {
	Name   Text `json:"name"`
	Before Node `json:"before"`
	After  Node `json:"after"`

	// seen are all states that the journal knows the path in; place is its place among
	// the paths by their first change; dated tells that a run set its time.
	seen  []Node
	place int
	dated bool
}

// Record is what is written before one change.
type Record struct {
	Steps  []Step            `json:"steps,omitempty"`
	Things []driver.Standing `json:"things,omitempty"`
	// Note is something that cannot be taken back.
	Note string `json:"note,omitempty"`
}

// Run is one run being written down.
type Run struct {
	journal *Journal
	head    Head
	// number is what the run is called before it changes something.
	number int64
	opened bool
	killed bool
	first  func(id int64) error
	next   int
	bytes  int64
	sums   map[string]bool
	// kept are the contents of the change at hand, and tree tells that it is of a tree.
	kept []string
	tree bool
	// watched are files that tools change, things what drivers told of.
	watched []string
	things  map[thing]bool
	// later are records that count only if something is changed.
	later []Record
}

type thing struct {
	kind driver.Kind
	name string
}

// First is called before the first change, with the run's number. While it fails,
// nothing is changed.
func (r *Run) First(do func(id int64) error) { r.first = do }

// ID is the run's number, 0 while it has changed nothing.
func (r *Run) ID() int64 { return r.head.ID }

// write makes a record durable.
func (r *Run) write(rec Record) error {
	if err := r.ensure(); err != nil {
		return err
	}
	data, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("encode journal: %w", err)
	}
	if err := r.reserve(int64(len(data)), maxRecord); err != nil {
		return err
	}
	if err := r.journal.c.State.Write(fmt.Sprintf("%s/%06d.json", runDir(r.head.ID), r.next), data); err != nil {
		return err
	}
	r.next++
	return nil
}

func (r *Run) ensure() error {
	if r.opened {
		return nil
	}
	err := r.journal.open(&r.head, r.number)
	if err == nil && r.first != nil {
		err = r.first(r.head.ID)
	}
	if err != nil {
		// What did not begin counts as no run: with each change that is tried it would take
		// the place of an older one that can be taken back.
		err = errors.Join(err, r.journal.c.State.Remove(runDir(r.head.ID)))
		r.head.ID = 0
		return err
	}
	r.opened = true
	later := r.later
	r.later = nil
	for _, rec := range later {
		if err := r.write(rec); err != nil {
			return err
		}
	}
	return nil
}

// Mark keeps the run even if it changes nothing.
func (r *Run) Mark() error { return r.ensure() }

// Note writes down that something happens that cannot be taken back. Alone it is
// no reason to keep the run.
func (r *Run) Note(text string) error { return r.written(Record{Note: text}, true) }

// Things writes down how things stand that are no files, each once in a run. With
// lightly they alone are no reason to keep the run.
func (r *Run) Things(all []driver.Standing, lightly bool) error {
	var rec Record
	for _, s := range all {
		if k := (thing{s.Kind, s.Name}); !r.things[k] {
			if r.things == nil {
				r.things = map[thing]bool{}
			}
			r.things[k] = true
			rec.Things = append(rec.Things, s)
		}
	}
	if len(rec.Things) == 0 {
		return nil
	}
	return r.written(rec, lightly)
}

func (r *Run) written(rec Record, lightly bool) error {
	if lightly && !r.opened {
		r.later = append(r.later, rec)
		return nil
	}
	return r.write(rec)
}

// Watch writes down files that tools are about to change, each once in a run.
func (r *Run) Watch(f *Files, names []string) error {
	var rec Record
	for _, name := range names {
		if slices.Contains(r.watched, name) {
			continue
		}
		before, err := f.node(r, name)
		if err != nil {
			return err
		}
		rec.Steps = append(rec.Steps, Step{Name: Text(name), Before: before, After: Node{Unknown: true, Mode: system.Keep, UID: system.Keep, GID: system.Keep}})
	}
	if len(rec.Steps) == 0 {
		return nil
	}
	if err := r.write(rec); err != nil {
		return err
	}
	for _, step := range rec.Steps {
		r.watched = append(r.watched, string(step.Name))
	}
	return nil
}

// Things lists how the things stood that a run wrote down.
func (j *Journal) Things(id int64) ([]driver.Standing, error) {
	records, _, err := j.records(id)
	var out []driver.Standing
	for _, rec := range records {
		out = append(out, rec.Things...)
	}
	return out, err
}

// Unfinished is the newest run where it was killed, nil where it ended. It can be
// ended now.
func (j *Journal) Unfinished() (*Run, error) {
	ids, err := j.ids()
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	s, err := j.ended(ids[len(ids)-1])
	if err != nil || s.End != nil {
		return nil, err
	}
	r := &Run{journal: j, head: s.Head, opened: true, killed: true}
	records, _, err := j.records(s.ID)
	for _, rec := range records {
		for _, step := range rec.Steps {
			if step.After.Unknown {
				r.watched = append(r.watched, string(step.Name))
			}
		}
	}
	return r, err
}

// End writes down how the run ended. A run that changed nothing leaves nothing.
func (r *Run) End(f *Files, after []driver.Standing) error {
	if !r.opened {
		return nil
	}
	e := End{Finished: r.journal.c.Now().UTC(), After: after, Killed: r.killed}
	for _, name := range r.watched {
		now, err := f.node(nil, name)
		if err != nil {
			return err
		}
		e.Steps = append(e.Steps, Step{Name: Text(name), After: now})
	}
	if err := r.journal.c.State.Save(runDir(r.head.ID)+"/"+fileEnd, e); err != nil {
		return err
	}
	return r.journal.trim(r.head.Undoes)
}
