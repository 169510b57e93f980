// SPDX-License-Identifier: Apache-2.0

package py_test

import (
	"fmt"
	"strings"
)

// fill replaces the letters between < and > by expressions of a type: i f s b L W
// D S T, and # by a small whole number; lower-case x is any.
func (w *writer) fill(form string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(form, "<")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		code, behind, closed := strings.Cut(rest, ">")
		if k := strings.Index("ifsbLWDST", code); closed && len(code) == 1 && k >= 0 {
			b.WriteString(w.expr(kind(k)))
			form = behind
			continue
		}
		switch code {
		case "#":
			b.WriteString(w.one("0", "1", "2", "3", "5", "8", "-1", "-2"))
		case "slice":
			b.WriteString(w.slice())
		case "x":
			b.WriteString(w.shown(w.any()))
		case "n":
			b.WriteString(w.leafName(whole))
		default:
			b.WriteByte('<')
			form = rest
			continue
		}
		form = behind
	}
}

// form fills one of the forms.
func (w *writer) form(forms ...string) string { return w.fill(w.one(forms...)) }

func (w *writer) slice() string {
	part := func() string { return w.one("", "0", "1", "2", "-1", "-2", "10", "-10", "None") }
	s := part() + ":" + part()
	if w.n(3) == 0 {
		s += ":" + w.one("1", "2", "-1", "-2", "0", "3")
	}
	return s
}

func (w *writer) wholeExpr() string {
	return w.form(
		"(<i> + <i>)", "(<i> - <i>)", "(<i> * <i>)", "(<i> // <i>)", "(<i> % <i>)", "-<i>", "(<i> & <i>)", "(<i> | <i>)", "(<i> ^ <i>)", "~<i>",
		"(<i> ** 2)", "(<i> ** 3)", "(<i> << <#>)", "(<i> >> <#>)", "abs(<i>)", "len(<s>)", "len(<L>)", "len(<W>)", "len(<D>)", "len(<S>)", "sum(<L>)", "max(<L>)", "min(<i>, <i>, <i>)",
		"int(<s>)", "int(<f>)", "int(<b>)", "int(<s>, 16)", "ord(<s>)", "<s>.find(<s>)", "<s>.count(<s>)", "<s>.index(<s>)", "<s>.rfind(<s>)", "<L>[<#>]", "<L>.index(<i>)", "<L>.count(<i>)",
		"<D>[<s>]", "<D>.get(<s>, <i>)", "<D>.pop(<s>, <i>)", "<T>[1]", "sum(x for x in <L> if x > <i>)", "sum(1 for c in <s> if c.isalpha())", "divmod(<i>, <i>)[0]", "pow(<i>, <#>, 7)",
		"max(<L> or [<i>])", "min(<L>, default=<i>)", "max(<W>, key=len).count('a')", "next((x for x in <L> if x % 2), <i>)", "(<i>).bit_length()",
		"sum([len(x) for x in <W>])", "+<i>", "int(<b> and <i>)", "sum(<L>, <i>)", "next(iter(<L>))", "{1: <i>, True: <i>}[1]", "len(list(range(<#>, (<i>) % 50, <#>)))", "'abc'.find('c', <#>)",
		"len('%s' % (<s>,))", "int('0x1f', 0)", "int(' 42 ')", "sum(map(int, '<#>2'.replace('-', '')))", "(lambda *a, **k: len(a) + len(k))(*<L>, **{'z': 1})", "[1, 2, 3].__len__()", "len({x for x in <s>})")
}

func (w *writer) floatExpr() string {
	return w.form(
		"(<f> + <f>)", "(<f> - <f>)", "(<f> * <f>)", "(<f> / <f>)", "(<f> // <f>)", "(<f> % <f>)", "-<f>", "abs(<f>)", "float(<i>)", "(<i> / <i>)", "(<i> / <i>)", "(<i> * <f>)", "(<f> ** <#>)",
		"float('1.5')", "float(<s>)", "round(<f>, 2)", "round(<f>)", "max(<f>, <f>)", "sum([<f>, <f>])", "float('inf')", "float('-inf')", "divmod(<f>, <f>)[1]", "float(' 1e3 ')", "(<i> ** -1)", "round(<f>, <#>)", "(<i> + <f>)", "float('%.2f' % <f>)")
}

