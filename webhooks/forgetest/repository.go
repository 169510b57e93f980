// SPDX-License-Identifier: Apache-2.0

package forgetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

var errConflict = errors.New("merge conflict")

const zeroHash = "0000000000000000000000000000000000000000"

// repository is a bare repository, worked on with the git program.
type repository struct {
	program, root, dir string
}

func newRepository(ctx context.Context, program, root, name string) (*repository, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	g := &repository{program: program, root: root, dir: filepath.Join(root, filepath.FromSlash(name)+".git")}
	if _, err := os.Stat(filepath.Join(g.dir, "HEAD")); err == nil {
		return g, nil
	}
	if err := os.MkdirAll(g.dir, 0o755); err != nil {
		return nil, err
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--bare", "--initial-branch=main", "."},
		{"config", "http.receivepack", "true"},
		{"config", "gc.auto", "0"},
		{"config", "receive.autogc", "false"},
	} {
		if _, err := g.run(ctx, args...); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// environment keeps git from reading anybody's settings.
func (g *repository) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + g.root, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_AUTHOR_NAME=forge", "GIT_AUTHOR_EMAIL=forge@example.test",
		"GIT_COMMITTER_NAME=forge", "GIT_COMMITTER_EMAIL=forge@example.test",
	}
}

func (g *repository) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, g.program, args...)
	cmd.Dir, cmd.Env = g.dir, g.environment()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return strings.TrimSpace(stdout.String()), fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(stdout.String()), nil
}

func (g *repository) resolve(ctx context.Context, rev string) (string, error) {
	return g.run(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
}

func (g *repository) has(ctx context.Context, commit string) bool {
	_, err := g.resolve(ctx, commit)
	return err == nil
}

func (g *repository) set(ctx context.Context, ref, commit string) error {
	_, err := g.run(ctx, "update-ref", ref, commit)
	return err
}

// move sets a ref only if it is where it was.
func (g *repository) move(ctx context.Context, ref, from, to string) error {
	_, err := g.run(ctx, "update-ref", ref, to, from)
	return err
}

func (g *repository) remove(ctx context.Context, ref string) error {
	_, err := g.run(ctx, "update-ref", "-d", ref)
	return err
}

// heads lists the branches.
func (g *repository) heads(ctx context.Context) (map[string]string, error) {
	return g.refs(ctx, "refs/heads")
}

// refs lists the refs below one.
func (g *repository) refs(ctx context.Context, below string) (map[string]string, error) {
	out, err := g.run(ctx, "for-each-ref", "--format=%(refname) %(objectname)", below)
	if err != nil {
		return nil, err
	}
	heads := map[string]string{}
	for line := range strings.Lines(out) {
		name, hash, _ := strings.Cut(strings.TrimSpace(line), " ")
		heads[name] = hash
	}
	return heads, nil
}

// mergedTree is the tree of base and head together.
func (g *repository) mergedTree(ctx context.Context, base, head string) (string, error) {
	tree, err := g.run(ctx, "merge-tree", "--write-tree", "--allow-unrelated-histories", base, head)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return "", errConflict
	}
	return tree, err
}

func (g *repository) merge(ctx context.Context, base, head, message string) (string, error) {
	tree, err := g.mergedTree(ctx, base, head)
	if err != nil {
		return "", err
	}
	return g.run(ctx, "commit-tree", tree, "-p", base, "-p", head, "-m", message)
}

// rebase puts the commits of head onto base, one by one.
func (g *repository) rebase(ctx context.Context, base, head string) (string, error) {
	list, err := g.run(ctx, "rev-list", "--reverse", base+".."+head)
	if err != nil {
		return "", err
	}
	for commit := range strings.FieldsSeq(list) {
		// As if what is there so far had been made from the commit's own parent.
		beside, err := g.run(ctx, "commit-tree", base+"^{tree}", "-p", commit+"^", "-m", "beside")
		if err != nil {
			return "", err
		}
		tree, err := g.mergedTree(ctx, beside, commit)
		if err != nil {
			return "", err
		}
		if base, err = g.run(ctx, "commit-tree", tree, "-p", base, "-m", "rebased "+commit); err != nil {
			return "", err
		}
	}
	return base, nil
}

func (g *repository) squash(ctx context.Context, base, head, message string) (string, error) {
	tree, err := g.mergedTree(ctx, base, head)
	if err != nil {
		return "", err
	}
	return g.run(ctx, "commit-tree", tree, "-p", base, "-m", message)
}
