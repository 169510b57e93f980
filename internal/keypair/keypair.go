// SPDX-License-Identifier: Apache-2.0

// Package keypair makes keys: for SSH, for TLS, certificates and requests for
// them, and locks them for age recipients. All cryptography is that of the
// standard library, x/crypto and age. It must not know what a specification is,
// nor write a file.
package keypair

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Bounds of RSA keys in bits. What is smaller protects nothing; what is larger
// takes minutes to make.
const (
	minRSA, maxRSA = 2048, 16384
	rsaForSSH      = 3072
)

// SSH is a key as ssh-keygen writes it. Print it nowhere.
type SSH struct {
	Private []byte
	Public  []byte
}

// NewSSH makes a key of a type: rsa, ecdsa or ed25519. Zero bits are what
// ssh-keygen takes. With a passphrase the private half is locked.
func NewSSH(kind string, bits int, passphrase, comment string) (*SSH, error) {
	if bits == 0 && kind == "rsa" {
		bits = rsaForSSH
	}
	key, err := generate(kind, bits)
	if err != nil {
		return nil, err
	}
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, comment)
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, comment, []byte(passphrase))
	}
	if err != nil {
		return nil, fmt.Errorf("write the private key: %w", err)
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("write the public key: %w", err)
	}
	line := strings.TrimSuffix(string(ssh.MarshalAuthorizedKey(public)), "\n")
	if comment != "" {
		line += " " + comment
	}
	return &SSH{Private: pem.EncodeToMemory(block), Public: []byte(line + "\n")}, nil
}

// NewTLS makes a key of a type, as PKCS #8.
func NewTLS(kind string, bits int) ([]byte, error) {
	key, err := generate(kind, bits)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write the private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func generate(kind string, bits int) (crypto.Signer, error) {
	switch kind {
	case "rsa":
		if bits < minRSA || bits > maxRSA {
			return nil, fmt.Errorf("an RSA key has %d to %d bits, not %d", minRSA, maxRSA, bits)
		}
		return rsa.GenerateKey(rand.Reader, bits)
	case "ecdsa", "ec":
		curve, err := curveOf(bits)
		if err != nil {
			return nil, err
		}
		return ecdsa.GenerateKey(curve, rand.Reader)
	case "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case "dsa", "rsa1":
		return nil, fmt.Errorf("keys of type %s are not made any more: no program of today takes them", kind)
	}
	return nil, fmt.Errorf("type %q of a key is not known: rsa, ecdsa or ed25519", kind)
}

// curveOf chooses a curve. RSA's usual sizes, which a description has by default,
// ask for nothing.
func curveOf(bits int) (elliptic.Curve, error) {
	switch bits {
	case 0, 256, 2048:
		return elliptic.P256(), nil
	case 384:
		return elliptic.P384(), nil
	case 521:
		return elliptic.P521(), nil
	}
	return nil, fmt.Errorf("an ECDSA key has 256, 384 or 521 bits, not %d", bits)
}
