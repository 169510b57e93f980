// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"

	"github.com/goccy/go-yaml"
	"gopkg.in/ini.v1"

	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

// settingsFile and legacyFile are where a specification says how it is to be read.
const (
	settingsFile = "bindery.yaml"
	legacyFile   = "bcfg2.conf"
)

// settings is bindery.yaml.
type settings struct {
	// Plugins are the plugins that are on, by Bcfg2's names.
	Plugins []string `yaml:"plugins"`
	// Policy says how agents apply.
	Policy Policy `yaml:"policy"`
}

// Modes of a Policy.
const (
	ModeApply  = "apply"
	ModeReport = "report"
)

// readSettings reads bindery.yaml and bcfg2.conf of the tree, under what opts say.
func readSettings(fsys fs.FS, opts Options, report func(*problem.Problem)) (settings, plugin.Conf) {
	var s settings
	if data, err := fs.ReadFile(fsys, settingsFile); err == nil {
		if err := yaml.UnmarshalWithOptions(data, &s, yaml.Strict()); err != nil {
			report(yamlProblem(err))
			s = settings{}
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		report(problem.New(problem.Pos{File: settingsFile}, "unreadable-file", "cannot be read: "+plugin.Reason(err), ""))
	}
	switch s.Policy.Mode {
	case "":
		s.Policy.Mode = ModeApply
	case ModeApply, ModeReport:
	default:
		report(problem.New(problem.Pos{File: settingsFile}, "bad-setting", fmt.Sprintf("policy.mode is %q", s.Policy.Mode), "write apply or report"))
		s.Policy.Mode = ModeReport // the one that changes nothing
	}
	conf := plugin.Conf{}
	if data, err := fs.ReadFile(fsys, legacyFile); err == nil {
		parsed, err := ParseConf(data)
		if err != nil {
			report(problem.New(problem.Pos{File: legacyFile}, "bad-conf", err.Error(), ""))
		}
		conf = parsed
	}
	for section, options := range opts.Conf {
		if conf[section] == nil {
			conf[section] = map[string]string{}
		}
		maps.Copy(conf[section], options)
	}
	if opts.Plugins != nil {
		s.Plugins = opts.Plugins
	}
	if list := conf["server"]["plugins"]; s.Plugins == nil && list != "" {
		s.Plugins = strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' })
	}
	return s, conf
}

func yamlProblem(err error) *problem.Problem {
	pos := problem.Pos{File: settingsFile}
	msg := err.Error()
	var ye yaml.Error
	if errors.As(err, &ye) {
		msg = ye.GetMessage()
		if t := ye.GetToken(); t != nil && t.Position != nil {
			pos.Line, pos.Column = t.Position.Line, t.Position.Column
		}
	}
	return problem.New(pos, "bad-settings", msg, "the keys are plugins and policy.mode")
}

// ParseConf reads a bcfg2.conf: sections of options, names in lower case.
func ParseConf(data []byte) (map[string]map[string]string, error) {
	f, err := ini.LoadSources(ini.LoadOptions{
		Insensitive: true, AllowPythonMultilineValues: true, IgnoreInlineComment: true, SkipUnrecognizableLines: false,
	}, data)
	if err != nil {
		return nil, fmt.Errorf("read bcfg2.conf: %w", err)
	}
	out := map[string]map[string]string{}
	for _, s := range f.Sections() {
		if len(s.Keys()) > 0 {
			out[s.Name()] = s.KeysHash()
		}
	}
	return out, nil
}
