// SPDX-License-Identifier: Apache-2.0

package vcs

import (
	"errors"
	"fmt"
	"io/fs"

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
			return false, fmt.Errorf("%q is somebody else's, or others can write to it: no tool is run in what they prepared; take it away, or give it to root", name)
		case info.Kind != system.Directory:
			return false, fmt.Errorf("%q is a %s, which leads to what others may have: take it away", name, info.Kind)
		}
		if err := c.below(name, &left); err != nil {
			return false, err
		}
	}
	return whole, nil
}

// below looks at all that a tool keeps.
func (c *checkout) below(dir string, left *int) error {
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
		if !c.trusted(&info) {
			return fmt.Errorf("%q is somebody else's, or others can write to it: no tool is run in what they prepared; take it away, or give it to root", name)
		}
		if info.Kind == system.Directory {
			if err := c.below(name, left); err != nil {
				return err
			}
		}
	}
	return nil
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
