// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/bindery/bindery/agent/system"
)

// account is a line of passwd(5), or of group(5).
type account struct {
	name, id           string
	group              string // the number of a user's first group
	gecos, home, shell string
	members            []string
	isGroup            bool
}

// parse reads a line. Those of groups have four fields.
func parse(line string) (account, bool) {
	fields := strings.Split(line, ":")
	switch {
	case len(fields) == 7 && fields[0] != "":
		return account{name: fields[0], id: fields[2], group: fields[3], gecos: fields[4], home: fields[5], shell: fields[6]}, true
	case len(fields) == 4 && fields[0] != "":
		members := strings.FieldsFunc(fields[3], func(r rune) bool { return r == ',' })
		return account{name: fields[0], id: fields[2], members: members, isGroup: true}, true
	}
	return account{}, false
}

// book is what stands in the host's own files.
type book struct{ users, groups []account }

func load(files system.Files) (*book, error) {
	b := &book{}
	for _, f := range []struct {
		name string
		into *[]account
	}{{"/etc/passwd", &b.users}, {"/etc/group", &b.groups}} {
		r, err := files.Open(f.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			if a, ok := parse(lines.Text()); ok {
				*f.into = append(*f.into, a)
			}
		}
		err = lines.Err()
		_ = r.Close()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f.name, err)
		}
	}
	return b, nil
}

func find(list []account, is func(account) bool) (account, bool) {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i], true
	}
	return account{}, false
}

func (b *book) user(name string) (account, bool) {
	return find(b.users, func(a account) bool { return a.name == name })
}

func (b *book) group(name string) (account, bool) {
	return find(b.groups, func(a account) bool { return a.name == name })
}

// named gives the group of a number.
func (b *book) named(id string) (account, bool) {
	return find(b.groups, func(a account) bool { return a.id == id })
}

// member lists the groups that a user is in besides the first one, sorted.
func (b *book) member(name string) []string {
	var out []string
	for _, g := range b.groups {
		if slices.Contains(g.members, name) {
			out = append(out, g.name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
