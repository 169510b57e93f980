// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/schema"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

const (
	// maxParsed bounds the files that lint reads, in bytes.
	maxParsed = 16 << 20
	// maxFiles bounds the files of a tree.
	maxFiles = 1 << 20

	nsGenshi = "http://genshi.edgewall.org/"
)

// directories are the plugins whose files lint knows.
func directories() []string {
	return []string{
		"ACL", "AWSTags", "Base", "Bundler", "Cfg", "Decisions", "Defaults", "Deps", "FileProbes", "GroupLogic",
		"GroupPatterns", "Metadata", "NagiosGen", "Ohai", "Packages", "Pkgmgr", "Probes", "Properties", "PuppetENC", "Rules",
		"SEModules", "SGenshi", "SSHbase", "SSLCA", "Svcmgr", "TCheetah", "TGenshi", "TemplateHelper",
	}
}

// file is one name of the tree that is no directory.
type file struct {
	name string
	size int64
	mode fs.FileMode
}

// doc is a parsed XML file.
type doc struct {
	file string
	// dir is the plugin that it belongs to.
	dir       string
	root      *xmltree.Element
	schema    *schema.Schema
	templated bool
}

// tree is a specification as the checks see it.
type tree struct {
	ctx   context.Context
	fsys  fs.FS
	conf  map[string]map[string]string
	on    map[string]bool
	files []file
	dirs  []string
	docs  []*doc
	// there are the names of all files.
	there  map[string]bool
	byName map[string]*doc
	links  map[string][]include
	// includes are the files that others include.
	includes map[string]bool
	// included counts the includes of the tree.
	included int
	groups   *groupTable
	clients  []client
	broken   []*problem.Problem
	found    []*problem.Problem
	// said counts what was found, by severity.
	said     map[problem.Severity]int
	tooLarge []file
	// guesses counts the comparisons for hints.
	guesses int
	// modules are the directories of git submodules.
	modules map[string]bool

	yamlCheck     func([]byte) (line, column int, err error)
	templateCheck func(file string) *problem.Problem
	severities    severities
}

func (t *tree) add(p *problem.Problem) {
	if !t.wanted(p.Code) && !stops(p) {
		return
	}
	if t.said[p.Severity]++; t.said[p.Severity] > maxFindings {
		return
	}
	t.found = append(t.found, p)
}

func (t *tree) error(pos problem.Pos, code, msg, hint string) {
	t.add(problem.New(pos, code, msg, hint))
}

func (t *tree) warn(pos problem.Pos, code, msg, hint string) {
	t.add(problem.Warn(pos, code, msg, hint))
}

func load(ctx context.Context, fsys fs.FS, cfg Config) (*tree, error) {
	t := &tree{ctx: ctx, fsys: fsys, conf: cfg.Conf, on: map[string]bool{}, byName: map[string]*doc{}, there: map[string]bool{}, links: map[string][]include{}, includes: map[string]bool{}, modules: map[string]bool{}, said: map[problem.Severity]int{}, yamlCheck: cfg.YAML, templateCheck: cfg.Template}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	wanted := cfg.Plugins
	if wanted == nil {
		wanted = directories()
	}
	for _, e := range entries {
		if (slices.Contains(wanted, e.Name()) || e.Name() == "Metadata") && (e.IsDir() || e.Type()&fs.ModeSymlink != 0) {
			t.on[e.Name()] = true
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(t.on)) {
		if err := t.walk(dir); err != nil {
			return nil, err
		}
	}
	set := schema.New()
	for i := range t.files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t.parse(set, t.files[i])
	}
	t.follow()
	t.groups = t.readGroups()
	t.clients = t.readClients()
	return t, nil
}

func (t *tree) walk(dir string) error {
	return fs.WalkDir(t.fsys, dir, func(name string, e fs.DirEntry, err error) error {
		if cerr := t.ctx.Err(); cerr != nil {
			return cerr
		}
		if err != nil {
			t.broken = append(t.broken, problem.New(problem.Pos{File: name}, "unreadable-file", "cannot be read", ""))
			return nil
		}
		if len(t.files)+len(t.dirs) > maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		if path.Base(name) == ".git" {
			t.modules[path.Dir(name)] = true
			return skip(e)
		}
		if e.IsDir() {
			t.dirs = append(t.dirs, name)
			return nil
		}
		f := file{name: name, mode: e.Type()}
		if e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				f.size, f.mode = info.Size(), info.Mode()
			}
		} else if e.Type()&fs.ModeSymlink != 0 {
			if info, err := fs.Stat(t.fsys, name); err == nil && info.Mode().IsRegular() {
				f.size = info.Size()
			}
		}
		t.files = append(t.files, f)
		t.there[name] = true
		return nil
	})
}

