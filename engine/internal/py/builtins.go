// SPDX-License-Identifier: Apache-2.0

package py

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

func (p *Python) functions() map[string]Value {
	out := map[string]Value{"__debug__": starlark.False, "__name__": starlark.String("__main__"), "NotImplemented": notImplemented, "Ellipsis": ellipsis}
	for n, fn := range map[string]maker{
		"len": biLen, "repr": biRepr, "ascii": biRepr, "abs": biAbs, "min": extreme(false), "max": extreme(true), "sum": biSum,
		"sorted": biSorted, "reversed": biReversed, "range": biRange, "xrange": biRange, "enumerate": biEnumerate, "zip": biZip,
		"map": biMap, "filter": biFilter, "reduce": biReduce, "any": quantor(true), "all": quantor(false), "iter": biIter, "next": biNext,
		"isinstance": biIsinstance, "issubclass": biIssubclass, "hasattr": biHasattr, "getattr": biGetattr, "setattr": biSetattr,
		"callable": biCallable, "chr": biChr, "unichr": biChr, "ord": biOrd, "hex": biBase("x"), "oct": biBase("o"), "bin": biBase("b"),
		"round": biRound, "divmod": biDivmod, "pow": biPow, "cmp": biCmp, "format": biFormat, "hash": biHash, "id": biHash, "intern": biIntern,
		"print": biNothing, "open": biOpen, "file": biOpen, "exec": biExec, "execfile": biExecfile, "eval": biEval, "__import__": biImport,
		"super": biSuper, "locals": biDir, "globals": biDir, "dir": biDir, "vars": biDir, "slice": biSlice,
	} {
		out[n] = Func(n, fn)
	}
	return out
}

func biNothing(*Thread, starlark.Tuple, []starlark.Tuple) (Value, error) { return starlark.None, nil }

func biLen(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	v, err := one("len", args)
	if err != nil {
		return nil, err
	}
	n, err := th.length(v)
	return starlark.MakeInt(n), err
}

func biRepr(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	v, err := one("repr", args)
	if err != nil {
		return nil, err
	}
	s, err := th.Repr(v)
	return starlark.String(s), err
}

func biAbs(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	v, err := one("abs", args)
	if err != nil {
		return nil, err
	}
	if m := own(v, "__abs__"); m != nil {
		return th.Call(m, starlark.Tuple{v}, nil)
	}
	switch x := numeric(v).(type) {
	case starlark.Int:
		if x.Sign() < 0 {
			return starlark.MakeInt(0).Sub(x), nil
		}
		return x, nil
	case starlark.Float:
		return starlark.Float(math.Abs(float64(x))), nil
	}
	return nil, Fail("TypeError", "bad operand type for abs(): '%s'", th.typeName(v))
}

// extreme is min or max.
func extreme(largest bool) maker {
	return func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		var key, deflt Value
		for _, k := range kw {
			switch k[0] {
			case starlark.String("key"):
				key = k[1]
			case starlark.String("default"):
				deflt = k[1]
			}
		}
		items := []Value(args)
		if len(args) == 1 {
			var err error
			if items, err = th.list(args[0]); err != nil {
				return nil, err
			}
		}
		if len(items) == 0 {
			if deflt != nil {
				return deflt, nil
			}
			return nil, Fail("ValueError", "min() or max() arg is an empty sequence")
		}
		sorted := append([]Value{}, items...)
		if err := th.sort(sorted, key, nil, largest); err != nil {
			return nil, err
		}
		return sorted[0], nil
	}
}

func biSum(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var over Value
	var sum Value = starlark.MakeInt(0)
	if err := starlark.UnpackArgs("sum", args, kw, "iterable", &over, "start?", &sum); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	err := th.each(over, func(v Value) (bool, error) {
		var err error
		sum, err = th.binary("+", sum, v)
		return true, err
	})
	return sum, err
}

func biSorted(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var over Value
	var compare, key Value = starlark.None, starlark.None
	var reverse Value = starlark.False
	if err := starlark.UnpackArgs("sorted", args, kw, "iterable", &over, "cmp?", &compare, "key?", &key, "reverse?", &reverse); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	items, err := th.list(over)
	if err != nil {
		return nil, err
	}
	return starlark.NewList(items), th.sort(items, key, compare, bool(reverse.Truth()))
}

