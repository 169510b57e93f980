// SPDX-License-Identifier: Apache-2.0

package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Dir reads a folder as if all of it were committed: without .git, without empty
// directories, and with the two modes that git knows. fileLimit 0 is 32 MiB.
func Dir(ctx context.Context, path string, fileLimit int64) (*Snapshot, error) {
	if fileLimit == 0 {
		fileLimit = defaultFileLimit
	}
	// A Root never leaves its directory, whatever is swapped under us.
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("read folder: %w", err)
	}
	d := &dirReader{assembly: newAssembly(fileLimit), disk: root}
	hash, err := d.readDir(ctx, d.root, ".", 0)
	if err = errors.Join(err, root.Close()); err != nil {
		return nil, fmt.Errorf("read folder %s: %w", path, err)
	}
	s, err := d.finish("", hash.String())
	if err != nil {
		return nil, fmt.Errorf("read folder %s: %w", path, err)
	}
	return s, nil
}

type dirReader struct {
	*assembly
	disk *os.Root
}

// readDir reads a directory into dir and gives git's id of it.
func (d *dirReader) readDir(ctx context.Context, dir *node, path string, depth int) (plumbing.Hash, error) {
	if err := ctx.Err(); err != nil {
		return plumbing.ZeroHash, err
	}
	if depth > maxDepth {
		return plumbing.ZeroHash, fmt.Errorf("%s: %w", path, errTooDeep)
	}
	listed, err := d.list(path)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	var tree object.Tree
	for _, e := range listed {
		if strings.EqualFold(e.Name(), ".git") {
			continue
		}
		entry, err := d.readEntry(ctx, dir, path+"/"+e.Name(), e, depth)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if entry != nil {
			tree.Entries = append(tree.Entries, *entry)
		}
	}
	slices.SortFunc(tree.Entries, func(a, b object.TreeEntry) int { return strings.Compare(sortName(a), sortName(b)) })
	var encoded plumbing.MemoryObject
	if err := tree.Encode(&encoded); err != nil {
		return plumbing.ZeroHash, fmt.Errorf("%s: %w", path, err)
	}
	dir.hash = encoded.Hash().String()
	return encoded.Hash(), nil
}

// sortName is the name that git sorts an entry by.
func sortName(e object.TreeEntry) string {
	if e.Mode == filemode.Dir {
		return e.Name + "/"
	}
	return e.Name
}

func (d *dirReader) list(path string) ([]fs.DirEntry, error) {
	f, err := d.disk.Open(path)
	if err != nil {
		return nil, err
	}
	listed, err := f.ReadDir(-1)
	slices.SortFunc(listed, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return listed, errors.Join(err, f.Close())
}

// readEntry reads one entry of a directory; nil where git would keep nothing.
func (d *dirReader) readEntry(ctx context.Context, dir *node, path string, e fs.DirEntry, depth int) (*object.TreeEntry, error) {
	child := &node{name: e.Name(), parent: dir, mode: 0o644}
	if err := safeName(e.Name()); err != nil {
		d.refuse(child, "unsafe-name", err, "rename it")
		return nil, nil
	}
	entry := &object.TreeEntry{Name: e.Name(), Mode: filemode.Regular}
	var err error
	switch {
	case e.IsDir():
		return d.readSub(ctx, child, path, depth)
	case e.Type() == fs.ModeSymlink:
		if child.link, err = d.disk.Readlink(path); err != nil {
			return nil, err
		}
		entry.Mode = filemode.Symlink
		entry.Hash = plumbing.ComputeHash(plumbing.BlobObject, []byte(child.link))
		child.size = int64(len(child.link))
		d.links = append(d.links, child)
	case e.Type().IsRegular():
		if entry.Hash, err = d.readFile(child, path); err != nil {
			return nil, err
		}
		if child.mode == 0o755 {
			entry.Mode = filemode.Executable
		}
	default:
		d.refuse(child, "special-file", fmt.Errorf("neither a file, a directory nor a symlink (%s)", e.Type()), "remove it")
		return nil, nil
	}
	child.hash = entry.Hash.String()
	return entry, d.add(dir, child)
}

// readSub reads a directory below, which may be another repository.
func (d *dirReader) readSub(ctx context.Context, child *node, path string, depth int) (*object.TreeEntry, error) {
	if _, err := d.disk.Lstat(path + "/.git"); err == nil {
		d.submodule(child)
		return nil, d.add(child.parent, child)
	}
	child.mode = fs.ModeDir | 0o755
	hash, err := d.readDir(ctx, child, path, depth+1)
	if err != nil {
		return nil, err
	}
	if len(child.children) == 0 {
		return nil, nil
	}
	return &object.TreeEntry{Name: child.name, Mode: filemode.Dir, Hash: hash}, d.add(child.parent, child)
}

// readFile reads a file, or only hashes it where it is too large to hold.
func (d *dirReader) readFile(child *node, path string) (hash plumbing.Hash, err error) {
	f, err := d.disk.Open(path)
	if err != nil {
		return hash, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	stat, err := f.Stat()
	if err != nil {
		return hash, err
	}
	// git keeps the owner's x bit and nothing else of a mode.
	if stat.Mode()&0o100 != 0 {
		child.mode = 0o755
	}
	if stat.Size() > d.limit {
		hasher := plumbing.NewHasher(plumbing.BlobObject, stat.Size())
		if _, err := io.Copy(hasher, io.LimitReader(f, stat.Size())); err != nil {
			return hash, err
		}
		d.tooLarge(child, stat.Size())
		return hasher.Sum(), nil
	}
	var data bytes.Buffer
	data.Grow(int(stat.Size()) + 1)
	if _, err := io.Copy(&data, io.LimitReader(f, d.limit+1)); err != nil {
		return hash, err
	}
	hash = plumbing.ComputeHash(plumbing.BlobObject, data.Bytes())
	if int64(data.Len()) > d.limit {
		d.tooLarge(child, int64(data.Len()))
		return hash, nil
	}
	return hash, d.fill(child, data.Bytes())
}
