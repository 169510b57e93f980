// SPDX-License-Identifier: Apache-2.0

package external

import (
	"path"
	"strings"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/host"
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/problem"
)

// ohai asks hosts for what the program of that name tells. It is safe for
// concurrent use.
type ohai struct {
	// kept is what Bcfg2's server wrote into the repository, by host.
	kept map[string]string
}

var (
	_ plugin.Connector = (*ohai)(nil)
	_ plugin.Asker     = (*ohai)(nil)
)

// maxOhai bounds one answer in bytes.
const maxOhai = 4 << 20

func newOhai(env plugin.Env) *ohai {
	o := &ohai{kept: map[string]string{}}
	for _, name := range plugin.Walk(env, "Ohai") {
		of, ok := strings.CutSuffix(path.Base(name), ".json")
		if !ok {
			continue
		}
		data, p := file.Read(env.FS, name, maxOhai)
		switch {
		case p != nil:
			env.Report(p)
		case object(string(data)) != nil:
			env.Report(problem.New(problem.Pos{File: name}, "external-data-unusable", "this is not one JSON object", "take the file out, or keep what ohai printed"))
		default:
			o.kept[of] = string(data)
		}
	}
	return o
}

// Name is the plugin's name.
func (*ohai) Name() string { return "Ohai" }

// Groups gives none, and attaches what is known: the host's own answer, else what is
// recorded for it, else what is in the repository.
func (o *ohai) Groups(h *host.Host) ([]host.Grant, *problem.Problem) {
	key := (&config.Probe{Name: "Ohai", Source: "Ohai"}).Key()
	text, ok := h.Probes[key]
	if !ok {
		text, ok = h.External["Ohai"]
	}
	if !ok {
		text, ok = o.kept[h.Name]
	}
	switch {
	case !ok, strings.TrimSpace(text) == "":
	case object(text) != nil:
		return nil, problem.Warn(problem.Pos{File: "Ohai"}, "external-data-unusable", "what ohai told of the host is not one JSON object", "run ohai on the host and see what it prints")
	default:
		h.Attach("Ohai", text)
	}
	return nil, nil
}

// Ask gives the probe.
func (o *ohai) Ask(*memo.View) ([]config.Probe, []*problem.Problem) {
	return []config.Probe{{Name: "Ohai", Source: "Ohai", Interpreter: "/bin/sh", Script: ohaiScript}}, nil
}

const ohaiScript = `#!/bin/sh
PATH=$PATH:/sbin:/usr/sbin
export PATH
if command -v ohai >/dev/null 2>&1; then
    ohai
else
    # so that a template can ask whether something is in it
    echo '{}'
fi
`
