// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/status"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/controller/web"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/engine/review"
)

// hostile is what a page must never take for its own words.
const hostile = `</td><script>alert(1)</script>"'&<img src=x onerror=alert(1)>`

type site struct {
	store  *store.Store
	server *httptest.Server
	at     time.Time
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	now := func() time.Time { return s.at }
	var err error
	s.store, err = store.New(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "state.db"), Now: now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.store.Close()) })
	r, err := status.New(status.Config{Fleet: s.store, History: s.store, Journal: s.store, Environments: []status.Environment{{Name: "main", Repo: "o/r", Branch: "main"}}, Now: now})
	require.NoError(t, err)
	w, err := web.New(web.Config{Status: r, Journal: r, Version: "v1", Now: now})
	require.NoError(t, err)
	s.server = httptest.NewServer(w)
	t.Cleanup(s.server.Close)
	return s
}

func (s *site) get(t *testing.T, path string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+path, nil)
	require.NoError(t, err)
	resp, err := s.server.Client().Do(req)
	require.NoError(t, err)
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, resp.Header, string(data)
}

func (s *site) page(t *testing.T, path string) string {
	t.Helper()
	code, header, body := s.get(t, path)
	require.Equal(t, http.StatusOK, code, body)
	require.Equal(t, "text/html; charset=utf-8", header.Get("Content-Type"))
	require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'")
	// A review has a script of ours, and the names of its hosts for that.
	ours := strings.NewReplacer(`<script src="/report.js" defer></script>`, "", `<script type="application/json" class="names">`, "")
	require.NotContains(t, strings.ToLower(ours.Replace(body)), "<script")
	require.NotContains(t, body, " style=")
	require.NotContains(t, body, "<img")
	require.NotContains(t, body, "ZgotmplZ")
	require.NotContains(t, body, "\u202e") // what turns the direction of writing
	return body
}

func (s *site) fill(t *testing.T, text string, hosts int) {
	t.Helper()
	ctx := t.Context()
	for i := range hosts {
		name := fmt.Sprintf("web%02d", i)
		require.NoError(t, s.store.AddToken(ctx, store.Token{ID: name, Host: name, Verifier: []byte("v"), Expires: s.at.Add(time.Hour)}))
		require.NoError(t, s.store.Enrol(ctx, name, store.Host{ID: "id" + name, Name: name, Identity: []byte{1}, Recipient: "r", Profile: text}))
		require.NoError(t, s.store.PutReleases(ctx, []store.Release{{
			HostID: "id" + name, Sequence: 7, ConfigDigest: "d", ProbeDigest: "set", Commit: text + "0123456789abcdef", Tree: "t", Format: 1,
		}}))
		body, err := json.Marshal(release.Report{
			State: release.StateDirty, Mode: release.ModeReport, ModeSince: time.Now(), Reported: []release.Reported{{Bundle: "new" + text, Since: time.Now()}}, Total: 3, Good: 1, Error: text, Flags: []string{"bundle=" + text},
			Bad:         []release.Item{{Key: config.Key{Tag: "Path", Name: "/etc/motd" + text}, Bundle: text, Reason: "differs " + text}},
			NotVerified: []release.Item{{Key: config.Key{Tag: "Package", Name: "vim"}, Reason: "no driver"}},
			StaleFacts:  []release.StaleFact{{Probe: "disks" + text, Since: time.Now(), Reason: "ran too long" + text}},
		})
		require.NoError(t, err)
		require.NoError(t, s.store.PutReport(ctx, store.Report{HostID: "id" + name, Counter: 1, Sequence: 7, Commit: "c", ConfigDigest: "d", State: "dirty", Body: body}))
		_, err = s.store.PutFacts(ctx, store.Facts{HostID: "id" + name, Counter: 1, ProbeDigest: "set", Answers: map[string]string{"os" + text: "CANARY"}})
		require.NoError(t, err)
	}
	require.NoError(t, s.store.PutRef(ctx, store.Ref{Repo: "o/r" + text, Name: "refs/heads/main", Commit: "c", Outcome: "refused", Detail: "Bundler/x.xml:3:1: " + text}))
	_, err := s.store.PutReview(ctx, store.Review{Repo: "o/r", Pull: 3, Head: text, State: "failed", Body: reviewed(t, text)})
	require.NoError(t, err)
	require.NoError(t, s.store.Audit(ctx, store.Record{Actor: text, Action: "token-reused", Subject: text, Detail: text}))
}

