// SPDX-License-Identifier: Apache-2.0

package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/bindery/bindery/engine/secret"
)

func (k *Keyring) openAge(s secret.Sealed) ([]byte, error) {
	data := s.Data
	var in io.Reader = bytes.NewReader(data)
	if text := bytes.TrimSpace(data); bytes.HasPrefix(text, []byte(armor.Header)) {
		// In XML the lines may be indented.
		var lines []string
		for l := range strings.Lines(string(text)) {
			lines = append(lines, strings.TrimSpace(l))
		}
		in = armor.NewReader(strings.NewReader(strings.Join(lines, "\n") + "\n"))
	}
	if len(k.identities) == 0 {
		return nil, &secret.Error{Code: secret.CodeNoKey, Msg: "it is encrypted with age, and no identity is given" + listed(s.Recipients), Hint: identityHint}
	}
	out, err := age.Decrypt(in, k.identities...)
	if none, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		types := slices.Compact(slices.Sorted(slices.Values(none.StanzaTypes)))
		return nil, &secret.Error{
			Code: secret.CodeNoKey,
			Msg:  fmt.Sprintf("it is encrypted with age to %d recipients (%s), none of which is that of an identity given (%s)%s", len(none.StanzaTypes), printable(types), k.recipients(), listed(s.Recipients)),
			Hint: "encrypt it to one of these recipients too, or give the identity that fits: age does not write down whose it is",
		}
	}
	if err != nil {
		return nil, damaged()
	}
	plain, err := io.ReadAll(io.LimitReader(out, maxOpened+1))
	switch {
	case err != nil:
		return nil, damaged()
	case len(plain) > maxOpened:
		return nil, tooLarge()
	}
	return plain, nil
}

const identityHint = "give it: --identity FILE, or encrypted.identity_files in controller.yaml"

func damaged() error {
	return &secret.Error{Code: secret.CodeWrong, Msg: "it is no whole file of age", Hint: "encrypt it anew"}
}

func tooLarge() error {
	return &secret.Error{Code: secret.CodeWrong, Msg: fmt.Sprintf("what is in it has more than %d bytes", maxOpened), Hint: "deliver large files as packages"}
}

// listed names the recipients that a specification lists: a file of age does not
// say whose it is.
func listed(recipients []string) string {
	if len(recipients) == 0 {
		return ""
	}
	var out []string
	for _, r := range recipients {
		if len(r) > 70 { // hybrid ones are two thousand characters long
			r = r[:32] + "…"
		}
		out = append(out, r)
	}
	return "; " + secret.RecipientsFile + " lists " + printable(out)
}

// recipients are those that the given identities are for.
func (k *Keyring) recipients() string {
	var out []string
	for _, id := range k.identities {
		switch id := id.(type) {
		case *age.X25519Identity:
			out = append(out, id.Recipient().String())
		case *age.HybridIdentity:
			// These are two thousand characters long.
			out = append(out, id.Recipient().String()[:32]+"…")
		}
	}
	return strings.Join(out, ", ")
}

// printable keeps what the header of a file calls its recipients fit to be shown.
func printable(types []string) string {
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.Join(types, ", "))
	return text[:min(len(text), 400)]
}
