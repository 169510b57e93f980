// SPDX-License-Identifier: Apache-2.0

package py

import (
	"math"
	"math/big"

	"go.starlark.net/starlark"
)

func mathModule(*Thread) map[string]Value {
	m := map[string]maker{
		"log": mathLog, "fsum": mathSum, "prod": mathProduct, "isclose": mathClose, "dist": mathDist, "trunc": mathTrunc,
		"factorial": mathFactorial, "gcd": mathDivisor(false), "lcm": mathDivisor(true), "isqrt": mathRoot, "comb": mathChoose(true), "perm": mathChoose(false),
		"modf": partsOf(func(f float64) (Value, Value) {
			whole, part := math.Modf(f)
			return starlark.Float(part), starlark.Float(whole)
		}),
		"frexp": partsOf(func(f float64) (Value, Value) {
			part, power := math.Frexp(f)
			return starlark.Float(part), starlark.MakeInt(power)
		}),
		"ldexp": func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			f, err := floatArg("ldexp", args, 0)
			if err != nil {
				return nil, err
			}
			n, err := intArg("ldexp", args, 1)
			if err != nil {
				return nil, err
			}
			power, ok := n.Int64(), n.IsInt64()
			if !ok || power > 5000 {
				power = 5000
			}
			return finite(math.Ldexp(f, int(max(power, -5000))), f)
		},
	}
	for n, fn := range map[string]func(float64) float64{
		"ceil": math.Ceil, "floor": math.Floor, "sqrt": math.Sqrt, "fabs": math.Abs, "log10": math.Log10, "log2": math.Log2, "log1p": math.Log1p,
		"exp": math.Exp, "expm1": math.Expm1, "sin": math.Sin, "cos": math.Cos, "tan": math.Tan, "asin": math.Asin, "acos": math.Acos, "atan": math.Atan,
		"sinh": math.Sinh, "cosh": math.Cosh, "tanh": math.Tanh, "asinh": math.Asinh, "acosh": math.Acosh, "atanh": math.Atanh,
		"degrees": func(f float64) float64 { return f * (180 / math.Pi) }, "radians": func(f float64) float64 { return f * (math.Pi / 180) },
		"gamma": math.Gamma, "erf": math.Erf, "erfc": math.Erfc, "cbrt": math.Cbrt,
	} {
		m[n] = ofFloat(n, fn)
	}
	for n, fn := range map[string]func(a, b float64) float64{
		"pow": raised, "fmod": math.Mod, "hypot": math.Hypot, "atan2": math.Atan2, "copysign": math.Copysign, "remainder": math.Remainder,
	} {
		m[n] = ofFloats(n, fn)
	}
	for n, fn := range map[string]func(float64) bool{
		"isnan": math.IsNaN, "isinf": func(f float64) bool { return math.IsInf(f, 0) }, "isfinite": func(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) },
	} {
		m[n] = func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			f, err := floatArg(n, args, 0)
			return starlark.Bool(fn(f)), err
		}
	}
	out := funcs(m)
	for n, f := range map[string]float64{"pi": math.Pi, "e": math.E, "tau": 2 * math.Pi, "inf": math.Inf(1), "nan": math.NaN()} {
		out[n] = starlark.Float(f)
	}
	return out
}

// finite gives a result, or the error that it is: not a number, or too large.
func finite(out float64, from ...float64) (Value, error) {
	for _, f := range from {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return starlark.Float(out), nil
		}
	}
	if math.IsNaN(out) {
		return nil, Fail("ValueError", "math domain error")
	}
	if math.IsInf(out, 0) {
		return nil, Fail("OverflowError", "math range error")
	}
	return starlark.Float(out), nil
}

func ofFloat(n string, fn func(float64) float64) maker {
	return func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		f, err := floatArg(n, args, 0)
		if err != nil {
			return nil, err
		}
		out := fn(f)
		if math.IsInf(out, 0) && n != "exp" && n != "expm1" && n != "sinh" && n != "cosh" && !math.IsInf(f, 0) {
			return nil, Fail("ValueError", "math domain error")
		}
		return finite(out, f)
	}
}

