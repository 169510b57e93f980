// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/blob"
	"github.com/bindery/bindery/controller/blob/dir"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/webhooks"
)

// Anybody may open a pull request, also one that cannot be fetched: too large, or
// damaged. The others are previewed and the branch is published all the same.
func TestAPullRequestThatCannotBeFetchedStopsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	next := w.wire.next
	var poison atomic.Pointer[string]
	w.wire.next = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		head := poison.Load()
		if err != nil || head != nil && strings.HasSuffix(r.URL.Path, "/git-upload-pack") && bytes.Contains(body, []byte(*head)) {
			http.Error(rw, "it is too large", http.StatusInternalServerError)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(rw, r)
	})
	_, web, _ := w.served()

	w.git("checkout", "-q", "-B", "bad", "main")
	bad := w.commit("bad", louder)
	poison.Store(&bad)
	w.push("bad")
	w.open("bad")
	w.git("checkout", "-q", "main")
	w.looks()

	number, good := w.propose("good", map[string]string{"Cfg/etc/motd/motd": "good\n"})
	w.untilStatus(good, webhooks.Success)
	require.Contains(t, w.comment(number).Body, "+good")
	w.direct("on", map[string]string{"Cfg/etc/motd/motd": "on\n"})
	w.untilWoken("the branch is published", func() bool { return text(web.fetch(), "/etc/motd") == "on\n" })
	require.Empty(t, w.forge.Statuses(bad))
}

// Whoever can write to the published files puts an old release back. The controller
// notices when it looks at what it signs again, and publishes the right one anew.
func TestAnOldReleaseThatIsPutBackIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain(nil))
	_, web, _ := w.served()
	files, err := dir.New(dir.Config{Path: w.dir + "/state/published"})
	require.NoError(t, err)
	defer files.Close()
	timestamp := release.HostPath(web.welcome.HostID, release.TimestampName)
	old, _, err := files.Get(t.Context(), timestamp)
	require.NoError(t, err)
	w.direct("on", map[string]string{"Cfg/etc/motd/motd": "on\n"})
	w.untilWoken("the branch is published", func() bool { return text(web.fetch(), "/etc/motd") == "on\n" })
	w.looks()
	w.stop()
	now, etag, err := files.Get(t.Context(), timestamp)
	require.NoError(t, err)
	require.NotEqual(t, old, now)
	_, err = files.Put(t.Context(), timestamp, old, blob.Match(etag))
	require.NoError(t, err)

	w.start()
	w.untilWoken("the right one is there again", func() bool {
		data, _, err := files.Get(t.Context(), timestamp)
		return err == nil && !bytes.Equal(data, old)
	})
	require.Equal(t, "on\n", text(web.fetch(), "/etc/motd"), "and the host accepts it")
}
