// SPDX-License-Identifier: Apache-2.0

package release_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/release"
)

func TestFleetFacts(t *testing.T) {
	w := newWorld(t)
	in := release.FleetFacts{Taken: start, Redacted: true, Answered: map[string]time.Time{"a": start}, Hosts: json.RawMessage(`{"a":{"os":"Linux"}}`)}
	data, err := w.signers().SignFacts(in)
	require.NoError(t, err)
	require.True(t, release.IsFleetFacts(data))
	require.False(t, release.IsFleetFacts(in.Hosts))
	got, err := release.OpenFleetFacts(data, w.root, start)
	require.NoError(t, err)
	require.Equal(t, &in, got)

	other := newWorld(t)
	forged, err := other.signers().SignFacts(in)
	require.NoError(t, err)
	timestamp := release.Signers{Targets: w.keys["timestamp"][0]}
	wrongRole, err := timestamp.SignFacts(in)
	require.NoError(t, err)
	changed := bytes.Replace(data, []byte(base64.StdEncoding.EncodeToString([]byte(`{"taken"`))[:8]), []byte(base64.StdEncoding.EncodeToString([]byte(`{"Taken"`))[:8]), 1)
	require.NotEqual(t, data, changed)
	for what, bad := range map[string][]byte{"another root": forged, "another role": wrongRole, "changed": changed, "cut": data[:len(data)-9], "plain": in.Hosts} {
		_, err := release.OpenFleetFacts(bad, w.root, start)
		require.ErrorIs(t, err, release.ErrUntrusted, what)
	}
	_, err = release.OpenFleetFacts(data, w.root, w.root.Expires)
	require.ErrorIs(t, err, release.ErrUntrusted, "an expired root is no root")
	_, err = release.ReadFleetFacts(forged)
	require.NoError(t, err, "whom to trust is for the caller")
}
