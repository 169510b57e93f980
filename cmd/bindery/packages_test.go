// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFetchIndex(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/Packages.gz" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("Package: a\n"))
	}))
	defer server.Close()
	data, err := fetchIndex(t.Context(), server.Client(), server.URL+"/Packages.gz")
	require.NoError(t, err)
	require.Equal(t, "Package: a\n", string(data))
	_, err = fetchIndex(t.Context(), server.Client(), server.URL+"/gone")
	require.ErrorIs(t, err, fs.ErrNotExist)
	for address, want := range map[string]string{
		server.URL + "/gone":  "404",
		"ftp://a/Packages.gz": `"ftp" is no kind of address`,
		"file://elsewhere/x":  "a file on elsewhere cannot be read from here",
		"file:///dev/zero":    "is no file of at most",
		":":                   "missing protocol scheme",
	} {
		_, err := fetchIndex(t.Context(), server.Client(), address)
		require.ErrorContains(t, err, want, address)
	}
}
