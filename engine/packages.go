// SPDX-License-Identifier: Apache-2.0

package engine

import "github.com/bindery/bindery/engine/internal/plugins/packages"

// PackageSnapshot is the list of what is recorded of package sources, as it is in
// the file of that name: addresses with the SHA-256 sums of what was there.
type PackageSnapshot = packages.Snapshot

// Where a specification records what package sources have: the list, and the
// folder of the contents, named by their sums.
const (
	PackageSnapshotFile = packages.SnapshotFile
	PackageSnapshotDir  = packages.SnapshotDir
)

// RecordPackages calls get for every file of the package sources, so that it may be
// recorded. It goes on where one cannot be had, and says so in the end. Without the
// plugin Packages there is nothing to record.
func (s *Spec) RecordPackages(get func(url string) ([]byte, error)) error {
	if s.plugins.Packages == nil {
		return nil
	}
	return s.plugins.Packages.Record(get)
}
