// SPDX-License-Identifier: Apache-2.0

package deb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
)

// Files of configuration stay as they are, and come back where they are gone: dpkg(1).
const (
	forceOld     = "--force-confold"
	forceMissing = "--force-confmiss"
)

const (
	maxTail  = 8 << 10
	simulate = 2 * time.Minute
	lockLook = time.Second
)

// environment is what the tools get. Nobody is there to be asked.
func environment() []string {
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C", "TERM=dumb",
		"DEBIAN_FRONTEND=noninteractive", "DEBIAN_PRIORITY=critical", "APT_LISTCHANGES_FRONTEND=none", "UCF_FORCE_CONFFOLD=1",
	}
}

// fix makes what is wrong right, in as few calls as it can.
func (b *batch) fix() {
	todo := b.todo()
	if len(todo) == 0 {
		return
	}
	err := b.resume()
	if todo = b.todo(); err == nil && len(todo) > 0 {
		err = b.specify(todo)
	}
	if err != nil {
		b.blame(todo, err)
	} else if todo = b.possible(b.finish(b.todo())); len(todo) > 0 {
		b.install(todo)
	}
	b.account()
}

// finish configures packages that are there and only wait for that, each alone, so that
// one that cannot be says why. It gives the others. Of apt-get they would be installed
// again, for which it has no file ("Internal Error, No file name for NAME").
func (b *batch) finish(wants []*want) []*want {
	return slices.DeleteFunc(wants, func(w *want) bool {
		p := b.db.find(w.name, w.arch)
		if p == nil || !p.waits() || p.version != w.becomes {
			return false
		}
		name := w.name
		if p.same {
			name += ":" + p.arch
		}
		if err := b.run("dpkg", forceOld, forceMissing, "--configure", name); err != nil {
			b.blame([]*want{w}, err)
		}
		return true
	})
}

// todo are the packages with work that nothing is known against.
func (b *batch) todo() []*want {
	var out []*want
	for _, w := range b.wants {
		if w.wrong && !w.ready && w.result.Err == nil {
			out = append(out, w)
		}
	}
	return out
}

func (b *batch) blame(wants []*want, err error) {
	for _, w := range wants {
		if w.result.Err == nil {
			w.result.Err = b.tell(w, err)
		}
	}
}

// tell keeps the words of the tools from those who may not read the entry.
func (b *batch) tell(w *want, err error) error {
	if w.entry.Secret() {
		return system.Quiet(err)
	}
	return err
}

// resume lets dpkg finish what it was stopped in: it refuses everything else
// before.
func (b *batch) resume() error {
	if !b.db.interrupted {
		return nil
	}
	if err := b.configure(); err != nil {
		if _, failed := errors.AsType[*system.EndedError](err); !failed || busy(err) {
			return err
		}
		// One package that cannot be configured must not stop the others; its own
		// installation tells what is wrong.
	}
	if err := b.reload(); err != nil {
		return err
	}
	for _, w := range b.wants {
		state, _ := b.compare(w, b.db.find(w.name, w.arch))
		w.ready = w.wrong && !w.altered && state == driver.Correct
	}
	return nil
}

// configure waits for who is at work, which apt-get does by itself and dpkg does not: it
// may well be that nothing was stopped, and somebody is in the middle of it.
func (b *batch) configure() error {
	wait, cancel := context.WithTimeout(b.ctx, b.c.LockWait)
	defer cancel()
	for {
		err := b.run("dpkg", forceOld, forceMissing, "--configure", "-a")
		if !busy(err) {
			return err
		}
		select {
		case <-wait.Done():
			return err
		case <-time.After(lockLook):
		}
	}
}

func (b *batch) reload() error {
	db, err := load(b.c.Machine.Files)
	if err != nil {
		return err
	}
	b.db = db
	return nil
}

