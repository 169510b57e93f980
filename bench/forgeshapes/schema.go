// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
)

// description is what we read of an OpenAPI document.
type description struct {
	Paths map[string]map[string]*operation `json:"paths"`
}

type operation struct {
	RequestBody content             `json:"requestBody"`
	Responses   map[string]*content `json:"responses"`
}

type content struct {
	Content map[string]struct {
		Schema *schema `json:"schema"`
	} `json:"content"`
}

func (c *content) schema() *schema { return c.Content["application/json"].Schema }

// schema is a type, as far as names and kinds of fields go.
type schema struct {
	Type       any                `json:"type"`
	Nullable   bool               `json:"nullable"`
	Properties map[string]*schema `json:"properties"`
	Items      *schema            `json:"items"`
	OneOf      []*schema          `json:"oneOf"`
	AnyOf      []*schema          `json:"anyOf"`
	AllOf      []*schema          `json:"allOf"`
	Enum       []any              `json:"enum"`
}

// find gives the pattern that a path matches, the one with most words of its own.
func (d *description) find(method, path string) (string, *operation) {
	got := strings.Split(path, "/")
	best, score := "", -1
	for pattern, ops := range d.Paths {
		want := strings.Split(pattern, "/")
		if ops[method] == nil || len(want) > len(got) || len(want) < len(got) && want[len(want)-1] != "{ref}" {
			continue
		}
		same := 0
		for i, w := range want {
			switch {
			case w == got[i]:
				same++
			case !strings.HasPrefix(w, "{"):
				same = -len(path)
			}
		}
		if same > score {
			best, score = pattern, same
		}
	}
	return best, d.Paths[best][method]
}

// kind is a value's type in JSON's words.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

func (s *schema) takes(k string) bool {
	var types []string
	switch t := s.Type.(type) {
	case nil:
		return true
	case string:
		types = []string{t}
	case []any:
		for _, one := range t {
			types = append(types, fmt.Sprint(one))
		}
	}
	return slices.Contains(types, k) || k == "null" && s.Nullable || k == "integer" && slices.Contains(types, "number")
}

// check lists what of a value the schema does not have.
func (s *schema) check(where string, v any) []string {
	if s == nil {
		return nil
	}
	if k := kind(v); !s.takes(k) {
		return []string{fmt.Sprintf("%s: it is %s, not %v", where, k, s.Type)}
	}
	if len(s.Enum) > 0 && v != nil && kind(v) != "object" && !slices.Contains(s.Enum, v) {
		return []string{fmt.Sprintf("%s: %v is none of %v", where, v, s.Enum)}
	}
	if choices := slices.Concat(s.OneOf, s.AnyOf); len(choices) > 0 {
		var least []string
		for i, one := range choices {
			if bad := one.check(where, v); i == 0 || len(bad) < len(least) {
				least = bad
			}
		}
		return least
	}
	switch v := v.(type) {
	case map[string]any:
		return s.fields(where, v)
	case []any:
		var bad []string
		for i, one := range v {
			bad = append(bad, s.Items.check(fmt.Sprintf("%s[%d]", where, i), one)...)
		}
		return bad
	}
	return nil
}

func (s *schema) fields(where string, v map[string]any) (bad []string) {
	known := map[string]*schema{}
	for _, part := range append([]*schema{s}, s.AllOf...) {
		for name, field := range part.Properties {
			known[name] = field
		}
	}
	if len(known) == 0 {
		return nil
	}
	for name, value := range v {
		field, ok := known[name]
		if !ok {
			bad = append(bad, where+"."+name+": there is no such field")
			continue
		}
		bad = append(bad, field.check(where+"."+name, value)...)
	}
	slices.Sort(bad)
	return bad
}