func biReversed(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	v, err := one("reversed", args)
	if err != nil {
		return nil, err
	}
	items, err := th.list(v)
	if err != nil {
		return nil, err
	}
	out := make([]Value, len(items))
	for i, item := range items {
		out[len(items)-1-i] = item
	}
	return iterOver(out), nil
}

func biRange(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	part := []int{0, 0, 1}
	if len(args) < 1 || len(args) > 3 {
		return nil, Fail("TypeError", "range expected 1 to 3 arguments, got %d", len(args))
	}
	for i, a := range args {
		k, ok := numeric(a).(starlark.Int)
		n, fits := k.Int64()
		if !ok {
			return nil, Fail("TypeError", "range() integer argument expected, got %s.", th.typeName(a))
		}
		if !fits || n > math.MaxInt32 || n < math.MinInt32 {
			return nil, th.Grow(maxBytes + 1)
		}
		part[i] = int(n)
	}
	if len(args) == 1 {
		part[0], part[1] = 0, part[0]
	}
	lo, hi, step := part[0], part[1], part[2]
	if step == 0 {
		return nil, Fail("ValueError", "range() step argument must not be zero")
	}
	n := 0
	if step > 0 && hi > lo {
		n = (hi - lo + step - 1) / step
	} else if step < 0 && lo > hi {
		n = (lo - hi - step - 1) / -step
	}
	if err := th.Grow(slot * n); err != nil {
		return nil, err
	}
	out := make([]Value, n)
	for i := range out {
		out[i] = starlark.MakeInt(lo + i*step)
	}
	return starlark.NewList(out), nil
}

func biEnumerate(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var over Value
	i := 0
	if err := starlark.UnpackArgs("enumerate", args, kw, "sequence", &over, "start?", &i); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	it, err := th.iter(over)
	if err != nil {
		return nil, err
	}
	return &Iter{Next: func() (Value, bool, error) {
		v, ok, err := it.Next()
		if !ok || err != nil {
			return nil, false, err
		}
		i++
		return starlark.Tuple{starlark.MakeInt(i - 1), v}, true, nil
	}}, nil
}

// rows gives the items of several iterables side by side, as long as the shortest.
func (th *Thread) rows(args []Value) ([]Value, error) {
	its := make([]*Iter, len(args))
	for i, a := range args {
		it, err := th.iter(a)
		if err != nil {
			return nil, err
		}
		its[i] = it
	}
	var out []Value
	for len(its) > 0 {
		row := make(starlark.Tuple, len(its))
		for i, it := range its {
			v, ok, err := it.Next()
			if err != nil || !ok {
				return out, err
			}
			row[i] = v
		}
		if err := th.Grow(slot * (1 + len(row))); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

func biZip(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	rows, err := th.rows(args)
	return starlark.NewList(rows), err
}

func biMap(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) < 2 {
		return nil, Fail("TypeError", "map() requires at least two args")
	}
	rows, err := th.rows(args[1:])
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		r := row.(starlark.Tuple)
		if args[0] == starlark.None {
			if rows[i] = r; len(r) == 1 {
				rows[i] = r[0]
			}
			continue
		}
		if err := th.Step(1); err != nil {
			return nil, err
		}
		if rows[i], err = th.Call(args[0], r, nil); err != nil {
			return nil, err
		}
	}
	return starlark.NewList(rows), nil
}

func biFilter(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var fn, over Value
	if err := starlark.UnpackPositionalArgs("filter", args, kw, 2, &fn, &over); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	var out []Value
	err := th.each(over, func(v Value) (bool, error) {
		x := v
		if fn != starlark.None {
			var err error
			if x, err = th.Call(fn, starlark.Tuple{v}, nil); err != nil {
				return false, err
			}
		}
		ok, err := th.Truth(x)
		if ok {
			out = append(out, v)
		}
		return true, err
	})
	if err != nil {
		return nil, err
	}
	switch native(over).(type) {
	case starlark.String:
		s := ""
		for _, v := range out {
			s += string(v.(starlark.String))
		}
		return starlark.String(s), th.Grow(len(s))
	case starlark.Tuple:
		return starlark.Tuple(out), nil
	}
	return starlark.NewList(out), th.Grow(slot * len(out))
}

