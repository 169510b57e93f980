// SPDX-License-Identifier: Apache-2.0

package machinetest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Listing says of each path of a root folder how it stands.
type Listing map[string]string

// Aspects say what of it is listed besides type, mode, owner, size, links, content and
// extended attributes, which access lists are among.
type Aspects struct {
	// Times are those of modification and of change, to the nanosecond, and the inode.
	Times bool
	// Without are paths that are left out, with all below.
	Without []string
}

// List looks at every path of a root folder.
func List(t testing.TB, root string, a Aspects) Listing {
	t.Helper()
	out := Listing{}
	require.NoError(t, filepath.WalkDir(root, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		short := strings.TrimPrefix(name, root)
		if slices.Contains(a.Without, short) {
			var st unix.Stat_t
			if err := unix.Lstat(name, &st); err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR {
				return fs.SkipDir
			}
			return nil
		}
		if short == "" {
			short = "/"
		}
		out[short], err = describe(name, a.Times)
		return err
	}))
	return out
}

func describe(name string, times bool) (string, error) {
	var st unix.Stat_t
	if err := unix.Lstat(name, &st); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%o %d:%d", st.Mode, st.Uid, st.Gid)
	kind := st.Mode & unix.S_IFMT
	switch kind {
	case unix.S_IFREG:
		sum, err := digest(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, " size=%d links=%d sha256=%s", st.Size, st.Nlink, sum)
	case unix.S_IFLNK:
		to, err := os.Readlink(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, " to=%q", to)
	case unix.S_IFBLK, unix.S_IFCHR:
		fmt.Fprintf(&out, " device=%d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
	}
	attrs, err := extended(name)
	if err != nil {
		return "", err
	}
	out.WriteString(attrs)
	if times {
		fmt.Fprintf(&out, " inode=%d mtime=%d.%09d ctime=%d.%09d", st.Ino, st.Mtim.Sec, st.Mtim.Nsec, st.Ctim.Sec, st.Ctim.Nsec)
	}
	return out.String(), nil
}

func digest(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// extended lists extended attributes; POSIX access lists are some of them.
func extended(name string) (string, error) {
	names := make([]byte, 4096)
	n, err := unix.Llistxattr(name, names)
	if err != nil || n == 0 {
		return "", err
	}
	var out []string
	for key := range strings.SplitSeq(strings.TrimSuffix(string(names[:n]), "\x00"), "\x00") {
		value := make([]byte, 4096)
		n, err := unix.Lgetxattr(name, key, value)
		if err != nil {
			return "", fmt.Errorf("%s: %s: %w", name, key, err)
		}
		out = append(out, fmt.Sprintf(" %s=%x", key, value[:n]))
	}
	slices.Sort(out)
	return strings.Join(out, ""), nil
}

// Differences say what is not the same, one line each, in order.
func (l Listing) Differences(other Listing) []string {
	names := map[string]bool{}
	for name := range l {
		names[name] = true
	}
	for name := range other {
		names[name] = true
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := l[name], other[name]
		switch {
		case a == b:
		case a == "":
			out = append(out, "+ "+name+" "+b)
		case b == "":
			out = append(out, "- "+name+" "+a)
		default:
			out = append(out, "~ "+name+" "+a+" | "+b)
		}
	}
	return out
}
