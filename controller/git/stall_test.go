// SPDX-License-Identifier: Apache-2.0

package git_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/git"
)

// The library does not look at the context in every phase; a server that stops in the
// middle of any of them is left all the same.
func TestAFetchEndsWithItsContextInEveryPhase(t *testing.T) {
	o := newOrigin(t)
	o.write("a", strings.Repeat("one\n", 2000))
	o.commit()
	o.push("main")
	for _, phase := range []string{"/info/refs", "/git-upload-pack"} {
		for _, most := range []int{0, 20, 200} {
			ctx, cancel := context.WithCancel(t.Context())
			stalls := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, phase) {
					o.forge.ServeHTTP(w, r)
					return
				}
				answer := httptest.NewRecorder()
				o.forge.ServeHTTP(answer, r)
				w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
				_, _ = w.Write(answer.Body.Bytes()[:min(most, answer.Body.Len()/2)])
				_ = http.NewResponseController(w).Flush()
				cancel()
				<-r.Context().Done()
			}))
			m, err := git.New(git.Config{URL: stalls.URL + o.forge.ClonePath(), Dir: filepath.Join(t.TempDir(), "m"), Token: token})
			require.NoError(t, err)
			require.ErrorIs(t, m.Fetch(ctx), context.Canceled, "%s after %d bytes", phase, most)
			require.NoError(t, m.Close())
			stalls.Close()
		}
	}
}
