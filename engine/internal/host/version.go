// SPDX-License-Identifier: Apache-2.0

package host

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
)

// Version is a version of Bcfg2's client, as clients.xml records it.
type Version struct {
	Major, Minor, Micro int
	// Level is "final", or what comes before: "pre", "rc".
	Level  string
	Serial int
}

// finalLevel is the level of a release.
const finalLevel = "final"

var microLevel = regexp.MustCompile(`^(\d+)([A-Za-z_]+)(\d+)$`)

// ParseVersion reads a version of three parts, such as 1.3.6 or 1.4.0pre2; nil where
// it is none.
func ParseVersion(s string) *Version {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return nil
	}
	micro, level, serial := parts[2], finalLevel, "0"
	if m := microLevel.FindStringSubmatch(micro); m != nil {
		micro, level, serial = m[1], m[2], m[3]
	}
	out := &Version{Level: level}
	for _, n := range []struct {
		text string
		to   *int
	}{{parts[0], &out.Major}, {parts[1], &out.Minor}, {micro, &out.Micro}, {serial, &out.Serial}} {
		v, err := strconv.Atoi(n.text)
		if err != nil {
			return nil
		}
		*n.to = v
	}
	return out
}

// Follows tells whether such a client knows bundles that follow others: those from
// 1.4.0pre2 on do.
func (v *Version) Follows() bool {
	if v == nil {
		return false
	}
	first := Version{Major: 1, Minor: 4, Level: "pre", Serial: 2}
	if c := cmp.Or(cmp.Compare(v.Major, first.Major), cmp.Compare(v.Minor, first.Minor), cmp.Compare(v.Micro, first.Micro)); c != 0 {
		return c > 0
	}
	return v.Level != first.Level || v.Serial >= first.Serial
}
