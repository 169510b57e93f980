// SPDX-License-Identifier: Apache-2.0

package release

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// State is what an agent keeps: exact bytes of documents that verified. Any but
// Root may be absent or damaged; Root is trusted as it is.
type State struct {
	Root, Timestamp, Snapshot, Targets []byte
}

// Want names the document that a Verifier needs next.
type Want struct {
	// Name is below the host's path. "" when nothing is missing.
	Name string
	// Limit is how many bytes may be read.
	Limit int
}

// Target is the bundle that verified metadata name.
type Target struct {
	// Name is below the host's path.
	Name   string
	Length int64
	SHA256 string
	// Version is the sequence of the release.
	Version int64
	Custom  Custom

	file *metadata.TargetFiles
}

// Verifier accepts one host's documents in TUF's order: roots, timestamp, snapshot,
// targets, bundle. It checks that a document is this host's before anything is
// taken over. After a refusal it accepts nothing more: drop it and start again
// from the kept State; what was verified before stays in force. Not safe for
// concurrent use.
type Verifier struct {
	hostID  string
	tuf     *trustedmetadata.TrustedMetadata
	cached  State
	state   State
	dropped []string
	begun   bool
	failed  error
}

// NewVerifier starts from what is kept. Now is the reference time: the clock, or
// the agent's time floor where that is later.
func NewVerifier(hostID string, kept State, now time.Time) (*Verifier, error) {
	if !ValidHostID(hostID) {
		return nil, fmt.Errorf("host id %q is malformed", hostID)
	}
	if err := checkSize("root metadata", len(kept.Root), MaxRoot); err != nil {
		return nil, err
	}
	v := &Verifier{hostID: hostID, cached: kept, state: State{Root: kept.Root}}
	err := guard("load trusted root", func() error {
		t, err := trustedmetadata.New(kept.Root)
		if err != nil {
			return err
		}
		t.RefTime = now.UTC()
		v.tuf = t
		_, err = describeRoot(kept.Root, t.Root)
		return err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// RootVersion is the version of the root that is trusted now; the next one is
// looked for at RootPath(RootVersion()+1).
func (v *Verifier) RootVersion() int64 { return v.tuf.Root.Signed.Version }

// State is what may be kept: only documents that verified and are this host's. Keep
// it as one, when Next names nothing more and the bundle was opened.
func (v *Verifier) State() State { return v.state }

// Dropped names the kept documents that were damaged or no longer verify, so that
// the caller removes them and says so.
func (v *Verifier) Dropped() []string { return v.dropped }

// UpdateRoot takes over root N+1. Roots come before everything else.
func (v *Verifier) UpdateRoot(data []byte) error {
	if err := checkSize("root metadata", len(data), MaxRoot); err != nil {
		return err
	}
	return v.step("update root", func() error {
		if v.begun {
			return errors.New("roots come before the timestamp")
		}
		old := v.tuf.Root
		next, err := v.tuf.UpdateRoot(data)
		if err != nil {
			return err
		}
		if _, err := describeRoot(data, next); err != nil {
			v.tuf.Root = old
			return err
		}
		v.state.Root = slices.Clone(data)
		return nil
	})
}

// UpdateTimestamp takes over a fetched timestamp. It tells whether it is newer
// than the kept one.
func (v *Verifier) UpdateTimestamp(data []byte) (newer bool, err error) {
	if err := checkSize("timestamp", len(data), MaxTimestamp); err != nil {
		return false, err
	}
	v.begin()
	err = v.step("update timestamp", func() error {
		if err := v.ours(metadata.TIMESTAMP, data); err != nil {
			return err
		}
		_, err := v.tuf.UpdateTimestamp(data)
		if errors.Is(err, &metadata.ErrEqualVersionNumber{}) {
			return v.current()
		}
		if err != nil {
			return err
		}
		newer = true
		v.state.Timestamp = slices.Clone(data)
		return nil
	})
	if err == nil {
		v.resume()
	}
	return newer, err
}

// Unchanged stands for a poll that was answered "not modified": the kept timestamp
// must still be there, verify against the root of now, and not have expired. After a
// refusal the caller fetches without a condition before it gives up.
func (v *Verifier) Unchanged() error {
	v.begin()
	err := v.step("check kept timestamp", v.current)
	if err == nil {
		v.resume()
	}
	return err
}

func (v *Verifier) current() error {
	if v.state.Timestamp == nil {
		return errors.New("no timestamp is kept")
	}
	if v.tuf.Root.Signed.IsExpired(v.tuf.RefTime) {
		return &metadata.ErrExpiredMetadata{Msg: "root.json is expired by " + v.tuf.RefTime.Sub(v.tuf.Root.Signed.Expires).String()}
	}
	if t := v.tuf.Timestamp.Signed; t.IsExpired(v.tuf.RefTime) {
		return &metadata.ErrExpiredMetadata{Msg: "timestamp.json is expired by " + v.tuf.RefTime.Sub(t.Expires).String()}
	}
	return nil
}

// Next tells what to fetch now: the snapshot, the targets metadata, or nothing.
func (v *Verifier) Next() Want {
	switch {
	case v.failed != nil || v.tuf.Timestamp == nil:
		return Want{}
	case v.state.Snapshot == nil:
		m := v.tuf.Timestamp.Signed.Meta[metadata.SNAPSHOT+".json"]
		return Want{Name: SnapshotName(m.Version), Limit: limitOf(m)}
	case v.state.Targets == nil:
		m := v.tuf.Snapshot.Signed.Meta[metadata.TARGETS+".json"]
		return Want{Name: TargetsName(m.Version), Limit: limitOf(m)}
	}
	return Want{}
}

func limitOf(m *metadata.MetaFiles) int {
	if m.Length > 0 && m.Length < MaxMetadata {
		return int(m.Length)
	}
	return MaxMetadata
}

// Accept takes over the document that Next asked for.
func (v *Verifier) Accept(data []byte) error {
	if err := checkSize("metadata", len(data), MaxMetadata); err != nil {
		return err
	}
	want := v.Next()
	return v.step("accept "+want.Name, func() error {
		switch {
		case want.Name == "":
			return errors.New("no document is missing")
		case v.state.Snapshot == nil:
			return v.acceptSnapshot(data, false)
		default:
			return v.acceptTargets(data)
		}
	})
}

func (v *Verifier) acceptSnapshot(data []byte, kept bool) error {
	if err := v.ours(metadata.SNAPSHOT, data); err != nil {
		return err
	}
	m, err := v.tuf.UpdateSnapshot(data, kept)
	if err != nil {
		return err
	}
	if m.Signed.Meta[metadata.TARGETS+".json"] == nil {
		return errors.New("the snapshot names no targets metadata")
	}
	v.state.Snapshot = slices.Clone(data)
	return nil
}

func (v *Verifier) acceptTargets(data []byte) error {
	if err := v.ours(metadata.TARGETS, data); err != nil {
		return err
	}
	if _, err := v.tuf.UpdateTargets(data); err != nil {
		return err
	}
	if _, err := v.target(); err != nil {
		return err
	}
	v.state.Targets = slices.Clone(data)
	return nil
}

// Target is the bundle that all the metadata together name.
func (v *Verifier) Target() (Target, error) {
	if v.failed != nil {
		return Target{}, v.failed
	}
	if v.state.Targets == nil {
		return Target{}, errors.New("the metadata are not complete")
	}
	return v.target()
}

func (v *Verifier) target() (Target, error) {
	m := v.tuf.Targets[metadata.TARGETS].Signed
	file := m.Targets[targetName]
	if file == nil || len(m.Targets) != 1 || m.Delegations != nil {
		return Target{}, fmt.Errorf("%w: targets metadata must name one bundle and nothing else", ErrUntrusted)
	}
	sum := file.Hashes["sha256"]
	if len(sum) != 32 || file.Length < 1 || file.Custom == nil {
		return Target{}, fmt.Errorf("%w: targets metadata must give the bundle's length, SHA-256 and origin", ErrUntrusted)
	}
	if file.Length > MaxSealed {
		return Target{}, fmt.Errorf("sealed bundle of %d bytes is over the limit of %d: %w", file.Length, MaxSealed, ErrTooLarge)
	}
	t := Target{Length: file.Length, SHA256: hex.EncodeToString(sum), Version: m.Version, file: file}
	t.Name = BundleName(t.SHA256)
	// Not strict: a newer controller may say more in the open.
	if err := json.Unmarshal(*file.Custom, &t.Custom); err != nil {
		return Target{}, fmt.Errorf("%w: origin of the bundle: %w", ErrUntrusted, err)
	}
	return t, nil
}

// Open checks a fetched bundle against the metadata, opens its seal, unpacks it
// and compares what it says about itself with what was signed.
func (v *Verifier) Open(sealed []byte, id *Identity) (*Bundle, error) {
	t, err := v.Target()
	if err != nil {
		return nil, err
	}
	if err := t.Check(sealed); err != nil {
		return nil, err
	}
	plain, err := Open(sealed, id)
	if err != nil {
		return nil, err
	}
	b, err := Unpack(plain)
	if err != nil {
		return nil, err
	}
	m := &b.Manifest
	if m.HostID != v.hostID {
		return nil, fmt.Errorf("bundle of host id %s: %w", m.HostID, ErrWrongHost)
	}
	if m.Sequence != t.Version || m.Commit != t.Custom.Commit {
		return nil, fmt.Errorf("bundle of sequence %d where %d was signed: %w", m.Sequence, t.Version, ErrMismatch)
	}
	return b, nil
}

// Check compares a fetched bundle's length and hash with what was signed.
func (t Target) Check(sealed []byte) error {
	return guard("check bundle", func() error { return t.file.VerifyLengthHashes(sealed) })
}
