// SPDX-License-Identifier: Apache-2.0

// Package vault opens what a specification has encrypted, through the keyring that
// the engine was given, and marks every computation that reads it. It must not know
// any cipher, nor what is made of what it opens.
package vault

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/secret"
)

// Vault is safe for concurrent use.
type Vault struct {
	ring        secret.Keyring
	recipients  []string
	passphrases map[string]string
	algorithm   string
	lax         bool
}

// defaultAlgorithm is what bcfg2-crypt takes where nothing else is set.
const defaultAlgorithm = "aes_256_cbc"

// New makes a vault. ring may be nil; recipients are those of age that the
// specification lists; conf is the section [encryption] of a
// bcfg2.conf: passphrases by name, the algorithm, and whether what cannot be opened
// stays as it is.
func New(ring secret.Keyring, recipients []string, conf map[string]string) *Vault {
	v := &Vault{ring: ring, recipients: recipients, passphrases: map[string]string{}, algorithm: defaultAlgorithm}
	for option, value := range conf {
		switch option {
		case "algorithm":
			v.algorithm = value
		case "lax_decryption":
			v.lax = truth(value)
		case "decrypt": // 1.3 called it so
			v.lax = v.lax || value == "lax"
		default:
			v.passphrases[option] = value
		}
	}
	return v
}

// Setting tells whether an option of [encryption] is a setting, and no passphrase.
func Setting(option string) bool {
	return option == "algorithm" || option == "lax_decryption" || option == "decrypt"
}

func truth(s string) bool {
	switch strings.ToLower(s) {
	case "1", "yes", "true", "on":
		return true
	}
	return false
}

// File opens a file, known to be encrypted by its name or by what is in it.
func (vt *Vault) File(name string, data []byte) ([]byte, *problem.Problem) {
	form := secret.FormOf(data)
	if form == secret.None && path.Ext(name) != ".crypt" && path.Ext(name) != ".age" {
		form = secret.SOPS
	}
	if form == secret.None {
		return nil, problem.New(problem.Pos{File: name}, codeNot, path.Base(name)+" is called encrypted, but it is not", "encrypt it, and replace what was committed: it is in the history")
	}
	return vt.open(problem.Pos{File: name}, secret.Sealed{Form: form, File: name, Data: data})
}

// Encrypted tells whether an element is marked as encrypted.
func Encrypted(e *xmltree.Element) bool {
	key := e.Get("encrypted")
	return key != "" && !strings.EqualFold(key, "false")
}

// Text opens the text of an element that is marked as encrypted, and taints the
// computation. lax says that a text that cannot be opened stays as it is; then
// nothing is tainted.
func (vt *Vault) Text(v *memo.View, key, text string, at problem.Pos, lax bool) (string, *problem.Problem) {
	if strings.TrimSpace(text) == "" {
		return text, nil
	}
	form := secret.FormOf([]byte(text))
	if form == secret.None {
		v.Taint() // it was meant to be secret
		if lax || vt.lax {
			return text, nil
		}
		return "", problem.New(at, codeNot, "the element is marked as encrypted, but its text is not", "encrypt it, and replace what was committed: it is in the history")
	}
	data, p := vt.open(at, secret.Sealed{Form: form, File: at.File, Key: strings.ToLower(key), Data: []byte(text)})
	switch {
	case p == nil && !xmltree.Fits(data):
		v.Taint()
		return "", problem.New(at, secret.CodeWrong, "what is encrypted is no text that XML can carry", "encode it, or encrypt a file of Cfg")
	case p == nil:
		v.Taint()
		return string(data), nil
	case lax || vt.lax:
		return text, nil
	}
	return "", p
}

// Element gives the text of an element, opened where it is marked as encrypted.
func (vt *Vault) Element(v *memo.View, e *xmltree.Element) (string, *problem.Problem) {
	if !Encrypted(e) {
		return e.Text, nil
	}
	return vt.Text(v, e.Get("encrypted"), e.Text, e.Pos, false)
}

// Closed tells whether a problem says that something could not be opened.
func Closed(p *problem.Problem) bool {
	return p != nil && (p.Code == secret.CodeNoKey || p.Code == secret.CodeWrong || p.Code == codeNot)
}

// Lax tells what the root of a document says about texts that cannot be opened.
func Lax(root *xmltree.Element) bool {
	return root.True("lax_decryption") || root.Get("decrypt") == "lax"
}

func (vt *Vault) open(at problem.Pos, s secret.Sealed) ([]byte, *problem.Problem) {
	s.Passphrases, s.Algorithm, s.Recipients = vt.passphrases, vt.algorithm, vt.recipients
	if vt.ring == nil {
		return nil, problem.New(at, secret.CodeNoKey, fmt.Sprintf("it is encrypted (%s), and no keys are given", s.Form), "give the keys")
	}
	data, err := vt.ring.Open(s)
	if err == nil {
		return data, nil
	}
	if e, ok := errors.AsType[*secret.Error](err); ok {
		return nil, problem.New(at, e.Code, e.Msg, e.Hint)
	}
	// What else an error says is not known to be fit to be shown.
	return nil, problem.New(at, secret.CodeWrong, fmt.Sprintf("it is encrypted (%s) and cannot be opened", s.Form), "")
}

// exception is the name of a class, which the code of a template gives.
var exception = regexp.MustCompile(`^[A-Z][A-Za-z]{0,40}(?:Error|Exception|Iteration|Exit)$`)

// codeNot is what is said to be encrypted and is not.
const codeNot = "not-encrypted"

const withheld = "what it says is withheld, because a secret was read"

// Withhold gives a problem that quotes nothing of what was computed: its place and
// the class of a Python exception are left.
func Withhold(v *memo.View, p *problem.Problem) *problem.Problem {
	if p == nil || !v.Tainted() || Closed(p) { // these never quote
		return p
	}
	msg := withheld
	if class, _, ok := strings.Cut(p.Msg, ":"); ok && exception.MatchString(class) {
		msg = class + ": " + withheld
	}
	out := *p
	out.Msg, out.Hint = msg, "try it with another value in place of the secret"
	return &out
}