// reviewed is a report with something of everything.
func reviewed(t *testing.T, text string) []byte {
	t.Helper()
	hosts, mode := review.Hosts{Names: []string{"web1", "web2"}, Label: "web[1-2]" + text}, "0600"+text
	key := config.Key{Tag: "Path", Name: "/etc/motd" + text}
	r := &review.Report{
		Verdict: review.Verdict{State: review.Failed, Title: "1 host does not build" + text},
		Totals:  review.Totals{Hosts: 3, Changed: 2, Failed: 1},
		Impact:  []review.Impact{{Kind: "package-removed", Subjects: []string{"xinetd" + text}, Hosts: hosts}},
		Errors: []review.Cause{{
			Problem: problem.New(problem.Pos{File: "Bundler/x.xml", Line: 3, Column: 1}, "x", "no such group"+text, text), Entries: []string{text}, Hosts: hosts,
		}},
		Problems: []*problem.Problem{problem.New(problem.Pos{}, "x", text, text)}, Files: []string{text}, Held: &hosts, Added: &hosts, Removed: &hosts,
		Changes: []review.Change{
			{
				Entry: key, Kind: review.EntryModified, Severity: review.Removal, Hosts: hosts, Effects: []string{"restart sshd" + text},
				From: config.Source{File: "Bundler/ssh.xml" + text, Line: 7}, Variants: []review.Variant{{
					Hosts: hosts, Masked: true, Attrs: []review.AttrChange{{Name: "mode", New: &mode}}, Notes: []string{text},
					Hunks: []review.Hunk{{Header: "@@ -1 +1 @@", Lines: []review.Line{{Op: "-", Text: "old line" + text}, {Op: "+", Text: "new line" + text}, {Op: " ", Text: "\u202egnp"}}}},
				}},
			},
			{
				Entry: key, Kind: review.EntryModified, Severity: review.Sensitive, Hosts: hosts, Secret: true,
				Variants: []review.Variant{{Hosts: hosts, Secrets: []review.Fingerprints{{Old: "9d41c2", New: "e07c5a"}}}},
			},
		},
	}
	data, err := r.JSON()
	require.NoError(t, err)
	return data
}

var paths = []string{"/", "/hosts", "/hosts?state=failed", "/hosts/web00", "/releases", "/reviews", "/reviews/o/r/3", "/audit"}

func TestPages(t *testing.T) {
	s := newSite(t)
	s.fill(t, "", 20)
	body, err := json.Marshal(release.Report{State: release.StateDirty, Mode: release.ModeApply, Bad: []release.Item{{Key: config.Key{Tag: "Path", Name: "/f"}, Reason: "differs"}}})
	require.NoError(t, err)
	require.NoError(t, s.store.PutReport(t.Context(), store.Report{HostID: "idweb07", Counter: 2, Sequence: 7, Commit: "c", ConfigDigest: "d", State: "dirty", Body: body}))
	s.at = s.at.Add(2 * time.Hour)
	for path, want := range map[string][]string{
		"/":            {"Fleet", "20 hosts", "Bundler/x.xml:3:1", "Path:/etc/motd: differs", "Path:/f: differs", "What is only reported", "and 15 more", `<li class="busy"><a href="/hosts?state=differs"><b>19</b> differs`, "<b>1</b> failed", "<b>0</b> waiting for facts"},
		"/hosts":       {`href="/hosts/web19"`, "2 hours ago", "failed", "only reports, for 0 days; Path:/etc/motd: differs"},
		"/hosts/web00": {`<span class="state busy">differs</span>`, "1 of 3 good, 1 bad", "sequence 7", "no driver", "Package:vim", "0123456789", "its last good answer stands in: ran too long"},
		"/releases":    {"0123456789", `<td class="number">20</td>`},
		"/reviews":     {`<a href="/reviews/o/r/3">#3</a>`, "failed"},
		"/reviews/o/r/3": {
			"Pull request 3", "1 host does not build", "<b>2</b> hosts change", "Bundler/x.xml:3:1</code> <span>no such group", "packages removed", "web[1-2]",
			"<del>-<mark>old</mark> line\n</del>", "<ins>+<mark>new</mark> line\n</ins>", "<ins>+# mode=0600\n</ins>", "@@ -1 &#43;1 @@", "‹secret 9d41c2›", "restart sshd",
			`data-kind="removal" open>`, "from <code>Bundler/ssh.xml:7</code>",
		},
		"/audit": {"token reused"},
	} {
		body := s.page(t, path)
		for _, w := range want {
			require.Contains(t, body, w, path)
		}
		require.NotContains(t, body, "CANARY", path)
	}
	require.Contains(t, s.page(t, "/hosts?state=applied"), "No host is applied.")
	require.Contains(t, s.page(t, "/hosts?state="+"%3Cscript%3E"), "web00")
}

