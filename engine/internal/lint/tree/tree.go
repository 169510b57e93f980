// SPDX-License-Identifier: Apache-2.0

// Package tree is a specification as lint sees it: files, parsed XML with what it
// includes, groups and clients, and what was found. It must not check anything.
package tree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/verdict"
	"github.com/bindery/bindery/engine/internal/schema"
	"github.com/bindery/bindery/engine/internal/shelf"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

const (
	// MaxParsed bounds the files that lint reads, in bytes.
	MaxParsed = 16 << 20
	// maxFiles bounds the files of a tree.
	maxFiles = 1 << 20

	// Genshi is the namespace of templates.
	Genshi = "http://genshi.edgewall.org/"
	// Allow begins a comment that takes findings as they are.
	Allow = "bindery:allow"

	// maxHead is how much of a file is looked at that is not read, in bytes.
	maxHead = 4096
)

// directories are the plugins whose files lint knows.
func directories() []string {
	return []string{
		"ACL", "AWSTags", "Base", "Bundler", "Cfg", "Decisions", "Defaults", "Deps", "FileProbes", "GroupLogic",
		"GroupPatterns", "Metadata", "NagiosGen", "Ohai", "Packages", "Pkgmgr", "Probes", "Properties", "PuppetENC", "Rules",
		"SEModules", "SGenshi", "SSHbase", "SSLCA", "Svcmgr", "TCheetah", "TGenshi", "TemplateHelper",
	}
}

// File is one name of the tree that is no directory.
type File struct {
	Name string
	Size int64
	Mode fs.FileMode
}

// Doc is a parsed XML file.
type Doc struct {
	File string
	// Dir is the plugin that it belongs to.
	Dir       string
	Root      *xmltree.Element
	Schema    *schema.Schema
	Templated bool
	// Allows tells whether it has comments to lint.
	Allows bool
}

// Tree is a specification as the checks see it.
type Tree struct {
	ctx   context.Context
	FS    fs.FS
	Conf  map[string]map[string]string
	On    map[string]bool
	Files []File
	Dirs  []string
	Docs  []*Doc
	// There are the names of all files.
	There  map[string]bool
	ByName map[string]*Doc
	Links  map[string][]Include
	// Includes are the files that others include.
	Includes map[string]bool
	// Included counts the includes of the tree.
	Included int
	Groups   *GroupTable
	Clients  []Client
	Broken   []*problem.Problem
	Found    []*problem.Problem
	// Said counts what was found, by severity.
	Said     map[problem.Severity]int
	TooLarge []File
	// guesses counts the comparisons for hints.
	guesses int
	// head is room for Head.
	head []byte
	// marked are the marks of files, by directory.
	marked map[string]map[string]marks
	// Modules are the directories of git submodules.
	Modules map[string]bool

	YAMLCheck     func([]byte) (line, column int, err error)
	TemplateCheck func(file string) *problem.Problem
	Severities    verdict.Settings
}

// Add notes what a check found, unless nobody wants to see it.
func (t *Tree) Add(p *problem.Problem) {
	if !t.Wanted(p.Code) && !verdict.Stops(p) {
		return
	}
	if t.Said[p.Severity]++; t.Said[p.Severity] > MaxFindings {
		return
	}
	t.Found = append(t.Found, p)
}

// Error notes what stops something, or is surely not as meant.
func (t *Tree) Error(pos problem.Pos, code, msg, hint string) {
	t.Add(problem.New(pos, code, msg, hint))
}

// Warn notes what leaves the result defined.
func (t *Tree) Warn(pos problem.Pos, code, msg, hint string) {
	t.Add(problem.Warn(pos, code, msg, hint))
}

// Load reads a tree.
func Load(ctx context.Context, fsys fs.FS, cfg Config) (*Tree, error) {
	t := &Tree{ctx: ctx, FS: fsys, Conf: cfg.Conf, On: map[string]bool{}, ByName: map[string]*Doc{}, There: map[string]bool{}, Links: map[string][]Include{}, Includes: map[string]bool{}, Modules: map[string]bool{}, Said: map[problem.Severity]int{}, marked: map[string]map[string]marks{}, YAMLCheck: cfg.YAML, TemplateCheck: cfg.Template}
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
			t.On[e.Name()] = true
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(t.On)) {
		if err := t.walk(dir); err != nil {
			return nil, err
		}
	}
	set := schema.New()
	for i := range t.Files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t.parse(set, t.Files[i])
	}
	t.follow()
	t.Groups = t.readGroups()
	t.Clients = t.readClients()
	return t, nil
}

