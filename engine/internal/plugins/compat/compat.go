// SPDX-License-Identifier: Apache-2.0

// Package compat is Bcfg2's POSIXCompat and ServiceCompat: they say modes in the
// words of clients before 1.3.0, to hosts whose version in clients.xml is older or
// not recorded. It must not know how entries are bound.
package compat

import (
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
)

// Paths is POSIXCompat. It makes perms what mode is; as a mode is delivered in one
// spelling only, what is left of it is that perms no longer counts beside mode.
type Paths struct{}

// Services is ServiceCompat: it makes the one attribute mode of restart and install.
type Services struct{}

var (
	_ plugin.Finisher = Paths{}
	_ plugin.Finisher = Services{}
)

// Finish completes a Path.
func (Paths) Finish(v *memo.View, d *plugin.Draft) {
	if d.Tag != "Path" {
		return
	}
	if _, ok := d.Lookup("mode"); ok && old(v.Version()) {
		d.Remove("perms")
	}
}

// Finish completes a Service.
func (Services) Finish(v *memo.View, d *plugin.Draft) {
	if d.Tag != "Service" || !old(v.Version()) {
		return
	}
	switch word(d, "restart") + " " + word(d, "install") {
	case "true true":
		d.Set("mode", "default")
	case "interactive true":
		d.Set("mode", "interactive_only")
	default:
		d.Set("mode", "manual")
	}
}

func word(d *plugin.Draft, name string) string {
	if v, ok := d.Lookup(name); ok {
		return strings.ToLower(v)
	}
	return "true"
}

// old tells whether a version is before 1.3.0. One that cannot be read is.
func old(version string) bool {
	parts := strings.Split(strings.TrimSpace(version), ".")
	if len(parts) != 3 {
		return true
	}
	micro := strings.TrimLeft(parts[2], "0123456789")
	parts[2] = strings.TrimSuffix(parts[2], micro) // a release level such as rc1 stands behind it
	var numbers [3]int
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil {
			return true
		}
		numbers[i] = n
	}
	return numbers[0] < 1 || numbers[0] == 1 && numbers[1] < 3
}
