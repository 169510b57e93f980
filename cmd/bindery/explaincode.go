// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/bindery/bindery/engine/problem/explain"
)

// explainCode shows what a code means, by its name or by the one that Bcfg2 has for
// it; "list" shows them all.
func explainCode(s streams, name string) error {
	all, err := explain.All()
	if err != nil {
		return err
	}
	if name == "list" {
		for i := range all {
			fmt.Fprintf(s.Out, "%-32s %s\n", all[i].Code, all[i].What)
		}
		return nil
	}
	found := explain.Find(all, name)
	if len(found) == 0 {
		return fmt.Errorf("no problem is called %q%s; --explain list names all", name, meant(all, name))
	}
	for i := range found {
		if i > 0 {
			fmt.Fprintln(s.Out, strings.Repeat("-", 40))
		}
		if _, err := fmt.Fprint(s.Out, found[i].Text()); err != nil {
			return withCode(exitUnavailable, err)
		}
	}
	return nil
}

// meant suggests a code that holds what was typed, or begins as it does.
func meant(all []explain.Code, name string) string {
	stem, _, _ := strings.Cut(name, "-")
	for _, look := range []func(string) bool{
		func(code string) bool { return strings.Contains(code, name) || strings.Contains(name, code) },
		func(code string) bool { return strings.HasPrefix(code, stem+"-") },
	} {
		for i := range all {
			if name != "" && look(all[i].Code) {
				return fmt.Sprintf(" (did you mean %s?)", all[i].Code)
			}
		}
	}
	return ""
}

// meanings is what every code means, in one sentence or two.
func meanings() (map[string]string, error) {
	all, err := explain.All()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for i := range all {
		out[all[i].Code] = all[i].What
	}
	return out, nil
}
