// SPDX-License-Identifier: Apache-2.0

package secrets_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/secret"
	"github.com/bindery/bindery/internal/secrets"
)

// write makes a file with a mode, whatever the umask.
func write(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	require.NoError(t, os.Chmod(name, mode))
	return name
}

func ring(t *testing.T, c secrets.Config) *secrets.Keyring {
	t.Helper()
	k, err := secrets.New(c)
	require.NoError(t, err)
	return k
}

// What the program openssl made: enc -md md5 -base64 -pass pass:correct.
var openssl = map[string]string{
	"aes_256_cbc":  "U2FsdGVkX19mXx1wxTSUQQeMQVEJYXdD2kr/ZIxIArI=",
	"aes-128-cbc":  "U2FsdGVkX1/pDmfYMJGMkEDL+ZIcs5X/6StwEpQnpAU=",
	"DES_EDE3_CBC": "U2FsdGVkX180O2t1C/P6ZTf0INIXt6Sad1ZcZUvk8D8=",
}

func TestOpenSSL(t *testing.T) {
	k := ring(t, secrets.Config{PassphraseFile: write(t, "[encryption]\nalgorithm = x\nsite = correct\nother: wrong\n", 0o640)})
	for algorithm, text := range openssl {
		for _, key := range []string{"site", "", "other", "unknown"} {
			got, err := k.Open(secret.Sealed{Form: secret.OpenSSL, Algorithm: algorithm, Key: key, Data: []byte(" " + text[:8] + "\n" + text[8:] + "\n")})
			require.NoError(t, err, "%s %s", algorithm, key)
			require.Equal(t, "horse staple é", string(got))
		}
	}
}

func TestOpenSSLRefuses(t *testing.T) {
	text := openssl["aes_256_cbc"]
	for name, c := range map[string]struct {
		sealed     secret.Sealed
		code, says string
	}{
		"no passphrase":      {secret.Sealed{Data: []byte(text)}, secret.CodeNoKey, "none is given"},
		"a name alone":       {secret.Sealed{Data: []byte(text), Key: "site"}, secret.CodeNoKey, "site is not given"},
		"a wrong one":        {secret.Sealed{Data: []byte(text), Key: "site", Passphrases: map[string]string{"site": "incorrect"}}, secret.CodeWrong, "site does not open it"},
		"others are wrong":   {secret.Sealed{Data: []byte(text), Passphrases: map[string]string{"a": "incorrect"}}, secret.CodeNoKey, "none of the passphrases opens it: a"},
		"cut off":            {secret.Sealed{Data: []byte("U2FsdGVkX18="), Passphrases: map[string]string{"a": "b"}}, secret.CodeWrong, "cut off"},
		"no base64":          {secret.Sealed{Data: []byte("U2FsdGVkX1!"), Passphrases: map[string]string{"a": "b"}}, secret.CodeWrong, "no base64"},
		"half a block":       {secret.Sealed{Data: []byte("Salted__12345678abc"), Key: "a", Passphrases: map[string]string{"a": "b"}}, secret.CodeWrong, "a does not open it"},
		"no block":           {secret.Sealed{Data: []byte("Salted__12345678"), Key: "a", Passphrases: map[string]string{"a": "b"}}, secret.CodeWrong, "a does not open it"},
		"another algorithm":  {secret.Sealed{Data: []byte(text), Algorithm: "rc4"}, secret.CodeWrong, "rc4"},
		"no form":            {secret.Sealed{Data: []byte(text), Form: "x"}, secret.CodeWrong, "not encrypted"},
		"sops without a key": {secret.Sealed{Form: secret.SOPS, Data: []byte("sops:\n  - recipient: age1xyz\n")}, secret.CodeNoKey, "to age1xyz"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.sealed.Form == secret.None {
				c.sealed.Form = secret.OpenSSL
			}
			if c.sealed.Algorithm == "" {
				c.sealed.Algorithm = "aes_256_cbc"
			}
			_, err := ring(t, secrets.Config{}).Open(c.sealed)
			requireError(t, err, c.code, c.says)
		})
	}
}

func requireError(t *testing.T, err error, code, says string) {
	t.Helper()
	var e *secret.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code)
	require.Contains(t, e.Msg, says)
}

func sealAge(t *testing.T, text string, armored bool, to ...age.Recipient) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to...)
	require.NoError(t, err)
	_, err = w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	if !armored {
		return out.Bytes()
	}
	var text64 bytes.Buffer
	a := armor.NewWriter(&text64)
	_, err = a.Write(out.Bytes())
	require.NoError(t, err)
	require.NoError(t, a.Close())
	return text64.Bytes()
}

