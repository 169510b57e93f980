// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
	"gopkg.in/ini.v1"

	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/vault"
	"github.com/bindery/bindery/engine/problem"
)

// settingsFile and legacyFile are where a specification says how it is to be read;
// packagesFile is where it said so of Packages before Bcfg2 1.3.
const (
	settingsFile = "bindery.yaml"
	legacyFile   = "bcfg2.conf"
	packagesFile = "Packages/packages.conf"
)

// settings is bindery.yaml.
type settings struct {
	// Plugins are the plugins that are on, by Bcfg2's names.
	Plugins []string `yaml:"plugins"`
	// Policy says how agents apply.
	Policy Policy `yaml:"policy"`
	// Lint says how findings of lint count.
	Lint LintSettings `yaml:"lint"`
	// Sensitive are paths whose content no report may show, as patterns: * stands for a
	// part of a name, and a / at the end for everything below.
	Sensitive []string `yaml:"sensitive"`
}

// LintSettings says how findings count: what stops a build stays an error.
type LintSettings struct {
	// Severity gives codes another severity: error, warning or silent. It wins over the
	// section [errors] of bcfg2.conf.
	Severity map[string]string `yaml:"severity"`
}

// Modes of a Policy.
const (
	ModeApply  = "apply"
	ModeReport = "report"
)

// readSettings reads bindery.yaml and bcfg2.conf of the tree, under what opts say.
func readSettings(fsys fs.FS, opts Options, report func(*problem.Problem)) (settings, plugin.Conf) {
	var s settings
	if data := readIfThere(fsys, settingsFile, report); data != nil {
		var p *problem.Problem
		if s, p = parseSettings(data); p != nil {
			report(p)
		}
	}
	s.Policy.check(report)
	checkPatterns(s.Sensitive, report)
	conf := plugin.Conf{}
	if data := readIfThere(fsys, legacyFile, report); data != nil {
		parsed, err := ParseConf(data)
		switch {
		case err != nil && bytes.Contains(data, []byte("[encryption]")):
			// The reader quotes the line, which may hold a passphrase.
			report(problem.New(problem.Pos{File: legacyFile}, "bad-conf", "it cannot be read", ""))
		case err != nil:
			report(problem.New(problem.Pos{File: legacyFile}, "bad-conf", err.Error(), ""))
		default:
			conf = parsed
			passphrases(data, conf, report)
		}
	}
	if data := readIfThere(fsys, packagesFile, report); data != nil {
		older, err := ParseConf(data)
		if err != nil {
			report(problem.New(problem.Pos{File: packagesFile}, "bad-conf", strings.Replace(err.Error(), legacyFile, packagesFile, 1), ""))
		}
		adopt(conf, older)
	}
	legacy := pluginList(conf)
	if len(s.Lint.Severity) > 0 {
		if conf["errors"] == nil {
			conf["errors"] = map[string]string{}
		}
		maps.Copy(conf["errors"], s.Lint.Severity)
	}
	for section, options := range opts.Conf {
		if conf[section] == nil {
			conf[section] = map[string]string{}
		}
		maps.Copy(conf[section], options)
	}
	// The flag, what --conf says, bindery.yaml, and a bcfg2.conf of the tree last.
	for _, list := range [][]string{opts.Plugins, pluginList(opts.Conf), s.Plugins, legacy} {
		if list != nil {
			s.Plugins = list
			break
		}
	}
	return s, conf
}

// checkPatterns tells of patterns that no path can match.
func checkPatterns(patterns []string, report func(*problem.Problem)) {
	for _, pattern := range patterns {
		if _, err := path.Match(pattern, ""); err != nil || !strings.HasPrefix(pattern, "/") {
			report(problem.New(problem.Pos{File: settingsFile}, "bad-setting", fmt.Sprintf("sensitive: %q is no pattern of a whole path", pattern), "write it from / on, such as /etc/app/*.key or /etc/app/private/"))
		}
	}
}

// adopt adds what a packages.conf says to what bcfg2.conf does not: its section
// global is [packages] there, and others are [packages:NAME].
func adopt(conf, older plugin.Conf) {
	for section, options := range older {
		name := "packages:" + section
		if section == "global" {
			name = "packages"
		}
		merged := map[string]string{}
		maps.Copy(merged, options)
		maps.Copy(merged, conf[name])
		conf[name] = merged
	}
}

