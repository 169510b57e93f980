// SPDX-License-Identifier: Apache-2.0

package py_test

func (w *writer) class() {
	c := w.fresh()
	w.block("class "+c+w.one("(object)", "")+":", func() {
		w.line("count = %s", w.expr(whole))
		w.block("def __init__(self, x, y="+w.literal(text)+"):", func() { w.line("self.x, self.y = x, y") })
		for range 1 + w.n(3) {
			w.member(c)
		}
		w.line("def __repr__(self): return 'C(%%r)' %% (self.x,)")
	})
	w.line("o, p = %s(%s), %s(%s, y=%s)", c, w.expr(whole), c, w.expr(whole), w.expr(text))
	w.line("log.append([o, p, o.count, %s.count, o.y])", c)
	for range 1 + w.n(3) {
		w.guardedLine(w.one("o + p", "o == p", "o != p", "len(o)", "o[1]", "list(o)", "3 in o", "o(4)", "bool(o)", "o.double", "o.half()", c+".make(5)", "o.nope", "str(o)", "'%s' % o", "hasattr(o, 'double')", "getattr(o, 'nope', 7)", "isinstance(o, "+c+")", "o - p", "-o", "abs(o)", "o.__class__.__name__", "sorted(o.__dict__)", "3 * o", "o is p", "callable(o)", "'{}'.format(o)", "f'{o!r:>8}'", "int(o)", c+".half(o)"))
	}
	w.line("%s", w.one("o.x += 1", "setattr(o, 'z', 1)", c+".count += 1", "del o.x", "o.double = 3", "o[2] = 3", "del o[1]", "o += p"))
	w.line("log.append([p.count, sorted(o.__dict__.items())])")
}

// guardedLine notes the value of an expression, or how it fails.
func (w *writer) guardedLine(x string) {
	w.block("try:", func() { w.line("log.append(%s)", x) })
	w.block("except Exception as e:", func() { w.line("log.append(type(e).__name__)") })
}

func (w *writer) member(c string) {
	w.line("%s", w.one(
		"def __add__(self, other): return self.x + other.x",
		"def __eq__(self, other): return self.x == other.x",
		"def __lt__(self, other): return self.x < other.x",
		"def __len__(self): return 4",
		"def __getitem__(self, i): return [self.x, self.y][i]",
		"def __iter__(self): return iter([self.x, 3])",
		"def __contains__(self, x): return x == self.x",
		"def __call__(self, n): return n + self.x",
		"def __bool__(self): return self.x > 0",
		"def __str__(self): return 'S' + str(self.x)",
		"def half(self): return self.x // 2",
		"double = property(lambda self: self.x * 2)",
		"def __neg__(self): return -self.x",
		"def __rmul__(self, n): return n * self.x",
		"def __sub__(self, other): return NotImplemented",
		"def __getattr__(self, n): return n.upper() if n != 'nope' else self.missing()",
		"def __iadd__(self, other): self.x += 100; return self",
		"def __setitem__(self, i, v): self.y = (i, v)",
		"def __delitem__(self, i): self.y = i",
		"def __int__(self): return self.x + 1",
		"def __abs__(self): return 'abs'",
		"def __hash__(self): return 1",
		"def __format__(self, spec): return 'F' + spec",
		"make = classmethod(lambda cls, n: cls(n))",
		"names = [n for n in ('a', 'b')]",
		"def missing(self): raise AttributeError('gone')"))
}

