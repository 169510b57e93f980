// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const records = `Package: app
Depends: lib (>= 1), mta | sendmail, awk:any
Pre-Depends: libc
Description: text
 Depends: nothing

Package: lib
Package: libc
Package: exim
Provides: mta (= 1), mail
Depends: exim-lib
Package: exim-lib
Package: postfix
Provides: mta
Package: mawk
Provides: awk
`

func of(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}

func TestUnexplained(t *testing.T) {
	x, err := parse(strings.NewReader(records))
	require.NoError(t, err)
	require.Equal(t, [][]string{{"lib"}, {"mta", "sendmail"}, {"awk"}, {"libc"}}, x.packages["app"])
	all := of("app", "lib", "libc", "exim", "exim-lib", "mawk")
	require.Equal(t, []string{"app", "lib", "postfix", "exim", "libc", "exim-lib", "mawk"}, x.spread(2))
	require.Empty(t, x.unexplained(all, of("app", "lib", "libc", "mawk")), "exim is a choice, and exim-lib comes with it")
	require.Equal(t, []string{"lib", "mawk"}, x.unexplained(all, of("app", "libc")), "there is no choice")
	all["postfix"], all["stranger"] = true, true
	require.Equal(t, []string{"stranger"}, x.unexplained(all, of("app", "lib", "libc", "mawk")))
}

func TestCompare(t *testing.T) {
	x, err := parse(strings.NewReader(records))
	require.NoError(t, err)
	chosen := []closure{{"app", of("app", "lib", "libc", "exim", "exim-lib", "mawk")}, {"lib", of("lib")}}
	var b strings.Builder
	require.NoError(t, compare(&b, x, chosen, map[string][]string{"app": {"lib", "libc", "mawk"}}))
	require.Equal(t, "2 packages resolved: 1 as apt-get does; in the others 2 packages are left to the host's choice, and 0 are those of a name that apt-get has otherwise\n", b.String())
	require.ErrorIs(t, compare(io.Discard, x, chosen, map[string][]string{"app": {"lib", "libc", "mawk", "postfix"}}), errDiffers)
	require.ErrorIs(t, compare(io.Discard, x, chosen, nil), errDiffers)
	require.NoError(t, compare(io.Discard, x, chosen, map[string][]string{"app": {"lib", "libc", "mawk", "mta"}}), "exim stands for it")
}
