// SPDX-License-Identifier: Apache-2.0

package rpm

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/origin"
	"github.com/bindery/bindery/agent/pattern"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
)

// want is one package of one architecture that an entry asks for.
type want struct {
	entry  *config.Entry
	result *driver.Result
	paths  *driver.Paths
	quick  bool
	// part names it among others of the same entry.
	part                string
	name, arch, version string
	// source is the file that it is installed from, "" for the repositories.
	source string
	// prefix is where it is moved to, "" where it was made for.
	prefix string
	verify bool
	// flags and ignored say what of its files does not count.
	flags, ignored []string
	// kept are faults that are told and left.
	kept map[fault]bool

	// was is what was there, and fit what of it is as asked.
	was, fit       []nevra
	wrong, altered bool
	spec           string
}

// fault is what may be wrong with a package.
type fault string

const (
	absent  fault = "missing"
	differs fault = "of another version"
	altered fault = "altered"
)

// fault tells what is wrong.
func (w *want) fault() fault {
	switch {
	case w.altered:
		return altered
	case len(w.was) == 0:
		return absent
	}
	return differs
}

const (
	auto   = "auto"
	anyone = "any"
)

var (
	plainName    = pattern.Of(`^[A-Za-z0-9_][A-Za-z0-9_.+-]*$`)
	plainVersion = pattern.Of(`^[A-Za-z0-9][A-Za-z0-9_.+~^:-]*$`)
)

func (b *batch) read(items []driver.Item) {
	for i, item := range items {
		r := &b.results[i]
		r.State = driver.Correct
		wants, err := b.entry(item.Entry)
		if err != nil {
			*r = driver.Result{Outcome: driver.Outcome{State: driver.Incorrect}, Err: err}
			continue
		}
		for _, w := range wants {
			w.entry, w.result, w.paths, w.quick = item.Entry, r, item.Paths, item.Quick
			b.wants = append(b.wants, w)
		}
	}
}

// entry takes an entry apart: it may name one package, architectures of it, a group
// of packages, or have a child for each Instance.
func (b *batch) entry(e *config.Entry) ([]*want, error) {
	if group := groupOf(e); group != "" {
		return b.members(group)
	}
	var out []*want
	for _, child := range e.Children {
		if child.Tag != "Instance" {
			continue
		}
		w, err := one(e, child.Get("arch"), child.Get)
		if err != nil {
			return nil, err
		}
		if err := w.from(e, child.Get("simplefile"), nil, 0); err != nil {
			return nil, err
		}
		w.ignored = append(w.ignored, ignored(child.Children)...)
		out = append(out, w)
	}
	if len(out) > 0 {
		return out, nil
	}
	arches := origin.Split(e.Get("multiarch"))
	file := e.Get("simplefile")
	if file == "" && e.Type() == "rpm" {
		file = e.Get("file") // what yum handles comes from its repositories
	}
	for i, arch := range append(slices.Clone(arches), e.Get("arch"))[:max(1, len(arches))] {
		w, err := one(e, arch, e.Get)
		if err != nil {
			return nil, err
		}
		if err := w.from(e, file, arches, i); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

func one(e *config.Entry, arch string, get func(string) string) (*want, error) {
	no := func(name string) bool { return e.Get(name) == "false" || get(name) == "false" }
	w := &want{
		name: e.Name(), arch: arch, part: arch, version: get("version"), verify: e.Get("verify") != "false" && !no("pkg_verify"),
		flags: append(origin.Split(e.Get("verify_flags")), origin.Split(get("verify_flags"))...), ignored: ignored(e.Children),
		kept: map[fault]bool{
			absent:  no("install_missing") || other(get("installed_action"), "install"),
			differs: no("fix_version") || other(get("version_fail_action"), "upgrade"),
			altered: no("reinstall_broken") || other(get("verify_fail_action"), "reinstall"),
		},
	}
	if !plainName.MatchString(w.name) || arch != "" && !plainName.MatchString(arch) {
		return nil, errors.New("not a name of a package, or of an architecture")
	}
	if prefix := e.Get("reloc"); prefix != "" {
		clean, err := system.Clean(prefix)
		if err != nil || strings.ContainsAny(prefix, "= ") {
			return nil, errors.New("reloc is not a plain absolute path")
		}
		w.prefix = clean
	}
	return w, w.exact(no("pkg_checks"), get)
}

func other(word, than string) bool { return word != "" && word != than }

// exact reads the version. Without checks it is enough that the package is there.
func (w *want) exact(unchecked bool, get func(string) string) error {
	if unchecked {
		w.version, w.verify = anyone, false
		return nil
	}
	switch w.version {
	case "":
		return errors.New("missing required attribute: version")
	case auto, "latest":
		w.version = auto
		return nil
	case anyone, "noverify":
		w.version = anyone
		return nil
	}
	if r := get("release"); r != "" {
		w.version += "-" + r
	}
	if epoch := get("epoch"); epoch != "" {
		w.version = epoch + ":" + w.version
	}
	if !plainVersion.MatchString(w.version) {
		return errors.New("not a version of a package")
	}
	return nil
}

// from notes where the package comes from, if not from the repositories.
func (w *want) from(e *config.Entry, file string, arches []string, i int) error {
	if file == "" {
		return nil
	}
	places, err := origin.Read(e.Get, file, arches)
	if err != nil {
		return err
	}
	w.source = places[i]
	return nil
}

// ignored are the files of Ignore children.
func ignored(children []*config.Node) []string {
	var out []string
	for _, child := range children {
		if child.Tag == "Ignore" {
			out = append(out, child.Get("name"))
		}
	}
	return out
}

// counts tells whether a difference that rpm reports of a file is one.
func (w *want) counts(files system.Files, what, path string) bool {
	// The names of Bcfg2, and those of rpm(8) for the same.
	flagged := func(names ...string) bool {
		return slices.ContainsFunc(w.flags, func(f string) bool { return slices.Contains(names, strings.TrimPrefix(f, "--")) })
	}
	switch {
	case slices.Contains(w.ignored, path) || w.paths.Excuses(files, path) || flagged("nofiles"):
		return false
	case what == "missing":
		return true
	}
	return strings.Contains(what, "5") && !flagged("nomd5", "nofiledigest") || strings.Contains(what, "L") && !flagged("nolinkto")
}

// groupOf is the group of packages that an entry is about, "" where it names one
// package.
func groupOf(e *config.Entry) string {
	if name, ok := strings.CutPrefix(e.Name(), "@"); ok {
		return name
	}
	if e.Name() == "" {
		return e.Get("group")
	}
	return ""
}

var plainGroup = pattern.Of(`^[A-Za-z0-9_][A-Za-z0-9_.,:+()&/ -]*$`)

// members are the packages of a group that dnf would install: those that are
// mandatory and those that are there by default. One is enough of any version.
func (b *batch) members(group string) ([]*want, error) {
	if !plainGroup.MatchString(group) {
		return nil, errors.New("not a name of a group of packages")
	}
	names, err := b.group(group)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no repository has packages of a group %q", group)
	}
	out := make([]*want, len(names))
	for i, name := range names {
		out[i] = &want{name: name, part: name, version: anyone, verify: true}
	}
	return out, nil
}
