// SPDX-License-Identifier: Apache-2.0

// Package hostkeys makes the keys and certificates that hosts need and a
// specification lacks, and says into which files they belong. It must not write
// them, nor show them to anybody.
package hostkeys

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/secret"
	"github.com/bindery/bindery/internal/keypair"
)

// Config says what is made, and how.
type Config struct {
	Spec  *engine.Spec
	Kinds []string
	// Types are those of host keys that are made; nil: those that bundles name.
	Types []string
	// Paths are further paths of keys, besides those that bundles name.
	Paths []string
	// Rotate are paths whose keys or certificates are replaced.
	Rotate []string
	// Recipients are whom private keys are locked for; nil: they are written plain.
	Recipients *keypair.Recipients
	// Authorities sign certificates, by name.
	Authorities map[string]*keypair.Authority
	// Requests: certificates are requested, and not made.
	Requests bool
	// Plan: nothing is made, only said.
	Plan bool
	Now  time.Time
}

// Kinds of keys, as commands call them.
var (
	SSH = []string{string(engine.HostKey), string(engine.SSHKey)}
	SSL = []string{string(engine.TLSKey), string(engine.Certificate)}
)

// Made is one key or certificate.
type Made struct {
	Host string `json:"host"`
	Kind string `json:"kind"`
	Path string `json:"path"`
	Type string `json:"type,omitempty"`
	Bits int    `json:"bits,omitempty"`
	// File is where it belongs; Public its other half.
	File    string `json:"file,omitempty"`
	Public  string `json:"public,omitempty"`
	Request string `json:"request,omitempty"`
	// Encrypted is false for a private key that anybody with the repository may read.
	Encrypted bool `json:"encrypted"`
	Rotated   bool `json:"rotated,omitempty"`
}

// File is a file to be written. Its content may be secret.
type File struct {
	Name string
	// Data is nil for a file that is to go.
	Data    []byte
	Private bool
	// Replace: the file may be there.
	Replace bool
	// Request: it is no part of the specification.
	Request bool
}

// Maker makes keys for one host after the other, and remembers what it made.
type Maker struct {
	c Config
	// Made, Files and Problems are what came of it, in order.
	Made     []Made
	Files    []File
	Problems []*problem.Problem
	// Present counts what was there.
	Present int

	done map[string]bool
	// fresh are new private keys by path and host, shared those by file.
	fresh, shared map[string][]byte
}

// New makes a Maker.
func New(c Config) *Maker {
	return &Maker{c: c, done: map[string]bool{}, fresh: map[string][]byte{}, shared: map[string][]byte{}}
}

// Host makes what a host lacks. The error is that of ctx.
func (m *Maker) Host(ctx context.Context, in engine.Input) error {
	paths := slices.Concat(m.c.Paths, m.c.Rotate)
	for _, t := range m.c.Types {
		paths = append(paths, "/etc/ssh/ssh_host_"+t+"_key")
	}
	list, found, err := m.c.Spec.Keys(ctx, in, paths...)
	if err != nil {
		return err
	}
	m.Problems = append(m.Problems, found...)
	for _, k := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		file := cmp.Or(k.Present, k.File) // hosts share those of groups
		if private, ok := m.shared[file]; ok {
			m.fresh[k.Path+" "+m.c.Spec.Canonical(in.Host)] = private
		}
		if m.done[file] || !slices.Contains(m.c.Kinds, string(k.Kind)) || !m.wanted(k) {
			continue
		}
		m.done[file] = true
		if p := m.key(in, k); p != nil {
			m.Problems = append(m.Problems, p)
		}
	}
	return nil
}

// wanted leaves out host keys of other types, and without a choice those that are
// not made any more.
func (m *Maker) wanted(k engine.Key) bool {
	if k.Kind != engine.HostKey {
		return true
	}
	if len(m.c.Types) > 0 {
		return slices.Contains(m.c.Types, k.Type)
	}
	return k.Type != "dsa" && k.Type != "rsa1" || k.Present != ""
}

// key makes one key or certificate, unless it is there.
func (m *Maker) key(in engine.Input, k engine.Key) *problem.Problem {
	rotate := slices.Contains(m.c.Rotate, k.Path)
	made := Made{Host: m.c.Spec.Canonical(in.Host), Kind: string(k.Kind), Path: k.Path, File: k.File, Public: k.Public, Type: k.Type, Bits: k.Bits}
	if k.Request != nil {
		_, made.Rotated = m.fresh[k.Request.Key+" "+made.Host]
		rotate = rotate || made.Rotated
	}
	halved := k.Present == "" && k.Public != "" && k.PublicPresent == k.Public
	switch made.Rotated = rotate && (k.Present != "" || halved); {
	case k.Present != "" && !rotate:
		m.Present++
		return m.half(in, k, made)
	case halved && !rotate:
		return problem.New(problem.Pos{File: k.PublicPresent}, "half-a-key", fmt.Sprintf("the public half of %s is there, and the private one is not", k.Path),
			"add the private one, or replace both: --rotate "+k.Path)
	case made.Rotated && !halved:
		made.File = plain(k.Present)
		made.Public = public(k, made.File)
	}
	if k.Request != nil {
		return m.certificate(in, k, made)
	}
	return m.pair(k, made)
}

// replaced takes away what was there under another name, after what replaces it
// was written.
func (m *Maker) replaced(k engine.Key, made Made) {
	if !made.Rotated || m.c.Plan {
		return
	}
	for old, name := range map[string]string{k.Present: made.File, k.PublicPresent: made.Public} {
		if old != "" && old != name && plain(old) == plain(name) {
			m.Files = append(m.Files, File{Name: old})
		}
	}
}

