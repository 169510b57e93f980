// SPDX-License-Identifier: Apache-2.0

package git_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/git"
)

// thing is what stands at a path.
type thing struct{ mode, data string }

type files map[string]thing

// put writes a file, and takes away what is in its way.
func (f files) put(name string, t thing) {
	maps.DeleteFunc(f, func(other string, _ thing) bool {
		return strings.HasPrefix(other, name+"/") || strings.HasPrefix(name, other+"/")
	})
	f[name] = t
}

// maker draws trees and edits of them.
type maker struct {
	*rand.Rand
	// words are lines; few of them repeat a lot.
	words []string
}

func (m maker) one(of ...string) string { return of[m.IntN(len(of))] }

func (m maker) lines(n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(m.one(m.words...))
	}
	return b.String()
}

var places = []string{"a", "b", "c", "d", "d/x", "d/y", "d/e", "d/e/z", "d/e/z/w", "d.x", "d0", "link", "sub", "run", "é"}

func (m maker) thing() thing {
	switch m.IntN(20) {
	case 0:
		return thing{"120000", m.one("a", "b", "d/x")}
	case 1:
		return thing{"160000", strings.Repeat(m.one("1", "2", "3"), 40)}
	case 2:
		return thing{"100644", "\x00" + m.lines(2)}
	case 3:
		return thing{"100644", ""}
	case 4, 5:
		return thing{"100755", m.lines(m.IntN(12))}
	case 6:
		return thing{"100644", strings.TrimSuffix(m.lines(1+m.IntN(12)), "\n")}
	}
	return thing{"100644", m.lines(m.IntN(30))}
}

// edit changes a tree by a few steps.
func (m maker) edit(f files, steps int) files {
	out := maps.Clone(f)
	for range steps {
		names := slices.Sorted(maps.Keys(out))
		if len(names) == 0 || m.IntN(12) == 0 {
			out.put(m.one(places...), m.thing())
			continue
		}
		name := m.one(names...)
		t := out[name]
		switch m.IntN(14) {
		case 0:
			delete(out, name)
		case 1:
			out.put(name+"/in", m.thing())
		case 2:
			if strings.HasPrefix(t.mode, "100") {
				t.mode = m.one("100644", "100755")
			}
			out.put(name, t)
		case 3:
			out.put(name, m.thing())
		default:
			if t.mode != "160000" && t.mode != "120000" {
				t.data = m.text(t.data)
			}
			out.put(name, t)
		}
	}
	return out
}

// text changes lines here and there.
func (m maker) text(data string) string {
	lines := strings.SplitAfter(data, "\n")
	for range 1 + m.IntN(3) {
		i, n := m.IntN(len(lines)), 1+m.IntN(3)
		j := min(len(lines), i+n)
		switch m.IntN(4) {
		case 0:
			lines = slices.Delete(lines, i, j)
		case 1:
			lines = slices.Insert(lines, i, m.lines(n))
		case 2:
			lines = slices.Replace(lines, i, j, m.lines(n))
		default:
			lines = slices.Insert(lines, i, lines[i:j]...)
		}
		if lines = strings.SplitAfter(strings.Join(lines, ""), "\n"); len(lines) == 0 {
			lines = []string{""}
		}
	}
	return strings.Join(lines, "")
}

// imported writes commits for git fast-import.
type imported struct {
	bytes.Buffer
	n int
}

func (w *imported) commit(f files, parents ...int) int {
	w.n++
	fmt.Fprintf(w, "commit refs/heads/c%d\nmark :%d\ncommitter a <a@example.org> %d +0000\ndata 1\nm\n", w.n, w.n, w.n)
	for i, p := range parents {
		fmt.Fprintf(w, "%s :%d\n", []string{"from", "merge"}[min(i, 1)], p)
	}
	w.WriteString("deleteall\n")
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if t := f[name]; t.mode == "160000" {
			fmt.Fprintf(w, "M 160000 %s %q\n", t.data, name)
		} else {
			fmt.Fprintf(w, "M %s inline %s\ndata %d\n%s\n", t.mode, name, len(t.data), t.data)
		}
	}
	w.WriteString("\n")
	return w.n
}

// history draws two branches, and gives both ends.
func (m maker) history(w *imported) (ours, theirs int) {
	start := files{}
	for range 2 + m.IntN(6) {
		start.put(m.one(places...), m.thing())
	}
	root := w.commit(start)
	a, b := m.edit(start, m.IntN(3)), m.edit(start, 1+m.IntN(3))
	if m.IntN(3) == 0 { // both do the same, and more
		both := m.edit(start, 1)
		a, b = m.edit(both, m.IntN(3)), m.edit(both, m.IntN(3))
	}
	one, two := w.commit(a, root), w.commit(b, root)
	switch m.IntN(12) {
	case 0: // both were merged into each other
		x, y := w.commit(m.edit(a, 1), one, two), w.commit(m.edit(b, 1), two, one)
		return w.commit(m.edit(a, 1), x), w.commit(m.edit(b, 1), y)
	case 1: // one was merged before
		x := w.commit(m.edit(b, 1), two, one)
		return w.commit(m.edit(a, 2), one), w.commit(m.edit(b, 2), x)
	case 2: // nothing in common
		return one, w.commit(b)
	}
	return one, two
}

