// SPDX-License-Identifier: Apache-2.0

// Package source shows lines of a specification to people, without their secrets. It
// must not look for anything that is wrong.
package source

import (
	"bytes"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// mask is what stands in place of a secret, whatever its length.
const mask = "***"

// Source shows lines of a specification to people. What may be secret is left
// out: files that are encrypted, hold a private key, or are managed with a mode
// that others may not read; passwords, encrypted elements and the text of such
// entries inside other files. It is not safe for concurrent use.
type Source struct {
	fsys fs.FS
	// The file looked at last, as problems come in order of files.
	name    string
	text    string
	lines   []int
	secrets []span
}

// span is a part of a text, in bytes.
type span struct{ from, to int }

// New shows lines of the files of fsys.
func New(fsys fs.FS) *Source { return &Source{fsys: fsys} }

// Line gives the line of a position with its secrets masked, and the column in
// what is left. It is false where the line cannot or must not be shown.
func (s *Source) Line(pos problem.Pos) (string, int, bool) {
	if pos.Line < 1 || !fs.ValidPath(pos.File) {
		return "", 0, false
	}
	if s.name != pos.File {
		s.load(pos.File)
	}
	if pos.Line > len(s.lines) {
		return "", 0, false
	}
	from := s.lines[pos.Line-1]
	to := len(s.text)
	if pos.Line < len(s.lines) {
		to = s.lines[pos.Line] - 1
	}
	line, column := s.masked(span{from, to}, pos.Column)
	return strings.TrimRight(line, "\r"), column, true
}

// masked gives a part of the text without its secrets, and where a column went.
func (s *Source) masked(line span, column int) (string, int) {
	var b strings.Builder
	at, seen, moved := line.from, 0, column
	next := sort.Search(len(s.secrets), func(i int) bool { return s.secrets[i].to > line.from })
	for _, secret := range s.secrets[next:] {
		if secret.from >= line.to {
			break
		}
		from, to := max(secret.from, line.from), min(secret.to, line.to)
		if from >= to || from < at {
			continue
		}
		b.WriteString(s.text[at:from])
		b.WriteString(mask)
		seen += len([]rune(s.text[at:from]))
		hidden := len([]rune(s.text[from:to]))
		switch {
		case column > seen+hidden:
			moved += len(mask) - hidden
		case column > seen:
			moved -= column - seen - 1
		}
		seen += hidden
		at = to
	}
	b.WriteString(s.text[at:line.to])
	return b.String(), moved
}

func (s *Source) load(name string) {
	s.name, s.text, s.lines, s.secrets = name, "", nil, nil
	info, err := fs.Stat(s.fsys, name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > tree.MaxParsed {
		return
	}
	data, err := fs.ReadFile(s.fsys, name)
	if err != nil || bytes.IndexByte(data, 0) >= 0 || s.secretFile(name, data) {
		return
	}
	s.text = string(data)
	s.lines = []int{0}
	for i, b := range data {
		if b == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	s.secrets = secretsOf(s.text)
}

// secretFile tells whether nothing of a file may be shown.
func (s *Source) secretFile(name string, data []byte) bool {
	base := path.Base(name)
	if strings.Contains(base+".", ".crypt.") || strings.Contains(base+".", ".age.") ||
		privateKey(data) || Sealed(data) || base == "bcfg2.conf" && bytes.Contains(data, []byte("[encryption]")) {
		return true
	}
	switch dir, _, _ := strings.Cut(name, "/"); dir {
	case "Cfg", "TGenshi", "TCheetah", "SSHbase":
		return !tree.Special(base) && s.privateInfo(path.Dir(name))
	}
	return false
}

// privateKey tells whether a file holds a key of SSH, TLS, OpenPGP, age or PuTTY.
func privateKey(data []byte) bool {
	for _, mark := range []string{"PRIVATE KEY-----", "PRIVATE KEY BLOCK-----", "AGE-SECRET-KEY-", "PuTTY-User-Key-File-"} {
		if bytes.Contains(data, []byte(mark)) {
			return true
		}
	}
	return false
}

// privateInfo tells whether the settings of a directory keep its files from
// some of a host's users: any Info counts, as a file may be for any host.
func (s *Source) privateInfo(dir string) bool {
	for _, old := range []string{"info", ":info"} {
		if data, err := fs.ReadFile(s.fsys, path.Join(dir, old)); err == nil && privateLines(string(data)) {
			return true
		}
	}
	data, err := fs.ReadFile(s.fsys, path.Join(dir, "info.xml"))
	if err != nil {
		return false
	}
	root, p := xmltree.Parse("info.xml", data)
	if p != nil {
		return true // what cannot be read cannot say that the file is public.
	}
	private := false
	root.Walk(func(x *xmltree.Element) bool {
		if x.Is("Info") {
			private = private || x.True("sensitive") || privateMode(x.Get("mode")) || privateMode(x.Get("perms"))
		}
		return true
	})
	return private
}

// privateLines reads an info file of before info.xml.
func privateLines(text string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "sensitive":
			if strings.EqualFold(value, "true") {
				return true
			}
		case "mode", "perms":
			if privateMode(value) {
				return true
			}
		}
	}
	return false
}

// privateMode tells whether neither group nor others may read.
func privateMode(mode string) bool {
	bits, err := strconv.ParseUint(mode, 8, 32)
	return mode != "" && (err != nil || bits&0o044 == 0)
}

var (
	// A tag with its attributes; > may stand in quotes.
	openTag    = regexp.MustCompile(`<([A-Za-z_][\w.:-]*)((?:[^<>"']|"[^"]*"|'[^']*')*)>`)
	namedValue = regexp.MustCompile(`(?i)\b[\w.-]*(?:passw|passphrase|passwd|secret|token|api[_-]?key|private[_-]?key|community)[\w.-]*["']?\s*[=:]\s*`)
	secretAttr = regexp.MustCompile(`(?i)\b(?:encrypted\s*=|sensitive\s*=\s*["']\s*true)`)
	modeAttr   = regexp.MustCompile(`\b(?:mode|perms)\s*=\s*["']\s*([0-7]+)`)
)

// secretsOf finds the parts of a text that must not be shown. Where it cannot
// tell where a secret ends, it takes everything to the end.
func secretsOf(text string) []span {
	var out []span
	for _, m := range openTag.FindAllStringSubmatchIndex(text, -1) {
		tag, rest := text[m[2]:m[3]], text[m[4]:m[5]]
		if n := len(out); n > 0 && m[1] < out[n-1].to {
			continue // inside the last one already; this also bounds the searches below.
		}
		if strings.HasSuffix(rest, "/") || !secretElement(tag, rest) {
			continue
		}
		end := len(text)
		if i := strings.Index(text[m[1]:], "</"+tag); i >= 0 {
			end = m[1] + i
		}
		out = append(out, span{m[1], end})
	}
	for _, m := range namedValue.FindAllStringIndex(text, -1) {
		out = append(out, valueAt(text, m[1]))
	}
	slices.SortFunc(out, func(a, b span) int { return a.from - b.from })
	return joined(out)
}

func secretElement(tag, attributes string) bool {
	if namedValue.MatchString(tag+"=") || secretAttr.MatchString(attributes) {
		return true
	}
	if m := modeAttr.FindStringSubmatch(attributes); m != nil {
		return privateMode(m[1])
	}
	return false
}

// valueAt is the value that starts at an offset: in quotes, or to the end of the line.
func valueAt(text string, from int) span {
	if from < len(text) && (text[from] == '"' || text[from] == '\'') {
		if i := strings.IndexByte(text[from+1:], text[from]); i >= 0 {
			return span{from + 1, from + 1 + i}
		}
		return span{from + 1, len(text)}
	}
	if i := strings.IndexByte(text[from:], '\n'); i >= 0 {
		return span{from, from + i}
	}
	return span{from, len(text)}
}

// joined makes sorted spans disjoint.
func joined(spans []span) []span {
	var out []span
	for _, s := range spans {
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}