// plain is the name of a file without that of its encryption.
func plain(name string) string {
	name, _ = secret.Plain(name)
	return name
}

// public is the name of the public half of the key in a file.
func public(k engine.Key, file string) string {
	if k.Public == "" {
		return ""
	}
	base := path.Base(k.Path)
	start := path.Dir(k.Public) + "/" + base + ".pub"
	return start + strings.TrimPrefix(file, path.Dir(k.File)+"/"+base)
}

// half adds the public half of a host's key that is there alone.
func (m *Maker) half(in engine.Input, k engine.Key, made Made) *problem.Problem {
	if k.Kind != engine.HostKey || k.PublicPresent != "" {
		return nil
	}
	made.File, made.Public = "", public(k, plain(k.Present))
	if !m.c.Plan {
		private, p := m.content(in, k.Path)
		if p != nil {
			return p
		}
		line, err := keypair.Public(private, k.Passphrase, "root@"+made.Host)
		if err != nil {
			return problem.New(problem.Pos{File: k.Present}, "bad-key", err.Error(), "")
		}
		m.Files = append(m.Files, File{Name: made.Public, Data: line})
	}
	m.Made = append(m.Made, made)
	return nil
}

// content is what a host gets at a path.
func (m *Maker) content(in engine.Input, name string) ([]byte, *problem.Problem) {
	e, p := m.c.Spec.Path(in, name)
	if p != nil {
		return nil, p
	}
	data, err := e.Content()
	if err != nil {
		return nil, problem.New(problem.Pos{File: e.BoundAt.File}, "bad-key", name+" is not base64, as it says", "")
	}
	return data, nil
}

// pair makes a key.
func (m *Maker) pair(k engine.Key, made Made) *problem.Problem {
	if m.c.Plan {
		m.remember(k, made, nil)
		m.add(k, made, nil, nil)
		return nil
	}
	var private, half []byte
	var err error
	if k.Kind == engine.TLSKey {
		private, err = keypair.NewTLS(k.Type, k.Bits)
	} else {
		comment := made.Public
		if k.Kind == engine.HostKey {
			comment = "root@" + made.Host
		}
		var key *keypair.SSH
		if key, err = keypair.NewSSH(k.Type, k.Bits, k.Passphrase, comment); err == nil {
			private, half = key.Private, key.Public
		}
	}
	if err != nil {
		return problem.New(k.At, "key-not-made", fmt.Sprintf("the key for %s cannot be made: %v", k.Path, err), "")
	}
	m.remember(k, made, private)
	if m.c.Recipients != nil {
		if private, err = m.c.Recipients.Seal(private); err != nil {
			return problem.New(k.At, "key-not-made", fmt.Sprintf("the key for %s cannot be locked: %v", k.Path, err), "")
		}
	}
	m.add(k, made, private, half)
	return nil
}

// remember keeps a new key for the certificates that are of it.
func (m *Maker) remember(k engine.Key, made Made, private []byte) {
	m.fresh[k.Path+" "+made.Host] = private
	m.shared[cmp.Or(k.Present, k.File)] = private
}

func (m *Maker) add(k engine.Key, made Made, private, half []byte) {
	if made.Encrypted = m.c.Recipients != nil; made.Encrypted {
		made.File += ".age"
	}
	if !m.c.Plan {
		m.Files = append(m.Files, File{Name: made.File, Data: private, Private: true, Replace: made.Rotated})
		if made.Public != "" {
			m.Files = append(m.Files, File{Name: made.Public, Data: half, Replace: made.Rotated})
		}
	}
	m.replaced(k, made)
	m.Made = append(m.Made, made)
}

// certificate makes a certificate, or a request for one.
func (m *Maker) certificate(in engine.Input, k engine.Key, made Made) *problem.Problem {
	ca := m.c.Authorities[k.Request.CA]
	if ca == nil && !m.c.Requests {
		return problem.New(k.At, "no-authority", fmt.Sprintf("the certificate for %s is to be signed by CA %s, which is not given", k.Path, k.Request.CA),
			fmt.Sprintf("add --ca %s=CERT,KEY, or let somebody else sign: --csr-only DIR", k.Request.CA))
	}
	if m.c.Requests {
		made.Request = made.Host + "-" + path.Base(k.Path) + ".csr"
	}
	if m.c.Plan {
		m.Made = append(m.Made, made)
		return nil
	}
	private, ok := m.fresh[k.Request.Key+" "+made.Host]
	if !ok {
		var p *problem.Problem
		if private, p = m.content(in, k.Request.Key); p != nil {
			return p
		}
	}
	subject := &keypair.Subject{Host: k.Request.Host, Names: k.Request.Names, Parts: k.Request.Subject}
	var data []byte
	var err error
	if m.c.Requests {
		data, err = keypair.Request(subject, private)
	} else if data, err = ca.Sign(subject, private, k.Request.Days, m.c.Now); err == nil && k.Request.Chain {
		data = append(data, ca.Chain...)
	}
	if err != nil {
		return problem.New(k.At, "certificate-not-made", fmt.Sprintf("the certificate for %s cannot be made: %v", k.Path, err), "")
	}
	f := File{Name: made.File, Data: data, Replace: made.Rotated}
	if m.c.Requests {
		f = File{Name: made.Request, Data: data, Replace: true, Request: true}
	}
	m.Files = append(m.Files, f)
	if !m.c.Requests {
		m.replaced(k, made)
	}
	m.Made = append(m.Made, made)
	return nil
}
