// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/bindery/bindery/engine/config"
)

// facts is where the answers are for builds by hand.
const facts = "facts.json"

// ask runs a host's probes by hand, as the agent does, so that builds by hand know
// what the controller knows.
func (d *Demo) ask(ctx context.Context, h host) error {
	if _, err := d.run(ctx, "", nil, "bindery", "build", "--git", bare, "--rev", branch, "--host", h.name, "--out", "tmp/asked"); err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(d.c.Dir, "tmp/asked", h.name+".probes.json"))
	if err != nil {
		return err
	}
	var probes []struct{ Name, Interpreter, Source string }
	if err := json.Unmarshal(data, &probes); err != nil {
		return err
	}
	d.answers[h.name] = map[string]string{}
	for _, p := range probes {
		if err := d.write("tmp/probe", p.Source); err != nil {
			return err
		}
		cmd := d.command(ctx, []string{p.Interpreter, "tmp/probe"})
		cmd.Env = append(cmd.Env, "BINDERY_ROOT="+filepath.Join(d.c.Dir, h.short))
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("probe %s: %w", p.Name, err)
		}
		d.answers[h.name][p.Name] = string(out)
	}
	text, err := json.MarshalIndent(d.answers, "", "  ")
	if err != nil {
		return err
	}
	return d.write(facts, string(text)+"\n")
}

// build builds both hosts by hand into a folder.
func (d *Demo) build(ctx context.Context, rev, out, format string) error {
	args := []string{"bindery", "build", "--git", bare, "--rev", rev, "--probe-data", facts, "--out", out, "--format", format, "--strict"}
	for _, h := range hosts() {
		args = append(args, "--host", h.name)
	}
	d.say.hand(words(args))
	_, err := d.run(ctx, "", nil, args...)
	return err
}

// digests builds both hosts and gives the digests of their configurations.
func (d *Demo) digests(ctx context.Context, rev, out string) (map[string]string, error) {
	if err := d.build(ctx, rev, out, "json"); err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, h := range hosts() {
		data, err := os.ReadFile(filepath.Join(d.c.Dir, out, h.name+".json"))
		if err != nil {
			return nil, err
		}
		var built struct{ Digest string }
		if err := json.Unmarshal(data, &built); err != nil {
			return nil, err
		}
		found[h.name] = built.Digest
	}
	return found, nil
}

// compare holds both roots against what a commit says.
func (d *Demo) compare(ctx context.Context, commit string) error {
	out := "literal-" + commit[:10]
	if err := d.build(ctx, commit, out, "xml"); err != nil {
		return err
	}
	for _, h := range hosts() {
		data, err := os.ReadFile(filepath.Join(d.c.Dir, out, h.name+".xml"))
		if err != nil {
			return err
		}
		c, err := config.Decode(data)
		if err != nil {
			return err
		}
		count, size := map[string]int{}, 0
		for _, k := range c.Keyed() {
			if k.Entry.Tag != "Path" {
				continue
			}
			n, err := same(filepath.Join(d.c.Dir, h.short), k.Entry)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", h.name, k.Entry.Name(), err)
			}
			count[k.Entry.Type()]++
			size += n
		}
		d.say.good("%s: %d files equal byte for byte (%d bytes) and in mode, %d directories, %d links, %d paths that must not be there",
			h.short, count["file"], size, count["directory"], count["symlink"], count["nonexistent"])
	}
	return nil
}

// same compares one path, and gives the size of a file.
func same(root string, e *config.Entry) (int, error) {
	name := filepath.Join(root, e.Name())
	info, err := os.Lstat(name)
	if e.Type() == "nonexistent" {
		if !errors.Is(err, fs.ErrNotExist) {
			return 0, errors.New("it is there")
		}
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if e.Type() == "symlink" {
		to, err := os.Readlink(name)
		if err == nil && to != e.Get("to") {
			err = fmt.Errorf("it leads to %s", to)
		}
		return 0, err
	}
	mode, err := strconv.ParseUint(e.Get("mode"), 8, 32)
	if err != nil {
		return 0, err
	}
	if info.Mode().Perm() != fs.FileMode(mode).Perm() {
		return 0, fmt.Errorf("it has mode %o, not %o", info.Mode().Perm(), mode)
	}
	if e.Type() == "directory" {
		if !info.IsDir() {
			return 0, errors.New("it is no directory")
		}
		return 0, nil
	}
	want, err := e.Content()
	if err != nil {
		return 0, err
	}
	got, err := os.ReadFile(name)
	if err == nil && !bytes.Equal(got, want) {
		err = errors.New("it has other bytes")
	}
	return len(got), err
}
