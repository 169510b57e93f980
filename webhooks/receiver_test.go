// SPDX-License-Identifier: Apache-2.0

package webhooks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/github"
	"github.com/bindery/bindery/webhooks/github/githubtest"
)

const (
	oldSecret = "CANARY-old-secret-0001"
	newSecret = "CANARY-new-secret-0002"
	push      = `{"ref":"refs/heads/main","after":"abc","repository":{"full_name":"acme/site"}}`
)

type memory struct {
	ids  map[string]bool
	fail error
}

func (m *memory) Seen(_ context.Context, id string) (bool, error) {
	seen := m.ids[id]
	m.ids[id] = true
	return seen, m.fail
}

type bench struct {
	receiver *webhooks.Receiver
	memory   *memory
	woken    []webhooks.Event
	log      bytes.Buffer
}

func newBench(t *testing.T, secrets ...string) *bench {
	t.Helper()
	b := &bench{memory: &memory{ids: map[string]bool{}}}
	c := webhooks.ReceiverConfig{
		Dialect: github.Dialect(), Deliveries: b.memory,
		MaxBody: 1 << 16, Rate: 0.001, Burst: 10, Logger: slog.New(slog.NewTextHandler(&b.log, nil)),
	}
	all := webhooks.Route{Wake: func(e webhooks.Event) { b.woken = append(b.woken, e) }}
	for _, s := range secrets {
		all.Secrets = append(all.Secrets, []byte(s))
	}
	c.Routes = []webhooks.Route{all}
	var err error
	b.receiver, err = webhooks.NewReceiver(c)
	require.NoError(t, err)
	return b
}

func delivery(kind, id, secret, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/github", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", kind)
	r.Header.Set("X-GitHub-Delivery", id)
	if secret != "" {
		r.Header.Set("X-Hub-Signature-256", githubtest.Sign([]byte(secret), []byte(body)))
	}
	return r
}

func (b *bench) code(r *http.Request) int {
	w := httptest.NewRecorder()
	b.receiver.ServeHTTP(w, r)
	return w.Code
}

func TestDeliveryWakesAndIsAnsweredAtOnce(t *testing.T) {
	b := newBench(t, newSecret)
	require.Equal(t, http.StatusAccepted, b.code(delivery("push", "d1", newSecret, push)))
	want := webhooks.Event{Delivery: "d1", Kind: webhooks.Push, Repo: "acme/site", Ref: "refs/heads/main", Commit: "abc"}
	require.Equal(t, []webhooks.Event{want}, b.woken)

	require.Equal(t, http.StatusOK, b.code(delivery("push", "d1", newSecret, push)), "repeated")
	want.Repeated = true
	require.Equal(t, want, b.woken[1])

	// A store that cannot be written does not cost the event.
	b.memory.fail = errors.New("disk full")
	require.Equal(t, http.StatusAccepted, b.code(delivery("push", "d2", newSecret, push)))
	require.Len(t, b.woken, 3)

	require.Equal(t, http.StatusNoContent, b.code(delivery("star", "d3", newSecret, `{}`)))
	require.Len(t, b.woken, 3)
}

func TestBothActiveSecretsAreGood(t *testing.T) {
	b := newBench(t, newSecret, oldSecret)
	require.Equal(t, http.StatusAccepted, b.code(delivery("push", "d1", oldSecret, push)))
	require.Equal(t, http.StatusAccepted, b.code(delivery("push", "d2", newSecret, push)))
	rotated := newBench(t, newSecret)
	require.Equal(t, http.StatusUnauthorized, rotated.code(delivery("push", "d3", oldSecret, push)))
}

func TestForgedDeliveriesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*http.Request)
		code   int
	}{
		"unsigned": {func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, http.StatusUnauthorized},
		"only SHA-1": {func(r *http.Request) {
			r.Header.Del("X-Hub-Signature-256")
			r.Header.Set("X-Hub-Signature", "sha1=00")
		}, http.StatusUnauthorized},
		"not hex":         {func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", "sha256=zz") }, http.StatusUnauthorized},
		"empty signature": {func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", "sha256=") }, http.StatusUnauthorized},
		"other body":      {func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(push + " ")) }, http.StatusUnauthorized},
		"oversized": {func(r *http.Request) {
			r.Body = io.NopCloser(io.LimitReader(strings.NewReader(strings.Repeat(" ", 1<<17)), 1<<17))
		}, http.StatusRequestEntityTooLarge},
		"cut off": {func(r *http.Request) {
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader(push[:9]), broken{}))
		}, http.StatusBadRequest},
		"GET":        {func(r *http.Request) { r.Method = http.MethodGet }, http.StatusMethodNotAllowed},
		"form":       {func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, http.StatusUnsupportedMediaType},
		"no id":      {func(r *http.Request) { r.Header.Del("X-GitHub-Delivery") }, http.StatusBadRequest},
		"newline id": {func(r *http.Request) { r.Header.Set("X-GitHub-Delivery", "a\nb") }, http.StatusBadRequest},
		"endless id": {func(r *http.Request) { r.Header.Set("X-GitHub-Delivery", strings.Repeat("a", 999)) }, http.StatusBadRequest},
		"no kind":    {func(r *http.Request) { r.Header.Del("X-GitHub-Event") }, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, newSecret)
			r := delivery("push", "d1", newSecret, push)
			c.change(r)
			require.Equal(t, c.code, b.code(r))
			require.Empty(t, b.woken)
			require.NotContains(t, b.log.String(), "CANARY")
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestDeliveriesAreRateLimited(t *testing.T) {
	b := newBench(t, newSecret)
	for i := range 10 {
		require.Equal(t, http.StatusAccepted, b.code(delivery("push", fmt.Sprint(i), newSecret, push)))
	}
	require.Equal(t, http.StatusTooManyRequests, b.code(delivery("push", "x", newSecret, push)))
}

