// SPDX-License-Identifier: Apache-2.0

// Package secret says what in a specification is encrypted, and how the engine has
// it opened: by a Keyring that it is given. It is a leaf and holds no key, no
// cipher and nothing that was opened.
package secret

import (
	"bytes"
	"path"
	"regexp"
	"strings"
)

// Form is a way of encrypting that a Keyring may know.
type Form string

const (
	// None is plain.
	None Form = ""
	// OpenSSL is what bcfg2-crypt makes: "Salted__", as it is or in base64.
	OpenSSL Form = "openssl"
	// Age is a file of age, binary or armored.
	Age Form = "age"
	// SOPS is a file that sops encrypted, with its metadata in it.
	SOPS Form = "sops"
)

// Sealed is something encrypted.
type Sealed struct {
	Form Form
	// File is where it stands, below the repository. The extension tells sops what
	// kind of file it is.
	File string
	// Key is the name of the passphrase, "" where any may fit.
	Key  string
	Data []byte
	// Passphrases are those that the specification's own settings have, by name.
	Passphrases map[string]string
	// Recipients are those of age that the specification lists.
	Recipients []string
	// Algorithm is OpenSSL's name of the cipher, as bcfg2.conf spells it.
	Algorithm string
}

// Keyring opens what is encrypted. It is safe for concurrent use, gives the same
// for the same, and waits for nothing without a limit. What it says in an error
// never quotes what it opened.
type Keyring interface {
	Open(s Sealed) ([]byte, error)
}

// Error is why something could not be opened. It can be shown.
type Error struct {
	Code string
	Msg  string
	Hint string
}

// Codes of an Error.
const (
	// CodeNoKey: nobody gave a key that fits.
	CodeNoKey = "secret-key-missing"
	// CodeWrong: the key does not fit, or the data was changed.
	CodeWrong = "secret-not-opened"
)

// Error gives the message.
func (e *Error) Error() string { return e.Msg }

// RecipientsFile lists the recipients of age that secrets are encrypted for, at the
// root of a specification.
const RecipientsFile = ".age-recipients"

// Recipients reads the lines of a RecipientsFile.
func Recipients(data []byte) []string {
	var out []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

const armor = "-----BEGIN AGE ENCRYPTED FILE-----"

// FormOf tells what a text or a file is by its first bytes. SOPS is not found this way.
func FormOf(data []byte) Form {
	data = bytes.TrimSpace(data[:min(len(data), 4096)])
	switch {
	case bytes.HasPrefix(data, []byte("Salted__")), bytes.HasPrefix(data, []byte("U2FsdGVkX1")):
		return OpenSSL
	case bytes.HasPrefix(data, []byte("age-encryption.org/")), bytes.HasPrefix(data, []byte(armor)):
		return Age
	}
	return None
}

var (
	sopsYAML = regexp.MustCompile(`(?m)^sops:[ \t]*\r?$`)
	sopsJSON = regexp.MustCompile(`(?m)^[ \t]*"sops":[ \t]*\{`)
	sopsMAC  = regexp.MustCompile(`(?m)^[ \t]+"?mac"?:[ \t]*"?ENC\[AES256_GCM,`)
)

// IsSOPS tells whether a YAML or JSON file has the metadata of sops.
func IsSOPS(name string, data []byte) bool {
	switch path.Ext(name) {
	case ".yaml", ".yml":
		return sopsYAML.Match(data) && sopsMAC.Match(data)
	case ".json":
		return sopsJSON.Match(data) && sopsMAC.Match(data)
	}
	return false
}

// extensions are the endings of the names of encrypted files.
var extensions = []string{".age", ".crypt", ".sops"}

// Plain is a file's name without the extension that says it is encrypted.
func Plain(name string) (plain string, sealed bool) {
	for _, e := range extensions {
		if plain, ok := strings.CutSuffix(name, e); ok {
			return plain, true
		}
	}
	return name, false
}
