// SPDX-License-Identifier: Apache-2.0

package cfg

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/keyfile"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

// What Bcfg2 made by itself when it was missing, by the file that says so.
const (
	privateKey  = "privkey.xml"
	publicKey   = "pubkey.xml"
	tlsKey      = "sslkey.xml"
	certificate = "sslcert.xml"
)

// create reads the description of a key.
func (s *set) create(env plugin.Env, name, full string) {
	section := "sslca"
	if name == privateKey || name == publicKey {
		section = "sshkeys"
	}
	if s.creators == nil {
		s.creators = map[string]*keyfile.File{}
	}
	s.creators[name] = keyfile.New(env, full, keyfile.Config{Section: section})
}

// missing gives the public half of a key, or says why no file is for the host.
func (c *Cfg) missing(v *memo.View, d *plugin.Draft, s *set) *problem.Problem {
	for _, name := range []string{privateKey, tlsKey, certificate} {
		f := s.creators[name]
		if f == nil {
			continue
		}
		what, command := "the key", "ssh"
		if name != privateKey {
			command = "ssl"
		}
		if name == certificate {
			what = "the certificate"
		}
		return keyfile.Missing(f.At, fmt.Sprintf("%s for %s", what, d.Name()), command)
	}
	if f := s.creators[publicKey]; f != nil {
		return c.derive(v, d, f)
	}
	return problem.New(problem.Pos{File: s.dir}, "no-variant", fmt.Sprintf("no file in %s is for this host", s.dir), "add a file without qualifier, or one for a group of the host")
}

// derive gives the public half of the key whose path is the same without .pub.
func (c *Cfg) derive(v *memo.View, d *plugin.Draft, f *keyfile.File) *problem.Problem {
	path, ok := strings.CutSuffix(d.Name(), ".pub")
	private := c.sets[path]
	if !ok || private == nil || private.creators[privateKey] == nil {
		return problem.New(f.At, "no-private-key", fmt.Sprintf("%s is to be the public half of a key, and there is no privkey.xml of one", d.Name()),
			"public keys are called like the private key with .pub behind it")
	}
	best := private.variants.Best(v)
	if best == nil {
		return keyfile.Missing(private.creators[privateKey].At, "the key for "+path, "ssh")
	}
	var key plugin.Key
	var text string
	var p *problem.Problem
	v.Untainted(func() {
		if p = private.creators[privateKey].SSH(v, &key); p == nil || key.Kind != "" {
			text, p = private.content(v, d, best)
		}
	})
	if p != nil {
		return p
	}
	comment := keyfile.Qualified("Cfg"+d.Name()+"/"+base(d.Name()), best.Specific)
	line, err := keyfile.AuthorizedKey([]byte(text), key.Passphrase, comment)
	switch {
	case errors.Is(err, keyfile.ErrLocked):
		return problem.New(problem.Pos{File: best.Value.name}, "key-locked", "its public half cannot be had: "+err.Error(), "commit the public key as "+comment)
	case err != nil:
		return problem.New(problem.Pos{File: best.Value.name}, "bad-key", err.Error(), "commit a key as ssh-keygen writes it")
	}
	d.BoundAt = config.Source{File: best.Value.name}
	return d.Fill(best.Value.name, line)
}

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// Keys lists the keys that a path needs on the host.
func (c *Cfg) Keys(v *memo.View, path string) ([]plugin.Key, []plugin.KeyRef, *problem.Problem) {
	s := c.sets[path]
	if s == nil {
		return nil, nil, nil
	}
	best := s.variants.Best(v)
	if best != nil && best.Value.keys != nil {
		return nil, best.Value.keys.refs(v), nil
	}
	if s.creators[publicKey] != nil {
		if private, ok := strings.CutSuffix(path, ".pub"); ok {
			return nil, []plugin.KeyRef{{View: v, Path: private}}, nil
		}
	}
	for _, name := range []string{privateKey, tlsKey, certificate} {
		f := s.creators[name]
		if f == nil {
			continue
		}
		specific, p := f.Specific(v)
		if p != nil {
			return nil, nil, p
		}
		k := plugin.Key{Path: path, File: keyfile.Qualified(s.dir+"/"+base(path), specific)}
		var refs []plugin.KeyRef
		switch name {
		case privateKey:
			k.Public = keyfile.Qualified("Cfg"+path+".pub/"+base(path)+".pub", specific)
			p = f.SSH(v, &k)
			if public := c.sets[path+".pub"]; public != nil {
				if half := public.variants.Best(v); half != nil {
					k.PublicPresent = half.Value.name
				}
			}
		case tlsKey:
			p = f.TLS(v, &k)
		case certificate:
			if p = f.Certificate(v, &k); p == nil {
				refs = append(refs, plugin.KeyRef{View: v, Path: k.Request.Key})
			}
		}
		if best != nil {
			k.Present = best.Value.name
		}
		return []plugin.Key{k}, refs, p
	}
	return nil, nil, nil
}

// refs are the paths whose public keys may log in.
func (a *allowed) refs(v *memo.View) []plugin.KeyRef {
	var out []plugin.KeyRef
	nest, _ := a.doc.Nest(v) // a template that fails says so when it is bound
	for _, g := range nest.Flatten() {
		if from := g.Element.Get("from"); from != "" && g.Element.Is("Allow") && g.Holds(v, "") {
			if whose, p := a.whose(v, g.Element); p == nil {
				out = append(out, plugin.KeyRef{View: whose, Path: from})
			}
		}
	}
	return out
}
