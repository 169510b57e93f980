// SPDX-License-Identifier: Apache-2.0

package keyfile

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// Checker compares certificates with their keys and authorities before they are
// delivered. It is safe for concurrent use.
type Checker struct {
	env plugin.Env
	mu  sync.Mutex
	cas map[string]authority
}

type authority struct {
	list []*x509.Certificate
	err  error
}

// NewChecker makes a Checker; nothing is read before a certificate is checked.
func NewChecker(env plugin.Env) *Checker {
	return &Checker{env: env, cas: map[string]authority{}}
}

// ChainFile is where the specification holds the certificates of an authority,
// after the chaincert of its settings; "" where they are outside.
func ChainFile(conf plugin.Conf, fsys fs.FS, ca string) string {
	name := conf.Get("sslca_"+strings.ToLower(ca), "chaincert", "")
	repository := strings.TrimSuffix(conf.Get("server", "repository", "/var/lib/bcfg2"), "/") + "/"
	name = path.Clean(strings.TrimPrefix(name, repository))
	if name == "." || !fs.ValidPath(name) {
		return ""
	}
	if st, err := fs.Stat(fsys, name); err != nil || st.IsDir() {
		return ""
	}
	return name
}

// maxChain bounds the certificates of an authority, in bytes.
const maxChain = 1 << 20

// authority reads the certificates of an authority; none where they are not in the
// specification.
func (c *Checker) authority(ca string) ([]*x509.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a, ok := c.cas[ca]; ok {
		return a.list, a.err
	}
	var a authority
	if name := ChainFile(c.env.Conf, c.env.FS, ca); name != "" {
		data, p := file.Read(c.env.FS, name, maxChain)
		if p != nil {
			a.err = p
		} else if a.list, a.err = Certificates(data); a.err != nil {
			a.err = fmt.Errorf("%s: %w", name, a.err)
		}
	}
	c.cas[ca] = a
	return a.list, a.err
}

// Check compares the certificate in a file with the key that it is for, and with
// its authority where the specification has that. When it is out of date does not
// matter here.
func (c *Checker) Check(v *memo.View, d *plugin.Draft, f *File, name, text string) *problem.Problem {
	e, p := f.cert(v)
	if p != nil {
		return p
	}
	ca := authorityOf(e)
	if !c.env.Conf.True("sslca_"+strings.ToLower(ca), "verify_certs", true) {
		return nil
	}
	at := problem.Pos{File: name}
	list, err := Certificates([]byte(text))
	if err != nil {
		return problem.New(at, "bad-certificate", fmt.Sprintf("the certificate for %s cannot be read: %v", d.Name(), err), again(d))
	}
	parents, err := c.authority(ca)
	if err != nil {
		return problem.New(at, "bad-authority", fmt.Sprintf("the certificates of CA %s cannot be read: %v", ca, err), "mend the file that chaincert names")
	}
	if len(parents) > 0 {
		switch ok, err := SignedBy(list[0], parents); {
		case errors.Is(err, ErrOldSignature):
			d.Notes = append(d.Notes, problem.Warn(at, "old-signature", fmt.Sprintf("the certificate for %s could not be compared with CA %s: %v", d.Name(), ca, err), again(d)))
		case !ok:
			return problem.New(at, "certificate-not-signed", fmt.Sprintf("the certificate for %s is not signed by CA %s", d.Name(), ca), again(d))
		}
	}
	return c.checkKey(v, d, e, at, list[0])
}

// again says how a certificate is replaced.
func again(d *plugin.Draft) string {
	return "make it again: bindery keys ssl --host NAME --rotate " + d.Name()
}

func (c *Checker) checkKey(v *memo.View, d *plugin.Draft, e *xmltree.Element, at problem.Pos, cert *x509.Certificate) *problem.Problem {
	key := &plugin.Draft{
		Tag: "Path", Attrs: []config.Attr{{Name: "name", Value: e.Get("key")}}, NamedAt: plugin.SourceOf(e), At: e.Pos, Depth: d.Depth,
	}
	if p := c.env.Binder.Bind(v, key); p != nil {
		return problem.New(p.Pos, "certificate-without-key", fmt.Sprintf("the certificate for %s cannot be compared with its key: %s", d.Name(), p.Msg), p.Hint)
	}
	private := []byte(key.Text)
	if key.Get("encoding") == "base64" {
		if decoded, err := base64.StdEncoding.DecodeString(key.Text); err == nil {
			private = decoded
		}
	}
	switch ok, err := Belongs(cert, private); {
	case errors.Is(err, ErrLocked):
		d.Notes = append(d.Notes, problem.Warn(at, "key-locked", fmt.Sprintf("the certificate for %s could not be compared with its key: %v", d.Name(), err), ""))
	case err != nil:
		return problem.New(problem.Pos{File: key.BoundAt.File}, "bad-key", fmt.Sprintf("the key %s of the certificate for %s cannot be read: %v", e.Get("key"), d.Name(), err), "")
	case !ok:
		return problem.New(at, "certificate-of-another-key", fmt.Sprintf("the certificate for %s is not of the key %s", d.Name(), e.Get("key")), again(d))
	}
	return nil
}

// Missing is the problem of a key or certificate that is not in the specification;
// command is that of bindery keys which makes it.
func Missing(at problem.Pos, what, command string) *problem.Problem {
	return problem.New(at, "key-missing", what+" is not in the repository, and a build never makes one", "make it: bindery keys "+command+" --host NAME")
}
