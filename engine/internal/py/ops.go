// SPDX-License-Identifier: Apache-2.0

package py

import (
	"math"
	"math/big"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Truth tells whether a value counts as true.
func (th *Thread) Truth(v Value) (bool, error) {
	o, ok := v.(*Instance)
	if !ok {
		return bool(v.Truth()), nil
	}
	for _, n := range []string{"__nonzero__", "__bool__", "__len__"} {
		if m := o.Class.find(n); m != nil {
			x, err := th.Call(m, starlark.Tuple{o}, nil)
			if err != nil {
				return false, err
			}
			return bool(x.Truth()), nil
		}
	}
	return bool(o.Truth()), nil
}

// numeric makes a number of a truth value.
func numeric(v Value) Value {
	v = native(v)
	if b, ok := v.(starlark.Bool); ok {
		if b {
			return starlark.MakeInt(1)
		}
		return starlark.MakeInt(0)
	}
	return v
}

func isNumber(v Value) bool {
	switch v.(type) {
	case starlark.Int, starlark.Float:
		return true
	}
	return false
}

func (th *Thread) unary(o string, v Value) (Value, error) {
	if m := own(v, map[string]string{"-": "__neg__", "+": "__pos__", "~": "__invert__"}[o]); m != nil {
		return th.Call(m, starlark.Tuple{v}, nil)
	}
	switch x := numeric(v).(type) {
	case starlark.Int:
		switch o {
		case "-":
			return starlark.MakeInt(0).Sub(x), nil
		case "~":
			return x.Not(), nil
		}
		return x, nil
	case starlark.Float:
		switch o {
		case "-":
			return -x, nil
		case "+":
			return x, nil
		}
	}
	return nil, Fail("TypeError", "bad operand type for unary %s: '%s'", o, th.typeName(v))
}

// exactly is the operator / of a module that imports division from the future.
const exactly = "true/"

// special methods of the binary operators.
var dunder = map[string]string{
	exactly: "truediv",
	"+":     "add", "-": "sub", "*": "mul", "/": "div", "//": "floordiv", "%": "mod", "**": "pow",
	"&": "and", "|": "or", "^": "xor", "<<": "lshift", ">>": "rshift", "@": "matmul",
}

// tokens of starlark's operators on numbers and sets.
var tokens = map[string]syntax.Token{
	"+": syntax.PLUS, "-": syntax.MINUS, "*": syntax.STAR, "/": syntax.SLASH, "//": syntax.SLASHSLASH, "%": syntax.PERCENT,
	"&": syntax.AMP, "|": syntax.PIPE, "^": syntax.CIRCUMFLEX, "<<": syntax.LTLT, ">>": syntax.GTGT,
}

func (th *Thread) binary(o string, a, b Value) (Value, error) {
	if v, err := th.overloaded(o, a, b); v != nil || err != nil {
		return v, err
	}
	x, y := numeric(a), numeric(b)
	if isNumber(x) && isNumber(y) {
		return th.arithmetic(o, x, y)
	}
	x, y = native(a), native(b)
	switch o {
	case "+":
		if v, err := th.concat(x, y); v != nil || err != nil {
			return v, err
		}
	case "*":
		if v, err := th.repeat(x, y); v != nil || err != nil {
			return v, err
		}
	case "%":
		if s, ok := x.(starlark.String); ok {
			out, err := th.percent(string(s), b)
			return starlark.String(out), err
		}
	case "-", "&", "|", "^":
		if s, ok := x.(*starlark.Set); ok {
			if t, ok := y.(*starlark.Set); ok {
				return combine(o, s, t)
			}
		}
		if d, ok := x.(*starlark.Dict); ok && o == "|" {
			out := new(starlark.Dict)
			if err := th.update(out, d); err != nil {
				return nil, err
			}
			return out, th.update(out, y)
		}
	}
	return nil, Fail("TypeError", "unsupported operand type(s) for %s: '%s' and '%s'", o, th.typeName(a), th.typeName(b))
}

// overloaded calls the special method of an operator, nil where there is none.
func (th *Thread) overloaded(o string, a, b Value) (Value, error) {
	names := []string{dunder[o]}
	if o == "/" || o == exactly {
		names = append(names, "truediv", "div")
	}
	for _, n := range names {
		if v, err := th.offered(own(a, "__"+n+"__"), a, b); v != nil || err != nil {
			return v, err
		}
		if v, err := th.offered(own(b, "__r"+n+"__"), b, a); v != nil || err != nil {
			return v, err
		}
	}
	if _, ok := a.(Standin); ok {
		return nil, nil
	}
	if x, ok := a.(Object); ok {
		m, err := x.Member(th, "__"+dunder[o]+"__")
		if m == nil || err != nil {
			return nil, err
		}
		return th.Call(m, starlark.Tuple{b}, nil)
	}
	return nil, nil
}

// offered calls a special method; nil where there is none, or it knows no answer.
func (th *Thread) offered(m Value, args ...Value) (Value, error) {
	if m == nil {
		return nil, nil
	}
	v, err := th.Call(m, args, nil)
	if v == notImplemented {
		return nil, err
	}
	return v, err
}

func bits(v Value) int {
	if i, ok := v.(starlark.Int); ok {
		if n, ok := i.Int64(); ok {
			return big.NewInt(n).BitLen()
		}
		return i.BigInt().BitLen()
	}
	return 0
}

func (th *Thread) arithmetic(o string, x, y Value) (Value, error) {
	a, isInt := x.(starlark.Int)
	b, both := y.(starlark.Int)
	if isInt && both {
		switch o {
		case "+":
			return a.Add(b), nil
		case "-":
			return a.Sub(b), nil
		case "/":
			o = "//"
		case "*":
			if bits(a)+bits(b) > maxBits {
				return nil, th.tooLarge()
			}
			if err := th.Step(bits(a) / 64 * (bits(b) / 64) / 64); err != nil {
				return nil, err
			}
		case "//", "%":
			if err := th.Step(bits(a) / 64 * (bits(b) / 64) / 64); err != nil {
				return nil, err
			}
		case exactly:
			return divide(a, b)
		case "<<", ">>":
			return th.shift(o, a, b)
		}
	}
	if o == "**" {
		return th.power(x, y)
	}
	if o == exactly {
		o = "/"
	}
	if (o == "/" || o == "//" || o == "%") && !bool(y.Truth()) {
		what := "integer division or modulo by zero"
		if !isInt || !both {
			what = "float division by zero"
		}
		return nil, Fail("ZeroDivisionError", "%s", what)
	}
	if o == "//" || o == "%" {
		if !isInt || !both {
			return floored(o, x, y)
		}
	}
	v, err := starlark.Binary(tokens[o], x, y)
	if err != nil {
		return nil, Fail("TypeError", "unsupported operand type(s) for %s: '%s' and '%s'", o, th.typeName(x), th.typeName(y))
	}
	return v, nil
}

// floored is // or % of numbers of which one is no whole number.
func floored(o string, x, y Value) (Value, error) {
	a, ok := starlark.AsFloat(x)
	b, too := starlark.AsFloat(y)
	if !ok || !too {
		return nil, Fail("OverflowError", "int too large to convert to float")
	}
	rest := math.Mod(a, b)
	quotient := (a - rest) / b
	switch {
	case rest == 0:
		rest = math.Copysign(0, b)
	case (b < 0) != (rest < 0):
		rest += b
		quotient--
	}
	if o == "%" {
		return starlark.Float(rest), nil
	}
	if quotient == 0 {
		return starlark.Float(math.Copysign(0, a/b)), nil
	}
	down := math.Floor(quotient)
	if quotient-down > 0.5 {
		down++
	}
	return starlark.Float(down), nil
}

// raised is p to the power of q. Small whole exponents are rounded once, as C's
// library does.
func raised(p, q float64) float64 {
	n := int(math.Abs(q))
	if q != math.Trunc(q) || n > 1100 || n < 2 || p == 0 || math.IsInf(p, 0) || math.IsNaN(p) {
		return math.Pow(p, q)
	}
	const digits = 400
	out, by := big.NewFloat(1).SetPrec(digits), big.NewFloat(p).SetPrec(digits)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			out.Mul(out, by)
		}
		by.Mul(by, by)
	}
	if q < 0 {
		out.Quo(big.NewFloat(1).SetPrec(digits), out)
	}
	f, _ := out.Float64()
	return f
}