func (w *writer) inheritance() {
	w.block("class A(object):", func() {
		w.line("tag = %s", w.expr(whole))
		w.line("def __init__(self, *a): self.a = list(a)")
		w.line("def who(self): return 'A' + str(self.tag)")
		w.line("@classmethod")
		w.line("def make(cls, *a): return cls(*a)")
		w.line("@staticmethod")
		w.line("def plain(x): return x")
	})
	w.block("class M(object):", func() { w.line("def who(self): return 'M' + super(M, self).who()") })
	w.block("class B("+w.one("A", "M, A")+"):", func() {
		if w.n(2) == 0 {
			w.line("tag = %s", w.one("'x'", "A.tag + 1", "[A.tag]"))
		}
		if w.n(2) == 0 {
			w.block("def __init__(self, n):", func() {
				w.line("%s", w.one("super().__init__(n, n)", "A.__init__(self, n)", "super(B, self).__init__(n)", "pass"))
			})
		}
		w.line("def who(self): return 'B' + %s", w.one("super().who()", "super(B, self).who()", "A.who(self)", "'!'"))
	})
	w.line("b = %s(%s)", w.one("B", "B.make"), w.expr(whole))
	w.line("log.append([b.who(), b.plain(3), isinstance(b, A), issubclass(B, A), type(b).__name__, [c.__name__ for c in B.__bases__]])")
	w.line("log.append([b.a, B.tag, b.tag, %s])", w.one("B.make(1).who()", "isinstance(b, M)", "type(b) is B", "hasattr(A, 'who')", "[c.__name__ for c in B.__mro__]"))
	w.block("class E(ValueError):", func() {
		w.line("%s", w.one("pass", "def __str__(self): return 'E!'", "def __init__(self, n): self.n = n", "n = 3"))
	})
	w.line("arg = %s", w.expr(text))
	w.block("try:", func() { w.line("raise E(arg)") })
	w.block("except "+w.one("ValueError", "E", "(KeyError, E)", "Exception")+" as e:", func() {
		w.line("log.append([str(e), isinstance(e, ValueError), getattr(e, 'n', None)])")
	})
	w.block("class L("+w.one("list", "dict")+"):", func() { w.line("def twice(self): return len(self) * 2") })
	w.line("l = L(%s)", w.one("[('a', 1)]", "", "(('k', 2),)"))
	w.line("log.append([l.twice(), l == L(l), bool(l), len(l), isinstance(l, list), [x for x in l]])")
}

func (w *writer) context() {
	w.block("class C(object):", func() {
		w.line("def __enter__(self): log.append('in'); return %s", w.shown(w.any()))
		w.line("def __exit__(self, kind, value, tb): log.append(kind.__name__ if kind else None); return %s", w.expr(truth))
	})
	w.block(w.one("with C() as c:", "with C():", "with C() as c, C() as d:"), w.some)
	w.block("def f():", func() {
		w.block("for x in range(3):", func() {
			w.block("try:", func() { w.line("%s", w.one("return x", "if x: return 'x'", "continue", "break", "1 // x")) })
			w.block("finally:", func() { w.line("%s", w.one("log.append(x)", "log.append(x)", "return 'f'", "break")) })
		})
		w.line("return 'end'")
	})
	w.line("log.append(f())")
}

