// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/bindery/bindery/controller/blob/dir"
	"github.com/bindery/bindery/controller/keys"
	"github.com/bindery/bindery/controller/publish"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/fixtures/fleet"
)

// published is how many hosts are published, one after the other.
const published = 40

// publishOne takes hosts whose configuration changed and publishes them one at a
// time: pack, seal, sign, four durable writes. A host's first release is not
// measured, its second is.
func publishOne(ctx context.Context, _ int) (record, error) {
	base, head, err := changed(ctx)
	if err != nil {
		return record{}, err
	}
	folder, err := os.MkdirTemp("", "bench-*")
	if err != nil {
		return record{}, fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(folder)
	p, closeStore, err := publisher(ctx, folder)
	if err != nil {
		return record{}, err
	}
	defer closeStore()
	hosts, err := enrolled(published)
	if err != nil {
		return record{}, err
	}
	if _, err := each(ctx, p, hosts, base); err != nil {
		return record{}, err
	}
	// Two releases of one host are at least a second apart; that wait is no cost.
	time.Sleep(1100 * time.Millisecond)
	var walls []float64
	u, err := clocked(func() error {
		walls, err = each(ctx, p, hosts, head)
		return err
	})
	if err != nil {
		return record{}, err
	}
	c, err := durable(folder, head.XML(), len(hosts))
	if err != nil {
		return record{}, err
	}
	ms := func(s float64) float64 { return s * 1000 }
	return record{Wall: u.wall, CPU: u.cpu, Control: c, Figures: []figure{
		{"median per host", ms(walls[len(walls)/2]), "ms"},
		{"slowest", ms(walls[len(walls)-1]), "ms"},
		{"CPU per host", ms(u.cpu / published), "ms"},
		{"control per host", ms(c.Wall / published), "ms"},
		{"literal bytes per host", float64(len(head.XML())), "B"},
	}}, nil
}

// each publishes one configuration for every host and returns the wall seconds
// that each took, sorted.
func each(ctx context.Context, p *publish.Publisher, hosts []publish.Host, c *config.Config) ([]float64, error) {
	var walls []float64
	for _, h := range hosts {
		own := &config.Config{Host: h.Name, Bundles: c.Bundles}
		r := publish.Release{Host: h, Config: own, Policy: release.Policy{Mode: release.ModeApply}, Commit: "bench", Tree: "bench"}
		start := time.Now()
		out, err := p.Publish(ctx, r)
		if err != nil {
			return nil, err
		}
		if out.Unchanged {
			return nil, errors.New("nothing was published")
		}
		walls = append(walls, time.Since(start).Seconds())
	}
	slices.Sort(walls)
	return walls, nil
}

// changed binds one host of a fleet before and after a change.
func changed(ctx context.Context) (base, head *config.Config, err error) {
	f, err := fleet.New(fleet.Options{Hosts: 100, Seed: 1})
	if err != nil {
		return nil, nil, err
	}
	build := func(f *fleet.Fleet) (*config.Config, error) {
		spec, err := engine.Open(ctx, f.Tree, engine.Options{})
		if err != nil {
			return nil, err
		}
		r, err := spec.Build(ctx, engine.Input{Host: f.Hosts[0], Probes: map[string]string{}})
		if err != nil {
			return nil, err
		}
		if _, err := verify([]*engine.Result{r}, 1); err != nil {
			return nil, err
		}
		return r.Config, nil
	}
	if base, err = build(f); err != nil {
		return nil, nil, err
	}
	if head, err = build(f.Change(f.Hosts[0])); err != nil {
		return nil, nil, err
	}
	if base.Digest() == head.Digest() {
		return nil, nil, errors.New("the change changes nothing")
	}
	return base, head, nil
}

// publisher makes a trust root and a directory store below a folder.
func publisher(ctx context.Context, folder string) (*publish.Publisher, func(), error) {
	if _, err := keys.Init(keys.Ceremony{Offline: folder, Online: folder, Expires: time.Now().AddDate(1, 0, 0)}); err != nil {
		return nil, nil, err
	}
	online, err := keys.Load(folder)
	if err != nil {
		return nil, nil, err
	}
	store, err := dir.New(dir.Config{Path: filepath.Join(folder, "blob")})
	if err != nil {
		return nil, nil, err
	}
	p, err := publish.New(publish.Config{Store: store, Keys: online, Engine: "bench", Now: time.Now})
	if err == nil {
		err = p.Roots(ctx)
	}
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return p, func() { _ = store.Close() }, nil
}

func enrolled(n int) ([]publish.Host, error) {
	out := make([]publish.Host, n)
	for i := range out {
		id, err := release.NewIdentity()
		if err != nil {
			return nil, err
		}
		hostID, err := release.NewHostID()
		if err != nil {
			return nil, err
		}
		out[i] = publish.Host{Name: fmt.Sprintf("host%d.example.test", i), ID: hostID, Recipient: id.Public().Recipient}
	}
	return out, nil
}

// durable is the control for writes: the same bytes into one file each, with the
// same promises to the disk.
func durable(folder string, data []byte, n int) (*control, error) {
	c := &control{}
	u, err := clocked(func() error {
		for i := range n {
			if err := writeDurably(filepath.Join(folder, fmt.Sprintf("control-%d", i)), data); err != nil {
				return err
			}
			c.Bytes += int64(len(data))
		}
		return nil
	})
	c.Wall, c.CPU = u.wall, u.cpu
	return c, err
}

func writeDurably(name string, data []byte) error {
	f, err := os.Create(name) //nolint:gosec // below our own temporary folder
	if err != nil {
		return fmt.Errorf("write control: %w", err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("write control: %w", err)
	}
	d, err := os.Open(filepath.Dir(name))
	if err != nil {
		return fmt.Errorf("write control: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