// passphrases reports those that stand in the tree.
func passphrases(data []byte, conf plugin.Conf, report func(*problem.Problem)) {
	for option := range conf["encryption"] {
		if vault.Setting(option) {
			continue
		}
		at := problem.Pos{File: legacyFile}
		if i := bytes.Index(data, []byte("[encryption]")); i >= 0 {
			at.Line = 1 + bytes.Count(data[:i], []byte("\n"))
		}
		report(problem.Warn(at, "passphrase-in-tree", "passphrases stand beside what they open: whoever reads the repository has the secrets",
			"take them out and give them from outside: --passphrases FILE, or encrypted.passphrase_file in controller.yaml; what was encrypted with them is known, and has to be replaced"))
		return
	}
}

func pluginList(conf plugin.Conf) []string {
	list, ok := conf["server"]["plugins"]
	if !ok {
		return nil
	}
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// maxSettings bounds bindery.yaml and bcfg2.conf in bytes.
const maxSettings = 1 << 20

func readIfThere(fsys fs.FS, name string, report func(*problem.Problem)) []byte {
	if _, err := fs.Stat(fsys, name); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	data, p := file.Read(fsys, name, maxSettings)
	if p != nil {
		report(p)
	}
	return data
}

func parseSettings(data []byte) (settings, *problem.Problem) {
	if line := file.TooDeep(data); line > 0 {
		return settings{}, problem.New(problem.Pos{File: settingsFile, Line: line}, "bad-settings", "it is nested too deeply", "")
	}
	var s settings
	if err := yaml.UnmarshalWithOptions(data, &s, yaml.Strict()); err != nil && !errors.Is(err, io.EOF) {
		return settings{}, yamlProblem(err)
	}
	return s, nil
}

// settingAt finds what stands at a path of bindery.yaml: the key, or the element of a
// list.
func settingAt(fsys fs.FS, where ...any) problem.Pos {
	pos := problem.Pos{File: settingsFile}
	data, p := file.Read(fsys, settingsFile, maxSettings)
	if p != nil || file.TooDeep(data) > 0 {
		return pos
	}
	doc, err := parser.ParseBytes(data, 0)
	if err != nil || len(doc.Docs) == 0 {
		return pos
	}
	at := doc.Docs[0].Body
	var tok *token.Token
	for _, step := range where {
		switch step := step.(type) {
		case int:
			if list, ok := at.(*ast.SequenceNode); ok && step < len(list.Values) {
				at = list.Values[step]
				tok = at.GetToken()
				continue
			}
		case string:
			if pairs, ok := at.(ast.MapNode); ok {
				if key, value := settingOf(pairs, step); key != nil {
					at, tok = value, key.GetToken()
					continue
				}
			}
		}
		break // aliases and merges are not followed; what is above is near enough
	}
	if tok != nil && tok.Position != nil {
		pos.Line, pos.Column = tok.Position.Line, tok.Position.Column
	}
	return pos
}

func settingOf(pairs ast.MapNode, name string) (key, value ast.Node) {
	for it := pairs.MapRange(); it.Next(); {
		if text, ok := it.Key().(*ast.StringNode); ok && text.Value == name {
			return text, it.Value()
		}
	}
	return nil, nil
}

func yamlProblem(err error) *problem.Problem {
	pos := problem.Pos{File: settingsFile}
	msg := err.Error()
	if ye, ok := errors.AsType[yaml.Error](err); ok {
		msg = ye.GetMessage()
		if t := ye.GetToken(); t != nil && t.Position != nil {
			pos.Line, pos.Column = t.Position.Line, t.Position.Column
		}
	}
	return problem.New(pos, "bad-settings", msg, "the keys are plugins, policy, lint.severity and sensitive; the page of settings lists what they hold")
}

// ParseConf reads a bcfg2.conf: sections of options, names in lower case.
func ParseConf(data []byte) (map[string]map[string]string, error) {
	f, err := ini.LoadSources(ini.LoadOptions{
		Insensitive: true, AllowPythonMultilineValues: true, IgnoreInlineComment: true, SkipUnrecognizableLines: false,
		PreserveSurroundedQuote: true, IgnoreContinuation: true,
	}, data)
	if err != nil {
		return nil, fmt.Errorf("read bcfg2.conf: %w", err)
	}
	out := map[string]map[string]string{}
	for _, s := range f.Sections() {
		if len(s.Keys()) == 0 {
			continue
		}
		out[s.Name()] = s.KeysHash()
		for option, value := range out[s.Name()] {
			out[s.Name()][option] = pythonValue(value)
		}
	}
	return out, nil
}

// pythonValue is a value as Python's reader takes it: lines without the blanks
// around them, and in the first one nothing behind a semicolon after a blank.
func pythonValue(value string) string {
	lines := strings.Split(value, "\n")
	if i := strings.IndexByte(lines[0], ';'); i > 0 && (lines[0][i-1] == ' ' || lines[0][i-1] == '\t') {
		lines[0] = lines[0][:i]
	}
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}
