// SPDX-License-Identifier: Apache-2.0

// Package gitea speaks with Gitea and Forgejo. It is the only importer of Gitea's
// client. It must not know what a comment says or why a status is set.
package gitea

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"code.gitea.io/sdk/gitea"

	"github.com/bindery/bindery/internal/transport"
	"github.com/bindery/bindery/webhooks"
)

const (
	pageSize = 50 // what servers give at most, unless told otherwise
	maxPages = 200
	// hiddenHead is where the head of a pull request without a branch is: its branch
	// was deleted, or it came by "git push refs/for/…", which readers may do too.
	hiddenHead = "refs/pull/"
)

// Config says which repository, and as whom.
type Config struct {
	// URL is the server's address, without /api/v1.
	URL string
	// Repo is "owner/name".
	Repo string
	// Token is the credential. It goes into one header and nowhere else.
	Token string
	// HTTP bounds the requests, Budget counts them. Nil: one of its own.
	HTTP   transport.Config
	Budget *webhooks.Budget
}

// Forge is one repository at a Gitea or Forgejo. It is safe for concurrent use; posts
// on one repository take turns.
type Forge struct {
	http        *http.Client
	budget      *webhooks.Budget
	root, token string
	owner, name string
	posting     chan struct{}
	mu          sync.Mutex
	me          int64 // our account's id; 0 until asked
}

// New makes a Forge. It asks no network.
func New(c Config) (*Forge, error) {
	owner, name, err := webhooks.Names(c.Repo)
	if err != nil || strings.Contains(owner, "/") {
		return nil, fmt.Errorf("gitea: repository %q is not owner/name", c.Repo)
	}
	if c.Token == "" {
		return nil, errors.New("gitea: no token")
	}
	root, err := webhooks.Root(c.URL)
	if err != nil {
		return nil, fmt.Errorf("gitea: %w", err)
	}
	httpClient, err := transport.New(c.HTTP)
	if err != nil {
		return nil, err
	}
	budget := cmp.Or(c.Budget, webhooks.NewBudget(nil))
	httpClient.Transport = budget.Over(httpClient.Transport)
	return &Forge{
		http: httpClient, budget: budget, root: root.String(), token: c.Token, owner: owner, name: name, posting: make(chan struct{}, 1),
	}, nil
}

// client makes a client of one call. The library keeps the context in its client, so
// one that is shared would cancel the calls of others; and it asks for the server's
// version first unless that is set.
func (f *Forge) client(ctx context.Context) (*gitea.Client, error) {
	return gitea.NewClient(f.root, gitea.SetContext(ctx), gitea.SetHTTPClient(f.http), gitea.SetToken(f.token),
		gitea.SetGiteaVersion(""), gitea.SetUserAgent("bindery"))
}

// ask makes one call and names what went wrong.
func ask[T any](ctx context.Context, f *Forge, op string, call func(*gitea.Client) (T, *gitea.Response, error)) (T, *gitea.Response, error) {
	c, err := f.client(ctx)
	if err != nil {
		var none T
		return none, nil, webhooks.Fail(op, nil, err)
	}
	out, resp, err := call(c)
	if resp == nil {
		return out, nil, webhooks.Fail(op, nil, err)
	}
	if err != nil && resp.StatusCode >= http.StatusBadRequest {
		// What the answer says could be anything: a proxy's page, what was sent.
		err = fmt.Errorf("the server answered %s", resp.Status)
	}
	return out, resp, webhooks.Fail(op, resp.Response, err)
}

// all reads every page of a list. A server that does not cut a list says nothing of a
// next page, and gives the whole of it whichever page is asked for.
func all[T any](ctx context.Context, f *Forge, op string, call func(*gitea.Client, gitea.ListOptions) ([]T, *gitea.Response, error)) ([]T, error) {
	var out []T
	opts := gitea.ListOptions{Page: 1, PageSize: pageSize}
	for range maxPages {
		page, resp, err := ask(ctx, f, op, func(c *gitea.Client) ([]T, *gitea.Response, error) { return call(c, opts) })
		if err != nil {
			return nil, err
		}
		out = append(out, page...)
		if resp.NextPage == 0 {
			return out, nil
		}
		opts.Page = resp.NextPage
	}
	return nil, webhooks.Fail(op, nil, fmt.Errorf("more than %d pages", maxPages))
}

