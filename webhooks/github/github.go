// SPDX-License-Identifier: Apache-2.0

// Package github speaks with GitHub and with servers that have its HTTP API. It
// is the only importer of go-github. It must not know what a comment says or why
// a status is set.
package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/google/go-github/v60/github"

	"github.com/bindery/bindery/internal/transport"
	"github.com/bindery/bindery/webhooks"
)

const (
	publicAPI = "https://api.github.com/"
	pageSize  = 100
	maxPages  = 100
)

// Config says which repository, and as whom.
type Config struct {
	// API is the root of the API. "": https://api.github.com/.
	API string
	// Repo is "owner/name".
	Repo string
	// Token is the credential. It goes into one header and nowhere else. An App takes
	// its place.
	Token string
	App   *App
	// Account is the name of the account that Token posts as, where it cannot ask for
	// it: tokens of jobs are such, and post as github-actions[bot].
	Account string
	// HTTP bounds the requests, Budget counts them. Nil: one of its own.
	HTTP   transport.Config
	Budget *webhooks.Budget
}

// Forge is one repository at GitHub. It is safe for concurrent use; posts on one
// repository take turns.
type Forge struct {
	client      *github.Client
	budget      *webhooks.Budget
	app         *app // nil: we come with a token
	owner, name string
	login       string // of our account; "": it is asked for

	posting chan struct{}
	mu      sync.Mutex
	me      int64 // our account's id; 0 until asked
}

// New makes a Forge. It asks no network.
func New(c Config) (*Forge, error) {
	owner, name, err := webhooks.Names(c.Repo)
	if err != nil || strings.Contains(owner, "/") {
		return nil, fmt.Errorf("github: repository %q is not owner/name", c.Repo)
	}
	if (c.Token == "") == (c.App == nil) {
		return nil, errors.New("github: it takes a token or an App")
	}
	if c.API == "" {
		c.API = publicAPI
	}
	root, err := webhooks.Root(c.API)
	if err != nil {
		return nil, fmt.Errorf("github: %w", err)
	}
	httpClient, err := transport.New(c.HTTP)
	if err != nil {
		return nil, err
	}
	budget := cmp.Or(c.Budget, webhooks.NewBudget(nil))
	httpClient.Transport = budget.Over(httpClient.Transport)
	var own *app
	if c.App != nil {
		if own, httpClient, err = newApp(c.App, root, httpClient); err != nil {
			return nil, err
		}
	}
	client := github.NewClient(httpClient)
	if own == nil {
		client = client.WithAuthToken(c.Token)
	}
	client.BaseURL = root
	client.UserAgent = "bindery"
	return &Forge{client: client, budget: budget, app: own, owner: owner, name: name, login: c.Account, posting: make(chan struct{}, 1)}, nil
}

// Pulls implements webhooks.Forge.
func (f *Forge) Pulls(ctx context.Context) ([]webhooks.Pull, error) {
	const op = "list pull requests"
	if err := f.budget.Spare(op); err != nil {
		return nil, err
	}
	var out []webhooks.Pull
	opts := &github.PullRequestListOptions{
		State: "open", Sort: "created", Direction: "asc",
		ListOptions: github.ListOptions{PerPage: pageSize},
	}
	for range maxPages {
		page, resp, err := f.client.PullRequests.List(ctx, f.owner, f.name, opts)
		if err != nil {
			return nil, f.fail(op, err)
		}
		for _, p := range page {
			out = append(out, f.pull(p))
		}
		if resp.NextPage == 0 {
			return out, nil
		}
		opts.Page = resp.NextPage
	}
	return nil, f.fail(op, fmt.Errorf("more than %d pull requests are open", maxPages*pageSize))
}

// Pull implements webhooks.Forge.
func (f *Forge) Pull(ctx context.Context, number int) (webhooks.Pull, error) {
	p, _, err := f.client.PullRequests.Get(ctx, f.owner, f.name, number)
	if err != nil {
		return webhooks.Pull{}, f.fail("read pull request", err)
	}
	return f.pull(p), nil
}

func (f *Forge) pull(p *github.PullRequest) webhooks.Pull {
	out := webhooks.Pull{
		Number:   p.GetNumber(),
		Title:    p.GetTitle(),
		URL:      p.GetHTMLURL(),
		Author:   p.GetUser().GetLogin(),
		Open:     p.GetState() == "open",
		Draft:    p.GetDraft(),
		Fork:     !strings.EqualFold(p.GetHead().GetRepo().GetFullName(), f.owner+"/"+f.name),
		Head:     p.GetHead().GetSHA(),
		Base:     p.GetBase().GetSHA(),
		BaseRef:  "refs/heads/" + p.GetBase().GetRef(),
		HeadRef:  fmt.Sprintf("refs/pull/%d/head", p.GetNumber()),
		MergeRef: fmt.Sprintf("refs/pull/%d/merge", p.GetNumber()),
		// A list has no "merged", only the time.
		Merged:  p.GetMerged() || !p.GetMergedAt().IsZero(),
		Updated: p.GetUpdatedAt().Time,
	}
	if out.Merged {
		out.MergeCommit = p.GetMergeCommitSHA()
	}
	return out
}

// SetStatus implements webhooks.Forge. An App makes a check run instead, with
// annotations.
func (f *Forge) SetStatus(ctx context.Context, commit string, s webhooks.Status) error {
	s.Description = webhooks.OneLine(s.Description)
	if f.app != nil {
		return f.check(ctx, commit, s)
	}
	old, _, err := f.client.Repositories.ListStatuses(ctx, f.owner, f.name, commit, &github.ListOptions{PerPage: pageSize})
	if err != nil {
		return f.fail("read status", err)
	}
	for _, o := range old { // newest first
		if o.GetContext() != webhooks.StatusContext {
			continue
		}
		if o.GetState() == string(s.State) && o.GetDescription() == s.Description && o.GetTargetURL() == s.URL {
			return nil
		}
		break
	}
	status := &github.RepoStatus{
		State: new(string(s.State)), Context: github.String(webhooks.StatusContext),
		Description: &s.Description,
	}
	if s.URL != "" {
		status.TargetURL = &s.URL
	}
	_, _, err = f.client.Repositories.CreateStatus(ctx, f.owner, f.name, commit, status)
	return f.fail("set status", err)
}

// account is the id of the account that the token belongs to.
func (f *Forge) account(ctx context.Context) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.me != 0 {
		return f.me, nil
	}
	var user *github.User
	var err error
	if f.app != nil {
		user, err = f.bot(ctx)
	} else {
		user, _, err = f.client.Users.Get(ctx, f.login)
	}
	if err != nil {
		return 0, f.fail("read own account", err)
	}
	if user.GetID() == 0 {
		return 0, f.fail("read own account", errors.New("the answer has no id"))
	}
	f.me = user.GetID()
	return f.me, nil
}

var (
	_ webhooks.Forge = (*Forge)(nil)
	_ webhooks.Talk  = (*Forge)(nil)
)
