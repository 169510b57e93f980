// SPDX-License-Identifier: Apache-2.0

package keypair

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/youmark/pkcs8"
	"golang.org/x/crypto/ssh"
)

// Subject is what a certificate says about whom it is for.
type Subject struct {
	// Host is the common name.
	Host string
	// Names are host names and addresses.
	Names []string
	// Parts holds C, L, ST, O, OU and emailAddress.
	Parts map[string]string
}

var (
	errNoKey         = errors.New("it holds no private key that can be read")
	errLocked        = errors.New("the private key is locked with a passphrase")
	errNoCertificate = errors.New("it holds no certificate")
	oidEmail         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
)

func (s *Subject) name() pkix.Name {
	n := pkix.Name{CommonName: s.Host}
	for part, list := range map[string]*[]string{"C": &n.Country, "L": &n.Locality, "ST": &n.Province, "O": &n.Organization, "OU": &n.OrganizationalUnit} {
		if value := s.Parts[part]; value != "" {
			*list = []string{value}
		}
	}
	if mail := s.Parts["emailAddress"]; mail != "" {
		n.ExtraNames = []pkix.AttributeTypeAndValue{{Type: oidEmail, Value: asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(mail)}}}
	}
	return n
}

// split tells host names from addresses.
func (s *Subject) split() (names []string, addresses []net.IP) {
	for _, n := range s.Names {
		if ip := net.ParseIP(n); ip != nil {
			addresses = append(addresses, ip)
		} else {
			names = append(names, n)
		}
	}
	return names, addresses
}

// Request makes a request that somebody else signs.
func Request(s *Subject, private []byte) ([]byte, error) {
	key, err := parseKey(private, "")
	if err != nil {
		return nil, err
	}
	t := &x509.CertificateRequest{Subject: s.name()}
	t.DNSNames, t.IPAddresses = s.split()
	der, err := x509.CreateCertificateRequest(rand.Reader, t, key)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}

// Authority signs certificates.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	// Chain is what stands behind a certificate for those who ask for it.
	Chain []byte
}

// NewAuthority reads the certificate and the key of an authority. Certificates
// behind the first one are its own chain.
func NewAuthority(cert, private []byte, passphrase string) (*Authority, error) {
	block, _ := pem.Decode(cert)
	for rest := cert; block != nil && block.Type != "CERTIFICATE"; {
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, errNoCertificate
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the certificate of the authority: %w", err)
	}
	if !c.IsCA {
		return nil, errors.New("the certificate is not one of an authority")
	}
	key, err := parseKey(private, passphrase)
	if err != nil {
		return nil, err
	}
	a, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil || !bytes.Equal(a, c.RawSubjectPublicKeyInfo) {
		return nil, errors.New("the key of the authority is not that of its certificate")
	}
	return &Authority{cert: c, key: key, Chain: cert}, nil
}

// early is how long before now a certificate begins to be good: clocks differ.
const early = time.Hour

// Sign makes a certificate that is good from now on for some days.
func (a *Authority) Sign(s *Subject, private []byte, days int, now time.Time) ([]byte, error) {
	key, err := parseKey(private, "")
	if err != nil {
		return nil, err
	}
	until := now.AddDate(0, 0, days)
	if until.After(a.cert.NotAfter) {
		return nil, fmt.Errorf("the authority's own certificate is only good until %s: fewer days, or a new authority", a.cert.NotAfter.UTC().Format(time.DateOnly))
	}
	t := &x509.Certificate{
		Subject: s.name(), NotBefore: now.Add(-early), NotAfter: until, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if _, ok := key.(*rsa.PrivateKey); ok {
		t.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	t.DNSNames, t.IPAddresses = s.split()
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// Expiry tells until when the first certificate of a file is good.
func Expiry(data []byte) (time.Time, error) {
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return time.Time{}, errNoCertificate
		}
		if block.Type == "CERTIFICATE" {
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return time.Time{}, err
			}
			return c.NotAfter, nil
		}
	}
}

// Public gives the public half of a private key, with a comment.
func Public(private []byte, passphrase, comment string) ([]byte, error) {
	key, err := parseKey(private, passphrase)
	if err != nil {
		return nil, err
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return nil, errNoKey
	}
	return []byte(strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))) + " " + comment + "\n"), nil
}

// parseKey reads the first private key of a file. Errors tell nothing of it.
func parseKey(data []byte, passphrase string) (crypto.Signer, error) {
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errNoKey
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" {
			return openPKCS8(block.Bytes, passphrase)
		}
		one := pem.EncodeToMemory(block)
		raw, err := ssh.ParseRawPrivateKey(one)
		if _, locked := errors.AsType[*ssh.PassphraseMissingError](err); locked {
			if passphrase == "" {
				return nil, errLocked
			}
			raw, err = ssh.ParseRawPrivateKeyWithPassphrase(one, []byte(passphrase))
		}
		key, ok := raw.(crypto.Signer)
		if err != nil || !ok {
			return nil, errNoKey
		}
		return key, nil
	}
}

// openPKCS8 opens a key as OpenSSL locks it today.
func openPKCS8(der []byte, passphrase string) (crypto.Signer, error) {
	if passphrase == "" {
		return nil, errLocked
	}
	raw, err := pkcs8.ParsePKCS8PrivateKey(der, []byte(passphrase))
	key, ok := raw.(crypto.Signer)
	if err != nil || !ok {
		return nil, errNoKey
	}
	return key, nil
}
