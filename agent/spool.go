// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/engine/release"
)

// The byte seam. The fetching half, which reads what strangers wrote, leaves a
// verified release here in the open; the applying half reads it and believes
// nothing but its own record of what it applied.
const (
	spoolDir    = "spool"
	fileSpooled = spoolDir + "/manifest.json"
	fileApplied = "applied.json"
)

// maxPlain bounds a packed release; unpacking has limits of its own.
const maxPlain = release.MaxSealed

// spooled says which release is in the spool.
type spooled struct {
	HostID   string `json:"host_id"`
	Host     string `json:"host"`
	Sequence int64  `json:"sequence"`
	// Sealed and Plain are hashes of the sealed and of the spooled bytes.
	Sealed string `json:"sealed"`
	Plain  string `json:"plain"`
	// Root is the version of the root that it was verified with.
	Root int64 `json:"root"`
}

// applied is the applying half's own record.
type applied struct {
	HostID   string `json:"host_id"`
	Sequence int64  `json:"sequence"`
	Plain    string `json:"plain"`
	Root     int64  `json:"root"`
}

func spoolFile(sum string) string { return spoolDir + "/" + sum + ".bundle" }

// hand puts a verified release into the spool. The manifest is replaced last, so
// that there is always one whole release in it.
func (a *Agent) hand(p *polled) error {
	plain, err := release.Pack(p.bundle)
	if err != nil {
		return fmt.Errorf("hand release over: %w", err)
	}
	sum := sha256.Sum256(plain)
	p.spooled.Plain = hex.EncodeToString(sum[:])
	file := spoolFile(p.spooled.Plain)
	if err := a.c.State.Write(file, plain); err != nil {
		return fmt.Errorf("hand release over: %w", err)
	}
	if err := a.c.State.Save(fileSpooled, p.spooled); err != nil {
		return fmt.Errorf("hand release over: %w", err)
	}
	names, err := a.c.State.List(spoolDir)
	if err != nil {
		return fmt.Errorf("hand release over: %w", err)
	}
	for _, name := range names {
		if full := spoolDir + "/" + name; full != file && full != fileSpooled {
			if err := a.c.State.Remove(full); err != nil {
				return fmt.Errorf("hand release over: %w", err)
			}
		}
	}
	return nil
}

// spool tells what is in the spool, nil where there is nothing whole.
func (a *Agent) spool() (*spooled, error) {
	s, _, err := a.spoolBytes()
	return s, err
}

func (a *Agent) spoolBytes() (*spooled, []byte, error) {
	var s spooled
	found, err := a.c.State.Load(fileSpooled, &s)
	if err != nil || !found || len(s.Plain) != 2*sha256.Size {
		return nil, nil, err
	}
	if _, err := hex.DecodeString(s.Plain); err != nil {
		return nil, nil, nil // damaged: as if it were not there
	}
	data, err := a.c.State.Read(spoolFile(s.Plain), maxPlain)
	if err != nil || data == nil {
		return nil, nil, err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != s.Plain {
		return nil, nil, nil
	}
	return &s, data, nil
}

// take reads the release to enforce from the spool and checks it again. Without
// a dry run it records that from now on nothing older is accepted.
func (a *Agent) take(o Options) (*release.Bundle, error) {
	s, data, err := a.spoolBytes()
	if err != nil {
		return nil, fmt.Errorf("take release: %w", err)
	}
	if s == nil {
		return nil, ErrNothingYet
	}
	b, err := release.Unpack(data)
	if err != nil {
		return nil, fmt.Errorf("take release: %w", err)
	}
	if err := a.acceptable(b, *s, a.trustedRoot); err != nil {
		return nil, err
	}
	if o.DryRun || o.Offline {
		return b, nil
	}
	next := applied{HostID: s.HostID, Sequence: s.Sequence, Plain: s.Plain, Root: s.Root}
	var last applied
	if found, err := a.c.State.Load(fileApplied, &last); err != nil || found && last == next {
		return b, wrap("take release", err)
	}
	if err := a.c.State.Save(fileApplied, next); err != nil {
		return nil, fmt.Errorf("take release: %w", err)
	}
	return b, nil
}

// acceptable is the applying half's own judgement: this host's, and not older
// than what it applied. A newer root makes old sequences void, because that is how
// a stolen key's sequences are undone. Root gives the version that is trusted now.
func (a *Agent) acceptable(b *release.Bundle, s spooled, root func() (int64, error)) error {
	m := &b.Manifest
	if m.HostID != a.enrolment.HostID || m.Host != a.enrolment.Host || s.HostID != m.HostID {
		return fmt.Errorf("take release of %.80q: %w", m.Host, release.ErrWrongHost)
	}
	if m.Sequence != s.Sequence {
		return fmt.Errorf("take release: sequence %d was handed over as %d: %w", m.Sequence, s.Sequence, release.ErrMismatch)
	}
	var last applied
	found, err := a.c.State.Load(fileApplied, &last)
	if err != nil {
		return fmt.Errorf("take release: %w", err)
	}
	if !found || last.HostID != m.HostID {
		return nil
	}
	var refused error
	switch {
	case m.Sequence < last.Sequence:
		refused = fmt.Errorf("take release: sequence %d after %d was applied: %w", m.Sequence, last.Sequence, release.ErrRollback)
	case m.Sequence == last.Sequence && s.Plain != "" && s.Plain != last.Plain:
		refused = fmt.Errorf("take release: sequence %d was applied with other content: %w", m.Sequence, release.ErrMismatch)
	default:
		return nil
	}
	if version, err := root(); err != nil || version > last.Root {
		return err
	}
	return refused
}

func damagedRoot(err error) error {
	return fmt.Errorf("the kept root of trust is damaged, enrol again: %w", err)
}

// TrustedRoot is the root of trust that a state directory keeps, nil for none.
func TrustedRoot(d *state.Dir) ([]byte, error) { return d.Read(fileRoot, release.MaxRoot) }

// trustedRoot is the version of the root that the half has in its own file.
func (a *Agent) trustedRoot() (int64, error) {
	data, err := TrustedRoot(a.c.State)
	if err != nil {
		return 0, fmt.Errorf("take release: %w", err)
	}
	root, err := release.ParseRoot(data)
	if err != nil {
		return 0, damagedRoot(err)
	}
	return root.Version, nil
}
