// SPDX-License-Identifier: Apache-2.0

package posix

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
)

// maxShown bounds the files whose differences are kept to be shown.
const maxShown = 256 << 10

func (f *finding) file() error {
	if err := f.attributes(true); err != nil {
		return err
	}
	if f.entry.Text == "" && !f.entry.True("empty") {
		return errors.New("incomplete: neither content nor empty=\"true\"")
	}
	content, err := f.entry.Content()
	if err != nil {
		return errors.New("the content is not valid base64")
	}
	info, err := f.look(f.name)
	if err != nil {
		return err
	}
	switch {
	case info == nil:
		f.missing()
		f.show(nil, content)
	case info.Kind == system.Directory:
		f.wrong("a directory is in the way", "")
		return errors.New("a directory is in the way of the file")
	case info.Kind != system.File:
		f.wrong("is a "+string(info.Kind), "")
	default:
		same, err := f.same(info, content)
		if err != nil {
			return err
		}
		change := f.compare(info, f.name)
		if same && (change == nil || !f.lent(info, change)) {
			if change != nil {
				f.change(*change)
				anew := f.here(system.Write)
				anew.Content, f.whole = content, &anew
			}
			return f.extended(info)
		}
	}
	if err := f.extended(nil); err != nil {
		return err
	}
	f.settle()
	if info == nil {
		if err := f.parents(); err != nil {
			return err
		}
	}
	c := f.here(system.Write)
	c.Content = content
	f.change(c)
	return nil
}

// same compares what a file holds with what it shall hold.
func (f *finding) same(info *system.Info, content []byte) (bool, error) {
	showable := !f.entry.Secret() && info.Size <= maxShown && len(content) <= maxShown
	if info.Size != int64(len(content)) && !showable {
		f.wrong("content", fmt.Sprintf("%d bytes, should be %d", info.Size, len(content)))
		return false, nil
	}
	r, err := f.machine.Files.Open(f.name)
	if err != nil {
		return false, err
	}
	defer r.Close()
	if info.Size == int64(len(content)) {
		same, err := f.equal(r, content)
		if err != nil {
			return false, fmt.Errorf("read %q: %w", f.name, err)
		}
		if same {
			return true, nil
		}
	}
	if info.Size == int64(len(content)) {
		f.wrong("content", fmt.Sprintf("differs (%d bytes)", info.Size))
	} else {
		f.wrong("content", fmt.Sprintf("%d bytes, should be %d", info.Size, len(content)))
	}
	if showable {
		return false, f.showDifference(content)
	}
	return false, nil
}

func (f *finding) showDifference(content []byte) error {
	r, err := f.machine.Files.Open(f.name)
	if err != nil {
		return err
	}
	defer r.Close()
	old, err := io.ReadAll(io.LimitReader(r, maxShown))
	if err != nil {
		return fmt.Errorf("read %q: %w", f.name, err)
	}
	f.show(old, content)
	return nil
}

func (f *finding) show(old, content []byte) {
	if !f.entry.Secret() && len(content) <= maxShown {
		f.old, f.new = old, content
	}
}

// maxRoom is how much of a file is in memory at a time.
const maxRoom = 32 << 10

// equal compares without holding the file in memory.
func (d *Driver) equal(r io.Reader, content []byte) (bool, error) {
	// One byte more shows whether there is more.
	buf := slices.Grow(d.room[:0], min(maxRoom, len(content)+1))
	d.room, buf = buf, buf[:min(maxRoom, len(content)+1)]
	for {
		n, err := r.Read(buf)
		if n > len(content) || !bytes.Equal(buf[:n], content[:n]) {
			return false, nil
		}
		content = content[n:]
		if errors.Is(err, io.EOF) {
			return len(content) == 0, nil
		}
		if err != nil {
			return false, err
		}
	}
}

func (f *finding) directory() error {
	if err := f.attributes(true); err != nil {
		return err
	}
	info, err := f.look(f.name)
	if err != nil {
		return err
	}
	if info == nil || info.Kind != system.Directory {
		if info == nil {
			if err := f.absent(); err != nil {
				return err
			}
		} else {
			f.wrong("is a "+string(info.Kind), "")
		}
		f.settle()
		f.change(f.here(system.Mkdir))
		return f.extended(nil)
	}
	f.correct(info, f.name)
	if err := f.extended(info); err != nil {
		return err
	}
	if f.entry.True("prune") {
		if err := f.prune(); err != nil {
			return err
		}
	}
	return f.recurse()
}

// What a run plans below one directory, and how many directories wait to be looked at:
// users put as much there as they like, and all of it takes memory. The next run goes on.
const (
	maxPlanned = 50_000
	maxWaiting = 1 << 17
	more       = "and more"
)

// enough tells whether no more is planned.
func (f *finding) enough() bool {
	if len(f.changes) < maxPlanned {
		return false
	}
	if f.reasons[len(f.reasons)-1] != more {
		f.reasons = append(f.reasons, more)
	}
	return true
}

