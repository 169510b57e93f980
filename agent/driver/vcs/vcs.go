// SPDX-License-Identifier: Apache-2.0

// Package vcs makes Path entries of type vcs true: checkouts of git, Subversion
// and Mercurial at a revision, by their own tools.
//
// A checkout that is there is moved to the revision; anything else that stands in
// its place is taken away. The package must not know who made the repository.
package vcs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/pattern"
	"github.com/bindery/bindery/agent/system"
)

// Types are the types of Path that the driver handles.
func Types() []string { return []string{"vcs"} }

// Config says what the driver works on.
type Config struct {
	Machine *system.Machine
	// Timeout bounds one call of a tool. Zero: 10 minutes.
	Timeout time.Duration
}

// Driver makes checkouts.
type Driver struct{ c Config }

// New makes the driver.
func New(c Config) (*Driver, error) {
	if c.Machine == nil || c.Timeout < 0 {
		return nil, errors.New("vcs driver: no machine, or a negative time limit")
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Minute
	}
	return &Driver{c: c}, nil
}

// checkout is one entry under way.
type checkout struct {
	*Driver
	ctx                    context.Context
	name, source, revision string
	secret                 bool
	// foreign tells that somebody else has the directory: no tool is run there.
	foreign bool
	out     *driver.Outcome
}

// tool is one system of version control.
type tool interface {
	// at tells which revision a checkout is at, and of which source; "" where it
	// is none.
	at(c *checkout) (revision, source string, err error)
	// same tells whether the source of a checkout, as at gives it, is the entry's.
	same(c *checkout, source string) (bool, error)
	// wanted tells which revision the entry means today.
	wanted(c *checkout) (string, error)
	// fetch makes a checkout, which is there already or not, be at a revision.
	fetch(c *checkout, revision string, there bool) error
}

// Apply implements driver.Driver.
func (d *Driver) Apply(ctx context.Context, item driver.Item, apply bool) (driver.Outcome, error) {
	out := driver.Outcome{State: driver.NotVerified}
	if err := ctx.Err(); err != nil {
		return out, err
	}
	if d.c.Machine.Contained() {
		out.Reasons = []string{"checkouts are not made under another root"}
		return out, nil
	}
	out.State = driver.Incorrect
	c := &checkout{Driver: d, ctx: ctx, out: &out, secret: item.Entry.Secret()}
	t, err := c.read(item)
	if err != nil {
		return out, err
	}
	there, err := c.look()
	if err != nil {
		return out, err
	}
	return out, c.compare(t, there, apply)
}

// read takes an entry apart. What a tool could take for an option or for a way to
// run a program is refused.
func (c *checkout) read(item driver.Item) (tool, error) {
	e := item.Entry
	var err error
	if c.name, err = system.Clean(e.Name()); err != nil {
		return nil, err
	}
	c.source, c.revision = e.Get("sourceurl"), e.Get("revision")
	for _, a := range []string{"vcstype", "sourceurl", "revision"} {
		if e.Get(a) == "" {
			return nil, errors.New("missing required attribute: " + a)
		}
	}
	if err := allowed(c.source); err != nil {
		return nil, err
	}
	if !plainRevision.MatchString(c.revision) {
		return nil, errors.New("the revision is not the name of one")
	}
	t := byName(e.Get("vcstype"))
	if t == nil {
		return nil, errors.New("vcstype is none of git, svn, hg")
	}
	return t, nil
}

var (
	plainRevision = pattern.Of(`^[A-Za-z0-9][A-Za-z0-9_./-]*$`)
	sshSource     = pattern.Of(`^[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:[^:]+$`)
)

// allowed tells whether a source is a plain address. A password in it would be
// seen by every user of the host.
func allowed(source string) error {
	if strings.ContainsFunc(source, unicode.IsControl) {
		return errors.New("the sourceurl holds a control character")
	}
	if path.IsAbs(source) || sshSource.MatchString(source) {
		return nil
	}
	u, err := url.Parse(source)
	if err != nil {
		return errors.New("the sourceurl is no address")
	}
	if _, has := u.User.Password(); has {
		return errors.New("the sourceurl holds a password, which every user of the host could see")
	}
	switch u.Scheme {
	case "https", "http", "ssh", "git", "file", "svn", "svn+ssh":
		return nil
	}
	return errors.New("the sourceurl is none of https, http, ssh, git, file, svn, svn+ssh, or a path")
}

