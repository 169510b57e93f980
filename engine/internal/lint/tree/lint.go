// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"github.com/bindery/bindery/engine/problem"
)

// MaxFindings bounds what one run says, for each severity: warnings must not hide
// an error.
const MaxFindings = 5000

// Config says what to look at.
type Config struct {
	// Plugins are the plugins that are on; nil: those whose directory exists.
	Plugins []string
	// Conf holds sections and options of bcfg2.conf.
	Conf map[string]map[string]string
	// YAML tells where and why data is not YAML; 0 where the place is not known.
	YAML func(data []byte) (line, column int, err error)
	// Template tells why a file cannot be read as a template; nil: nobody can tell.
	Template func(file string) *problem.Problem
}
