// SPDX-License-Identifier: Apache-2.0

// Package drivertest is the one suite that every driver passes: a check changes
// nothing, an applied entry is correct, a second run does nothing, a fault is an
// error that the next run repairs, and a secret is never told.
package drivertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/agent/system/systemtest"
	"github.com/bindery/bindery/engine/config"
)

// Canary is a word to put where a secret would be. No outcome of a sensitive
// entry may repeat it.
const Canary = "canary-7f3a"

// Suite says which driver is tested on which machine.
type Suite struct {
	// Machine opens an empty machine.
	Machine func(t *testing.T) *system.Machine
	// New makes the driver on a machine.
	New func(t *testing.T, m *system.Machine) driver.Driver
}

// Case is one entry.
type Case struct {
	Name  string
	Entry config.Entry
	// Others are further entries of the same configuration.
	Others []config.Entry
	// Prepare makes the machine what it is before.
	Prepare []system.Change
	// Arrange does what no change of a file can do.
	Arrange func(t *testing.T, m *system.Machine)
	// Found is the state before.
	Found driver.State
	// Repeats tells that the driver acts each time it is told to.
	Repeats bool
	// Fails tells that the entry cannot be made true; nothing may be touched.
	Fails bool
	// Stuck tells that the entry is found as it is, and cannot be made true.
	Stuck bool
	// Partly tells that a part of what is Stuck can be done.
	Partly bool
}

// Run runs all cases.
func (s Suite) Run(t *testing.T, cases []Case) {
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			if c.Fails {
				s.fails(t, c)
				return
			}
			if c.Stuck {
				s.stuck(t, c)
				return
			}
			changes := s.converges(t, c)
			s.survives(t, c, changes)
			s.stopsWhenTold(t, c)
			s.keepsSecrets(t, c)
			s.comesBack(t, c)
		})
	}
}

// bench is one driver on one machine that counts and can break.
type bench struct {
	driver  driver.Driver
	item    driver.Item
	changes int
	failAt  int
}

var errFault = errors.New("input/output error")

func (s Suite) open(t *testing.T, c Case, sensitive bool) *bench {
	t.Helper()
	m := s.Machine(t)
	for _, ch := range c.Prepare {
		require.NoError(t, m.Files.Change(ch))
	}
	if c.Arrange != nil {
		c.Arrange(t, m)
	}
	b := &bench{failAt: -1}
	m.Files = systemtest.Faulty{Files: m.Files, Fault: func(system.Change) error {
		b.changes++
		if b.changes == b.failAt {
			return errFault
		}
		return nil
	}}
	m.Processes = counting{m.Processes, b}
	b.driver = s.New(t, m)
	entries := []*config.Entry{}
	for _, e := range append([]config.Entry{c.Entry}, c.Others...) {
		e.Attrs = append([]config.Attr(nil), e.Attrs...)
		e.Sensitive = sensitive
		entries = append(entries, config.NewEntry(e))
	}
	cfg := &config.Config{Bundles: []*config.Bundle{config.NewBundle("Bundle", nil, entries)}}
	b.item = driver.Item{Key: cfg.Keyed()[0].Key, Entry: entries[0], Paths: driver.NewPaths(cfg)}
	return b
}

// counting counts and breaks the programs that change something.
type counting struct {
	system.Processes
	b *bench
}

func (c counting) Run(ctx context.Context, cmd system.Command) (system.Result, error) {
	if !cmd.Asks {
		if c.b.changes++; c.b.changes == c.b.failAt {
			return system.Result{}, errFault
		}
	}
	return c.Processes.Run(ctx, cmd)
}

func (b *bench) apply(t *testing.T, apply bool) driver.Outcome {
	t.Helper()
	out, err := b.driver.Apply(t.Context(), b.item, apply)
	require.NoError(t, err)
	return out
}

