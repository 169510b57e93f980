// SPDX-License-Identifier: Apache-2.0

package vcs

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/bindery/bindery/agent/system"
)

// maxOwn bounds what a tool may keep of a checkout.
const maxOwn = 1 << 20

// own tells whether a checkout is the administrator's alone, as far as its tool
// believes what it finds there: what it keeps of a checkout names programs that it
// runs, and other directories that it writes to. Where somebody else has the
// directory, and no tool kept anything yet, it is no checkout.
func (c *checkout) own(there *system.Info) (bool, error) {
	whole := c.trusted(there)
	left := maxOwn
	for _, base := range []string{".git", ".svn", ".hg"} {
		name := c.name + "/" + base
		info, err := c.c.Machine.Files.Look(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return false, err
		case !whole || !c.trusted(&info):
			return false, prepared(name)
		case info.Kind != system.Directory:
			return false, fmt.Errorf("%q is a %s, which leads to what others may have: take it away", name, info.Kind)
		}
		if err := c.each(name, &left, c.kept); err != nil {
			return false, err
		}
	}
	return whole, nil
}

// kept tells why a tool cannot believe what it keeps.
func (c *checkout) kept(name string, info *system.Info) error {
	if c.trusted(info) {
		return nil
	}
	return prepared(name)
}

// prepared does not say to give it to root: what it names would be run then.
func prepared(name string) error {
	return fmt.Errorf("%q is somebody else's, or others can write to it: no tool is run in what they prepared; take it away", name)
}

// each looks at all that is below a directory.
func (c *checkout) each(dir string, left *int, look func(name string, info *system.Info) error) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	list, err := c.c.Machine.Files.List(dir)
	if err != nil {
		return err
	}
	if *left -= len(list); *left < 0 {
		return fmt.Errorf("below %q are more than %d things", c.name, maxOwn)
	}
	for _, info := range list {
		name := dir + "/" + info.Name
		if err := look(name, &info); err != nil {
			return err
		}
		if info.Kind == system.Directory {
			if err := c.each(name, left, look); err != nil {
				return err
			}
		}
	}
	return nil
}

// passable tells why a tool cannot work in a directory of the checkout: who has it, or
// one above it, could put a link there at any moment, and the tool would write and remove
// behind it. What is no directory, or below none, is the tool's own to replace.
func (c *checkout) passable(name string) error {
	at := c.name
	for part := range strings.SplitSeq(name, "/") {
		at += "/" + part
		info, err := c.c.Machine.Files.Look(at)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if info.Kind != system.Directory {
			return nil
		}
		if !c.trusted(&info) {
			return c.unsafe(at)
		}
	}
	return nil
}

func (c *checkout) unsafe(dir string) error {
	return fmt.Errorf("the directory %q in the checkout is somebody else's, or others can write to it: the checkout is not moved, because files would be written there wherever links lead; give it to root, or have no files of the repository in it", dir)
}

// whole tells why a tool cannot work anywhere in the checkout. Subversion and Mercurial
// bring other repositories to directories below it of their own accord.
func (c *checkout) whole() error {
	left := maxOwn
	return c.each(c.name, &left, func(at string, info *system.Info) error {
		if info.Kind == system.Directory && !c.trusted(info) {
			return c.unsafe(at)
		}
		return nil
	})
}

// trusted tells whether nobody but the administrator can change a thing.
func (c *checkout) trusted(info *system.Info) bool {
	m := c.c.Machine
	if info.UID != 0 && info.UID != m.UID {
		return false
	}
	group := info.Mode&0o020 != 0 && info.GID != 0 && info.GID != m.GID
	return info.Kind == system.Symlink || info.Mode&0o002 == 0 && !group
}
