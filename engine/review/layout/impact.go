// SPDX-License-Identifier: Apache-2.0

package layout

import "github.com/bindery/bindery/engine/review"

// impacts are what the kinds of review.Impacts are called.
var impacts = map[string]struct{ icon, words string }{
	"package-removed":    {"🗑", "packages removed"},
	"package-downgraded": {"⬇️", "packages downgraded"},
	"path-deleted":       {"🗑", "paths deleted"},
	"path-removed":       {"🗑", "paths no longer managed"},
	"user-removed":       {"🗑", "users or groups removed"},
	"service-stopped":    {"⏹", "service stop"},
	"service-removed":    {"🗑", "services no longer managed"},
	"reboot":             {"⚡", "reboot"},
	"stop":               {"⏹", "service stop by its target"},
	"restart":            {"🔁", "service restart"},
	"reload":             {"♻️", "service reload"},
	"run":                {"▶️", "actions run"},
	"secret":             {"🔑", "secret value changes"},
	"rights":             {"👤", "owner, group, mode or account changes"},
	"probe":              {"❔", "probes changed, effect unknown until they ran"},
	"fixed":              {"🩹", "entries that build again"},
}

// Impact gives the icon and the words for a kind of impact.
func Impact(kind string) (icon, words string) {
	i := impacts[kind]
	return i.icon, i.words
}

// Severity gives the words for how severe a change is.
func Severity(s review.Severity) string {
	switch s {
	case review.Failing:
		return "does not build"
	case review.Removal:
		return "removal"
	case review.Sensitive:
		return "secret, rights or probe"
	case review.Reboot:
		return "reboot"
	case review.Restart:
		return "service restart or stop"
	case review.Reload:
		return "service reload"
	case review.Content:
		return "content only, no restart"
	case review.Metadata:
		return "attributes only"
	}
	return "order only"
}
