// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"github.com/bindery/bindery/engine/internal/lint/verdict"
)

// Wanted tells whether anybody wants to see findings of a code.
func (t *Tree) Wanted(code string) bool {
	severity, said := t.Severities[code]
	if said {
		return severity != verdict.Silent
	}
	return !verdict.Quiet(code)
}
