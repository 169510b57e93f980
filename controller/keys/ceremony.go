// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/bindery/bindery/engine/release"
)

// Ceremony says where a new trust root is made.
type Ceremony struct {
	// Offline is the folder of the root key; it belongs on a medium that is put away.
	Offline string
	// Online is the folder that the controller reads.
	Online string
	// Passphrase wraps the root key; nil leaves it plain.
	Passphrase []byte
	// Expires is when the root has to have been signed again.
	Expires time.Time
}

// ErrExists is a folder that already holds keys. Nothing is ever overwritten.
var ErrExists = errors.New("there are keys already")

// Init makes a root key, the three online keys and version 1 of the root. The root
// metadata are in both folders.
func Init(c Ceremony) (*release.Root, error) {
	for _, folder := range []string{c.Offline, c.Online} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("make root: %w", err)
		}
		for _, name := range []string{RootKeyFile, TargetsFile, SnapshotFile, TimestampFile, SecretFile, RootName(1)} {
			path := filepath.Join(folder, name)
			if _, err := os.Lstat(path); err == nil {
				return nil, fmt.Errorf("make root: %s: %w", path, ErrExists)
			} else if !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("make root: %w", err)
			}
		}
	}
	rootKey, err := makeKey(filepath.Join(c.Offline, RootKeyFile), c.Passphrase)
	if err != nil {
		return nil, err
	}
	spec := release.RootSpec{Version: 1, Expires: c.Expires}
	if err := one(&spec.Root, rootKey); err != nil {
		return nil, err
	}
	for _, r := range []struct {
		file string
		into *release.RoleKeys
	}{{TargetsFile, &spec.Targets}, {SnapshotFile, &spec.Snapshot}, {TimestampFile, &spec.Timestamp}} {
		s, err := makeKey(filepath.Join(c.Online, r.file), nil)
		if err != nil {
			return nil, err
		}
		if err := one(r.into, s); err != nil {
			return nil, err
		}
	}
	if err := makeSecret(filepath.Join(c.Online, SecretFile)); err != nil {
		return nil, err
	}
	root, err := release.NewRoot(spec, rootKey)
	if err != nil {
		return nil, err
	}
	for _, folder := range []string{c.Offline, c.Online} {
		if err := create(filepath.Join(folder, RootName(1)), root.Data, 0o644); err != nil && !sameFolder(c, err) {
			return nil, fmt.Errorf("make root: %w", err)
		}
	}
	return root, nil
}

// sameFolder allows both folders to be one, which a trial may do.
func sameFolder(c Ceremony, err error) bool {
	return errors.Is(err, fs.ErrExist) && filepath.Clean(c.Offline) == filepath.Clean(c.Online)
}

func one(into *release.RoleKeys, s release.Signer) error {
	pub, err := s.PublicKey()
	if err != nil {
		return fmt.Errorf("make root: %w", err)
	}
	*into = release.RoleKeys{Keys: []crypto.PublicKey{pub}, Threshold: 1}
	return nil
}

// Alarm says how near the end of the root is.
type Alarm string

// The alarms, each with the days that it is raised at.
const (
	AlarmNone    Alarm = ""
	AlarmSoon    Alarm = "renew soon"      // 90 days
	AlarmNow     Alarm = "renew now"       // 30 days
	AlarmLate    Alarm = "renew at once"   // 14 days
	AlarmDanger  Alarm = "about to expire" // 7 days
	AlarmExpired Alarm = "expired"         // agents accept nothing new
	day                = 24 * time.Hour
)

// AlarmAt tells which alarm an expiry raises at a time.
func AlarmAt(expires, now time.Time) Alarm {
	left := expires.Sub(now)
	switch {
	case left <= 0:
		return AlarmExpired
	case left <= 7*day:
		return AlarmDanger
	case left <= 14*day:
		return AlarmLate
	case left <= 30*day:
		return AlarmNow
	case left <= 90*day:
		return AlarmSoon
	}
	return AlarmNone
}
