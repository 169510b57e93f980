// SPDX-License-Identifier: Apache-2.0

// Package systemtest is a machine in memory, a way to make any machine fail, and
// the suite that every file system must pass.
//
// It must not know what the files are for.
package systemtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/bindery/bindery/agent/system"
)

// Machine makes a machine in memory that holds an empty root directory. It is
// privileged, its clock is the real one, and its programs do nothing and succeed.
func Machine() (*system.Machine, *Files, *Processes) {
	f, p := NewFiles(), &Processes{}
	return &system.Machine{Files: f, Extended: f, Processes: p, Now: time.Now, Root: "/", Privileged: true}, f, p
}

// Files is a file system in memory. It is safe for concurrent use.
type Files struct {
	mu    sync.Mutex
	nodes map[string]*node
	inode uint64
	done  []system.Change
}

type node struct {
	system.Info
	content  []byte
	extended map[string][]byte
}

// NewFiles makes a file system that holds only "/".
func NewFiles() *Files {
	f := &Files{nodes: map[string]*node{}}
	f.nodes["/"] = f.node(system.Directory, 0o755, 0, 0)
	return f
}

// Done lists the changes so far.
func (f *Files) Done() []system.Change {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.done)
}

func (f *Files) node(kind system.Kind, mode, uid, gid int) *node {
	f.inode++
	return &node{Info: system.Info{Kind: kind, Mode: uint32(max(mode, 0)), UID: max(uid, 0), GID: max(gid, 0), Device: 1, Inode: f.inode, Modified: time.Now()}}
}

// resolve follows the links in all parts but the last.
func (f *Files) resolve(name string) (string, error) {
	parts, err := system.Split(name)
	if err != nil {
		return "", err
	}
	at, links := "/", 0
	for len(parts) > 1 {
		next := path.Join(at, parts[0])
		parts = parts[1:]
		n := f.nodes[next]
		switch {
		case n == nil:
			return "", fs.ErrNotExist
		case n.Kind == system.Directory:
			at = next
		case n.Kind == system.Symlink:
			if links++; links > 40 {
				return "", syscall.ELOOP
			}
			target := n.Target
			if !path.IsAbs(target) {
				target = path.Join(at, target)
			}
			at = "/"
			parts = append(strings.Split(strings.TrimPrefix(path.Clean(target), "/"), "/"), parts...)
		default:
			return "", syscall.ENOTDIR
		}
	}
	return path.Join(append([]string{at}, parts...)...), nil
}

func (f *Files) find(name string) (string, *node, error) {
	real, err := f.resolve(name)
	if err != nil {
		return "", nil, err
	}
	n := f.nodes[real]
	if n == nil {
		return real, nil, fs.ErrNotExist
	}
	return real, n, nil
}

func (n *node) info(real string) system.Info {
	info := n.Info
	info.Name = path.Base(real)
	info.Size = int64(len(n.content))
	return info
}

// Look implements system.Files.
func (f *Files) Look(name string) (system.Info, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	real, n, err := f.find(name)
	if err != nil {
		return system.Info{}, fmt.Errorf("look at %q: %w", name, err)
	}
	return n.info(real), nil
}

// Open implements system.Files.
func (f *Files) Open(name string) (io.ReadCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, n, err := f.find(name)
	if err == nil && n.Kind != system.File {
		err = syscall.EINVAL
	}
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", name, err)
	}
	return io.NopCloser(bytes.NewReader(n.content)), nil
}

// Extended implements system.Extended.
func (f *Files) Extended(name, attribute string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, n, err := f.find(name)
	if err == nil && n.extended[attribute] == nil {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of %q: %w", attribute, name, err)
	}
	return bytes.Clone(n.extended[attribute]), nil
}

