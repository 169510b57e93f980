// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"

	"github.com/bindery/bindery/engine/internal/plugins/packages"
)

// PackageSnapshot is the list of what is recorded of package sources, as it is in
// the file of that name; RecordedPackages is what it says of one of their indexes.
type (
	PackageSnapshot  = packages.Snapshot
	RecordedPackages = packages.Recorded
)

// PackageRecorder is what recording needs from outside.
type PackageRecorder = packages.Recorder

// ErrUntrustedPackages is an index of a package source whose sum or signature is
// not what it must be.
var ErrUntrustedPackages = packages.ErrUntrusted

// Where a specification records what package sources have: the list, and the
// folder of the contents, named by their sums.
const (
	PackageSnapshotFile = packages.SnapshotFile
	PackageSnapshotDir  = packages.SnapshotDir
)

// ParsePackageSnapshot reads the list.
func ParsePackageSnapshot(data []byte) (PackageSnapshot, error) { return packages.ParseSnapshot(data) }

// RecordPackages fetches the indexes of all package sources and has kept what
// counts of them. It goes on where one cannot be had, and says so in the end.
// Without the plugin Packages there is nothing to record.
func (s *Spec) RecordPackages(ctx context.Context, rec PackageRecorder) error {
	if s.plugins.Packages == nil {
		return nil
	}
	return s.plugins.Packages.Record(ctx, rec)
}