// specify finds the versions to install. Where the sources do not have one, their
// lists are fetched anew, once.
func (b *batch) specify(all []*want) error {
	var todo []*want
	for _, w := range all {
		if w.source == "" {
			todo = append(todo, w)
		} else if err := b.inside(w); err != nil {
			w.result.Err = b.tell(w, err)
		}
	}
	if len(todo) == 0 {
		return nil
	}
	var stale error
	for _, fresh := range []bool{false, true} {
		names := make([]string, 0, len(todo))
		for _, w := range todo {
			names = append(names, w.full(b.db))
		}
		var err error
		if b.policy, err = b.ask(b.ctx, names); err != nil {
			return err
		}
		lacking := false
		for _, w := range todo {
			err := b.choose(w)
			lacking = err != nil && !errors.Is(err, errHeld) || lacking
		}
		if !lacking || fresh {
			break
		}
		// What can be had without sources that do not answer is still installed.
		if stale = b.run("apt-get", "-q", "-o", b.lock(), "-o", "APT::Update::Error-Mode=any", "update"); stale != nil {
			b.policies, b.news = memo{}, true
		}
	}
	for _, w := range todo {
		err := b.choose(w)
		if err != nil && stale != nil && !errors.Is(err, errHeld) {
			err = fmt.Errorf("%w, and %w", err, b.tell(w, stale))
		}
		if err != nil {
			w.result.Err = err
		}
	}
	return nil
}

var errHeld = errors.New("it is on hold")

// choose writes down what apt-get shall do for a package.
func (b *batch) choose(w *want) error {
	p := b.db.find(w.name, w.arch)
	o := b.policy[w.full(b.db)]
	version := w.version
	switch {
	case p != nil && p.here() && (w.altered || version == anyone):
		version = p.version
	case version == auto || version == anyone:
		version = o.Candidate
	}
	switch {
	case p != nil && p.held() && p.here() && p.version != version:
		return errHeld
	case p != nil && p.here() && !w.altered && p.version == version:
	case version == "":
		return errors.New("no configured source has it")
	case !slices.Contains(o.Versions, version):
		return fmt.Errorf("no configured source has version %s", version)
	}
	w.spec, w.becomes = w.full(b.db)+"="+version, version
	return nil
}

func (b *batch) lock() string {
	return fmt.Sprintf("DPkg::Lock::Timeout=%d", int(b.c.LockWait.Seconds()))
}

// arguments are those of one installation. --reinstall counts only for packages
// that are there in the very version.
func (b *batch) arguments(wants []*want, more ...string) []string {
	args := []string{
		"apt-get", "-q", "-y", "-o", b.lock(), "-o", "Dpkg::Use-Pty=0", "-o", "Dpkg::Options::=" + forceOld, "-o", "Dpkg::Options::=" + forceMissing,
		"--allow-downgrades", "--reinstall",
	}
	args = append(append(args, more...), "install", "--")
	for _, w := range wants {
		args = append(args, w.spec)
	}
	return args
}

// possible asks apt-get what it would do, and keeps what it can do without
// taking away anything that is configured. One package that it cannot install is
// found by asking for each.
func (b *batch) possible(wants []*want) []*want {
	if len(wants) == 0 {
		return nil
	}
	err := b.simulate(wants)
	if err == nil {
		return wants
	}
	if len(wants) == 1 {
		b.blame(wants, err)
		return nil
	}
	var good []*want
	for _, w := range wants {
		if err := b.simulate([]*want{w}); err != nil {
			b.blame([]*want{w}, err)
			continue
		}
		good = append(good, w)
	}
	if len(good) == len(wants) {
		return good // they cannot go together: each is installed alone
	}
	return b.possible(good)
}

func (b *batch) simulate(wants []*want) error {
	r, err := b.c.Machine.Processes.Run(b.ctx, system.Command{
		Args: b.arguments(wants, "--simulate"), Env: environment(), Dir: "/", Timeout: simulate, MaxOutput: 16 << 20, MaxTail: maxTail, Asks: true,
	})
	if err != nil {
		return fmt.Errorf("apt-get --simulate install: %w", err)
	}
	if r.Exit != 0 {
		return ended("apt-get --simulate install", r)
	}
	asked := map[string]bool{}
	for _, w := range b.wants {
		asked[w.name] = true
	}
	var bad []string
	for line := range strings.Lines(string(r.Stdout)) {
		// "Remv NAME [VERSION]", as apt-get(8) describes --simulate.
		if words := strings.Fields(line); len(words) > 1 && words[0] == "Remv" {
			name, _, _ := strings.Cut(words[1], ":")
			if p := b.db.find(name, ""); asked[name] || p != nil && p.vital {
				bad = append(bad, name)
			}
		}
	}
	if len(bad) > 0 {
		return errors.New("it would take away what is configured or vital: " + some(bad))
	}
	return nil
}

