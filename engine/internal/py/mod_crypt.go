// SPDX-License-Identifier: Apache-2.0

package py

import (
	"crypto/sha512"
	"strconv"
	"strings"

	"github.com/GehirnInc/crypt"
	"github.com/GehirnInc/crypt/md5_crypt"
	"github.com/GehirnInc/crypt/sha256_crypt"
	"github.com/GehirnInc/crypt/sha512_crypt"
	"go.starlark.net/starlark"
)

// scheme is a way to hash passwords for /etc/shadow.
type scheme struct {
	prefix string
	// rounds are those that passlib takes; 0 where there is no choice.
	rounds int
	salt   int
	make   func() crypt.Crypter
}

// implicit are the rounds that are not written into a hash.
const implicit = 5000

func schemes() map[string]scheme {
	return map[string]scheme{
		"md5_crypt":    {"$1$", 0, 8, md5_crypt.New},
		"sha256_crypt": {"$5$", 535000, 16, sha256_crypt.New},
		"sha512_crypt": {"$6$", 656000, 16, sha512_crypt.New},
	}
}

// passlibModule has the hashes of passlib.hash.
func passlibModule(*Thread) map[string]Value {
	out := map[string]Value{}
	for n, s := range schemes() {
		out[n] = s.hasher(n, "", s.rounds)
	}
	return map[string]Value{"hash": NewModule("passlib.hash", out)}
}

// hasher is one of them, with a salt, "" for one of the host and the path.
func (s scheme) hasher(n, salt string, rounds int) Value {
	settings := func(args starlark.Tuple, kw []starlark.Tuple, secret *string) (string, int, error) {
		to, r := salt, rounds
		var err error
		if secret == nil {
			err = starlark.UnpackArgs(n, args, kw, "salt?", &to, "rounds?", &r)
		} else {
			err = starlark.UnpackArgs(n, args, kw, "secret", secret, "salt?", &to, "rounds?", &r)
		}
		if err != nil {
			return "", 0, Fail("TypeError", "%v", err)
		}
		return to, r, nil
	}
	hash := func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
		var secret string
		to, r, err := settings(plainTexts(args), kw, &secret)
		if err != nil {
			return nil, err
		}
		return s.hash(th, n, secret, to, r)
	}
	return NewModule(n, map[string]Value{
		"encrypt": Func("encrypt", hash), "hash": Func("hash", hash), "name": starlark.String(n),
		"using": Func("using", func(_ *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
			to, r, err := settings(args, kw, nil)
			return s.hasher(n, to, r), err
		}),
		"verify": Func("verify", func(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
			var secret, hashed string
			if err := starlark.UnpackPositionalArgs("verify", plainTexts(args), kw, 2, &secret, &hashed); err != nil {
				return nil, Fail("TypeError", "%v", err)
			}
			if err := th.Step(2 * s.rounds); err != nil {
				return nil, err
			}
			return starlark.Bool(s.make().Verify(hashed, []byte(secret)) == nil), nil
		}),
	})
}

func (s scheme) hash(th *Thread, n, secret, salt string, rounds int) (Value, error) {
	if rounds < 0 || s.rounds > 0 && (rounds < 1000 || rounds > 999999) {
		return nil, Fail("ValueError", "%s: rounds must be from 1000 to 999999", n)
	}
	if salt == "" {
		salt = s.derived(th, n)
	}
	if len(salt) > s.salt || strings.Trim(salt, alphabet) != "" {
		return nil, Fail("ValueError", "%s: a salt has at most %d characters of %s", n, s.salt, alphabet)
	}
	if err := th.Step(1000 + 2*rounds); err != nil {
		return nil, err
	}
	setting := s.prefix
	if s.rounds > 0 && rounds != implicit {
		setting += "rounds=" + strconv.Itoa(rounds) + "$"
	}
	out, err := s.make().Generate([]byte(secret), []byte(setting+salt))
	if err != nil {
		return nil, Fail("ValueError", "%s: %v", n, err)
	}
	return starlark.String(out), nil
}

// alphabet of salts.
const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// derived is the salt where code gives none: it stays the same for a host and a
// path, as what is built must.
func (s scheme) derived(th *Thread, n string) string {
	seed := ""
	if th.world.Seed != nil {
		seed = th.world.Seed()
	}
	sum := sha512.Sum512([]byte("salt\x00" + n + "\x00" + seed))
	out := make([]byte, s.salt)
	for i := range out {
		out[i] = alphabet[sum[i]%byte(len(alphabet))]
	}
	return string(out)
}
