// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/plugins/packages/index"
	"github.com/bindery/bindery/engine/problem"
)

// SnapshotFile lists what was recorded of the sources; SnapshotDir holds the
// contents, by their SHA-256 sums.
const (
	SnapshotFile = "Packages/snapshot.json"
	SnapshotDir  = "Packages/snapshot"
)

// Snapshot is the list.
type Snapshot struct {
	// Indexes are what is recorded of each address.
	Indexes map[string]Recorded `json:"indexes"`
}

// Recorded is what is recorded of one index: what counts of it, and what was
// checked when it was fetched.
type Recorded struct {
	// Content is the SHA-256 sum of what is kept, which is its name as well.
	Content string `json:"content"`
	// From is the file that was fetched, and SHA256 its sum.
	From   string `json:"from"`
	SHA256 string `json:"sha256"`
	// CheckedBy is the file that says the sum, and the kind of sum; empty where
	// nothing does.
	CheckedBy string `json:"checkedBy,omitempty"`
	// SignedBy is the fingerprint of the key that signed that file; empty where no
	// signature was checked.
	SignedBy string `json:"signedBy,omitempty"`
	// Date is when the repository says that it is from.
	Date string `json:"date,omitempty"`
	// MustBeSigned: the source names a key that signs its index.
	MustBeSigned bool `json:"-"`
}

const (
	maxSnapshot = 16 << 20
	maxRecorded = 256 << 20
)

var sum = regexp.MustCompile(`^[0-9a-f]{64}$`)

// ParseSnapshot reads the list.
func ParseSnapshot(data []byte) (Snapshot, error) {
	var list Snapshot
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(&list)
	return list, err
}

// recorded gives the reader of what was recorded, nil where nothing was.
func recorded(env plugin.Env) func(address string) (*index.Listing, error) {
	if _, err := fs.Stat(env.FS, SnapshotFile); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	data, p := file.Read(env.FS, SnapshotFile, maxSnapshot)
	if p != nil {
		env.Report(p)
		return nil
	}
	list, err := ParseSnapshot(data)
	if err != nil {
		env.Report(problem.New(problem.Pos{File: SnapshotFile}, "bad-snapshot", "it cannot be read: "+err.Error(), "record the sources again"))
		return nil
	}
	return func(address string) (*index.Listing, error) {
		r, ok := list.Indexes[address]
		if !ok {
			return nil, fmt.Errorf("%s is not recorded", address)
		}
		if !sum.MatchString(r.Content) {
			return nil, fmt.Errorf("%s has no SHA-256 sum in %s", address, SnapshotFile)
		}
		data, p := file.Read(env.FS, SnapshotDir+"/"+r.Content, maxRecorded)
		if p != nil {
			return nil, p
		}
		if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != r.Content {
			return nil, fmt.Errorf("%s/%s is not what its name says", SnapshotDir, r.Content)
		}
		l, err := index.Decode(data)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", SnapshotDir, r.Content, err)
		}
		return l, nil
	}
}

// load reads all that is recorded of a source.
func (s *source) load(get func(address string) (*index.Listing, error)) (*index.Index, error) {
	x := index.New()
	var errs []error
	for _, p := range s.places() {
		l, err := get(p.address())
		if err != nil {
			errs = append(errs, err)
			continue
		}
		x.Add(p.arch, l)
	}
	x.Close()
	if !s.essential {
		x.Essential = nil
	}
	return x, errors.Join(errs...)
}
