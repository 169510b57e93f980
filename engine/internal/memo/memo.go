// SPDX-License-Identifier: Apache-2.0

// Package memo remembers what was computed for a host together with what was
// asked about the host to compute it. The next host that answers the same
// questions alike gets the same value, without computing: so an entry that binds
// alike on nine thousand hosts is bound once, and there is nothing to invalidate.
//
// A computation asks through a View. It must be a pure function of the answers;
// what it reads besides must be the same for all hosts of one specification. What
// only one host can have, because its own name counted, is not remembered: ten
// thousand of each would fill the memory, and nobody asks twice.
package memo

import (
	"slices"
	"sync"

	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/trail"
)

// kind is what a question is about.
type kind uint8

const (
	inGroup kind = iota
	isHost
	hostName
	among
	profile
	groupList
	inNamed
	record
	probe
	probeList
	attached
	version
	category
)

// question is one thing to know about a host. Which number or text counts
// depends on the kind.
type question struct {
	kind kind
	id   int
	text string
	set  *Names
}

// Names is a set of host names that a question can be about: it tells those few
// hosts apart and treats all others alike. Compare by identity.
type Names struct{ index map[string]string }

// NewNames makes a set of host names.
func NewNames(names []string) *Names {
	n := &Names{index: make(map[string]string, len(names))}
	for _, s := range names {
		n.index[s] = s
	}
	return n
}

// View is how a computation sees a host. It is not safe for concurrent use.
type View struct {
	h *host.Host
	// record is off in the outermost View, which no value depends on.
	record bool
	trace  []step
	// asked holds the groups in trace: most questions are about groups, and long
	// traces must not be searched for them.
	asked  []uint64
	others []int
	// own: what is computed is for this host alone.
	own bool
	// uses are the parts of the specification that the value is made of.
	uses []*Part
	// mine are the host's own values, as long as it is being computed.
	mine *mine
	// trail is set where somebody asks why.
	trail *trail.Trail
	// tainted: a secret was read. above is the View whose computation this one
	// belongs to, where it is about another host.
	tainted bool
	above   *View
}

type step struct {
	q question
	a string
}

// held is a value, whether a secret was read to compute it, and what it is made of.
type held[T any] struct {
	value   T
	tainted bool
	uses    []*Part
}

// give hands a value out to the computation of v.
func (h held[T]) give(v *View) T {
	if h.tainted {
		v.Taint()
	}
	v.Use(h.uses...)
	return h.value
}

// mine holds what is computed for one host alone, by the tree that would hold it.
type mine struct {
	values map[any]any
	// free is room for what is asked, of computations whose questions nobody needs.
	free []room
}

type room struct {
	trace  []step
	asked  []uint64
	others []int
}

// recycle takes a View's room for questions back.
func (m *mine) recycle(v *View) {
	if v.trail == nil {
		clear(v.asked)
		m.free = append(m.free, room{v.trace[:0], v.asked[:0], v.others[:0]})
		v.trace, v.asked, v.others = nil, nil, nil
	}
}

func (m *mine) add(tree, v any) {
	if m.values == nil {
		m.values = map[any]any{}
	}
	m.values[tree] = v
}

// NewView makes a View of a host.
func NewView(h *host.Host) *View { return &View{h: h, mine: &mine{}} }

// Inner is a View of the same host for one computation that has to know what it
// depends on.
func (v *View) Inner() *View {
	inner := &View{h: v.h, record: true, mine: v.mine, trail: v.trail}
	if n := len(v.mine.free) - 1; n >= 0 {
		r := v.mine.free[n]
		inner.trace, inner.asked, inner.others = r.trace, r.asked, r.others
		v.mine.free = v.mine.free[:n]
	}
	return inner
}

// Use says that what is being computed is made of parts of the specification.
func (v *View) Use(parts ...*Part) {
	if v == nil || !v.record {
		return
	}
	for _, p := range parts {
		if p != nil && !slices.Contains(v.uses, p) {
			v.uses = append(v.uses, p)
		}
	}
}

