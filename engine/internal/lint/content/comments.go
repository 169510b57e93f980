// SPDX-License-Identifier: Apache-2.0

package content

import (
	"fmt"
	"path"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
)

// comments reports keywords-not-found, unexpanded-keywords and comments-not-found:
// what the section [Comments] of bcfg2.conf asks of each kind of file.
func (t look) comments() {
	if len(t.Conf["comments"]) == 0 {
		return
	}
	for _, f := range t.Files {
		kind := t.kindOf(f)
		if kind == "" {
			continue
		}
		keywords, comments := t.asked(kind, "keywords"), t.asked(kind, "comments")
		if len(keywords)+len(comments) == 0 {
			continue
		}
		if data, ok := t.Read(f); ok {
			t.looksFor(f.Name, string(data), keywords, comments)
		}
	}
}

func (t look) looksFor(name, text string, keywords, comments []string) {
	for _, k := range keywords {
		switch {
		case strings.Contains(text, "$"+k+":"):
		case strings.Contains(text, "$"+k+"$"):
			t.Warn(tree.At(name), "unexpanded-keywords", fmt.Sprintf("the keyword $%s$ is not expanded", k), "git does not expand it; take it out of [Comments], or out of the file")
		default:
			t.Warn(tree.At(name), "keywords-not-found", fmt.Sprintf("the keyword $%s$ is missing", k), "")
		}
	}
	for _, c := range comments {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(c)) {
			t.Warn(tree.At(name), "comments-not-found", fmt.Sprintf("the comment %q is missing", c), "")
		}
	}
}

// asked lists what a kind of file is to hold: what is said of it, or of all files.
func (t look) asked(kind, what string) []string {
	list, said := t.Conf["comments"][kind+"_"+what]
	if !said {
		list = t.Conf["comments"]["global_"+what]
	}
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' })
}

// kindOf names a file as the options of [Comments] do.
func (t look) kindOf(f tree.File) string {
	dir, _, _ := strings.Cut(f.Name, "/")
	base := path.Base(f.Name)
	switch {
	case tree.Ignored(base):
	case base == "info.xml":
		return "infoxml"
	case dir == "Bundler" && t.ByName[f.Name] != nil && t.ByName[f.Name].Templated:
		return "genshibundler"
	case dir == "Bundler" && tree.BundleName(f.Name) != "":
		return "bundler"
	case dir == "Properties" && path.Ext(base) == ".xml":
		return "properties"
	case dir == "TGenshi", dir == "TCheetah":
		return strings.ToLower(dir)
	case dir == "Probes" && path.Dir(f.Name) == "Probes" && base != "probed.xml":
		return "probes"
	case dir == "Cfg":
		q := t.Qualifier(f.Name)
		switch ext := q.Ext; {
		case !q.Known || q.Special || q.Skipped || strings.Contains(ext, "crypt"):
		case ext == "genshi" || ext == "cheetah" || ext == "jinja2":
			return ext
		default:
			return "cfg"
		}
	}
	return ""
}
