// SPDX-License-Identifier: Apache-2.0

package py_test

import "fmt"

// statement writes one statement, or a few that belong together.
func (w *writer) statement() {
	w.depth = 2
	if w.indent > 4 {
		w.show(w.any())
		return
	}
	choices := []func(){
		func() { w.show(w.any()) },
		func() { w.show(w.any()) },
		func() { w.show(w.any()) },
		w.assignment, w.augmented, w.unpacking, w.listMethods, w.dictMethods, w.setMethods, w.forLoop, w.whileLoop, w.branch, w.tryFinally, w.raising,
		w.function, w.closure, w.decorator, w.generator, w.class, w.inheritance, w.context, w.special, w.mistake, w.sorting, w.deletion, w.scope, w.deep,
	}
	choices[w.n(len(choices))]()
}

// some writes a few statements.
func (w *writer) some() {
	for range 1 + w.n(2) {
		w.statement()
	}
}

func (w *writer) assignment() {
	k := w.any()
	n := w.assign(k, w.expr(k))
	if w.n(3) == 0 {
		w.line("w = %s = %s", n, w.expr(k))
	}
	w.show(k)
}

func (w *writer) augmented() {
	k := w.any()
	n := w.assign(k, w.literal(k))
	other := w.fresh()
	w.line("%s = %s", other, n)
	switch k {
	case whole:
		w.line("%s %s %s", n, w.one("+=", "-=", "*=", "//=", "%=", "|=", "&=", "^=", "<<="), w.one(w.expr(whole), "3"))
	case float:
		w.line("%s %s %s", n, w.one("+=", "-=", "*=", "/="), w.expr(float))
	case text:
		w.line("%s += %s", n, w.expr(text))
	case numbers:
		w.line("%s", w.one(n+" += "+w.expr(numbers), n+" *= 2", n+" += (1, 2)"))
	case words:
		w.line("%s += %s", n, w.one(w.expr(words), w.expr(text)))
	case group:
		w.line("%s %s %s", n, w.one("|=", "&=", "-=", "^="), w.expr(group))
		w.line("%s, %s = sorted(%s), sorted(%s)", n, other, n, other)
	case table:
		w.line("%s[%s] = %s", n, w.expr(text), w.expr(whole))
	}
	w.line("log.append((%s, %s, %s == %s))", n, other, n, other)
}

func (w *writer) unpacking() {
	w.line("%s", w.form(
		"a, b = <T>", "a, *b = <L>", "*a, b = <W>", "a, (b, c) = <i>, <T>", "a, b = b0, a0 = <i>, <s>", "(a, b), c = <T>, <i>", "[a, b] = <L>", "a, b = <s>", "a = b = <L>; a.append(7)", "a, *b, c = <s>", "a, b = {'x': 1, 'y': 2}", "for a, b in <D>.items(): pass", "a, b = <i>, <i>; a, b = b, a"))
	w.line("log.append((a, b))")
}

func (w *writer) listMethods() {
	n := w.assign(numbers, w.expr(numbers))
	for range 1 + w.n(3) {
		w.line("%s", n+w.form(".append(<i>)", ".extend(<L>)", ".insert(<#>, <i>)", ".remove(<i>)", ".pop()", ".pop(<#>)", ".reverse()", ".sort()", ".sort(reverse=True)", ".sort(key=abs)", "[<#>] = <i>", "[<slice>] = <L>", "[:0] = [<i>]", ".clear()", " = "+n+".copy()", "[1:1] = <L>"))
	}
	w.line("log.append(%s)", n)
	w.line("log.append(%s)", w.one(n+".pop() if "+n+" else None", "len("+n+")", n+".index(1)", n+" is "+n+"[:]"))
}

