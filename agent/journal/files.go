// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/bindery/bindery/agent/system"
)

// Files are a host's files that are written down before they are changed. While no
// run is under way, changes go through as they are.
type Files struct {
	system.Files
	extended system.Extended
	run      *Run
}

// Watched puts the journal before a machine's files.
func Watched(m *system.Machine) *Files { return &Files{Files: m.Files, extended: m.Extended} }

// Record writes all changes down in a run, nil for none.
func (f *Files) Record(r *Run) { f.run = r }

// Change implements system.Files.
func (f *Files) Change(c system.Change) error {
	if f.run != nil {
		info, err := f.run.before(f, c)
		if err != nil {
			return &unkeptError{fmt.Errorf("%s %q: %w", c.Op, c.Name, err)}
		}
		if c.Op == system.RemoveAll && info.Kind == "" {
			return nil // what comes meanwhile was not written down
		}
		if c.Inode == 0 && (c.Op == system.RemoveAll || info.Kind == system.Directory) {
			// Nothing goes but what was written down.
			c.Device, c.Inode = info.Device, info.Inode
		}
	}
	return f.Files.Change(c)
}

// unkeptError is a change that was not made, because how things were could not be written
// down.
type unkeptError struct{ error }

func (e *unkeptError) Unwrap() error { return e.error }

// before writes down how things are that a change alters. What the change itself
// refuses is left to it. It tells what it found.
func (r *Run) before(f *Files, c system.Change) (system.Info, error) {
	name, err := system.Clean(c.Name)
	if err != nil {
		return system.Info{}, err
	}
	info, err := f.Look(name)
	there := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return info, err
	}
	if there && info.Protected {
		return info, nil
	}
	return info, r.change(f, c, name, info, there)
}

func (r *Run) change(f *Files, c system.Change, name string, info system.Info, there bool) (err error) {
	s := Step{Name: Text(name), Before: none(), After: intended(c, info)}
	switch {
	case c.Op == system.Attributes || c.Op == system.Extend || c.Op == system.Date:
		if !there {
			return nil
		}
		if s.Before, err = f.partly(c, name, info); err != nil {
			return err
		}
	case c.Op == system.Hardlink:
		if s.After, err = f.node(nil, c.To); err != nil {
			return err
		}
	}
	if s.Before.Partial {
		return r.write(Record{Steps: []Step{s}})
	}
	if !there {
		if c.Op == system.Remove || c.Op == system.RemoveAll {
			return nil
		}
		return r.write(Record{Steps: []Step{s}})
	}
	if info.Kind == system.Directory && (c.Op == system.Mkdir || c.Op == system.Write) {
		return nil
	}
	t := &tree{run: r, files: f}
	r.tree, r.kept = info.Kind == system.Directory, nil
	defer func() { r.tree = false }()
	before := r.bytes
	if err = t.add(name, info, 0); err == nil {
		t.steps[0].After = s.After
		err = r.write(Record{Steps: t.steps})
	}
	if err != nil {
		return errors.Join(err, r.giveBack(before))
	}
	return nil
}

// partly is what a change of attributes alters.
func (f *Files) partly(c system.Change, name string, info system.Info) (n Node, err error) {
	n = partial(info)
	if c.Op != system.Attributes {
		n.Mode, n.UID, n.GID = system.Keep, system.Keep, system.Keep
	}
	switch {
	case c.Op == system.Attributes && info.Kind == system.File:
		// A new owner takes them away.
		n.Extended, err = f.attributes(name, capability)
	case c.Op == system.Extend:
		n.Extended, err = f.attributes(name, c.To)
		if len(n.Extended) == 0 {
			n.Extended = map[string][]byte{c.To: nil}
		}
	}
	return n, err
}

func none() Node { return Node{Mode: system.Keep, UID: system.Keep, GID: system.Keep} }

// partial is a node of which only attributes count.
func partial(info system.Info) Node {
	modified := info.Modified.UnixNano()
	n := Node{Kind: info.Kind, Mode: int(info.Mode), UID: info.UID, GID: info.GID, Partial: true, Modified: &modified}
	if info.Kind == system.Symlink {
		n.Mode = system.Keep
	}
	return n
}

// intended is what a change makes of a path.
func intended(c system.Change, info system.Info) Node {
	n := Node{Mode: c.Mode, UID: c.UID, GID: c.GID}
	switch c.Op {
	case system.Write:
		n.Kind, n.Sum = system.File, digest(c.Content)
	case system.Mkdir:
		n.Kind = system.Directory
	case system.Link:
		n = none()
		n.Kind, n.Target = system.Symlink, Text(c.To)
	case system.Special:
		n.Kind, n.Major, n.Minor = c.Kind, c.Major, c.Minor
	case system.Attributes:
		n.Kind, n.Partial = info.Kind, true
		if info.Kind == system.Symlink {
			n.Mode = system.Keep
		}
	case system.Extend:
		n = none()
		n.Kind, n.Partial, n.Extended = info.Kind, true, map[string][]byte{c.To: c.Content}
	case system.Date:
		modified := c.Modified.UnixNano()
		n = none()
		n.Kind, n.Partial, n.Modified = info.Kind, true, &modified
	default:
		return none()
	}
	return n
}

