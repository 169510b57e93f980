// SPDX-License-Identifier: Apache-2.0

package deb

import (
	"bufio"
	"crypto/md5" //nolint:gosec // dpkg's own sums of what it installed: they find accidents, and no attack
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
)

// verify compares a package's files with the sums that it came with, and lists
// those that differ. What an entry decides about is not the package's fault, nor
// what dpkg was told to leave out or to put elsewhere.
//
// A file that nothing has happened to since dpkg wrote its list is not read.
func (b *batch) verify(p *installed, paths *driver.Paths) ([]string, error) {
	base := infoDir + "/" + p.name
	if p.same {
		base += ":" + p.arch
	}
	files := b.c.Machine.Files
	r, err := files.Open(base + ".md5sums")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // not every package has them
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	list, err := files.Look(base + ".list")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := b.exceptions(); err != nil {
		return nil, err
	}
	var bad []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if err := b.ctx.Err(); err != nil {
			return nil, err
		}
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
		wrong, err := differs(files, name, sum, list)
		if err != nil {
			return nil, err
		}
		if wrong {
			bad = append(bad, name)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s.md5sums: %w", base, err)
	}
	return bad, nil
}

func differs(files system.Files, name, sum string, list system.Info) (bool, error) {
	info, err := files.Look(name)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if errors.Is(err, system.ErrUntrusted) || errors.Is(err, system.ErrName) {
		return false, nil // nobody may look there
	}
	if err != nil {
		return false, err
	}
	if info.Kind != system.File {
		return true, nil
	}
	if !info.Changed.IsZero() && info.Changed.Before(list.Modified) {
		return false, nil
	}
	r, err := files.Open(name)
	if err != nil {
		return false, err
	}
	defer r.Close()
	h := md5.New() //nolint:gosec // as above
	if _, err := io.Copy(h, r); err != nil {
		return false, fmt.Errorf("read %q: %w", name, err)
	}
	return hex.EncodeToString(h.Sum(nil)) != strings.ToLower(sum), nil
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