// verdicts of git and of ours.
type verdicts struct{ both, neither, declined, renamed, histories int }

func gitIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return strings.TrimSpace(string(out))
}

// renames tells whether git takes a file for another. Before 2.50, git merge-tree
// does so whatever merge.renames says.
func renames(t *testing.T, dir, ours, theirs string) bool {
	t.Helper()
	from := gitIn(t, dir, "merge-base", ours, theirs)
	seen := func(side string) string {
		return gitIn(t, dir, "diff-tree", "-r", "-M50%", "-l0", "--diff-filter=R", "--name-only", from, side)
	}
	return seen(ours)+seen(theirs) != ""
}

// gitMerge gives the tree, or what git says of conflicts.
func gitMerge(t *testing.T, dir, ours, theirs string) (tree string, clean bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "-c", "merge.renames=false", "-c", "merge.directoryRenames=false", "merge-tree", "--write-tree", ours, theirs)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		require.Contains(t, []int{1, 128}, exit.ExitCode(), string(exit.Stderr)) // 128: histories without a common commit
		return string(out), false
	}
	require.NoError(t, err)
	return strings.TrimSpace(string(out)), true
}

// What is merged here is what git merges, to the byte; what git does not merge is
// not merged here. Some of what git merges is not merged here either: where it
// depends on how lines are matched.
func TestMergeHereAgreesWithGit(t *testing.T) {
	n := 150
	if more := os.Getenv("BINDERY_MERGES"); more != "" {
		var err error
		n, err = strconv.Atoi(more)
		require.NoError(t, err)
	}
	seed := uint64(1)
	var v verdicts
	for ; n > 0; n -= 1000 {
		agree(t, seed, min(n, 1000), &v)
		seed++
	}
	t.Logf("%d histories: %d merged alike, %d not merged by either, %d merged by git alone, %d where git follows a rename", v.histories, v.both, v.neither, v.declined, v.renamed)
	require.Greater(t, v.both, v.histories/5)
	require.Greater(t, v.neither, v.histories/10)
	require.Less(t, v.declined, v.histories/5)
}

func agree(t *testing.T, seed uint64, n int, v *verdicts) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repo")
	run := func(stdin []byte, args ...string) string {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir, cmd.Stdin = filepath.Dir(dir), bytes.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	run(nil, "init", "--quiet", "--bare", dir)
	var w imported
	pairs := make([][2]int, n)
	for i := range pairs {
		m := maker{Rand: rand.New(rand.NewPCG(seed, uint64(i)))} //nolint:gosec // trees of a test
		for j := range []int{4, 12, 60}[m.IntN(3)] {
			m.words = append(m.words, fmt.Sprintf("line %d\n", j))
		}
		m.words = append(m.words, "\n", "}\n")
		pairs[i][0], pairs[i][1] = m.history(&w)
	}
	marks := filepath.Join(filepath.Dir(dir), "marks")
	run(w.Bytes(), "--git-dir", dir, "fast-import", "--quiet", "--export-marks="+marks)
	data, err := os.ReadFile(marks)
	require.NoError(t, err)
	ids := map[string]string{}
	for line := range strings.Lines(string(data)) {
		mark, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		ids[mark] = id
	}
	mirror, err := git.New(git.Config{URL: dir})
	require.NoError(t, err)
	defer func() { require.NoError(t, mirror.Close()) }()
	for i, p := range pairs {
		ours, theirs := ids[fmt.Sprintf(":%d", p[0])], ids[fmt.Sprintf(":%d", p[1])]
		tree, clean := gitMerge(t, dir, ours, theirs)
		id, err := mirror.MergeHere(t.Context(), ours, theirs)
		var conflict *git.ConflictError
		v.histories++
		where := fmt.Sprintf("seed %d, history %d: git merge-tree %s %s in %s", seed, i, ours, theirs, dir)
		switch {
		case err == nil:
			c, err := mirror.Commit(t.Context(), id)
			require.NoError(t, err)
			if (!clean || tree != c.Tree) && renames(t, dir, ours, theirs) {
				v.renamed++
				continue
			}
			require.True(t, clean, "%s: merged here and not by git: %s", where, tree)
			require.Equal(t, tree, c.Tree, where)
			v.both++
		case errors.As(err, &conflict) || errors.Is(err, git.ErrNoMerge):
			if clean {
				v.declined++
			} else {
				v.neither++
			}
		default:
			require.NoError(t, err, where)
		}
	}
}