// look finds out what stands there. The tools follow links and know nothing of
// others who might move directories: only the administrator may be able to.
func (c *checkout) look() (*system.Info, error) {
	if err := c.alone(path.Dir(c.name)); err != nil {
		return nil, err
	}
	info, err := c.c.Machine.Files.Look(c.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && info.Kind == system.Directory {
		var own bool
		own, err = c.own(&info)
		c.foreign = !own
	}
	return &info, err
}

// maxLinks is the kernel's own bound.
const maxLinks = 40

// alone tells whether every directory on the way, behind links too, is the
// administrator's alone. What is missing will be.
func (c *checkout) alone(dir string) error {
	at, links := "/", 0
	for todo := strings.Split(dir, "/"); ; {
		info, err := c.c.Machine.Files.Look(at)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case info.Kind == system.Symlink:
			if links++; links > maxLinks {
				return errors.New("too many symbolic links on the way")
			}
			todo = append(strings.Split(info.Target, "/"), todo...)
			if at = path.Dir(at); path.IsAbs(info.Target) {
				at = "/"
			}
		case info.Kind != system.Directory || info.UID != 0 && info.UID != c.c.Machine.UID || info.Mode&0o022 != 0:
			return fmt.Errorf("the directory %q, which it is in, is not the administrator's alone", at)
		case len(todo) == 0:
			return nil
		}
		if len(todo) > 0 {
			at, todo = path.Join(at, todo[0]), todo[1:]
		}
	}
}

func (c *checkout) compare(t tool, there *system.Info, apply bool) error {
	var is, source string
	var err error
	if there != nil && there.Kind == system.Directory && !c.foreign {
		if is, source, err = t.at(c); err != nil {
			return err
		}
	}
	should, err := t.wanted(c)
	if err != nil {
		return err
	}
	same := false
	if is != "" {
		if same, err = t.same(c, source); err != nil {
			return err
		}
	}
	switch {
	case there == nil:
		c.out.State = driver.Missing
		c.wrong("does not exist", "")
	case is == "":
		c.wrong("is no checkout", "")
	case !same:
		c.wrong("source", strconv.Quote(source)+", should be "+strconv.Quote(c.source))
	case is != should:
		c.wrong("revision", is+", should be "+should)
	default:
		c.out.State = driver.Correct
		return nil
	}
	if !apply {
		return nil
	}
	return c.make(t, there, same, should)
}

func (c *checkout) wrong(what, values string) {
	if values != "" && !c.secret {
		what += ": " + values
	}
	c.out.Reasons = append(c.out.Reasons, what)
}

// make moves a checkout, or makes it anew.
func (c *checkout) make(t tool, there *system.Info, same bool, revision string) error {
	if !same {
		if there != nil {
			if err := c.change(system.Change{Op: system.RemoveAll, Name: c.name}); err != nil {
				return err
			}
		}
		if err := c.parents(); err != nil {
			return err
		}
	}
	return t.fetch(c, revision, same)
}

func (c *checkout) change(ch system.Change) error {
	err := c.c.Machine.Files.Change(ch)
	c.out.Changed = c.out.Changed || err == nil
	return err
}

func (c *checkout) parents() error {
	var missing []string
	for dir := path.Dir(c.name); dir != "/"; dir = path.Dir(dir) {
		_, err := c.c.Machine.Files.Look(dir)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		missing = append(missing, dir)
	}
	for i := len(missing) - 1; i >= 0; i-- {
		if err := c.change(system.Change{Op: system.Mkdir, Name: missing[i], Mode: 0o755, UID: system.Keep, GID: system.Keep}); err != nil {
			return err
		}
	}
	return nil
}

// ask asks a tool something. Exit codes are for whoever asks.
func (c *checkout) ask(args ...string) (string, int, error) { return c.run(true, args) }

// do has a tool do something.
func (c *checkout) do(args ...string) error {
	_, _, err := c.run(false, args)
	c.out.Changed = c.out.Changed || err == nil
	return err
}

// mended does something, and once more where that ended badly and the tool can put
// right what one that was killed left behind.
func (c *checkout) mended(args []string, mend ...string) error {
	_, exit, err := c.run(false, args)
	c.out.Changed = c.out.Changed || err == nil
	if err == nil || exit == 0 || c.do(mend...) != nil {
		return err
	}
	return c.do(args...)
}

// run runs a tool. That it ended badly is an error, unless it was only asked.
func (c *checkout) run(asks bool, args []string) (string, int, error) {
	cmd := system.Command{Args: args, Env: environment(), Dir: "/", Timeout: c.c.Timeout, MaxTail: 4 << 10, Asks: asks}
	if asks {
		cmd.MaxOutput, cmd.Timeout = 4<<20, min(c.c.Timeout, 2*time.Minute)
	}
	r, err := c.c.Machine.Processes.Run(c.ctx, cmd)
	if err != nil {
		return "", 0, fmt.Errorf("%s: %w", args[0], err)
	}
	if r.Exit == 0 || asks {
		return strings.TrimSpace(string(r.Stdout)), r.Exit, nil
	}
	err = r.Ended(args[0])
	if c.secret {
		err = system.Quiet(err)
	}
	return "", r.Exit, err
}

// environment keeps the tools from asking anybody, and from settings that are not
// the host's.
func environment() []string {
	return []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C.UTF-8", "HGPLAIN=1", "HGRCPATH=/dev/null",
		"GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=file:git:http:https:ssh", "GIT_SSH_COMMAND=ssh -oBatchMode=yes",
	}
}

var _ driver.Driver = (*Driver)(nil)
