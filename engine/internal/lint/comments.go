// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"path"
	"strings"
)

// comments reports keywords-not-found, unexpanded-keywords and comments-not-found:
// what the section [Comments] of bcfg2.conf asks of each kind of file.
func (t *tree) comments() {
	if len(t.conf["comments"]) == 0 {
		return
	}
	for _, f := range t.files {
		kind := t.kindOf(f)
		if kind == "" {
			continue
		}
		keywords, comments := t.asked(kind, "keywords"), t.asked(kind, "comments")
		if len(keywords)+len(comments) == 0 {
			continue
		}
		if data, ok := t.read(f); ok {
			t.looksFor(f.name, string(data), keywords, comments)
		}
	}
}

func (t *tree) looksFor(name, text string, keywords, comments []string) {
	for _, k := range keywords {
		switch {
		case strings.Contains(text, "$"+k+":"):
		case strings.Contains(text, "$"+k+"$"):
			t.warn(at(name), "unexpanded-keywords", fmt.Sprintf("the keyword $%s$ is not expanded", k), "git does not expand it; take it out of [Comments], or out of the file")
		default:
			t.warn(at(name), "keywords-not-found", fmt.Sprintf("the keyword $%s$ is missing", k), "")
		}
	}
	for _, c := range comments {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(c)) {
			t.warn(at(name), "comments-not-found", fmt.Sprintf("the comment %q is missing", c), "")
		}
	}
}

// asked lists what a kind of file is to hold: what is said of it, or of all files.
func (t *tree) asked(kind, what string) []string {
	list, said := t.conf["comments"][kind+"_"+what]
	if !said {
		list = t.conf["comments"]["global_"+what]
	}
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' })
}

// kindOf names a file as the options of [Comments] do.
func (t *tree) kindOf(f file) string {
	dir, _, _ := strings.Cut(f.name, "/")
	base := path.Base(f.name)
	switch {
	case ignored(base):
	case base == "info.xml":
		return "infoxml"
	case dir == "Bundler" && t.byName[f.name] != nil && t.byName[f.name].templated:
		return "genshibundler"
	case dir == "Bundler" && bundleName(f.name) != "":
		return "bundler"
	case dir == "Properties" && path.Ext(base) == ".xml":
		return "properties"
	case dir == "TGenshi", dir == "TCheetah":
		return strings.ToLower(dir)
	case dir == "Probes" && path.Dir(f.name) == "Probes" && base != "probed.xml":
		return "probes"
	case dir == "Cfg":
		q := t.qualifier(f.name)
		switch ext := q.ext; {
		case !q.known || q.special || q.skipped || strings.Contains(ext, "crypt"):
		case ext == "genshi" || ext == "cheetah" || ext == "jinja2":
			return ext
		default:
			return "cfg"
		}
	}
	return ""
}