// divide is exact division, rounded once.
func divide(a, b starlark.Int) (Value, error) {
	if b.Sign() == 0 {
		return nil, Fail("ZeroDivisionError", "division by zero")
	}
	if a.Sign() == 0 && b.Sign() < 0 {
		return starlark.Float(math.Copysign(0, -1)), nil
	}
	f, _ := new(big.Rat).SetFrac(a.BigInt(), b.BigInt()).Float64()
	if math.IsInf(f, 0) {
		return nil, Fail("OverflowError", "integer division result too large for a float")
	}
	return starlark.Float(f), nil
}

func (th *Thread) shift(o string, a, b starlark.Int) (Value, error) {
	n, ok := b.Int64()
	switch {
	case b.Sign() < 0:
		return nil, Fail("ValueError", "negative shift count")
	case o == ">>":
		if !ok || n > maxBits {
			n = maxBits
		}
		return a.Rsh(uint(n)), nil
	case a.Sign() != 0 && (!ok || n > maxBits-int64(bits(a))):
		return nil, th.tooLarge()
	case a.Sign() == 0:
		return a, nil
	}
	return a.Lsh(uint(n)), nil
}

func (th *Thread) tooLarge() error {
	return &Limit{th.line, "too large a number"}
}

func (th *Thread) power(x, y Value) (Value, error) {
	a, isInt := x.(starlark.Int)
	b, both := y.(starlark.Int)
	if isInt && both && b.Sign() >= 0 {
		n, ok := b.Int64()
		if size := int64(bits(a)); !ok && size > 1 || size > 1 && n > maxBits/size {
			return nil, th.tooLarge()
		}
		out := starlark.MakeBigInt(new(big.Int).Exp(a.BigInt(), b.BigInt(), nil))
		return out, th.Step(bits(out) / 64 * (bits(out) / 64) / 64)
	}
	p, _ := starlark.AsFloat(x)
	q, _ := starlark.AsFloat(y)
	if p == 0 && q < 0 {
		return nil, Fail("ZeroDivisionError", "0.0 cannot be raised to a negative power")
	}
	out := raised(p, q)
	switch {
	case math.IsInf(out, 0) && !math.IsInf(p, 0) && !math.IsInf(q, 0):
		return nil, Fail("OverflowError", "(34, 'Numerical result out of range')")
	case math.IsNaN(out) && !math.IsNaN(p) && !math.IsNaN(q):
		return nil, Fail("ValueError", "negative number cannot be raised to a fractional power")
	}
	return starlark.Float(out), nil
}

