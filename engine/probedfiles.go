// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/plugins/fileprobes"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// ProbedFile is what a host's answer to FileProbes asks to be written into the
// specification, as Bcfg2's server wrote it. A build never does.
type ProbedFile struct {
	// Path is the file on the host.
	Path string
	// Name is the file of the specification.
	Name string
	// Data may be a secret of the host: it must reach no log and no page.
	Data []byte
	// New: there is no content for the path yet. Else it differs.
	New bool
}

// ProbedFiles gives the files that a host's answers ask for. What differs from content
// that is there is left out unless FileProbes says update, and noted.
func (s *Spec) ProbedFiles(in Input) ([]ProbedFile, []*problem.Problem) {
	if s.plugins.FileProbes == nil {
		return nil, nil
	}
	h, refused := s.resolve(in)
	if refused != nil {
		return nil, []*problem.Problem{refused}
	}
	v := memo.NewView(h)
	wanted, p := s.plugins.FileProbes.Files(v)
	if p != nil {
		return nil, []*problem.Problem{p}
	}
	var out []ProbedFile
	var found []*problem.Problem
	for _, f := range wanted {
		answer := in.Probes[(&config.Probe{Name: f.Path, Source: fileprobes.Name}).Key()]
		if strings.TrimSpace(answer) == "" {
			continue // the host has no such file, or has not been asked
		}
		files, p := s.probedFile(v, f, answer)
		if p != nil {
			found = append(found, p)
		}
		out = append(out, files...)
	}
	return out, found
}

func (s *Spec) probedFile(v *memo.View, f fileprobes.File, answer string) ([]ProbedFile, *problem.Problem) {
	dir := "Cfg" + f.Path
	if !fs.ValidPath(dir) {
		return nil, problem.New(f.At, "probed-file-unusable", fmt.Sprintf("%s is no plain path", f.Path), "write it without . and .., and without a slash at the end")
	}
	got, err := readProbedFile(f, answer)
	if err != nil {
		return nil, problem.New(f.At, "probed-file-unusable", fmt.Sprintf("what %s answered about %s cannot be used: %v", v.Name(), f.Path, err), "")
	}
	one := ProbedFile{Path: f.Path, Name: dir + "/" + path.Base(f.Path) + ".H_" + v.Name(), Data: got.data, New: !f.Served}
	if f.Served {
		// Only what is to be updated is asked for although there is content.
		if s.binds(v, f.Path, got.data) {
			return nil, nil
		}
		return []ProbedFile{one}, nil
	}
	out := []ProbedFile{one}
	if !s.hasInfo(dir) {
		out = append(out, ProbedFile{Path: f.Path, Name: dir + "/info.xml", Data: got.info(f.Encoding), New: true})
	}
	return out, nil
}

// binds tells whether a path of the host has just this content already.
func (s *Spec) binds(v *memo.View, name string, content []byte) bool {
	d := &plugin.Draft{Tag: "Path", Attrs: []config.Attr{{Name: "name", Value: name}}}
	if s.guard(v, d, s.bind) != nil {
		return false
	}
	text := []byte(d.Text)
	if d.Get("encoding") == "base64" {
		decoded, err := base64.StdEncoding.DecodeString(d.Text)
		if err != nil {
			return false
		}
		text = decoded
	}
	return bytes.Equal(text, content)
}

func (s *Spec) hasInfo(dir string) bool {
	entries, err := fs.ReadDir(s.fsys, dir)
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return plugin.IsInfo(e.Name()) })
}

// probedFile is a host's answer about a file.
type probedFile struct {
	owner, group, mode string
	data               []byte
}

var probedMode = regexp.MustCompile(`^[0-7]{3,4}$`)

func readProbedFile(f fileprobes.File, answer string) (*probedFile, error) {
	root, p := xmltree.Parse("answer", []byte(answer))
	if p != nil {
		return nil, fmt.Errorf("it is not well-formed")
	}
	out := &probedFile{owner: root.Get("owner"), group: root.Get("group"), mode: root.Get("mode")}
	switch {
	case root.Get("name") != f.Path:
		return nil, fmt.Errorf("it is about another file")
	case out.owner == "" || out.group == "" || !probedMode.MatchString(out.mode):
		return nil, fmt.Errorf("it has no owner, group or mode that makes sense")
	}
	var err error
	if out.data, err = base64.StdEncoding.DecodeString(strings.TrimSpace(root.Text)); err != nil {
		return nil, fmt.Errorf("its content is not base64")
	}
	return out, nil
}

// info is the info.xml that goes with a new file.
func (p *probedFile) info(encoding string) []byte {
	if !utf8.Valid(p.data) || bytes.ContainsRune(p.data, 0) {
		encoding = "base64"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<FileInfo>\n  <Info owner=%s group=%s mode=%s", quoted(p.owner), quoted(p.group), quoted(p.mode))
	if encoding != "" {
		fmt.Fprintf(&b, " encoding=%s", quoted(encoding))
	}
	b.WriteString("/>\n</FileInfo>\n")
	return []byte(b.String())
}

// quoted writes the value of an attribute.
func quoted(s string) string {
	return `"` + strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;").Replace(s) + `"`
}
