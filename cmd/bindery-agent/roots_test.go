// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// The agent's own client can begin anew: through all that is around its transport.
func TestTheClientBeginsAnew(t *testing.T) {
	t.Parallel()
	from := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { from[r.RemoteAddr] = true }))
	t.Cleanup(server.Close)
	c, err := network()
	require.NoError(t, err)
	for _, want := range []int{1, 1, 2} {
		if want == 2 {
			c.CloseIdleConnections()
		}
		resp, err := c.Get(server.URL)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Len(t, from, want)
	}
}