func TestMalformedPayloadIsRefused(t *testing.T) {
	for _, body := range []string{"", "nonsense", `{"repository":{"full_name":"../x/y"}}`, `{"number":"seven"}`} {
		b := newBench(t, newSecret)
		require.Equal(t, http.StatusBadRequest, b.code(delivery("push", "d", newSecret, body)), body)
	}
}

// A delivery goes to the repository that it is about, if that one's secret proves it.
func TestRepositoriesShareAnAddress(t *testing.T) {
	const secretA, secretB, shared = "CANARY-secret-of-a", "CANARY-secret-of-b", "CANARY-secret-of-all"
	woken := map[string]int{}
	route := func(repo string, secrets ...string) webhooks.Route {
		r := webhooks.Route{Repo: repo, Wake: func(webhooks.Event) { woken[repo]++ }}
		for _, s := range secrets {
			r.Secrets = append(r.Secrets, []byte(s))
		}
		return r
	}
	b := &bench{memory: &memory{ids: map[string]bool{}}}
	var err error
	b.receiver, err = webhooks.NewReceiver(webhooks.ReceiverConfig{
		Routes:  []webhooks.Route{route("o/a", secretA, shared), route("o/b", secretB, shared)},
		Dialect: github.Dialect(), Deliveries: b.memory, Logger: slog.New(slog.NewTextHandler(&b.log, nil)),
	})
	require.NoError(t, err)
	about := func(repo string) string { return `{"repository":{"full_name":"` + repo + `"}}` }
	require.Equal(t, http.StatusAccepted, b.code(delivery("push", "1", secretA, about("o/a"))))
	require.Equal(t, http.StatusNoContent, b.code(delivery("push", "2", secretA, about("o/b"))), "that is not its secret")
	require.Equal(t, http.StatusAccepted, b.code(delivery("push", "3", shared, about("O/B"))))
	require.Equal(t, map[string]int{"o/a": 1, "o/b": 1}, woken)
	require.Equal(t, http.StatusNoContent, b.code(delivery("push", "4", shared, about("o/c"))), "nobody's")
	require.Equal(t, http.StatusUnauthorized, b.code(delivery("push", "5", "CANARY-of-nobody-xx", about("o/a"))))
	require.Equal(t, http.StatusAccepted, b.code(delivery("ping", "6", shared, `{}`)))
	require.Equal(t, map[string]int{"o/a": 2, "o/b": 2}, woken)
	require.NotContains(t, b.log.String(), "CANARY")

	_, err = webhooks.NewReceiver(webhooks.ReceiverConfig{Dialect: github.Dialect(), Deliveries: b.memory})
	require.ErrorContains(t, err, "no route")
	_, err = webhooks.NewReceiver(webhooks.ReceiverConfig{
		Dialect: github.Dialect(), Deliveries: b.memory, Routes: []webhooks.Route{{Secrets: [][]byte{[]byte(secretA)}}},
	})
	require.ErrorContains(t, err, "Wake")
}

func TestReceiverNeedsGoodSecrets(t *testing.T) {
	for name, secrets := range map[string][][]byte{
		"none": nil, "empty": {{}}, "short": {[]byte("short")},
		"three": {[]byte(newSecret), []byte(newSecret), []byte(newSecret)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := webhooks.NewReceiver(webhooks.ReceiverConfig{
				Routes: []webhooks.Route{{Secrets: secrets, Wake: func(webhooks.Event) {}}}, Dialect: github.Dialect(), Deliveries: &memory{},
			})
			require.ErrorContains(t, err, "secret")
			require.NotContains(t, err.Error(), "CANARY")
		})
	}
}

func TestMarkerRoundTrip(t *testing.T) {
	m := webhooks.Marker{App: 1, Pull: 2, Head: "3f2a", Base: "b81d", Seq: 7, Digest: "sha256:5c0e"}
	got, ok := webhooks.ParseMarker(m.String() + "\n### hello")
	require.True(t, ok)
	require.Equal(t, m, got)

	for _, other := range []webhooks.Marker{{App: 1, Pull: 2, Seq: 7, Reply: true}, {App: 1, Pull: 2, Head: "a", Base: "b", Seq: 7, Digest: "c", Job: true}} {
		got, ok := webhooks.ParseMarker(other.String() + "\n### hello")
		require.True(t, ok)
		require.Equal(t, other, got)
	}

	m.Head = "x --> <script>"
	require.Equal(t, 1, strings.Count(m.String(), "-->"))
	for _, body := range []string{"", "hello", "<!-- bindery-preview:v1 app=x pr=1 -->", "<!-- bindery-preview:v2 app=1 pr=1 -->", "<!-- bindery-preview:v1 app=1 pr=1"} {
		_, ok := webhooks.ParseMarker(body)
		require.False(t, ok, body)
	}
}

func FuzzParseMarker(f *testing.F) {
	f.Add(webhooks.Marker{App: 1, Pull: 2, Head: "a", Base: "b", Seq: 3, Digest: "c"}.String())
	f.Fuzz(func(t *testing.T, body string) {
		if m, ok := webhooks.ParseMarker(body); ok {
			require.NotContains(t, m.String(), "\n")
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add("push", []byte(push))
	f.Add("issue_comment", []byte(`{"action":"created","issue":{"number":3,"pull_request":{}},"repository":{"full_name":"a/b"}}`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		event, err := github.Decode(kind, body)
		if err == nil && event.Kind != webhooks.Ping {
			require.Equal(t, 1, strings.Count(event.Repo, "/"))
		}
	})
}
