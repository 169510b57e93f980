// SPDX-License-Identifier: Apache-2.0

package rpm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/self"
	"github.com/bindery/bindery/agent/system"
)

// answer is what dnf said at a time.
type answer struct {
	Asked string    `json:"asked"`
	At    time.Time `json:"at"`
	Names []string  `json:"names"`
}

// fresh tells whether an answer is still believed.
func (d *Driver) fresh(a answer, asked string) bool {
	age := d.c.Machine.Now().Sub(a.At)
	return a.Asked == asked && age >= 0 && age < d.c.AskEvery
}

// group asks dnf what is in a group of packages: names with three blanks before them,
// below headings with one (dnf(8), "group info").
func (b *batch) group(name string) ([]string, error) {
	if a, ok := b.groups[name]; ok && b.fresh(a, name) {
		return a.Names, nil
	}
	program, err := b.program()
	if err != nil {
		return nil, err
	}
	r, err := b.inquire(program, "-q", "group", "info", "--", name)
	if err != nil {
		return nil, err
	}
	if r.Exit != 0 {
		return nil, r.Ended(program+" group info", telling(r)...)
	}
	names := parseGroup(string(r.Stdout))
	b.groups[name], b.news = answer{Asked: name, At: b.c.Machine.Now(), Names: names}, true
	return names, nil
}

func parseGroup(out string) []string {
	var names []string
	taken := false
	for line := range strings.Lines(out) {
		text := strings.TrimSpace(line)
		switch {
		case strings.HasSuffix(text, "Packages:"):
			taken = strings.HasPrefix(text, "Mandatory") || strings.HasPrefix(text, "Default")
		case taken && strings.HasPrefix(line, "   ") && plainName.MatchString(text):
			names = append(names, text)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// spared are packages that a host has without anybody asking, and that must not go.
func spared(name string) bool {
	return slices.ContainsFunc([]string{"kernel", "grub2", "shim", "systemd"}, func(p string) bool { return name == p || strings.HasPrefix(name, p+"-") }) ||
		slices.Contains([]string{"gpg-pubkey", "rpm", "dnf", "yum", "glibc", "setup", "filesystem"}, name) || self.Package(name)
}

// Extras implements driver.Surveyor: what somebody installed by hand, as dnf wrote it
// down. Without dnf nobody knows what came along with what.
func (d *Driver) Extras(ctx context.Context, items []driver.Item) ([]driver.Surplus, error) {
	b := &batch{Driver: d, ctx: ctx}
	if d.c.Machine.Contained() || !b.exists("/usr/bin/rpm") || !b.exists("/usr/bin/dnf") {
		return nil, ctx.Err()
	}
	if err := b.load(); err != nil {
		return nil, err
	}
	names, err := b.byHand()
	if err != nil {
		return nil, err
	}
	asked := map[string]bool{}
	for _, item := range items {
		asked[item.Entry.Name()] = true
		if group := groupOf(item.Entry); group != "" {
			for _, name := range d.groups[group].Names {
				asked[name] = true
			}
		}
	}
	var out []driver.Surplus
	for _, name := range names {
		have := b.have[name]
		if asked[name] || spared(name) || len(have) == 0 {
			continue
		}
		out = append(out, driver.Surplus{Kind: driver.Kind{Tag: "Package", Type: "rpm"}, Name: name, What: have[len(have)-1].evr()})
	}
	return out, nil
}

// byHand asks dnf, without a look at the repositories, for the names of what
// somebody asked it to install: "dnf history userinstalled" (dnf(8)) writes a heading
// and a line NAME-[EPOCH:]VERSION-RELEASE.ARCHITECTURE for each.
func (b *batch) byHand() ([]string, error) {
	full := map[string]string{}
	for name, all := range b.have {
		for _, n := range all {
			full[fmt.Sprintf("%s-%s.%s", name, n.evr(), n.arch)] = name
			full[fmt.Sprintf("%s-%s:%s-%s.%s", name, n.epoch, n.version, n.release, n.arch)] = name
		}
	}
	asked := b.everything()
	if b.fresh(b.hand, asked) {
		return b.hand.Names, nil
	}
	r, err := b.ask("dnf", "-q", "-C", "history", "userinstalled")
	if err != nil {
		return nil, err
	}
	if r.Exit != 0 {
		return nil, r.Ended("dnf history userinstalled")
	}
	var names []string
	for line := range strings.Lines(string(r.Stdout)) {
		if name := full[strings.TrimSpace(line)]; name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	b.hand, b.news = answer{Asked: asked, At: b.c.Machine.Now(), Names: slices.Compact(names)}, true
	return b.hand.Names, nil
}

// Remove implements driver.Remover: packages are erased, all at once or, where that
// fails, each alone. One that something else still needs stays.
func (d *Driver) Remove(ctx context.Context, what []driver.Surplus) []error {
	out := make([]error, len(what))
	ctx, cancel := context.WithTimeoutCause(ctx, d.c.Timeout, system.ErrTimeout)
	defer cancel()
	b := &batch{Driver: d, ctx: ctx}
	d.good, d.newer, d.news = map[string]time.Time{}, updates{}, true
	loaded := b.load()
	var names []string
	for i, s := range what {
		switch {
		case loaded != nil:
			out[i] = loaded
		case !plainName.MatchString(s.Name) || spared(s.Name) || len(b.have[s.Name]) == 0:
			out[i] = errors.New("not a package that can be taken away: " + s.Name)
		default:
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		return out
	}
	failed := b.erase(names, "--allmatches")
	if failed == nil {
		return out
	}
	// One that rpm refuses, or whose script fails, keeps no other.
	for i, s := range what {
		if out[i] == nil {
			out[i] = b.gone(s.Name, failed, len(names) == 1)
		}
	}
	return out
}

// gone takes a package away, unless it is, or was tried, by now.
func (b *batch) gone(name string, failed error, tried bool) error {
	if err := b.load(); err != nil {
		return errors.Join(failed, err)
	}
	switch {
	case len(b.have[name]) == 0:
		return nil
	case tried || b.ctx.Err() != nil:
		return failed
	}
	return b.erase([]string{name}, "--allmatches")
}

var (
	_ driver.Surveyor = (*Driver)(nil)
	_ driver.Remover  = (*Driver)(nil)
)
