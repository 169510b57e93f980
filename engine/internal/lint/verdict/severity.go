// SPDX-License-Identifier: Apache-2.0

// Package verdict says how findings count: which are silent until somebody asks, which
// are opinions, and what the settings of a site say. It must not know the tree.
package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/schema"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/problem/explain"
)

// Silent stands for findings that nobody wants to see.
const Silent problem.Severity = "silent"

// Quiet are the codes that are only told where [errors] asks for them: what they find
// works, and many sites mean it.
func Quiet(code string) bool {
	return slices.Contains([]string{
		"explicit-bundle-name", "genshi-extension-bundle", "merge-cfg", "merge-probes", "no-infoxml", "paranoid-false",
		"properties-schema-not-found",
	}, code)
}

// opinion tells whether an error leaves the result as it is, so that it may be
// lowered or allowed. All other errors stop something.
func opinion(code string) bool {
	return slices.Contains([]string{
		"altsrc-dangling", schema.BadValue, "cyclic-groups", "default-is-not-profile", "duplicate-alias", "duplicate-bundle",
		"duplicate-client", "duplicate-group", "duplicate-packages", "empty-encrypted-properties",
		"host-without-content", "package-type-unknown",
		"missing-elements", "multiple-default-groups", "multiple-global-handlers", "non-profile-set-as-profile",
		"required-attr-format", "required-attrs-missing", "unencrypted-cfg", "unencrypted-properties", "unknown-cfg-files",
		"templatehelper-nonexistent-export", "templatehelper-no-export", "templatehelper-nonlist-export",
		"templatehelper-reserved-default", "templatehelper-reserved-export",
	}, code)
}

// Stops tells whether a finding must be seen, whatever anybody says.
func Stops(p *problem.Problem) bool { return p.Severity == problem.Error && !opinion(p.Code) }

// Settings is what [errors] of bcfg2.conf and bindery.yaml say of codes.
type Settings map[string]problem.Severity

// bcfg2Plugins are the checks that [lint] plugins of bcfg2.conf can leave out.
func bcfg2Plugins() map[string][]string {
	return map[string][]string{
		"Bundler":        {"unused-bundle", "explicit-bundle-name", "genshi-extension-bundle", "inconsistent-bundle-name"},
		"Cfg":            {"no-pubkey-xml", "no-cfg-file"},
		"Comments":       {"keywords-not-found", "comments-not-found", "unexpanded-keywords"},
		"Crypto":         {"unencrypted-cfg", "unencrypted-properties", "empty-encrypted-properties"},
		"Deltas":         {"cat-file-used", "diff-file-used"},
		"GroupNames":     {"invalid-group-name"},
		"InfoXML":        {"no-infoxml", "required-infoxml-attrs-missing", "paranoid-false"},
		"MergeFiles":     {"merge-cfg", "merge-probes", "identical-cfg", "identical-probes"},
		"Pkgmgr":         {"duplicate-packages"},
		"RequiredAttrs":  {"required-attrs-missing", "required-attr-format", "missing-elements", "extra-attrs"},
		"TemplateAbuse":  {"templated-script", "templated-executable"},
		"TemplateHelper": {"templatehelper-underscore-export", "templatehelper-export-and-default"},
	}
}

// Read reads the settings, and gives what is wrong with them.
func Read(conf map[string]map[string]string) (Settings, []*problem.Problem) {
	out := Settings{}
	if list := conf["lint"]["plugins"]; list != "" {
		on := strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(", \n\t", r) })
		for plugin, codes := range bcfg2Plugins() {
			for _, code := range codes {
				if !slices.Contains(on, plugin) {
					out[code] = Silent
				}
			}
		}
	}
	if len(conf["errors"]) == 0 {
		return out, nil
	}
	var found []*problem.Problem
	wrong := func(msg, hint string) {
		found = append(found, problem.Warn(problem.Pos{File: "bcfg2.conf"}, "bad-severity", msg, hint))
	}
	all, err := explain.All()
	if err != nil {
		wrong(err.Error(), "")
	}
	for _, name := range slices.Sorted(maps.Keys(conf["errors"])) {
		severity := problem.Severity(strings.TrimSpace(conf["errors"][name]))
		if severity != problem.Error && severity != problem.Warning && severity != Silent {
			wrong(fmt.Sprintf("%s cannot be %q", name, severity), "write error, warning or silent")
			continue
		}
		codes := explain.Find(all, name)
		if len(codes) == 0 {
			wrong("no finding is called "+name, "bindery lint --explain list names all")
		}
		for _, c := range codes {
			out[c.Code] = severity
		}
	}
	return out, found
}

// Of gives the severity of a code that a check would give another.
func (s Settings) Of(p *problem.Problem) problem.Severity {
	severity, said := s[p.Code]
	switch {
	case !said && Quiet(p.Code):
		return Silent
	case !said || Stops(p):
		return p.Severity
	}
	return severity
}
