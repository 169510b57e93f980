// SPDX-License-Identifier: Apache-2.0

package secrets

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // read only: old repositories may have it
	"crypto/md5" //nolint:gosec // what bcfg2-crypt derives keys with
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bindery/bindery/engine/secret"
)

// block is a cipher in CBC mode, as OpenSSL names it.
type block struct {
	key  int
	make func(key []byte) (cipher.Block, error)
}

var blocks = map[string]block{
	"aes_128_cbc": {16, aes.NewCipher}, "aes_192_cbc": {24, aes.NewCipher}, "aes_256_cbc": {32, aes.NewCipher},
	"des_ede3_cbc": {24, des.NewTripleDESCipher},
}

const salted = "Salted__"

// openSSL opens what bcfg2-crypt made: with the passphrase of that name, else with
// each of the others by name.
func (k *Keyring) openSSL(s secret.Sealed) ([]byte, error) {
	all := maps.Clone(s.Passphrases)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, k.passphrases)
	b, ok := blocks[strings.ReplaceAll(strings.ToLower(s.Algorithm), "-", "_")]
	if !ok {
		return nil, &secret.Error{
			Code: secret.CodeWrong, Msg: fmt.Sprintf("the algorithm %q of [encryption] is not known", s.Algorithm),
			Hint: "encrypt it anew with " + strings.Join(slices.Sorted(maps.Keys(blocks)), ", "),
		}
	}
	data, err := unpacked(s.Data)
	if err != nil {
		return nil, &secret.Error{Code: secret.CodeWrong, Msg: "it is damaged: " + err.Error(), Hint: "encrypt it anew"}
	}
	names := slices.Sorted(maps.Keys(all))
	if i := slices.Index(names, s.Key); i > 0 {
		names = append([]string{s.Key}, slices.Delete(names, i, i+1)...)
	}
	var doubtful []byte
	for _, name := range names {
		plain, ok := b.open([]byte(all[name]), data)
		switch {
		case !ok:
		case utf8.Valid(plain):
			return plain, nil
		case doubtful == nil && s.Key == "":
			// A wrong passphrase looks right once in 256 times; text is a better sign.
			doubtful = plain
		}
	}
	if doubtful != nil {
		return doubtful, nil
	}
	return nil, noPassphrase(s.Key, names)
}

func noPassphrase(name string, have []string) error {
	const hint = "give the passphrase: --passphrases FILE with a section [encryption], or encrypted.passphrase_file in controller.yaml"
	switch {
	case slices.Contains(have, name):
		return &secret.Error{Code: secret.CodeWrong, Msg: fmt.Sprintf("the passphrase %s does not open it", name), Hint: "the passphrase is another one, or the text is damaged"}
	case len(have) == 0 && name == "":
		return &secret.Error{Code: secret.CodeNoKey, Msg: "it is encrypted with a passphrase, and none is given", Hint: hint}
	case name == "":
		return &secret.Error{Code: secret.CodeNoKey, Msg: "none of the passphrases opens it: " + strings.Join(have, ", "), Hint: hint}
	}
	return &secret.Error{Code: secret.CodeNoKey, Msg: fmt.Sprintf("the passphrase %s is not given", name), Hint: hint}
}

// unpacked gives what OpenSSL writes, which may be in base64.
func unpacked(data []byte) ([]byte, error) {
	data = bytes.TrimLeft(data, " \t\r\n")
	if !bytes.HasPrefix(data, []byte(salted)) {
		text := strings.Join(strings.Fields(string(data)), "")
		var err error
		if data, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, errors.New("it is no base64")
		}
	}
	if len(data) < 2*len(salted) || !bytes.HasPrefix(data, []byte(salted)) {
		return nil, errors.New("it is cut off")
	}
	return data[len(salted):], nil
}

// open decrypts salt and text, and takes the padding away; false where that is not
// what a right passphrase gives.
func (b block) open(passphrase, data []byte) ([]byte, bool) {
	salt, data := data[:8], data[8:]
	material := bytesToKey(passphrase, salt, b.key+aes.BlockSize)
	c, err := b.make(material[:b.key])
	if err != nil || len(data) == 0 || len(data)%c.BlockSize() != 0 {
		return nil, false
	}
	out := make([]byte, len(data))
	cipher.NewCBCDecrypter(c, material[b.key:b.key+c.BlockSize()]).CryptBlocks(out, data)
	pad := int(out[len(out)-1])
	if pad == 0 || pad > c.BlockSize() {
		return nil, false
	}
	for _, p := range out[len(out)-pad:] {
		if int(p) != pad {
			return nil, false
		}
	}
	return out[:len(out)-pad], true
}

// bytesToKey is OpenSSL's EVP_BytesToKey with MD5 and one round.
func bytesToKey(passphrase, salt []byte, n int) []byte {
	var out, last []byte
	for len(out) < n {
		sum := md5.Sum(slices.Concat(last, passphrase, salt)) //nolint:gosec // the format has no other
		last = sum[:]
		out = append(out, last...)
	}
	return out[:n]
}