// Each list can be that of one environment.
func TestOneEnvironment(t *testing.T) {
	s := newSite(t)
	s.fill(t, "", 2)
	h, err := s.store.HostNamed(t.Context(), "web01")
	require.NoError(t, err)
	require.NoError(t, s.store.Move(t.Context(), "alice", h, "main"))
	require.Contains(t, s.page(t, "/"), `<a href="/?environment=main">main</a>`)
	require.Contains(t, s.page(t, "/?environment=main"), "1 host in main")
	hosts := s.page(t, "/hosts?environment=main")
	require.Contains(t, hosts, "web01")
	require.NotContains(t, hosts, "web00")
	require.Contains(t, hosts, `/hosts?state=failed&amp;environment=main`)
	require.Contains(t, s.page(t, "/releases?environment=main"), "Nothing was published yet.")
	require.Contains(t, s.page(t, "/reviews?environment=main"), "No pull request was reviewed yet.")
	require.Contains(t, s.page(t, "/audit"), "host moved")
	for _, path := range []string{"/", "/hosts", "/releases", "/reviews"} {
		code, _, _ := s.get(t, path+"?environment=typo")
		require.Equal(t, http.StatusNotFound, code, path)
	}
	for _, path := range []string{"/reviews/3", "/reviews/o/s/3", "/reviews/o/r/x"} {
		code, _, _ := s.get(t, path)
		require.Equal(t, http.StatusNotFound, code, path)
	}
}

func TestEmptyFleet(t *testing.T) {
	s := newSite(t)
	for path, want := range map[string]string{
		"/": "No host reports anything wrong.", "/hosts": "bindery hosts add NAME", "/releases": "Nothing was published yet.",
		"/reviews": "No pull request was reviewed yet.", "/audit": "Nothing was recorded yet.",
	} {
		require.Contains(t, s.page(t, path), want)
	}
}

func TestEverythingIsEscaped(t *testing.T) {
	s := newSite(t)
	s.fill(t, hostile, 20)
	for _, path := range paths {
		s.page(t, path)
	}
}

// Every link on every page leads somewhere of ours.
func TestLinks(t *testing.T) {
	s := newSite(t)
	s.fill(t, "", 2)
	link := regexp.MustCompile(`(?:href|src)="([^"]*)"`)
	for _, path := range paths {
		for _, m := range link.FindAllStringSubmatch(s.page(t, path), -1) {
			if m[1] == "data:," || strings.HasPrefix(m[1], "#") || strings.HasPrefix(m[1], "/api/") || m[1] == "/openapi.json" {
				continue
			}
			require.True(t, strings.HasPrefix(m[1], "/"), "%s links to %s", path, m[1])
			code, _, _ := s.get(t, strings.ReplaceAll(m[1], "&amp;", "&"))
			require.Equal(t, http.StatusOK, code, "%s links to %s", path, m[1])
		}
	}
}

func TestWhatIsNotThere(t *testing.T) {
	s := newSite(t)
	for path, want := range map[string]string{
		"/hosts/ghost": "Nothing of this name is known here.", "/nothing": "There is no such page.", "/reviews/o/r/4": "Nothing of this name is known here.", "/hosts/..%2f..%2fetc": "Nothing of this name",
	} {
		code, _, body := s.get(t, path)
		require.Equal(t, http.StatusNotFound, code, path)
		require.Contains(t, body, want)
	}
	code, header, _ := s.get(t, "/style.css")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "text/css; charset=utf-8", header.Get("Content-Type"))
	_, header, body := s.get(t, "/report.js")
	require.Equal(t, "text/javascript; charset=utf-8", header.Get("Content-Type"))
	require.Contains(t, body, "use strict")
}

func TestStateDown(t *testing.T) {
	s := newSite(t)
	require.NoError(t, s.store.Close())
	for _, path := range paths {
		code, _, body := s.get(t, path)
		require.Equal(t, http.StatusServiceUnavailable, code, path)
		require.NotContains(t, body, "sql")
	}
}
