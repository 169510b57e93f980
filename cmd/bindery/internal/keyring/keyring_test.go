// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/cmd/bindery/internal/keyring"
)

// signer makes a key, and its public part with and without armor.
func signer(t *testing.T, conf *packet.Config) (key *openpgp.Entity, plain, armored []byte) {
	t.Helper()
	key, err := openpgp.NewEntity("Archive", "", "archive@example.org", conf)
	require.NoError(t, err)
	var b, a bytes.Buffer
	require.NoError(t, key.Serialize(&b))
	w, err := armor.Encode(&a, openpgp.PublicKeyType, nil)
	require.NoError(t, err)
	require.NoError(t, key.Serialize(w))
	require.NoError(t, w.Close())
	return key, b.Bytes(), a.Bytes()
}

func clear(t *testing.T, key *openpgp.Entity, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := clearsign.Encode(&b, key.PrivateKey, nil)
	require.NoError(t, err)
	_, err = w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestVerify(t *testing.T) {
	ours, plain, armored := signer(t, nil)
	theirs, _, other := signer(t, nil)
	ring := keyring.New(time.Now)
	require.True(t, ring.Empty())
	require.NoError(t, ring.Add(plain))
	require.ErrorContains(t, ring.Add([]byte("no key")), "read keys")
	stranger := keyring.New(time.Now)
	require.NoError(t, stranger.Add(other))
	again := keyring.New(time.Now)
	require.NoError(t, again.Add(armored))

	text := "Origin: x\n"
	inline := clear(t, ours, text)
	for _, r := range []*keyring.Ring{ring, again, stranger.With(ring)} {
		signed, by, err := r.Verify(inline, nil)
		require.NoError(t, err)
		require.Equal(t, text, string(signed))
		require.Len(t, by, 40)
	}
	// What stands before and behind the signed text is not part of it.
	signed, _, err := ring.Verify(append([]byte("Before: x\n"), append(inline, "\nBehind: x\n"...)...), nil)
	require.NoError(t, err)
	require.Equal(t, text, string(signed))
	require.Equal(t, text, string(keyring.Text(inline)))
	require.Equal(t, "as it is", string(keyring.Text([]byte("as it is"))))

	var detached, binary bytes.Buffer
	require.NoError(t, openpgp.ArmoredDetachSign(&detached, ours, bytes.NewReader([]byte(text)), nil))
	require.NoError(t, openpgp.DetachSign(&binary, ours, bytes.NewReader([]byte(text)), nil))
	for _, signature := range [][]byte{detached.Bytes(), binary.Bytes()} {
		_, _, err = ring.Verify([]byte(text), signature)
		require.NoError(t, err)
		_, _, err = ring.Verify([]byte("Origin: y\n"), signature)
		require.ErrorContains(t, err, "check signature")
		_, _, err = stranger.Verify([]byte(text), signature)
		require.ErrorContains(t, err, "check signature")
	}
	for what, data := range map[string][]byte{
		"check signature":             clear(t, theirs, text),
		"check signature: ":           bytes.Replace(inline, []byte("Origin: x"), []byte("Origin: y"), 1),
		"there is no signature in it": []byte(text),
	} {
		_, _, err = ring.Verify(data, nil)
		require.ErrorContains(t, err, what)
	}
	_, _, err = ring.Verify([]byte(text), []byte("-----BEGIN PGP"))
	require.ErrorContains(t, err, "read signature")
	_, _, err = ring.Verify([]byte(text), []byte{})
	require.ErrorContains(t, err, "check signature")
}

// A key counts no longer once it has expired.
func TestExpired(t *testing.T) {
	key, plain, _ := signer(t, &packet.Config{KeyLifetimeSecs: 60})
	late := keyring.New(func() time.Time { return time.Now().Add(time.Hour) })
	require.NoError(t, late.Add(plain))
	_, _, err := late.Verify(clear(t, key, "x\n"), nil)
	require.ErrorContains(t, err, "expired")
}
