// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/problem"
)

const (
	// Folder is where assertions are, in files that end in .yaml or .yml.
	Folder = "tests"
	// maxFile bounds a file of assertions in bytes, maxRules all of a specification.
	maxFile  = 1 << 20
	maxRules = 5_000
)

// CodeBad is the code of an assertion that cannot be read.
const CodeBad = "bad-assertion"

// Set is the assertions of one specification. It is immutable.
type Set struct {
	rules []*rule
	byKey map[string]*rule // by digest
}

// Len counts them.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.rules)
}

// Read reads the assertions of a specification. One that is wrong is a Problem at its
// line, and the others count.
func Read(fsys fs.FS) (*Set, []*problem.Problem) {
	r := reader{set: &Set{byKey: map[string]*rule{}}, taken: map[text]problem.Pos{}}
	files, err := fs.ReadDir(fsys, Folder)
	if err != nil {
		return r.set, nil // there is no such folder
	}
	for _, f := range files {
		if ext := path.Ext(f.Name()); f.IsDir() || ext != ".yaml" && ext != ".yml" {
			continue
		}
		name := path.Join(Folder, f.Name())
		data, p := file.Read(fsys, name, maxFile)
		if p != nil {
			r.problems = append(r.problems, p)
			continue
		}
		r.file(name, data)
	}
	return r.set, r.problems
}

type reader struct {
	set      *Set
	taken    map[text]problem.Pos
	problems []*problem.Problem
}

func (r *reader) wrong(pos problem.Pos, msg string) {
	r.problems = append(r.problems, problem.New(pos, CodeBad, msg, "the page \"Assertions\" of the reference says what may be written"))
}

// wrongYAML reports what the library says, at the token that it names.
func (r *reader) wrongYAML(pos problem.Pos, err error) {
	msg := err.Error()
	if ye, ok := errors.AsType[yaml.Error](err); ok {
		msg = ye.GetMessage()
		if t := ye.GetToken(); t != nil && t.Position != nil {
			pos.Line, pos.Column = t.Position.Line, t.Position.Column
		}
	}
	r.wrong(pos, msg)
}

func (r *reader) file(name string, data []byte) {
	if line := file.TooDeep(data); line > 0 {
		r.wrong(problem.Pos{File: name, Line: line}, "it is nested too deeply")
		return
	}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		r.wrongYAML(problem.Pos{File: name}, err)
		return
	}
	for _, doc := range tree.Docs {
		if doc.Body == nil {
			continue
		}
		top := pairs(doc.Body)
		if top == nil {
			r.wrong(place(name, doc.Body), "a file of assertions is a list under the key assertions")
		}
		for _, kv := range top {
			list, ok := kv.Value.(*ast.SequenceNode)
			switch {
			case kv.Key.String() != "assertions":
				r.wrong(place(name, kv.Key), fmt.Sprintf("the key %q is unknown: a file of assertions is a list under the key assertions", kv.Key.String()))
			case !ok:
				r.wrong(place(name, kv.Key), "assertions is no list")
			default:
				for _, item := range list.Values {
					r.rule(name, item)
				}
			}
		}
	}
}

func (r *reader) rule(name string, item ast.Node) {
	pos := place(name, item)
	if kv := pairs(item); len(kv) > 0 {
		pos = place(name, kv[0].Key)
	}
	var s settings
	if err := yaml.NodeToValue(item, &s, yaml.Strict()); err != nil {
		r.wrongYAML(pos, err)
		return
	}
	made, err := compile(s, pos)
	if err != nil {
		r.wrong(pos, err.Error())
		return
	}
	if at, there := r.taken[s.Name]; there {
		r.wrong(pos, fmt.Sprintf("the name %q is taken by %s", s.Name, at))
		return
	}
	if len(r.set.rules) == maxRules {
		r.wrong(pos, fmt.Sprintf("there are more than %d assertions", maxRules))
		return
	}
	r.taken[s.Name] = pos
	r.set.rules = append(r.set.rules, made)
	r.set.byKey[made.digest] = made
}

// pairs are what a mapping holds, nil where it is none.
func pairs(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

func place(name string, n ast.Node) problem.Pos {
	pos := problem.Pos{File: name}
	if t := n.GetToken(); t != nil && t.Position != nil {
		pos.Line, pos.Column = t.Position.Line, t.Position.Column
	}
	return pos
}

// text is a scalar as it is written: 0644 is no number here.
type text string

// UnmarshalYAML takes the scalar.
func (t *text) UnmarshalYAML(n ast.Node) error {
	s, err := scalar(n)
	*t = text(s)
	return err
}

// UnmarshalYAML reads a number or a percentage.
func (l *limit) UnmarshalYAML(n ast.Node) error {
	s, err := scalar(n)
	if err != nil {
		return err
	}
	if *l, err = parseLimit(s); err != nil {
		return &yaml.SyntaxError{Message: err.Error(), Token: n.GetToken()}
	}
	return nil
}

func scalar(n ast.Node) (string, error) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	}
	return "", &yaml.SyntaxError{Message: "a text or a number belongs here", Token: n.GetToken()}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
