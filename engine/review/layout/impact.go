// SPDX-License-Identifier: Apache-2.0

package layout

// impacts are what the kinds of review.Impacts are called.
var impacts = map[string]struct{ icon, words string }{
	"package-removed":    {"🗑", "packages removed"},
	"package-downgraded": {"⬇️", "packages downgraded"},
	"path-deleted":       {"🗑", "paths deleted"},
	"path-removed":       {"🗑", "paths no longer managed"},
	"user-removed":       {"🗑", "users or groups removed"},
	"service-stopped":    {"⏹", "service stop"},
	"service-removed":    {"🗑", "services no longer managed"},
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
