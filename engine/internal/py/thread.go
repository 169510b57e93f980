// SPDX-License-Identifier: Apache-2.0

package py

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/trail"
)

// Budgets of one evaluation. They are counted, never measured by the clock, so
// that whether one is exceeded does not depend on the machine.
const (
	maxSteps = 6_000_000
	maxBytes = 40 << 20
	maxDepth = 250
	// maxBits bounds a number.
	maxBits = 1 << 17
	// What things take, roughly: an item of a list with its value, an entry of a
	// dictionary or a set, an empty one, a generator that runs.
	slot  = 32
	entry = 128
	empty = 512
	stack = 4096
	// chunk is how much text is one step.
	chunk = 64
)

// Limit is a budget that an evaluation exceeded. Python code cannot catch it.
type Limit struct {
	Line int
	What string
}

func (e *Limit) Error() string { return e.What }

// Fatal is an error of what code reads that no code may catch: what it would do
// instead is not what was meant.
type Fatal struct{ Err error }

func (e *Fatal) Error() string { return e.Err.Error() }

// Unwrap gives the error itself.
func (e *Fatal) Unwrap() error { return e.Err }

// Raised is an exception of Python.
type Raised struct {
	Class string
	Msg   string
	// Value is the exception's object; nil for one that Go code raised.
	Value *Instance
	Line  int
	// File is set where the line is not one of the template itself.
	File string
	// Hint says what to do instead.
	Hint string
	// args are the arguments of the exception where they are not just Msg.
	args starlark.Tuple
}

func (e *Raised) Error() string {
	if e.Msg == "" {
		return e.Class
	}
	return e.Class + ": " + e.Msg
}

// Fail is an exception.
func Fail(class, format string, args ...any) error {
	return &Raised{Class: class, Msg: shortened(fmt.Sprintf(format, args...))}
}

// maxMessage bounds the text of an exception in bytes.
const maxMessage = 2000

// shortened cuts a message that quotes what is too long to be read.
func shortened(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + "…"
}