func (w *writer) textExpr() string {
	if w.n(4) == 0 {
		return "(" + w.formatExpr() + ")"
	}
	return w.form(
		"(<s> + <s>)", "(<s> * <#>)", "<s>[<#>]", "<s>[<slice>]", "<s>[<slice>]", "<s>.upper()", "<s>.lower()", "<s>.strip()", "<s>.lstrip(<s>)", "<s>.rstrip('x ')", "<s>.title()", "<s>.capitalize()", "<s>.swapcase()",
		"<s>.replace(<s>, <s>)", "<s>.replace(<s>, <s>, <#>)", "<s>.center(<#>0)", "<s>.ljust(9, '*')", "<s>.rjust(9)", "<s>.zfill(<#>)", "<s>.join(<W>)", "', '.join(<W>)", "''.join(sorted(<s>))", "''.join(reversed(<s>))",
		"str(<i>)", "str(<s>)", "str(<b>)", "str(<L>)", "str(<W>)", "str(<D>)", "str(<T>)", "repr(<s>)", "repr(<f>)", "repr(<x>)", "chr(<i> + 60)", "hex(<i>)", "bin(<i>)", "<W>[<#>]", "<T>[0]", "<s>.expandtabs(4)", "<s>.expandtabs()",
		"str(None)", "max(<s>)", "min(<W>)", "''.join(c for c in <s> if c not in <s>)", "''.join([c.upper() if i % 2 else c for i, c in enumerate(<s>)])", "<s>.partition(<s>)[2]", "<s>.rpartition('.')[0]",
		"<s>.splitlines()[<#>]", "'-'.join(map(str, <L>))", "''.join(list(map(lambda c: c * 2, <s>)))", "max(<W>, key=len)", "sorted(<W>, key=lambda s: (len(s), s))[0]", "<s>.translate({97: 'b', 98: None})", "<s>.translate(str.maketrans('abc', 'xyz'))",
		"list(<D>)[0]", "'\\n'.join(<W>)", "str(<s>.isdigit())", "type(<x>).__name__.replace('long', 'int')", "<s>.lower()", "(u'%s' % <s>)", "<s>.center(12, '-')", "(<s>).join([<s>, <s>])", "str(list(zip(<s>, <L>)))", "repr(<L>)")
}

// formatExpr is text that a format makes.
func (w *writer) formatExpr() string {
	spec := w.one("", "5", "<8", ">8", "^9", "*^9", "05", "+", "d", "x", "X", "#x", "b", "#b", "o", ",", "08d", "+,d", "=6", "0=6", "-<6d", "e", ".2f", "%", "g", "c", "_")
	floatSpec := w.one(".2f", ".0f", "8.3f", "e", ".3e", "g", ".3g", "+.1f", "08.2f", ",.2f", "%", ".1%", "<9.2f", "10.4g", "G", ".10g", "E")
	textSpec := w.one("", "s", "10", "<10", ">10", "^10", "*<6", ".2", "6.2", "x^5.3", "d", "05")
	percent := w.one("d", "i", "5d", "-5d", "05d", "+d", " d", "x", "X", "#x", "o", "s", "r", "5s", "c", ".3d", "e", "f", ".1f", "u")
	switch w.n(14) {
	case 0:
		return fmt.Sprintf("'{:%s}'.format(%s)", spec, w.expr(whole))
	case 1:
		return fmt.Sprintf("'{:%s}'.format(%s)", floatSpec, w.expr(float))
	case 2:
		return fmt.Sprintf("'{0:%s}|{1}'.format(%s, %s)", textSpec, w.expr(text), w.expr(whole))
	case 3:
		return fmt.Sprintf("'a%%%sb' %% %s", percent, w.expr(whole))
	case 4:
		return fmt.Sprintf("'%%%s' %% %s", w.one(".2f", "8.3f", "e", "g", ".3g", "+.1f", "08.2f", "d", ".10g", "G", "r", "5.0f", "#.3g"), w.expr(float))
	case 5:
		return fmt.Sprintf("'%%%s' %% (%s,)", w.one("s", "10s", "-10s", ".2s", "r", "5.1s", "d", "%s"), w.expr(text))
	case 6:
		return fmt.Sprintf("f'{%s!r:>12}{%s}'", w.leafName(text), w.leafName(whole))
	case 7:
		return fmt.Sprintf("f\"<{%s:%s}>\"", w.leafName(whole), spec)
	case 8:
		return w.fill("'%(a)s-%(b)r' % {'a': <s>, 'b': <x>}")
	case 9:
		return w.fill("'{a[0]} {b.__class__.__name__} {c!r}'.format(a=<W>, b='', c=<x>)")
	case 10:
		return w.fill("'%s %s' % (<i>, <s>)")
	case 11:
		return w.form("'%s' % <T>", "'%s %s' % <T>", "'%d%%' % <i>", "'%*d' % (<#>, <i>)", "'%-*s|' % (<#>, <s>)", "'%s'", "'{{}}{}'.format(<i>)", "'{} {}'.format(<i>)", "'{1} {0}'.format(<i>, <s>)", "'{a}'.format(**{'a': <i>})", "'{:{}}'.format(<s>, <#>)", "'{0[a]}'.format({'a': <i>})", "'%s' % <L>", "'%s' % None", "'%' % 1", "'%d' % <s>", "'%x' % <i>", "'%s'.format(1)")
	case 12:
		return w.form("format(<i>, ',')", "format(<s>, '>5')", "format(<f>, '.3f')", "f'{<n>}'", "f'{<n> + 1:04d}'", "f'{{}}{<n>}'")
	}
	return w.fill("f'{<n>:>{<n> % 9 + 10}}' + f'{1 + 1=}'")
}

