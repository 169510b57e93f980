// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/api"
	"github.com/bindery/bindery/controller/blob"
	"github.com/bindery/bindery/engine/release"
)

var hostID = strings.Repeat("0123456789abcdef", 2)

func (s *site) put(t testing.TB, key, content string) {
	t.Helper()
	_, err := s.files.Put(t.Context(), key, []byte(content), blob.Condition{})
	require.NoError(t, err)
}

func TestFiles(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	sum := strings.Repeat("a", 64)
	for key, cache := range map[string]string{
		"root/1.root.json":                    "public, max-age=31536000, immutable",
		"h/" + hostID + "/timestamp.json":     "no-cache",
		"h/" + hostID + "/17.snapshot.json":   "public, max-age=31536000, immutable",
		"h/" + hostID + "/17.targets.json":    "public, max-age=31536000, immutable",
		"h/" + hostID + "/" + sum + ".bundle": "public, max-age=31536000, immutable",
	} {
		s.put(t, key, "content of "+key)
		r := get(t, server.URL+"/"+key)
		require.Equal(t, http.StatusOK, r.code, key)
		require.Equal(t, "content of "+key, r.body)
		require.Equal(t, cache, r.header.Get("Cache-Control"), key)
		etag := r.header.Get("ETag")
		require.NotEmpty(t, etag)

		head := do(t, http.MethodHead, server.URL+"/"+key, nil, nil)
		require.Equal(t, http.StatusOK, head.code)
		require.Empty(t, head.body)
		require.Equal(t, etag, head.header.Get("ETag"))
		require.Equal(t, fmt.Sprint(len(r.body)), head.header.Get("Content-Length"))

		for _, tag := range []string{etag, "W/" + etag, `"x", ` + etag, "*"} {
			r := do(t, http.MethodGet, server.URL+"/"+key, nil, map[string]string{"If-None-Match": tag})
			require.Equal(t, http.StatusNotModified, r.code, tag)
			require.Empty(t, r.body)
		}
		s.put(t, key, "newer")
		r = do(t, http.MethodGet, server.URL+"/"+key, nil, map[string]string{"If-None-Match": etag})
		require.Equal(t, http.StatusOK, r.code)
		require.Equal(t, "newer", r.body)
	}
	r := get(t, server.URL+"/root/2.root.json")
	require.Equal(t, http.StatusNotFound, r.code)
	require.Equal(t, "public, max-age=60", r.header.Get("Cache-Control"))
	r = get(t, server.URL+"/h/"+hostID+"/18.targets.json")
	require.Equal(t, http.StatusNotFound, r.code)
	require.Equal(t, "no-cache", r.header.Get("Cache-Control"))
}

// What agents ask most often, as bytes on the wire, both ways.
func TestPollIsSmall(t *testing.T) {
	s := newSite(t)
	server := s.serve(t, (*api.API).Public)
	s.put(t, release.HostPath(hostID, release.TimestampName), strings.Repeat("x", 535))
	etag := get(t, server.URL+"/h/"+hostID+"/timestamp.json").header.Get("ETag")
	request := "GET /h/" + hostID + "/timestamp.json HTTP/1.1\r\nHost: bindery.example.org:8443\r\nUser-Agent: bindery-agent\r\n" +
		"Accept-Encoding: identity\r\nIf-None-Match: " + etag + "\r\n\r\n"
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.True(t, bytes.HasPrefix(answer, []byte("HTTP/1.1 304 ")), "%s", answer)
	total := len(request) + len(answer)
	t.Logf("%d bytes asked, %d answered", len(request), len(answer))
	require.Less(t, total, 600, "%s%s", request, answer)
}

// Nothing but what is published is served, whatever the path says.
func TestForeignPaths(t *testing.T) {
	s := newSite(t)
	s.put(t, "secret/key", "canary")
	s.put(t, "h/"+hostID+"/notes.txt", "canary")
	s.put(t, "root/x.json", "canary")
	server := s.serve(t, (*api.API).Public)
	for _, path := range []string{
		"/", "/root", "/root/", "/h", "/h/", "/h/" + hostID, "/h/" + hostID + "/", "/h/" + hostID + "/notes.txt", "/root/x.json",
		"/secret/key", "/root/../secret/key", "/root/..%2fsecret%2fkey", "/root/%2e%2e/secret/key", "/h/../secret/key",
		"/h/..%2f..%2fetc/timestamp.json", "/h/%2e%2e/timestamp.json", "/h/" + hostID + "/..%2f..%2fsecret%2fkey",
		"/h/" + hostID + "/%00.bundle", "/h/" + strings.ToUpper(hostID) + "/timestamp.json", "/root/0.root.json",
		"/root/01.root.json", "/root/-1.root.json", "/root/9999999999999999999.root.json", "/h/" + hostID + "/1.root.json",
		"//secret/key", "/h/" + hostID + "//timestamp.json", "/.locks/1", "/metrics", "/readyz", "/api/v1/hosts", "/openapi.json",
	} {
		r := get(t, server.URL+path)
		require.NotContains(t, r.body, "canary", path)
		require.NotEqual(t, http.StatusOK, r.code, path)
		require.Less(t, r.code, http.StatusInternalServerError, path)
	}
	for _, method := range []string{http.MethodPut, http.MethodPost, http.MethodDelete} {
		require.Equal(t, http.StatusMethodNotAllowed, do(t, method, server.URL+"/root/1.root.json", nil, nil).code)
	}
}

// files answers with what it is told.
type files struct {
	data []byte
	etag string
	err  error
}

func (f files) Get(context.Context, string) ([]byte, string, error) { return f.data, f.etag, f.err }

// A store that is down is said to be down, never to be empty: an agent keeps what
// it has, and no cache learns that a file does not exist.
func TestStoreDown(t *testing.T) {
	s := newSite(t)
	s.cfg.Files = files{err: errors.New("input/output error: canary")}
	server := s.serve(t, (*api.API).Public)
	for _, path := range []string{"/root/1.root.json", "/h/" + hostID + "/timestamp.json", "/h/" + hostID + "/" + strings.Repeat("a", 64) + ".bundle"} {
		r := do(t, http.MethodGet, server.URL+path, nil, map[string]string{"If-None-Match": "*"})
		require.Equal(t, http.StatusServiceUnavailable, r.code)
		require.Equal(t, "no-store", r.header.Get("Cache-Control"))
		require.NotContains(t, r.body, "canary")
	}
	require.Contains(t, s.log.String(), "input/output error")
	require.NotContains(t, s.log.String(), hostID)
}

func TestStrangeStores(t *testing.T) {
	s := newSite(t)
	s.cfg.Files = files{data: make([]byte, release.MaxTimestamp+1), etag: "x"}
	server := s.serve(t, (*api.API).Public)
	require.Equal(t, http.StatusServiceUnavailable, get(t, server.URL+"/h/"+hostID+"/timestamp.json").code)

	s.cfg.Files = files{data: []byte("{}"), etag: "a\"\r\nSet-Cookie: x"}
	server = s.serve(t, (*api.API).Public)
	r := get(t, server.URL+"/h/"+hostID+"/timestamp.json")
	require.Equal(t, http.StatusOK, r.code)
	require.Empty(t, r.header.Get("ETag"))
	require.Empty(t, r.header.Get("Set-Cookie"))
}