// List implements system.Files.
func (f *Files) List(name string, only ...string) ([]system.Info, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	real, n, err := f.find(name)
	if err == nil && n.Kind != system.Directory {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, fmt.Errorf("list %q: %w", name, err)
	}
	var out []system.Info
	for _, child := range f.children(real) {
		if len(only) > 0 && !slices.Contains(only, path.Base(child)) {
			continue
		}
		out = append(out, f.nodes[child].info(child))
	}
	slices.SortFunc(out, func(a, b system.Info) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (f *Files) children(real string) []string {
	var out []string
	for name := range f.nodes {
		if name != "/" && path.Dir(name) == real {
			out = append(out, name)
		}
	}
	return out
}

// Change implements system.Files.
func (f *Files) Change(c system.Change) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.change(c); err != nil {
		return fmt.Errorf("%s %q: %w", c.Op, c.Name, err)
	}
	f.done = append(f.done, c)
	return nil
}

func (f *Files) change(c system.Change) error {
	real, old, err := f.find(c.Name)
	if err != nil && (real == "" || f.nodes[path.Dir(real)] == nil) {
		return err
	}
	switch c.Op {
	case system.Write:
		if old != nil && old.Kind == system.Directory {
			return syscall.EISDIR
		}
		n := f.node(system.File, c.Mode, c.UID, c.GID)
		n.content = bytes.Clone(c.Content)
		n.inherit(old)
		f.nodes[real] = n
	case system.Mkdir:
		if old != nil && old.Kind == system.Directory {
			return fs.ErrExist
		}
		f.nodes[real] = f.node(system.Directory, c.Mode, c.UID, c.GID)
	case system.Link:
		f.drop(real)
		n := f.node(system.Symlink, 0o777, 0, 0)
		n.Target = c.To
		f.nodes[real] = n
	case system.Special:
		f.drop(real)
		n := f.node(c.Kind, c.Mode, c.UID, c.GID)
		n.Major, n.Minor = c.Major, c.Minor
		f.nodes[real] = n
	case system.Hardlink:
		_, to, err := f.find(c.To)
		if err != nil {
			return err
		}
		f.drop(real)
		f.nodes[real] = to
	case system.RemoveAll, system.Discard:
		f.drop(real)
	default:
		return f.alter(c, real, old)
	}
	return nil
}

// alter does what needs something to be there.
func (f *Files) alter(c system.Change, real string, old *node) error {
	if old == nil {
		return fs.ErrNotExist
	}
	if c.Op == system.Extend {
		if old.extended == nil {
			old.extended = map[string][]byte{}
		}
		if old.extended[c.To] = bytes.Clone(c.Content); c.Content == nil {
			delete(old.extended, c.To)
		}
		if c.To == "system.posix_acl_access" {
			old.listed(c.Content)
		}
		return nil
	}
	if c.Op == system.Date {
		old.Modified = c.Modified
		return nil
	}
	if c.Op == system.Remove {
		if old.Kind == system.Directory && len(f.children(real)) > 0 {
			return syscall.ENOTEMPTY
		}
		delete(f.nodes, real)
		return nil
	}
	if c.Mode != system.Keep && old.Kind != system.Symlink {
		old.Mode = uint32(c.Mode)
	}
	if c.UID != system.Keep {
		old.UID = c.UID
	}
	if c.GID != system.Keep {
		old.GID = c.GID
	}
	return nil
}

// inherit is what the successor of a file keeps of it.
func (n *node) inherit(old *node) {
	if old == nil || old.Kind != system.File || old.UID != 0 && old.UID != n.UID {
		return
	}
	for _, name := range []string{"system.posix_acl_access", "security.selinux"} {
		if value := old.extended[name]; value != nil {
			if n.extended == nil {
				n.extended = map[string][]byte{}
			}
			n.extended[name] = value
		}
	}
}

// listed gives a mode what an access list says, as a kernel does: the mask, or else
// the group's entry, is the group's part.
func (n *node) listed(list []byte) {
	part := map[byte]uint32{}
	for at := 4; at+8 <= len(list); at += 8 {
		part[list[at]] = uint32(list[at+2])
	}
	middle, ok := part[0x10]
	if !ok {
		middle = part[0x04]
	}
	n.Mode = n.Mode&^0o777 | part[0x01]<<6 | middle<<3 | part[0x20]
}

func (f *Files) drop(real string) {
	for name := range f.nodes {
		if name == real || strings.HasPrefix(name, real+"/") {
			delete(f.nodes, name)
		}
	}
}

// Processes notes what was run and answers as told. It is safe for concurrent
// use.
type Processes struct {
	// Answer, if set, decides how a command ends.
	Answer func(system.Command) (system.Result, error)
	mu     sync.Mutex
	ran    []system.Command
}

// Run implements system.Processes.
func (p *Processes) Run(ctx context.Context, c system.Command) (system.Result, error) {
	if err := ctx.Err(); err != nil {
		return system.Result{}, err
	}
	p.mu.Lock()
	p.ran = append(p.ran, c)
	p.mu.Unlock()
	if p.Answer == nil {
		return system.Result{}, nil
	}
	return p.Answer(c)
}

// Ran lists the commands so far.
func (p *Processes) Ran() []system.Command {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.ran)
}

// Faulty is a file system whose changes may fail.
type Faulty struct {
	system.Files
	// Fault is asked before each change; its error is the change's.
	Fault func(system.Change) error
}

// Change implements system.Files.
func (f Faulty) Change(c system.Change) error {
	if err := f.Fault(c); err != nil {
		return fmt.Errorf("%s %q: %w", c.Op, c.Name, err)
	}
	return f.Files.Change(c)
}
