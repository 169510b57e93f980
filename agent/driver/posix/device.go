// SPDX-License-Identifier: Apache-2.0

package posix

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/bindery/bindery/agent/system"
)

const defaultDeviceMode = "0600"

// device makes block and character devices, and named pipes. Without a mode one is the
// owner's alone, as before Bcfg2 1.3, whose tables have no mode for devices.
func (f *finding) device() error {
	if err := f.attributesOr(true, defaultDeviceMode); err != nil {
		return err
	}
	c := f.here(system.Special)
	switch f.entry.Get("dev_type") {
	case "block":
		c.Kind = system.Block
	case "char":
		c.Kind = system.Character
	case "fifo":
		c.Kind = system.Pipe
	default:
		return errors.New("dev_type is none of block, char, fifo")
	}
	if c.Kind != system.Pipe {
		for _, n := range []struct {
			attribute string
			set       *uint32
		}{{"major", &c.Major}, {"minor", &c.Minor}} {
			v, err := strconv.ParseUint(f.entry.Get(n.attribute), 10, 20)
			if err != nil {
				return fmt.Errorf("the %s of a device must be a number", n.attribute)
			}
			*n.set = uint32(v)
		}
	}
	info, err := f.look(f.name)
	if err != nil {
		return err
	}
	switch {
	case info == nil:
		if err := f.absent(); err != nil {
			return err
		}
	case info.Kind != c.Kind:
		f.wrong("is a "+string(info.Kind), "")
	case c.Kind != system.Pipe && (info.Major != c.Major || info.Minor != c.Minor):
		f.wrong("numbers", fmt.Sprintf("%d:%d, should be %d:%d", info.Major, info.Minor, c.Major, c.Minor))
	default:
		f.correct(info, f.name)
		return f.extended(info)
	}
	if info != nil && info.Kind == system.Directory {
		return errors.New("a directory is in the way of the device")
	}
	f.settle()
	c.UID, c.GID = f.uid, f.gid
	f.change(c)
	return f.extended(nil)
}
