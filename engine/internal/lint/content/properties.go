// SPDX-License-Identifier: Apache-2.0

package content

import (
	"encoding/json"
	"errors"
	"path"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
	"github.com/bindery/bindery/engine/problem"
)

// properties reports ignored-property-file, json-failed-to-parse, file-too-large, yaml-failed-to-parse.
func (t look) properties() {
	for _, f := range t.In("Ohai") {
		if data, ok := t.Read(f); ok && path.Ext(f.Name) == ".json" {
			t.json(f.Name, data)
		}
	}
	for _, f := range t.In("Properties") {
		switch path.Ext(f.Name) {
		case ".xml":
			if schema := strings.TrimSuffix(f.Name, ".xml") + ".xsd"; !t.There[schema] {
				t.Warn(tree.At(f.Name), "properties-schema-not-found", "no schema says what this file may hold", "write "+schema+"; it is not read here")
			}
		case ".xsd", ".genshi":
		case ".json":
			if data, ok := t.Read(f); ok {
				t.json(f.Name, data)
			}
		case ".yaml", ".yml":
			if data, ok := t.Read(f); ok {
				t.yaml(f.Name, data)
			}
		default:
			t.Warn(tree.At(f.Name), "ignored-property-file", "nothing reads a file with this suffix", "use .xml, .json or .yaml")
		}
	}
}

func (t look) json(name string, data []byte) {
	var value any
	err := json.Unmarshal(data, &value)
	if err == nil {
		return
	}
	pos := tree.At(name)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		// The offset counts the bytes read, the wrong one among them.
		pos = tree.Position(name, data, int(syntax.Offset)-1)
	}
	t.Error(pos, "json-failed-to-parse", "not JSON: "+err.Error(), "")
}

// maxYAML bounds what the YAML parser is given: its time grows faster than its input.
const maxYAML = 1 << 20

func (t look) yaml(name string, data []byte) {
	if t.YAMLCheck == nil {
		return
	}
	if len(data) > maxYAML {
		t.Error(tree.At(name), "file-too-large", "YAML of more than 1 MB is not read", "split it, or use JSON")
		return
	}
	if line, column, err := t.YAMLCheck(data); err != nil {
		t.Error(problem.Pos{File: name, Line: line, Column: column}, "yaml-failed-to-parse", "not YAML: "+err.Error(), "")
	}
}
