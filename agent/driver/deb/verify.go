// SPDX-License-Identifier: Apache-2.0

package deb

import (
	"bufio"
	"crypto/md5" //nolint:gosec // dpkg's own sums of what it installed: they find accidents, and no attack
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
)

// verify compares a package's files with the sums that it came with, and lists
// those that differ. What an entry decides about is not the package's fault, nor
// what dpkg was told to leave out or to put elsewhere.
//
// A package that was right is not looked at again for some time. Then a file that
// nothing has happened to since dpkg wrote its list is not read, and none of a
// package whose files all look as they did when it was right.
func (b *batch) verify(p *installed, paths *driver.Paths) ([]string, error) {
	base := infoDir + "/" + p.file()
	files := b.c.Machine.Files
	if err := b.listed(); err != nil {
		return nil, err
	}
	list := b.lists[p.file()+".list"]
	was, known := b.good[base]
	now := b.c.Machine.Now()
	stamp := stampOf(list)
	if age := now.Sub(was.At); known && was.List == stamp && age >= 0 && age < b.c.VerifyEvery {
		return nil, nil
	}
	if err := b.exceptions(); err != nil {
		return nil, err
	}
	all, sum, err := b.shipped(p, base, paths)
	if err != nil {
		return nil, err
	}
	var bad []string
	for _, f := range all {
		if err := b.ctx.Err(); err != nil {
			return nil, err
		}
		if known && was.Sum == sum {
			break
		}
		wrong, err := f.differs(files, list)
		if err != nil {
			return nil, err
		}
		if wrong && !paths.Excuses(files, f.name) {
			bad = append(bad, f.name)
		}
	}
	b.news = true
	if len(bad) == 0 {
		b.good[base] = right{List: stamp, Sum: sum, At: now}
	} else {
		delete(b.good, base)
	}
	return bad, nil
}

// file is what dpkg calls the files that tell of the package.
func (p *installed) file() string {
	if p.same {
		return p.name + ":" + p.arch
	}
	return p.name
}

// listed looks, once, at dpkg's lists of all packages that are asked for: at a hundred
// in one directory sooner than at one a hundred times.
func (b *batch) listed() error {
	if b.lists != nil {
		return nil
	}
	var names []string
	for _, w := range b.wants {
		if p := b.db.find(w.name, w.arch); p != nil {
			names = append(names, p.file()+".list")
		}
	}
	found, err := b.c.Machine.Files.List(infoDir, names...)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	b.lists = make(map[string]system.Info, len(found))
	for _, info := range found {
		b.lists[info.Name] = info
	}
	return nil
}

// right is how a package looked when all its files were right.
type right struct {
	List stamp     `json:"list"`
	Sum  uint64    `json:"sum"`
	At   time.Time `json:"at"`
}

// stamp is what a file looks like without being read. No program can set the time
// of its last change back.
type stamp struct {
	Inode    uint64 `json:"inode"`
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"`
	Changed  int64  `json:"changed"`
}

func stampOf(i system.Info) stamp {
	return stamp{Inode: i.Inode, Size: i.Size, Modified: i.Modified.UnixNano(), Changed: i.Changed.UnixNano()}
}

// shipped lists the files of a package that count, and sums up what they look
// like.
func (b *batch) shipped(p *installed, base string, paths *driver.Paths) ([]shipped, uint64, error) {
	r, err := b.c.Machine.Files.Open(base + ".md5sums")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil // not every package has them
	}
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	var all []shipped
	seen := fnv.New64a()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok {
			continue
		}
		name = "/" + strings.TrimPrefix(name, "./")
		if to, by, ok := b.diverted(name); ok && by != p.name {
			name = to
		}
		if paths.Decides(name) || b.left(name) {
			continue
		}
		f := shipped{name: name, sum: sum}
		f.info, err = b.c.Machine.Files.Look(name)
		f.gone = errors.Is(err, fs.ErrNotExist)
		switch {
		case errors.Is(err, system.ErrUntrusted), errors.Is(err, system.ErrName):
			continue // nobody may look there
		case err != nil && !f.gone:
			return nil, 0, err
		}
		fmt.Fprintln(seen, sum, name, f.gone, f.info.Inode, f.info.Size, f.info.Modified.UnixNano(), f.info.Changed.UnixNano())
		all = append(all, f)
	}
	if err := lines.Err(); err != nil {
		return nil, 0, fmt.Errorf("read %s.md5sums: %w", base, err)
	}
	return all, seen.Sum64(), nil
}

