// SPDX-License-Identifier: Apache-2.0

// Package posix makes Path entries true: files, directories, symbolic and hard
// links, permissions, and paths that shall not exist.
//
// Each type only finds out which changes are missing; one place makes them. It
// must not know how a change reaches the disk.
package posix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"weak"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
)

// Types are the types of Path that the driver handles.
func Types() []string {
	return []string{"file", "directory", "symlink", "hardlink", "nonexistent", "permissions", "device", "ignore"}
}

// Config says what the driver works on.
type Config struct{ Machine *system.Machine }

// Driver makes Path entries true. It is not safe for concurrent use.
type Driver struct {
	machine *system.Machine
	owners  *owners
	labels  labels
	// bare is the run in which the host turned out to have no labels.
	bare weak.Pointer[driver.Paths]
	// room is for the parts of files that are compared.
	room []byte
}

// New makes the driver.
func New(c Config) (*Driver, error) {
	if c.Machine == nil {
		return nil, errors.New("posix driver: no machine")
	}
	return &Driver{machine: c.Machine, owners: newOwners(c.Machine)}, nil
}

// Apply implements driver.Driver.
func (d *Driver) Apply(ctx context.Context, item driver.Item, apply bool) (driver.Outcome, error) {
	f := &finding{Driver: d, ctx: ctx, item: item, entry: item.Entry, state: driver.Correct, uid: system.Keep, gid: system.Keep, mode: system.Keep, plain: system.Keep}
	err := ctx.Err()
	if err == nil {
		err = f.examine()
	}
	out := driver.Outcome{
		State: f.state, Reasons: f.reasons, Unverified: f.unverified, Extra: f.extra, Old: f.old, New: f.new,
		Anew: slices.ContainsFunc(f.changes, f.replaces),
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
	for _, c := range append(f.changes, f.last...) {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		err := d.machine.Files.Change(c)
		if errors.Is(err, system.ErrGuarded) && f.whole != nil && c.Op == system.Attributes {
			err, out.Anew = d.machine.Files.Change(*f.whole), true // what a new file holds is known
		}
		if err != nil {
			return out, err
		}
		out.Changed = true
	}
	return out, nil
}

// replaces tells whether a change puts another thing in the place of the entry's path.
func (f *finding) replaces(c system.Change) bool {
	return c.Name == f.name && !slices.Contains([]system.Op{system.Attributes, system.Extend, system.Date}, c.Op)
}

// finding is what one look at one entry brings.
type finding struct {
	*Driver
	ctx   context.Context
	item  driver.Item
	entry *config.Entry
	name  string

	uid, gid, mode int

	state      driver.State
	reasons    []string
	unverified []string
	extra      []string
	old, new   []byte
	changes    []system.Change
	// whole makes the entry's file anew, where it is one.
	whole *system.Change
	// last are changes that come after all others.
	last []system.Change

	// unlisted tells that the access lists go, and have to come again where they are
	// wanted.
	unlisted bool

	// acls are wanted besides the mode; plain is the mode as it is written.
	acls  lists
	plain int
}

func (f *finding) examine() error {
	name, err := system.Clean(f.entry.Name())
	if err != nil {
		return err
	}
	f.name = name
	switch f.entry.Type() {
	case "file":
		return f.file()
	case "directory":
		return f.directory()
	case "symlink":
		return f.symlink()
	case "hardlink":
		return f.hardlink()
	case "nonexistent":
		return f.nonexistent()
	case "permissions":
		return f.permissions()
	case "device":
		return f.device()
	case "ignore":
		return nil // it says only that packages may find it altered
	}
	return fmt.Errorf("path type %q has no driver", f.entry.Type())
}

// wrong notes what is not as it should be. Of a secret entry only the first
// words are kept, which never hold a value.
func (f *finding) wrong(what, values string) {
	f.state = driver.Incorrect
	if values != "" && !f.entry.Secret() {
		what += ": " + values
	}
	f.reasons = append(f.reasons, what)
}

func (f *finding) missing() {
	f.state = driver.Missing
	f.reasons = append(f.reasons, "does not exist")
}

// absent says that nothing is there, and plans the directories above it.
func (f *finding) absent() error {
	f.missing()
	return f.parents()
}

func (f *finding) change(c system.Change) { f.changes = append(f.changes, c) }

// here is a change of the entry itself, with its attributes.
func (f *finding) here(op system.Op) system.Change {
	return system.Change{Op: op, Name: f.name, Mode: f.plain, UID: f.uid, GID: f.gid}
}

// look describes what stands at a name; nil is nothing.
func (f *finding) look(name string) (*system.Info, error) {
	info, err := f.machine.Files.Look(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &info, nil
}

// parents plans the directories that are missing above the entry. They get its
// owner, and mode 0755.
func (f *finding) parents() error {
	f.settle()
	var missing []string
	for dir := path.Dir(f.name); dir != "/"; dir = path.Dir(dir) {
		info, err := f.look(dir)
		if err != nil {
			return err
		}
		if info != nil {
			break
		}
		missing = append(missing, dir)
	}
	for _, dir := range slices.Backward(missing) {
		f.change(system.Change{Op: system.Mkdir, Name: dir, Mode: 0o755, UID: f.uid, GID: f.gid})
	}
	return nil
}

// attributes reads the wanted owner, group and mode. With required, all three
// must be given.
func (f *finding) attributes(required bool) error { return f.attributesOr(required, "") }

// attributesOr has a mode where the entry has none.
func (f *finding) attributesOr(required bool, usual string) error {
	mode := cmp.Or(f.entry.Get("mode"), f.entry.Get("perms"), usual) // perms is its name before Bcfg2 1.3
	owner, group := f.entry.Get("owner"), f.entry.Get("group")
	if required {
		var lack []string
		for _, a := range [][2]string{{"mode", mode}, {"owner", owner}, {"group", group}} {
			if a[1] == "" {
				lack = append(lack, a[0])
			}
		}
		if len(lack) > 0 {
			return fmt.Errorf("missing required attributes: %s", strings.Join(lack, ", "))
		}
	}
	if mode != "" {
		m, err := strconv.ParseUint(mode, 8, 32)
		if err != nil || m > 0o7777 {
			return errors.New("the mode is not an octal number up to 7777")
		}
		f.mode = int(m)
	}
	var err error
	if f.acls, err = f.readACL(); err != nil {
		return err
	}
	if f.acls.access != nil && mode == "" {
		return errors.New("an ACL needs a mode")
	}
	if f.plain = f.mode; f.mode != system.Keep {
		f.mode |= int(f.acls.more) << 3
	}
	if f.uid, err = f.id(users, owner); err != nil {
		return err
	}
	if f.gid, err = f.id(groups, group); err != nil {
		return err
	}
	return nil
}

// id gives the number for an owner or group. In a contained machine a name counts
// as not verified where nobody may set it, or where the tree has no names at all.
func (f *finding) id(t table, name string) (int, error) {
	if name == "" {
		return system.Keep, nil
	}
	id, err := f.owners.id(f.ctx, t, name)
	switch {
	case err == nil:
		return id, nil
	case f.lenient() || f.owners.nameless(t):
		f.unverified = append(f.unverified, t.attribute)
		return system.Keep, nil
	case f.entry.Secret():
		return 0, errors.New("the " + t.attribute + " is not known on this host")
	}
	return 0, err
}

// lenient tells whether owners cannot be expected to become right.
func (f *finding) lenient() bool { return f.machine.Contained() && !f.machine.Privileged }

// compare looks for differences in owner, group and mode. It returns the change
// that removes them, nil if there are none.
func (f *finding) compare(info *system.Info, at string) *system.Change {
	c := system.Change{Op: system.Attributes, Name: at, Mode: system.Keep, UID: system.Keep, GID: system.Keep, Sole: at != f.name, Device: info.Device, Inode: info.Inode}
	where := ""
	if at != f.name {
		where = " of " + strconv.Quote(at)
	}
	different := false
	for _, a := range []struct {
		attribute    string
		want, is     int
		set          *int
		needsTheRoot bool
	}{
		{"owner", f.uid, info.UID, &c.UID, true},
		{"group", f.gid, info.GID, &c.GID, true},
		{"mode", f.mode, int(info.Mode), &c.Mode, false},
	} {
		if a.want == system.Keep || a.want == a.is || a.attribute == "mode" && info.Kind == system.Symlink {
			continue
		}
		if a.needsTheRoot && f.lenient() {
			f.aspect(a.attribute)
			continue
		}
		form := "%d, should be %d"
		if a.attribute == "mode" {
			form = "%04o, should be %04o"
		}
		f.wrong(a.attribute+where, fmt.Sprintf(form, a.is, a.want))
		*a.set, different = a.want, true
	}
	if !different {
		return nil
	}
	if c.Mode == system.Keep && info.Kind == system.Directory {
		c.Mode = int(info.Mode) // a change of owner may clear setgid
	}
	// Of a file the system takes setuid away with a new owner, who did not give it.
	c.Kind = info.Kind
	return &c
}

// correct plans to remove the differences in owner, group and mode.
func (f *finding) correct(info *system.Info, at string) {
	if c := f.compare(info, at); c != nil {
		f.unlist(info, c)
		f.change(*c)
	}
}

// unlist plans to take away the access lists of what had an owner of its own until
// now, who may have given anybody a right to it.
func (f *finding) unlist(info *system.Info, c *system.Change) {
	if c.UID == system.Keep || !f.foreign(info) || info.Kind == system.Symlink {
		return
	}
	for _, attribute := range []string{accessList, defaultList} {
		if _, err := f.machine.Extended.Extended(c.Name, attribute); err != nil {
			continue
		}
		f.wrong("has an access list of its former owner", strconv.Quote(c.Name))
		f.change(system.Change{Op: system.Extend, Name: c.Name, To: attribute, Device: info.Device, Inode: info.Inode})
		f.unlisted = f.unlisted || c.Name == f.name
	}
}

// foreign tells whether something belongs to anybody but the administrator.
func (f *finding) foreign(info *system.Info) bool { return info.UID != 0 && info.UID != f.machine.UID }

// lent tells whether somebody who shall not write to a file could until the change.
// They may still have it open, or know it by another name: only a new file is out of
// their reach.
func (f *finding) lent(info *system.Info, c *system.Change) bool {
	group := info.Mode&0o020 != 0 && info.GID != 0 && info.GID != f.machine.GID
	return c.UID != system.Keep && f.foreign(info) ||
		group && (c.GID != system.Keep || f.mode&0o020 == 0) || info.Mode&0o002 != 0 && f.mode&0o002 == 0
}

func (f *finding) aspect(name string) {
	if slices.Contains(f.unverified, name) {
		return
	}
	f.unverified = append(f.unverified, name)
}

// settle is called when the entry is to be made anew: without privilege in a
// contained machine it belongs to whoever runs the agent.
func (f *finding) settle() {
	if !f.lenient() {
		return
	}
	for _, a := range []struct {
		attribute string
		id        *int
		own       int
	}{{"owner", &f.uid, f.machine.UID}, {"group", &f.gid, f.machine.GID}} {
		if *a.id != system.Keep && *a.id != a.own {
			*a.id = system.Keep
			f.aspect(a.attribute)
		}
	}
}

var _ driver.Driver = (*Driver)(nil)
