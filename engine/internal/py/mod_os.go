// SPDX-License-Identifier: Apache-2.0

package py

import (
	"path"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

func sysModule(th *Thread) map[string]Value {
	out := funcs(map[string]maker{
		"exit": func(*Thread, starlark.Tuple, []starlark.Tuple) (Value, error) { return nil, Fail("SystemExit", "") },
		"exc_info": func(th *Thread, _ starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			n := len(th.handled)
			if n == 0 {
				return starlark.Tuple{starlark.None, starlark.None, starlark.None}, nil
			}
			o := th.object(th.handled[n-1])
			return starlark.Tuple{o.Class, o, starlark.None}, nil
		},
		"setdefaultencoding": biNothing,
		"getdefaultencoding": always(starlark.String("ascii")), "getfilesystemencoding": always(starlark.String("UTF-8")),
		"getrecursionlimit": always(starlark.MakeInt(maxDepth)), "setrecursionlimit": biNothing,
	})
	quiet := NewModule("file", funcs(map[string]maker{"write": biNothing, "flush": biNothing}))
	out["stdout"], out["stderr"] = quiet, quiet
	if th.path == nil {
		th.path = starlark.NewList(nil)
	}
	out["path"] = th.path
	out["argv"] = starlark.NewList([]Value{starlark.String("bcfg2-server")})
	out["modules"] = new(starlark.Dict)
	out["platform"] = starlark.String("linux2")
	out["maxint"], out["maxsize"] = starlark.MakeInt64(1<<63-1), starlark.MakeInt64(1<<63-1)
	out["byteorder"] = starlark.String("little")
	out["version_info"] = starlark.Tuple{starlark.MakeInt(2), starlark.MakeInt(7), starlark.MakeInt(18), starlark.String("final"), starlark.MakeInt(0)}
	out["version"] = starlark.String("2.7.18")
	return out
}

// always makes a function that always gives the same.
func always(v Value) maker {
	return func(*Thread, starlark.Tuple, []starlark.Tuple) (Value, error) { return v, nil }
}

func osModule(th *Thread) map[string]Value {
	no := func(n string) maker {
		return func(*Thread, starlark.Tuple, []starlark.Tuple) (Value, error) {
			return nil, refused("let a probe ask the host, or commit the data", "os.%s is not available in templates", n)
		}
	}
	m := map[string]maker{
		"fspath": func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) { return one("fspath", args) },
		"listdir": func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			p, err := textArg(th, "listdir", args, 0)
			if err != nil {
				return nil, err
			}
			names, ok := th.listDir(p)
			if !ok {
				return nil, Fail("OSError", "[Errno 2] No such file or directory: %s", quote(p))
			}
			return texts(names), nil
		},
		"getenv": func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			if len(args) > 1 {
				return args[1], nil
			}
			return starlark.None, nil
		},
		"getcwd": func(*Thread, starlark.Tuple, []starlark.Tuple) (Value, error) { return starlark.String("/"), nil },
	}
	for _, n := range []string{"system", "popen", "popen2", "popen3", "fork", "execv", "kill", "remove", "unlink", "mkdir", "makedirs", "rename", "rmdir", "chmod", "chown", "uname", "getpid", "getuid", "urandom", "stat"} {
		m[n] = no(n)
	}
	out := funcs(m)
	out["path"] = NewModule("posixpath", pathModule(th))
	out["environ"] = new(starlark.Dict)
	for n, v := range separators {
		out[n] = starlark.String(v)
	}
	out["linesep"] = starlark.String("\n")
	out["name"] = starlark.String("posix")
	out["error"] = th.py.classes["OSError"]
	return out
}

// listDir lists a directory of the specification.
func (th *Thread) listDir(p string) ([]string, bool) {
	if th.world.List == nil {
		return nil, false
	}
	return th.world.List(p)
}

func pathModule(*Thread) map[string]Value {
	text := func(n string, fn func(s string) Value) maker {
		return func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			s, err := textArg(th, n, args, 0)
			if err != nil {
				return nil, err
			}
			return fn(s), nil
		}
	}
	m := map[string]maker{
		"basename": text("basename", func(s string) Value { return starlark.String(s[strings.LastIndexByte(s, '/')+1:]) }),
		"dirname":  text("dirname", func(s string) Value { return starlark.String(dirname(s)) }),
		"split": text("split", func(s string) Value {
			return starlark.Tuple{starlark.String(dirname(s)), starlark.String(s[strings.LastIndexByte(s, '/')+1:])}
		}),
		"splitext":   text("splitext", splitext),
		"normpath":   text("normpath", func(s string) Value { return starlark.String(normpath(s)) }),
		"normcase":   text("normcase", func(s string) Value { return starlark.String(s) }),
		"splitdrive": text("splitdrive", func(s string) Value { return starlark.Tuple{starlark.String(""), starlark.String(s)} }),
		"relpath":    relpath, "commonprefix": commonPrefix, "commonpath": commonPath,
		"abspath":    text("abspath", func(s string) Value { return starlark.String(path.Join("/", s)) }),
		"realpath":   text("realpath", func(s string) Value { return starlark.String(path.Join("/", s)) }),
		"isabs":      text("isabs", func(s string) Value { return starlark.Bool(strings.HasPrefix(s, "/")) }),
		"islink":     text("islink", func(string) Value { return starlark.False }),
		"expanduser": text("expanduser", func(s string) Value { return starlark.String(s) }),
		"expandvars": text("expandvars", func(s string) Value { return starlark.String(s) }),
		"join": func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			out := ""
			for i := range args {
				s, err := textArg(th, "join", args, i)
				switch {
				case err != nil:
					return nil, err
				case strings.HasPrefix(s, "/") || out == "":
					out = s
				case strings.HasSuffix(out, "/"):
					out += s
				default:
					out += "/" + s
				}
			}
			return starlark.String(out), nil
		},
		"exists": there(true, true), "lexists": there(true, true), "isfile": there(true, false), "isdir": there(false, true),
	}
	out := funcs(m)
	for n, v := range separators {
		out[n] = starlark.String(v)
	}
	return out
}

