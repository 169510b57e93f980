// SPDX-License-Identifier: Apache-2.0

package agent_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/agenttest"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/engine/release"
)

// A refusal is told in the controller's words, and in nobody's JSON.
func TestRefusalNamesItsReason(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		status     int
		body, want string
		is         error
	}{
		{http.StatusForbidden, `{"title":"Forbidden","status":403,"detail":"the token is for another name"}`, `with 403: "the token is for another name"`, release.ErrUntrusted},
		{http.StatusBadGateway, "no backend\nat all", `with 502: "no backend"`, agent.ErrUnavailable},
		{http.StatusForbidden, `{"title":"Forbidden"}`, `with 403: "{\"title\"`, release.ErrUntrusted},
	} {
		s.Broken = func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(c.status)
			_, err := w.Write([]byte(c.body))
			return err == nil
		}
		d, err := state.Open(state.Config{Path: t.TempDir(), Create: true})
		require.NoError(t, err)
		_, err = agent.Enrol(t.Context(), agent.EnrolConfig{State: d, Client: s.Client(), URL: s.Server.URL, Host: agenttest.HostName, Token: s.Token(agenttest.HostName)})
		d.Close()
		require.ErrorIs(t, err, c.is)
		require.ErrorContains(t, err, c.want)
	}
}
