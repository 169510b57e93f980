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
		b.specify(w)
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
func (b *batch) specify(w *want) {
	if w.source != "" {
		w.spec = w.source
		return
	}
	w.spec = w.name
	switch {
	case w.altered:
		w.spec += "-" + w.fit[0].evr()
	case w.version == auto && len(w.was) > 0:
		w.spec += "-" + b.newest(w.was)
	case w.version != auto && w.version != anyone:
		w.spec += "-" + w.version
		if w.arch != "" && !strings.Contains(w.version, "-") {
			w.spec += "-*" // dnf does not read NAME-VERSION.ARCHITECTURE, without a release
		}
	}
	if w.arch != "" {
		w.spec += "." + w.arch
	}
}

// ending is how a call of a tool ended: with an error or without, packages' own scripts
// may have failed.
type ending struct {
	err     error
	scripts map[string]string
}

// failure is either of them.
func (e ending) failure() error {
	if e.err == nil && len(e.scripts) > 0 {
		return errors.New(sentence(e.scripts))
	}
	return e.err
}

// all runs dnf once for all; if that fails, once for each that is still wrong, so
// that one broken package fails alone.
func (b *batch) all(verb string, wants []*want) {
	if len(wants) == 0 {
		return
	}
	e := b.run(verb, wants)
	if err := b.load(); err != nil {
		b.blame(wants, errors.Join(e.err, err))
		return
	}
	lame, err := b.lamed(e.scripts, wants)
	if err != nil {
		b.blame(wants, errors.Join(e.err, err))
		return
	}
	busy := errors.As(e.err, new(*busyError))
	for _, w := range wants {
		failed, reason, own := e.err, lame[w], e.scripts[w.name] != ""
		state, _ := b.compare(w)
		if done := state == driver.Correct && !w.altered; e.err != nil && !done && !busy && reason == "" && len(wants) > 1 && b.ctx.Err() == nil {
			alone := b.run(verb, []*want{w})
			if failed = alone.err; len(alone.scripts) > 0 {
				reason, own = sentence(alone.scripts), alone.scripts[w.name] != ""
			}
			if err := b.load(); err != nil {
				failed = errors.Join(failed, err)
			}
			state, _ = b.compare(w)
		}
		b.account(w, state, own, reason, failed)
	}
}

// account notes what came of a package. One whose script failed is there all the same,
// for rpm: it is the driver who remembers it, of those that entries ask for.
func (b *batch) account(w *want, state driver.State, own bool, reason string, err error) {
	there := state == driver.Correct
	if own || reason == "" {
		b.remember(w, there, reason, err)
	}
	if reason != "" && w.entry.Secret() {
		reason = "a script of a package failed"
	}
	switch {
	case reason != "":
		w.result.Changed = there
		if err == nil || there {
			err = errors.New(reason)
		}
	case there && (err == nil || !w.altered):
		w.result.Changed = true
		return
	case err == nil:
		err = b.unexplained(w)
	}
	b.blame([]*want{w}, err)
}

// unexplained says why a package is not there, though dnf reported no error.
func (b *batch) unexplained(w *want) error {
	r, err := b.ask("rpm", "--query", "--whatobsoletes", w.name)
	if by := r.Spoken(); err == nil && r.Exit == 0 && len(by) > 0 {
		return fmt.Errorf("%s takes its place (Obsoletes)", by[0])
	}
	return errors.New("no error was reported, and yet it is not installed as asked")
}

func (b *batch) blame(wants []*want, err error) {
	for _, w := range wants {
		told := err
		if w.entry.Secret() {
			told = system.Quiet(err)
		}
		w.result.Err = told
	}
}

func (b *batch) run(verb string, wants []*want) ending {
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
func (b *batch) upgrade(w *want) ending {
	args := []string{"rpm", "--upgrade", "--oldpackage", "--replacepkgs"}
	if w.prefix != "" {
		args = append(args, "--prefix", w.prefix)
	}
	return b.change(append(args, "--", w.source), "rpm --upgrade")
}

// exitOnLock makes dnf(8) and yum(8) end where another of them is at work, and say who
// it is, instead of a wait without an end.
const exitOnLock = "--setopt=exit_on_lock=1"

// call runs dnf, or yum, once. What another one holds is waited for.
func (b *batch) call(verb string, specs []string) ending {
	program, err := b.program()
	if err != nil {
		return ending{err: err}
	}
	args := append([]string{program, "-y", exitOnLock, "--setopt=protected_packages=" + b.protected(), verb, "--"}, specs...)
	var e ending
	b.patiently(func() (busy bool) {
		e = b.change(args, program+" "+verb)
		return errors.As(e.err, new(*busyError))
	})
	return e
}

// patiently does something again as long as another package manager is at work. It is
// waited for in vain once.
func (b *batch) patiently(do func() (busy bool)) {
	wait, cancel := context.WithTimeout(b.ctx, b.c.LockWait)
	defer cancel()
	for do() && !b.waited {
		select {
		case <-wait.Done():
			b.waited = true
			return
		case <-time.After(lockLook):
		}
	}
}

// protected are the packages that none may take the place of: those that dnf.conf(5)
// has by itself, the agent's, and those that entries ask for.
func (b *batch) protected() string {
	names := []string{"dnf", "yum", "glob:/etc/yum/protected.d/*.conf", "glob:/etc/dnf/protected.d/*.conf", self.Name}
	for _, w := range b.wants {
		// Of what may be there more than once, such as kernels, the oldest goes.
		if versions := b.versions(w); len(versions) == 1 && !slices.Contains(names, w.name) {
			names = append(names, w.name)
		}
	}
	return strings.Join(names, ",")
}

// change runs a tool for its effect.
func (b *batch) change(args []string, what string) ending {
	r, err := b.c.Machine.Processes.Run(b.ctx, system.Command{Args: args, Env: environment(), Dir: "/", Timeout: b.c.Timeout, MaxTail: maxReport})
	if err != nil {
		if cause := context.Cause(b.ctx); cause != nil {
			err = cause
		}
		return ending{err: fmt.Errorf("%s: %w", what, err)}
	}
	e := ending{scripts: scripts(r.Lines())}
	if r.Exit != 0 {
		e.err = ended(what, r)
	}
	return e
}
