// SPDX-License-Identifier: Apache-2.0

package keyfile

import (
	"bytes"
	"crypto"
	"crypto/dsa" //nolint:staticcheck // old repositories have such keys
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// ErrLocked: a private key is locked with a passphrase, so that nothing can be said
// about it.
var ErrLocked = errors.New("the private key is locked with a passphrase")

// ErrOldSignature: a certificate is signed in a way that is not trusted any more,
// so that the signature says nothing.
var ErrOldSignature = errors.New("the signature is of a kind that is not trusted any more")

// errNoKey tells nothing about the content: it is a secret.
var errNoKey = errors.New("it is no private key that can be read")

// AuthorizedKey gives the public half of a private key as ssh-keygen writes it,
// with a comment. A key that is locked works where its format keeps the public half
// open, or with the passphrase.
func AuthorizedKey(private []byte, passphrase, comment string) (string, error) {
	public, err := publicKey(private, passphrase)
	if err != nil {
		return "", err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return "", errNoKey
	}
	line := strings.TrimSuffix(string(ssh.MarshalAuthorizedKey(key)), "\n")
	if comment != "" {
		line += " " + comment
	}
	return line + "\n", nil
}

// publicKey finds the first private key and gives its public half.
func publicKey(private []byte, passphrase string) (crypto.PublicKey, error) {
	for rest := private; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errNoKey
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" {
			return nil, ErrLocked
		}
		return openKey(pem.EncodeToMemory(block), passphrase)
	}
}

func openKey(data []byte, passphrase string) (crypto.PublicKey, error) {
	raw, err := ssh.ParseRawPrivateKey(data)
	if locked, ok := errors.AsType[*ssh.PassphraseMissingError](err); ok {
		if open, ok := locked.PublicKey.(ssh.CryptoPublicKey); ok {
			return open.CryptoPublicKey(), nil
		}
		if passphrase == "" {
			return nil, ErrLocked
		}
		raw, err = ssh.ParseRawPrivateKeyWithPassphrase(data, []byte(passphrase))
	}
	if err != nil {
		return nil, errNoKey
	}
	switch k := raw.(type) {
	case crypto.Signer:
		return k.Public(), nil
	case *dsa.PrivateKey:
		return &k.PublicKey, nil
	}
	return nil, errNoKey
}

// Certificates reads all certificates of a file; what stands between them is
// skipped, as openssl does.
func Certificates(data []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" && block.Type != "X509 CERTIFICATE" && block.Type != "TRUSTED CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("a certificate cannot be read: %w", err)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, errors.New("it holds no certificate")
	}
	return out, nil
}

// Belongs tells whether a certificate is of a private key.
func Belongs(c *x509.Certificate, private []byte) (bool, error) {
	public, err := publicKey(private, "")
	if err != nil {
		return false, err
	}
	if d, ok := public.(*dsa.PublicKey); ok {
		other, ok := c.PublicKey.(*dsa.PublicKey)
		return ok && d.Y.Cmp(other.Y) == 0 && d.P.Cmp(other.P) == 0 && d.G.Cmp(other.G) == 0, nil
	}
	a, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return false, errNoKey
	}
	b, err := x509.MarshalPKIXPublicKey(c.PublicKey)
	return err == nil && bytes.Equal(a, b), nil
}

// SignedBy tells whether one of an authority's certificates signed a certificate.
// No clock is asked: what is too old is for those who renew it.
func SignedBy(c *x509.Certificate, authority []*x509.Certificate) (bool, error) {
	var old error
	for _, parent := range authority {
		if !bytes.Equal(c.RawIssuer, parent.RawSubject) {
			continue
		}
		err := c.CheckSignatureFrom(parent)
		if err == nil {
			return true, nil
		}
		if _, ok := errors.AsType[x509.InsecureAlgorithmError](err); ok || errors.Is(err, x509.ErrUnsupportedAlgorithm) {
			old = ErrOldSignature
		}
	}
	return false, old
}
