// SPDX-License-Identifier: Apache-2.0

package plugins

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

// idle are plugins of Bcfg2 that change no configuration: what they did is done by
// the controller, or by nobody any more. BundleTemplates is what Bundler does by itself.
var idle = []string{
	"ACL", "BB", "BundleTemplates", "Bzr", "Cvs", "DBStats", "Darcs", "Fossil", "Git", "Guppy", "Hg",
	"Reporting", "Snapshots", "Statistics", "Svn", "Svn2",
}

// retired are plugins that say nothing here although a specification may count on
// them, with what that means and what to do.
var retired = map[string][2]string{
	"Account":  {"it filled ConfigFile entries, which no server since 1.1 asks it for: nothing is served from Account", "write /etc/passwd and the like into Cfg"},
	"Editor":   {"it edited files that hosts had: nothing is served from Editor", "write the files into Cfg, or templates of them"},
	"Hostbase": {"its data are in a database of its own: nothing is served from Hostbase", "write the zones and the lists of hosts into Cfg"},
	"Trigger":  {"its programs are not run: no code of a specification runs on the controller", "have the controller tell a program of yours what came of each run: events in controller.yaml"},
}

// report names a plugin that is on and is not evaluated.
func report(env plugin.Env, name string) {
	if slices.Contains(evaluated, name) || slices.Contains(idle, name) {
		return
	}
	why, known := retired[name]
	switch {
	case !known:
		env.Report(problem.New(problem.Pos{File: "bindery.yaml"}, "unknown-plugin", fmt.Sprintf("plugin %s is not known; it is left out", name), "take it out of the list of plugins"))
	case holdsFiles(env.FS, name):
		env.Report(problem.Warn(problem.Pos{File: name}, "plugin-not-supported", "plugin "+name+": "+why[0], why[1]))
	}
}

// holdsFiles tells whether there is anything in a plugin's directory.
func holdsFiles(fsys fs.FS, dir string) bool {
	list, err := fs.ReadDir(fsys, dir)
	return len(list) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist)
}
