// SPDX-License-Identifier: Apache-2.0

package py

import (
	"embed"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync"

	"go.starlark.net/starlark"
)

// Modules that are written in Python themselves.
//
//go:embed modules/*.py
var sources embed.FS

// library is how positions in those modules begin: an error there is one of the
// code that called them.
const library = "python:"

// written parses the modules that are written in Python when they are first used.
func written() map[string]func(*Thread) (map[string]Value, error) {
	out := map[string]func(*Thread) (map[string]Value, error){}
	entries, err := sources.ReadDir("modules")
	if err != nil {
		return out
	}
	for _, e := range entries {
		n := strings.TrimSuffix(e.Name(), ".py")
		program := sync.OnceValues(func() (*Program, error) {
			data, err := sources.ReadFile("modules/" + n + ".py")
			if err != nil {
				return nil, fmt.Errorf("read module %s: %w", n, err)
			}
			return Parse(string(data), 1)
		})
		out[n] = func(th *Thread) (map[string]Value, error) {
			p, err := program()
			if err != nil {
				return nil, err
			}
			return th.runModule(p, library+n, primitives())
		}
	}
	// 2.7 has them under other names, and Python 3 some within others.
	for n, of := range map[string]string{
		"ConfigParser": "configparser", "StringIO": "io", "cStringIO": "io", "urlparse": "urllib", "ordereddict": "collections", "pipes": "shlex",
	} {
		out[n] = out[of]
	}
	for n, inner := range map[string]string{"urllib": "parse", "collections": "abc"} {
		out[n] = containing(n, inner, out[n])
	}
	return out
}

// containing is a module in which a module of the same names stands.
func containing(n, inner string, run func(*Thread) (map[string]Value, error)) func(*Thread) (map[string]Value, error) {
	return func(th *Thread) (map[string]Value, error) {
		members, err := run(th)
		if err == nil {
			members[inner] = NewModule(n+"."+inner, maps.Clone(members))
		}
		return members, err
	}
}

// RunModule runs the code of a module of the specification and gives its names.
func (th *Thread) RunModule(p *Program, file string) (map[string]Value, error) {
	return th.runModule(p, file, Names{})
}

// runModule runs the code of a module and gives its names.
func (th *Thread) runModule(p *Program, file string, names Names) (map[string]Value, error) {
	if err := th.enter(); err != nil {
		return nil, err
	}
	defer func() { th.depth-- }()
	outer := th.file
	th.file = file
	defer func() { th.file = outer }()
	if names["__name__"] == nil {
		names["__name__"] = starlark.String(strings.TrimPrefix(file, library))
	}
	names["__file__"] = starlark.String(file)
	if err := p.Run(th, names); err != nil {
		return nil, err
	}
	return names, nil
}

// primitives are what modules written in Python cannot do themselves.
func primitives() Names {
	return funcs(map[string]maker{
		"__refused__": func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			what, err := textArg(th, "refused", args, 0)
			if err != nil {
				return nil, err
			}
			hint, err := textArg(th, "refused", args, 1)
			if err != nil {
				return nil, err
			}
			return nil, refused(hint, "%s is not available in templates", what)
		},
		"__bytes__": func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			s, err := textArg(th, "bytes", args, 0)
			out := make([]Value, len(s))
			for i := range out {
				out[i] = starlark.MakeInt(int(s[i]))
			}
			return starlark.NewList(out), err
		},
		"__unquote__": func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			s, err := textArg(th, "unquote", args, 0)
			if err != nil {
				return nil, err
			}
			if out, err := url.PathUnescape(s); err == nil {
				s = out
			}
			return starlark.String(s), nil
		},
		"__unhex__": func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			s, err := textArg(th, "unhex", args, 0)
			if err != nil {
				return nil, err
			}
			out, err := hex.DecodeString(s)
			if err != nil {
				return nil, Fail("ValueError", "%v", err)
			}
			return starlark.String(out), nil
		},
		"__generator__": generator,
	})
}
