// SPDX-License-Identifier: Apache-2.0

// Package demo shows the whole path on one machine: it starts the real programs as
// processes of their own in one folder, on loopback, without an account and without
// root, and tells what happens, with the command that does it by hand. Every claim
// that it prints was checked. It must not know how anything works inside: it sees
// commands, files and HTTP, as a person does.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// The names of what is shown.
const (
	repo   = "example/site"
	branch = "main"
	// bare is the forge's repository, below the demo's folder.
	bare = "forge/example/site.git"
	work = "work"
)

// Config says with what the demo works.
type Config struct {
	// Program and Agent are the two binaries.
	Program, Agent string
	// Dir is an empty folder that belongs to the demo.
	Dir string
	Out io.Writer
	// Width is how many columns there are, Color whether colours may be used.
	Width int
	Color bool
	// Keep leaves everything running at the end, until the context ends.
	Keep bool
}

// Demo is one showing.
type Demo struct {
	c         Config
	say       *screen
	client    *client
	processes []*process
	agents    map[string]*process // by host, those that run by the schedule
	// Addresses: of the forge, of the controller for agents and for administrators.
	forge, public, admin string
	pull                 pull
	answers              map[string]map[string]string // what hosts answer, by probe
	reviewed             map[string]string            // digests of hosts, of the merge that was reviewed
	merged               string                       // the merge commit
	lastGood             string                       // the last commit that can be published
}

// New looks whether everything is there that the demo needs.
func New(c Config) (*Demo, error) {
	for _, p := range []struct{ what, path string }{{"bindery", c.Program}, {"bindery-agent", c.Agent}} {
		if info, err := os.Stat(p.path); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return nil, fmt.Errorf("%s is not a program at %s", p.what, p.path)
		}
	}
	if _, err := exec.LookPath("git"); err != nil {
		return nil, errors.New("the demo needs the git program; it pushes as a person does")
	}
	if c.Width <= 0 {
		c.Width = 100
	}
	return &Demo{
		c: c, say: &screen{w: c.Out, width: min(c.Width, 120), color: c.Color}, agents: map[string]*process{},
		answers: map[string]map[string]string{}, reviewed: map[string]string{},
	}, nil
}

// Run shows everything once. No process outlives it.
func (d *Demo) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer d.end()
	defer cancel()
	for _, dir := range []string{"logs", "tmp"} {
		if err := os.Mkdir(filepath.Join(d.c.Dir, dir), 0o700); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	d.intro()
	for _, part := range []struct {
		title string
		do    func(context.Context) error
	}{
		{"A specification, in a git repository served over HTTP", d.repository},
		{"A root of trust, and the controller", d.controller},
		{"Two hosts enrol", d.enrol},
		{"A host is asked before it is told: probes first", d.first},
		{"A pull request", d.propose},
		{"The controller's comment, read back from the forge", d.review},
		{"The merge publishes what was reviewed", d.publish},
		{"The agents apply it, on their schedule", d.apply},
		{"Vandals: a file is changed by hand on web1", d.drift},
		{"A thief with the web server: a bundle is tampered with", d.tamper},
		{"A broken commit", d.broken},
		{"Where everything is now", d.fleet},
	} {
		d.say.step(part.title)
		if err := part.do(ctx); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%s: %w", strings.ToLower(part.title[:1])+part.title[1:], err)
		}
	}
	if !d.c.Keep {
		return nil
	}
	return d.linger(ctx)
}

func (d *Demo) intro() {
	d.say.line(d.say.style(bold, "A commit goes all the way: pull request, review, signed release, applied host."))
	d.say.say("Everything is in one folder and on 127.0.0.1. What stands after $ is what is run; to do it by hand:")
	d.say.hand(fmt.Sprintf("export PATH=%s:$PATH; cd %s", filepath.Dir(d.c.Program), d.c.Dir))
}

// end stops all processes, the youngest first.
func (d *Demo) end() {
	for _, p := range slices.Backward(d.processes) {
		p.stop()
	}
	d.processes = nil
}

// linger keeps everything running until somebody has seen enough.
func (d *Demo) linger(ctx context.Context) error {
	for _, h := range hosts() {
		if err := d.schedule(ctx, h); err != nil {
			return err
		}
	}
	d.say.line("")
	d.say.line(d.say.style(bold, "Everything keeps running until Ctrl-C."))
	for _, row := range [][2]string{
		{"folder", d.c.Dir},
		{"clone to push from", filepath.Join(d.c.Dir, work)},
		{"forge", d.forge + "/" + repo + ".git"},
		{"controller, for agents", "http://" + d.public},
		{"controller, for people", "http://" + d.admin + "/"},
		{"logs", filepath.Join(d.c.Dir, "logs")},
	} {
		d.say.line(fmt.Sprintf("   %-24s %s", row[0], row[1]))
	}
	for {
		err := d.until(ctx, "Ctrl-C", func(context.Context) (bool, error) { return false, nil })
		if ctx.Err() != nil {
			return nil
		}
		for _, p := range d.processes {
			if p.dead() != nil {
				return err
			}
		}
	}
}

// do shows a command, runs it and shows what it wrote.
func (d *Demo) do(ctx context.Context, args ...string) (string, error) {
	return d.doWith(ctx, nil, args...)
}

// doWith is do for a command that ends with one of the given codes.
func (d *Demo) doWith(ctx context.Context, codes []int, args ...string) (string, error) {
	d.say.hand(words(args))
	out, err := d.run(ctx, "", codes, args...)
	if err == nil && strings.TrimSpace(out) != "" {
		d.say.output(out)
	}
	return out, err
}

// write makes a file of the demo's folder that its owner alone can read.
func (d *Demo) write(name, content string) error {
	name = filepath.Join(d.c.Dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(content), 0o600)
}