// install runs apt-get once for all; if that fails, once for each that is still
// wrong, so that one broken package fails alone.
func (b *batch) install(wants []*want) {
	err := b.run(b.arguments(wants)...)
	if err == nil {
		return
	}
	if len(wants) == 1 && !overtaken(err) || b.ctx.Err() != nil || busy(err) {
		b.blame(wants, err)
		return
	}
	// What the broken one kept from being configured.
	if err := b.configure(); busy(err) || b.ctx.Err() != nil {
		b.blame(wants, err)
		return
	}
	for _, w := range wants {
		if err := b.reload(); err != nil {
			b.blame(wants, err)
			return
		}
		if b.done(w) || len(b.finish([]*want{w})) == 0 {
			continue
		}
		if err := b.simulate([]*want{w}); err != nil {
			b.blame([]*want{w}, err)
			continue
		}
		if err := b.run(b.arguments([]*want{w})...); err != nil {
			b.blame([]*want{w}, err)
		}
	}
}

// done tells whether a package became what was asked for. Whether altered files
// were replaced only the files can tell.
func (b *batch) done(w *want) bool {
	p := b.db.find(w.name, w.arch)
	return p != nil && p.here() && !w.altered && w.becomes == p.version
}

// account notes what was changed.
func (b *batch) account() {
	if err := b.reload(); err != nil {
		b.blame(b.todo(), err)
		return
	}
	for _, w := range b.wants {
		if !w.wrong {
			continue
		}
		var now installed
		if p := b.db.find(w.name, w.arch); p != nil {
			now = *p
		}
		if now != w.was || w.altered && w.result.Err == nil {
			w.result.Changed = true
		}
		if w.result.Err == nil && !w.altered && !w.ready && !b.done(w) {
			w.result.Err = errors.New("apt-get reported no error, and yet it is not installed as asked")
		}
	}
}

// run runs a tool for its effect.
func (b *batch) run(args ...string) error {
	what := args[0] + " " + verb(args)
	r, err := b.c.Machine.Processes.Run(b.ctx, system.Command{
		Args: args, Env: environment(), Dir: "/", Timeout: b.c.Timeout, MaxTail: maxTail,
	})
	if err != nil {
		if cause := context.Cause(b.ctx); cause != nil {
			err = cause
		}
		return fmt.Errorf("%s: %w", what, err)
	}
	if r.Exit != 0 {
		return ended(what, r)
	}
	return nil
}

func verb(args []string) string {
	for _, a := range []string{"install", "update", "download-file", "purge", "remove", "auto", "--configure"} {
		if slices.Contains(args, a) {
			return strings.TrimLeft(a, "-")
		}
	}
	return ""
}

// ended makes an error of how a tool ended, with its own words about errors, or
// else the last ones.
func ended(what string, r system.Result) error {
	last := r.Spoken()
	var errs []string
	for i, text := range last {
		// "dpkg: error processing package NAME (--configure):", and the line after it why.
		why := i > 0 && strings.HasPrefix(last[i-1], "dpkg: error") && strings.HasSuffix(last[i-1], ":")
		if (why || tells(text)) && !slices.Contains(errs, text) {
			errs = append(errs, text)
		}
	}
	if len(errs) == 0 {
		errs = last[max(0, len(last)-3):]
	}
	return r.Ended(what, errs...)
}

// tells knows the lines that say what went wrong.
func tells(text string) bool {
	return strings.HasPrefix(text, "E: ") || strings.HasPrefix(text, "dpkg: error") || strings.Contains(text, "Depends: ") || strings.Contains(text, holder)
}

// overtaken tells whether apt-get found a package half installed that was not there when
// it was looked for: another one, which was waited for, was stopped in the middle.
func overtaken(err error) bool {
	e, ok := errors.AsType[*system.EndedError](err)
	return ok && strings.Contains(e.Said, "No file name for")
}

// holder is how apt-get tells who holds a lock that it waits for.
const holder = "It is held by process"

// busy tells whether another package manager was at work, for longer than it is waited
// for, in the words of apt-get and of dpkg.
func busy(err error) bool {
	e, ok := errors.AsType[*system.EndedError](err)
	return ok && slices.ContainsFunc([]string{holder, "locked by another process", "Unable to acquire the dpkg frontend lock"}, func(words string) bool {
		return strings.Contains(e.Said, words)
	})
}
