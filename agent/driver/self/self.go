// SPDX-License-Identifier: Apache-2.0

// Package self knows the names that the agent goes by on a host, so that no driver
// takes it away or stops it: a run that did would not come to its end, and none would
// come after it. It must not know what any driver does.
package self

import (
	"errors"
	"slices"
	"strings"
)

// Name is that of the agent's package.
const Name = "bindery-agent"

// name is also what services of it begin with.
const name = Name

// ErrStop refuses to stop or to disable the agent, ErrRemove to take it away.
var (
	ErrStop   = errors.New("the agent does not stop itself: nothing would start it again")
	ErrRemove = errors.New("the agent does not take itself away")
)

// Units are the units that the agent's package has.
func Units() []string { return []string{name + ".service", name + ".timer", name + "-fetch.service"} }

// Service tells whether a service is the agent's, by the name that any service manager
// has for it: a unit, a script, a job, or the identifier of an instance.
func Service(service string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(service, func(r rune) bool { return r == '/' || r == ':' }),
		func(part string) bool { return strings.HasPrefix(part, name) })
}

// Package tells whether a package is the agent's, by its name alone or with what tells
// one of several apart: :ARCHITECTURE, =VERSION, .ARCHITECTURE, or -VERSION.
func Package(pack string) bool {
	rest, found := strings.CutPrefix(pack, name)
	if !found || rest == "" || rest[0] == ':' || rest[0] == '=' || rest[0] == '.' {
		return found
	}
	return rest[0] == '-' && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9'
}
