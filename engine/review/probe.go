// SPDX-License-Identifier: Apache-2.0

package review

import (
	"slices"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review/redaction"
)

// probes shows the probes of hosts as entries of one structure. They are no part of a
// configuration, but they are code that runs on hosts, and what their answers change is
// not known before they ran.
type probes struct {
	structure *config.Bundle
	entries   map[config.Probe]*config.Entry
	digests   map[*config.Probe]config.Digest
}

func newProbes() *probes {
	return &probes{config.NewBundle("Probes", nil, nil), map[config.Probe]*config.Entry{}, map[*config.Probe]config.Digest{}}
}

// digest covers the probes of one side; many hosts share their list.
func (x *probes) digest(s *Side) config.Digest {
	if s == nil || len(s.Probes) == 0 {
		return config.Digest{}
	}
	at := &s.Probes[0]
	d, ok := x.digests[at]
	if !ok {
		d = config.ProbeDigest(s.Probes)
		x.digests[at] = d
	}
	return d
}

func (x *probes) entry(p config.Probe) *config.Entry {
	e := x.entries[p]
	if e == nil {
		e = config.NewEntry(config.Entry{
			Tag:   redaction.ProbeTag,
			Attrs: []config.Attr{{Name: "name", Value: p.Key()}, {Name: "interpreter", Value: p.Interpreter}},
			Text:  p.Script,
		})
		x.entries[p] = e
	}
	return e
}

func (x *probes) of(s *Side) []*config.Entry {
	if s == nil {
		return nil
	}
	out := make([]*config.Entry, len(s.Probes))
	for i, p := range s.Probes {
		out[i] = x.entry(p)
	}
	return out
}

// changes compares what a host is asked on both sides.
func (x *probes) changes(base, head *Side) []config.Change {
	find := func(in []*config.Entry, name string) *config.Entry {
		i := slices.IndexFunc(in, func(e *config.Entry) bool { return e.Name() == name })
		if i < 0 {
			return nil
		}
		return in[i]
	}
	var out []config.Change
	old, now := x.of(base), x.of(head)
	for _, e := range old {
		ch := config.Change{Kind: config.Modified, Key: config.Key{Tag: redaction.ProbeTag, Name: e.Name()}, Old: e, OldBundle: x.structure}
		switch n := find(now, e.Name()); {
		case n == nil:
			ch.Kind = config.Removed
		case n == e:
			continue
		default:
			ch.New, ch.NewBundle = n, x.structure
		}
		out = append(out, ch)
	}
	for _, e := range now {
		if find(old, e.Name()) == nil {
			out = append(out, config.Change{Kind: config.Added, Key: config.Key{Tag: redaction.ProbeTag, Name: e.Name()}, New: e, NewBundle: x.structure})
		}
	}
	return out
}
