// SPDX-License-Identifier: Apache-2.0

// Package heap bounds what Go's collector lets pile up. By default that is as much
// again as is in use, which for the configurations of ten thousand hosts is most of
// a gigabyte. It must not know what the memory is for.
package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// usual is the collector's own setting in percent of what is in use; least is what
// it never goes below, so that it does not run all the time.
const usual, least = 100, 25

// live is what the last collection found to be in use.
const live = "/gc/heap/live:bytes"

// Bound lets at most so many bytes pile up beside what is in use, as far as the
// collector can keep up with that. Who sets GOGC has said what is wanted.
func Bound(spare uint64) {
	if _, set := os.LookupEnv("GOGC"); !set {
		adjust(spare)
	}
}

// adjust sets the collector for the next collection, and comes back after it.
func adjust(spare uint64) {
	s := []metrics.Sample{{Name: live}}
	metrics.Read(s)
	debug.SetGCPercent(percent(spare, s[0].Value.Uint64()))
	// Whatever nobody holds is gone after the next collection.
	runtime.AddCleanup(new([16]byte), adjust, spare)
}

// percent is how much may pile up, in percent of what is in use.
func percent(spare, used uint64) int {
	if used == 0 {
		return usual
	}
	return int(max(least, min(usual, spare*100/used)))
}
