// SPDX-License-Identifier: Apache-2.0

package publish_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/release"
)

// What leaves the seal tells nothing to somebody who can guess a short secret.
func TestConfigMark(t *testing.T) {
	s, other := newSite(t), newSite(t)
	p := s.publisher(t, s.store)
	pin := configuration(s.host.Name, "pin=1234")
	mark := p.ConfigMark(pin)
	require.Len(t, mark, 64)
	require.NotEqual(t, pin.Digest().String(), mark)
	require.Equal(t, mark, s.publisher(t, s.store).ConfigMark(configuration("another host", "pin=1234")))
	require.NotEqual(t, mark, p.ConfigMark(configuration(s.host.Name, "pin=1235")))
	require.NotEqual(t, mark, other.publisher(t, other.store).ConfigMark(pin), "another controller has another key")
	require.Empty(t, p.ConfigMark(nil))

	_, err := p.Publish(t.Context(), s.wants("one"))
	require.NoError(t, err)
	b, _, err := s.fetch(t, release.State{})
	require.NoError(t, err)
	require.Equal(t, p.ConfigMark(b.Config), b.Manifest.ConfigMark)
}
