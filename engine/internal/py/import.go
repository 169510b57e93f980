// SPDX-License-Identifier: Apache-2.0

package py

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// importModule gives the outermost module of a dotted name, with all of it loaded,
// and the innermost.
func (th *Thread) importModule(n string) (outer, inner Value, err error) {
	parts := strings.Split(n, ".")
	if outer, err = th.load(parts[0], nil); err != nil {
		return nil, nil, err
	}
	inner = outer
	for i, part := range parts[1:] {
		if inner, err = th.member(inner, part, strings.Join(parts[:i+2], ".")); err != nil {
			return nil, nil, err
		}
	}
	return outer, inner, nil
}

// member gives a name of a module, or the module of that name in the package.
func (th *Thread) member(m Value, part, full string) (Value, error) {
	pkg, ok := m.(*Namespace)
	if !ok || pkg.dir == "" {
		v, err := th.Attr(m, part)
		if err != nil {
			return nil, Fail("ImportError", "No module named %s", full)
		}
		return v, nil
	}
	if v, ok := pkg.attrs[part]; ok {
		return v, nil
	}
	v, err := th.load(full, []string{pkg.dir})
	if err == nil {
		pkg.attrs[part] = v
	}
	return v, err
}

// load imports a module: of the language, of the template's world, or, found in
// dirs, a file of the specification.
func (th *Thread) load(n string, dirs []string) (Value, error) {
	if m, ok := th.modules[n]; ok {
		return m, nil
	}
	if dirs == nil {
		if m, err := th.known(n); m != nil || err != nil {
			return m, err
		}
		dirs = th.world.Lib
		if th.path != nil {
			for _, v := range elements(th.path) {
				if s, ok := v.(starlark.String); ok {
					dirs = append(slices.Clone(dirs), string(s))
				}
			}
		}
	}
	for _, d := range dirs {
		if m, err := th.find(n, path.Join("/", d, n[strings.LastIndexByte(n, '.')+1:])); m != nil || err != nil {
			return m, err
		}
	}
	if hint, ok := refusals[n]; ok {
		return nil, refused(hint, "module %s is not available in templates", n)
	}
	out := Fail("ImportError", "No module named %s", n).(*Raised)
	out.Hint = "templates import modules of the specification: put " + n + ".py into its folder lib, or name the folder in sys.path"
	return nil, out
}

// known gives a module that is no file of the specification, nil where there is none.
func (th *Thread) known(n string) (Value, error) {
	if m, ok := th.world.Modules[n]; ok {
		return m, nil
	}
	var members map[string]Value
	if make, ok := th.py.modules[n]; ok {
		members = make(th)
	} else if run, ok := th.py.written[n]; ok {
		var err error
		if members, err = run(th); err != nil {
			return nil, err
		}
	} else {
		return nil, nil
	}
	m := &Namespace{Name: n, attrs: members}
	th.modules[n] = m
	return m, nil
}

// find loads the module or package at a path without its extension, nil where
// there is none.
func (th *Thread) find(n, at string) (Value, error) {
	if th.world.List == nil || th.world.Code == nil {
		return nil, nil
	}
	m := &Namespace{Name: n, attrs: map[string]Value{}}
	if names, ok := th.world.List(at); ok {
		m.dir = at
		if !slices.Contains(names, "__init__.py") {
			// A folder alone is a package without names.
			th.modules[n] = m
			return m, nil
		}
		return m, th.runFile(m, at+"/__init__.py")
	}
	names, _ := th.world.List(path.Dir(at))
	if !slices.Contains(names, path.Base(at)+".py") {
		return nil, nil
	}
	return m, th.runFile(m, at+".py")
}

// runFile runs a module of the specification. It is known before it has run, so
// that modules may import each other, as in Python.
func (th *Thread) runFile(m *Namespace, at string) error {
	program, file, err := th.world.Code(at)
	if err != nil {
		return err
	}
	th.modules[m.Name] = m
	names := Names(m.attrs)
	pkg := m.Name
	if m.dir == "" {
		pkg, _, _ = cutLast(m.Name, ".")
	}
	names["__package__"], names["__name__"] = starlark.String(pkg), starlark.String(m.Name)
	if _, err = th.runModule(program, file, names); err != nil {
		delete(th.modules, m.Name)
	}
	return err
}

// cutLast cuts a text at the last separator; without one all of it is behind.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+len(sep):], true
}

// imported adds to an error in a module by which import it was reached.
func (th *Thread) imported(err error, l int) error {
	var r *Raised
	if !errors.As(err, &r) || r.Line == 0 || strings.HasPrefix(th.file, library) {
		return err
	}
	by := fmt.Sprintf("imported in line %d", l)
	if th.file != "" {
		by = fmt.Sprintf("imported in %s:%d", th.file, l)
	}
	if r.Hint != "" {
		by = r.Hint + "; " + by
	}
	r.Hint = by
	return err
}

func (s *importStmt) exec(f *frame) (signal, error) {
	outer, inner, err := f.th.importModule(s.module)
	if err != nil {
		return proceed, f.th.imported(err, s.at())
	}
	if s.as != "" {
		f.set(s.as, inner)
		return proceed, nil
	}
	first, _, _ := strings.Cut(s.module, ".")
	f.set(first, outer)
	return proceed, nil
}

// absolute is the module that a "from" names, dots resolved.
func (s *fromStmt) absolute(f *frame) (string, error) {
	if s.dots == 0 {
		return s.module, nil
	}
	v, _ := f.scope.Get("__package__")
	pkg, ok := v.(starlark.String)
	if !ok || pkg == "" {
		return "", Fail("ImportError", "attempted relative import with no known parent package")
	}
	n := string(pkg)
	for range s.dots - 1 {
		var up bool
		if n, _, up = cutLast(n, "."); !up {
			return "", Fail("ImportError", "attempted relative import beyond top-level package")
		}
	}
	if s.module != "" {
		n += "." + s.module
	}
	return n, nil
}

func (s *fromStmt) exec(f *frame) (signal, error) {
	n, err := s.absolute(f)
	if err != nil {
		return proceed, err
	}
	_, m, err := f.th.importModule(n)
	if err != nil {
		return proceed, f.th.imported(err, s.at())
	}
	if s.names == nil {
		return proceed, f.star(m)
	}
	for _, name := range s.names {
		v, err := f.th.Attr(m, name[0])
		if err != nil {
			if v, err = f.submodule(m, name[0], n); err != nil {
				return proceed, f.th.imported(err, s.at())
			}
		}
		f.set(name[1], v)
	}
	return proceed, nil
}

// submodule is a name of a "from" that is a module of the package.
func (f *frame) submodule(m Value, part, of string) (Value, error) {
	if pkg, ok := m.(*Namespace); ok && pkg.dir != "" {
		return f.th.member(m, part, of+"."+part)
	}
	return nil, Fail("ImportError", "cannot import name %s", part)
}

// star is "from m import *": what __all__ lists, or all names that do not begin
// with an underscore.
func (f *frame) star(m Value) error {
	ns, ok := m.(*Namespace)
	if !ok {
		return nil
	}
	if list, ok := ns.attrs["__all__"]; ok {
		names, err := f.th.list(list)
		if err != nil {
			return err
		}
		for _, n := range names {
			s, ok := n.(starlark.String)
			if !ok {
				return Fail("TypeError", "__all__ must hold texts")
			}
			v, err := f.th.Attr(m, string(s))
			if err != nil {
				return err
			}
			f.set(string(s), v)
		}
		return nil
	}
	for n, v := range ns.attrs {
		if !strings.HasPrefix(n, "_") {
			f.set(n, v)
		}
	}
	return nil
}
