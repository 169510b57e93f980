// SPDX-License-Identifier: Apache-2.0

package metrics_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/metrics"
)

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code)
	return w.Body.String()
}

func TestEverythingIsShown(t *testing.T) {
	m, err := metrics.New(metrics.Config{
		Hosts: func(context.Context) (map[string]map[string]int, error) {
			return map[string]map[string]int{"main": {"applied": 3, "failed": 1}}, nil
		},
		Version: "v1",
		Now:     func() time.Time { return time.Unix(1_700_000_000, 0) },
	})
	require.NoError(t, err)
	e := m.Of("main")
	e.Built(time.Second, nil)
	e.Built(time.Second, errors.New("no"))
	e.Published(2, 5, 1)
	e.ForgeError("limited")
	m.Enrolment("accepted")
	m.Facts("replayed")
	m.Report("accepted")
	e.Succeeded("publish")
	hook := m.Deliveries(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	hook.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil))

	got := scrape(t, m)
	for _, want := range []string{
		`bindery_builds_total{environment="main",result="ok"} 1`, `bindery_builds_total{environment="main",result="error"} 1`, `bindery_build_seconds_count{environment="main"} 2`,
		`bindery_published_total{environment="main",result="published"} 2`, `bindery_published_total{environment="main",result="unchanged"} 5`,
		`bindery_published_total{environment="main",result="error"} 1`, `bindery_forge_errors_total{environment="main",reason="limited"} 1`,
		`bindery_enrolments_total{result="accepted"} 1`, `bindery_facts_total{result="replayed"} 1`,
		`bindery_reports_total{result="accepted"} 1`, `bindery_last_success_timestamp_seconds{environment="main",loop="publish"} 1.7e+09`,
		`bindery_webhook_deliveries_total{code="202"} 1`, `bindery_hosts{environment="main",state="applied"} 3`, `bindery_hosts{environment="main",state="failed"} 1`,
		`bindery_build_info{version="v1"} 1`,
	} {
		require.Contains(t, got, want+"\n")
	}
}

func TestHostsAreCountedSeldom(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	asked, broken := 0, error(nil)
	m, err := metrics.New(metrics.Config{
		Hosts: func(context.Context) (map[string]map[string]int, error) {
			asked++
			return map[string]map[string]int{"main": {"applied": asked}}, broken
		},
		Now: func() time.Time { return now },
	})
	require.NoError(t, err)
	require.Contains(t, scrape(t, m), `bindery_hosts{environment="main",state="applied"} 1`)
	require.Contains(t, scrape(t, m), `bindery_hosts{environment="main",state="applied"} 1`)
	now = now.Add(time.Minute)
	require.Contains(t, scrape(t, m), `bindery_hosts{environment="main",state="applied"} 2`)

	// A number that is not known is not shown.
	now, broken = now.Add(time.Minute), errors.New("no database")
	require.NotContains(t, scrape(t, m), `bindery_hosts{`)
}
