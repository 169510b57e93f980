// SPDX-License-Identifier: Apache-2.0

package vcs_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/engine/config"
)

// A user has the directory, or had it, and prepared what git keeps of a checkout: none
// of the programs that it names is run, be it only looked at, and nothing is written
// where it says.
func TestCheckoutThatOthersPrepared(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // there is no second user
	}
	src := sources(t)["git"]
	give := `chown -R 64998:64998 .`
	for name, prepare := range map[string]string{
		"programs of a partial clone": `git config core.repositoryformatversion 1; git config extensions.partialClone origin; git config remote.origin.promisor true
git config remote.origin.uploadpack 'touch ../PWNED; git-upload-pack'; echo 1234567890123456789012345678901234567890 >.git/HEAD; ` + give,
		"filter":           `git config filter.x.smudge 'touch ../../PWNED; cat'; git config filter.x.clean cat; echo '* filter=x' >.git/info/attributes; ` + give,
		"hook":             `printf '#!/bin/sh\ntouch ../PWNED\n' >.git/hooks/post-checkout; chmod 755 .git/hooks/post-checkout; ` + give,
		"monitor":          `git config core.fsmonitor 'touch ../PWNED'; ` + give,
		"way by ssh":       `git config core.sshCommand 'touch ../PWNED'; git config credential.helper '!touch ../PWNED'; git config core.askPass ../PWNED; ` + give,
		"alternates":       `git config core.alternateRefsCommand 'touch ../PWNED'; echo ../../../other/.git/objects >.git/objects/info/alternates; ` + give,
		"another tree":     `mkdir ../victim; git config core.worktree "$PWD/../victim"; ` + give,
		"settings alone":   `git config filter.x.smudge 'touch ../../PWNED; cat'; echo '* filter=x' >.git/info/attributes; chown 64998 .git/config`,
		"settings for all": `git config filter.x.smudge 'touch ../../PWNED; cat'; echo '* filter=x' >.git/info/attributes; chmod 666 .git/config`,
		"tree elsewhere":   `mv .git ../theirs; chown -R 64998 ../theirs; echo "gitdir: $PWD/../theirs" >.git`,
		"link elsewhere":   `mv .git ../theirs; chown -R 64998 ../theirs; ln -s ../theirs .git`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := machine(t)
			root := m.Processes.(below).root
			sh(t, root+"/w", "git clone -q --no-hardlinks "+src[0]+" c; cd c; git checkout -q "+src[1]+"; "+prepare)
			before := sh(t, root+"/w", "cat c/f")
			d := newDriver(t, m)
			item := driver.Item{Entry: config.NewEntry(entry("name=/w/c", "vcstype=git", "sourceurl="+src[0], "revision="+src[2]))}
			for _, apply := range []bool{false, true} {
				_, err := d.Apply(t.Context(), item, apply)
				require.ErrorContains(t, err, "take it away")
			}
			was, err := d.(driver.Keeper).Standing(t.Context(), []driver.Item{item})
			require.NoError(t, err)
			require.Equal(t, "-", was[0].State)
			require.NoFileExists(t, root+"/w/PWNED")
			require.NoFileExists(t, root+"/PWNED")
			require.NoFileExists(t, root+"/w/victim/f")
			require.Equal(t, before, sh(t, root+"/w", "cat c/f"))
		})
	}
}

// A directory of a user in which no tool kept anything is no checkout, and no tool is
// asked: by then it could have become one.
func TestDirectoryOfOthersIsReplaced(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // there is no second user
	}
	for kind, src := range sources(t) {
		m := machine(t)
		root := m.Processes.(below).root
		sh(t, root+"/w", "mkdir c; echo x >c/mine; chown -R 64998 c")
		out, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(entry("name=/w/c", "vcstype="+kind, "sourceurl="+src[0], "revision="+src[2]))}, true)
		require.NoError(t, err, kind)
		require.Contains(t, out.Reasons, "is no checkout")
		require.NoFileExists(t, root+"/w/c/mine")
		require.Equal(t, "2", sh(t, root+"/w", "cat c/f"))
	}
}
