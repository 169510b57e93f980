// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"bytes"
	"path"
	"slices"
	"strconv"
	"strings"
)

// templates reports template-syntax, templated-script and templated-executable.
func (t *tree) templates() {
	for _, f := range t.files {
		target, ok := t.template(f)
		if !ok {
			continue
		}
		if t.templateCheck != nil {
			if p := t.templateCheck(f.name); p != nil {
				t.add(p)
				continue
			}
		}
		data, _ := t.read(f)
		switch {
		case slices.Contains([]string{".pl", ".py", ".sh", ".rb"}, path.Ext(target)) || bytes.HasPrefix(data, []byte("#!")):
			t.warn(at(f.name), "templated-script", "a program is made by a template", "let the program read a file of settings, and make that one by a template")
		case t.executable(path.Dir(f.name)):
			t.warn(at(f.name), "templated-executable", "what a template makes is executable", "let the program read a file of settings, and make that one by a template")
		}
	}
}

// template gives the path that a template makes, and false for what is none.
func (t *tree) template(f file) (string, bool) {
	dir, rest, _ := strings.Cut(f.name, "/")
	q := t.qualifier(f.name)
	switch dir {
	case "Cfg":
		return path.Dir(rest), q.known && !q.special && (q.ext == "genshi" || q.ext == "cheetah" || q.ext == "jinja2")
	case "TGenshi", "TCheetah":
		return path.Dir(rest), strings.HasPrefix(path.Base(rest), "template") && !ignored(path.Base(rest))
	}
	return "", false
}

// executable tells whether an info.xml gives a mode that can be executed.
func (t *tree) executable(dir string) bool {
	d := t.byName[dir+"/info.xml"]
	if d == nil {
		return false
	}
	_, _, all := infos(d.root)
	for _, x := range all {
		for _, name := range []string{"mode", "perms"} {
			if mode, err := strconv.ParseUint(x.Get(name), 8, 32); err == nil && mode&0o111 != 0 {
				return true
			}
		}
	}
	return false
}
