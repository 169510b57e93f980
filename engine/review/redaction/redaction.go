// SPDX-License-Identifier: Apache-2.0

// Package redaction decides what of a configuration may be shown, and puts keyed
// fingerprints in the place of the rest: by provenance where that is known, by its looks
// where it is not. It must not know what the rest is shown in.
package redaction

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/config"
)

// ProbeTag is what probes are called among the entries of a report. Their code is in the
// change of the specification; it may hold what it logs in with.
const ProbeTag = "Probe"

// keyMarks open private keys. config.Entry.Secret looks for them in entries.
var keyMarks = []string{"PRIVATE KEY-----", "PRIVATE KEY BLOCK-----", "AGE-SECRET-KEY-", "PuTTY-User-Key-File-"}

func keyMarked(s string) bool {
	for _, m := range keyMarks {
		if strings.Contains(s, m) {
			return true
		}
	}
	return false
}

// Secrets remembers the digests of secret entries, and of what they hold: a value
// that is secret on one host is secret on every host, whatever its provenance there,
// and it stays so when a change moves it to another path with another mode.
type Secrets struct {
	seen     map[*config.Bundle]bool
	digests  map[config.Digest]bool
	contents map[config.Digest]bool
}

// New begins with nothing that is known to be secret.
func New() *Secrets {
	return &Secrets{map[*config.Bundle]bool{}, map[config.Digest]bool{}, map[config.Digest]bool{}}
}

// shortest is how long a content must be to be known again: shorter ones are in many
// files by chance.
const shortest = 8

// contentDigest names what an entry holds.
func contentDigest(e *config.Entry) (config.Digest, bool) {
	data, err := e.Content()
	if err != nil {
		data = []byte(e.Text)
	}
	data = bytes.TrimSpace(data)
	return sha256.Sum256(data), len(data) >= shortest
}

// Look remembers what is secret in a configuration.
func (s *Secrets) Look(c *config.Config) {
	if c == nil {
		return
	}
	for _, b := range c.Bundles {
		if s.seen[b] {
			continue
		}
		s.seen[b] = true
		for _, e := range b.Entries {
			if e.Secret() && !s.digests[e.Digest()] {
				s.digests[e.Digest()] = true
				if d, ok := contentDigest(e); ok {
					s.contents[d] = true
				}
			}
		}
	}
}

// Has tells whether nothing of an entry may be shown.
func (s *Secrets) Has(e *config.Entry) bool {
	if e == nil || e.Tag == ProbeTag || s.digests[e.Digest()] {
		return e != nil
	}
	d, ok := contentDigest(e)
	return ok && s.contents[d]
}

// Fingerprint stands for a secret: without the key it tells nothing, not even to
// someone who guesses the value. The length of the value is not in it.
func Fingerprint(key []byte, e *config.Entry) string {
	if e == nil || e.Failure != "" {
		return ""
	}
	value := []byte(e.Text)
	if e.Tag != "Path" || e.Type() != "file" {
		value = e.XML()
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("bindery review value\x00"))
	mac.Write(value)
	return hex.EncodeToString(mac.Sum(nil)[:3])
}

var fingerprint = regexp.MustCompile(`‹secret [0-9a-f]{6}›`)

// Numbered gives a text with numbers for fingerprints, in their order: it is equal for
// texts that differ in the key alone, and nothing in it comes from a secret.
func Numbered(text string) string {
	seen := map[string]string{}
	return fingerprint.ReplaceAllStringFunc(text, func(f string) string {
		if seen[f] == "" {
			seen[f] = "‹secret " + strconv.Itoa(len(seen)+1) + "›"
		}
		return seen[f]
	})
}

// plain are the attributes of a secret Path that may be shown, and the shape
// that they must have: who may read it is what a reviewer has to see.
var plain = map[string]*regexp.Regexp{
	"owner": regexp.MustCompile(`^[a-z_][a-z0-9_.-]{0,31}$`),
	"group": regexp.MustCompile(`^[a-z_][a-z0-9_.-]{0,31}$`),
	"mode":  regexp.MustCompile(`^[0-7]{3,5}$`),
}

// Showable tells whether an attribute may be shown although its entry is secret.
func Showable(e *config.Entry, name, value string) bool {
	shape := plain[name]
	return e.Tag == "Path" && shape != nil && shape.MatchString(value)
}

// hidden is shown instead of a name that is itself a key.
const hidden = "‹redacted›"

// Name gives a name as it may be shown.
func Name(s string) string {
	if keyMarked(s) {
		return hidden
	}
	return s
}
