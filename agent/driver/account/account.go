// SPDX-License-Identifier: Apache-2.0

// Package account makes POSIXUser and POSIXGroup entries true, with the tools of
// the shadow suite: useradd, usermod, groupadd and groupmod.
//
// Passwords are nobody's business here: Bcfg2 has no word for them. The package
// must not know who owns which file.
package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/pattern"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
)

// Tags are the tags of the entries that the driver handles.
func Tags() []string { return []string{"POSIXUser", "POSIXGroup"} }

// Config says what the driver works on.
type Config struct{ Machine *system.Machine }

// Driver makes users and groups true.
type Driver struct{ machine *system.Machine }

// New makes the driver.
func New(c Config) (*Driver, error) {
	if c.Machine == nil {
		return nil, errors.New("account driver: no machine")
	}
	return &Driver{machine: c.Machine}, nil
}

// Apply implements driver.Driver.
func (d *Driver) Apply(ctx context.Context, item driver.Item, apply bool) (driver.Outcome, error) {
	out := driver.Outcome{State: driver.NotVerified}
	if err := ctx.Err(); err != nil {
		return out, err
	}
	if d.machine.Contained() {
		out.Reasons = []string{"users and groups are not managed under another root"}
		return out, nil
	}
	book, err := load(d.machine.Files)
	if err != nil {
		return out, err
	}
	f := &finding{Driver: d, ctx: ctx, entry: item.Entry, book: book, out: &out}
	out.State = driver.Correct
	if item.Entry.Tag == "POSIXGroup" {
		err = f.group()
	} else {
		err = f.user()
	}
	if err != nil {
		if out.State == driver.Correct {
			out.State = driver.Incorrect
		}
		return out, err
	}
	if !apply {
		return out, nil
	}
	for _, args := range f.commands {
		if err := d.run(ctx, args); err != nil {
			return out, err
		}
		out.Changed = true
	}
	return out, nil
}

// finding is what one look at one entry brings.
type finding struct {
	*Driver
	ctx      context.Context
	entry    *config.Entry
	book     *book
	out      *driver.Outcome
	commands [][]string
}

