// SPDX-License-Identifier: Apache-2.0

package git_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/git"
)

// cloneHere names the variable that makes this program clone instead of test.
const cloneHere = "BINDERY_TEST_CLONE"

func TestMain(m *testing.M) {
	if of := os.Getenv(cloneHere); of != "" {
		if err := clone(of); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// cloned is what a clone cost: how large the heap ever was.
type cloned struct {
	URL, Dir  string
	Idle, Max uint64
}

func clone(of string) error {
	var c cloned
	if err := json.Unmarshal([]byte(of), &c); err != nil {
		return err
	}
	heap := func() uint64 {
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		return now.HeapSys
	}
	debug.SetMemoryLimit(12 << 20) // what is garbage goes at once, so that what is kept shows
	c.Idle = heap()
	m, err := git.New(git.Config{URL: c.URL, Dir: c.Dir, Token: token})
	if err != nil {
		return err
	}
	if err := m.Fetch(context.Background()); err != nil {
		return err
	}
	c.Max = heap()
	if err := m.Close(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(c)
}

// grown is a repository with a long history: each commit adds a file of that size, which
// takes little room on its way.
func grown(o *origin, commits, size int) {
	o.t.Helper()
	var in bytes.Buffer
	for i := range commits {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter ann <ann@example.test> %d +0000\ndata 1\nx\nM 644 inline d%d/f%d\ndata %d\n", 1_700_000_000+i, i%50, i, size)
		in.WriteString(strings.Repeat(fmt.Sprintf("%09d\n", i), size/10+1)[:size] + "\n")
	}
	cmd := exec.CommandContext(o.t.Context(), "git", "fast-import", "--quiet")
	cmd.Dir, cmd.Stdin = o.forge.RepoDir(), &in
	out, err := cmd.CombinedOutput()
	require.NoError(o.t, err, string(out))
	cmd = exec.CommandContext(o.t.Context(), "git", "config", "pack.window", "0") // it is to be quick
	cmd.Dir = o.forge.RepoDir()
	require.NoError(o.t, cmd.Run())
}

// The library can keep all objects of a clone in memory: what is cloned here goes to the
// disk, and of large objects there is one at a time. A process of its own clones, and says how large its heap ever was.
func TestMemoryOfAClone(t *testing.T) {
	for name, c := range map[string]struct{ commits, size, most int }{
		"long history": {400, 64 << 10, 24 << 20},
		"large files":  {6, 4 << 20, 24 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrigin(t)
			grown(o, c.commits, c.size)
			of, err := json.Marshal(cloned{URL: o.http.URL + o.forge.ClonePath(), Dir: filepath.Join(t.TempDir(), "m")})
			require.NoError(t, err)
			cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // ourselves
			var out, problems bytes.Buffer
			cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), cloneHere+"="+string(of)), &out, &problems
			require.NoError(t, cmd.Run(), problems.String())
			var got cloned
			require.NoError(t, json.Unmarshal(out.Bytes(), &got))
			t.Logf("%d MB of files, heap %d MB before and %d MB at most", c.commits*c.size>>20, got.Idle>>20, got.Max>>20)
			require.Less(t, got.Max, uint64(c.most)) //nolint:gosec // not negative
		})
	}
}

// A server may offer to leave large objects out. The library cannot ask for that, so all
// of it comes; what is too much is refused, with the limit.
func TestAServerThatOffersFilters(t *testing.T) {
	o := newOrigin(t)
	grown(o, 3, 1<<18)
	offer := exec.CommandContext(t.Context(), "git", "config", "uploadpack.allowFilter", "true")
	offer.Dir = o.forge.RepoDir()
	require.NoError(t, offer.Run())
	var mu sync.Mutex
	var offered, asked strings.Builder
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer := httptest.NewRecorder()
		o.forge.ServeHTTP(answer, r)
		mu.Lock()
		if strings.HasSuffix(r.URL.Path, "/info/refs") {
			offered.Write(answer.Body.Bytes())
		} else {
			asked.Write(body)
		}
		mu.Unlock()
		w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}))
	t.Cleanup(server.Close)
	fetch := func(limit int64) (*git.Mirror, error) {
		m, err := git.New(git.Config{URL: server.URL + o.forge.ClonePath(), Dir: filepath.Join(t.TempDir(), "m"), Token: token, PackLimit: limit})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, m.Close()) })
		return m, m.Fetch(t.Context())
	}
	m, err := fetch(0)
	require.NoError(t, err)
	require.Len(t, o.read(m, "main", "d2/f2"), 1<<18)
	_, err = fetch(1 << 10)
	require.ErrorContains(t, err, "one fetch may bring 1024 bytes")
	mu.Lock()
	defer mu.Unlock()
	require.Contains(t, offered.String(), " filter")
	require.Contains(t, asked.String(), "want ")
	require.NotContains(t, asked.String(), "filter")
}
