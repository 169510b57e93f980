// SPDX-License-Identifier: Apache-2.0

// Package system is the machine that an agent works on: its files, processes and
// clock, behind interfaces small enough to have a real and an in-memory form.
//
// Everything that alters a file is one Change, so that a dry run, a fault and a
// crash have one place to be put in. The package must not know what a
// configuration is, nor why a file shall change.
package system

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Machine is one host as the drivers see it.
type Machine struct {
	Files Files
	// Extended reads extended attributes.
	Extended  Extended
	Processes Processes
	// Now is the host's own clock, which may be wrong.
	Now func() time.Time
	// Root is the directory that stands for the host's "/".
	Root string
	// Privileged tells whether owners can be set. Otherwise new files belong to
	// UID and GID.
	Privileged bool
	UID, GID   int
}

// Contained tells whether the machine is a directory of another machine, where
// no command may be run.
func (m *Machine) Contained() bool { return m.Root != "/" }

// Unreached tells why nothing is known of what is managed by tools that need some
// files, "" where they can be asked.
func (m *Machine) Unreached(ctx context.Context, what string, needs []string) (why string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if m.Contained() {
		return what + " are not managed under another root", nil
	}
	for _, name := range needs {
		_, err := m.Files.Look(name)
		if errors.Is(err, fs.ErrNotExist) {
			return "this host has no " + name, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

// Files is the host's file system. Names are absolute and mean the host's own
// tree, wherever its root is. Nothing follows a symbolic link in the last part
// of a name; a missing thing is fs.ErrNotExist.
type Files interface {
	// Look describes what stands at a name.
	Look(name string) (Info, error)
	// Open reads a regular file.
	Open(name string) (io.ReadCloser, error)
	// List describes what a directory holds, sorted by name; where some names are
	// given, only those of them that are there.
	List(name string, only ...string) ([]Info, error)
	// Change does one thing and makes it durable before it returns.
	Change(Change) error
}

// Processes runs programs.
type Processes interface {
	// Run runs a program to its end. The error is that it could not be run,
	// ran too long or was interrupted; how it ended is in the Result.
	Run(ctx context.Context, c Command) (Result, error)
}

// Kind is what stands at a name.
type Kind string

// The kinds of things in a file system.
const (
	File      Kind = "file"
	Directory Kind = "directory"
	Symlink   Kind = "symlink"
	Block     Kind = "block device"
	Character Kind = "character device"
	Pipe      Kind = "named pipe"
	Other     Kind = "special file"
)

// Info describes one thing in a file system.
type Info struct {
	// Name is the last part of the name it was found by.
	Name string
	Kind Kind
	// Mode is the low twelve bits: permissions, setuid, setgid and sticky.
	Mode     uint32
	UID, GID int
	Size     int64
	// Target is where a symbolic link points.
	Target string
	// Major and Minor are the numbers of a device.
	Major, Minor uint32
	// Device and Inode name the thing whatever its names are.
	Device, Inode uint64
	// Modified is when the content last changed; Changed is when anything did,
	// which no program can set back.
	Modified, Changed time.Time
	// Protected marks what no Change may touch: the agent's own files. Shelters
	// marks what cannot be taken away: a directory above them, and what a host does
	// not live without.
	Protected, Shelters bool
}

// Op is what a Change does.
type Op string

// The operations.
const (
	// Write puts a regular file in the place of anything but a directory. A
	// crash leaves the old file or the new one, complete with owner and mode.
	// What stood there as a file of root's, or of the new owner's, leaves its access
	// list and its label to it.
	Write Op = "write"
	// Mkdir makes a directory in the place of anything but a directory.
	Mkdir Op = "mkdir"
	// Link makes a symbolic link to To in the place of anything.
	Link Op = "symlink"
	// Hardlink gives the file To another name, in the place of anything.
	Hardlink Op = "hardlink"
	// Special makes a device or a named pipe in the place of anything.
	Special Op = "make special file"
	// Extend sets the extended attribute To to Content, or takes it away where
	// that is nil.
	Extend Op = "extended attribute"
	// Date says when the content last changed: Modified.
	Date Op = "modification time"
	// Attributes sets owner, group and mode.
	Attributes Op = "attributes"
	// Remove takes away one thing; a directory must be empty.
	Remove Op = "remove"
	// RemoveAll takes away a tree, without leaving its file system.
	RemoveAll Op = "remove tree"
	// Discard takes away what a killed process left half-made under a name of
	// Leftovers, and no tree of others that was put there.
	Discard Op = "remove half-made"
)

// Keep as a UID, GID or Mode leaves it as it is, or as the system makes it.
const Keep = -1

// Change is one thing to do to a file system.
type Change struct {
	Op   Op
	Name string
	// Mode, UID and GID count for Write, Mkdir, Special and Attributes.
	Mode, UID, GID int
	Content        []byte
	// Sole has Attributes refuse a file with several names: in a directory that was
	// somebody's own, one of them may be of anybody's file. It has Hardlink refuse a
	// file in such a directory.
	Sole bool
	// To is the target of a Link, the existing name for a Hardlink, or the name of
	// an extended attribute.
	To string
	// Kind, Major and Minor say what a Special is. With a Kind, Attributes are set of
	// nothing else.
	Kind         Kind
	Major, Minor uint32
	// Modified is the time of a Date.
	Modified time.Time
	// Device and Inode name the thing itself that Attributes, Extend, Date and RemoveAll
	// are meant for, or the directory that a Link, Hardlink or Special may take away,
	// 0 and 0 whatever stands there: it was looked at before, and who may write to
	// the directory can have put another thing in its place.
	Device, Inode uint64
}

// Command is one program to run.
type Command struct {
	// Args are the program, found in PATH of Env, and its arguments.
	Args []string
	// Env is the whole environment.
	Env []string
	Dir string
	// Timeout ends the program and what it started. It must be positive.
	Timeout time.Duration
	// MaxOutput is how many bytes of standard output are taken; more is an
	// error. Zero throws the output away.
	MaxOutput int
	// MaxTail is how many of the last bytes of standard output and standard
	// error together are kept, for people to read.
	MaxTail int
	// Limits confine it further, nil not at all. A confined program has no tail.
	Limits *Limits
	// Script is an open file that a confined program gets as descriptor 3.
	Script *os.File
	// Asks tells that the program is only asked and changes nothing: it ends with the
	// context, while one that is at work ends by its time limits alone.
	Asks bool
}

// Result is how a program ended.
type Result struct {
	Exit   int
	Stdout []byte
	// Tail is the end of what the program wrote.
	Tail []byte
}

// Errors that callers branch on.
var (
	// ErrName is a name that is not a plain absolute path.
	ErrName = errors.New("not a plain absolute path")
	// ErrUntrusted is a symbolic link that somebody else could have placed.
	ErrUntrusted = errors.New("symbolic link is not followed: it or its directory is not the administrator's alone")
	// ErrProtected is an attempt to touch the agent's own files.
	ErrProtected = errors.New("the agent's own files cannot be managed")
	// ErrVital is an attempt to take away what a host does not live without.
	ErrVital = errors.New("a host does not live without it: it cannot be taken away, emptied or become something else")
	// ErrGuarded is a file of the administrator's alone that others can rename, and that
	// a change would let them read: it may be another one than the change is meant for.
	ErrGuarded = errors.New("only the administrator may read it, others can rename it, and it may be another file: its rights are not given to others")
	// ErrTimeout is a program that ran too long.
	ErrTimeout = errors.New("ran too long")
	// ErrOutput is a program that wrote too much.
	ErrOutput = errors.New("wrote too much")
)

// Config says which machine to open.
type Config struct {
	// Root is the directory to take as "/"; empty means "/".
	Root string
	// Protected are names in the host's own tree that no Change may touch.
	Protected []string
	// Vital are names in the host's own tree that no Change may take away.
	Vital []string
	// Filled are files among the Vital that no Change may empty.
	Filled []string
}

// New opens the machine that the program runs on, or a directory as one.
func New(c Config) (*Machine, error) {
	if c.Root == "" {
		c.Root = "/"
	}
	tree, err := NewTree(TreeConfig{Root: c.Root, Protected: c.Protected, Vital: c.Vital, Filled: c.Filled})
	if err != nil {
		return nil, err
	}
	return &Machine{
		Files:      tree,
		Extended:   tree,
		Processes:  Host{},
		Now:        time.Now,
		Root:       tree.Root(),
		Privileged: os.Geteuid() == 0,
		UID:        os.Geteuid(),
		GID:        os.Getegid(),
	}, nil
}

// Split checks a name and takes it apart. "/" has no parts.
func Split(name string) ([]string, error) {
	if !strings.HasPrefix(name, "/") || strings.ContainsRune(name, 0) {
		return nil, fmt.Errorf("%q: %w", name, ErrName)
	}
	parts := make([]string, 0, strings.Count(name, "/"))
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "":
		case part == "." || part == ".." || len(part) > 255:
			return nil, fmt.Errorf("%q: %w", name, ErrName)
		default:
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// Clean checks a name and gives its one spelling.
func Clean(name string) (string, error) {
	parts, err := Split(name)
	if err != nil {
		return "", err
	}
	long := len(parts)
	for _, part := range parts {
		long += len(part)
	}
	if long == len(name) {
		return name, nil // nothing was left out
	}
	return "/" + strings.Join(parts, "/"), nil
}