func ofFloats(n string, fn func(a, b float64) float64) maker {
	return func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		a, err := floatArg(n, args, 0)
		if err != nil {
			return nil, err
		}
		b, err := floatArg(n, args, 1)
		if err != nil {
			return nil, err
		}
		if n == "pow" && a == 0 && b < 0 {
			return nil, Fail("ValueError", "math domain error")
		}
		return finite(fn(a, b), a, b)
	}
}

func partsOf(fn func(float64) (Value, Value)) maker {
	return func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		f, err := floatArg("modf", args, 0)
		if err != nil {
			return nil, err
		}
		a, b := fn(f)
		return starlark.Tuple{a, b}, nil
	}
}

func intArg(n string, args starlark.Tuple, i int) (*big.Int, error) {
	if i >= len(args) {
		return nil, Fail("TypeError", "%s() takes more arguments", n)
	}
	switch x := numeric(args[i]).(type) {
	case starlark.Int:
		return x.BigInt(), nil
	case starlark.Float:
		// 2.7 takes a float that is whole.
		if f := float64(x); n == "factorial" && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return big.NewInt(int64(f)), nil
		}
	}
	return nil, Fail("TypeError", "%s() takes an integer", n)
}

func mathLog(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	var out [2]float64
	for i := range args[:min(len(args), 2)] {
		f, err := floatArg("log", args, i)
		if err != nil {
			return nil, err
		}
		if f <= 0 {
			return nil, Fail("ValueError", "math domain error")
		}
		out[i] = math.Log(f)
	}
	switch {
	case len(args) == 0:
		return nil, Fail("TypeError", "log() takes a number")
	case len(args) == 1:
		return starlark.Float(out[0]), nil
	case out[1] == 0:
		return nil, Fail("ZeroDivisionError", "float division by zero")
	}
	return starlark.Float(out[0] / out[1]), nil
}

// mathSum adds without losing what rounding takes.
func mathSum(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	v, err := one("fsum", args)
	if err != nil {
		return nil, err
	}
	sum := new(big.Float).SetPrec(2200)
	err = th.each(v, func(v Value) (bool, error) {
		f, ok := starlark.AsFloat(numeric(v))
		if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
			return false, Fail("TypeError", "fsum() takes finite numbers")
		}
		sum.Add(sum, big.NewFloat(f))
		return true, th.Step(8)
	})
	out, _ := sum.Float64()
	return starlark.Float(out), err
}

func mathProduct(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var over Value
	var out Value = starlark.MakeInt(1)
	if err := starlark.UnpackArgs("prod", args, kw, "iterable", &over, "start?", &out); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	err := th.each(over, func(v Value) (bool, error) {
		var err error
		out, err = th.binary("*", out, v)
		return true, err
	})
	return out, err
}

func mathClose(_ *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var v [2]Value
	var rel, abs Value = starlark.Float(1e-9), starlark.Float(0)
	if err := starlark.UnpackArgs("isclose", args, kw, "a", &v[0], "b", &v[1], "rel_tol?", &rel, "abs_tol?", &abs); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	var f [4]float64
	for i := range f {
		var err error
		if f[i], err = floatArg("isclose", starlark.Tuple{v[0], v[1], rel, abs}, i); err != nil {
			return nil, err
		}
	}
	if f[0] == f[1] {
		return starlark.True, nil
	}
	far := math.Abs(f[0] - f[1])
	return starlark.Bool(!math.IsInf(far, 0) && far <= math.Max(f[2]*math.Max(math.Abs(f[0]), math.Abs(f[1])), f[3])), nil
}