func (w *writer) dictMethods() {
	n := w.assign(table, w.expr(table))
	for range 1 + w.n(3) {
		w.line("%s", w.one(
			"log.append("+n+w.form(".setdefault(<s>, <i>)", ".pop(<s>, None)", ".pop(<s>)", ".get(<s>)", "[<s>]")+")",
			n+w.form(".update(<D>)", ".update(a=<i>)", "[<s>] = <i>", ".clear()", ".update([<T>])"),
			"log.append(list("+n+w.one(".items()", ".keys()", ".values()", "")+"))",
			"del "+n+w.form("[<s>]"),
			"log.append("+n+".popitem())",
			w.fill("log.append(<s> in ")+n+")"))
	}
	w.line("log.append(%s)", n)
	w.line("log.append(sorted(%s.items(), key=lambda kv: (-kv[1], kv[0])))", n)
}

func (w *writer) setMethods() {
	n := w.assign(group, w.expr(group)+" | set()")
	for range 1 + w.n(3) {
		w.line("%s", n+w.form(".add(<i>)", ".discard(<i>)", ".remove(<i>)", ".update(<L>)", ".clear()", ".difference_update(<L>)", ".intersection_update(<L>)"))
	}
	w.line("log.append((len(%s), sorted(%s)))", n, n)
}

func (w *writer) forLoop() {
	head, k, name := w.fill("for x in <L>:"), whole, "x"
	switch w.n(7) {
	case 0:
		head, k, name = w.fill("for i, s in enumerate(<W>, <#>):"), text, "s"
	case 1:
		head, k, name = w.fill("for k, v in sorted(<D>.items()):"), text, "k"
	case 2:
		head, k, name = w.fill("for c in <s>:"), text, "c"
	case 3:
		head, k, name = w.fill("for x in range(<#>):"), whole, "x"
	case 4:
		head, k, name = w.fill("for s, *r in zip(<W>, <L>, <s>):"), text, "s"
	}
	w.block(head, func() {
		w.in(k, name, func() {
			w.line("if len(log) > 40: break")
			if w.n(3) == 0 {
				w.line("if %s: %s", w.expr(truth), w.one("continue", "break", "pass"))
			}
			w.some()
		})
	})
	if w.n(2) == 0 {
		w.block("else:", func() { w.line("log.append('else')") })
	}
}

func (w *writer) whileLoop() {
	n := w.fresh()
	w.line("%s = %s", n, w.one("0", "1", "3"))
	w.block("while "+n+" < 5 and "+w.expr(truth)+":", func() {
		w.line("%s += 1", n)
		if w.n(3) == 0 {
			w.line("if %s: %s", w.expr(truth), w.one("continue", "break"))
		}
		w.in(whole, n, func() { w.statement() })
	})
	if w.n(2) == 0 {
		w.block("else:", func() { w.line("log.append(%s)", n) })
	}
}

func (w *writer) branch() {
	w.block("if "+w.expr(truth)+":", w.some)
	if w.n(2) == 0 {
		w.block("elif "+w.expr(w.any())+":", w.some)
	}
	if w.n(2) == 0 {
		w.block("else:", w.some)
	}
}

func (w *writer) tryFinally() {
	w.block("try:", w.some)
	switch w.n(4) {
	case 0:
		w.block("except (KeyError, IndexError) as e:", func() { w.line("log.append('lookup')") })
		w.block("except ValueError:", func() { w.line("log.append('value')") })
	case 1:
		w.block("except LookupError:", func() {
			w.line("%s", w.one("log.append('l')", "raise", "raise ValueError('again')", "raise TypeError('x') from None"))
		})
		w.block("except:", func() { w.line("log.append('any')") })
		w.block("else:", func() { w.line("log.append('none')") })
	case 2:
		w.block("except ArithmeticError as e:", func() { w.line("log.append(isinstance(e, ZeroDivisionError))") })
	}
	w.block("finally:", func() { w.line("log.append('finally')") })
}

