// SPDX-License-Identifier: Apache-2.0

package release

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// How long signatures hold.
const (
	// TimestampLife bounds how long a frozen mirror stays unnoticed.
	TimestampLife = 72 * time.Hour
	// TimestampRenewal is the age at which a timestamp is signed again.
	TimestampRenewal = 24 * time.Hour
	// MetadataLife is that of snapshot and targets metadata.
	MetadataLife = 365 * 24 * time.Hour
)

// hostField binds metadata to one host. All hosts share the online keys, so TUF
// alone would accept another host's files.
const hostField = "x-host"

const targetName = "bundle"

// Signers are the online roles.
type Signers struct{ Targets, Snapshot, Timestamp Signer }

// Custom is what the signed targets metadata say about a bundle in the open. A
// mirror reads it: nothing in it may tell about content.
type Custom struct {
	Format int    `json:"format"`
	Commit string `json:"commit"`
	Engine string `json:"engine"`
	// Recipient is the fingerprint of the key that the bundle is sealed to.
	Recipient string    `json:"recipient"`
	Created   time.Time `json:"created"`
	// Mark is a keyed digest over all that makes a bundle differ from another. Only
	// the controller can compute it: a plain digest would let a mirror guess content.
	Mark string `json:"mark"`
}

// Draft is one host's release before it is signed.
type Draft struct {
	HostID  string
	Version int64
	Sealed  []byte
	Custom  Custom
	Now     time.Time
}

// Documents are one host's release, in the order in which they are published.
type Documents struct {
	Version                      int64
	BundleName                   string
	Sealed                       []byte
	Targets, Snapshot, Timestamp []byte
}

// NextVersion is one more than the previous version, or the time: a controller
// restored from an old backup still publishes versions that agents accept.
func NextVersion(previous int64, now time.Time) (int64, error) {
	if previous == math.MaxInt64 {
		return 0, errors.New("versions are used up: rotate the timestamp and snapshot keys")
	}
	return max(previous+1, now.Unix()), nil
}

// Sign makes the three documents of one host's release.
func (s Signers) Sign(d Draft) (*Documents, error) {
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("sign release: %w", err)
	}
	custom, err := json.Marshal(d.Custom)
	if err != nil {
		return nil, fmt.Errorf("sign release: %w", err)
	}
	raw := json.RawMessage(custom)
	sum := sha256.Sum256(d.Sealed)
	expires := d.Now.UTC().Truncate(time.Second).Add(MetadataLife)
	bind := map[string]any{hostField: d.HostID}

	targets := metadata.Targets(expires)
	targets.Signed.Version = d.Version
	targets.Signed.UnrecognizedFields = bind
	targets.Signed.Targets[targetName] = &metadata.TargetFiles{
		Length: int64(len(d.Sealed)), Hashes: metadata.Hashes{"sha256": sum[:]}, Custom: &raw,
	}
	out := &Documents{Version: d.Version, BundleName: BundleName(hex.EncodeToString(sum[:])), Sealed: d.Sealed}
	if out.Targets, err = signed(targets, s.Targets); err != nil {
		return nil, fmt.Errorf("sign targets: %w", err)
	}
	snapshot := metadata.Snapshot(expires)
	snapshot.Signed.Version = d.Version
	snapshot.Signed.UnrecognizedFields = bind
	snapshot.Signed.Meta = map[string]*metadata.MetaFiles{metadata.TARGETS + ".json": describe(d.Version, out.Targets)}
	if out.Snapshot, err = signed(snapshot, s.Snapshot); err != nil {
		return nil, fmt.Errorf("sign snapshot: %w", err)
	}
	out.Timestamp, err = s.signTimestamp(d.HostID, d.Version, describe(d.Version, out.Snapshot), d.Now)
	return out, err
}

// Renew signs the timestamp of an unchanged release again, with a later expiry.
// It needs the timestamp key alone.
func (s Signers) Renew(cur *Current, now time.Time) ([]byte, error) {
	version, err := NextVersion(cur.TimestampVersion, now)
	if err != nil {
		return nil, fmt.Errorf("renew timestamp: %w", err)
	}
	return s.signTimestamp(cur.HostID, version, cur.snapshot, now)
}

func (s Signers) signTimestamp(hostID string, version int64, snapshot *metadata.MetaFiles, now time.Time) ([]byte, error) {
	m := metadata.Timestamp(now.UTC().Truncate(time.Second).Add(TimestampLife))
	m.Signed.Version = version
	m.Signed.UnrecognizedFields = map[string]any{hostField: hostID}
	m.Signed.Meta = map[string]*metadata.MetaFiles{metadata.SNAPSHOT + ".json": snapshot}
	data, err := signed(m, s.Timestamp)
	if err != nil {
		return nil, fmt.Errorf("sign timestamp: %w", err)
	}
	return data, nil
}

func (d *Draft) check() error {
	if !ValidHostID(d.HostID) {
		return fmt.Errorf("host id %q is malformed", d.HostID)
	}
	if d.Version < 1 {
		return fmt.Errorf("version %d", d.Version)
	}
	if len(d.Sealed) == 0 {
		return errors.New("nothing sealed")
	}
	return checkSize("sealed bundle", len(d.Sealed), MaxSealed)
}

func describe(version int64, data []byte) *metadata.MetaFiles {
	sum := sha256.Sum256(data)
	return &metadata.MetaFiles{Version: version, Length: int64(len(data)), Hashes: metadata.Hashes{"sha256": sum[:]}}
}

func signed[T metadata.Roles](m *metadata.Metadata[T], s Signer) ([]byte, error) {
	if s == nil {
		return nil, errors.New("no signer")
	}
	if _, err := m.Sign(s); err != nil {
		return nil, err
	}
	return m.ToBytes(false)
}