func skip(e fs.DirEntry) error {
	if e.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// parse reads a file if it is XML that means something, and remembers its tree.
func (t *tree) parse(set *schema.Set, f file) {
	if !holdsXML(f.name) || f.mode.Type()&^fs.ModeSymlink != 0 {
		return
	}
	if f.size > maxParsed {
		t.tooLarge = append(t.tooLarge, f)
		return
	}
	data, err := fs.ReadFile(t.fsys, f.name)
	if err != nil {
		if f.mode&fs.ModeSymlink == 0 {
			t.broken = append(t.broken, problem.New(problem.Pos{File: f.name}, "unreadable-file", "cannot be read", ""))
		}
		return
	}
	root, p := xmltree.Parse(f.name, data)
	if p != nil {
		t.broken = append(t.broken, p)
		return
	}
	dir, _, _ := strings.Cut(f.name, "/")
	d := &doc{
		file: f.name, dir: dir, root: root, schema: set.For(f.name, root.Tag),
		templated: strings.HasSuffix(f.name, ".genshi") || bytes.Contains(data, []byte(nsGenshi)),
	}
	t.docs = append(t.docs, d)
	t.byName[f.name] = d
}

// holdsXML tells whether a file is read as XML.
func holdsXML(name string) bool {
	dir, rest, _ := strings.Cut(name, "/")
	base := path.Base(name)
	if ignored(base) {
		return false
	}
	switch dir {
	case "Cfg", "TGenshi", "TCheetah", "SSHbase", "SSLCA", "SEModules":
		return special(base) && strings.HasSuffix(base, ".xml") && (dir == "SSLCA" || base != "key.xml" && base != "cert.xml")
	case "Bundler", "SGenshi":
		return strings.HasSuffix(base, ".xml") || strings.HasSuffix(base, ".genshi")
	case "Probes", "TemplateHelper", "PuppetENC":
		return false
	case "Decisions":
		stem, _, _ := strings.Cut(base, ".")
		return stem == "whitelist" || stem == "blacklist"
	case "Packages":
		return strings.HasSuffix(base, ".xml") && !strings.HasPrefix(rest, "cache/")
	}
	return strings.HasSuffix(base, ".xml")
}

// special are the files that steer a generator instead of being content.
func special(base string) bool {
	switch base {
	case "info.xml", "authorized_keys.xml", "authorizedkeys.xml", "privkey.xml", "pubkey.xml",
		"sslkey.xml", "sslcert.xml", "key.xml", "cert.xml":
		return true
	}
	return false
}

// ignored are the names that no plugin looks at.
func ignored(base string) bool {
	switch base {
	case "SCCS", ".svn", "4913", ".gitignore", ".gitattributes", ".gitkeep":
		return true
	}
	return strings.HasSuffix(base, "~") || strings.HasPrefix(base, ".#") ||
		strings.HasPrefix(base, "#") && strings.HasSuffix(base, "#") || strings.HasSuffix(base, ".swp") ||
		strings.HasSuffix(base, ".swpx") || strings.HasPrefix(base, ".") && strings.HasSuffix(base, ".swx")
}

// in gives the files of a plugin that are not ignored.
func (t *tree) in(dir string) []file {
	var out []file
	for _, f := range t.files {
		if strings.HasPrefix(f.name, dir+"/") && !ignored(path.Base(f.name)) {
			out = append(out, f)
		}
	}
	return out
}

// read gives what a file holds, where it is small enough to be read.
func (t *tree) read(f file) ([]byte, bool) {
	if f.size > maxParsed || !f.mode.IsRegular() && f.mode&fs.ModeSymlink == 0 {
		return nil, false
	}
	data, err := fs.ReadFile(t.fsys, f.name)
	return data, err == nil
}

// maxGuesses bounds the comparisons for hints "did you mean" in one run.
const maxGuesses = 100_000

// nearest gives the candidate that word was most likely meant to be.
func (t *tree) nearest(word string, candidates []string) string {
	if t.guesses += len(candidates); t.guesses > maxGuesses {
		return ""
	}
	return schema.Nearest(word, candidates)
}

// option reads the settings of bcfg2.conf.
func (t *tree) option(section, name string) string { return t.conf[section][name] }