func (w *writer) raising() {
	c := w.one("ValueError", "KeyError", "TypeError", "IndexError", "RuntimeError", "Exception", "AttributeError", "ZeroDivisionError")
	k := w.any()
	if k == float {
		k = whole
	}
	w.line("arg = %s", w.shown(k))
	w.block("try:", func() { w.line("raise %s(%s)", c, w.one("'m'", "", "1, 2", "arg")) })
	w.block("except "+w.one(c, "Exception", "(KeyError, "+c+")")+" as e:", func() {
		w.line("log.append((%s))", w.one("str(e)", "e.args", "repr(e).replace(',)', ')')", "type(e).__name__", "e.__class__ is "+c, "isinstance(e, LookupError)"))
	})
	w.line("%s", w.form("assert <b>", "assert <x>, 'no'", "pass", "raise Exception()", "raise ValueError", "raise KeyError('k')", "assert <i> == <i>, <s>"))
}

func (w *writer) function() {
	f := w.fresh()
	k := kind(w.n(int(group)))
	head := fmt.Sprintf(w.one("a, b=%s", "a, b=%s, *r", "a, *r, b=%s", "a, b=%s, **kw", "a, b=%s, *r, **kw", "a, *, b=%s", "*a, b=%s"), w.literal(k))
	w.block("def "+f+"("+head+"):", func() {
		// What callers give to b is of any type: it is in no expression.
		if w.n(3) == 0 {
			w.line("if %s: return %s", w.expr(truth), w.one("a", "b", "None", "a, b"))
		}
		w.line("return %s", w.one("b", "(a, b)", w.shown(k), "[a, b]", "locals()['b']"))
	})
	w.line("log.append(%s(%s))", f, w.form("<i>", "<i>, b=<i>", "*<L>", "<i>, <i>, <i>", "<i>, c=1", "", "a=<i>", "**{'a': <i>, 'b': 1}", "1, *<W>", "b=2, a=1", "1, a=2"))
}

func (w *writer) closure() {
	f := w.fresh()
	w.block("def "+f+"(n):", func() {
		if w.n(2) == 0 {
			w.line("seen = []")
			w.block("def inner(x):", func() {
				w.line("seen.append(x)")
				w.line("return (n + x, list(seen), %s)", w.shown(w.any()))
			})
		} else {
			w.line("total = n")
			w.block("def inner(x):", func() {
				w.line("nonlocal total")
				w.line("total += x")
				w.line("return total")
			})
		}
		w.line("return inner")
	})
	w.line("g = %s(%s)", f, w.expr(whole))
	w.line("log.append([g(%s), g(1), [h(2) for h in [g, g]]])", w.expr(whole))
	w.line("log.append([f() for f in [lambda: i for i in range(3)]] + [f() for f in [lambda i=i: i for i in range(3)]])")
}

func (w *writer) decorator() {
	f := w.fresh()
	w.block("def wrap(k):", func() {
		w.block("def deco(fn):", func() {
			w.block("def inner(*a, **kw):", func() { w.line("return (k, fn(*a, **kw))") })
			w.line("return inner")
		})
		w.line("return deco")
	})
	w.line("@wrap(%s)", w.expr(whole))
	w.line("@wrap('%s')", f)
	w.block("def "+f+"(x, y=2):", func() { w.line("return [x, y, %s]", w.shown(w.any())) })
	w.line("log.append(%s(%s))", f, w.form("<i>", "1, y=<s>", "x=<i>", ""))
}

func (w *writer) generator() {
	f := w.fresh()
	w.block("def "+f+"(n):", func() {
		w.block("for x in range(n):", func() {
			w.line("if %s: %s", w.expr(truth), w.one("return", "continue", "yield 'y'"))
			w.line("yield x, %s", w.shown(w.any()))
		})
		w.line("%s", w.one("yield 'end'", "yield from [1, 2]", "return"))
	})
	w.line("log.append(%s)", w.one("list("+f+"(3))", "[x for x in "+f+"(2)]", "next("+f+"(1), 'none')", "list(zip("+f+"(3), 'ab'))", "dict(enumerate("+f+"(2)))", "sum(1 for _ in "+f+"(4))"))
	w.line("g = (x * y for x in %s for y in %s if x)", w.expr(numbers), w.expr(numbers))
	w.line("log.append([next(g, None), list(g)])")
}
