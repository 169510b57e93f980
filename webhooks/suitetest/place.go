// SPDX-License-Identifier: Apache-2.0

// Package suitetest is what the package of every forge must do, over real HTTP and
// real git, against that forge's fake. It must not know any forge.
package suitetest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/internal/transport"
	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/forgetest"
)

const (
	token  = "CANARY-bot-token"
	person = "CANARY-person-token"
	reader = "CANARY-reader-token"
	repo   = "acme/site"
)

var (
	bot = forgetest.User{ID: 91234, Login: "bindery-bot"}
	ann = forgetest.User{ID: 7, Login: "ann"}
	eve = forgetest.User{ID: 8, Login: "eve", Reader: true}
)

// Client is what a forge's package gives the controller.
type Client interface {
	webhooks.Forge
	webhooks.Talk
}

// Kind is one kind of forge.
type Kind struct {
	// Fake makes the forge, Client what is tested.
	Fake   func(ctx context.Context, c forgetest.Config) (*forgetest.Server, error)
	Client func(server, repo, token string, c transport.Config) (Client, error)
	// Dialect is that of its deliveries.
	Dialect webhooks.Dialect
	// Comments and Statuses are parts of the paths of the comments of pull request 1,
	// and of where a status is set; Edit is the method that changes a comment.
	Comments, Statuses, Edit string
	// Refs is where pull requests have their refs; MergeRef says that the merge of the
	// forge is used.
	Refs     string
	MergeRef bool
	// Reactions is how many of the three reactions it has.
	Reactions int
	// States are the words for the states of a status; nil: ours.
	States map[webhooks.State]string
}

// Run runs all tests of the suite.
func Run(t *testing.T, k Kind) {
	for name, test := range map[string]func(*place){
		"pulls": pulls, "pages": pages, "one comment": oneComment, "forged marker": forgedMarker, "only edit": onlyEdit,
		"deleted comment": deletedComment, "lost answer": lostAnswer, "race": race, "job first": jobFirst, "job second": jobSecond, "anew": anew, "reply": reply,
		"status": status, "faults": faults, "short faults": shortFaults, "budget": budget, "permission": permission,
		"reactions": reactions, "notes": notes, "deliveries": deliveries, "cancelled": cancelled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newPlace(t, k))
		})
	}
}

// place is a forge with one open pull request.
type place struct {
	*testing.T
	Kind
	forge *forgetest.Server
	http  *httptest.Server
	work  string
	log   *buffer
}

// buffer is a log that can be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newPlace(t *testing.T, k Kind) *place {
	t.Helper()
	forge, err := k.Fake(t.Context(), forgetest.Config{
		Dir: t.TempDir(), Repo: repo, PageSize: 3,
		Users: map[string]forgetest.User{token: bot, person: ann, reader: eve},
	})
	require.NoError(t, err)
	p := &place{T: t, Kind: k, forge: forge, http: httptest.NewServer(forge), work: t.TempDir(), log: &buffer{}}
	t.Cleanup(p.http.Close)
	p.git("init", "--quiet", "--initial-branch=main")
	p.commit("motd", "one\n")
	p.git("push", "--quiet", p.remote(), "main")
	p.git("checkout", "--quiet", "-b", "change")
	p.commit("motd", "two\n")
	p.git("push", "--quiet", p.remote(), "change")
	p.open(forgetest.Pull{})
	return p
}

func (p *place) open(more forgetest.Pull) {
	p.Helper()
	more.Title, more.Head, more.BaseRef, more.Author = "Greet", "change", "main", ann
	_, err := p.forge.OpenPull(p.Context(), more)
	require.NoError(p, err)
}

func (p *place) remote() string {
	return strings.Replace(p.http.URL, "http://", "http://ann:"+person+"@", 1) + p.forge.ClonePath()
}

func (p *place) git(args ...string) string {
	p.Helper()
	cmd := exec.CommandContext(p.Context(), "git", args...)
	cmd.Dir = p.work
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=ann", "GIT_AUTHOR_EMAIL=ann@example.test", "GIT_COMMITTER_NAME=ann", "GIT_COMMITTER_EMAIL=ann@example.test")
	out, err := cmd.CombinedOutput()
	require.NoError(p, err, string(out))
	return strings.TrimSpace(string(out))
}

func (p *place) commit(name, content string) {
	p.Helper()
	require.NoError(p, os.WriteFile(filepath.Join(p.work, name), []byte(content), 0o600))
	p.git("add", "-A")
	p.git("commit", "--quiet", "-m", "change "+name)
}

func (p *place) client() Client {
	p.Helper()
	c, err := p.Client(p.http.URL, repo, token, transport.Config{
		Timeout: 20 * time.Second, Retries: 2, MinWait: time.Millisecond, MaxWait: 2 * time.Second,
		Logger: slog.New(slog.NewTextHandler(p.log, nil)),
	})
	require.NoError(p, err)
	return c
}

func said(seq int64, body string) webhooks.Post {
	return webhooks.Post{Number: 1, Marker: webhooks.Marker{Head: "aaa", Base: "bbb", Seq: seq, Digest: "sha256:c"}, Body: body}
}

// say comments as somebody.
func (p *place) say(u forgetest.User, body string) forgetest.Comment {
	p.Helper()
	c, err := p.forge.AddComment(p.Context(), 1, u, body)
	require.NoError(p, err)
	return c
}

// bodies lists what our comments say, below their markers.
func (p *place) bodies() []string {
	var out []string
	for _, c := range p.forge.Comments(1) {
		if _, ok := webhooks.ParseMarker(c.Body); ok {
			_, body, _ := strings.Cut(c.Body, "\n")
			out = append(out, body)
		}
	}
	return out
}