func mathDist(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var v [2]Value
	if err := starlark.UnpackPositionalArgs("dist", args, kw, 2, &v[0], &v[1]); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	a, err := th.list(v[0])
	if err != nil {
		return nil, err
	}
	b, err := th.list(v[1])
	if err != nil {
		return nil, err
	}
	if len(a) != len(b) {
		return nil, Fail("ValueError", "both points must have the same number of dimensions")
	}
	sum := 0.0
	for i := range a {
		p, ok := starlark.AsFloat(numeric(a[i]))
		q, too := starlark.AsFloat(numeric(b[i]))
		if !ok || !too {
			return nil, Fail("TypeError", "a float is required")
		}
		sum = math.Hypot(sum, p-q)
	}
	return starlark.Float(sum), nil
}

func mathTrunc(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	v, err := one("trunc", args)
	if err != nil {
		return nil, err
	}
	if _, ok := native(v).(starlark.String); ok {
		return nil, Fail("TypeError", "a float is required")
	}
	return makeInt(th, starlark.Tuple{v}, nil)
}

// maxFactors bounds what is multiplied at once: a number of about maxBits.
const maxFactors = 11_000

func mathFactorial(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	n, err := intArg("factorial", args, 0)
	if err != nil {
		return nil, err
	}
	if n.Sign() < 0 {
		return nil, Fail("ValueError", "factorial() not defined for negative values")
	}
	if !n.IsInt64() || n.Int64() > maxFactors {
		return nil, th.tooLarge()
	}
	return starlark.MakeBigInt(new(big.Int).MulRange(1, n.Int64())), th.Step(int(n.Int64()))
}

// mathChoose is the number of ways to take k of n, in any order or in one.
func mathChoose(unordered bool) maker {
	return func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		n, err := intArg("comb", args, 0)
		if err != nil {
			return nil, err
		}
		k := n
		if len(args) > 1 {
			if k, err = intArg("comb", args, 1); err != nil {
				return nil, err
			}
		}
		switch {
		case n.Sign() < 0 || k.Sign() < 0:
			return nil, Fail("ValueError", "n and k must be non-negative integers")
		case k.Cmp(n) > 0:
			return starlark.MakeInt(0), nil
		case !n.IsInt64() || k.Int64() > maxFactors || int(k.Int64())*n.BitLen() > 2*maxBits:
			return nil, th.tooLarge()
		}
		out := new(big.Int)
		if unordered {
			out.Binomial(n.Int64(), k.Int64())
		} else {
			out.MulRange(n.Int64()-k.Int64()+1, n.Int64())
		}
		return starlark.MakeBigInt(out), th.Step(1 + int(k.Int64())*4)
	}
}

// mathDivisor is the largest number that divides all, or the smallest that all divide.
func mathDivisor(multiple bool) maker {
	return func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		out := new(big.Int)
		if multiple {
			out.SetInt64(1)
		}
		for i := range args {
			n, err := intArg("gcd", args, i)
			if err != nil {
				return nil, err
			}
			if err := th.Step(1 + n.BitLen()*out.BitLen()/4096); err != nil {
				return nil, err
			}
			n = new(big.Int).Abs(n)
			shared := new(big.Int).GCD(nil, nil, out, n)
			switch {
			case !multiple:
				out = shared
			case n.Sign() == 0:
				return starlark.MakeInt(0), nil
			default:
				out = new(big.Int).Div(new(big.Int).Mul(out, n), shared)
			}
			if out.BitLen() > maxBits {
				return nil, th.tooLarge()
			}
		}
		return starlark.MakeBigInt(out), nil
	}
}

func mathRoot(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	n, err := intArg("isqrt", args, 0)
	if err != nil {
		return nil, err
	}
	if n.Sign() < 0 {
		return nil, Fail("ValueError", "isqrt() argument must be nonnegative")
	}
	return starlark.MakeBigInt(new(big.Int).Sqrt(n)), th.Step(1 + n.BitLen()*n.BitLen()/4096)
}
