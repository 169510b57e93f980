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

// A user has a directory within the administrator's checkout. What they prepared there as
// a submodule is not fetched into; nothing is written or removed there, as a link may be
// in its place at any moment; and where the repository has nothing, that is no reason to
// leave the checkout behind.
func TestDirectoryOfOthersInACheckout(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // there is no second user
	}
	dir := t.TempDir()
	sh(t, dir, `chmod 755 . ..; git init -q -b main inner; cd inner; echo 1 >f; git add f; git commit -qm 1
cd ..; git init -q -b main outer; cd outer; mkdir -p a/b; echo 1 >f; echo 1 >a/b/f; git add .
git update-index --add --cacheinfo 160000,$(git -C ../inner rev-parse HEAD),sub; git config -f .gitmodules submodule.sub.path sub; git config -f .gitmodules submodule.sub.url ../inner; git add .gitmodules; git commit -qm 1; git tag old
cd ../inner; echo 2 >f; git commit -qam 2; cd ../outer; echo 2 >f; echo 2 >a/b/f; mkdir later; echo 2 >later/f; git add f a later; git update-index --cacheinfo 160000,$(git -C ../inner rev-parse HEAD),sub; git commit -qm 2; git tag with
git rm -rq --cached sub; git commit -qm 3; git rm -rq a later; git commit -qm 4; git tag less`)
	give := "chown -R 64998:64998 "
	for name, c := range map[string]struct {
		prepare, to, wrong string
	}{
		"submodule": {`git init -q -b main sub; cd sub; git remote add origin ` + dir + `/inner; git config remote.origin.uploadpack 'touch ` + dir + `/PWNED; git-upload-pack'; ` + give + ".", "with", `/w/c/sub" in the checkout`},
		"changed":   {give + "a/b", "with", `/w/c/a/b" in the checkout`},
		"above":     {give + "a; chown root a/b", "with", `/w/c/a" in the checkout`},
		"for all":   {"chmod 777 a/b", "with", `/w/c/a/b" in the checkout`},
		"removed":   {give + "a/b", "less", `/w/c/a/b" in the checkout`},
		"to come":   {"mkdir later; " + give + "later", "with", `/w/c/later" in the checkout`},
		"unknown":   {"mkdir later up; ln -s /etc up/link; chmod 777 up; " + give + "later", "less", ""},
		"link":      {"rm -r a; ln -s ../elsewhere a; mkdir -p ../elsewhere/b; chmod -R 777 ../elsewhere", "with", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := machine(t)
			root := m.Processes.(below).root
			sh(t, root+"/w", "git clone -q --no-hardlinks --no-tags --single-branch -b old "+dir+"/outer c")
			item := driver.Item{Entry: config.NewEntry(entry("name=/w/c", "vcstype=git", "sourceurl="+dir+"/outer", "revision="+c.to))}
			sh(t, root+"/w/c", c.prepare)
			_, err := newDriver(t, m).Apply(t.Context(), item, true)
			require.NoFileExists(t, dir+"/PWNED")
			require.NoFileExists(t, root+"/w/elsewhere/b/f")
			if c.wrong == "" {
				require.NoError(t, err)
				require.Equal(t, "2", sh(t, root+"/w/c", "cat f"))
				return
			}
			require.ErrorContains(t, err, c.wrong)
			require.Equal(t, "1\n1", sh(t, root+"/w/c", "cat f a/b/f"))
		})
	}
}

// Subversion and Mercurial go to directories below of their own accord.
func TestDirectoryOfOthersInACheckoutOfOtherTools(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // there is no second user
	}
	for kind, src := range sources(t) {
		if kind == "git" {
			continue
		}
		m := machine(t)
		root := m.Processes.(below).root
		for i, wrong := range []string{"", `"/w/c/up/theirs" in the checkout is somebody else's`} {
			out, err := newDriver(t, m).Apply(t.Context(), driver.Item{Entry: config.NewEntry(entry("name=/w/c", "vcstype="+kind, "sourceurl="+src[0], "revision="+src[1+i]))}, true)
			if wrong == "" {
				require.NoError(t, err)
				sh(t, root+"/w/c", "mkdir -p up/theirs; chown 64998 up/theirs")
				continue
			}
			require.ErrorContains(t, err, wrong)
			require.False(t, out.Changed)
			require.Equal(t, "1", sh(t, root+"/w/c", "cat f"))
		}
	}
}
