// SPDX-License-Identifier: Apache-2.0

package sshbase

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/shelf"
	"github.com/bindery/bindery/engine/problem"
)

// listing is what the names of the directory say. Other revisions may have it too.
type listing struct {
	// hosts are the names of the files for one host each, by base name; others are all
	// others.
	hosts, others  map[string][]string
	statics, infos []string
	// sealed: a public key is encrypted.
	sealed   bool
	problems []*problem.Problem
}

// nameCost is about how many bytes of memory a name takes.
const nameCost = 64

// list reads the directory. There are as many names as hosts, or more.
func list(env plugin.Env) *listing {
	kind := "sshbase " + env.Conf.Get("server", "ignore_files", "\x00")
	return shelf.Get(env.FS, kind, dir, func() (l *listing, size int, keep bool) {
		l = &listing{hosts: map[string][]string{}, others: map[string][]string{}}
		entries, err := fs.ReadDir(env.FS, dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			l.problems = append(l.problems, file.Unreadable(dir, err))
		}
		for _, e := range entries {
			l.add(env.Conf, e)
		}
		return l, nameCost * len(entries), err == nil
	})
}

func (l *listing) add(conf plugin.Conf, e fs.DirEntry) {
	name := e.Name()
	switch {
	case plugin.Ignored(conf, name):
	case e.IsDir():
		l.problems = append(l.problems, problem.Warn(problem.Pos{File: dir + "/" + name}, "directory-in-sshbase", "a directory among the keys is ignored", "move its files up"))
	case plugin.IsInfo(name):
		l.infos = append(l.infos, name)
	case strings.HasSuffix(name, ".static"):
		l.statics = append(l.statics, name)
	case !l.key(name):
		l.problems = append(l.problems, problem.Warn(problem.Pos{File: dir + "/" + name}, "unknown-sshbase-file", "the name is no host key's; the file is ignored",
			"keys are named ssh_host_TYPE_key[.pub], with .H_host or .G##_group behind; lines for ssh_known_hosts stand in NAME.static"))
	}
}

// key takes a file as a key, if its name is one's.
func (l *listing) key(name string) bool {
	first, rest, _ := strings.Cut(name, ".")
	public, pair := publicOf[first]
	if !pair && first != knownHosts {
		return false
	}
	base := first
	if rest == "pub" || strings.HasPrefix(rest, "pub.") {
		if !pair {
			return false
		}
		base = public
	}
	specific, sealed, ok := parse(name, base)
	if !ok {
		return false
	}
	l.sealed = l.sealed || sealed && base != first
	if specific.Host != "" {
		l.hosts[base] = append(l.hosts[base], name)
	} else {
		l.others[base] = append(l.others[base], name)
	}
	return true
}

// parse tells whom a file is for, and whether it is encrypted, by its name.
func parse(name, base string) (specific plugin.Specific, sealed, ok bool) {
	for _, extension := range []string{"crypt", "age"} {
		if specific, ok = plugin.ParseSpecific(name, base, extension); ok {
			return specific, true, true
		}
	}
	specific, ok = plugin.ParseSpecific(name, base, "")
	return specific, false, ok
}
