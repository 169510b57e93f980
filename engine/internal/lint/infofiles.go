// SPDX-License-Identifier: Apache-2.0

package lint

import "path"

// infoFiles reports deprecated-info-file, several-info-files.
func (t *tree) infoFiles() {
	for _, dir := range []string{"Cfg", "TGenshi", "TCheetah"} {
		first := map[string]string{}
		for _, f := range t.in(dir) {
			base, folder := path.Base(f.name), path.Dir(f.name)
			if base != "info" && base != ":info" && base != "info.xml" || path.Base(folder) == base {
				continue
			}
			if base != "info.xml" {
				t.warn(at(f.name), "deprecated-info-file", base+" is an old spelling of info.xml", "write info.xml")
			}
			if first[folder] != "" {
				t.warn(at(f.name), "several-info-files", first[folder]+" is there too; info.xml wins, then :info", "keep info.xml")
			}
			first[folder] = base
		}
	}
}
