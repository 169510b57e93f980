// SPDX-License-Identifier: Apache-2.0

package py

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
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
	"sha3_224": func() hash.Hash { return sha3.New224() }, "sha3_256": func() hash.Hash { return sha3.New256() },
	"sha3_384": func() hash.Hash { return sha3.New384() }, "sha3_512": func() hash.Hash { return sha3.New512() },
}

// hashNamed finds a hash by its name.
func hashNamed(n string) (func() hash.Hash, error) {
	n = strings.ReplaceAll(strings.ToLower(n), "-", "")
	if h := hashes[n]; h != nil {
		return h, nil
	}
	if strings.HasPrefix(n, "blake2") {
		return nil, refused("take sha256", "the hash %s is not available in templates", n)
	}
	return nil, Fail("ValueError", "unsupported hash type %s", n)
}

func hashlibModule(*Thread) map[string]Value {
	m := map[string]maker{"pbkdf2_hmac": stretched}
	add := func(n, of string) {
		m[n] = func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			name := of
			if of == "" {
				var err error
				if name, err = textArg(th, n, args, 0); err != nil {
					return nil, err
				}
				args = args[1:]
			}
			h, err := hashNamed(name)
			if err != nil {
				return nil, err
			}
			return newHash(th, name, h, args)
		}
	}
	add("new", "")
	names := []string{"blake2b", "blake2s"}
	all := starlark.NewSet(len(hashes))
	for n := range hashes {
		names = append(names, n)
		_ = all.Insert(starlark.String(n)) // texts can be hashed
	}
	for _, n := range names {
		add(n, n)
	}
	out := funcs(m)
	out["algorithms_guaranteed"], out["algorithms_available"] = all, all
	return out
}

// stretched is pbkdf2_hmac.
func stretched(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var name, password, salt string
	var rounds int
	var size Value = starlark.None
	if err := starlark.UnpackArgs("pbkdf2_hmac", plainTexts(args), kw, "hash_name", &name, "password", &password, "salt", &salt, "iterations", &rounds, "dklen?", &size); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	h, err := hashNamed(name)
	if err != nil {
		return nil, err
	}
	n := h().Size()
	if size != starlark.None {
		if n, err = starlark.AsInt32(size); err != nil {
			return nil, Fail("TypeError", "dklen must be a number")
		}
	}
	if rounds < 1 || n < 1 || n > 1024 {
		return nil, Fail("ValueError", "iterations and dklen must be positive, and dklen at most 1024")
	}
	if rounds > maxSteps {
		rounds = maxSteps + 1
	}
	if err := th.Step(rounds * (1 + n/h().Size()) * 4); err != nil {
		return nil, err
	}
	out, err := pbkdf2.Key(h, password, []byte(salt), rounds, n)
	if err != nil {
		return nil, Fail("ValueError", "%v", err)
	}
	return starlark.String(out), nil
}

func hmacModule(*Thread) map[string]Value {
	return funcs(map[string]maker{
		"new": func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
			var key string
			var msg, mod Value = starlark.None, starlark.String("md5")
			if err := starlark.UnpackArgs("new", plainTexts(args), kw, "key", &key, "msg?", &msg, "digestmod?", &mod); err != nil {
				return nil, Fail("TypeError", "%v", err)
			}
			name, ok := mod.(starlark.String)
			if f, is := mod.(*Builtin); is {
				name, ok = starlark.String(f.name), true
			}
			if !ok {
				return nil, Fail("TypeError", "digestmod must be the name of a hash, or one of hashlib")
			}
			h, err := hashNamed(string(name))
			if err != nil {
				return nil, err
			}
			first := starlark.Tuple{}
			if msg != starlark.None {
				first = append(first, msg)
			}
			return newHash(th, "hmac-"+string(name), func() hash.Hash { return hmac.New(h, []byte(key)) }, first)
		},
		"compare_digest": func(_ *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
			var a, b string
			if err := starlark.UnpackPositionalArgs("compare_digest", plainTexts(args), kw, 2, &a, &b); err != nil {
				return nil, Fail("TypeError", "%v", err)
			}
			return starlark.Bool(a == b), nil
		},
	})
}

