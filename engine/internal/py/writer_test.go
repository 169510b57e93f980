// SPDX-License-Identifier: Apache-2.0

package py_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// writer writes programs by chance. What is meant to differ from Python 3 it
// leaves out, or writes so that it does not show:
//   - int / int, which floors without "from __future__ import division": a program
//     that divides begins with that
//   - str() of a float, 12 digits: floats are shown by repr and by formats with a
//     precision
//   - the text and the order of sets: shown sorted, and by the length
//   - order between values of different types: only alike ones are compared
//   - map, filter, zip, range and views of dictionaries, lists here: within list()
//   - texts and bytes, one type here: no bytes, encode or decode
//   - octal numbers, the text of exceptions of the language, classes of old
//   - round: agree.py defines that of 2.7
type writer struct {
	r      *rand.Rand
	b      strings.Builder
	indent int
	names  map[kind][]string
	count  int
	// depth bounds expressions.
	depth int
}

// kind is the type of an expression.
type kind int

const (
	whole kind = iota
	float
	text
	truth
	numbers // a list of whole numbers
	words   // a list of texts
	table   // a dictionary, texts to whole numbers
	group   // a set of whole numbers
	pair    // a tuple of a text and a whole number
	kinds   = iota
)

// write gives the program of a number.
func write(n uint64) string {
	w := &writer{r: rand.New(rand.NewPCG(n, 1)), names: map[kind][]string{}}
	w.line("from __future__ import division")
	w.line("log = []")
	for k := range kind(kinds) {
		if w.n(2) == 0 {
			w.assign(k, w.literal(k))
		}
	}
	for range 1 + w.n(4) {
		w.guarded()
	}
	w.line("out = log")
	return w.b.String()
}

func (w *writer) n(n int) int { return w.r.IntN(n) }

// one gives one of the choices.
func (w *writer) one(choices ...string) string { return choices[w.n(len(choices))] }

func (w *writer) line(format string, args ...any) {
	w.b.WriteString(strings.Repeat("    ", w.indent))
	fmt.Fprintf(&w.b, format, args...)
	w.b.WriteByte('\n')
}

// block writes indented lines.
func (w *writer) block(head string, body func()) {
	w.line("%s", head)
	w.indent++
	body()
	w.indent--
}

func (w *writer) fresh() string {
	w.count++
	return fmt.Sprintf("v%d", w.count)
}

func (w *writer) assign(k kind, x string) string {
	n := w.fresh()
	w.line("%s = %s", n, x)
	w.names[k] = append(w.names[k], n)
	return n
}

// in writes lines in which further names are known.
func (w *writer) in(k kind, name string, body func()) {
	old := w.names[k]
	w.names[k] = append(old[:len(old):len(old)], name)
	body()
	w.names[k] = old
}

// guarded writes a statement whose failure is noted instead of ending the program.
func (w *writer) guarded() {
	known := map[kind][]string{}
	for k, v := range w.names {
		known[k] = v[:len(v):len(v)]
	}
	w.block("try:", func() { w.statement() })
	w.block(w.one("except Exception as e:", "except (ValueError, Exception) as e:"), func() { w.line("log.append(type(e).__name__)") })
	w.names = known
}

// show notes a value.
func (w *writer) show(k kind) {
	w.depth = 3
	w.line("log.append(%s)", w.shown(k))
}

// shown is an expression whose repr both write alike.
func (w *writer) shown(k kind) string {
	x := w.expr(k)
	switch k {
	case group:
		return "sorted(" + x + ")"
	case truth:
		return "bool(" + x + ")"
	}
	return x
}

func (w *writer) any() kind { return kind(w.n(kinds)) }

// expr is an expression of a type.
func (w *writer) expr(k kind) string {
	if w.depth <= 0 || w.n(6) == 0 {
		return w.leaf(k)
	}
	w.depth--
	defer func() { w.depth++ }()
	switch w.n(24) {
	case 0:
		return fmt.Sprintf("(%s if %s else %s)", w.expr(k), w.expr(truth), w.expr(k))
	case 1:
		return fmt.Sprintf("(lambda x, y=%s: %s)(%s)", w.leaf(k), w.one("x", "y"), w.expr(k))
	case 2:
		return fmt.Sprintf("[%s, %s][%s]", w.expr(k), w.expr(k), w.one("0", "1", "-1", "2", w.leaf(truth)))
	case 3:
		return fmt.Sprintf("{%s: %s}.get(%s, %s)", w.leaf(text), w.expr(k), w.leaf(text), w.leaf(k))
	case 4:
		if k != group && k != truth {
			return fmt.Sprintf("(%s or %s)", w.expr(k), w.expr(k))
		}
	}
	switch k {
	case whole:
		return w.wholeExpr()
	case float:
		return w.floatExpr()
	case text:
		return w.textExpr()
	case truth:
		return w.truthExpr()
	case numbers:
		return w.numbersExpr()
	case words:
		return w.wordsExpr()
	case table:
		return w.tableExpr()
	case group:
		return w.groupExpr()
	}
	return w.pairExpr()
}

func (w *writer) leaf(k kind) string {
	if names := w.names[k]; len(names) > 0 && w.n(3) > 0 {
		return names[w.n(len(names))]
	}
	return w.literal(k)
}

func (w *writer) list(k kind, most int) string {
	out := make([]string, w.n(most+1))
	for i := range out {
		out[i] = w.literal(k)
	}
	return strings.Join(out, ", ")
}

func (w *writer) literal(k kind) string {
	switch k {
	case whole:
		if w.n(12) == 0 {
			return w.one("(10**20)", "(2**63)", "(-2**63)", "(2**64 - 1)", "12345678901234567890", "0xFF", "0b101", "1_000", "-7")
		}
		return fmt.Sprint(w.n(24) - 6)
	case float:
		return w.one("0.0", "1.0", "-1.5", "2.5", "3.14159", "1e10", "1e16", "1e22", "1e-5", "0.1", "100.0", "-0.0", "1e300", "123456.789", "0.0001", ".5", "5.")
	case text:
		return w.one("''", "'a'", "'abc'", "'Hello World'", `"it's"`, `'say "hi"'`, `'a\tb\n'`, "'  x  '", "'a,b,,c'", "'héllo'", "'AbC'", "'12'", "'-3'", "'x=1;y=2'",
			`r'\d'`, `'back\\slash'`, "'one two  three'", "'aXbXc'", "'€'", `'\x41\u0042'`, `'\x00\x7f'`, "'ab' 'cd'", "'''t\nu'''", "'foo.bar.baz'", "'/etc/ssh/sshd_config'", "'𝄞'")
	case truth:
		return w.one("True", "False")
	case numbers:
		return "[" + w.list(whole, 5) + "]"
	case words:
		return "[" + w.list(text, 4) + "]"
	case table:
		items := make([]string, w.n(4))
		for i := range items {
			items[i] = w.literal(text) + ": " + w.literal(whole)
		}
		return "{" + strings.Join(items, ", ") + "}"
	case group:
		return "set([" + w.list(whole, 5) + "])"
	}
	return "(" + w.literal(text) + ", " + w.literal(whole) + ")"
}
