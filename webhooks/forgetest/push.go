// SPDX-License-Identifier: Apache-2.0

package forgetest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cgi"
	"strings"
)

const maxPush = 256 << 20

// change is how a ref moved.
type change struct{ before, after string }

// serveGit speaks git's HTTP protocol through the git program, and tells the
// world what a push moved.
func (s *Server) serveGit(w http.ResponseWriter, r *http.Request) {
	user, ok := s.user(r)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="forgetest"`)
		http.Error(w, "authentication needed", http.StatusUnauthorized)
		return
	}
	if len(r.TransferEncoding) > 0 {
		// CGI needs to know the length, and git does not say it of a large push.
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPush))
		if err != nil {
			http.Error(w, "push too large", http.StatusRequestEntityTooLarge)
			return
		}
		r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	}
	push := r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/git-receive-pack")
	var before map[string]string
	var err error
	if push {
		if before, err = s.git.heads(r.Context()); err != nil {
			http.Error(w, "repository cannot be read", http.StatusInternalServerError)
			return
		}
	}
	backend := &cgi.Handler{
		Path: s.git.program, Args: []string{"http-backend"}, Dir: s.git.root,
		Env: append(s.git.environment(), "GIT_PROJECT_ROOT="+s.git.root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER="+user.Login),
	}
	backend.ServeHTTP(w, r)
	if !push {
		return
	}
	// The pusher may hang up as soon as it has its answer; the push stands.
	ctx := context.WithoutCancel(r.Context())
	after, err := s.git.heads(ctx)
	if err != nil {
		s.c.Logger.Error("refs cannot be read after a push", "err", err)
		return
	}
	s.afterPush(ctx, moved(before, after))
}

func moved(before, after map[string]string) map[string]change {
	changes := map[string]change{}
	for name, hash := range after {
		old, there := before[name]
		if !there {
			old = zeroHash
		}
		if old != hash {
			changes[name] = change{old, hash}
		}
	}
	for name, hash := range before {
		if _, there := after[name]; !there {
			changes[name] = change{hash, zeroHash}
		}
	}
	return changes
}

// afterPush brings the open pull requests of moved branches up to date and sends
// what a forge would send.
func (s *Server) afterPush(ctx context.Context, changes map[string]change) {
	var synced []Pull
	s.mu.Lock()
	for _, p := range s.pulls {
		_, head := changes["refs/heads/"+p.Head]
		_, base := changes["refs/heads/"+p.BaseRef]
		if p.Closed || !head && !base {
			continue
		}
		if err := s.sync(ctx, p); err != nil {
			s.c.Logger.Error("pull request not brought up to date", "number", p.Number, "err", err)
			continue
		}
		if head {
			synced = append(synced, *p)
		}
	}
	s.mu.Unlock()
	for name, c := range changes {
		event, payload := s.skin.Pushed(s, name, c.before, c.after)
		s.deliver(ctx, event, payload)
	}
	for _, p := range synced {
		s.changed(ctx, p, "synchronize")
	}
}