// separators are constants of os and of os.path.
var separators = map[string]string{"sep": "/", "curdir": ".", "pardir": "..", "extsep": ".", "pathsep": ":", "defpath": "/bin:/usr/bin", "devnull": "/dev/null"}

// normpath is path.Clean, but that two slashes at the start stay, as POSIX has it.
func normpath(s string) string {
	if strings.HasPrefix(s, "//") && !strings.HasPrefix(s, "///") {
		return "/" + path.Clean(s)
	}
	return path.Clean(s)
}

func relpath(th *Thread, args starlark.Tuple, kw []starlark.Tuple) (Value, error) {
	var to, from string
	if err := starlark.UnpackArgs("relpath", plainTexts(args), kw, "path", &to, "start?", &from); err != nil {
		return nil, Fail("TypeError", "%v", err)
	}
	if to == "" {
		return nil, Fail("ValueError", "no path specified")
	}
	split := func(s string) []string {
		return strings.FieldsFunc(path.Join("/", s), func(r rune) bool { return r == '/' })
	}
	a, b := split(to), split(from)
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	if err := th.Grow(len(to) + 3*len(b)); err != nil {
		return nil, err
	}
	out := strings.Join(append(slices.Repeat([]string{".."}, len(b)), a...), "/")
	if out == "" {
		out = "."
	}
	return starlark.String(out), nil
}

// commonPrefix is what all texts of a list begin with.
func commonPrefix(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	v, err := one("commonprefix", args)
	if err != nil {
		return nil, err
	}
	items, err := th.list(v)
	if err != nil || len(items) == 0 {
		return starlark.String(""), err
	}
	var out []rune
	for i := range items {
		s, err := textArg(th, "commonprefix", items, i)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			out = []rune(s)
			continue
		}
		n := 0
		for _, r := range s {
			if n == len(out) || out[n] != r {
				break
			}
			n++
		}
		out = out[:n]
	}
	return starlark.String(string(out)), nil
}

// commonPath is the folder that all paths of a list are in.
func commonPath(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	v, err := one("commonpath", args)
	if err != nil {
		return nil, err
	}
	items, err := th.list(v)
	if err != nil {
		return nil, err
	}
	var out []string
	rooted := false
	for i := range items {
		s, err := textArg(th, "commonpath", items, i)
		if err != nil {
			return nil, err
		}
		parts := slices.DeleteFunc(strings.Split(s, "/"), func(p string) bool { return p == "" || p == "." })
		if i == 0 {
			out, rooted = parts, strings.HasPrefix(s, "/")
			continue
		}
		if rooted != strings.HasPrefix(s, "/") {
			return nil, Fail("ValueError", "Can't mix absolute and relative paths")
		}
		n := 0
		for n < len(out) && n < len(parts) && out[n] == parts[n] {
			n++
		}
		out = out[:n]
	}
	if len(items) == 0 {
		return nil, Fail("ValueError", "commonpath() arg is an empty sequence")
	}
	head := ""
	if rooted {
		head = "/"
	}
	return starlark.String(head + strings.Join(out, "/")), nil
}

func dirname(s string) string {
	head := s[:strings.LastIndexByte(s, '/')+1]
	if cut := strings.TrimRight(head, "/"); cut != "" {
		return cut
	}
	return head
}

func splitext(s string) Value {
	i := strings.LastIndexByte(s, '.')
	base := strings.LastIndexByte(s, '/') + 1
	if i < base || strings.Trim(s[base:i], ".") == "" {
		i = len(s)
	}
	return starlark.Tuple{starlark.String(s[:i]), starlark.String(s[i:])}
}

// there tells whether a file or a directory exists in the specification.
func there(file, dir bool) maker {
	return func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		p, err := textArg(th, "exists", args, 0)
		if err != nil {
			return nil, err
		}
		if _, ok := th.listDir(p); ok {
			return starlark.Bool(dir), nil
		}
		if !file {
			return starlark.False, nil
		}
		names, ok := th.listDir(path.Dir(path.Clean(p)))
		return starlark.Bool(ok && slices.Contains(names, path.Base(p))), nil
	}
}

func globModule(*Thread) map[string]Value {
	return funcs(map[string]maker{"glob": func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
		p, err := textArg(th, "glob", args, 0)
		if err != nil {
			return nil, err
		}
		dirs := []string{"/"}
		for _, part := range strings.Split(strings.Trim(path.Clean(p), "/"), "/") {
			var next []string
			for _, d := range dirs {
				names, _ := th.listDir(d)
				for _, n := range names {
					ok, err := path.Match(part, n)
					if err == nil && ok && (!strings.HasPrefix(n, ".") || strings.HasPrefix(part, ".")) {
						next = append(next, path.Join(d, n))
					}
				}
				if err := th.Step(1 + len(names)); err != nil {
					return nil, err
				}
			}
			dirs = next
		}
		return texts(dirs), nil
	}})
}