// What a tree may be at most that is taken away: more is refused, because it
// could not be brought back.
const (
	maxNodes = 20000
	maxDepth = 200
)

// tree collects what is taken away together.
type tree struct {
	run   *Run
	files *Files
	steps []Step
}

func (t *tree) add(name string, info system.Info, depth int) error {
	if len(t.steps) >= maxNodes || depth > maxDepth {
		return fmt.Errorf("%w: more than %d things, or deeper than %d", ErrFull, maxNodes, maxDepth)
	}
	n, err := t.files.describe(t.run, name, info)
	if err != nil {
		return err
	}
	t.steps = append(t.steps, Step{Name: Text(name), Before: n, After: none()})
	if info.Kind != system.Directory {
		return nil
	}
	list, err := t.files.List(name)
	if err != nil {
		return err
	}
	for _, child := range list {
		if err := t.add(name+"/"+child.Name, child, depth+1); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// node tells how a path stands. With a run its content is kept.
func (f *Files) node(r *Run, name string) (Node, error) {
	info, err := f.Look(name)
	if errors.Is(err, fs.ErrNotExist) {
		return none(), nil
	}
	if err != nil {
		return Node{}, err
	}
	return f.describe(r, name, info)
}

// stated is a file that tells about itself: what was looked at by name may have
// been swapped since, and nobody's content may come back with the rights of another.
type stated interface {
	Info() (system.Info, error)
	Extended(attribute string) ([]byte, error)
}

func (f *Files) describe(r *Run, name string, info system.Info) (Node, error) {
	var data []byte
	var lists map[string][]byte
	var err error
	switch info.Kind {
	case system.File:
		data, info, lists, err = f.read(name, info)
	case system.Directory:
		lists, err = f.attributes(name, kept()...)
	}
	if err != nil {
		return Node{}, err
	}
	n := partial(info)
	n.Partial, n.Target, n.Major, n.Minor, n.Extended = false, Text(info.Target), info.Major, info.Minor, lists
	if info.Kind != system.File {
		return n, nil
	}
	n.Sum = digest(data)
	// The number of a file is given again when it is gone, but not with its time.
	n.File = fmt.Sprintf("%d:%d:%d", info.Device, info.Inode, info.Modified.UnixNano())
	if r == nil {
		return n, nil
	}
	_, err = r.keep(data)
	return n, err
}

// read reads a file, with what it is and its extended attributes.
func (f *Files) read(name string, info system.Info) ([]byte, system.Info, map[string][]byte, error) {
	if info.Size > MaxFile {
		return nil, info, nil, fmt.Errorf("%w: %q has %d bytes, more than %d", ErrFull, name, info.Size, MaxFile)
	}
	file, err := f.Open(name)
	if err != nil {
		return nil, info, nil, err
	}
	defer file.Close()
	var lists map[string][]byte
	if s, ok := file.(stated); ok {
		if info, err = s.Info(); err == nil {
			lists, err = present(s.Extended, kept()...)
		}
	} else {
		lists, err = f.attributes(name, kept()...)
	}
	if err != nil {
		return nil, info, nil, err
	}
	data, err := io.ReadAll(io.LimitReader(file, MaxFile+1))
	if err == nil && len(data) > MaxFile {
		err = fmt.Errorf("%w: %q has more than %d bytes", ErrFull, name, MaxFile)
	}
	return data, info, lists, err
}

// kept are the extended attributes that belong to a file: access lists, labels
// and capabilities.
func kept() []string {
	return []string{"system.posix_acl_access", "system.posix_acl_default", "security.selinux", capability}
}

// capability is what a program may do whoever starts it.
const capability = "security.capability"

// attributes reads those extended attributes that are there.
func (f *Files) attributes(name string, which ...string) (map[string][]byte, error) {
	if f.extended == nil {
		return nil, nil
	}
	return present(func(attribute string) ([]byte, error) { return f.extended.Extended(name, attribute) }, which...)
}

// present are those extended attributes that are there; none at all is nil.
func present(read func(attribute string) ([]byte, error), which ...string) (out map[string][]byte, err error) {
	for _, a := range which {
		value, err := read(a)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errors.ErrUnsupported):
		case err != nil:
			return nil, err
		default:
			out = with(out, a, value)
		}
	}
	return out, nil
}

var _ system.Files = (*Files)(nil)