// leafName is a name, or a number, which may stand in any text.
func (w *writer) leafName(k kind) string {
	if names := w.names[k]; len(names) > 0 {
		return names[w.n(len(names))]
	}
	return fmt.Sprint(w.n(99))
}

func (w *writer) truthExpr() string {
	return w.form(
		"(<i> < <i>)", "(<i> <= <f>)", "(<f> > <f>)", "(<s> < <s>)", "(<s> == <s>)", "(<i> == <f>)", "(<i> != <s>)", "(<L> == <L>)", "(<L> < <L>)", "(<T> >= <T>)", "(<D> == <D>)", "(<S> <= <S>)", "(<W> > <W>)",
		"(<s> in <s>)", "(<s> in <W>)", "(<i> in <L>)", "(<s> not in <D>)", "(<i> in <S>)", "(not <x>)", "bool(<x>)", "(<i> < <i> < <i>)", "(<s> == <s> != <s>)", "<s>.isdigit()", "<s>.isalpha()", "<s>.isalnum()", "<s>.isspace()", "<s>.isupper()",
		"<s>.islower()", "<s>.istitle()", "<s>.startswith(<s>)", "<s>.endswith((<s>, <s>))", "any(<L>)", "all(<W>)", "any(x > <i> for x in <L>)", "isinstance(<x>, (int, str))", "(<x> is None)", "isinstance(<b>, int)", "<S>.issubset(<S>)", "<S>.isdisjoint(<L>)",
		"callable(<x>)", "hasattr(<x>, 'append')", "bool(<b> and <x>)", "bool(<b> or <x>)", "issubclass(bool, int)", "<s>.startswith('a', 1)", "(<i> is not None)", "(<L> != <L>)", "(<b> == <i>)", "(<f> == <f>)", "(type(<i>) == type(<s>))", "isinstance(<T>, tuple)", "<s>.isdecimal()")
}