// special are corners that no other rule reaches.
func (w *writer) special() {
	w.line("%s", w.form(
		"log.append([1, 2, 3][<slice>])", "log.append('abcdef'[<slice>])", "log.append((1, 2, 3)[<slice>])", "log.append(eval(repr(<L>)))", "log.append(eval('<i> + 1'))", "exec('q = <i>'); log.append(q)",
		"log.append([*range(3), *<s>])", "log.append({**{'a': 1}, 'a': <i>})", "log.append(1 if <b> else 2 if <b> else 3)", "log.append(not <b> or <b> and <b>)", "log.append(-2 ** 2)", "log.append(2 ** -1)", "log.append(2 ** 3 ** 2)",
		"log.append((yes := <i>) and yes)", "log.append(<i> if <i> else <i>)", "x = (1,); log.append(x + (2,))", "log.append(() == ())", "log.append([[]] * 2)", "x = []; x.append(x); log.append(repr(x))", "x = {}; x['x'] = x; log.append(repr(x))",
		"log.append(sorted(<D>.items()))", "log.append(min(<D>.items(), default=None))", "log.append(list(map(None.__class__, [])))", "log.append([i for i in range(5) if i % 2 if i > 1])", "log.append([(i, j) for i in range(3) for j in range(i)])",
		"log.append(list(enumerate(<s>, <#>)))", "log.append(list(zip(*[(1, 2), (3, 4)])))", "log.append(dict(zip('abc', range(3))))", "log.append(all([]) and not any([]))", "log.append(list(iter([1, 2].pop, 1)))", "log.append(list(reversed(<s>)))", "log.append(''.join(reversed(<s>)))",
		"log.append(isinstance(True, int) and True + True)", "log.append([True, False][True])", "log.append({1: 'a', 1.0: 'b', True: 'c'})", "log.append(1 == 1.0 and 0.1 + 0.2 != 0.3)", "log.append(10 ** 25 % 7)", "log.append(-7 // 2 * 3 % 5)", "log.append(int('-0b11', 2))", "log.append(float('nan') == float('nan'))",
		"log.append('%s' % ((1, 2),))", "log.append('%r %s' % ('a', 'b'))", "log.append('a\\\nb')", "log.append('%.3s|%5.1f' % ('abcdef', 2.25))", "log.append('{:>{w}.{p}f}'.format(3.14159, w=10, p=2))", "log.append('{!r:^10}'.format('x'))", "log.append('{0.real}'.format(5))", "log.append('{:,.2f}'.format(1234567.891))",
		"log.append('a' < 'b' < 'c' > 'b')", "log.append([] is [] or None is None)", "log.append(max('abc', 'b', key=len))", "log.append(sum([[1], [2]], []))", "log.append(list('abc')[::-1])", "log.append(type(<x>) is type(<x>))", "log.append((lambda *a, k=1, **kw: (a, k, sorted(kw)))(1, 2, k=3, z=4))", "log.append([lambda: 1][0]())",
		"x = y = []; x.append(1); log.append(y)", "x = [1, 2, 3]; del x[<slice>]; log.append(x)", "x = list(range(6)); x[::2] = [0, 0, 0]; log.append(x)", "x = [3]; x[0] += 1; log.append(x)", "x = 'a'; x *= 3; log.append(x)", "global zz; zz = 1", "log.append(''.join(sorted('hello', reverse=True)))", "log.append(list(filter(None, ['', 'a'])))",
		"log.append('a-b-c'.split('-', <#>))", "log.append('aaa'.replace('a', 'b', <#>))", "log.append('abc'.find('', <#>))", "log.append('x'.join('abc'))", "log.append('a\\r\\nb\\nc'.splitlines())", "log.append(' a b '.split(' '))", "log.append('abcabc'.rindex('b', 0, <#>))", "log.append('Ab'.swapcase().center(7, '.'))", "log.append('%c%c' % (97, 'b'))", "log.append('1,2'.partition(','))", "log.append('tEST 1a b2'.title())"))
}

// mistake is what both refuse.
func (w *writer) mistake() {
	w.line("log.append(%s)", w.form(
		"'a' + <i>", "<i> + 'a'", "<L> + <s>", "<s> * <s>", "<L> * <f>", "None + 1", "<D> + <D>", "len(<i>)", "<i>[0]", "<L>['a']", "<s>.nope()", "undefined", "<i>()", "<s>(1)", "int('x')", "int(None)", "int([])", "float('x')", "{[]: 1}", "set([[]])", "{}['x']", "[][0]", "''[0]", "()[0]",
		"<i> // 0", "<i> % 0", "<f> / 0", "<i> / 0", "0 ** -1", "<L>.index('zz')", "<L>.remove(99)", "<s>.index('zzz')", "[].pop()", "{}.popitem()", "next(iter([]))", "max([])", "min(())", "sum(<W>)", "chr(-1)", "ord('ab')", "ord('')", "<s>.join(<L>)", "<s>.split('')", "'{}'.format()", "'{a}'.format()", "'%d' % 'x'", "'%s %s' % 'a'",
		"'a' % 1", "'{:d}'.format('x')", "'{:q}'.format(1)", "range(1, 2, 0)", "int('9', 8)", "int('1', 1)", "<L>[<s>]", "<T>[5]", "a, b", "(lambda: x_)()", "(lambda a: a)()", "(lambda a: a)(1, 2)", "(lambda a: a)(b=1)", "dict([1])", "dict([(1, 2, 3)])", "zip(1)", "sorted(1)", "list(5)", "tuple(None)", "isinstance(1, 1)",
		"iter(5)", "next(5)", "abs('a')", "-'a'", "~1.5", "1.5 << 1", "1 & 1.5", "<s> & <s>", "<s> - <s>", "[1] - [1]", "5 in 5", "1 in 'abc'", "'a' in 5", "<i>.x", "None.x", "<L>.append(1, 2)", "<s>.upper(1)", "len()", "len(1, 2)", "{}.get()", "getattr(1, 'x')", "hasattr(1)", "[][::0]", "'abc'[::0]", "<L>[1:'a']", "float(None)", "float([])",
		"divmod(1, 0)", "pow(2, 3, 0)", "pow(2, -1, 7)", "'a'.center('x')", "'a'.zfill()", "'%(a)s' % {}", "'%(a)s' % 1", "'%*d' % (1,)", "'%.*f' % (1, 2, 3)", "'abc'.replace('a')", "'a'.startswith(1)", "round('a')", "bin(1.5)", "hex('a')", "chr('a')", "enumerate(5)", "map(1)", "reversed(5)", "set(5)", "{1: 2}[3]", "int(1e400)", "int(float('nan'))", "int(float('inf'))", "10.0 ** 400", "-(1 << 3) >> -1", "1 << -1"))
}

