// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/fixtures/fleet"
)

func synthetic(tb testing.TB, hosts int) (*fleet.Fleet, []engine.Input) {
	tb.Helper()
	f, err := fleet.New(fleet.Options{Hosts: hosts})
	require.NoError(tb, err)
	in := make([]engine.Input, len(f.Hosts))
	for i, h := range f.Hosts {
		in[i].Host = h
	}
	return f, in
}

// BenchmarkAll reads a fleet's specification and binds every host of it.
func BenchmarkAll(b *testing.B) {
	f, in := synthetic(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		spec, err := engine.Open(b.Context(), f.Tree, engine.Options{})
		require.NoError(b, err)
		_, err = spec.All(b.Context(), in)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(b.N)*float64(len(in))/b.Elapsed().Seconds(), "hosts/s")
}

// BenchmarkHost binds hosts of which everything is remembered: what a host costs
// by itself.
func BenchmarkHost(b *testing.B) {
	f, in := synthetic(b, 1000)
	spec, err := engine.Open(b.Context(), f.Tree, engine.Options{})
	require.NoError(b, err)
	_, err = spec.All(b.Context(), in)
	require.NoError(b, err)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, err := spec.Build(b.Context(), in[i%len(in)])
		require.NoError(b, err)
	}
}

// BenchmarkOpen reads a specification.
func BenchmarkOpen(b *testing.B) {
	f, _ := synthetic(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		_, err := engine.Open(b.Context(), f.Tree, engine.Options{})
		require.NoError(b, err)
	}
}