// concat joins two sequences of one type, nil where they are not.
func (th *Thread) concat(x, y Value) (Value, error) {
	switch a := x.(type) {
	case starlark.String:
		if b, ok := y.(starlark.String); ok {
			s, err := th.joined(string(a), string(b))
			return starlark.String(s), err
		}
	case *starlark.List:
		if b, ok := y.(*starlark.List); ok {
			return starlark.NewList(append(elements(a), elements(b)...)), th.Grow(slot * (a.Len() + b.Len()))
		}
	case starlark.Tuple:
		if b, ok := y.(starlark.Tuple); ok {
			return append(append(starlark.Tuple{}, a...), b...), th.Grow(slot * (len(a) + len(b)))
		}
	}
	return nil, nil
}

func elements(l *starlark.List) []Value {
	out := make([]Value, l.Len())
	for i := range out {
		out[i] = l.Index(i)
	}
	return out
}

// repeat multiplies a sequence, nil where there is none.
func (th *Thread) repeat(x, y Value) (Value, error) {
	if _, ok := numeric(x).(starlark.Int); ok {
		x, y = y, x
	}
	i, ok := numeric(y).(starlark.Int)
	if !ok {
		return nil, nil
	}
	n := 0
	if i.Sign() > 0 {
		v, ok := i.Int64()
		if !ok || v > maxBytes {
			v = maxBytes + 1
		}
		n = int(v)
	}
	switch a := x.(type) {
	case starlark.String:
		if len(a) > 0 && n > maxBytes/len(a) {
			return nil, th.Grow(maxBytes + 1)
		}
		if err := th.Grow(n * len(a)); err != nil {
			return nil, err
		}
		return starlark.String(strings.Repeat(string(a), n)), nil
	case *starlark.List:
		items, err := th.repeated(elements(a), n)
		return starlark.NewList(items), err
	case starlark.Tuple:
		items, err := th.repeated(a, n)
		return starlark.Tuple(items), err
	}
	return nil, nil
}

func (th *Thread) repeated(items []Value, n int) ([]Value, error) {
	if len(items) > 0 && n > maxBytes/slot/len(items) {
		return nil, th.Grow(maxBytes + 1)
	}
	if err := th.Grow(slot * n * len(items)); err != nil {
		return nil, err
	}
	out := make([]Value, 0, n*len(items))
	for range n {
		if len(items) == 0 {
			break
		}
		out = append(out, items...)
	}
	return out, nil
}

// augmented is x op= y, which changes lists, sets and dictionaries in place.
func (th *Thread) augmented(o string, a, b Value) (Value, error) {
	if m := own(a, "__i"+dunder[o]+"__"); m != nil {
		return th.Call(m, starlark.Tuple{a, b}, nil)
	}
	switch x := native(a).(type) {
	case *starlark.List:
		if o == "+" {
			items, err := th.list(b)
			if err != nil {
				return nil, err
			}
			return a, th.extend(x, items)
		}
		if _, ok := numeric(b).(starlark.Int); ok && o == "*" {
			out, err := th.repeat(x, b)
			if err != nil {
				return nil, err
			}
			return a, replace(x, elements(out.(*starlark.List)))
		}
	case *starlark.Set:
		if t, ok := native(b).(*starlark.Set); ok && (o == "|" || o == "-" || o == "&" || o == "^") {
			out, err := combine(o, x, t)
			if err != nil {
				return nil, err
			}
			return a, refill(x, out)
		}
	}
	return th.binary(o, a, b)
}
