// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"github.com/bindery/bindery/engine/internal/memo"
	"github.com/bindery/bindery/engine/problem"
)

// Imaginary is the name that a host of just one group has.
const Imaginary = "dummy"

// KeyKind says what a Key is.
type KeyKind string

const (
	// HostKey is one of the keys of a host's SSH server.
	HostKey KeyKind = "ssh-host"
	// SSHKey is a key that somebody logs in with.
	SSHKey KeyKind = "ssh"
	// TLSKey is the key of a certificate.
	TLSKey KeyKind = "ssl-key"
	// Certificate is a certificate.
	Certificate KeyKind = "ssl-cert"
)

// Key is a key or a certificate that a host is to have and that stands in the
// specification, or is missing there.
type Key struct {
	Kind KeyKind
	// Path is where the host has it.
	Path string
	// File is where it belongs in the specification, and Public its public half;
	// "" where there is none.
	File, Public string
	// Present is the file that is there, PublicPresent its public half; "" where it is
	// missing.
	Present, PublicPresent string
	// At is the line that asks for it.
	At problem.Pos
	// Type is rsa, ecdsa, ed25519 or what else the specification says; Bits is 0
	// where it leaves the size open.
	Type string
	Bits int
	// Passphrase is what the specification wants the key locked with.
	Passphrase string
	// Request is what a certificate is to say; nil for a key.
	Request *Request
}

// Request is what a certificate is to say.
type Request struct {
	Host string
	// Names are the other names that it is for, without repetitions.
	Names []string
	// Key is the Path whose content is the key.
	Key string
	// CA names the authority; Days is how long the certificate is to be good.
	CA   string
	Days int
	// Subject holds the other parts of the subject: C, L, ST, O, OU, emailAddress.
	Subject map[string]string
	// Chain: the certificates of the authority stand behind it.
	Chain bool
}

// KeyHolder is a Generator whose entries may be keys.
type KeyHolder interface {
	// Keys lists the keys that the path needs on the host, and KeyRefs.
	Keys(v *memo.View, path string) ([]Key, []KeyRef, *problem.Problem)
}

// KeyRef is a path whose keys another path is made of, on a host or on another.
type KeyRef struct {
	View *memo.View
	Path string
}
