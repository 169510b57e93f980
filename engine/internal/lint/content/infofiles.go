// SPDX-License-Identifier: Apache-2.0

package content

import (
	"path"

	"github.com/bindery/bindery/engine/internal/lint/tree"
)

// infoFiles reports deprecated-info-file, several-info-files.
func (t look) infoFiles() {
	for _, dir := range []string{"Cfg", "TGenshi", "TCheetah"} {
		first := map[string]string{}
		for _, f := range t.In(dir) {
			base, folder := path.Base(f.Name), path.Dir(f.Name)
			if base != "info" && base != ":info" && base != "info.xml" || path.Base(folder) == base {
				continue
			}
			if base != "info.xml" {
				t.Warn(tree.At(f.Name), "deprecated-info-file", base+" is an old spelling of info.xml", "write info.xml")
			}
			if first[folder] != "" {
				t.Warn(tree.At(f.Name), "several-info-files", first[folder]+" is there too; info.xml wins, then :info", "keep info.xml")
			}
			first[folder] = base
		}
	}
}
