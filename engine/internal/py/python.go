// SPDX-License-Identifier: Apache-2.0

// Package py evaluates the Python that templates hold: expressions and statements
// of Python 3 and what 2.7 spells otherwise, over the values of go.starlark.net.
// Where the two Pythons differ, results are those of 2.7 as Bcfg2 1.3 showed them.
//
// Code is untrusted: it has no clock, network, processes or files but those of the
// specification, and budgets of steps, bytes and depth. It must not know any
// template language, nor what metadata is.
package py

import (
	"maps"

	"go.starlark.net/starlark"
)

// Python is the language with its built-in names and modules. It is immutable and
// safe for concurrent use.
type Python struct {
	classes  map[string]*Class
	builtins map[string]Value
	methods  map[string]map[string]method
	// inherited are the methods that a class has of object.
	inherited map[string]Value
	modules   map[string]func(*Thread) map[string]Value
	written   map[string]func(*Thread) (map[string]Value, error)
}

// New makes the language.
func New() *Python {
	p := &Python{classes: map[string]*Class{}, builtins: map[string]Value{}, inherited: objectMembers()}
	p.methods = map[string]map[string]method{
		"str": withSlots("str", strMethods()), "list": withSlots("list", listMethods()), "tuple": withSlots("tuple", tupleMethods()),
		"dict": withSlots("dict", dictMethods()), "set": withSlots("set", setMethods()),
		"int": withSlots("int", numberMethods()), "float": withSlots("float", numberMethods()), "bool": withSlots("bool", numberMethods()), "generator": iterMethods(),
	}
	p.types()
	p.exceptions()
	maps.Copy(p.builtins, p.functions())
	p.modules, p.written = moduleTable(), written()
	return p
}

// Program is parsed source.
type Program struct{ body []stmt }

// Parse reads statements. line is that of the first.
func Parse(src string, line int) (*Program, error) {
	s := newScanner(src, line, false)
	body, err := parse(s, func(p *parser) []stmt {
		out := p.statements()
		if p.tok.kind != eof {
			p.fail("unexpected indent")
		}
		return out
	})
	if err != nil {
		return nil, err
	}
	return &Program{body}, nil
}

// Run executes the program with the names of a scope.
func (p *Program) Run(th *Thread, scope Scope) error {
	f := &frame{th: th, scope: scope}
	_, err := f.run(p.body)
	return err
}

// Expression is a parsed expression.
type Expression struct{ x expr }

// ParseExpression reads one expression, which may be a tuple without parentheses.
func ParseExpression(src string, at int) (*Expression, error) {
	x, err := parse(newExpression(src, at), func(p *parser) expr {
		x := p.exprList()
		if p.isWord("for") {
			x = p.comprehension(line(x.at()), '(', nil, x)
		}
		p.finish()
		return x
	})
	if err != nil {
		return nil, err
	}
	return &Expression{x}, nil
}

// finish expects the end of an expression.
func (p *parser) finish() {
	if p.tok.kind == newline {
		p.advance()
	}
	if p.tok.kind != eof {
		p.fail("invalid syntax at %s", p.found())
	}
}

// Member tells whether the expression is just a name and an attribute of what that
// stands for.
func (e *Expression) Member() (of, name string, ok bool) {
	if a, is := e.x.(*attrRef); is {
		if n, is := a.x.(*nameRef); is {
			return n.name, a.name, true
		}
	}
	return "", "", false
}

// Eval gives the value. lenient: attributes and items stand for each other.
func (e *Expression) Eval(th *Thread, scope Scope, lenient bool) (Value, error) {
	return (&frame{th: th, scope: scope, lenient: lenient}).evaluate(e.x)
}

// Target is what a value can be assigned to.
type Target struct{ x expr }