// Pulls implements webhooks.Forge.
func (f *Forge) Pulls(ctx context.Context) ([]webhooks.Pull, error) {
	const op = "list pull requests"
	if err := f.budget.Spare(op); err != nil {
		return nil, err
	}
	list, err := all(ctx, f, op, func(c *gitea.Client, o gitea.ListOptions) ([]*gitea.PullRequest, *gitea.Response, error) {
		return c.ListRepoPullRequests(f.owner, f.name, gitea.ListPullRequestsOptions{ListOptions: o, State: gitea.StateOpen, Sort: "oldest"})
	})
	var out []webhooks.Pull
	for _, p := range list {
		if p != nil {
			out = append(out, pull(p))
		}
	}
	return out, err
}

// Pull implements webhooks.Forge.
func (f *Forge) Pull(ctx context.Context, number int) (webhooks.Pull, error) {
	p, _, err := ask(ctx, f, "read pull request", func(c *gitea.Client) (*gitea.PullRequest, *gitea.Response, error) {
		return c.GetPullRequest(f.owner, f.name, int64(number))
	})
	if err != nil {
		return webhooks.Pull{}, err
	}
	return pull(p), nil
}

func pull(p *gitea.PullRequest) webhooks.Pull {
	out := webhooks.Pull{
		Number: int(p.Index), Title: p.Title, URL: p.HTMLURL, Open: p.State == gitea.StateOpen, Draft: p.Draft,
		Fork: true, HeadRef: fmt.Sprintf("refs/pull/%d/head", p.Index), Merged: p.HasMerged,
		// No MergeRef: the server makes none, and who may write could push one that
		// has the right parents and says something else.
	}
	if p.Poster != nil {
		out.Author = p.Poster.UserName
	}
	if p.Base != nil {
		out.Base, out.BaseRef = p.Base.Sha, "refs/heads/"+p.Base.Ref
	}
	if p.Head != nil {
		out.Head = p.Head.Sha
		out.Fork = p.Base == nil || p.Head.RepoID <= 0 || p.Head.RepoID != p.Base.RepoID || strings.HasPrefix(p.Head.Ref, hiddenHead)
	}
	if p.HasMerged && p.MergedCommitID != nil {
		out.MergeCommit = *p.MergedCommitID
	}
	if p.Updated != nil {
		out.Updated = *p.Updated
	}
	return out
}

// SetStatus implements webhooks.Forge.
func (f *Forge) SetStatus(ctx context.Context, commit string, s webhooks.Status) error {
	s.Description = webhooks.OneLine(s.Description)
	list, err := all(ctx, f, "read status", func(c *gitea.Client, o gitea.ListOptions) ([]*gitea.Status, *gitea.Response, error) {
		return c.ListStatuses(f.owner, f.name, commit, gitea.ListStatusesOption{ListOptions: o})
	})
	if err != nil {
		return err
	}
	var last *gitea.Status
	for _, o := range list { // servers of different age sort them differently
		if o.Context == webhooks.StatusContext && (last == nil || o.ID > last.ID) {
			last = o
		}
	}
	if last != nil && string(last.State) == string(s.State) && last.Description == s.Description && last.TargetURL == s.URL {
		return nil
	}
	_, _, err = ask(ctx, f, "set status", func(c *gitea.Client) (*gitea.Status, *gitea.Response, error) {
		return c.CreateStatus(f.owner, f.name, commit, gitea.CreateStatusOption{
			State: gitea.StatusState(s.State), TargetURL: s.URL, Description: s.Description, Context: webhooks.StatusContext,
		})
	})
	return err
}

// account is the id of the account that the token belongs to.
func (f *Forge) account(ctx context.Context) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.me != 0 {
		return f.me, nil
	}
	const op = "read own account"
	user, _, err := ask(ctx, f, op, (*gitea.Client).GetMyUserInfo)
	if err != nil {
		return 0, err
	}
	if user.ID == 0 {
		return 0, webhooks.Fail(op, nil, errors.New("the answer has no id"))
	}
	f.me = user.ID
	return f.me, nil
}

var (
	_ webhooks.Forge = (*Forge)(nil)
	_ webhooks.Talk  = (*Forge)(nil)
)