// Alone says that a value that is for this host alone was used.
func (v *View) Alone() { v.own = v.own || v.record }

// NewExplained makes a View whose computations are all done anew, and leave on the
// trail what led to their values.
func NewExplained(h *host.Host, t *trail.Trail) *View {
	return &View{h: h, record: true, trail: t, mine: &mine{}}
}

// Trail takes notes where somebody asks why; it is nil otherwise, which takes them
// as well.
func (v *View) Trail() *trail.Trail { return v.trail }

// Aside is a View of the same host, of which nobody learns what it was asked.
func (v *View) Aside() *View { return NewView(v.h) }

const yes, no = "y", "n"

func answer(b bool) string {
	if b {
		return yes
	}
	return no
}

func (v *View) know(q *question) string {
	switch q.kind {
	case inGroup:
		return answer(v.h.Groups.Has(q.id))
	case isHost:
		return answer(v.h.Name == q.text)
	case among:
		return q.set.index[v.h.Name]
	case version:
		if v.h.Client == nil {
			return ""
		}
		return v.h.Client.Version
	case category:
		return v.h.Categories[q.text]
	case hostName:
		return v.h.Name
	default:
		return v.tell(q)
	}
}

// ask answers a question and remembers that it was asked.
func (v *View) ask(q question) string {
	a := v.know(&q)
	if !v.record {
		return a
	}
	v.own = v.own || alone(&q, a)
	// What is not remembered needs no questions, but for those who ask why.
	if (!v.own || v.trail != nil) && !v.seen(&q) {
		v.trace = append(v.trace, step{q, a})
	}
	return a
}

// alone tells whether only one host can answer so.
func alone(q *question, a string) bool {
	switch q.kind {
	case hostName:
		return true
	case isHost:
		return a == yes
	case among:
		return a != ""
	}
	return false
}

// Own tells whether what is being computed is for this host alone.
func (v *View) Own() bool { return v.own }

// Particular tells whether something was asked that each host may answer in its own
// way: about probe data, records, all groups.
func (v *View) Particular() bool {
	return slices.ContainsFunc(v.others, func(i int) bool {
		switch v.trace[i].q.kind {
		case groupList, record, probe, probeList, attached:
			return true
		}
		return false
	})
}

// seen tells whether a question is in the trace, and notes that it will be.
func (v *View) seen(q *question) bool {
	if q.kind == inGroup {
		for q.id>>6 >= len(v.asked) {
			v.asked = append(v.asked, 0)
		}
		bit := uint64(1) << (q.id & 63)
		was := v.asked[q.id>>6]&bit != 0
		v.asked[q.id>>6] |= bit
		return was
	}
	for _, i := range v.others {
		if v.trace[i].q == *q {
			return true
		}
	}
	v.others = append(v.others, len(v.trace))
	return false
}

// InGroup tells whether the host is in the group of that number.
func (v *View) InGroup(id int) bool { return v.ask(question{kind: inGroup, id: id}) == yes }

// Is tells whether the host has that name.
func (v *View) Is(name string) bool { return v.ask(question{kind: isHost, text: name}) == yes }

// Name returns the host's name. What asks for it is computed for every host.
func (v *View) Name() string { return v.ask(question{kind: hostName}) }

// Among returns the host's name if it is one of names, else "".
func (v *View) Among(names *Names) string { return v.ask(question{kind: among, set: names}) }

// Category returns the host's group in a category, "" where it is in none.
func (v *View) Category(name string) string { return v.ask(question{kind: category, text: name}) }

// Version returns the version of Bcfg2's client that clients.xml records, "" for none.
func (v *View) Version() string { return v.ask(question{kind: version}) }

// Host returns everything that is known about the host. What asks for it is
// computed for every host.
func (v *View) Host() *host.Host {
	v.Name()
	return v.h
}

