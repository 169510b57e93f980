// SPDX-License-Identifier: Apache-2.0

package py

import (
	"net/netip"

	"go.starlark.net/starlark"
)

// socketModule answers from what the specification says about its hosts.
func socketModule(th *Thread) map[string]Value {
	failure := newClass("error", nil, th.py.classes["IOError"])
	out := funcs(map[string]maker{
		"gethostbyname": func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			name, err := textArg(th, "gethostbyname", args, 0)
			if err != nil {
				return nil, err
			}
			if a, err := netip.ParseAddr(name); err == nil && a.Is4() {
				return starlark.String(name), nil
			}
			_, found, err := resolve(th, failure, "gethostbyname", args)
			if err != nil {
				return nil, err
			}
			return starlark.String(found[0]), nil
		},
		"gethostbyname_ex": func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			name, found, err := resolve(th, failure, "gethostbyname_ex", args)
			if err != nil {
				return nil, err
			}
			return starlark.Tuple{starlark.String(name), starlark.NewList(nil), texts(found)}, nil
		},
		"gethostbyaddr": func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			name, found, err := resolve(th, failure, "gethostbyaddr", args)
			if err != nil {
				return nil, err
			}
			return starlark.Tuple{starlark.String(found[0]), texts(found[1:]), texts([]string{name})}, nil
		},
		"getaddrinfo": func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			_, found, err := resolve(th, failure, "getaddrinfo", args)
			if err != nil {
				return nil, err
			}
			var rows []Value
			for _, a := range found {
				rows = append(rows, starlark.Tuple{starlark.MakeInt(2), starlark.MakeInt(1), starlark.MakeInt(6), starlark.String(""), starlark.Tuple{starlark.String(a), starlark.MakeInt(0)}})
			}
			return starlark.NewList(rows), nil
		},
	})
	for n, fn := range socketFunctions() {
		out[n] = Func(n, fn)
	}
	out["error"], out["gaierror"], out["herror"] = failure, failure, failure
	out["AF_INET"], out["AF_INET6"], out["SOCK_STREAM"], out["SOCK_DGRAM"] = starlark.MakeInt(2), starlark.MakeInt(10), starlark.MakeInt(1), starlark.MakeInt(2)
	return out
}

// resolve gives the addresses of a name, or the names of an address.
func resolve(th *Thread, failure *Class, n string, args starlark.Tuple) (string, []string, error) {
	name, err := textArg(th, n, args, 0)
	if err != nil {
		return "", nil, err
	}
	var found []string
	if th.world.Resolve != nil {
		found = th.world.Resolve(name)
	}
	if len(found) == 0 {
		o := &Instance{Class: failure, attrs: map[string]Value{"args": starlark.Tuple{starlark.MakeInt(-2), starlark.String("Name or service not known")}}}
		return "", nil, &Raised{Class: "error", Msg: "no address of " + name + " is known", Value: o, Hint: "write the address into Metadata/clients.xml"}
	}
	return name, found, nil
}

// socketFunctions are those that need no resolution.
func socketFunctions() map[string]maker {
	return map[string]maker{
		"getfqdn": func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			if len(args) == 0 {
				return nil, refused("use metadata.hostname", "the name of the machine that evaluates a template is not available")
			}
			return args[0], nil
		},
		"inet_aton": func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			s, err := textArg(th, "inet_aton", args, 0)
			if err != nil {
				return nil, err
			}
			a, err := netip.ParseAddr(s)
			if err != nil || !a.Is4() {
				return nil, Fail("IOError", "illegal IP address string passed to inet_aton")
			}
			b := a.As4()
			return starlark.String(b[:]), nil
		},
		"inet_ntoa": func(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			s, err := textArg(th, "inet_ntoa", args, 0)
			if err != nil {
				return nil, err
			}
			if len(s) != 4 {
				return nil, Fail("ValueError", "packed IP wrong length")
			}
			return starlark.String(netip.AddrFrom4([4]byte([]byte(s))).String()), nil
		},
		"htonl": func(_ *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
			v, err := one("htonl", args)
			if err != nil {
				return nil, err
			}
			n, err := starlark.NumberToInt(numeric(v))
			if err != nil {
				return nil, err
			}
			u, _ := n.Uint64()
			return starlark.MakeUint64(u>>24&0xFF | u>>8&0xFF00 | u<<8&0xFF0000 | u<<24&0xFF000000), nil
		},
		"socket": func(*Thread, starlark.Tuple, []starlark.Tuple) (Value, error) {
			return nil, refused("commit the data, or let a probe ask for it", "sockets are not available in templates")
		},
		"gethostname": func(*Thread, starlark.Tuple, []starlark.Tuple) (Value, error) {
			return nil, refused("use metadata.hostname", "the name of the machine that evaluates a template is not available")
		},
	}
}
