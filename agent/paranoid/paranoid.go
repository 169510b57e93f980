// SPDX-License-Identifier: Apache-2.0

// Package paranoid keeps copies of files before they are replaced, where people find
// them without the agent, as Bcfg2's client does for entries with paranoid="true". It
// must not know why a file is replaced.
package paranoid

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/system"
)

// Config says where copies are kept.
type Config struct {
	Files system.Files
	Now   func() time.Time
	// Dir is the directory. "": /var/cache/bindery.
	Dir string
	// Copies is how many of one file are kept; of more the oldest go. Zero: 1.
	Copies int
}

// Copies keeps copies.
type Copies struct{ c Config }

const (
	defaultDir = "/var/cache/bindery"
	maxCopies  = 1000
	// maxSize bounds a file that is held in memory while it is copied.
	maxSize = 256 << 20
	// stamp is behind the name of each copy.
	stamp = "2006-01-02T15:04:05.000000"
)

// New makes it.
func New(c Config) (*Copies, error) {
	if c.Dir == "" {
		c.Dir = defaultDir
	}
	if c.Copies == 0 {
		c.Copies = 1
	}
	dir, err := system.Clean(c.Dir)
	switch {
	case c.Files == nil || c.Now == nil:
		return nil, errors.New("paranoid: no files, or no clock")
	case err != nil || dir == "/":
		return nil, fmt.Errorf("paranoid: %q is no directory for copies", c.Dir)
	case c.Copies < 0 || c.Copies > maxCopies:
		return nil, fmt.Errorf("paranoid: %d copies are not from 1 to %d", c.Copies, maxCopies)
	}
	c.Dir = dir
	return &Copies{c: c}, nil
}

// Keep copies a file, for the administrator alone. What is no file has no copy.
func (p *Copies) Keep(name string) error {
	name, err := system.Clean(name)
	if err != nil {
		return err
	}
	info, err := p.c.Files.Look(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Kind != system.File {
		return nil
	}
	if err != nil {
		return fmt.Errorf("keep a copy: %w", err)
	}
	data, err := p.read(name, info.Size)
	if err != nil {
		return fmt.Errorf("keep a copy: %w", err)
	}
	if err := p.directories(); err != nil {
		return fmt.Errorf("keep a copy: %w", err)
	}
	base := strings.ReplaceAll(name, "/", "_") + "_"
	err = p.c.Files.Change(system.Change{
		Op: system.Write, Name: path.Join(p.c.Dir, base+p.c.Now().UTC().Format(stamp)), Mode: 0o600, UID: system.Keep, GID: system.Keep, Content: data,
	})
	if err != nil {
		return fmt.Errorf("keep a copy: %w", err)
	}
	return p.trim(base)
}

func (p *Copies) read(name string, size int64) ([]byte, error) {
	if size > maxSize {
		return nil, fmt.Errorf("%s has %d bytes, and at most %d are copied", name, size, int64(maxSize))
	}
	f, err := p.c.Files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = fmt.Errorf("%s grew beyond %d bytes", name, int64(maxSize))
	}
	return data, err
}

func (p *Copies) directories() error {
	for i := 1; i <= len(p.c.Dir); i++ {
		if i < len(p.c.Dir) && p.c.Dir[i] != '/' {
			continue
		}
		dir := p.c.Dir[:i]
		if _, err := p.c.Files.Look(dir); err == nil {
			continue
		}
		mode := 0o755
		if dir == p.c.Dir {
			mode = 0o700
		}
		err := p.c.Files.Change(system.Change{Op: system.Mkdir, Name: dir, Mode: mode, UID: system.Keep, GID: system.Keep})
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// trim takes the oldest copies of a file away.
func (p *Copies) trim(base string) error {
	list, err := p.c.Files.List(p.c.Dir)
	if err != nil {
		return fmt.Errorf("trim copies: %w", err)
	}
	var names []string
	for _, info := range list {
		rest, ok := strings.CutPrefix(info.Name, base)
		if _, err := time.Parse(stamp, rest); ok && err == nil {
			names = append(names, info.Name)
		}
	}
	slices.Sort(names) // which is by time
	for len(names) > p.c.Copies {
		if err := p.c.Files.Change(system.Change{Op: system.Remove, Name: path.Join(p.c.Dir, names[0])}); err != nil {
			return fmt.Errorf("trim copies: %w", err)
		}
		names = names[1:]
	}
	return nil
}
