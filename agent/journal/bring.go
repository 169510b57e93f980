// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/bindery/bindery/agent/system"
)

// Do makes the moves: first what has to go, from the leaves, then what has to come,
// from the root, and then the other names of files. A move that fails has its error,
// and the others are made.
func (p *Past) Do(f *Files, moves []Move) {
	down := make([]*Move, len(moves))
	for i := range moves {
		down[i] = &moves[i]
	}
	slices.SortStableFunc(down, func(a, b *Move) int { return cmp.Compare(depth(a.Name), depth(b.Name)) })
	join(down)
	for _, m := range slices.Backward(down) {
		inTheWay := m.now.Kind == system.Directory && m.before.Kind != system.Directory
		if m.What == Remove || m.What == Restore && inTheWay {
			if m.Err = p.restorable(m); m.Err == nil {
				m.Err = m.change(f, system.Change{Op: system.Remove, Name: m.Name})
			}
			if errors.Is(m.Err, fs.ErrNotExist) {
				m.Err = nil
			}
		}
	}
	for _, m := range down {
		if m.What == Restore && m.Err == nil && m.lead == nil {
			m.Err = p.restore(f, m)
		}
	}
	for _, m := range down {
		if m.lead != nil && m.Err == nil {
			m.Err = p.link(f, m)
		}
	}
	for _, m := range slices.Backward(down) {
		if (m.What == Restore && m.lead == nil || m.What == Attributes) && m.Err == nil {
			m.Err = m.attributes(f)
		}
	}
}

// restorable tells whether there is something to bring back in the place of what goes.
func (p *Past) restorable(m *Move) error {
	if m.What != Restore || m.before.Kind != system.File {
		return nil
	}
	_, err := p.journal.content(p.ids, m.before.Sum)
	return err
}

// link brings back another name of a file. Where that cannot be, the path has at least
// its content.
func (p *Past) link(f *Files, m *Move) error {
	lead := m.lead
	err := lead.Err
	if err == nil {
		// In a directory of others the name may be that of anybody's file by now.
		err = m.change(f, system.Change{Op: system.Hardlink, Name: m.Name, To: lead.Name, Sole: true})
	}
	if err == nil {
		m.at = lead.at
		return nil
	}
	m.lead = nil
	if err := p.restore(f, m); err != nil {
		return err
	}
	if err := m.attributes(f); err != nil {
		return err
	}
	return fmt.Errorf("it is no longer the same file as %q: %w", lead.Name, err)
}

func (p *Past) restore(f *Files, m *Move) error {
	n := m.before
	c := system.Change{Name: m.Name, Mode: n.Mode, UID: n.UID, GID: n.GID}
	switch n.Kind {
	case system.File:
		content, err := p.journal.content(p.ids, n.Sum)
		if err != nil {
			return err
		}
		c.Op, c.Content = system.Write, content
	case system.Directory:
		c.Op = system.Mkdir
	case system.Symlink:
		c.Op, c.To = system.Link, string(n.Target)
	case system.Block, system.Character, system.Pipe:
		c.Op, c.Kind, c.Major, c.Minor = system.Special, n.Kind, n.Major, n.Minor
	default:
		return fmt.Errorf("a %s cannot be brought back", n.Kind)
	}
	err := m.change(f, c)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the directory %q is gone: %w", path.Dir(m.Name), err)
	}
	if err != nil {
		return err
	}
	if m.at, err = f.Look(m.Name); err != nil {
		return err
	}
	// A link has no rights of its own, and gets its owner afterwards.
	taken := n.UID != system.Keep && m.at.UID != n.UID
	if n.Kind == system.Symlink {
		taken = m.at.Target != string(n.Target)
	}
	if taken || m.at.Kind != n.Kind {
		return errTaken
	}
	return nil
}

var errTaken = errors.New("somebody put another thing in the place of what was brought back")

// attributes brings back owner, mode and extended attributes: the owner first, so that
// nothing has the access list of one and the owner of another; the mode after an access
// list, which changes it; and capabilities late, as a new owner takes them away.
func (m *Move) attributes(f *Files) error {
	owner, mode := m.before, m.before
	owner.Mode, mode.UID, mode.GID = system.Keep, system.Keep, system.Keep
	if err := m.owned(f, owner); err != nil {
		return err
	}
	if err := m.extended(f, func(name string) bool { return name != capability }); err != nil {
		return err
	}
	if err := m.owned(f, mode); err != nil {
		return err
	}
	if err := m.extended(f, func(name string) bool { return name == capability }); err != nil {
		return err
	}
	return m.dated(f)
}

// dated brings back when the content last changed, where a run had set that.
func (m *Move) dated(f *Files) error {
	if m.before.Modified == nil || m.before.Kind != system.File && m.before.Kind != system.Directory {
		return nil
	}
	info, err := f.Look(m.Name)
	if err != nil || info.Modified.UnixNano() == *m.before.Modified {
		return err
	}
	return m.change(f, system.Change{Op: system.Date, Name: m.Name, Modified: time.Unix(0, *m.before.Modified), Device: m.at.Device, Inode: m.at.Inode})
}

// extended brings back some of the extended attributes. What a file inherited from the
// one before it, and did not have, goes. Of links and devices none are written down, and
// the label that a kernel gave them stays.
func (m *Move) extended(f *Files, which func(string) bool) error {
	want := maps.Clone(m.before.Extended)
	if m.What == Restore && (m.before.Kind == system.File || m.before.Kind == system.Directory) {
		for _, name := range kept() {
			want = with(want, name, m.before.Extended[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !which(name) {
			continue
		}
		is, err := f.attributes(m.Name, name)
		if err != nil {
			return err
		}
		if string(is[name]) == string(want[name]) {
			continue
		}
		if err := m.change(f, system.Change{Op: system.Extend, Name: m.Name, To: name, Content: want[name], Device: m.at.Device, Inode: m.at.Inode}); err != nil {
			return err
		}
	}
	return nil
}

// owned brings back owner and mode, as far as a node says them.
func (m *Move) owned(f *Files, n Node) error {
	info, err := f.Look(m.Name)
	if err != nil {
		return err
	}
	if alike(partial(info), Node{Kind: info.Kind, Mode: n.Mode, UID: n.UID, GID: n.GID, Partial: true}) {
		return nil
	}
	return m.change(f, system.Change{Op: system.Attributes, Name: m.Name, Mode: n.Mode, UID: n.UID, GID: n.GID, Device: m.at.Device, Inode: m.at.Inode})
}
