// SPDX-License-Identifier: Apache-2.0

// Package keys holds the keys that publish: the online role keys as files that only
// their owner reads, and the offline root key, wrapped with a passphrase or, where
// that was asked for, plain. It must not know what is published.
package keys

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/bindery/bindery/engine/release"
)

// Names of the files. Root metadata are N.root.json beside them.
const (
	TargetsFile   = "targets.pem"
	SnapshotFile  = "snapshot.pem"
	TimestampFile = "timestamp.pem"
	SecretFile    = "secret.key"
	RootKeyFile   = "root.pem"

	rootSuffix = ".root.json"
	secretSize = 32
	maxFile    = 64 << 10
)

var (
	// ErrExposed is a key file that others than its owner can read.
	ErrExposed = errors.New("others than the owner can read it")
	// ErrNoRoot is a folder without root metadata.
	ErrNoRoot = errors.New("there is no root metadata: make it with `bindery root init`")
)

// Online is what a controller signs with.
type Online struct {
	Signers release.Signers
	// Roots are all root metadata that were found, oldest first, verified as a chain.
	Roots []*release.Root

	secret []byte
}

// Root is the root that is in force.
func (o *Online) Root() *release.Root { return o.Roots[len(o.Roots)-1] }

// Secret derives a secret for one purpose.
func (o *Online) Secret(purpose string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, o.secret, nil, "bindery "+purpose, secretSize)
	if err != nil {
		return nil, fmt.Errorf("derive secret: %w", err)
	}
	return key, nil
}

// String shows no key.
func (o *Online) String() string { return "online keys of root " + o.Root().Fingerprint() }

// GoString shows no key.
func (o *Online) GoString() string { return o.String() }

// Load reads the online keys from a folder. It refuses keys that others can read
// and keys that the newest root does not name.
func Load(folder string) (*Online, error) {
	roots, err := LoadRoots(folder)
	if err != nil {
		return nil, err
	}
	o := &Online{Roots: roots}
	for _, r := range []struct {
		file, role string
		into       *release.Signer
	}{
		{TargetsFile, "targets", &o.Signers.Targets},
		{SnapshotFile, "snapshot", &o.Signers.Snapshot},
		{TimestampFile, "timestamp", &o.Signers.Timestamp},
	} {
		path := filepath.Join(folder, r.file)
		if *r.into, err = loadSigner(path, nil); err != nil {
			return nil, err
		}
		if err := named(*r.into, r.role, o.Root()); err != nil {
			return nil, fmt.Errorf("load key %s: %w", path, err)
		}
	}
	path := filepath.Join(folder, SecretFile)
	text, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	if o.secret, err = base64.StdEncoding.DecodeString(strings.TrimSpace(string(text))); err != nil || len(o.secret) != secretSize {
		return nil, fmt.Errorf("load key %s: the file is damaged", path)
	}
	return o, nil
}

func named(s release.Signer, role string, root *release.Root) error {
	pub, err := s.PublicKey()
	if err != nil {
		return err
	}
	id, err := release.KeyID(pub)
	if err != nil {
		return err
	}
	if !slices.Contains(root.KeyIDs[role], id) {
		return fmt.Errorf("version %d of the root does not name this key for %s", root.Version, role)
	}
	return nil
}

// LoadRoots reads and verifies every N.root.json in a folder, oldest first.
func LoadRoots(folder string) ([]*release.Root, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("load roots: %w", err)
	}
	var versions []int64
	for _, e := range entries {
		if number, ok := strings.CutSuffix(e.Name(), rootSuffix); ok {
			if v, err := strconv.ParseInt(number, 10, 64); err == nil && v > 0 {
				versions = append(versions, v)
			}
		}
	}
	if len(versions) == 0 {
		return nil, fmt.Errorf("load roots from %s: %w", folder, ErrNoRoot)
	}
	slices.Sort(versions)
	var roots []*release.Root
	for _, v := range versions {
		path := filepath.Join(folder, RootName(v))
		data, err := readLimited(path)
		if err != nil {
			return nil, fmt.Errorf("load root %s: %w", path, err)
		}
		var r *release.Root
		if len(roots) == 0 {
			r, err = release.ParseRoot(data)
		} else {
			r, err = release.ParseSuccessor(roots[len(roots)-1], data)
		}
		if err == nil && r.Version != v {
			err = fmt.Errorf("it holds version %d", r.Version)
		}
		if err != nil {
			return nil, fmt.Errorf("load root %s: %w", path, err)
		}
		roots = append(roots, r)
	}
	return roots, nil
}

// RootName is the file name of root metadata.
func RootName(version int64) string { return strconv.FormatInt(version, 10) + rootSuffix }

// LoadRootKey reads the offline root key. Passphrase is asked only where the file is
// wrapped.
func LoadRootKey(path string, passphrase func() ([]byte, error)) (release.Signer, error) {
	return loadSigner(path, passphrase)
}

func loadSigner(path string, passphrase func() ([]byte, error)) (release.Signer, error) {
	data, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("load key %s: the file is damaged", path)
	}
	var pass cryptoutils.PassFunc
	if block.Type != string(cryptoutils.PrivateKeyPEMType) {
		if passphrase == nil {
			return nil, fmt.Errorf("load key %s: it is wrapped with a passphrase, an online key must not be", path)
		}
		text, err := passphrase()
		if err != nil {
			return nil, fmt.Errorf("load key %s: %w", path, err)
		}
		pass = cryptoutils.StaticPasswordFunc(text)
	}
	key, err := cryptoutils.UnmarshalPEMToPrivateKey(data, pass)
	if err != nil && pass != nil {
		return nil, fmt.Errorf("load key %s: the passphrase is wrong or the file is damaged", path)
	}
	private, ok := key.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("load key %s: the file is damaged or not an ed25519 key", path)
	}
	s, err := signature.LoadED25519Signer(private)
	if err != nil {
		return nil, fmt.Errorf("load key %s: %w", path, err)
	}
	return s, nil
}

func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load key: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("load key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("load key %s: it is not a file", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("load key %s (mode %04o): %w: chmod 600 it, and replace it if somebody else may have it",
			path, info.Mode().Perm(), ErrExposed)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("load key %s: %w", path, err)
	}
	return data, nil
}

func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, release.MaxRoot+1))
	return data, errors.Join(err, f.Close())
}

// makeKey writes a new key and returns its signer. A nil passphrase leaves it plain.
func makeKey(path string, passphrase []byte) (release.Signer, error) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	var data []byte
	if passphrase == nil {
		data, err = cryptoutils.MarshalPrivateKeyToPEM(private)
	} else {
		data, err = wrap(private, passphrase)
	}
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	if err := create(path, data, 0o600); err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	s, err := signature.LoadED25519Signer(private)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return s, nil
}

// wrap is the format that cosign writes: scrypt and secretbox in PEM.
func wrap(private crypto.PrivateKey, passphrase []byte) ([]byte, error) {
	der, err := cryptoutils.MarshalPrivateKeyToEncryptedDER(private, cryptoutils.StaticPasswordFunc(passphrase))
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: string(cryptoutils.EncryptedSigstorePrivateKeyPEMType), Bytes: der}), nil
}

func makeSecret(path string) error {
	var secret [secretSize]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return fmt.Errorf("make secret: %w", err)
	}
	if err := create(path, []byte(base64.StdEncoding.EncodeToString(secret[:])+"\n"), 0o600); err != nil {
		return fmt.Errorf("make secret: %w", err)
	}
	return nil
}

// create writes a new file durably, and never over another.
func create(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
