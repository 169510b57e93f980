// SPDX-License-Identifier: Apache-2.0

package release_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/bindery/bindery/engine/release"
)

// A threshold of two is two keys, whatever names one of them has and however it is
// written.
func TestOneKeyUnderTwoIDs(t *testing.T) {
	w := newWorld(t)
	for name, write := range map[string]func(string) string{
		"alike": func(key string) string { return key }, "in capitals": strings.ToUpper,
	} {
		m, err := metadata.Root().FromBytes(w.root.Data)
		require.NoError(t, err)
		role := m.Signed.Roles["targets"]
		key := *m.Signed.Keys[role.KeyIDs[0]]
		key.Value.PublicKey = write(key.Value.PublicKey)
		m.Signed.Keys["another"] = &key
		role.KeyIDs, role.Threshold = append(role.KeyIDs, "another"), 2
		m.ClearSignatures()
		_, err = m.Sign(w.keys["root"][0])
		require.NoError(t, err)
		data, err := m.ToBytes(false)
		require.NoError(t, err)
		_, err = release.ParseRoot(data)
		require.ErrorIs(t, err, release.ErrUntrusted, name)
		require.ErrorContains(t, err, "two ids", name)
	}
}

// Metadata that name a field of the host binding twice, or in other letters, are no
// way around it.
func TestHostBindingHasOneSpelling(t *testing.T) {
	w := newWorld(t)
	kept := w.accept(t, release.State{}, w.publish(t, "one"), "one")
	other := hostID(t)
	theirs := w.publishAs(t, other, w.id.Public().Recipient, "theirs", w.last+100)
	for name, change := range map[string]func([]byte) []byte{
		"added in capitals": func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"x-host":`), []byte(`"X-Host":"`+w.hostID+`","x-host":`), 1)
		},
		"first": func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"x-host":`), []byte(`"x-host":"`+w.hostID+`","x-host":`), 1)
		},
		"last": func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"x-host":"`+other+`"`), []byte(`"x-host":"`+other+`","x-host":"`+w.hostID+`"`), 1)
		},
	} {
		data := change(bytes.Clone(theirs.Timestamp))
		require.NotEqual(t, theirs.Timestamp, data, name)
		require.True(t, json.Valid(data), name)
		v := w.verifier(t, kept)
		_, err := v.UpdateTimestamp(data)
		require.ErrorIs(t, err, release.ErrUntrusted, name)
		require.Equal(t, kept.Timestamp, v.State().Timestamp, name)
	}
}
