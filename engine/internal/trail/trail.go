// SPDX-License-Identifier: Apache-2.0

// Package trail collects what led to one entry of one host, for people who ask
// why it is as it is. It must not know what any step means, nor change one: an
// entry that is explained is bound as every other.
package trail

import (
	"path"

	"github.com/bindery/bindery/engine/problem"
)

// Kind is what a step is about.
type Kind string

// Kinds of steps.
const (
	// Condition is a Group, Client or Path element around what was taken.
	Condition Kind = "condition"
	// Variant is one of several files for different hosts.
	Variant Kind = "variant"
	// Info is where owner, mode and the like come from.
	Info Kind = "info"
	// Rule is an element of a directory with priorities.
	Rule Kind = "rule"
	// Read is a file that was read on the way.
	Read Kind = "read"
)

// Step is one thing on the way to an entry.
type Step struct {
	Kind Kind
	Pos  problem.Pos
	// Text is the element or file as people know it; For says whom it is for.
	Text, For string
	// State of a Variant or a Rule: Chosen, Beaten or Other; empty for other kinds.
	State State
}

// State tells what became of one of several.
type State string

// States of variants and rules.
const (
	Chosen State = "chosen"
	// Beaten ones are for the host too, and less specific.
	Beaten State = "beaten"
	// Other ones are not for the host.
	Other State = "other"
)

// Trail is the steps so far. A nil Trail takes everything and keeps nothing. It is
// not safe for concurrent use.
type Trail struct {
	steps []Step
	seen  map[Step]bool
	dir   string
	// writing is that of the template that was rendered last.
	writing Writing
}

// New makes an empty Trail.
func New() *Trail { return &Trail{seen: map[Step]bool{}} }

// Add appends a step, once.
func (t *Trail) Add(s Step) {
	if t == nil || t.seen[s] {
		return
	}
	t.seen[s] = true
	t.steps = append(t.steps, s)
}

// Read notes that a file was read.
func (t *Trail) Read(file string) {
	if t != nil {
		t.Add(Step{Kind: Read, Pos: problem.Pos{File: file}})
	}
}

// In says which directory the names of variants are below, until the next call.
func (t *Trail) In(dir string) {
	if t != nil {
		t.dir = dir
	}
}

// Variant notes one of several files of the directory at hand.
func (t *Trail) Variant(file, whom string, state State) {
	if t != nil {
		t.Add(Step{Kind: Variant, Pos: problem.Pos{File: path.Join(t.dir, file)}, For: whom, State: state})
	}
}

// Steps are what was collected, in order.
func (t *Trail) Steps() []Step { return t.steps }

// Mark says where a run of a rendered text comes from.
type Mark struct {
	// Len is its length in bytes.
	Len  int
	File string
	Line int
}

// Writing is where the text comes from that one template writes. A nil Writing takes
// everything and keeps nothing.
type Writing struct{ marks []Mark }

// Wrote notes a piece of text, and the line of the template that wrote it.
func (w *Writing) Wrote(length int, file string, line int) {
	if w != nil {
		w.marks = append(w.marks, Mark{length, file, line})
	}
}

// Marked counts what was noted so far, for Cut.
func (w *Writing) Marked() int {
	if w == nil {
		return 0
	}
	return len(w.marks)
}

// Cut forgets what was noted since: that text became a value.
func (w *Writing) Cut(marked int) {
	if w != nil {
		w.marks = w.marks[:marked]
	}
}

// Writing begins the notes of a template that is going to be rendered; those of the
// one before it do not count any more.
func (t *Trail) Writing() *Writing {
	if t == nil {
		return nil
	}
	t.writing = Writing{}
	return &t.writing
}

// Marks say where the text comes from that was rendered last, in its order.
func (t *Trail) Marks() []Mark { return t.writing.marks }
