// SPDX-License-Identifier: Apache-2.0

package deb_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/deb"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
)

// What was not marked as brought along, as a new Debian has it, and is needed by what
// stays could not be taken away: it is not extra. What only extra packages need is.
func TestNeededIsNotExtra(t *testing.T) {
	t.Parallel()
	m, files, _ := systemtest.Machine()
	for _, dir := range []string{"/var", "/var/lib", "/var/lib/dpkg"} {
		require.NoError(t, files.Change(system.Change{Op: system.Mkdir, Name: dir, Mode: 0o755}))
	}
	var status strings.Builder
	for _, p := range []string{
		"dpkg\nEssential: yes\nPre-Depends: libc (>= 2), tar", "libc\nDepends: libgcc:any", "libgcc\nDepends: libc", "tar",
		"app\nDepends: absent | first | second, virtual (= 1)", "first", "second", "one\nProvides: other, virtual (= 1)", "two\nProvides: virtual",
		"stray\nDepends: libstray, libc", "libstray", "twin\nDepends: nothing-at-all",
	} {
		status.WriteString("Package: " + p + "\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n")
	}
	require.NoError(t, files.Change(system.Change{Op: system.Write, Name: "/var/lib/dpkg/status", Mode: 0o644, Content: []byte(status.String())}))
	d, err := deb.New(deb.Config{Machine: m})
	require.NoError(t, err)
	extras := func(asked ...driver.Item) (out []string) {
		list, err := d.Extras(t.Context(), asked)
		require.NoError(t, err)
		for _, s := range list {
			out = append(out, s.Name)
		}
		return out
	}
	require.Equal(t, []string{"app", "first", "libstray", "one", "second", "stray", "twin", "two"}, extras())
	require.Equal(t, []string{"libstray", "second", "stray", "twin"}, extras(items(pack("name=app"))...))
	require.Equal(t, []string{"app", "first", "one", "second", "twin", "two"}, extras(items(pack("name=stray"))...))
}
