// SPDX-License-Identifier: Apache-2.0

package vcs

import (
	"context"
	"strings"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
)

// none is written down of a place without a checkout; what else stands there is known
// as a file. Of a checkout the tool, the revision and the source are.
const none = "-"

// Standing implements driver.Keeper.
func (d *Driver) Standing(ctx context.Context, items []driver.Item) ([]driver.Standing, error) {
	var was []driver.Standing
	for _, item := range items {
		c := &checkout{Driver: d, ctx: ctx}
		if _, err := c.read(item); err == nil {
			was = append(was, driver.Standing{Kind: driver.Kind{Tag: "Path", Type: "vcs"}, Name: c.name})
		}
	}
	return d.Again(ctx, was)
}

// Again implements driver.Keeper.
func (d *Driver) Again(ctx context.Context, was []driver.Standing) ([]driver.Standing, error) {
	if d.c.Machine.Contained() {
		return nil, ctx.Err()
	}
	out := append([]driver.Standing(nil), was...)
	for i := range out {
		state, err := d.stands(&checkout{Driver: d, ctx: ctx, name: out[i].Name, out: &driver.Outcome{}})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			state = none // nothing is done there either
		}
		out[i].State = state
	}
	return out, nil
}

func (d *Driver) stands(c *checkout) (string, error) {
	info, err := c.look()
	if err != nil {
		return "", err
	}
	if info == nil || info.Kind != system.Directory || c.foreign {
		return none, nil
	}
	for _, name := range []string{"git", "svn", "hg"} {
		if _, err := d.c.Machine.Files.Look(c.name + "/." + name); err != nil {
			continue
		}
		if revision, source, err := byName(name).at(c); err != nil || revision != "" {
			return name + " " + revision + " " + source, err
		}
	}
	return none, nil
}

// Restore implements driver.Keeper: a checkout that came goes, before the files that
// stood there come back, and one that was moved goes back to its revision. What was
// changed in a checkout that goes can be had again from the journal.
func (d *Driver) Restore(ctx context.Context, p driver.Passage, r driver.Restoration) (out driver.Restored) {
	now, err := d.Again(ctx, []driver.Standing{p.Standing})
	if err != nil || len(now) == 0 {
		out.Err = err
		return out
	}
	is := now[0].State
	after := is
	if p.After != nil {
		after = *p.After
	}
	tool, revision, source := apart(p.State)
	isTool, _, isSource := apart(is)
	stays := tool != "" && tool == isTool && source == isSource
	c := &checkout{Driver: d, ctx: ctx, name: p.Name, source: source, out: &driver.Outcome{}}
	switch {
	case is == p.State || p.State == after || isTool == "" && !r.Force:
		return out
	case stays && revision == unfinished:
		if !r.Ending {
			out.Kept = []string{p.Name + ": it was not whole before"}
		}
	case is != after && !r.Force:
		out.Kept = []string{p.Name + ": it was changed since"}
	case stays && !r.Ending:
		out.What = []string{"move " + p.Name + " back to " + revision}
		if r.Apply {
			out.Err = byName(tool).fetch(c, revision, true)
		}
	case !stays && r.Ending && isTool != "":
		out.What = []string{"remove " + p.Name}
		if r.Apply {
			_, err := c.look() // others may move directories there by now
			if err == nil {
				err = c.change(system.Change{Op: system.RemoveAll, Name: p.Name})
			}
			out.Err = err
		}
	}
	return out
}

// apart takes a state apart; all is empty where no checkout stood.
func apart(state string) (tool, revision, source string) {
	words := strings.SplitN(state, " ", 3)
	if len(words) < 3 || byName(words[0]) == nil || !plainRevision.MatchString(words[1]) {
		return "", "", ""
	}
	return words[0], words[1], words[2]
}

// byName is the tool that vcstype names, nil for none.
func byName(vcstype string) tool {
	switch vcstype {
	case "git":
		return git{}
	case "svn":
		return subversion{}
	case "hg":
		return mercurial{}
	}
	return nil
}

var _ driver.Keeper = (*Driver)(nil)