// shipped is a file that came with a package.
type shipped struct {
	name, sum string
	info      system.Info
	gone      bool
}

func (f *shipped) differs(files system.Files, list system.Info) (bool, error) {
	if f.gone || f.info.Kind != system.File {
		return true, nil
	}
	if !f.info.Changed.IsZero() && f.info.Changed.Before(list.Modified) {
		return false, nil
	}
	r, err := files.Open(f.name)
	if err != nil {
		return false, err
	}
	defer r.Close()
	h := md5.New() //nolint:gosec // as above
	if _, err := io.Copy(h, r); err != nil {
		return false, fmt.Errorf("read %q: %w", f.name, err)
	}
	return hex.EncodeToString(h.Sum(nil)) != strings.ToLower(f.sum), nil
}

// exceptions are what dpkg was told about files, besides the packages.
type exceptions struct {
	// moved are names and, behind each, where they went and who asked for it.
	moved map[string][2]string
	rules []rule
}

// rule is a path-exclude or path-include of dpkg.cfg(5); the last one that
// matches counts.
type rule struct {
	match   *regexp.Regexp
	exclude bool
}

func (b *batch) exceptions() error {
	if b.except != nil {
		return nil
	}
	e := &exceptions{moved: map[string][2]string{}}
	lines, err := readLines(b.c.Machine.Files, divertedFile)
	if err != nil {
		return err
	}
	for i := 0; i+2 < len(lines); i += 3 {
		e.moved[lines[i]] = [2]string{lines[i+1], lines[i+2]}
	}
	names := []string{"/etc/dpkg/dpkg.cfg"}
	list, err := b.c.Machine.Files.List("/etc/dpkg/dpkg.cfg.d")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, info := range list {
		names = append(names, "/etc/dpkg/dpkg.cfg.d/"+info.Name)
	}
	for _, name := range names {
		lines, err := readLines(b.c.Machine.Files, name)
		if err != nil {
			return err
		}
		for _, line := range lines {
			if r, ok := parseRule(line); ok {
				e.rules = append(e.rules, r)
			}
		}
	}
	b.except = e
	return nil
}

func (b *batch) diverted(name string) (to, by string, ok bool) {
	m, ok := b.except.moved[name]
	return m[0], m[1], ok
}

// left tells whether dpkg was told not to install a file.
func (b *batch) left(name string) bool {
	out := false
	for _, r := range b.except.rules {
		if r.match.MatchString(name) {
			out = r.exclude
		}
	}
	return out
}

// parseRule reads one line. In these patterns * matches slashes as well.
func parseRule(line string) (rule, bool) {
	option, value, ok := strings.Cut(strings.TrimSpace(line), "=")
	option, value = strings.TrimSpace(option), strings.TrimSpace(value)
	if !ok || option != "path-exclude" && option != "path-include" {
		return rule{}, false
	}
	text := regexp.QuoteMeta(value)
	text = strings.NewReplacer(`\*`, ".*", `\?`, ".", `\[!`, "[^", `\[`, "[", `\]`, "]").Replace(text)
	match, err := regexp.Compile("^" + text + "$")
	if err != nil {
		return rule{}, false
	}
	return rule{match: match, exclude: option == "path-exclude"}, true
}

func readLines(files system.Files, name string) ([]string, error) {
	r, err := files.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		out = append(out, lines.Text())
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return out, nil
}
