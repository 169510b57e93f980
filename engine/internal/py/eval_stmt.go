// SPDX-License-Identifier: Apache-2.0

package py

import (
	"strings"

	"go.starlark.net/starlark"
)

// signal is how a statement ended.
type signal uint8

const (
	proceed signal = iota
	broken
	continued
	returned
)

// sequence is several statements in the place of one.
type sequence []stmt

func (s sequence) exec(f *frame) (signal, error) { return f.run(s) }

// run executes statements until one does not just proceed.
func (f *frame) run(list []stmt) (signal, error) {
	for _, s := range list {
		if err := f.th.Step(1); err != nil {
			return proceed, err
		}
		sig, err := s.exec(f)
		if err != nil {
			if n, ok := s.(interface{ at() int }); ok {
				err = f.th.located(err, n.at())
			}
			return proceed, err
		}
		if sig != proceed {
			return sig, nil
		}
	}
	return proceed, nil
}

func (s *exprStmt) exec(f *frame) (signal, error) {
	_, err := f.evaluate(s.x)
	return proceed, err
}

func (s *assign) exec(f *frame) (signal, error) {
	v, err := f.evaluate(s.value)
	if err != nil {
		return proceed, err
	}
	for _, t := range s.targets {
		if err := f.assign(t, v); err != nil {
			return proceed, err
		}
	}
	return proceed, nil
}

// assign gives a target a value.
func (f *frame) assign(target expr, v Value) error {
	switch t := target.(type) {
	case *nameRef:
		f.set(t.name, v)
		return nil
	case *attrRef:
		x, err := f.evaluate(t.x)
		if err != nil {
			return err
		}
		return f.th.setAttr(x, t.name, v)
	case *itemRef:
		x, err := f.evaluate(t.x)
		if err != nil {
			return err
		}
		index, err := f.evaluate(t.index)
		if err != nil {
			return err
		}
		return f.th.setItem(x, index, v)
	case *tupleOf:
		return f.unpack(t.items, v)
	case *listOf:
		return f.unpack(t.items, v)
	}
	return Fail("SyntaxError", "cannot assign to this")
}

