// SPDX-License-Identifier: Apache-2.0

package git_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/git"
)

// What is written has to be good for git itself.
func TestPropose(t *testing.T) {
	o := newOrigin(t)
	o.write("a/b/c", "c\n")
	o.write("a.b", "x\n")
	o.write("gone", "x\n")
	o.git("add", ".")
	o.git("commit", "--quiet", "-m", "first")
	o.git("config", "user.name", "Ann")
	o.git("config", "user.email", "ann@example.test")
	first := o.git("rev-parse", "HEAD")
	p := git.Proposal{Branch: "keys", Base: first, Message: "Add keys\n", When: time.Unix(1e9, 0), Files: map[string][]byte{
		"a/b/new": []byte("new\n"), "a/d/e/f": []byte("f\n"), "gone": nil,
	}}
	id, err := git.Propose(t.Context(), o.work, p)
	require.NoError(t, err)
	require.Equal(t, id, o.git("rev-parse", "keys"))
	require.Empty(t, o.git("status", "--porcelain"))
	o.git("fsck", "--strict")
	require.Equal(t, "A\ta/b/new\nA\ta/d/e/f\nD\tgone", o.git("diff", "--name-status", "main", "keys"))
	require.Equal(t, "Ann <ann@example.test> Add keys", o.git("log", "-1", "--format=%an <%ae> %s", "keys"))

	_, err = git.Propose(t.Context(), o.work, p)
	require.ErrorContains(t, err, "it moved meanwhile")
	p.Branch = "main"
	_, err = git.Propose(t.Context(), o.work, p)
	require.ErrorIs(t, err, git.ErrCheckedOut)
	p.Branch, p.Files = "other", map[string][]byte{"a.b/c": nil}
	_, err = git.Propose(t.Context(), o.work, p)
	require.ErrorContains(t, err, "a.b is no directory")
	p.Files = map[string][]byte{"../x": {}}
	_, err = git.Propose(t.Context(), o.work, p)
	require.ErrorContains(t, err, "unsafe name")
	p.Branch = "no..good"
	_, err = git.Propose(t.Context(), o.work, p)
	require.ErrorContains(t, err, "branch")
}