func md5Module(*Thread) map[string]Value {
	fn := func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		return newHash(th, "md5", md5.New, args)
	}
	return funcs(map[string]maker{"new": fn, "md5": fn})
}

func shaModule(*Thread) map[string]Value {
	fn := func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		return newHash(th, "sha1", sha1.New, args)
	}
	return funcs(map[string]maker{"new": fn, "sha": fn})
}

// newHash makes a hash object.
func newHash(th *Thread, n string, of func() hash.Hash, args starlark.Tuple) (Value, error) {
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
		h := of()
		h.Write([]byte(fed.String()))
		return h.Sum(nil)
	}
	out := funcs(map[string]maker{
		"update": update,
		"digest": func(*Thread, starlark.Tuple, []starlark.Tuple) (Value, error) { return starlark.String(sum()), nil },
		"hexdigest": func(*Thread, starlark.Tuple, []starlark.Tuple) (Value, error) {
			return starlark.String(hex.EncodeToString(sum())), nil
		},
		"copy": func(th *Thread, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			return newHash(th, n, of, starlark.Tuple{starlark.String(fed.String())})
		},
	})
	out["name"], out["digest_size"], out["block_size"] = starlark.String(n), starlark.MakeInt(of().Size()), starlark.MakeInt(of().BlockSize())
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
	for n, fn := range map[string]maker{"b64encode": m["b64encode"], "b64decode": m["b64decode"]} {
		m[n] = alternative(n, fn)
	}
	for _, n := range []string{"b32decode", "b16decode"} {
		m[n] = folding(n, m[n])
	}
	return funcs(m)
}

// alternative is a function of base64 that takes two other characters.
func alternative(n string, fn maker) maker {
	return func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		var s Value
		var other Value = starlark.None
		var validate Value
		if err := starlark.UnpackArgs(n, args, kw, "s", &s, "altchars?", &other, "validate?", &validate); err != nil {
			return nil, Fail("TypeError", "%v", err)
		}
		to, given := native(other).(starlark.String)
		if !given {
			return fn(th, starlark.Tuple{s}, nil)
		}
		if len(to) != 2 {
			return nil, Fail("ValueError", "altchars must be two characters")
		}
		a, b := string(to[:1]), string(to[1:])
		if n == "b64decode" {
			text, err := textArg(th, n, starlark.Tuple{s}, 0)
			if err != nil {
				return nil, err
			}
			return fn(th, starlark.Tuple{starlark.String(strings.NewReplacer(a, "+", b, "/").Replace(text))}, nil)
		}
		out, err := fn(th, starlark.Tuple{s}, nil)
		if err != nil {
			return nil, err
		}
		return starlark.String(strings.NewReplacer("+", a, "/", b).Replace(string(out.(starlark.String)))), nil
	}
}

// folding is a function that takes small letters where it is told to.
func folding(n string, fn maker) maker {
	return func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		var s, other Value
		var fold Value = starlark.False
		if err := starlark.UnpackArgs(n, args, kw, "s", &s, "casefold?", &fold, "map01?", &other); err != nil {
			return nil, Fail("TypeError", "%v", err)
		}
		text, err := textArg(th, n, starlark.Tuple{s}, 0)
		if err != nil {
			return nil, err
		}
		if fold.Truth() {
			text = strings.ToUpper(text)
		}
		if text != strings.ToUpper(text) {
			return nil, Fail("TypeError", "Non-base32 digit found")
		}
		return fn(th, starlark.Tuple{starlark.String(text)}, nil)
	}
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
		if err == nil && len(args) > 1 {
			return nil, refused("give the whole text at once", "a checksum that goes on is not available in templates")
		}
		return starlark.MakeInt(int(int32(fn([]byte(s))))), err
	}
}
