// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/self"
	"github.com/bindery/bindery/agent/system"
)

// links is where an administrator's tools enable units, homes is where units are.
const links = "/etc/systemd/system"

func homes() []string { return []string{links, "/usr/lib/systemd/system", "/lib/systemd/system"} }

// spared are services that a host has without anybody asking: systemd's own, the ways
// to log in at its console, and the agent.
func spared(name string) bool {
	return self.Service(name) || slices.ContainsFunc([]string{"systemd-", "getty@", "serial-getty@", "console-getty.", "dbus"},
		func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// Extras implements driver.Surveyor: services that were enabled, by the links that
// systemctl(1) enable makes, and that no entry names, by an alias or otherwise. What is
// read are directories, so that a run without work starts no program for it.
func (d *Driver) Extras(ctx context.Context, items []driver.Item) ([]driver.Surplus, error) {
	b := &batch{Driver: d, ctx: ctx}
	if why, err := b.reach(); err != nil || why != "" {
		return nil, err
	}
	asked := map[string]bool{}
	for _, item := range items {
		name, err := unit(item.Entry.Name())
		if err != nil {
			continue // its own entry says so
		}
		asked[name] = true
		for _, home := range homes() {
			if info, err := d.c.Machine.Files.Look(home + "/" + name); err == nil && info.Kind == system.Symlink {
				asked[path.Base(info.Target)] = true
			}
		}
	}
	enabled, err := d.linked()
	if err != nil {
		return nil, err
	}
	var out []driver.Surplus
	for _, name := range enabled {
		if !asked[name] && !spared(name) {
			out = append(out, driver.Surplus{Kind: driver.Kind{Tag: "Service", Type: "systemd"}, Name: name, What: "enabled"})
		}
	}
	return out, nil
}

// linked lists the services that something wants by a link, sorted.
func (d *Driver) linked() ([]string, error) {
	dirs, err := d.c.Machine.Files.List(links)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, dir := range dirs {
		if dir.Kind != system.Directory || !strings.HasSuffix(dir.Name, ".wants") && !strings.HasSuffix(dir.Name, ".requires") {
			continue
		}
		list, err := d.c.Machine.Files.List(links + "/" + dir.Name)
		if err != nil {
			return nil, err
		}
		for _, l := range list {
			if l.Kind == system.Symlink && strings.HasSuffix(l.Name, ".service") && unitName.MatchString(l.Name) {
				out = append(out, l.Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Remove implements driver.Remover: services are disabled and stopped. Their units
// stay.
func (d *Driver) Remove(ctx context.Context, what []driver.Surplus) []error {
	out := make([]error, len(what))
	names := make([]string, len(what))
	for i, s := range what {
		names[i] = s.Name
	}
	b, why, err := d.units(ctx, names...)
	if err == nil && why != "" {
		err = errors.New(why)
	}
	if err != nil {
		for i := range out {
			out[i] = err
		}
		return out
	}
	_ = b.all(b.tasks, "disable", func(*task) bool { return true })
	if !b.offline {
		_ = b.all(b.tasks, "stop", func(t *task) bool { return t.now.found().Running })
	}
	for i, t := range b.tasks {
		out[i] = t.result.Err
	}
	return out
}

var (
	_ driver.Surveyor = (*Driver)(nil)
	_ driver.Remover  = (*Driver)(nil)
)