func (t *Tree) walk(dir string) error {
	return fs.WalkDir(t.FS, dir, func(name string, e fs.DirEntry, err error) error {
		if cerr := t.ctx.Err(); cerr != nil {
			return cerr
		}
		if err != nil {
			t.Broken = append(t.Broken, problem.New(problem.Pos{File: name}, "unreadable-file", "cannot be read", ""))
			return nil
		}
		if len(t.Files)+len(t.Dirs) > maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		if path.Base(name) == ".git" {
			t.Modules[path.Dir(name)] = true
			return skip(e)
		}
		if e.IsDir() {
			t.Dirs = append(t.Dirs, name)
			return nil
		}
		f := File{Name: name, Mode: e.Type()}
		if e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				f.Size, f.Mode = info.Size(), info.Mode()
			}
		} else if e.Type()&fs.ModeSymlink != 0 {
			if info, err := fs.Stat(t.FS, name); err == nil && info.Mode().IsRegular() {
				f.Size = info.Size()
			}
		}
		t.Files = append(t.Files, f)
		t.There[name] = true
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
func (t *Tree) parse(set *schema.Set, f File) {
	if !HoldsXML(f.Name) || f.Mode.Type()&^fs.ModeSymlink != 0 {
		return
	}
	if f.Size > MaxParsed {
		t.TooLarge = append(t.TooLarge, f)
		return
	}
	// says are the words that a file has.
	type says struct{ readable, genshi, allow bool }
	has := shelf.Get(t.FS, "words", f.Name, func() (has says, size int, keep bool) {
		data, err := fs.ReadFile(t.FS, f.Name)
		has = says{err == nil, bytes.Contains(data, []byte(Genshi)), bytes.Contains(data, []byte(Allow))}
		return has, 0, err == nil
	})
	if !has.readable {
		if f.Mode&fs.ModeSymlink == 0 {
			t.Broken = append(t.Broken, problem.New(problem.Pos{File: f.Name}, "unreadable-file", "cannot be read", ""))
		}
		return
	}
	root, p := xmltree.Read(t.FS, f.Name)
	if p != nil {
		t.Broken = append(t.Broken, p)
		return
	}
	dir, _, _ := strings.Cut(f.Name, "/")
	d := &Doc{
		File: f.Name, Dir: dir, Root: root, Schema: set.For(f.Name, root.Tag),
		Templated: strings.HasSuffix(f.Name, ".genshi") || has.genshi, Allows: has.allow,
	}
	t.Docs = append(t.Docs, d)
	t.ByName[f.Name] = d
}

// HoldsXML tells whether a file is read as XML.
func HoldsXML(name string) bool {
	dir, rest, _ := strings.Cut(name, "/")
	base := path.Base(name)
	if Ignored(base) {
		return false
	}
	switch dir {
	case "Cfg", "TGenshi", "TCheetah", "SSHbase", "SSLCA", "SEModules":
		return Special(base) && strings.HasSuffix(base, ".xml") && (dir == "SSLCA" || base != "key.xml" && base != "cert.xml")
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

// Special are the files that steer a generator instead of being content.
func Special(base string) bool {
	switch base {
	case "info.xml", "authorized_keys.xml", "authorizedkeys.xml", "privkey.xml", "pubkey.xml",
		"sslkey.xml", "sslcert.xml", "key.xml", "cert.xml":
		return true
	}
	return false
}

// Ignored are the names that no plugin looks at.
func Ignored(base string) bool {
	switch base {
	case "SCCS", ".svn", "4913", ".gitignore", ".gitattributes", ".gitkeep":
		return true
	}
	return strings.HasSuffix(base, "~") || strings.HasPrefix(base, ".#") ||
		strings.HasPrefix(base, "#") && strings.HasSuffix(base, "#") || strings.HasSuffix(base, ".swp") ||
		strings.HasSuffix(base, ".swpx") || strings.HasPrefix(base, ".") && strings.HasSuffix(base, ".swx")
}

// In gives the files of a plugin that are not ignored.
func (t *Tree) In(dir string) []File {
	var out []File
	for _, f := range t.Files {
		if strings.HasPrefix(f.Name, dir+"/") && !Ignored(path.Base(f.Name)) {
			out = append(out, f)
		}
	}
	return out
}

// Read gives what a file holds, where it is small enough to be read.
func (t *Tree) Read(f File) ([]byte, bool) {
	if f.Size > MaxParsed || !f.Mode.IsRegular() && f.Mode&fs.ModeSymlink == 0 {
		return nil, false
	}
	data, err := fs.ReadFile(t.FS, f.Name)
	return data, err == nil
}

// Head gives the beginning of a file. The next call writes over it.
func (t *Tree) Head(f File) ([]byte, bool) {
	r, err := t.FS.Open(f.Name)
	if err != nil {
		return nil, false
	}
	if t.head == nil {
		t.head = make([]byte, maxHead)
	}
	n, err := io.ReadFull(r, t.head)
	cerr := r.Close()
	return t.head[:n], (err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) && cerr == nil
}

// maxGuesses bounds the comparisons for hints "did you mean" in one run.
const maxGuesses = 100_000

// Nearest gives the candidate that word was most likely meant to be.
func (t *Tree) Nearest(word string, candidates []string) string {
	if t.guesses += len(candidates); t.guesses > maxGuesses {
		return ""
	}
	return schema.Nearest(word, candidates)
}

// Option reads the settings of bcfg2.conf.
func (t *Tree) Option(section, name string) string { return t.Conf[section][name] }
