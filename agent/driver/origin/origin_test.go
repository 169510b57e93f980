// SPDX-License-Identifier: Apache-2.0

package origin_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver/origin"
)

func TestRead(t *testing.T) {
	t.Parallel()
	two := []string{"i386", "x86_64"}
	for _, c := range []struct {
		name           string
		url, uri, srcs string
		file           string
		arches         []string
		want           []string
		fails          string
	}{
		{name: "nothing", uri: "http://x"},
		{name: "a whole address", url: "http://x/a.rpm", want: []string{"http://x/a.rpm"}},
		{name: "a file below an address", url: "http://x/", file: "a.rpm", want: []string{"http://x/a.rpm"}},
		{name: "a file below a path", url: "/srv/p", file: "sub/a.rpm", want: []string{"/srv/p/sub/a.rpm"}},
		{name: "as Pkgmgr delivers it", url: "http://x/sub/a.rpm", uri: "http://x", file: "sub/a.rpm", want: []string{"http://x/sub/a.rpm"}},
		{name: "of an instance", url: "http://x/other.rpm", uri: "http://x", file: "a.rpm", want: []string{"http://x/a.rpm"}},
		{name: "one url for each architecture", url: "http://x/a-i386 http://x/a-x86_64", uri: "http://x", file: "a-%(arch)s", arches: two, want: []string{"http://x/a-i386", "http://x/a-x86_64"}},
		{name: "architectures in the name", uri: "http://x", file: "a-%(arch)s%%", arches: two, want: []string{"http://x/a-i386%", "http://x/a-x86_64%"}},
		{name: "sources in the name", uri: "http://x", file: "%(src)s/a-%(arch)s", srcs: "old,new", arches: two, want: []string{"http://x/old/a-i386", "http://x/new/a-x86_64"}},
		{name: "too few sources", uri: "http://x", file: "%(src)s", srcs: "old", arches: two, fails: "srcs names 1 of 2"},
		{name: "urls of other architectures", url: "http://x/a http://x/b", fails: "url names 2 addresses, for 1"},
		{name: "an option", url: "-x", fails: "neither a path nor an address"},
		{name: "a whole path", file: "/srv/p/a.rpm", want: []string{"/srv/p/a.rpm"}},
		{name: "nowhere", file: "a.rpm", fails: "neither a path nor an address"},
		{name: "a shell's word", url: "http://x/$(id)", fails: "neither a path nor an address"},
		{name: "another protocol", url: "ssh://x/a", fails: "neither a path nor an address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := origin.Read(func(name string) string {
				return map[string]string{"url": c.url, "uri": c.uri, "srcs": c.srcs}[name]
			}, c.file, c.arches)
			if c.fails != "" {
				require.ErrorContains(t, err, c.fails)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}