func TestAge(t *testing.T) {
	old, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	hybrid, err := age.GenerateHybridIdentity()
	require.NoError(t, err)
	other, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	k := ring(t, secrets.Config{IdentityFiles: []string{
		write(t, "# mine\n"+old.String()+"\n", 0o600), write(t, hybrid.String()+"\n", 0o400),
	}})
	for _, data := range [][]byte{
		sealAge(t, "canary", false, old.Recipient()),
		sealAge(t, "canary", true, other.Recipient(), old.Recipient()),
		sealAge(t, "canary", true, hybrid.Recipient()),
		[]byte("\n    " + strings.ReplaceAll(string(sealAge(t, "canary", true, old.Recipient())), "\n", "\n    ")),
	} {
		got, err := k.Open(secret.Sealed{Form: secret.FormOf(data), Data: data})
		require.NoError(t, err)
		require.Equal(t, "canary", string(got))
	}
	foreign := sealAge(t, "canary", false, other.Recipient())
	_, err = k.Open(secret.Sealed{Form: secret.Age, Data: foreign})
	requireError(t, err, secret.CodeNoKey, "1 recipients (X25519), none of which is that of an identity given ("+old.Recipient().String())
	_, err = ring(t, secrets.Config{}).Open(secret.Sealed{Form: secret.Age, Data: foreign})
	requireError(t, err, secret.CodeNoKey, "no identity is given")
	mine := sealAge(t, "canary", false, old.Recipient())
	_, err = k.Open(secret.Sealed{Form: secret.Age, Data: mine[:len(mine)-1]})
	requireError(t, err, secret.CodeWrong, "no whole file")
}

// Keys that others may read, or that are none, are refused, and not quoted.
func TestKeysThatAreRefused(t *testing.T) {
	const canary = "AGE-SECRET-KEY-1CANARY"
	for name, c := range map[string]struct {
		config secrets.Config
		says   string
	}{
		"readable by others":  {secrets.Config{IdentityFiles: []string{write(t, canary, 0o604)}}, "can be read by others: chmod o="},
		"readable passphrase": {secrets.Config{PassphraseFile: write(t, "[encryption]\na = "+canary, 0o644)}, "can be read by others"},
		"no identity":         {secrets.Config{IdentityFiles: []string{write(t, canary+"\n", 0o600)}}, "no identity of age"},
		"no section":          {secrets.Config{PassphraseFile: write(t, "[other]\na = "+canary, 0o600)}, "no section [encryption]"},
		"no conf":             {secrets.Config{PassphraseFile: write(t, canary, 0o600)}, "not of the form"},
		"not there":           {secrets.Config{IdentityFiles: []string{"/nonexistent"}}, "read keys"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := secrets.New(c.config)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), canary)
		})
	}
}

// script is a program that stands for sops.
func script(t *testing.T, body string) string { return write(t, "#!/bin/sh\n"+body, 0o700) }

func TestSOPS(t *testing.T) {
	t.Setenv("BINDERY_GIT_TOKEN", "canary")
	dir := t.TempDir()
	program := script(t, fmt.Sprintf(`echo run >> %s/runs; echo "$*"; cat "$6"; env | grep BINDERY_; exit 0`, dir))
	k := ring(t, secrets.Config{SOPS: program})
	for name, kind := range map[string]string{
		"Properties/a.sops.yaml": "yaml", "Cfg/a/a.json.sops": "json", "Cfg/a/a.G10_b.sops": "binary", "a.ini": "ini", "a.env": "dotenv",
	} {
		for range 2 {
			got, err := k.Open(secret.Sealed{Form: secret.SOPS, File: name, Data: []byte("sealed")})
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("--decrypt --input-type %s --output-type %[1]s /dev/stdin\nsealed", kind), string(got))
		}
	}
	runs, err := os.ReadFile(dir + "/runs")
	require.NoError(t, err)
	require.Equal(t, 5, bytes.Count(runs, []byte("run")), "what is opened is kept")
}

func TestSOPSRefuses(t *testing.T) {
	for name, c := range map[string]struct{ program, code, says string }{
		"no key":     {script(t, "echo canary >&2; exit 128"), secret.CodeNoKey, "sops has no key"},
		"changed":    {script(t, "exit 51"), secret.CodeWrong, "was changed"},
		"fails":      {script(t, "echo canary; echo canary >&2; exit 3"), secret.CodeWrong, "ended with 3"},
		"endless":    {script(t, "exec sleep 60"), secret.CodeWrong, "did not end within"},
		"boundless":  {script(t, "exec cat /dev/zero"), secret.CodeWrong, "more than"},
		"no program": {"/nonexistent", secret.CodeWrong, "cannot be run"},
	} {
		t.Run(name, func(t *testing.T) {
			config := secrets.Config{SOPS: c.program}
			if name == "endless" {
				config.Timeout = 50 * time.Millisecond
			}
			_, err := ring(t, config).Open(secret.Sealed{Form: secret.SOPS, File: "a.yaml", Data: []byte("x")})
			requireError(t, err, c.code, c.says)
			require.NotContains(t, fmt.Sprintf("%+v", err), "canary")
		})
	}
}
