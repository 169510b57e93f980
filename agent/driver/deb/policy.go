// SPDX-License-Identifier: Apache-2.0

package deb

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/system"
)

// offer is what the configured sources have of one package.
type offer struct {
	Candidate string   `json:"candidate,omitempty"`
	Versions  []string `json:"versions,omitempty"`
}

// policy are the offers by the name that apt uses.
type policy map[string]offer

// memo keeps the last policy as long as what it was made of is the same: asking
// apt-cache costs more than all the rest of a run that finds nothing to do.
type memo struct {
	Mark  string          `json:"mark"`
	Known policy          `json:"known"`
	Asked map[string]bool `json:"asked"`
}

// apt reads these: apt.conf(5), apt_preferences(5), sources.list(5).
func sources() []string {
	return []string{
		"/var/lib/apt/lists", "/etc/apt", "/etc/apt/apt.conf.d", "/etc/apt/preferences.d", "/etc/apt/sources.list.d",
	}
}

// mark changes whenever apt-cache could answer something else.
func (d *Driver) mark() (string, error) {
	var b strings.Builder
	note := func(i system.Info) {
		fmt.Fprintln(&b, i.Name, i.Inode, i.Size, i.Modified.UnixNano(), i.Changed.UnixNano())
	}
	info, err := d.c.Machine.Files.Look(statusFile)
	if err != nil {
		return "", err
	}
	note(info)
	for _, dir := range sources() {
		list, err := d.c.Machine.Files.List(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		for _, info := range list {
			note(info)
		}
	}
	return b.String(), nil
}

// ask tells what the sources have of some packages, in one call.
func (d *Driver) ask(ctx context.Context, names []string) (policy, error) {
	mark, err := d.mark()
	if err != nil {
		return nil, err
	}
	if d.policies.Mark == mark && !slices.ContainsFunc(names, func(n string) bool { return !d.policies.Asked[n] }) {
		return d.policies.Known, nil
	}
	args := append([]string{"apt-cache", "-q", "policy", "--"}, names...)
	r, err := d.c.Machine.Processes.Run(ctx, system.Command{
		Args: args, Env: environment(), Dir: "/", Timeout: 2 * time.Minute, MaxOutput: 16 << 20, MaxTail: maxTail, Asks: true,
	})
	if err != nil {
		return nil, fmt.Errorf("apt-cache policy: %w", err)
	}
	if r.Exit != 0 {
		return nil, ended("apt-cache policy", r)
	}
	asked := map[string]bool{}
	for _, n := range names {
		asked[n] = true
	}
	d.policies = memo{Mark: mark, Known: parsePolicy(r.Stdout), Asked: asked}
	d.news = true
	return d.policies.Known, nil
}

// parsePolicy reads what "apt-cache policy NAME…" writes (apt_preferences(5) and
// apt's own cmdline/apt-cache.cc): a name, what would be installed, and a table of
// versions, each followed by its sources, which stand deeper.
func parsePolicy(out []byte) policy {
	p := policy{}
	name, table := "", false
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		line := lines.Text()
		text := strings.TrimSpace(line)
		switch o := p[name]; {
		case !strings.HasPrefix(line, " ") && strings.HasSuffix(line, ":"):
			name, table = strings.TrimSuffix(line, ":"), false
			p[name] = offer{}
		case strings.HasPrefix(text, "Candidate: "):
			if c := strings.TrimPrefix(text, "Candidate: "); c != "(none)" {
				o.Candidate = c
				p[name] = o
			}
		case text == "Version table:":
			table = true
		case table && (strings.HasPrefix(line, " *** ") || strings.HasPrefix(line, "     ") && !strings.HasPrefix(line, "      ")):
			o.Versions = append(o.Versions, strings.Fields(strings.TrimPrefix(text, "*** "))[0])
			p[name] = o
		}
	}
	return p
}

// automatic lists what apt installed because something else needed it.
func automatic(files system.Files) (map[string]bool, error) {
	out := map[string]bool{}
	r, err := files.Open(extendedFile)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	err = stanzas(r, func(field func(string) string) {
		if field("Auto-Installed") == "1" {
			out[field("Package")+":"+field("Architecture")] = true
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", extendedFile, err)
	}
	return out, nil
}
