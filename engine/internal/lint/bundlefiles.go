// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"bytes"
	"fmt"
	"path"
	"strings"
)

// bundleName is the name of the bundle that a file holds, "" for no bundle.
func bundleName(file string) string {
	base := path.Base(file)
	for _, suffix := range []string{".xml", ".genshi"} {
		if name, ok := strings.CutSuffix(base, suffix); ok {
			return name
		}
	}
	return ""
}

// bundleFiles reports ignored-file, duplicate-bundle, genshi-extension-bundle, explicit-bundle-name
// and inconsistent-bundle-name.
func (t *tree) bundleFiles() {
	first := map[string]string{}
	for _, f := range t.in("Bundler") {
		name := bundleName(f.name)
		if name == "" {
			t.warn(at(f.name), "ignored-file", "nothing reads this file: bundles end in .xml or .genshi", "rename it, or remove it")
			continue
		}
		if other, twice := first[name]; twice {
			t.error(at(f.name), "duplicate-bundle", fmt.Sprintf("%s holds the bundle %s too", other, name), "rename or remove one of them")
		} else {
			first[name] = f.name
		}
		if path.Ext(f.name) == ".genshi" {
			t.warn(at(f.name), "genshi-extension-bundle", "Bcfg2 1.4 takes bundles that end in .xml alone", t.renaming(f, name+".xml"))
		}
		d := t.byName[f.name]
		if d == nil || t.includes[f.name] {
			continue
		}
		said, ok := d.root.Lookup("name")
		if ok && d.root.Is("Bundle") {
			t.warn(d.root.AttrPos("name"), "explicit-bundle-name", "a bundle has the name of its file; Bcfg2 1.4 wants no other", "remove the attribute")
		}
		if ok && said != name && d.root.Is("Bundle") {
			t.warn(d.root.AttrPos("name"), "inconsistent-bundle-name", fmt.Sprintf("the bundle says that it is %q, but its file makes it %q", said, name),
				"rename the file, or remove the attribute")
		}
	}
}

// renaming says how a templated bundle becomes an .xml file: there it is a template by
// the namespace alone. It is left to git, which follows a file by its name.
func (t *tree) renaming(f file, to string) string {
	if data, _ := t.read(f); !bytes.Contains(data, []byte(nsGenshi)) {
		return `declare xmlns:py="` + nsGenshi + `" on its root, without which .xml is no template, then rename it to ` + to
	}
	return "rename it: git mv " + f.name + " " + path.Dir(f.name) + "/" + to
}