// names lists all files below a folder, with their sizes.
func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, name)
		}
		return err
	}))
	return out
}

// A merge that is made here can be read like any commit, has the same id each time
// and in each process, and leaves nothing on the disk.
func TestMergeHere(t *testing.T) {
	o := newOrigin(t)
	ctx := t.Context()
	o.write("a", "1\n2\n3\n4\n5\n")
	o.write("b", "1\n")
	o.commit()
	o.git("checkout", "--quiet", "-b", "change")
	o.write("a", "1\n2\n3\n4\nfive\n")
	head := o.commit()
	o.git("checkout", "--quiet", "main")
	o.write("a", "one\n2\n3\n4\n5\n")
	tip := o.commit()
	o.push("main", "change")
	dir := filepath.Join(t.TempDir(), "m")
	m := o.mirror(dir)
	require.NoError(t, m.Fetch(ctx))
	before := names(t, dir)

	id, err := m.MergeHere(ctx, tip, head)
	require.NoError(t, err)
	snap, err := m.Snapshot(ctx, id)
	require.NoError(t, err)
	data, err := snap.ReadFile("a")
	require.NoError(t, err)
	require.Equal(t, "one\n2\n3\n4\nfive\n", string(data))
	tree, clean := gitMerge(t, o.work, tip, head)
	require.True(t, clean)
	require.Equal(t, tree, snap.Tree())
	base, err := m.Snapshot(ctx, tip)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, git.Changed(base, snap))
	c, err := m.Commit(ctx, id)
	require.NoError(t, err)
	require.Equal(t, []string{tip, head}, c.Parents)
	is, err := m.IsAncestor(ctx, head, id)
	require.NoError(t, err)
	require.True(t, is)
	require.Equal(t, before, names(t, dir))

	// It outlives a fetch, and is made again after a restart.
	require.NoError(t, m.Fetch(ctx))
	_, err = m.Commit(ctx, id)
	require.NoError(t, err)
	require.NoError(t, m.Close())
	m = o.mirror(dir)
	_, err = m.Commit(ctx, id)
	require.ErrorIs(t, err, git.ErrUnknownRevision)
	again, err := m.MergeHere(ctx, tip, head)
	require.NoError(t, err)
	require.Equal(t, id, again)

	o.write("a", "uno\n2\n3\n4\n5\n")
	other := o.commit()
	o.git("checkout", "--quiet", "change")
	o.write("a", "eins\n2\n3\n4\n5\n")
	o.write("b\x01", "odd\n")
	worse := o.commit()
	o.git("checkout", "--quiet", "--orphan", "stranger")
	stranger := o.commit()
	o.push("main", "change", "stranger")
	require.NoError(t, m.Fetch(ctx))
	for range 2 {
		_, err = m.MergeHere(ctx, other, worse)
		var conflict *git.ConflictError
		require.ErrorAs(t, err, &conflict)
		require.Equal(t, []string{"a"}, conflict.Files)
		require.ErrorContains(t, err, "does not merge: a")
		_, err = m.MergeHere(ctx, other, stranger)
		require.ErrorIs(t, err, git.ErrNoMerge)
	}
	_, err = m.MergeHere(ctx, other, strings.Repeat("1", 40))
	require.ErrorIs(t, err, git.ErrUnknownRevision)
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	_, err = m.MergeHere(stopped, tip, worse)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, m.Close())
}

// Two branches that were merged into each other have two best common ancestors, and
// which of them is meant would be a guess.
func TestMergeHereOfACrissCross(t *testing.T) {
	o := newOrigin(t)
	o.write("a", "1\n")
	o.commit()
	o.git("checkout", "--quiet", "-b", "change")
	o.write("b", "1\n")
	one := o.commit()
	o.git("checkout", "--quiet", "main")
	o.write("c", "1\n")
	two := o.commit()
	o.git("merge", "--quiet", "--no-ff", "-m", "one", one)
	tip := o.git("rev-parse", "HEAD")
	o.git("checkout", "--quiet", "change")
	o.git("merge", "--quiet", "--no-ff", "-m", "two", two)
	o.write("b", "2\n")
	head := o.commit()
	m, err := git.New(git.Config{URL: o.work})
	require.NoError(t, err)
	_, err = m.MergeHere(t.Context(), tip, head)
	require.ErrorIs(t, err, git.ErrNoMerge)
	require.ErrorContains(t, err, "2 best common ancestors")
	require.NoError(t, m.Close())
}
