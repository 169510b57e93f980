// SPDX-License-Identifier: Apache-2.0

package py

import (
	bytesOf "encoding/binary"
	"math"
	"math/big"

	"go.starlark.net/starlark"
)

// widths are the sizes of what struct packs, in its standard sizes.
var widths = map[byte]int{'x': 1, 'c': 1, 's': 1, 'b': 1, 'B': 1, '?': 1, 'h': 2, 'H': 2, 'i': 4, 'I': 4, 'l': 4, 'L': 4, 'f': 4, 'q': 8, 'Q': 8, 'd': 8}

// field is one item of a format: so many of a kind.
type field struct {
	kind  byte
	count int
}

// packing reads a format. Those without a sign of the byte order would depend on
// the machine where sizes or gaps do.
func packing(format string) (bytesOf.ByteOrder, []field, int, error) {
	var order bytesOf.ByteOrder = bytesOf.LittleEndian
	native := true
	if format != "" {
		switch format[0] {
		case '<', '=':
			native, format = false, format[1:]
		case '>', '!':
			order, native, format = bytesOf.BigEndian, false, format[1:]
		case '@':
			format = format[1:]
		}
	}
	var out []field
	size, count, counted := 0, 0, false
	for i := range len(format) {
		c := format[i]
		switch {
		case isDigit(c):
			if count, counted = count*10+int(c-'0'), true; count > 1<<16 {
				return nil, nil, 0, Fail("error", "too large a format of struct")
			}
			continue
		case c == ' ':
			continue
		case widths[c] == 0:
			return nil, nil, 0, Fail("error", "bad char in struct format")
		}
		if !counted {
			count = 1
		}
		if native && widths[c] > 1 && (size%widths[c] != 0 || c == 'l' || c == 'L') {
			return nil, nil, 0, refused("begin the format with <, > or !", "struct: sizes and gaps of the machine are not available in templates")
		}
		out = append(out, field{c, count})
		size += widths[c] * count
		count, counted = 0, false
		if size > 1<<20 {
			return nil, nil, 0, Fail("error", "too large a format of struct")
		}
	}
	return order, out, size, nil
}

func structModule(th *Thread) map[string]Value {
	out := funcs(map[string]maker{
		"pack": structPack, "unpack": structUnpack,
		"calcsize": func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			format, err := textArg(th, "calcsize", args, 0)
			if err != nil {
				return nil, err
			}
			_, _, size, err := packing(format)
			return starlark.MakeInt(size), err
		},
	})
	out["error"] = th.py.classes["error"]
	return out
}

func structPack(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	format, err := textArg(th, "pack", args, 0)
	if err != nil {
		return nil, err
	}
	order, fields, size, err := packing(format)
	if err != nil {
		return nil, err
	}
	if err := th.Grow(2 * size); err != nil {
		return nil, err
	}
	var out []byte
	rest := args[1:]
	for _, f := range fields {
		switch f.kind {
		case 'x':
			out = append(out, make([]byte, f.count)...)
			continue
		case 's':
			s, err := textArg(th, "pack", rest, 0)
			if err != nil {
				return nil, err
			}
			part := make([]byte, f.count)
			copy(part, s)
			out, rest = append(out, part...), rest[1:]
			continue
		}
		for range f.count {
			if len(rest) == 0 {
				return nil, Fail("error", "pack requires more arguments")
			}
			if out, err = packed(th, out, order, f.kind, rest[0]); err != nil {
				return nil, err
			}
			rest = rest[1:]
		}
	}
	if len(rest) > 0 {
		return nil, Fail("error", "pack requires fewer arguments")
	}
	return starlark.String(out), nil
}

// packed adds one value.
func packed(th *Thread, out []byte, order bytesOf.ByteOrder, kind byte, v Value) ([]byte, error) {
	width := widths[kind]
	bits := uint64(0)
	switch kind {
	case 'c':
		s, ok := native(v).(starlark.String)
		if !ok || len(s) != 1 {
			return nil, Fail("error", "char format requires a string of length 1")
		}
		return append(out, s[0]), nil
	case '?':
		ok, err := th.Truth(v)
		if err != nil {
			return nil, err
		}
		if ok {
			bits = 1
		}
	case 'f', 'd':
		f, ok := starlark.AsFloat(numeric(v))
		if !ok {
			return nil, Fail("error", "required argument is not a float")
		}
		if bits = math.Float64bits(f); kind == 'f' {
			bits = uint64(math.Float32bits(float32(f)))
		}
	default:
		i, ok := numeric(v).(starlark.Int)
		if !ok {
			return nil, Fail("error", "required argument is not an integer")
		}
		n := i.BigInt()
		lo, hi := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(8*width))
		if kind >= 'a' {
			hi.Rsh(hi, 1)
			lo.Neg(hi)
		}
		if n.Cmp(lo) < 0 || n.Cmp(hi) >= 0 {
			return nil, Fail("error", "'%c' format requires %s <= number < %s", kind, lo, hi)
		}
		if n.Sign() < 0 {
			n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*width)))
		}
		bits = n.Uint64()
	}
	var buf [8]byte
	if order == bytesOf.BigEndian {
		bytesOf.BigEndian.PutUint64(buf[:], bits)
		return append(out, buf[8-width:]...), nil
	}
	bytesOf.LittleEndian.PutUint64(buf[:], bits)
	return append(out, buf[:width]...), nil
}

func structUnpack(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	format, err := textArg(th, "unpack", args, 0)
	if err != nil {
		return nil, err
	}
	s, err := textArg(th, "unpack", args, 1)
	if err != nil {
		return nil, err
	}
	order, fields, size, err := packing(format)
	if err != nil {
		return nil, err
	}
	if len(s) != size {
		return nil, Fail("error", "unpack requires a string argument of length %d", size)
	}
	out := starlark.Tuple{}
	for _, f := range fields {
		width := widths[f.kind]
		switch f.kind {
		case 'x':
			s = s[f.count:]
			continue
		case 's':
			out, s = append(out, starlark.String(s[:f.count])), s[f.count:]
			continue
		}
		for range f.count {
			out, s = append(out, unpacked(order, f.kind, s[:width])), s[width:]
		}
	}
	return out, th.Grow(slot * len(out))
}

// unpacked is one value.
func unpacked(order bytesOf.ByteOrder, kind byte, s string) Value {
	var buf [8]byte
	bits := uint64(0)
	if order == bytesOf.BigEndian {
		copy(buf[8-len(s):], s)
		bits = bytesOf.BigEndian.Uint64(buf[:])
	} else {
		copy(buf[:], s)
		bits = bytesOf.LittleEndian.Uint64(buf[:])
	}
	switch {
	case kind == 'c':
		return starlark.String(s)
	case kind == '?':
		return starlark.Bool(bits != 0)
	case kind == 'f':
		return starlark.Float(math.Float32frombits(uint32(bits)))
	case kind == 'd':
		return starlark.Float(math.Float64frombits(bits))
	case kind >= 'a':
		gap := uint(64 - 8*len(s))
		return starlark.MakeInt64(int64(bits<<gap) >> gap)
	}
	return starlark.MakeUint64(bits)
}
