// SPDX-License-Identifier: Apache-2.0

package structure

import (
	"bytes"
	"fmt"
	"path"

	"github.com/bindery/bindery/engine/internal/lint/tree"
)

// bundleFiles reports ignored-file, duplicate-bundle, genshi-extension-bundle, explicit-bundle-name
// and inconsistent-bundle-name.
func (t look) bundleFiles() {
	first := map[string]string{}
	for _, f := range t.In("Bundler") {
		name := tree.BundleName(f.Name)
		if name == "" {
			t.Warn(tree.At(f.Name), "ignored-file", "nothing reads this file: bundles end in .xml or .genshi", "rename it, or remove it")
			continue
		}
		if other, twice := first[name]; twice {
			t.Error(tree.At(f.Name), "duplicate-bundle", fmt.Sprintf("%s holds the bundle %s too", other, name), "rename or remove one of them")
		} else {
			first[name] = f.Name
		}
		if path.Ext(f.Name) == ".genshi" {
			t.Warn(tree.At(f.Name), "genshi-extension-bundle", "Bcfg2 1.4 takes bundles that end in .xml alone", t.renaming(f, name+".xml"))
		}
		d := t.ByName[f.Name]
		if d == nil || t.Includes[f.Name] {
			continue
		}
		said, ok := d.Root.Lookup("name")
		if ok && d.Root.Is("Bundle") {
			t.Warn(d.Root.AttrPos("name"), "explicit-bundle-name", "a bundle has the name of its file; Bcfg2 1.4 wants no other", "remove the attribute")
		}
		if ok && said != name && d.Root.Is("Bundle") {
			t.Warn(d.Root.AttrPos("name"), "inconsistent-bundle-name", fmt.Sprintf("the bundle says that it is %q, but its file makes it %q", said, name),
				"rename the file, or remove the attribute")
		}
	}
}

// renaming says how a templated bundle becomes an .xml file: there it is a template by
// the namespace alone. It is left to git, which follows a file by its name.
func (t look) renaming(f tree.File, to string) string {
	if data, _ := t.Read(f); !bytes.Contains(data, []byte(tree.Genshi)) {
		return `declare xmlns:py="` + tree.Genshi + `" on its root, without which .xml is no template, then rename it to ` + to
	}
	return "rename it: git mv " + f.Name + " " + path.Dir(f.Name) + "/" + to
}
