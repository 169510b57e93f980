// SPDX-License-Identifier: Apache-2.0

package initd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/self"
	"github.com/bindery/bindery/agent/system"
)

// spared are scripts that a host starts without anybody asking, and the agent.
func spared(name string) bool {
	return self.Service(name) || slices.Contains([]string{"local", "rc.local", "rmnologin", "bootlogs", "single", "killprocs", "reboot", "halt"}, name)
}

// Extras implements driver.Surveyor: what starts with the host in the runlevels of an
// administrator, and no entry names. Only directories are read. Of managers whose own
// services nobody can tell from others, nothing is listed.
func (d *Driver) Extras(ctx context.Context, items []driver.Item) ([]driver.Surplus, error) {
	why, err := d.reach(ctx)
	if err != nil || why != "" || d.tool.started == nil {
		return nil, err
	}
	names, err := d.tool.started(d.c.Machine.Files)
	if err != nil {
		return nil, err
	}
	asked := map[string]bool{}
	for _, item := range items {
		asked[strings.TrimSuffix(item.Entry.Name(), ".service")] = true
	}
	var out []driver.Surplus
	for _, name := range names {
		if !asked[name] && !spared(name) && d.named(name) {
			out = append(out, driver.Surplus{Kind: driver.Kind{Tag: "Service", Type: d.c.Type}, Name: name, What: "enabled"})
		}
	}
	return out, nil
}

// ofLevels lists the scripts that the links of some runlevels start, sorted.
func ofLevels(files system.Files) ([]string, error) {
	var out []string
	for _, level := range "2345" {
		list, err := listed(files, fmt.Sprintf("/etc/rc%c.d", level))
		if err != nil {
			return nil, err
		}
		for _, link := range list {
			if name, ok := startedBy(link); ok {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// ofDefault lists the scripts of OpenRC's default runlevel.
func ofDefault(files system.Files) ([]string, error) { return listed(files, "/etc/runlevels/default") }

// listed are the names in a directory, sorted.
func listed(files system.Files, dir string) ([]string, error) {
	list, err := files.List(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	out := make([]string, len(list))
	for i, info := range list {
		out[i] = info.Name
	}
	return out, nil
}

// startedBy is the script that a link named S, a number and its name is for.
func startedBy(link string) (string, bool) {
	if len(link) > 3 && link[0] == 'S' && strings.Trim(link[1:3], "0123456789") == "" {
		return link[3:], true
	}
	return "", false
}

// Remove implements driver.Remover: services are disabled and stopped. Their scripts
// stay.
func (d *Driver) Remove(ctx context.Context, what []driver.Surplus) []error {
	out := make([]error, len(what))
	why, err := d.reach(ctx)
	if why != "" {
		err = errors.New(why)
	}
	for i, s := range what {
		if out[i] = err; err == nil {
			out[i] = d.retire(ctx, s.Name)
		}
	}
	return out
}

func (d *Driver) retire(ctx context.Context, name string) error {
	if !d.named(name) || spared(name) {
		return errNoName
	}
	c := &call{Driver: d, ctx: ctx, name: name}
	now, err := d.tool.look(c)
	if err == nil && now.Enabled {
		now, err = c.tell(now, "disable")
	}
	if err == nil && now.Running {
		_, err = c.tell(now, "stop")
	}
	return err
}

var (
	_ driver.Surveyor = (*Driver)(nil)
	_ driver.Remover  = (*Driver)(nil)
)
