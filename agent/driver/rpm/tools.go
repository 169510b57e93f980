// SPDX-License-Identifier: Apache-2.0

package rpm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/system"
)

const (
	maxTail  = 8 << 10
	maxShown = 5
	maxList  = 16 << 20
)

func environment() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "TERM=dumb"}
}

// ask asks a tool something.
func (b *batch) ask(args ...string) (system.Result, error) {
	r, err := b.c.Machine.Processes.Run(b.ctx, system.Command{
		Args: args, Env: environment(), Dir: "/", Timeout: 5 * time.Minute, MaxOutput: maxList, MaxTail: maxTail, Asks: true,
	})
	if err != nil {
		return r, fmt.Errorf("%s: %w", args[0], err)
	}
	return r, nil
}

// look finds out about all packages.
func (b *batch) look() error {
	if err := b.load(); err != nil {
		return err
	}
	var names []string
	for _, w := range b.wants {
		if w.version == auto && len(b.installed(w)) > 0 {
			names = append(names, w.name)
		}
	}
	if err := b.update(names); err != nil {
		return err
	}
	return b.judge()
}

// load asks rpm for everything that is installed.
func (b *batch) load() error {
	r, err := b.ask("rpm", "-qa", "--queryformat", `%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{INSTPREFIXES}\t%{PREFIXES}\n`)
	if err != nil {
		return err
	}
	if r.Exit != 0 {
		return r.Ended("rpm -qa")
	}
	b.have = map[string][]nevra{}
	lines := strings.Split(string(r.Stdout), "\n")
	slices.Sort(lines)
	for _, line := range lines {
		if f := strings.Split(line, "\t"); len(f) == 7 {
			b.have[f[0]] = append(b.have[f[0]], nevra{f[0], f[1], f[2], f[3], f[4], f[5], f[5] != f[6]})
		}
	}
	return nil
}

// updates is what can be had of packages.
type updates struct {
	Asked string            `json:"asked"`
	At    time.Time         `json:"at"`
	Known map[string]string `json:"known"`
}

// program is dnf, or yum where there is none.
func (b *batch) program() (string, error) {
	for _, name := range []string{"dnf", "yum"} {
		if b.exists("/usr/bin/" + name) {
			return name, nil
		}
	}
	return "", errors.New("this host has neither dnf nor yum")
}

// update asks which packages can be had newer. "check-update" ends with 100 where
// some can; its lines are NAME.ARCH, VERSION and the repository (dnf(8)).
func (b *batch) update(names []string) error {
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	names = slices.Compact(names)
	asked := strings.Join(names, " ")
	for _, name := range names {
		asked += fmt.Sprint(b.have[name])
	}
	now := b.c.Machine.Now()
	if age := now.Sub(b.newer.At); asked == b.newer.Asked && age >= 0 && age < b.c.AskEvery {
		return nil
	}
	program, err := b.program()
	if err != nil {
		return err
	}
	r, err := b.ask(append([]string{program, "-q", "check-update", "--"}, names...)...)
	if err != nil {
		return err
	}
	if r.Exit != 0 && r.Exit != 100 {
		return r.Ended(program + " check-update")
	}
	b.news = true
	b.newer = updates{Asked: asked, At: now, Known: parseUpdates(string(r.Stdout))}
	return nil
}

func parseUpdates(out string) map[string]string {
	known := map[string]string{}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "Obsoleting") {
			break
		}
		if f := strings.Fields(line); len(f) == 3 {
			if dot := strings.LastIndex(f[0], "."); dot > 0 {
				known[f[0][:dot]] = f[1]
			}
		}
	}
	return known
}

// verify asks rpm which files of a package differ, and keeps a good answer for some
// time. What an entry decides about is not the package's fault, and neither are
// configuration files. Modes, owners and times are for entries of their own.
func (b *batch) verify(w *want) ([]string, error) {
	now := b.c.Machine.Now()
	key := fmt.Sprint(b.installed(w), w.flags, w.ignored)
	if at, ok := b.good[key]; ok && now.Sub(at) >= 0 && now.Sub(at) < b.c.AskEvery {
		return nil, nil
	}
	name := w.name
	if w.arch != "" && w.arch != "noarch" && len(b.have[w.name]) > 1 {
		name += "." + w.arch
	}
	r, err := b.ask("rpm", "--verify", "--nodeps", "--noscripts", "--", name)
	if err != nil {
		return nil, err
	}
	var bad []string
	for line := range strings.Lines(string(r.Stdout)) {
		if what, path := parseVerify(strings.TrimRight(line, "\n")); path != "" && w.counts(what, path) {
			bad = append(bad, path)
		}
	}
	if len(bad) == 0 {
		b.good[key], b.news = now, true
	}
	if len(bad) > maxShown {
		bad = append(bad[:maxShown], fmt.Sprintf("and %d more", len(bad)-maxShown))
	}
	return bad, nil
}