// A name may hold what useradd(8) allows; whether this host's useradd does is for
// it to say. It never starts like an option.
var (
	plainName = pattern.Of(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}\$?$`)
	plainPath = pattern.Of(`^/[^:[:cntrl:]]*$`)
)

func (f *finding) wrong(what, is, should string) {
	f.out.State = driver.Incorrect
	if !f.entry.Secret() {
		what += fmt.Sprintf(": %s, should be %s", is, should)
	}
	f.out.Reasons = append(f.out.Reasons, what)
}

func (f *finding) missing() {
	f.out.State = driver.Missing
	f.out.Reasons = append(f.out.Reasons, "does not exist")
}

func (f *finding) do(args ...string) { f.commands = append(f.commands, args) }

// number reads an id that may be left out.
func (f *finding) number(attribute string) (string, error) {
	v := f.entry.Get(attribute)
	if v == "" {
		return "", nil
	}
	n, err := strconv.ParseUint(v, 10, 31)
	if err != nil {
		return "", fmt.Errorf("the %s is not a number", attribute)
	}
	return strconv.FormatUint(n, 10), nil
}

// named tells whether something is a name. What getent and usermod take for a number
// leads to whoever has it.
func named(s string) bool { return plainName.MatchString(s) && strings.Trim(s, "0123456789") != "" }

func (f *finding) group() error {
	name := f.entry.Name()
	if !named(name) {
		return errors.New("not a name of a group")
	}
	gid, err := f.number("gid")
	if err != nil {
		return err
	}
	g, ok := f.book.group(name)
	if !ok {
		g, ok = f.ask("group", name)
	}
	var set []string
	if gid != "" {
		set = []string{"-g", gid}
	}
	switch {
	case !ok:
		f.missing()
		f.do(append(append([]string{"groupadd"}, set...), name)...)
	case gid != "" && g.id != gid:
		f.wrong("gid", g.id, gid)
		f.do(append(append([]string{"groupmod"}, set...), name)...)
	}
	return nil
}

// aspect is one thing that an entry says about a user.
type aspect struct{ what, is, should, flag string }

func (f *finding) user() error {
	name := f.entry.Name()
	if !named(name) {
		return errors.New("not a name of a user")
	}
	w, err := f.wanted()
	if err != nil {
		return err
	}
	u, ok := f.book.user(name)
	if !ok {
		u, ok = f.ask("passwd", name)
	}
	if _, known := f.book.group(w.group); !known {
		if _, known = f.ask("group", w.group); !known && (!ok || f.entry.Get("group") != "") {
			f.do("groupadd", w.group)
		}
	}
	if !ok {
		f.missing()
		args := []string{"useradd", "-g", w.group, "-d", w.home, "-s", w.shell, "-c", w.gecos}
		if w.uid != "" {
			args = append(args, "-u", w.uid)
		}
		if len(w.member) > 0 {
			args = append(args, "-G", strings.Join(w.member, ","))
		}
		f.do(append(args, name)...)
		return nil
	}
	f.compare(u, w)
	return nil
}

func (f *finding) compare(u account, w wanted) {
	aspects := []aspect{{"gecos", u.gecos, w.gecos, "-c"}, {"home", u.home, w.home, "-d"}, {"shell", u.shell, w.shell, "-s"}}
	if w.uid != "" {
		aspects = append(aspects, aspect{"uid", u.id, w.uid, "-u"})
	}
	if f.entry.Get("group") != "" {
		is := u.group
		if g, ok := f.book.named(u.group); ok {
			is = g.name
		}
		aspects = append(aspects, aspect{"group", is, w.group, "-g"})
	}
	aspects = append(aspects, aspect{"groups", strings.Join(f.book.member(u.name), ","), strings.Join(w.member, ","), "-G"})
	args := []string{"usermod"}
	for _, a := range aspects {
		if a.is == a.should {
			continue
		}
		f.wrong(a.what, strconv.Quote(a.is), strconv.Quote(a.should))
		args = append(args, a.flag, a.should)
	}
	if len(args) > 1 {
		f.do(append(args, u.name)...)
	}
}

// wanted is what an entry says, with what Bcfg2 says where it does not.
type wanted struct {
	uid, group, gecos, home, shell string
	member                         []string
}

func (f *finding) wanted() (wanted, error) {
	name := f.entry.Name()
	w := wanted{group: name, gecos: name, home: "/home/" + name, shell: "/bin/bash"}
	if name == "root" {
		w.home = "/root"
	}
	for _, a := range []struct {
		attribute string
		set       *string
	}{{"group", &w.group}, {"gecos", &w.gecos}, {"home", &w.home}, {"shell", &w.shell}} {
		if v, ok := f.entry.Lookup(a.attribute); ok && (v != "" || a.attribute == "gecos") {
			*a.set = v
		}
	}
	var err error
	if w.uid, err = f.number("uid"); err != nil {
		return w, err
	}
	w.member = members(f.entry)
	for _, group := range append([]string{w.group}, w.member...) {
		if !named(group) {
			return w, errors.New("not a name of a group")
		}
	}
	switch {
	case !plainPath.MatchString(w.home), !plainPath.MatchString(w.shell):
		return w, errors.New("home and shell must be absolute paths")
	case strings.ContainsFunc(w.gecos, func(r rune) bool { return r == ':' || unicode.IsControl(r) }):
		return w, errors.New("the gecos holds a colon or a line end")
	}
	return w, nil
}

// members are the groups that an entry has a user in besides the first one, sorted.
func members(e *config.Entry) []string {
	var out []string
	for _, child := range e.Children {
		if child.Tag == "MemberOf" {
			out = append(out, cmp.Or(child.Get("group"), strings.TrimSpace(child.Text)))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ask looks in directories such as LDAP, through the system's own resolver.
func (f *finding) ask(database, name string) (account, bool) {
	r, err := f.machine.Processes.Run(f.ctx, system.Command{
		Args: []string{"getent", database, name}, Env: environment(), Dir: "/", Timeout: 10 * time.Second, MaxOutput: 64 << 10, Asks: true,
	})
	if err != nil || r.Exit != 0 {
		return account{}, false
	}
	return parse(strings.TrimSpace(string(r.Stdout)))
}

func environment() []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
}

func (d *Driver) run(ctx context.Context, args []string) error {
	r, err := d.machine.Processes.Run(ctx, system.Command{Args: args, Env: environment(), Dir: "/", Timeout: 2 * time.Minute, MaxTail: 4 << 10})
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	if r.Exit == 0 {
		return nil
	}
	return r.Ended(args[0])
}

// People have these numbers where login.defs(5) says nothing else.
const (
	firstPerson = 1000
	lastPerson  = 60000
)

// Extras implements driver.Surveyor: people and their groups that no entry names. Of
// groups the first item is one; users among the others ask for those that they are in.
func (d *Driver) Extras(ctx context.Context, items []driver.Item) ([]driver.Surplus, error) {
	if err := ctx.Err(); err != nil || d.machine.Contained() || len(items) == 0 {
		return nil, err
	}
	book, err := load(d.machine.Files)
	if err != nil {
		return nil, err
	}
	asked := map[string]bool{}
	list := book.users
	if items[0].Entry.Tag == "POSIXGroup" {
		list = book.groups
	}
	for _, item := range items {
		if item.Entry.Tag == items[0].Entry.Tag {
			asked[item.Entry.Name()] = true
			continue
		}
		asked[item.Entry.Get("group")] = true
		for _, group := range members(item.Entry) {
			asked[group] = true
		}
	}
	var out []driver.Surplus
	for _, a := range list {
		n, err := strconv.Atoi(a.id)
		if err != nil || n < firstPerson || n > lastPerson || asked[a.name] || primary(book, a) {
			continue
		}
		out = append(out, driver.Surplus{Kind: driver.Kind{Tag: items[0].Entry.Tag}, Name: a.name, What: a.id})
	}
	slices.SortFunc(out, func(a, b driver.Surplus) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Remove implements driver.Remover. The files of a user stay.
func (d *Driver) Remove(ctx context.Context, what []driver.Surplus) []error {
	out := make([]error, len(what))
	for i, s := range what {
		tool := "userdel"
		if s.Kind.Tag == "POSIXGroup" {
			tool = "groupdel"
		}
		if !named(s.Name) {
			out[i] = errors.New("not a name of a user or a group")
			continue
		}
		out[i] = d.run(ctx, []string{tool, s.Name})
	}
	return out
}

// primary tells whether a group is somebody's first one, and comes and goes with
// the user.
func primary(b *book, a account) bool {
	return a.isGroup && slices.ContainsFunc(b.users, func(u account) bool { return u.group == a.id })
}

var (
	_ driver.Driver   = (*Driver)(nil)
	_ driver.Surveyor = (*Driver)(nil)
	_ driver.Remover  = (*Driver)(nil)
)

// Touches implements driver.Touching with the files that useradd(8), groupadd(8)
// and their like write: each with the copy of what it was, which they make first.
func (d *Driver) Touches() []string {
	var out []string
	for _, name := range Files() {
		out = append(out, name, name+"-")
	}
	return out
}

// Files are those that hold users and groups. They speak of each other: one that is of
// another time than the rest leaves users without a password, or a group without a name.
func Files() []string {
	return []string{"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid"}
}

var _ driver.Touching = (*Driver)(nil)
