// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/bindery/bindery/controller/blob"
	"github.com/bindery/bindery/engine/release"
)

// What caches may keep. The only file that ever changes is the timestamp.
const (
	cacheNever   = "no-cache"
	cacheForever = "public, max-age=31536000, immutable"
	// A root that is not there yet may come at any time.
	cacheMissing = "public, max-age=60"
)

// bundleTime is how long a bundle may take to be read by its host.
const bundleTime = 10 * time.Minute

var (
	rootName   = regexp.MustCompile(`^[1-9][0-9]{0,17}\.root\.json$`)
	otherNames = regexp.MustCompile(`^[1-9][0-9]{0,17}\.(snapshot|targets)\.json$`)
	bundleName = regexp.MustCompile(`^[0-9a-f]{64}\.bundle$`)
)

// root serves root metadata.
func (a *API) root(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !rootName.MatchString(name) {
		missing(w, cacheNever)
		return
	}
	a.serve(w, r, "root/"+name, file{cache: cacheForever, missing: cacheMissing, kind: "application/json", limit: release.MaxRoot})
}

// hostFile serves what is published for one host. There is no listing: whoever does
// not know the host's id finds nothing.
func (a *API) hostFile(w http.ResponseWriter, r *http.Request) {
	host, name := r.PathValue("host"), r.PathValue("name")
	f := file{cache: cacheForever, missing: cacheNever, kind: "application/json", limit: release.MaxMetadata}
	switch {
	case !release.ValidHostID(host):
		missing(w, cacheNever)
		return
	case name == release.TimestampName:
		f.cache, f.limit = cacheNever, release.MaxTimestamp
	case otherNames.MatchString(name):
	case bundleName.MatchString(name):
		f.kind, f.limit = "application/octet-stream", release.MaxSealed
		if !a.readers.enter(host) {
			busy(w)
			return
		}
		defer a.readers.leave(host)
		if !a.enter(r.Context()) {
			busy(w)
			return
		}
		defer func() { <-a.bundles }()
		within(w, bundleTime)
	default:
		missing(w, cacheNever)
		return
	}
	a.serve(w, r, release.HostPath(host, name), f)
}

// readers counts who reads bundles of which host. A host needs one at a time; whoever
// has stolen its identity, or only seen its id go by, reads slowly and would else keep
// the bundles of all others away.
type readers struct {
	mu   sync.Mutex
	host map[string]int
}

func (r *readers) enter(host string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.host[host] == maxBundlesOfHost {
		return false
	}
	r.host[host]++
	return true
}

func (r *readers) leave(host string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.host[host]--; r.host[host] == 0 {
		delete(r.host, host)
	}
}

// enter waits for one of the bundles that may be in memory.
func (a *API) enter(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	select {
	case a.bundles <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// file says how one kind of file is served.
type file struct {
	cache, missing, kind string
	limit                int
}

func (a *API) serve(w http.ResponseWriter, r *http.Request, key string, f file) {
	data, etag, err := a.c.Files.Get(r.Context(), key)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		missing(w, f.missing)
		return
	case err != nil:
		a.log(r.Context()).Error("published file cannot be read", "pattern", r.Pattern, "err", err)
		w.Header().Set("Retry-After", "30")
		text(w, http.StatusServiceUnavailable, "published files cannot be read now")
		return
	case len(data) > f.limit:
		a.log(r.Context()).Error("published file is too large", "pattern", r.Pattern, "size", len(data))
		text(w, http.StatusServiceUnavailable, "the published file is larger than any agent accepts")
		return
	}
	h := w.Header()
	h.Set("Cache-Control", f.cache)
	h.Set("Content-Type", f.kind)
	if tag := quoted(etag); tag != "" {
		h.Set("ETag", tag)
	}
	// Conditions, ranges and HEAD are the standard library's.
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

func missing(w http.ResponseWriter, cache string) {
	w.Header().Set("Cache-Control", cache)
	text(w, http.StatusNotFound, "not found")
}

// quoted makes a header value of a store's tag; "" where it does not fit one.
func quoted(etag string) string {
	if etag == "" || len(etag) > 128 || strings.ContainsFunc(etag, func(c rune) bool { return c <= ' ' || c == '"' || c > '~' }) {
		return ""
	}
	return `"` + etag + `"`
}
