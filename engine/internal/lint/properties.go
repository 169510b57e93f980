// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"encoding/json"
	"errors"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/bindery/bindery/engine/problem"
)

// properties reports ignored-property-file, json-failed-to-parse, file-too-large, yaml-failed-to-parse.
func (t *tree) properties() {
	for _, f := range t.in("Ohai") {
		if data, ok := t.read(f); ok && path.Ext(f.name) == ".json" {
			t.json(f.name, data)
		}
	}
	for _, f := range t.in("Properties") {
		switch path.Ext(f.name) {
		case ".xml":
			if schema := strings.TrimSuffix(f.name, ".xml") + ".xsd"; !t.there[schema] {
				t.warn(at(f.name), "properties-schema-not-found", "no schema says what this file may hold", "write "+schema+"; it is not read here")
			}
		case ".xsd", ".genshi":
		case ".json":
			if data, ok := t.read(f); ok {
				t.json(f.name, data)
			}
		case ".yaml", ".yml":
			if data, ok := t.read(f); ok {
				t.yaml(f.name, data)
			}
		default:
			t.warn(at(f.name), "ignored-property-file", "nothing reads a file with this suffix", "use .xml, .json or .yaml")
		}
	}
}

func (t *tree) json(name string, data []byte) {
	var value any
	err := json.Unmarshal(data, &value)
	if err == nil {
		return
	}
	pos := at(name)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		// The offset counts the bytes read, the wrong one among them.
		pos = position(name, data, int(syntax.Offset)-1)
	}
	t.error(pos, "json-failed-to-parse", "not JSON: "+err.Error(), "")
}

// maxYAML bounds what the YAML parser is given: its time grows faster than its input.
const maxYAML = 1 << 20

func (t *tree) yaml(name string, data []byte) {
	if t.yamlCheck == nil {
		return
	}
	if len(data) > maxYAML {
		t.error(at(name), "file-too-large", "YAML of more than 1 MB is not read", "split it, or use JSON")
		return
	}
	if line, column, err := t.yamlCheck(data); err != nil {
		t.error(problem.Pos{File: name, Line: line, Column: column}, "yaml-failed-to-parse", "not YAML: "+err.Error(), "")
	}
}

// position turns a byte offset into line and column.
func position(name string, data []byte, offset int) problem.Pos {
	offset = max(0, min(offset, len(data)))
	pos := problem.Pos{File: name, Line: 1}
	start := 0
	for i, b := range data[:offset] {
		if b == '\n' {
			pos.Line++
			start = i + 1
		}
	}
	pos.Column = utf8.RuneCount(data[start:offset]) + 1
	return pos
}