// parseVerify reads a line of rpm --verify (rpm(8), VERIFY OPTIONS): what differs,
// a letter for configuration files and the like, and the path. Of those no path is
// given.
func parseVerify(line string) (what, path string) {
	at := strings.Index(line, " /")
	if at < 0 {
		return "", ""
	}
	words := strings.Fields(line[:at])
	if len(words) == 0 || len(words) > 1 && slices.Contains([]string{"c", "g"}, words[1]) {
		return "", ""
	}
	return words[0], line[at+1:]
}

// fix installs what is wrong, in as few calls as it can.
func (b *batch) fix() {
	var install, again, moved []*want
	for _, w := range b.wants {
		if !w.wrong || w.result.Err != nil {
			continue
		}
		if w.kept[w.fault()] {
			w.result.Err = fmt.Errorf("left as it is: the entry says so of a package that is %s", w.fault())
			continue
		}
		w.specify(b.newer)
		switch {
		case w.prefix != "" && w.source == "":
			w.result.Err = errors.New("reloc needs simplefile: nothing moves a package that comes from a repository")
		case w.prefix != "":
			moved = append(moved, w)
		case w.altered:
			again = append(again, w)
		default:
			install = append(install, w)
		}
	}
	b.all("install", install)
	b.all("reinstall", again)
	for _, w := range moved {
		b.all("rpm", []*want{w})
	}
}

// specify writes down how dnf is told which package is meant.
func (w *want) specify(newer updates) {
	if w.source != "" {
		w.spec = w.source
		return
	}
	w.spec = w.name
	switch {
	case w.altered:
		w.spec += "-" + w.was[len(w.was)-1].evr()
	case w.version == auto && len(w.was) > 0:
		w.spec += "-" + newer.Known[w.name]
	case w.version != auto && w.version != anyone:
		w.spec += "-" + w.version
	}
	if w.arch != "" {
		w.spec += "." + w.arch
	}
}

// all runs dnf once for all; if that fails, once for each that is still wrong, so
// that one broken package fails alone.
func (b *batch) all(verb string, wants []*want) {
	if len(wants) == 0 {
		return
	}
	err := b.run(verb, wants)
	if loadErr := b.load(); loadErr != nil {
		b.blame(wants, errors.Join(err, loadErr))
		return
	}
	for _, w := range wants {
		failed := err
		state, _ := b.compare(w)
		if done := state == "correct" && !w.altered; err != nil && !done && len(wants) > 1 && b.ctx.Err() == nil {
			failed = b.run(verb, []*want{w})
			if loadErr := b.load(); loadErr != nil {
				failed = errors.Join(failed, loadErr)
			}
			state, _ = b.compare(w)
		}
		switch {
		case state == "correct" && (failed == nil || !w.altered):
			w.result.Changed = true
		case failed == nil:
			failed = errors.New("no error was reported, and yet it is not installed as asked")
			fallthrough
		default:
			b.blame([]*want{w}, failed)
		}
	}
}

func (b *batch) blame(wants []*want, err error) {
	for _, w := range wants {
		if w.entry.Secret() {
			err = system.Quiet(err)
		}
		w.result.Err = err
	}
}

func (b *batch) run(verb string, wants []*want) error {
	if verb == "rpm" {
		return b.upgrade(wants[0])
	}
	specs := make([]string, len(wants))
	for i, w := range wants {
		specs[i] = w.spec
	}
	return b.call(verb, specs)
}

// upgrade installs one file with rpm, over what is there: rpm(8) alone can move a
// package to another place, and put the same one there again.
func (b *batch) upgrade(w *want) error {
	args := []string{"rpm", "--upgrade", "--oldpackage", "--replacepkgs"}
	if w.prefix != "" {
		args = append(args, "--prefix", w.prefix)
	}
	return b.change(append(args, "--", w.source), "rpm --upgrade")
}

// call runs dnf, or yum, once.
func (b *batch) call(verb string, specs []string) error {
	program, err := b.program()
	if err != nil {
		return err
	}
	return b.change(append([]string{program, "-q", "-y", verb, "--"}, specs...), program+" "+verb)
}

// change runs a tool for its effect.
func (b *batch) change(args []string, what string) error {
	r, err := b.c.Machine.Processes.Run(b.ctx, system.Command{Args: args, Env: environment(), Dir: "/", Timeout: b.c.Timeout, MaxTail: maxTail})
	if err != nil {
		if cause := context.Cause(b.ctx); cause != nil {
			err = cause
		}
		return fmt.Errorf("%s: %w", what, err)
	}
	if r.Exit != 0 {
		return r.Ended(what)
	}
	return nil
}
