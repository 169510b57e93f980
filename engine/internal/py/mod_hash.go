// SPDX-License-Identifier: Apache-2.0

package py

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"hash/adler32"
	"hash/crc32"
	"strings"

	"go.starlark.net/starlark"
)

// hashes that templates ask for. What they protect is theirs to judge.
var hashes = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

func hashlibModule(*Thread) map[string]Value {
	m := map[string]maker{"new": func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		n, err := textArg(th, "new", args, 0)
		if err != nil {
			return nil, err
		}
		if hashes[n] == nil {
			return nil, Fail("ValueError", "unsupported hash type %s", n)
		}
		return newHash(th, n, args[1:])
	}}
	for n := range hashes {
		m[n] = func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) { return newHash(th, n, args) }
	}
	return funcs(m)
}

func md5Module(*Thread) map[string]Value {
	fn := func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		return newHash(th, "md5", args)
	}
	return funcs(map[string]maker{"new": fn, "md5": fn})
}

// newHash makes a hash object.
func newHash(th *Thread, n string, args starlark.Tuple) (Value, error) {
	var fed strings.Builder
	update := func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		s, err := textArg(th, "update", args, 0)
		if err != nil {
			return nil, err
		}
		fed.WriteString(s)
		return starlark.None, th.Grow(len(s))
	}
	if len(args) > 0 {
		if _, err := update(th, args[:1], nil); err != nil {
			return nil, err
		}
	}
	sum := func() []byte {
		// What was fed has been counted; reading it again is work too.
		th.steps += fed.Len() / 32
		h := hashes[n]()
		h.Write([]byte(fed.String()))
		return h.Sum(nil)
	}
	out := funcs(map[string]maker{
		"update": update,
		"digest": func(*Thread, starlark.Tuple, []starlark.Tuple) (Value, error) { return starlark.String(sum()), nil },
		"hexdigest": func(*Thread, starlark.Tuple, []starlark.Tuple) (Value, error) {
			return starlark.String(hex.EncodeToString(sum())), nil
		},
	})
	out["name"] = starlark.String(n)
	return NewModule(n, out), nil
}

// coder makes a function from text to text.
func coder(n string, fn func(s string) (string, error)) maker {
	return func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		s, err := textArg(th, n, args, 0)
		if err != nil {
			return nil, err
		}
		if err := th.Grow(2 * len(s)); err != nil {
			return nil, err
		}
		out, err := fn(s)
		if err != nil {
			return nil, Fail("TypeError", "%v", err)
		}
		return starlark.String(out), th.Grow(len(out))
	}
}

func encoder(fn func([]byte) string) func(string) (string, error) {
	return func(s string) (string, error) { return fn([]byte(s)), nil }
}

func decoder(fn func(string) ([]byte, error)) func(string) (string, error) {
	return func(s string) (string, error) {
		out, err := fn(strings.Join(strings.Fields(s), ""))
		return string(out), err
	}
}

func base64Module(*Thread) map[string]Value {
	encode, decode := encoder(base64.StdEncoding.EncodeToString), decoder(base64.StdEncoding.DecodeString)
	lines := func(s string) (string, error) { return base64Lines(s), nil }
	m := map[string]maker{}
	for n, fn := range map[string]func(string) (string, error){
		"b64encode": encode, "standard_b64encode": encode, "b64decode": decode, "standard_b64decode": decode, "decodestring": decode, "decodebytes": decode,
		"encodestring": lines, "encodebytes": lines,
		"urlsafe_b64encode": encoder(base64.URLEncoding.EncodeToString), "urlsafe_b64decode": decoder(base64.URLEncoding.DecodeString),
		"b32encode": encoder(base32.StdEncoding.EncodeToString), "b32decode": decoder(base32.StdEncoding.DecodeString),
		"b16encode": func(s string) (string, error) { return strings.ToUpper(hex.EncodeToString([]byte(s))), nil }, "b16decode": decoder(hex.DecodeString),
	} {
		m[n] = coder(n, fn)
	}
	return funcs(m)
}

func binasciiModule(th *Thread) map[string]Value {
	out := funcs(map[string]maker{
		"hexlify": coder("hexlify", encoder(hex.EncodeToString)), "unhexlify": coder("unhexlify", decoder(hex.DecodeString)),
		"b2a_hex": coder("b2a_hex", encoder(hex.EncodeToString)), "a2b_hex": coder("a2b_hex", decoder(hex.DecodeString)),
		"a2b_base64": coder("a2b_base64", decoder(base64.StdEncoding.DecodeString)),
		"b2a_base64": coder("b2a_base64", func(s string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(s)) + "\n", nil }),
		"crc32":      checksum(crc32.ChecksumIEEE),
	})
	out["Error"] = th.py.classes["ValueError"]
	return out
}

func zlibModule(*Thread) map[string]Value {
	return funcs(map[string]maker{"crc32": checksum(crc32.ChecksumIEEE), "adler32": checksum(adler32.Checksum)})
}

// checksum is signed, as in 2.7.
func checksum(fn func([]byte) uint32) maker {
	return func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		s, err := textArg(th, "crc32", args, 0)
		return starlark.MakeInt(int(int32(fn([]byte(s))))), err
	}
}
