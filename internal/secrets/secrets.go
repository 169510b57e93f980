// SPDX-License-Identifier: Apache-2.0

// Package secrets opens what is encrypted in a specification, with the keys of its
// owner: passphrases of bcfg2-crypt, identities of age, and the owner's own sops. It
// keeps what it opened in memory alone. It must not know what the engine does with it.
package secrets

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"filippo.io/age"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/secret"
)

// Config names the keys. Files that others may read are refused.
type Config struct {
	// IdentityFiles hold identities of age, one a line.
	IdentityFiles []string
	// PassphraseFile has a section [encryption] of passphrases by name, as bcfg2.conf.
	PassphraseFile string
	// SOPS is the program; "" for none.
	SOPS string
	// Timeout bounds one run of sops. Default 20 seconds.
	Timeout time.Duration
}

// Any tells whether any key is named.
func (c Config) Any() bool { return len(c.IdentityFiles) > 0 || c.PassphraseFile != "" || c.SOPS != "" }

// Keyring is safe for concurrent use.
type Keyring struct {
	identities  []age.Identity
	passphrases map[string]string
	sops        string
	timeout     time.Duration

	mu     sync.Mutex
	opened map[[sha256.Size]byte]*result
	held   int
}

var _ secret.Keyring = (*Keyring)(nil)

// result is something opened, or being opened.
type result struct {
	once sync.Once
	data []byte
	err  error
}

const (
	maxKeys    = 1 << 20
	maxOpened  = 32 << 20 // one file
	maxHeld    = 128 << 20
	sopsWaits  = 20 * time.Second
	othersRead = 0o007
)

// New reads the keys.
func New(c Config) (*Keyring, error) {
	k := &Keyring{sops: c.SOPS, timeout: cmp.Or(c.Timeout, sopsWaits), opened: map[[sha256.Size]byte]*result{}}
	for _, name := range c.IdentityFiles {
		f, err := private(name)
		if err != nil {
			return nil, err
		}
		list, err := age.ParseIdentities(io.LimitReader(f, maxKeys))
		_ = f.Close()
		if err != nil {
			// What the library says may quote the line.
			return nil, fmt.Errorf("read identities: %s has a line that is no identity of age", name)
		}
		k.identities = append(k.identities, list...)
	}
	if c.PassphraseFile == "" {
		return k, nil
	}
	f, err := private(c.PassphraseFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKeys))
	if err != nil {
		return nil, fmt.Errorf("read passphrases: %w", err)
	}
	conf, err := engine.ParseConf(data)
	if err != nil {
		return nil, fmt.Errorf("read passphrases: %s is not of the form of a bcfg2.conf", c.PassphraseFile)
	}
	k.passphrases = maps.Clone(conf["encryption"])
	maps.DeleteFunc(k.passphrases, func(name, _ string) bool {
		return name == "algorithm" || name == "lax_decryption" || name == "decrypt"
	})
	if len(k.passphrases) == 0 {
		return nil, fmt.Errorf("read passphrases: %s has no section [encryption] with passphrases", c.PassphraseFile)
	}
	return k, nil
}

// private opens a file of keys.
func private(name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	st, err := f.Stat()
	if err == nil && st.Mode().Perm()&othersRead != 0 {
		err = fmt.Errorf("%s can be read by others: chmod o= %s", name, name)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("read keys: %w", err)
	}
	return f, nil
}

// Open opens something encrypted, each thing once. What it gives must not be changed.
func (k *Keyring) Open(s secret.Sealed) ([]byte, error) {
	key := digest(s)
	k.mu.Lock()
	r := k.opened[key]
	if r == nil {
		r = &result{}
		k.opened[key] = r
	}
	k.mu.Unlock()
	r.once.Do(func() {
		r.data, r.err = k.open(s)
		k.account(key, r)
	})
	return r.data, r.err
}

// account forgets failures, which may pass, and everything where it became too much.
func (k *Keyring) account(key [sha256.Size]byte, r *result) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r.err != nil {
		delete(k.opened, key)
		return
	}
	if k.held += len(r.data); k.held > maxHeld {
		clear(k.opened)
		k.held = 0
	}
}

func (k *Keyring) open(s secret.Sealed) ([]byte, error) {
	switch s.Form {
	case secret.OpenSSL:
		return k.openSSL(s)
	case secret.Age:
		return k.openAge(s)
	case secret.SOPS:
		return k.openSOPS(s)
	}
	return nil, &secret.Error{Code: secret.CodeWrong, Msg: "it is not encrypted in any way that is known"}
}

// digest covers everything that decides what is opened, apart from the keyring.
func digest(s secret.Sealed) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, part := range []string{string(s.Form), s.Key, s.Algorithm, string(kind(s.File)), string(s.Data)} {
		write(h, part)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Passphrases)) {
		write(h, name)
		write(h, s.Passphrases[name])
	}
	h.Sum(sum[:0])
	return sum
}

func write(h hash.Hash, part string) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(part)))
	h.Write(n[:])
	h.Write([]byte(part))
}