func (w *writer) numbersExpr() string {
	return w.form(
		"(<L> + <L>)", "(<L> * <#>)", "<L>[<slice>]", "sorted(<L>)", "sorted(<L>, reverse=True)", "sorted(<L>, key=lambda x: -x)", "sorted(<L>, key=lambda x: (x % 3, x))", "list(reversed(<L>))", "[x * 2 for x in <L>]",
		"[x for x in <L> if x > <i>]", "list(range(<#>))", "list(range(<#>, (<i>) % 50))", "list(range((<i>) % 50, (<i>) % 50, <#>))", "list(map(len, <W>))", "list(filter(None, <L>))", "list(filter(lambda x: x % 2, <L>))", "list(<D>.values())", "sorted(<S>)",
		"[i for i, c in enumerate(<s>)]", "[ord(c) for c in <s>]", "[x + y for x in <L> for y in <L>]", "[x for x, y in zip(<L>, <s>)]", "sorted(set(<L>) & set(<L>))", "[*<L>, *<L>]", "[a for a, *b in [<L>]]", "list(<L>)", "sorted(<L> + <L>)[<slice>]",
		"[int(c) for c in <s> if c.isdigit()]", "sum([<L>, <L>], [])", "[x if x > 0 else -x for x in <L>]", "list(map(lambda a, b: a * b, <L>, <L>))", "[y for x in [<L>, <L>] for y in x if y]", "[(lambda: x)() for x in <L>]", "list(divmod(<i>, <i>))", "list(x ** 2 for x in <L>)", "[len(k) + v for k, v in <D>.items()]", "list(dict(enumerate(<s>)))", "sorted(set(<L>) ^ set(<L>))", "[n for n in map(abs, <L>)]")
}

func (w *writer) wordsExpr() string {
	return w.form(
		"(<W> + <W>)", "<W>[<slice>]", "sorted(<W>)", "sorted(<W>, key=len)", "sorted(<W>, key=str.lower, reverse=True)", "<s>.split()", "<s>.split(<s>)", "<s>.split(',', 1)", "<s>.rsplit('.', <#>)", "<s>.splitlines()", "<s>.splitlines(True)", "list(<s>)",
		"[s.upper() for s in <W>]", "[s for s in <W> if s]", "list(<D>)", "sorted(<D>.keys())", "list(map(str, <L>))", "[str(x) for x in <L>]", "sorted({x for x in <W>})", "list(<s>.partition(<s>))", "sorted(set(<W>) - set(<W>))", "<s>.split(None, <#>)", "[c for c in <s>]",
		"list(<s>[::-1])", "[repr(x) for x in <W>]", "[k for k, v in sorted(<D>.items(), key=lambda kv: (kv[1], kv[0]))]", "sorted(<W>, key=lambda s: s[-1:])", "list(filter(str.isalpha, <W>))", "[a + b for a, b in zip(<W>, <W>)]", "list(reversed(<W>))", "[x.strip() for x in <s>.split(',')]", "sorted(<D>, key=len)", "(<W> * 2)", "list(dict.fromkeys(<W>))", "[w for w in <W> if w in <s>]", "<s>.rsplit(None, 1)", "[*<s>]", "['%s=%s' % p for p in <D>.items()]")
}

func (w *writer) tableExpr() string {
	return w.form(
		"{k: v + 1 for k, v in <D>.items()}", "dict(<D>, a=<i>)", "{**<D>, 'z': <i>}", "dict([(<s>, <i>), (<s>, <i>)])", "dict(zip(<W>, <L>))", "{s: len(s) for s in <W>}", "<D>.copy()", "dict((k, v) for k, v in <D>.items() if v)", "dict(sorted(<D>.items()))",
		"dict.fromkeys(<W>, <i>)", "dict(a=<i>, b=<i>)", "{c: <s>.count(c) for c in <s>}", "dict([<T>])", "{<s>: <i>, **<D>}", "{'%d' % i: i for i in <L>}", "dict(<D>)", "{k.upper(): <D>.get(k, 0) for k in <D>}")
}

func (w *writer) groupExpr() string {
	return w.form(
		"(<S> | <S>)", "(<S> & <S>)", "(<S> - <S>)", "(<S> ^ <S>)", "set(<L>)", "{x % 3 for x in <L>}", "<S>.union(<L>)", "<S>.intersection(<S>)", "<S>.difference(<L>)", "{<i>, <i>}", "set(<D>.values())", "set(len(x) for x in <W>)", "<S>.symmetric_difference(<L>)", "set(map(abs, <L>))", "<S>.copy()")
}

func (w *writer) pairExpr() string {
	return w.form("(<s>, <i>)", "tuple([<s>, <i>])", "max(<T>, <T>)", "sorted([<T>, <T>, <T>])[0]", "(lambda *a: a)(<s>, <i>)", "(*(<s>,), <i>)", "(<T>)[:2]", "list(<D>.items())[0]", "list(zip(<W>, <L>))[-1]", "min([<T>, <T>], key=lambda t: t[1])", "((<s>,) + (<i>,))", "tuple(x for x in <T>)")
}
