// SPDX-License-Identifier: Apache-2.0

package release

import (
	"errors"
	"fmt"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// step runs one transition. After a refusal nothing else is accepted.
func (v *Verifier) step(op string, f func() error) error {
	if v.failed != nil {
		return v.failed
	}
	if err := guard(op, f); err != nil {
		v.failed = err
		return err
	}
	return nil
}

// begin loads the kept timestamp, once, after the roots. It stands for what must
// not be rolled back, even when it has expired. A damaged one is dropped, and so is
// one that the root of now does not trust: that is TUF's recovery from a
// fast-forward, because rotated keys make the old versions void.
func (v *Verifier) begin() {
	if v.begun || v.failed != nil {
		return
	}
	v.begun = true
	if v.cached.Timestamp == nil {
		return
	}
	err := guard("load kept timestamp", func() error {
		if err := checkSize("timestamp", len(v.cached.Timestamp), MaxTimestamp); err != nil {
			return err
		}
		if err := v.ours(metadata.TIMESTAMP, v.cached.Timestamp); err != nil {
			return err
		}
		_, err := v.tuf.UpdateTimestamp(v.cached.Timestamp)
		return err
	})
	if v.tuf.Timestamp != nil && (err == nil || errors.Is(err, ErrExpired)) {
		v.state.Timestamp = v.cached.Timestamp
		return
	}
	if errors.Is(err, ErrExpired) {
		return // the root itself has expired: nothing is wrong with what is kept
	}
	v.dropped = append(v.dropped, TimestampName)
}

// resume loads the kept snapshot and targets metadata, so that only what changed
// is fetched. An older snapshot still guards against a rollback.
func (v *Verifier) resume() {
	if v.state.Snapshot == nil && v.cached.Snapshot != nil {
		err := guard("load kept snapshot", func() error { return v.acceptSnapshot(v.cached.Snapshot, true) })
		if err != nil && v.tuf.Snapshot == nil {
			v.dropped = append(v.dropped, metadata.SNAPSHOT)
		}
	}
	if v.state.Snapshot == nil || v.state.Targets != nil || v.cached.Targets == nil {
		return
	}
	if err := guard("load kept targets", func() error { return v.acceptTargets(v.cached.Targets) }); err != nil {
		v.tuf.Targets = map[string]*metadata.Metadata[metadata.TargetsType]{}
		if errors.Is(err, ErrUntrusted) && !errors.Is(err, ErrMismatch) {
			v.dropped = append(v.dropped, metadata.TARGETS)
		}
	}
}

// ours refuses a document that is signed for another host, before anything can be
// taken over from it. It reads the same fields that the signature covers.
func (v *Verifier) ours(role string, data []byte) error {
	var fields map[string]any
	switch role {
	case metadata.TIMESTAMP:
		m, err := metadata.Timestamp().FromBytes(data)
		if err != nil {
			return err
		}
		// go-tuf asks for the snapshot without looking whether it is there.
		if m.Signed.Meta[metadata.SNAPSHOT+".json"] == nil {
			return errors.New("the timestamp names no snapshot")
		}
		fields = m.Signed.UnrecognizedFields
	case metadata.SNAPSHOT:
		m, err := metadata.Snapshot().FromBytes(data)
		if err != nil {
			return err
		}
		fields = m.Signed.UnrecognizedFields
	default:
		m, err := metadata.Targets().FromBytes(data)
		if err != nil {
			return err
		}
		fields = m.Signed.UnrecognizedFields
	}
	if host, _ := fields[hostField].(string); host != v.hostID {
		return fmt.Errorf("%s.json of host id %.64q: %w", role, host, ErrWrongHost)
	}
	return nil
}

// Reopen verifies what is kept without looking at the clock: the last verified
// release stays in force when nothing newer can be had, and when the clock is
// wrong.
func Reopen(hostID string, kept State, sealed []byte, id *Identity) (*Bundle, error) {
	v, err := NewVerifier(hostID, kept, time.Time{})
	if err == nil {
		err = v.Unchanged()
	}
	if err != nil {
		return nil, fmt.Errorf("reopen kept release: %w", err)
	}
	if want := v.Next(); want.Name != "" {
		return nil, fmt.Errorf("reopen kept release: %w: %s is missing or damaged", ErrUntrusted, want.Name)
	}
	return v.Open(sealed, id)
}

// Current is one host's published release as its documents tell it.
type Current struct {
	HostID string
	// TimestampVersion is at least Target.Version: timestamps are renewed alone.
	TimestampVersion int64
	// Sequence is that of the release which the timestamp names.
	Sequence         int64
	TimestampExpires time.Time
	// Whole tells whether the other documents verify too. Target and Expires are set
	// only then.
	Whole  bool
	Target Target
	// Expires is the earlier expiry of snapshot and targets metadata.
	Expires time.Time

	snapshot *metadata.MetaFiles
}

// ReadCurrent verifies a host's published documents for the publisher, without
// looking at the clock. Get fetches a document by its name, nil where there is none;
// a nil get reads the timestamp alone, which is enough to renew it.
func ReadCurrent(hostID string, root, timestamp []byte, get func(name string) ([]byte, error)) (*Current, error) {
	v, err := NewVerifier(hostID, State{Root: root, Timestamp: timestamp}, time.Time{})
	if err == nil {
		err = v.Unchanged()
	}
	if err != nil {
		return nil, fmt.Errorf("read current release: %w", err)
	}
	t := v.tuf.Timestamp.Signed
	c := &Current{
		HostID: hostID, TimestampVersion: t.Version, TimestampExpires: t.Expires, snapshot: t.Meta[metadata.SNAPSHOT+".json"],
	}
	c.Sequence = c.snapshot.Version
	if get == nil {
		return c, nil
	}
	for want := v.Next(); want.Name != ""; want = v.Next() {
		data, err := get(want.Name)
		if err != nil {
			return nil, fmt.Errorf("read current release: %w", err)
		}
		if v.Accept(data) != nil {
			return c, nil // damaged or missing: not whole
		}
	}
	if c.Target, err = v.Target(); err != nil {
		return nil, fmt.Errorf("read current release: %w", err)
	}
	c.Whole = true
	c.Expires = v.tuf.Snapshot.Signed.Expires
	if e := v.tuf.Targets[metadata.TARGETS].Signed.Expires; e.Before(c.Expires) {
		c.Expires = e
	}
	return c, nil
}
