// SPDX-License-Identifier: Apache-2.0

package posix

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
)

// The kernel keeps access lists in two extended attributes, in the form of
// include/uapi/linux/posix_acl_xattr.h: a version, then tag, permissions and id
// of each entry, little-endian, sorted by tag and id.
const (
	accessList  = "system.posix_acl_access"
	defaultList = "system.posix_acl_default"
	label       = "security.selinux"

	aclVersion = 2
	userObject = 0x01
	user       = 0x02
	groupOwner = 0x04
	group      = 0x08
	mask       = 0x10
	other      = 0x20
	noID       = 0xffffffff
)

type acl struct {
	tag, perms uint16
	id         uint32
}

func encode(list []acl) []byte {
	slices.SortFunc(list, func(a, b acl) int { return cmp.Or(cmp.Compare(a.tag, b.tag), cmp.Compare(a.id, b.id)) })
	out := binary.LittleEndian.AppendUint32(nil, aclVersion)
	for _, a := range list {
		out = binary.LittleEndian.AppendUint16(out, a.tag)
		out = binary.LittleEndian.AppendUint16(out, a.perms)
		out = binary.LittleEndian.AppendUint32(out, a.id)
	}
	return out
}

// lists are the access lists that an entry asks for; one without children of it
// is nil, and stays as it is.
type lists struct {
	access, inherited []acl
	// more are the permissions of those that are named. They go into the mask,
	// which the mode shows as the group's.
	more uint16
}

// readACL reads the ACL children.
func (f *finding) readACL() (lists, error) {
	var l lists
	for _, child := range f.entry.Children {
		if child.Tag != "ACL" {
			continue
		}
		a, err := f.acl(child)
		if errors.Is(err, errUnknown) && (f.lenient() || f.owners.nameless(users) || f.owners.nameless(groups)) {
			f.aspect("access list")
			continue
		}
		if err != nil {
			return l, err
		}
		switch child.Get("type") {
		case "", "access":
			if a.tag != user && a.tag != group {
				return l, errors.New("an ACL of type access needs a user or a group: the mode says the rest")
			}
			l.access = append(l.access, a)
			l.more |= a.perms
		case "default":
			l.inherited = append(l.inherited, a)
		default:
			return l, errors.New("an ACL has a type that is neither access nor default")
		}
	}
	return l, nil
}

func (f *finding) acl(child *config.Node) (acl, error) {
	perms, err := permissions(child.Get("perms"))
	if err != nil {
		return acl{}, err
	}
	a := acl{perms: perms, id: noID}
	var t table
	switch child.Get("scope") {
	case "user":
		a.tag, t = userObject, users
	case "group":
		a.tag, t = groupOwner, groups
	case "other":
		a.tag = other
		return a, nil
	default:
		return a, errors.New("an ACL has a scope that is none of user, group, other")
	}
	name := child.Get(child.Get("scope"))
	if name == "" {
		return a, nil
	}
	id, err := f.owners.id(f.ctx, t, name)
	if err != nil {
		return a, err
	}
	a.tag <<= 1 // the named forms have the next bit
	a.id = uint32(id)
	return a, nil
}

// permissions reads rwx, any part of it, or a digit.
func permissions(s string) (uint16, error) {
	if n, err := strconv.ParseUint(s, 8, 3); err == nil {
		return uint16(n), nil
	}
	var out uint16
	for _, c := range strings.ToLower(s) {
		switch c {
		case 'r':
			out |= 4
		case 'w':
			out |= 2
		case 'x':
			out |= 1
		case '-':
		default:
			return 0, errors.New("an ACL has permissions that are neither of rwx nor a digit")
		}
	}
	if s == "" {
		return 0, errors.New("an ACL has no permissions")
	}
	return out, nil
}

// complete adds what every list has: the owner's, the group's and the others'
// permissions as the mode says them, unless they are given, and the mask where
// somebody is named.
func complete(list []acl, mode int) []acl {
	has := func(tag uint16) bool { return slices.ContainsFunc(list, func(a acl) bool { return a.tag == tag }) }
	named := has(user) || has(group)
	var all uint16
	for tag, shift := range map[uint16]int{userObject: 6, groupOwner: 3, other: 0} {
		if !has(tag) {
			list = append(list, acl{tag: tag, perms: uint16(mode>>shift) & 7, id: noID})
		}
	}
	for _, a := range list {
		if a.tag != userObject && a.tag != other {
			all |= a.perms
		}
	}
	if named {
		list = append(list, acl{tag: mask, perms: all, id: noID})
	}
	return list
}

// extended compares what is neither content nor owner nor mode: access lists, the
// security label, capabilities and the time. What a new file gets
// is not looked at before: info is nil then.
func (f *finding) extended(info *system.Info) error {
	isDir := f.entry.Type() == "directory" || info != nil && info.Kind == system.Directory
	for _, l := range []struct {
		attribute, what string
		list            []acl
	}{{accessList, "access list", f.acls.access}, {defaultList, "default access list", f.acls.inherited}} {
		if l.list == nil {
			continue
		}
		if l.attribute == defaultList && !isDir {
			return errors.New("only a directory has a default access list")
		}
		if err := f.attribute(info, l.attribute, l.what, encode(complete(l.list, f.plain))); err != nil {
			return err
		}
	}
	if err := f.label(info); err != nil {
		return err
	}
	if err := f.capabilities(info); err != nil {
		return err
	}
	return f.modified(info)
}

// modified compares when the content last changed, in seconds, and comes after all
// else: what is written is new.
func (f *finding) modified(info *system.Info) error {
	text := f.entry.Get("mtime")
	if text == "" {
		return nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		return errors.New("the mtime is not a number of seconds since 1970")
	}
	if info != nil && info.Modified.Unix() == seconds {
		return nil
	}
	if info != nil {
		f.wrong("mtime", fmt.Sprintf("%d, should be %d", info.Modified.Unix(), seconds))
	}
	f.last = append(f.last, system.Change{Op: system.Date, Name: f.name, Modified: time.Unix(seconds, 0)})
	return nil
}

// attribute compares one extended attribute. Where the file system has none of
// the kind, or the host no SELinux, that is not verified.
func (f *finding) attribute(info *system.Info, name, what string, want []byte) error {
	at := f.name
	if info == nil {
		at = "/" // tells at least whether such attributes exist here
	}
	is, err := f.machine.Extended.Extended(at, name)
	switch {
	case errors.Is(err, errors.ErrUnsupported) || name == label && errors.Is(err, fs.ErrNotExist):
		f.aspect(what)
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if info != nil && want == nil && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	same := bytes.Equal(bytes.TrimRight(is, "\x00"), bytes.TrimRight(want, "\x00"))
	if info != nil && same && (!f.unlisted || name != accessList && name != defaultList) {
		return nil
	}
	if info != nil && !same {
		values := ""
		if name == label {
			values = fmt.Sprintf("%q, should be %q", bytes.TrimRight(is, "\x00"), bytes.TrimRight(want, "\x00"))
		}
		f.wrong(what+" is another one", values)
	}
	f.last = append(f.last, system.Change{Op: system.Extend, Name: f.name, To: name, Content: want})
	return nil
}
