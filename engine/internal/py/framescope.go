// SPDX-License-Identifier: Apache-2.0

package py

import (
	"strings"

	"go.starlark.net/starlark"
)

// here is the names of a place in code, for code that exec or eval run there.
type here struct{ f *frame }

func (h here) Get(n string) (Value, bool) {
	v, err := h.f.lookup(n)
	return v, err == nil
}

func (h here) Set(n string, v Value) { h.f.set(n, v) }

func (h here) Delete(n string) bool { return h.f.remove(n) == nil }

// inText says that what runs is no file: its lines mean nothing, and an error is
// one of the line that runs it. The function that it gives ends that, and the call.
func (th *Thread) inText() func() {
	file := th.file
	th.file = library + "text"
	return func() {
		th.file = file
		th.depth--
	}
}

// dynamic runs exec, execfile and eval without names of their own, which see
// those of the place where they are called; ok is false for any other call.
func (f *frame) dynamic(fn Value, args starlark.Tuple) (v Value, ok bool, err error) {
	b, isBuiltin := fn.(*Builtin)
	if !isBuiltin || len(args) != 1 {
		return nil, false, nil
	}
	src, isText := native(args[0]).(starlark.String)
	if !isText {
		return nil, false, nil
	}
	switch b.name {
	case "execfile":
		s, err := f.th.readPath(string(src))
		if err != nil {
			return nil, true, err
		}
		return starlark.None, true, f.th.execute(starlark.String(s), here{f})
	case "exec":
		return starlark.None, true, f.th.execute(src, here{f})
	case "eval":
		e, err := ParseExpression(strings.TrimSpace(string(src)), 1)
		if err != nil {
			return nil, true, Fail("SyntaxError", "%v", err)
		}
		if err := f.th.enter(); err != nil {
			return nil, true, err
		}
		defer f.th.inText()()
		v, err := f.evaluate(e.x)
		return v, true, err
	}
	return nil, false, nil
}
