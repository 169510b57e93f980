// SPDX-License-Identifier: Apache-2.0

package hostkeys

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
)

// Write puts files into a folder, each whole or not at all, in their order. What is
// there already is only replaced where a file says so; nothing is written through a
// symbolic link that leads out.
func Write(dir string, files []File) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range files {
		if err := write(root, f); err != nil {
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
	}
	return nil
}

func write(root *os.Root, f File) error {
	if f.Data == nil {
		if err := root.Remove(f.Name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	dir := path.Dir(f.Name)
	if err := root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if f.Private {
		mode = 0o600
	}
	temp := dir + "/.bindery-" + rand.Text() + "~"
	if err := fill(root, temp, f.Data, mode); err != nil {
		return errors.Join(err, root.Remove(temp))
	}
	if f.Replace {
		return errors.Join(root.Rename(temp, f.Name), sync(root, dir))
	}
	// A link, unlike a rename, never replaces what somebody else just wrote.
	return errors.Join(root.Link(temp, f.Name), root.Remove(temp), sync(root, dir))
}

func fill(root *os.Root, name string, data []byte, mode fs.FileMode) error {
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	return errors.Join(err, out.Chmod(mode), out.Sync(), out.Close())
}

func sync(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