// ParseAssignments reads "a = 1; b, c = 2, 3".
func ParseAssignments(src string, line int) ([]Target, []*Expression, error) {
	var targets []Target
	var values []*Expression
	_, err := parse(newExpression(src, line), func(p *parser) bool {
		for p.tok.kind != eof && p.tok.kind != newline {
			if p.accept(";") {
				continue
			}
			targets = append(targets, Target{p.targetList()})
			p.expect("=")
			values = append(values, &Expression{p.exprList()})
			if !p.isOp(";") {
				break
			}
		}
		p.finish()
		return true
	})
	return targets, values, err
}

// ParseFor reads "a, b in items".
func ParseFor(src string, line int) (Target, *Expression, error) {
	var over *Expression
	t, err := parse(newExpression(src, line), func(p *parser) Target {
		t := Target{p.targetList()}
		p.expect("in")
		over = &Expression{p.exprList()}
		p.finish()
		return t
	})
	return t, over, err
}

// Assign gives the target a value.
func (t Target) Assign(th *Thread, scope Scope, v Value) error {
	return (&frame{th: th, scope: scope}).assign(t.x, v)
}

// Signature is the head of a function.
type Signature struct {
	Name string
	def  *function
}

// ParseSignature reads "f(a, b=2, *rest)" or just "f".
func ParseSignature(src string, line int) (*Signature, error) {
	return parse(newExpression(src, line), func(p *parser) *Signature {
		n := p.ident()
		p.open(n, line)
		if p.accept("(") {
			p.params(")")
			p.expect(")")
		}
		p.finish()
		return &Signature{n, p.scope}
	})
}

// Function makes a function whose body is given the arguments by name.
func (s *Signature) Function(th *Thread, scope Scope, body func(args map[string]Value) (Value, error)) (Value, error) {
	f := &frame{th: th, scope: scope, lenient: true}
	v, err := f.closure(s.def)
	if err != nil {
		return nil, err
	}
	c := v.(*Closure)
	return Func(s.Name, func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		if err := th.enter(); err != nil {
			return nil, err
		}
		defer func() { th.depth-- }()
		inner := &frame{th: th, fn: c.def, vars: map[string]Value{}, scope: scope}
		if err := inner.bindArgs(c, args, kw); err != nil {
			return nil, err
		}
		return body(inner.vars)
	}), nil
}

// Each calls visit with the items of a value until it says false.
func (th *Thread) Each(v Value, visit func(Value) (bool, error)) error { return th.each(v, visit) }

// Describe names a value for a message.
func (th *Thread) Describe(v Value) string { return th.describe(v) }

// IsCallable tells whether a value can be called.
func (th *Thread) IsCallable(v Value) bool { return th.callable(v) }

// NewModule makes a module.
func NewModule(n string, attrs map[string]Value) *Namespace { return &Namespace{Name: n, attrs: attrs} }

// refusals are modules that exist and will not be had, and what to do instead.
var refusals = map[string]string{
	"subprocess": "let a probe ask the host", "commands": "let a probe ask the host", "popen2": "let a probe ask the host",
	"time": "a configuration must not depend on the clock; let a probe tell the time", "threading": "", "multiprocessing": "",
	"urllib2": "commit the data, or let a probe ask for it", "requests": "commit the data, or let a probe ask for it",
	"httplib": "commit the data, or let a probe ask for it", "ldap": "commit the data, or let a probe ask for it",
	"MySQLdb": "commit the data, or let a probe ask for it", "psycopg2": "commit the data, or let a probe ask for it",
	"sqlite3": "commit the data, or let a probe ask for it", "tempfile": "templates write no files", "shutil": "templates write no files",
	"pickle": "commit the data as JSON or YAML", "ctypes": "",
}

// Enter counts a call of code that is not Python's; Leave ends it.
func (th *Thread) Enter() error { return th.enter() }

// Leave ends what Enter began.
func (th *Thread) Leave() { th.depth-- }

// Iterable tells whether an object can be iterated over.
func (th *Thread) Iterable(o *Instance) bool {
	return o.Class.find("__iter__") != nil
}
