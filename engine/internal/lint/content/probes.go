// SPDX-License-Identifier: Apache-2.0

package content

import (
	"path"

	"github.com/bindery/bindery/engine/internal/lint/tree"
)

// probes reports directory-in-probes, unknown-probe-file, probes-allowed-groups.
func (t look) probes() {
	for _, d := range t.Dirs {
		if path.Dir(d) == "Probes" && !tree.Ignored(path.Base(d)) {
			t.Warn(tree.At(d), "directory-in-probes", "a directory in Probes is not read", "move the probes up, or the directory away")
		}
	}
	said := t.Option("probes", "allowed_groups") != ""
	for _, f := range t.ProbeFiles() {
		base := path.Base(f.Name)
		if !t.Qualifier(f.Name).Known {
			t.Warn(tree.At(f.Name), "unknown-probe-file", "the name is not understood; the probe is never sent", "use letters, digits, - and _, then .G50_group or .H_host")
			continue
		}
		if data, ok := t.Read(f); ok && !said && base != "info" && len(tree.Assigned(data)) > 0 {
			said = true
			t.Warn(tree.At(f.Name), "probes-allowed-groups", "the probe gives groups: a stolen host could give itself any group",
				"set allowed_groups, a list of patterns, in the section probes")
		}
	}
}