func biReduce(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var fn, over, acc Value
	if err := starlark.UnpackPositionalArgs("reduce", args, kw, 2, &fn, &over, &acc); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	err := th.each(over, func(v Value) (bool, error) {
		if acc == nil {
			acc = v
			return true, nil
		}
		var err error
		acc, err = th.Call(fn, starlark.Tuple{acc, v}, nil)
		return true, err
	})
	if err == nil && acc == nil {
		err = Fail("TypeError", "reduce() of empty sequence with no initial value")
	}
	return acc, err
}

// quantor is any or all.
func quantor(some bool) maker {
	return func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		v, err := one("any", args)
		if err != nil {
			return nil, err
		}
		out := !some
		err = th.each(v, func(item Value) (bool, error) {
			ok, err := th.Truth(item)
			if ok == some {
				out = some
				return false, err
			}
			return true, err
		})
		return starlark.Bool(out), err
	}
}

func biIter(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) == 2 {
		return &Iter{Next: func() (Value, bool, error) {
			if err := th.Step(1); err != nil {
				return nil, false, err
			}
			v, err := th.Call(args[0], nil, nil)
			if err != nil {
				return nil, false, err
			}
			end, err := th.Equal(v, args[1])
			return v, !end, err
		}}, nil
	}
	v, err := one("iter", args)
	if err != nil {
		return nil, err
	}
	return th.iter(v)
}

func biNext(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if len(args) == 0 || len(args) > 2 {
		return nil, Fail("TypeError", "next expected 1 or 2 arguments")
	}
	v, err := th.nextOf(args[0])
	if r, ok := err.(*Raised); ok && r.Class == "StopIteration" && len(args) == 2 {
		return args[1], nil
	}
	return v, err
}

func (th *Thread) nextOf(v Value) (Value, error) {
	for _, n := range []string{"next", "__next__"} {
		if m := own(v, n); m != nil {
			return th.Call(m, starlark.Tuple{v}, nil)
		}
	}
	it, ok := v.(*Iter)
	if !ok {
		return nil, Fail("TypeError", "%s object is not an iterator", th.typeName(v))
	}
	x, ok, err := it.Next()
	if err == nil && !ok {
		err = Fail("StopIteration", "")
	}
	return x, err
}

func biChr(_ *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var v Value
	if err := starlark.UnpackPositionalArgs("chr", args, kw, 1, &v); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	i, ok := numeric(v).(starlark.Int)
	if !ok {
		return nil, Fail("TypeError", "an integer is required")
	}
	n, ok := i.Int64()
	if !ok || n > math.MaxInt32 || n < math.MinInt32 {
		return nil, Fail("OverflowError", "signed integer is greater than maximum")
	}
	if n < 0 || n > utf8.MaxRune {
		return nil, Fail("ValueError", "chr() arg not in range")
	}
	return starlark.String(string(rune(n))), nil
}

func biOrd(_ *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var s string
	if err := starlark.UnpackPositionalArgs("ord", args, kw, 1, &s); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 || n != len(s) {
		return nil, Fail("TypeError", "ord() expected a character, but string of length %d found", utf8.RuneCountInString(s))
	}
	if r == utf8.RuneError && n == 1 {
		r = rune(s[0])
	}
	return starlark.MakeInt(int(r)), nil
}

func biBase(verb string) maker {
	return func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		v, err := one("hex", args)
		if err != nil {
			return nil, err
		}
		i, ok := numeric(v).(starlark.Int)
		if !ok {
			return nil, Fail("TypeError", "an integer is required")
		}
		sp := spec{fill: " ", prec: -1, alt: true, verb: verb[0], percent: verb == "o"}
		s, err := writeInt(i.BigInt(), sp)
		return starlark.String(s), err
	}
}

