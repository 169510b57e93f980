// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/bindery/bindery/fixtures/history"
)

// revisions holds what the command bindery says about commits that follow on each
// other against what it builds of both.
type revisions struct {
	bindery, repo, rev string
	n                  int
	seed               uint64

	dir string
}

func (r *revisions) run(ctx context.Context, out io.Writer) (err error) {
	if r.dir, err = os.MkdirTemp("", "bindery-history-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.dir)) }()
	repo := r.repo
	if repo == "" {
		repo = filepath.Join(r.dir, "repo")
		if err := r.make(ctx, repo); err != nil {
			return err
		}
	} else if _, err := os.Stat(repo); err != nil {
		repo = filepath.Join(r.dir, "repo")
		if _, err := r.git(ctx, "", "clone", "--quiet", "--bare", r.repo, repo); err != nil {
			return err
		}
	}
	list, err := r.git(ctx, repo, "log", "--first-parent", "--reverse", "--format=%H", fmt.Sprintf("--max-count=%d", r.n+1), r.rev)
	if err != nil {
		return err
	}
	commits := strings.Fields(list)
	if len(commits) < 2 {
		return fmt.Errorf("%s: less than two commits: there is nothing to compare", repo)
	}
	return r.follow(ctx, out, repo, commits)
}

// follow compares each commit with the one before.
func (r *revisions) follow(ctx context.Context, out io.Writer, repo string, commits []string) error {
	var base map[string]*built
	changes, hosts, changed := 0, 0, 0
	start := time.Now()
	for i, commit := range commits {
		head, err := r.full(ctx, repo, commit)
		if err != nil {
			return fmt.Errorf("build %s: %w", commit, err)
		}
		if i > 0 {
			want := expect(base, head)
			if err := r.diff(ctx, repo, commits[i-1], commit, base, head, want); err != nil {
				return fmt.Errorf("%s..%s: %w", commits[i-1], commit, err)
			}
			hosts += len(head)
			changed += len(want.hosts)
			changes += len(want.changes)
		}
		base = head
	}
	if hosts == 0 {
		return errors.New("no commit has a host: there is nothing to compare")
	}
	fmt.Fprintf(out, "%d diffs of commits that follow on each other are those of builds in full: %d of %d hosts changed, %d changes of entries, %s\n",
		len(commits)-1, changed, hosts, changes, time.Since(start).Round(time.Second))
	return nil
}

// diff asks for the difference, and holds it against what it should be.
func (r *revisions) diff(ctx context.Context, repo, from, to string, base, head map[string]*built, want *said) error {
	data, err := r.tell(ctx, "diff", "--git", repo, from+".."+to, "--format", "json")
	if err != nil {
		return err
	}
	var verdict struct {
		Verdict struct{ State string } `json:"verdict"`
	}
	if err := json.Unmarshal(data, &verdict); err != nil {
		return fmt.Errorf("read a report: %w", err)
	}
	if verdict.Verdict.State == "invalid" && len(head) == 0 && len(base) > 0 {
		return nil // nothing was built, and the report says why
	}
	got, err := reported(data)
	if err != nil {
		return err
	}
	if odd := got.differ(want); len(odd) > 0 {
		return fmt.Errorf("the diff is not what both sides are:\n  %s", strings.Join(odd, "\n  "))
	}
	return nil
}

// full builds every host of a commit, by a process of its own.
func (r *revisions) full(ctx context.Context, repo, commit string) (map[string]*built, error) {
	dir := filepath.Join(r.dir, "built")
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if _, err := r.tell(ctx, "build", "--git", repo, "--rev", commit, "--all", "--out", dir); err != nil {
		return nil, err
	}
	out := map[string]*built{}
	var failed []struct{ Client, Entry string }
	data, err := os.ReadFile(filepath.Join(dir, "problems.json"))
	if err == nil {
		err = json.Unmarshal(data, &failed)
	}
	if err != nil {
		return nil, err
	}
	for _, f := range failed {
		if f.Entry == "ERROR" {
			out[f.Client] = &built{}
		}
	}
	return out, filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		host, ok := strings.CutSuffix(filepath.Base(name), ".xml")
		if err != nil || !ok {
			return err
		}
		out[host], err = readFiles(name)
		return err
	})
}

// readFiles reads what was built of one host.
func readFiles(name string) (*built, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	b, err := read(data)
	if err != nil {
		return nil, err
	}
	var probes []struct{ Name, Interpreter, Source, Plugin string }
	data, err = os.ReadFile(strings.TrimSuffix(name, ".xml") + ".probes.json")
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &probes)
	}
	for _, p := range probes {
		key := p.Name
		if p.Plugin != "" && p.Plugin != "Probes" {
			key = p.Plugin + ":" + p.Name
		}
		b.probes[key] = p.Interpreter + "\x00" + p.Source
	}
	return b, err
}

// make writes a history made by chance as commits.
func (r *revisions) make(ctx context.Context, repo string) error {
	h, err := history.New(r.seed)
	if err != nil {
		return err
	}
	if _, err := r.git(ctx, "", "init", "--quiet", "--initial-branch=main", repo); err != nil {
		return err
	}
	for i := range r.n + 1 {
		message := "start"
		if i > 0 {
			if i%50 == 0 { // later ones are mostly broken
				if h, err = history.New(r.seed + uint64(i)); err != nil {
					return err
				}
			}
			message = strings.Join(h.Step(), "\n")
		}
		if _, err := r.git(ctx, repo, "rm", "-r", "-q", "--ignore-unmatch", "."); err != nil {
			return err
		}
		if err := h.Tree().Write(repo); err != nil {
			return err
		}
		if _, err := r.git(ctx, repo, "add", "-A", "-f"); err != nil {
			return err
		}
		if _, err := r.git(ctx, repo, "commit", "-q", "--allow-empty", "-m", message); err != nil {
			return err
		}
	}
	return nil
}

// git runs git, with nothing of the user's settings.
func (r *revisions) git(ctx context.Context, repo string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = repo
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=history", "GIT_AUTHOR_EMAIL=history@example.org", "GIT_COMMITTER_NAME=history", "GIT_COMMITTER_EMAIL=history@example.org")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, &stderr)
	}
	return string(out), nil
}

// tell runs bindery. New errors in the head of a difference are no failure.
func (r *revisions) tell(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, r.bindery, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 && args[0] == "diff" {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("bindery %s: %w: %s", args[0], err, &stderr)
	}
	return out, nil
}