func (w *writer) sorting() {
	w.line("rows = [(n, %s, i) for i, n in enumerate(%s)]", w.one("len(n)", "i % 2", "n[:1]"), w.expr(words))
	w.line("log.append(sorted(rows, key=lambda r: %s, reverse=%s))", w.one("r[1]", "(r[1], r[2])", "-r[2]", "(r[1], -r[2])"), w.one("True", "False"))
	w.line("rows.sort(key=lambda r: r[%s])", w.one("0", "1", "2"))
	w.line("log.append([r[2] for r in rows])")
	w.line("log.append((max(rows, key=lambda r: r[1]) if rows else 0, min(rows, key=lambda r: r[1]) if rows else 0))")
}

func (w *writer) deletion() {
	n := w.assign(numbers, w.expr(numbers))
	m := w.assign(table, w.expr(table))
	w.line("%s", w.fill(w.one("del "+n+"[<slice>]", "del "+n+"[<#>]", "del "+m+"[<s>]", "del "+n, "del nope", "del "+n+"[0], "+n+"[-1]")))
	w.line("log.append((%s, %s))", n, m)
}

func (w *writer) scope() {
	w.line("total = %s", w.expr(whole))
	w.block("def bump(n):", func() {
		w.line("%s", w.one("global total", "total = 5", "pass", "global total, other"))
		w.line("%s", w.one("total += n", "total = n", "return total + n", "other = n; return other"))
		w.line("return total")
	})
	w.guardedLine("bump(" + w.expr(whole) + ")")
	w.line("log.append(total)")
	w.line("x = 'outer'")
	w.line("log.append([[x for x in range(2)], x, [(lambda: x)() for x in 'ab'], x])")
	w.block("class K(object):", func() {
		w.line("x = 'class'")
		w.line("def get(self): return x")
		w.line("y = x + '!'")
	})
	w.line("log.append((K().get(), K.x, K.y))")
	w.block("def fact(n):", func() { w.line("return 1 if n < 2 else n * fact(n - 1)") })
	w.line("log.append(fact(%s))", w.one("5", "20", "30", "0"))
}

// deep is data within data.
func (w *writer) deep() {
	w.line("d = {'list': %s, 'map': %s, 'rows': [{'n': n, 'v': v} for n, v in zip(%s, %s)]}", w.expr(numbers), w.expr(table), w.expr(words), w.expr(numbers))
	w.line("%s", w.form("d['map']['new'] = <i>", "d['list'].append(<i>)", "d['rows'][0]['v'] += 1", "d.setdefault('more', []).append(<i>)", "d['rows'].sort(key=lambda r: r['v'])", "d['map'], d['list'] = d['list'], d['map']"))
	w.line("log.append(d)")
	w.line("log.append([r['n'] for r in d['rows'] if r['v'] %s %s])", w.one(">", "<", "==", "!="), w.expr(whole))
	w.line("log.append('; '.join('%%s=%%r' %% (k, d[k]) for k in sorted(d)))")
}