func biRound(_ *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var v Value
	digits := 0
	if err := starlark.UnpackPositionalArgs("round", args, kw, 1, &v, &digits); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	f, ok := starlark.AsFloat(numeric(v))
	if !ok {
		return nil, Fail("TypeError", "a float is required")
	}
	if digits > 300 || digits < -300 {
		return starlark.Float(f), nil
	}
	if digits > 0 {
		// By decimal digits, as Python does: 2.675 is below 2.675.
		s := strconv.FormatFloat(f, 'f', digits, 64)
		out, err := strconv.ParseFloat(s, 64)
		return starlark.Float(out), err
	}
	scale := math.Pow(10, float64(digits))
	return starlark.Float(math.Round(f*scale) / scale), nil
}

func biDivmod(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var a, b Value
	if err := starlark.UnpackPositionalArgs("divmod", args, kw, 2, &a, &b); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	q, err := th.binary("//", a, b)
	if err != nil {
		return nil, err
	}
	r, err := th.binary("%", a, b)
	return starlark.Tuple{q, r}, err
}

func biPow(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var a, b Value
	var mod Value = starlark.None
	if err := starlark.UnpackPositionalArgs("pow", args, kw, 2, &a, &b, &mod); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	if mod == starlark.None {
		return th.binary("**", a, b)
	}
	return th.powMod(a, b, mod)
}

// powMod is pow() with three arguments, which never makes the power itself.
func (th *Thread) powMod(a, b, mod Value) (Value, error) {
	var n [3]*big.Int
	for i, v := range []Value{a, b, mod} {
		x, ok := numeric(v).(starlark.Int)
		if !ok {
			return nil, Fail("TypeError", "pow() 3rd argument not allowed unless all arguments are integers")
		}
		if n[i] = x.BigInt(); n[i].BitLen() > 4096 {
			return nil, th.tooLarge()
		}
	}
	if n[2].Sign() == 0 {
		return nil, Fail("ValueError", "pow() 3rd argument cannot be 0")
	}
	n[0] = new(big.Int).Mod(n[0], new(big.Int).Abs(n[2]))
	if err := th.Step(n[1].BitLen() * n[2].BitLen() / 64 * n[2].BitLen() / 64 / 64); err != nil {
		return nil, err
	}
	out := new(big.Int).Exp(n[0], n[1], new(big.Int).Abs(n[2]))
	if out == nil {
		return nil, Fail("ValueError", "base is not invertible for the given modulus")
	}
	out.Mod(out, new(big.Int).Abs(n[2]))
	if n[2].Sign() < 0 && out.Sign() > 0 {
		out.Add(out, n[2])
	}
	return starlark.MakeBigInt(out), nil
}

func biCmp(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var a, b Value
	if err := starlark.UnpackPositionalArgs("cmp", args, kw, 2, &a, &b); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	n, err := th.order(a, b)
	return starlark.MakeInt(n), err
}

func biFormat(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var v Value
	var format string
	if err := starlark.UnpackPositionalArgs("format", args, kw, 1, &v, &format); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	s, err := th.formatted(v, 0, format)
	return starlark.String(s), err
}

// biHash is refused: hashes of texts and addresses of objects are chance.
// biHash is refused but where a class says what its objects hash to: there a value
// stands for its own hash.
func biHash(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	if th.hashing > 0 && len(args) == 1 {
		return args[0], nil
	}
	return nil, refused("use hashlib, whose results stay the same", "hash() and id() differ from run to run")
}

func biIntern(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	return one("intern", args)
}

func biSlice(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	part := []Value{starlark.None, starlark.None, starlark.None}
	switch len(args) {
	case 1:
		part[1] = args[0]
	case 2, 3:
		copy(part, args)
	default:
		return nil, Fail("TypeError", "slice expected 1 to 3 arguments")
	}
	return &sliceValue{part[0], part[1], part[2]}, nil
}

// readPath reads a file of the specification for open and execfile.
func (th *Thread) readPath(path string) (string, error) {
	if th.world.Read == nil {
		return "", Fail("IOError", "[Errno 2] No such file or directory: %s", quote(path))
	}
	s, err := th.world.Read(path)
	if err != nil {
		return "", err
	}
	if th.read == nil {
		th.read = map[string]string{}
	}
	s = strings.Clone(s)
	th.read[s] = path
	return s, th.Grow(len(s))
}