// Tree remembers the values of one computation as a decision tree over the
// questions that it asked. It is safe for concurrent use.
type Tree[T any] struct {
	mu   sync.RWMutex
	root *node[T]
}

// node first expects a run of questions with certain answers, then either holds
// a value or branches on one more question.
type node[T any] struct {
	run      []step
	branch   *question
	children map[string]*node[T]
	value    held[T]
}

// Get returns the value for the host of v, computing it unless a host with the
// same answers came before, or none can. What the value depends on is recorded in
// v, so that computations may be nested.
func (t *Tree[T]) Get(v *View, compute func(*View) T) (value T) {
	if v.trail != nil {
		v.Apart(func() { value = compute(v) })
		return value
	}
	if leaf := t.find(v); leaf != nil {
		return leaf.value.give(v)
	}
	if own, ok := v.mine.values[t]; ok {
		v.Alone()
		return own.(held[T]).give(v)
	}
	inner := v.Inner()
	got := held[T]{value: compute(inner)}
	got.tainted, got.uses = inner.tainted, inner.uses
	if inner.own {
		v.mine.recycle(inner)
		v.Alone()
		v.mine.add(t, got)
		return got.give(v)
	}
	if v.record {
		for i := range inner.trace {
			v.ask(inner.trace[i].q)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.insert(fitting(inner.trace), got).give(v)
}

// fitting gives a trace that is to be kept no more room than it needs.
func fitting(trace []step) []step {
	if cap(trace)-len(trace) > len(trace)/4 {
		return slices.Clip(slices.Clone(trace))
	}
	return trace
}

// find walks down to the leaf for the host of v, nil if there is none yet.
func (t *Tree[T]) find(v *View) *node[T] {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var leaf *node[T]
	for n := t.root; n != nil; n = n.children[v.know(n.branch)] {
		if !n.expects(v) {
			return nil
		}
		if n.branch == nil {
			leaf = n
			break
		}
	}
	if leaf == nil || !v.record || v.own {
		return leaf
	}
	// Only now is it known that the value depends on these questions.
	for n := t.root; ; n = n.children[v.ask(*n.branch)] {
		for i := range n.run {
			v.ask(n.run[i].q)
		}
		if n.branch == nil {
			return leaf
		}
	}
}

func (n *node[T]) expects(v *View) bool {
	for i := range n.run {
		if v.know(&n.run[i].q) != n.run[i].a {
			return false
		}
	}
	return true
}

// insert adds a value under its trace. If another goroutine was faster, its value
// stays, so that all hosts share one.
func (t *Tree[T]) insert(trace []step, value held[T]) held[T] {
	var kept held[T]
	t.root, kept = t.root.with(trace, value)
	return kept
}

// with returns the tree below n with one more value, and the value that counts.
func (n *node[T]) with(trace []step, value held[T]) (*node[T], held[T]) {
	if n == nil {
		return &node[T]{run: trace, value: value}, value
	}
	i := 0
	for i < len(n.run) && i < len(trace) && n.run[i] == trace[i] {
		i++
	}
	switch {
	case i < len(n.run) && i < len(trace):
		return split(n, i, trace, value), value
	case n.branch == nil && i == len(n.run):
		return n, n.value
	case i == len(trace):
		// Only a computation that is not pure ends before it did last time.
		return n, value
	}
	next := trace[i]
	child, kept := n.children[next.a].with(trace[i+1:], value)
	n.children[next.a] = child
	return n, kept
}

// split cuts the run of n at i, where the answers part.
func split[T any](n *node[T], i int, trace []step, value held[T]) *node[T] {
	q := n.run[i].q
	old := &node[T]{run: n.run[i+1:], branch: n.branch, children: n.children, value: n.value}
	return &node[T]{run: n.run[:i], branch: &q, children: map[string]*node[T]{
		n.run[i].a: old,
		trace[i].a: {run: trace[i+1:], value: value},
	}}
}
