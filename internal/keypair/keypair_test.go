// SPDX-License-Identifier: Apache-2.0

package keypair_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/keypair"
)

// run starts a real program on a file and gives what it says.
func run(t *testing.T, content []byte, name string, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, content, 0o600))
	out, err := exec.CommandContext(t.Context(), name, append(args, file)...).CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

func TestSSHKeysAreThoseOfSSHKeygen(t *testing.T) {
	for _, c := range []struct {
		kind       string
		bits       int
		passphrase string
		want       string
	}{
		{"rsa", 2048, "", "2048 SHA256:"},
		{"ecdsa", 0, "", "256 SHA256:"},
		{"ecdsa", 521, "", "521 SHA256:"},
		{"ed25519", 0, "", "256 SHA256:"},
		{"ed25519", 0, "secret", "256 SHA256:"},
	} {
		k, err := keypair.NewSSH(c.kind, c.bits, c.passphrase, "whose it is")
		require.NoError(t, err)
		require.Contains(t, run(t, k.Public, "ssh-keygen", "-l", "-f"), c.want)
		require.Equal(t, string(k.Public), run(t, k.Private, "ssh-keygen", "-y", "-P", c.passphrase, "-f"))
		again, err := keypair.Public(k.Private, c.passphrase, "whose it is")
		require.NoError(t, err)
		require.Equal(t, string(k.Public), string(again))
	}
}

func TestKeysThatAreNotMade(t *testing.T) {
	for _, c := range []struct {
		kind string
		bits int
		want string
	}{
		{"dsa", 1024, "keys of type dsa are not made any more: no program of today takes them"},
		{"rsa", 1024, "an RSA key has 2048 to 16384 bits, not 1024"},
		{"rsa", 1 << 20, "an RSA key has 2048 to 16384 bits, not 1048576"},
		{"ecdsa", 255, "an ECDSA key has 256, 384 or 521 bits, not 255"},
		{"x", 0, `type "x" of a key is not known: rsa, ecdsa or ed25519`},
	} {
		_, err := keypair.NewSSH(c.kind, c.bits, "", "")
		require.EqualError(t, err, c.want)
		_, err = keypair.NewTLS(c.kind, c.bits)
		require.EqualError(t, err, c.want)
	}
}

// authority makes a CA with openssl, whose key is locked.
func authority(t *testing.T) (cert, key []byte, file string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "ca.crt")
	out, err := exec.CommandContext(t.Context(), "openssl", "req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:pp", "-subj", "/CN=CA", "-days", "100",
		"-keyout", filepath.Join(dir, "ca.key"), "-out", file).CombinedOutput()
	require.NoError(t, err, string(out))
	cert, err = os.ReadFile(file)
	require.NoError(t, err)
	key = []byte(run(t, mustRead(t, filepath.Join(dir, "ca.key")), "openssl", "rsa", "-traditional", "-aes128", "-passin", "pass:pp", "-passout", "pass:pp", "-in"))
	return cert, key, file
}

func mustRead(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return data
}

func TestCertificate(t *testing.T) {
	cert, key, file := authority(t)
	_, err := keypair.NewAuthority(cert, key, "")
	require.EqualError(t, err, "the private key is locked with a passphrase")
	_, err = keypair.NewAuthority(cert, key, "wrong")
	require.Error(t, err)
	_, err = keypair.NewAuthority(key, key, "pp")
	require.EqualError(t, err, "it holds no certificate")
	modern := mustRead(t, strings.TrimSuffix(file, "crt")+"key")
	require.Contains(t, string(modern), "ENCRYPTED PRIVATE KEY")
	_, err = keypair.NewAuthority(cert, modern, "")
	require.EqualError(t, err, "the private key is locked with a passphrase")
	_, err = keypair.NewAuthority(cert, modern, "wrong")
	require.EqualError(t, err, "it holds no private key that can be read")
	_, err = keypair.NewAuthority(cert, modern, "pp")
	require.NoError(t, err)
	ca, err := keypair.NewAuthority(cert, key, "pp")
	require.NoError(t, err)

	for _, kind := range []string{"rsa", "ecdsa", "ed25519"} {
		private, err := keypair.NewTLS(kind, 2048)
		require.NoError(t, err)
		s := &keypair.Subject{Host: "a.x.org", Names: []string{"www", "a.x.org", "::1"}, Parts: map[string]string{"C": "NZ", "O": "Ours", "emailAddress": "root@x.org"}}
		now := time.Now()
		made, err := ca.Sign(s, private, 30, now)
		require.NoError(t, err)
		require.Contains(t, run(t, made, "openssl", "verify", "-purpose", "sslserver", "-verify_hostname", "www", "-CAfile", file), ": OK")
		until, err := keypair.Expiry(made)
		require.NoError(t, err)
		require.WithinDuration(t, now.AddDate(0, 0, 30), until, time.Second)
		request, err := keypair.Request(s, private)
		require.NoError(t, err)
		block, _ := pem.Decode(request)
		parsed, err := x509.ParseCertificateRequest(block.Bytes)
		require.NoError(t, err)
		require.NoError(t, parsed.CheckSignature())
		require.Equal(t, []string{"www", "a.x.org"}, parsed.DNSNames)
		require.Contains(t, parsed.Subject.String(), "CN=a.x.org")
		_, err = ca.Sign(s, private, 200, now)
		require.ErrorContains(t, err, "the authority's own certificate is only good until")
		_, err = keypair.NewAuthority(made, private, "")
		require.EqualError(t, err, "the certificate is not one of an authority")
		_, err = keypair.NewAuthority(cert, private, "")
		require.EqualError(t, err, "the key of the authority is not that of its certificate")
	}
	_, err = keypair.Request(&keypair.Subject{}, []byte("SECRET, but no key"))
	require.EqualError(t, err, "it holds no private key that can be read")
	_, err = keypair.Expiry(key)
	require.EqualError(t, err, "it holds no certificate")
}

func TestSeal(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	other, err := age.GenerateHybridIdentity()
	require.NoError(t, err)
	r, err := keypair.ParseRecipients("# me\n" + id.Recipient().String() + "\n")
	require.NoError(t, err)
	sealed, err := r.Seal([]byte("secret"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(sealed), "-----BEGIN AGE ENCRYPTED FILE-----\n"))
	open, err := age.Decrypt(armor.NewReader(bytes.NewReader(sealed)), id)
	require.NoError(t, err)
	data, err := io.ReadAll(open)
	require.NoError(t, err)
	require.Equal(t, "secret", string(data))
	_, err = age.Decrypt(armor.NewReader(bytes.NewReader(sealed)), other)
	require.Error(t, err)
	_, err = keypair.ParseRecipients("nobody")
	require.Error(t, err)
}
