// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"path"
	"strings"
)

// BundleName is the name of the bundle that a file holds, "" for no bundle.
func BundleName(file string) string {
	base := path.Base(file)
	for _, suffix := range []string{".xml", ".genshi"} {
		if name, ok := strings.CutSuffix(base, suffix); ok {
			return name
		}
	}
	return ""
}