// prune plans to take away what is directly below the directory and neither
// configured nor on the way to something configured.
func (f *finding) prune() error {
	list, err := f.machine.Files.List(f.name)
	if err != nil {
		return err
	}
	for _, info := range list {
		name := strings.TrimSuffix(f.name, "/") + "/" + info.Name
		if info.Protected || info.Shelters || f.item.Paths.Under(name) {
			continue
		}
		if f.enough() {
			break
		}
		f.extra = append(f.extra, name)
		f.wrong("not configured", strconv.Quote(info.Name))
		f.change(system.Change{Op: system.RemoveAll, Name: name})
	}
	return nil
}

// recurse compares owner, group and mode of everything below. As in Bcfg2 the
// mode goes to files and directories alike: as it is written, without the mask of an
// access list, which is the path's own.
func (f *finding) recurse() error {
	if !f.entry.True("recursive") {
		return nil
	}
	gone := map[string]bool{}
	for _, name := range f.extra {
		gone[name] = true
	}
	f.mode = f.plain
	todo := []string{f.name}
	for len(todo) > 0 {
		if err := f.ctx.Err(); err != nil {
			return err
		}
		dir := strings.TrimSuffix(todo[0], "/")
		todo = todo[1:]
		list, err := f.machine.Files.List(dir + "/")
		if err != nil {
			return err
		}
		for _, info := range list {
			name := dir + "/" + info.Name
			if info.Protected || gone[name] {
				continue
			}
			if f.enough() {
				return nil
			}
			f.correct(&info, name)
			if info.Kind == system.Directory {
				if todo = append(todo, name); len(todo) > maxWaiting {
					return fmt.Errorf("%q holds more directories than can be looked at", f.name)
				}
			}
		}
	}
	return nil
}

func (f *finding) symlink() error {
	to := f.entry.Get("to")
	if to == "" {
		return errors.New("missing required attribute: to")
	}
	if strings.ContainsRune(to, 0) {
		return fmt.Errorf("target: %w", system.ErrName)
	}
	if err := f.attributes(false); err != nil {
		return err
	}
	if f.acls.access != nil || f.acls.inherited != nil {
		return errors.New("a symbolic link has no access list")
	}
	f.mode, f.plain = system.Keep, system.Keep // a link has none of its own
	info, err := f.look(f.name)
	if err != nil {
		return err
	}
	switch {
	case info == nil:
		if err := f.absent(); err != nil {
			return err
		}
	case info.Kind != system.Symlink:
		f.wrong("is a "+string(info.Kind), "")
	case info.Target != to:
		f.wrong("target", strconv.Quote(info.Target)+", should be "+strconv.Quote(to))
	default:
		f.correct(info, f.name)
		return f.extended(info)
	}
	return f.link(system.Link, to)
}

// link makes a link anew, with its owner and what else the entry says of it.
func (f *finding) link(op system.Op, to string) error {
	if err := f.extended(nil); err != nil {
		return err
	}
	c := f.here(op)
	c.To = to
	f.change(c)
	f.ownNew()
	return nil
}

// ownNew gives a new link its owner, which the link's own change does not do.
func (f *finding) ownNew() {
	f.settle()
	if f.uid != system.Keep || f.gid != system.Keep || f.mode != system.Keep {
		c := f.here(system.Attributes)
		if f.entry.Type() == "symlink" {
			c.Kind = system.Symlink
		}
		f.change(c)
	}
}

func (f *finding) hardlink() error {
	to, err := system.Clean(f.entry.Get("to"))
	if err != nil {
		return fmt.Errorf("target: %w", system.ErrName)
	}
	if err := f.attributes(false); err != nil {
		return err
	}
	info, err := f.look(f.name)
	if err != nil {
		return err
	}
	target, err := f.look(to)
	if err != nil {
		return err
	}
	switch {
	case info == nil:
		if err := f.absent(); err != nil {
			return err
		}
	case target == nil || info.Device != target.Device || info.Inode != target.Inode:
		f.wrong("is not the same file as its target", "")
	default:
		f.correct(info, f.name)
		return f.extended(info)
	}
	// The target may be made by another entry of the same run: that it is not
	// there yet is found when the link is made.
	return f.link(system.Hardlink, to)
}

func (f *finding) nonexistent() error {
	info, err := f.look(f.name)
	if err != nil || info == nil {
		return err
	}
	f.wrong("exists", "")
	if info.Kind != system.Directory {
		f.change(system.Change{Op: system.Remove, Name: f.name})
		return nil
	}
	if !f.entry.True("recursive") {
		f.change(system.Change{Op: system.Remove, Name: f.name})
		return nil
	}
	if f.item.Paths.Under(f.name) {
		return errors.New("a configured path is below it")
	}
	f.change(system.Change{Op: system.RemoveAll, Name: f.name})
	return nil
}

func (f *finding) permissions() error {
	if err := f.attributes(true); err != nil {
		return err
	}
	info, err := f.look(f.name)
	if err != nil {
		return err
	}
	if info == nil {
		f.state = driver.Missing
		return errors.New("it does not exist, and only its permissions are managed")
	}
	f.correct(info, f.name)
	if err := f.extended(info); err != nil || info.Kind != system.Directory {
		return err
	}
	return f.recurse()
}
