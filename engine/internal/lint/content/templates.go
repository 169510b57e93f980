// SPDX-License-Identifier: Apache-2.0

package content

import (
	"bytes"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
)

// templates reports template-syntax, templated-script and templated-executable.
func (t look) templates() {
	for _, f := range t.Files {
		target, ok := t.template(f)
		if !ok {
			continue
		}
		if t.TemplateCheck != nil {
			if p := t.TemplateCheck(f.Name); p != nil {
				t.Add(p)
				continue
			}
		}
		data, _ := t.Read(f)
		switch {
		case slices.Contains([]string{".pl", ".py", ".sh", ".rb"}, path.Ext(target)) || bytes.HasPrefix(data, []byte("#!")):
			t.Warn(tree.At(f.Name), "templated-script", "a program is made by a template", "let the program read a file of settings, and make that one by a template")
		case t.executable(path.Dir(f.Name)):
			t.Warn(tree.At(f.Name), "templated-executable", "what a template makes is executable", "let the program read a file of settings, and make that one by a template")
		}
	}
}

// template gives the path that a template makes, and false for what is none.
func (t look) template(f tree.File) (string, bool) {
	dir, rest, _ := strings.Cut(f.Name, "/")
	q := t.Qualifier(f.Name)
	switch dir {
	case "Cfg":
		return path.Dir(rest), q.Known && !q.Special && (q.Ext == "genshi" || q.Ext == "cheetah" || q.Ext == "jinja2")
	case "TGenshi", "TCheetah":
		return path.Dir(rest), strings.HasPrefix(path.Base(rest), "template") && !tree.Ignored(path.Base(rest))
	}
	return "", false
}

// executable tells whether an info.xml gives a mode that can be executed.
func (t look) executable(dir string) bool {
	d := t.ByName[dir+"/info.xml"]
	if d == nil {
		return false
	}
	_, _, all := infos(d.Root)
	for _, x := range all {
		for _, name := range []string{"mode", "perms"} {
			if mode, err := strconv.ParseUint(x.Get(name), 8, 32); err == nil && mode&0o111 != 0 {
				return true
			}
		}
	}
	return false
}
