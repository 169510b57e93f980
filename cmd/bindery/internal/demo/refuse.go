// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bindery/bindery/fixtures/site"
)

// untrusted is the exit code of what is refused for trust.
const untrusted = 4

// tamper turns one bit of a published bundle, and back.
func (d *Demo) tamper(ctx context.Context) error {
	h := hosts()[1]
	d.unschedule(h)
	motd := filepath.Join(d.c.Dir, h.short, "etc/motd")
	before, err := os.ReadFile(motd)
	if err != nil {
		return err
	}
	have, err := d.host(ctx, h.name)
	if err != nil {
		return err
	}
	d.say.say("%s commits a line for the databases and pushes it straight to %s. It is published and said to be unreviewed:", person, branch)
	d.say.hand(words([]string{"git", "-C", work, "push", "origin", branch}))
	if d.lastGood, err = d.push(ctx, site.Notice()); err != nil {
		return err
	}
	outcome, detail, err := d.settled(ctx, d.lastGood)
	if err != nil {
		return err
	}
	if outcome != "published" || !strings.Contains(detail, "not reviewed") {
		return fmt.Errorf("the push was %s: %q", outcome, detail)
	}
	d.say.output(outcome + "; " + detail)
	_, err = d.released(ctx, h.name, "has the next release", func(s seen) bool { return s.Release.Sequence > have.Release.Sequence })
	if err != nil {
		return err
	}
	bundle, err := d.newest(h, have.ID)
	if err != nil {
		return err
	}
	d.say.say("Before %s fetches it, one bit of its bundle is turned where it is published:", h.short)
	at, was, err := flip(filepath.Join(d.c.Dir, bundle))
	if err != nil {
		return err
	}
	d.say.hand(overwrite(bundle, at, was^1))
	if _, err := d.doWith(ctx, []int{untrusted}, "bindery-agent", "run", "--once", "--root", h.short); err != nil {
		return err
	}
	after, err := os.ReadFile(motd)
	if err != nil {
		return err
	}
	if string(after) != string(before) {
		return errors.New("the refused bundle changed the host")
	}
	d.say.good("refused, exit code %d: nothing of it was applied, and release %d stays in force", untrusted, have.Release.Sequence)
	d.say.say("The bit is turned back:")
	d.say.hand(overwrite(bundle, at, was))
	if _, _, err := flip(filepath.Join(d.c.Dir, bundle)); err != nil {
		return err
	}
	if _, err := d.do(ctx, "bindery-agent", "run", "--once", "--root", h.short); err != nil {
		return err
	}
	return d.compare(ctx, d.lastGood)
}

// newest is the bundle that a host would fetch next.
func (d *Demo) newest(h host, id string) (string, error) {
	dir := filepath.Join("state/published/h", id)
	list, err := filepath.Glob(filepath.Join(d.c.Dir, dir, "*.bundle"))
	if err != nil || len(list) == 0 {
		return "", errors.Join(fmt.Errorf("%s has no bundle in %s", h.name, dir), err)
	}
	best, newest := "", int64(0)
	for _, name := range list {
		info, err := os.Stat(name)
		if err != nil {
			return "", err
		}
		if t := info.ModTime().UnixNano(); t > newest {
			best, newest = name, t
		}
	}
	return filepath.Join(dir, filepath.Base(best)), nil
}

// flip turns the last bit of the byte in the middle of a file, and tells which byte
// that is and what it was.
func flip(name string) (at int, was byte, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return 0, 0, err
	}
	info, err := os.Stat(name)
	if err != nil {
		return 0, 0, err
	}
	at = len(data) / 2
	was = data[at]
	data[at] ^= 1
	next := name + ".tampered"
	if err := os.WriteFile(next, data, info.Mode().Perm()); err != nil {
		return 0, 0, err
	}
	return at, was, os.Rename(next, name)
}

// overwrite is the command that sets one byte of a file.
func overwrite(file string, at int, to byte) string {
	return fmt.Sprintf(`printf '\%03o' | dd of=%s bs=1 seek=%d conv=notrunc`, to, file, at)
}

// broken merges a commit that is broken although its check failed.
func (d *Demo) broken(ctx context.Context) error {
	p, err := d.open(ctx, site.Broken())
	if err != nil {
		return err
	}
	if _, err := d.doWith(ctx, []int{1}, "bindery", "lint", "--spec", work); err != nil {
		return err
	}
	last, body, err := d.verdict(ctx, p, 17)
	if err != nil {
		return err
	}
	if last.State != "failure" || !strings.Contains(body, site.BrokenFile+":") {
		return fmt.Errorf("the check is %s, and the comment does not tell where: %s", last.State, last.Description)
	}
	d.say.say("Somebody with the right to do so merges it all the same:")
	d.say.hand(fmt.Sprintf("curl -X PUT -H @%s.header %s", person, d.client.of("pulls/%d/merge", p.Number)))
	bad, err := d.client.merge(ctx, p.Number)
	if err != nil {
		return err
	}
	outcome, detail, err := d.settled(ctx, bad)
	if err != nil {
		return err
	}
	if outcome != "refused" || !strings.Contains(detail, site.BrokenFile+":") {
		return fmt.Errorf("the broken commit was %s: %s", outcome, detail)
	}
	d.say.hand("curl -s http://" + d.admin + "/api/v1/overview")
	d.say.output(fmt.Sprintf("refs/heads/%s %.10s: %s; %s", branch, bad, outcome, detail))
	d.say.good("the controller refuses the commit and names file and line")
	for _, h := range hosts() {
		s, err := d.host(ctx, h.name)
		if err != nil {
			return err
		}
		if s.Release.Commit != d.lastGood {
			return fmt.Errorf("%s is served commit %s", h.name, s.Release.Commit)
		}
	}
	h := hosts()[1]
	if _, err := d.do(ctx, "bindery-agent", "run", "--once", "--root", h.short); err != nil {
		return err
	}
	d.say.good("both hosts are still served commit %.10s, the last good one", d.lastGood)
	return nil
}