func (f *frame) unpack(targets []expr, v Value) error {
	items, err := f.th.list(v)
	if err != nil {
		return err
	}
	star := -1
	for i, t := range targets {
		if _, ok := t.(*starred); ok {
			star = i
		}
	}
	if star < 0 {
		if len(items) > len(targets) {
			return Fail("ValueError", "too many values to unpack")
		}
		if len(items) < len(targets) {
			return Fail("ValueError", "need more than %d values to unpack", len(items))
		}
	} else if len(items) < len(targets)-1 {
		return Fail("ValueError", "need more than %d values to unpack", len(items))
	}
	for i, t := range targets {
		s, ok := t.(*starred)
		if !ok {
			if err := f.assign(t, items[0]); err != nil {
				return err
			}
			items = items[1:]
			continue
		}
		n := len(items) - (len(targets) - i - 1)
		if err := f.assign(s.x, starlark.NewList(append([]Value{}, items[:n]...))); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

func (s *augment) exec(f *frame) (signal, error) {
	old, err := f.evaluate(s.target)
	if err != nil {
		return proceed, err
	}
	v, err := f.evaluate(s.value)
	if err != nil {
		return proceed, err
	}
	f.mark(s.at())
	out, err := f.th.augmented(s.op, old, v)
	if err != nil {
		return proceed, err
	}
	return proceed, f.assign(s.target, out)
}

func (s *ifStmt) exec(f *frame) (signal, error) {
	v, err := f.evaluate(s.cond)
	if err != nil {
		return proceed, err
	}
	ok, err := f.th.Truth(v)
	if err != nil {
		return proceed, err
	}
	if ok {
		return f.run(s.body)
	}
	return f.run(s.alt)
}

func (s *whileStmt) exec(f *frame) (signal, error) {
	for {
		v, err := f.evaluate(s.cond)
		if err != nil {
			return proceed, err
		}
		ok, err := f.th.Truth(v)
		if err != nil {
			return proceed, err
		}
		if !ok {
			return f.run(s.alt)
		}
		f.mark(s.at())
		sig, err := f.run(s.body)
		switch {
		case err != nil || sig == returned:
			return sig, err
		case sig == broken:
			return proceed, nil
		}
	}
}

func (s *forStmt) exec(f *frame) (signal, error) {
	over, err := f.evaluate(s.over)
	if err != nil {
		return proceed, err
	}
	end := proceed
	err = f.th.each(over, func(v Value) (bool, error) {
		if err := f.assign(s.target, v); err != nil {
			return false, err
		}
		f.mark(s.at())
		sig, err := f.run(s.body)
		if sig == broken || sig == returned {
			end = sig
			return false, err
		}
		return true, err
	})
	switch {
	case err != nil || end == returned:
		return end, err
	case end == broken:
		return proceed, nil
	}
	return f.run(s.alt)
}

func (s *returnStmt) exec(f *frame) (signal, error) {
	f.result = starlark.None
	if s.x != nil {
		v, err := f.evaluate(s.x)
		if err != nil {
			return proceed, err
		}
		f.result = v
	}
	return returned, nil
}

func (s *jump) exec(*frame) (signal, error) { return s.signal, nil }

func (s *delStmt) exec(f *frame) (signal, error) {
	for _, t := range s.targets {
		if err := f.delete(t); err != nil {
			return proceed, err
		}
	}
	return proceed, nil
}

func (f *frame) delete(target expr) error {
	switch t := target.(type) {
	case *nameRef:
		return f.remove(t.name)
	case *attrRef:
		x, err := f.evaluate(t.x)
		if err != nil {
			return err
		}
		if o, ok := x.(*Instance); ok {
			if _, ok := o.attrs[t.name]; ok {
				delete(o.attrs, t.name)
				return nil
			}
		}
		return Fail("AttributeError", "%s", t.name)
	case *itemRef:
		x, err := f.evaluate(t.x)
		if err != nil {
			return err
		}
		index, err := f.evaluate(t.index)
		if err != nil {
			return err
		}
		return f.th.delItem(x, index)
	case *tupleOf:
		for _, item := range t.items {
			if err := f.delete(item); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *assertStmt) exec(f *frame) (signal, error) {
	v, err := f.evaluate(s.cond)
	if err != nil {
		return proceed, err
	}
	ok, err := f.th.Truth(v)
	if err != nil || ok {
		return proceed, err
	}
	if s.msg == nil {
		return proceed, Fail("AssertionError", "")
	}
	msg, err := f.evaluate(s.msg)
	if err != nil {
		return proceed, err
	}
	text, err := f.th.Str(msg)
	if err != nil {
		return proceed, err
	}
	return proceed, Fail("AssertionError", "%s", text)
}

// exec of print evaluates what would be printed: nothing reads it.
func (s *printStmt) exec(f *frame) (signal, error) {
	_, err := f.all(s.items)
	return proceed, err
}

func (s *execStmt) exec(f *frame) (signal, error) {
	code, err := f.evaluate(s.code)
	if err != nil {
		return proceed, err
	}
	if s.globals != nil {
		names, err := f.evaluate(s.globals)
		if err != nil {
			return proceed, err
		}
		return proceed, f.th.inDict(names, func(scope Scope) error { return f.th.execute(code, scope) })
	}
	return proceed, f.th.execute(code, here{f})
}

// execute runs source code in a scope, as exec does.
func (th *Thread) execute(code Value, scope Scope) error {
	src, ok := code.(starlark.String)
	if !ok {
		return refused("give exec a text", "exec of %s", th.describe(code))
	}
	if from, ok := th.read[string(src)]; ok && th.world.Code != nil {
		// It is the text of a file: what goes wrong is in that file.
		if prog, file, err := th.world.Code(from); err == nil {
			return th.executeFile(prog, file, scope)
		}
	}
	prog, err := Parse(strings.ReplaceAll(string(src), "\r\n", "\n"), 1)
	if err != nil {
		return Fail("SyntaxError", "%v", err)
	}
	if err := th.enter(); err != nil {
		return err
	}
	defer th.inText()()
	return prog.Run(th, scope)
}

// executeFile runs the code of a file of the specification.
func (th *Thread) executeFile(p *Program, file string, scope Scope) error {
	if err := th.enter(); err != nil {
		return err
	}
	outer := th.file
	th.file = file
	defer func() { th.file, th.depth = outer, th.depth-1 }()
	return p.Run(th, scope)
}
