// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"fmt"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/service"
)

// Standing implements driver.Keeper.
func (d *Driver) Standing(ctx context.Context, items []driver.Item) ([]driver.Standing, error) {
	b := &batch{Driver: d, ctx: ctx, results: make([]driver.Result, len(items))}
	if why, err := b.reach(); err != nil || why != "" {
		return nil, err
	}
	b.read(items)
	return b.standing()
}

func (b *batch) standing() ([]driver.Standing, error) {
	if err := b.look(); err != nil {
		return nil, err
	}
	out := make([]driver.Standing, len(b.tasks))
	for i, t := range b.tasks {
		out[i] = driver.Standing{Kind: driver.Kind{Tag: "Service", Type: "systemd"}, Name: t.unit, State: t.now.found().Words()}
	}
	return out, nil
}

// units looks at units by name.
func (d *Driver) units(ctx context.Context, names ...string) (*batch, string, error) {
	b := &batch{Driver: d, ctx: ctx}
	why, err := b.reach()
	if err != nil || why != "" {
		return b, why, err
	}
	for _, name := range names {
		if _, err := unit(name); err != nil {
			return b, "", err
		}
		b.tasks = append(b.tasks, &task{unit: name, result: &driver.Result{}})
	}
	return b, "", b.look()
}

// Again implements driver.Keeper.
func (d *Driver) Again(ctx context.Context, was []driver.Standing) ([]driver.Standing, error) {
	names := make([]string, len(was))
	for i, s := range was {
		names[i] = s.Name
	}
	b, why, err := d.units(ctx, names...)
	if err != nil || why != "" {
		return nil, err
	}
	return b.standing()
}

// Restore implements driver.Keeper. A unit that ran before and runs now is told to
// read its files again.
func (d *Driver) Restore(ctx context.Context, p driver.Passage, r driver.Restoration) (out driver.Restored) {
	b, why, err := d.units(ctx, p.Name)
	if err != nil || why != "" {
		out.Err = err
		return out
	}
	t := b.tasks[0]
	var verbs []string
	verbs, out.Kept = service.Back(p, t.now.found().Words(), r)
	if b.offline {
		verbs = bootOnly(verbs)
	}
	for _, verb := range verbs {
		out.What = append(out.What, verb+" "+p.Name)
	}
	if r.Apply && len(verbs) > 0 {
		out.Err = b.tell(t, verbs)
	}
	return out
}

func bootOnly(verbs []string) []string {
	var out []string
	for _, v := range verbs {
		if v == "enable" || v == "disable" {
			out = append(out, v)
		}
	}
	return out
}

func (b *batch) tell(t *task, verbs []string) error {
	if t.now.stale == "yes" && !b.offline {
		if err := b.all(b.tasks, "daemon-reload", nil); err != nil {
			return err
		}
	}
	for _, verb := range verbs {
		_ = b.all(b.tasks, verb, func(*task) bool { return true })
		if err := t.result.Err; err != nil {
			return fmt.Errorf("%s: %w", t.unit, err)
		}
	}
	return nil
}

var _ driver.Keeper = (*Driver)(nil)