// refused is what exists in Python and not here.
func refused(hint, format string, args ...any) error {
	return &Raised{Class: "NotSupported", Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// Scope holds the names of a module or of a template.
type Scope interface {
	Get(name string) (Value, bool)
	Set(name string, v Value)
	Delete(name string) bool
}

// Names is a plain Scope.
type Names map[string]Value

// Get looks a name up.
func (n Names) Get(name string) (Value, bool) { v, ok := n[name]; return v, ok }

// Set gives a name a value.
func (n Names) Set(name string, v Value) { n[name] = v }

// Delete takes a name away.
func (n Names) Delete(name string) bool {
	_, ok := n[name]
	delete(n, name)
	return ok
}

// World is what code can see besides its names.
type World struct {
	// Read gives a file of the specification, by the path that code uses.
	Read func(path string) (string, error)
	// List gives the names in a directory, and whether it is one.
	List func(path string) ([]string, bool)
	// Resolve gives the addresses of a host, and the names of an address.
	Resolve func(name string) []string
	// Seed is what chance is derived from.
	Seed func() string
	// Code gives a module of the specification, and its name for problems.
	Code func(path string) (*Program, string, error)
	// Lib are folders in which modules are looked for before those of sys.path.
	Lib []string
	// Modules are further modules.
	Modules map[string]Value
	// Writing takes notes of what a template writes; nil where nobody asks.
	Writing *trail.Writing
}

// Thread is one evaluation. It is not safe for concurrent use.
type Thread struct {
	py      *Python
	world   *World
	steps   int
	bytes   int
	depth   int
	stops   []func()
	modules map[string]Value
	// path is sys.path, nil before it is used.
	path    *starlark.List
	file    string
	line    int
	handled []*Raised
	// read are the texts of files, with their paths.
	read map[string]string
	// growing are texts that code adds to.
	growing []*strings.Builder
	// interned are objects that were keys, by class and by what they hash to;
	// hashing is set while that is asked for.
	interned map[*Class]*starlark.Dict
	hashing  int
	// writing are the lists and dictionaries whose repr is being written.
	writing []Value
	// starlark is what methods of starlark's own values want.
	starlark starlark.Thread
}

// Line is the line that is being evaluated.
func (th *Thread) Line() int { return th.line }

// Writing takes notes of what a template writes.
func (th *Thread) Writing() *trail.Writing { return th.world.Writing }

// NewThread begins an evaluation. Close ends it.
func (p *Python) NewThread(w *World) *Thread {
	return &Thread{py: p, world: w, modules: map[string]Value{}}
}

// Close ends what iterators still run.
func (th *Thread) Close() {
	for _, stop := range th.stops {
		stop()
	}
	th.stops = nil
}

// Step counts work.
func (th *Thread) Step(n int) error {
	if th.steps += n; th.steps > maxSteps {
		return &Limit{th.line, "too many steps: the code runs too long, or without end"}
	}
	return nil
}

// Grow counts bytes of memory.
func (th *Thread) Grow(n int) error {
	if n < 0 || n > maxBytes || th.bytes+n > maxBytes {
		return &Limit{th.line, "too much memory: what the code makes is too large"}
	}
	th.bytes += n
	return nil
}

// enter counts a call.
func (th *Thread) enter() error {
	if th.depth++; th.depth > maxDepth {
		return &Limit{th.line, "calls nest too deep: a recursion without end"}
	}
	return nil
}

// frame is where names are looked up.
type frame struct {
	th    *Thread
	fn    *function
	vars  map[string]Value // nil at the top
	outer *frame
	scope Scope
	// lenient: x.y falls back to x["y"] and the other way round.
	lenient bool
	class   *Class // of the method
	result  Value
	yield   func(Value, error) bool
}

// mark notes the line that is being evaluated, for a budget that ends there. In the
// language's own modules that is still the line that called them.
func (f *frame) mark(l int) {
	if !strings.HasPrefix(f.th.file, library) {
		f.th.line = l
	}
}

func (f *frame) lookup(n string) (Value, error) {
	for fr := f; fr != nil; fr = fr.outer {
		if fr.vars == nil {
			continue
		}
		if v, ok := fr.vars[n]; ok {
			return v, nil
		}
		if fr.fn != nil && fr.fn.locals[n] {
			return nil, Fail("UnboundLocalError", "local variable '%s' referenced before assignment", n)
		}
	}
	if v, ok := f.scope.Get(n); ok {
		return v, nil
	}
	if v, ok := f.th.py.builtins[n]; ok {
		return v, nil
	}
	if f.lenient {
		return nil, Fail("UndefinedError", "\"%s\" not defined", n)
	}
	return nil, Fail("NameError", "name '%s' is not defined", n)
}

func (f *frame) set(n string, v Value) {
	if f.fn != nil {
		if f.fn.globals[n] {
			f.scope.Set(n, v)
			return
		}
		if f.fn.nonlocals[n] {
			for fr := f.outer; fr != nil; fr = fr.outer {
				if _, ok := fr.vars[n]; ok {
					fr.vars[n] = v
					return
				}
			}
		}
	}
	if f.vars == nil {
		f.scope.Set(n, v)
		return
	}
	f.vars[n] = v
}

func (f *frame) remove(n string) error {
	ok := false
	if f.vars == nil || f.fn != nil && f.fn.globals[n] {
		ok = f.scope.Delete(n)
	} else if _, ok = f.vars[n]; ok {
		delete(f.vars, n)
	}
	if !ok {
		return Fail("NameError", "name '%s' is not defined", n)
	}
	return nil
}

// located gives an error its line, where it has none yet.
func (th *Thread) located(err error, l int) error {
	var r *Raised
	var limit *Limit
	var fatal *Fatal
	switch {
	case errors.As(err, &fatal):
	case errors.As(err, &r):
		if r.Line == 0 && !strings.HasPrefix(th.file, library) {
			r.Line, r.File = l, th.file
		}
	case errors.As(err, &limit):
		if limit.Line == 0 {
			limit.Line = l
		}
	case errors.Is(err, errStopped):
	default:
		return th.located(&Raised{Class: classOf(err), Msg: err.Error()}, l)
	}
	return err
}

// classOf is the class of an error of starlark's.
func classOf(err error) string {
	switch msg := err.Error(); {
	case strings.Contains(msg, "division by zero"), strings.Contains(msg, "modulo by zero"):
		return "ZeroDivisionError"
	case strings.Contains(msg, "out of range"):
		return "IndexError"
	case strings.Contains(msg, "not found"):
		return "ValueError"
	}
	return "TypeError"
}

// Located gives an error its line, where it has none yet.
func (th *Thread) Located(err error, line int) error {
	if err == nil {
		return nil
	}
	return th.located(err, line)
}