func (s Suite) converges(t *testing.T, c Case) int {
	b := s.open(t, c, false)
	out := b.apply(t, false)
	require.Equal(t, c.Found, out.State)
	require.False(t, out.Changed)
	require.Zero(t, b.changes, "a check changes nothing")
	if c.Found != driver.Correct {
		require.NotEmpty(t, out.Reasons)
	}

	out = b.apply(t, true)
	require.Equal(t, c.Found, out.State)
	require.Equal(t, c.Found != driver.Correct || c.Repeats, out.Changed)
	changes := b.changes

	out = b.apply(t, false)
	require.Equal(t, driver.Correct, out.State, "%v", out.Reasons)
	require.Empty(t, out.Reasons)
	require.Equal(t, changes, b.changes)
	require.Equal(t, c.Repeats, b.apply(t, true).Changed, "a second run changes nothing")
	return changes
}

// survives makes each change fail once.
func (s Suite) survives(t *testing.T, c Case, changes int) {
	if c.Repeats {
		return // it runs programs, whose faults are its own cases
	}
	for n := 1; n <= changes; n++ {
		b := s.open(t, c, false)
		b.failAt = n
		out, err := b.driver.Apply(t.Context(), b.item, true)
		require.ErrorIs(t, err, errFault)
		require.Equal(t, n > 1, out.Changed)
		b.apply(t, true)
		require.Equal(t, driver.Correct, b.apply(t, false).State, "after a fault in change %d", n)
	}
}

func (s Suite) stopsWhenTold(t *testing.T, c Case) {
	b := s.open(t, c, false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.driver.Apply(ctx, b.item, true)
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, b.changes)
}

func (s Suite) keepsSecrets(t *testing.T, c Case) {
	b := s.open(t, c, true)
	for _, apply := range []bool{false, true} {
		out, err := b.driver.Apply(t.Context(), b.item, apply)
		require.NoError(t, err)
		require.Nil(t, out.New)
		require.NotContains(t, fmt.Sprintf("%+v", out), Canary)
	}
}

// comesBack takes back what a driver did, where it says how things stood. A dry run
// changes nothing.
func (s Suite) comesBack(t *testing.T, c Case) {
	b := s.open(t, c, false)
	keeper, ok := b.driver.(driver.Keeper)
	if !ok {
		return
	}
	was, err := keeper.Standing(t.Context(), []driver.Item{b.item})
	require.NoError(t, err)
	require.Zero(t, b.changes, "to write it down changes nothing")
	b.apply(t, true)
	left, err := keeper.Again(t.Context(), was)
	require.NoError(t, err)
	require.Len(t, left, len(was))
	for i, p := range was {
		passage := driver.Passage{Standing: p, After: &left[i].State}
		for _, r := range []driver.Restoration{{}, {Ending: true}} {
			changes := b.changes
			require.NoError(t, keeper.Restore(t.Context(), passage, r).Err)
			require.Equal(t, changes, b.changes, "a look changes nothing")
		}
		for _, r := range []driver.Restoration{{Apply: true, Ending: true}, {Apply: true}} {
			require.NoError(t, keeper.Restore(t.Context(), passage, r).Err)
		}
	}
	again, err := keeper.Again(t.Context(), was)
	require.NoError(t, err)
	require.Equal(t, was, again)
}

func (s Suite) fails(t *testing.T, c Case) {
	for _, apply := range []bool{false, true} {
		b := s.open(t, c, true)
		out, err := b.driver.Apply(t.Context(), b.item, apply)
		require.Error(t, err)
		require.NotEqual(t, driver.Correct, out.State)
		require.False(t, out.Changed)
		require.NotContains(t, fmt.Sprintf("%+v %v", out, err), Canary)
		if strings.HasPrefix(c.Entry.Tag, "Path") {
			require.Zero(t, b.changes, "what cannot be made true is not touched")
		}
	}
}

func (s Suite) stuck(t *testing.T, c Case) {
	for _, sensitive := range []bool{false, true} {
		b := s.open(t, c, sensitive)
		out := b.apply(t, false)
		require.Equal(t, c.Found, out.State)
		require.NotEmpty(t, out.Reasons)
		require.Zero(t, b.changes)
		out, err := b.driver.Apply(t.Context(), b.item, true)
		require.Error(t, err)
		require.Equal(t, c.Found, out.State)
		require.Equal(t, c.Partly, out.Changed)
		if sensitive {
			require.NotContains(t, fmt.Sprintf("%+v %v", out, err), Canary)
		}
		require.Equal(t, c.Found, b.apply(t, false).State)
	}
}
