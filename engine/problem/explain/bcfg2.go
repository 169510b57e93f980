// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"strings"
)

// Finding is what a program of Bcfg2 tells.
type Finding struct {
	// Program is bcfg2-lint, bcfg2-repo-validate or bcfg2-test; Plugin is its part.
	Program, Plugin string
	// Name is the finding's own; programs without names have What alone.
	Name, What string
	// Codes are ours; where there are none, Why says why it is left out.
	Codes []string
	Why   string
}

const (
	lint     = "bcfg2-lint"
	validate = "bcfg2-repo-validate"
	test     = "bcfg2-test"
	noXSD    = "Schemas are tables of the program, and XSD files are not read."
)

// Findings lists everything that Bcfg2's programs tell, with what tells it here.
func Findings(all []Code) []Finding {
	var out []Finding
	why := map[string]string{
		"schema-failed-to-parse": noXSD, "input-output-error": noXSD,
		"group-tag-not-allowed": "Groups in templated bundles are evaluated, as Bcfg2 1.3 does.",
	}
	for _, part := range [][2]string{
		{"Validate", "xml-failed-to-parse xml-failed-to-read xml-failed-to-verify xinclude-does-not-exist properties-schema-not-found schema-failed-to-parse input-output-error"},
		{"ValidateJSON", "json-failed-to-parse"},
		{"Pkgmgr", "duplicate-packages"},
		{"Crypto", "unencrypted-cfg unencrypted-properties empty-encrypted-properties"},
		{"Bundler", "bundle-not-found unused-bundle explicit-bundle-name genshi-extension-bundle inconsistent-bundle-name group-tag-not-allowed"},
		{"Cfg", "unknown-cfg-files extra-cfg-files multiple-global-handlers no-pubkey-xml"},
		{"Comments", "keywords-not-found comments-not-found unexpanded-keywords broken-xinclude-chain"},
		{"Deltas", "cat-file-used diff-file-used"},
		{"Genshi", "genshi-syntax-error unknown-genshi-error"},
		{"Jinja2", "jinja2-syntax-error unknown-jinja2-error"},
		{"GroupNames", "invalid-group-name"},
		{"GroupPatterns, AWSTags", "pattern-fails-to-initialize"},
		{"InfoXML", "no-infoxml required-infoxml-attrs-missing paranoid-false"},
		{"MergeFiles", "merge-cfg merge-probes identical-cfg identical-probes"},
		{"Metadata", "nested-client-tags deprecated-clients-options nonexistent-profile-group non-profile-set-as-profile duplicate-group duplicate-client multiple-default-groups default-is-not-profile"},
		{"RequiredAttrs", "unknown-entry-tag unknown-entry-type required-attrs-missing required-attr-format missing-elements extra-attrs"},
		{"TemplateAbuse", "templated-script templated-executable"},
		{"TemplateHelper", "templatehelper-import-error templatehelper-no-export templatehelper-nonlist-export templatehelper-nonexistent-export templatehelper-reserved-export templatehelper-reserved-default templatehelper-underscore-export templatehelper-export-and-default"},
	} {
		for _, name := range strings.Fields(part[1]) {
			f := Finding{Program: lint, Plugin: part[0], Name: name, Why: why[name]}
			for _, c := range Find(all, name) {
				f.Codes = append(f.Codes, c.Code)
			}
			out = append(out, f)
		}
	}
	return append(out, unnamed()...)
}

// unnamed are the findings of the programs that give them no names.
func unnamed() []Finding {
	return []Finding{
		{Program: validate, What: "a file does not fit its schema", Codes: []string{"unknown-element", "unknown-attribute", "missing-attribute", "bad-value"}},
		{Program: validate, What: "a file is not well-formed", Codes: []string{"xml-failed-to-parse"}},
		{Program: validate, What: "a schema cannot be read", Why: noXSD},
		{Program: validate, What: "Properties do not fit their own schema", Why: noXSD},
		{Program: validate, What: "more than one default group", Codes: []string{"multiple-default-groups"}},
		{Program: validate, What: "a rule lacks attributes", Codes: []string{"required-attrs-missing"}},
		{Program: validate, What: "a package is listed twice in Pkgmgr", Codes: []string{"duplicate-packages"}},
		{Program: validate, What: "a bundle is named and not there", Codes: []string{"bundle-not-found"}},
		{Program: validate, What: "a bundle is called otherwise than its file", Codes: []string{"inconsistent-bundle-name"}},
		{Program: test, What: "a client has no content", Codes: []string{"host-without-content"}},
		{Program: test, What: "a bundle of a client is missing", Codes: []string{"bundle-not-found"}},
		{Program: test, What: "a package has the type unknown", Codes: []string{"package-type-unknown"}},
		{Program: test, What: "an entry cannot be bound", Why: "Every cause has a code of its own, at its line: `bindery lint --build` tells all of them."},
	}
}

// Bcfg2Page is the reference page of what Bcfg2's programs tell, in Markdown.
func Bcfg2Page(all []Code) []byte {
	var b strings.Builder
	b.WriteString("# Findings of bcfg2-lint, bcfg2-repo-validate and bcfg2-test\n\nWhat Bcfg2's own programs tell of a specification, and [what tells it here](problems.md). `bindery lint` looks for all of it; for what bcfg2-test finds it takes `--build`. Where the names are the same, settings such as `[errors]` of bcfg2.conf hold as they are; other names are understood there too.\n\n")
	b.WriteString("This page is generated: `make docs` writes it.\n\n| program | part | finding | here |\n|---|---|---|---|\n")
	for _, f := range Findings(all) {
		name := f.What
		if f.Name != "" {
			name = "`" + f.Name + "`"
		}
		here := f.Why
		if here != "" {
			here = "left out: " + here
		}
		for i, code := range f.Codes {
			if i > 0 {
				here += ", "
			}
			here += fmt.Sprintf("[`%s`](problems.md#%s)", code, code)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.Program, f.Plugin, name, here)
	}
	return []byte(b.String())
}
