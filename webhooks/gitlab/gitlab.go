// SPDX-License-Identifier: Apache-2.0

// Package gitlab speaks with GitLab, where pull requests are merge requests and
// comments are notes. It is the only importer of GitLab's client. It must not know
// what a comment says or why a status is set.
package gitlab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	gitlab "gitlab.com/gitlab-org/api/client-go"
	"golang.org/x/time/rate"

	"github.com/bindery/bindery/internal/transport"
	"github.com/bindery/bindery/webhooks"
)

const (
	publicServer = "https://gitlab.com"
	pageSize     = 100
	maxPages     = 100
)

// Config says which project, and as whom.
type Config struct {
	// URL is the server's address, without /api/v4. "": https://gitlab.com.
	URL string
	// Repo is the project's path: "group/name", maybe with groups in between.
	Repo string
	// Token is the credential. It goes into one header and nowhere else.
	Token string
	// HTTP bounds the requests, Budget counts them. Nil: one of its own.
	HTTP   transport.Config
	Budget *webhooks.Budget
}

// Forge is one project at a GitLab. It is safe for concurrent use; posts on one
// project take turns.
type Forge struct {
	client  *gitlab.Client
	budget  *webhooks.Budget
	project string
	posting chan struct{}

	mu sync.Mutex
	me int64 // our account's id; 0 until asked
	// refs are where heads of open merge requests are: a status needs one, and a
	// fork's head is on no branch here.
	refs map[string]string
	// trains are what waits to become each branch.
	trains map[string][]webhooks.Group
}

// New makes a Forge. It asks no network.
func New(c Config) (*Forge, error) {
	if _, _, err := webhooks.Names(c.Repo); err != nil {
		return nil, fmt.Errorf("gitlab: project %q is not group/name", c.Repo)
	}
	if c.Token == "" {
		return nil, errors.New("gitlab: no token")
	}
	if c.URL == "" {
		c.URL = publicServer
	}
	root, err := webhooks.Root(c.URL)
	if err != nil {
		return nil, fmt.Errorf("gitlab: %w", err)
	}
	httpClient, err := transport.New(c.HTTP)
	if err != nil {
		return nil, err
	}
	budget := cmp.Or(c.Budget, webhooks.NewBudget(nil))
	httpClient.Transport = budget.Over(httpClient.Transport)
	// Retries, limits and logs are those of transport: the library's own would repeat
	// a POST, sleep as long as an answer asks for, and print addresses.
	client, err := gitlab.NewClient(c.Token, gitlab.WithBaseURL(root.String()), gitlab.WithHTTPClient(httpClient), gitlab.WithoutRetries(),
		gitlab.WithCustomLimiter(rate.NewLimiter(rate.Inf, 0)), gitlab.WithURLWarningLogger(slog.New(slog.DiscardHandler)),
		gitlab.WithUserAgent("bindery"))
	if err != nil {
		return nil, fmt.Errorf("gitlab: %w", err)
	}
	return &Forge{client: client, budget: budget, project: c.Repo, posting: make(chan struct{}, 1), refs: map[string]string{}, trains: map[string][]webhooks.Group{}}, nil
}

// fail names what went wrong. What the answer says could be anything: a proxy's page,
// what was sent.
func fail(op string, resp *gitlab.Response, err error) error {
	if resp == nil {
		return webhooks.Fail(op, nil, err)
	}
	if err != nil && resp.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("the server answered %s", resp.Status)
	}
	return webhooks.Fail(op, resp.Response, err)
}

// all reads every page of a list.
func all[T any](op string, call func(gitlab.ListOptions) ([]T, *gitlab.Response, error)) ([]T, error) {
	var out []T
	opts := gitlab.ListOptions{Page: 1, PerPage: pageSize}
	for range maxPages {
		page, resp, err := call(opts)
		if err != nil {
			return nil, fail(op, resp, err)
		}
		out = append(out, page...)
		if resp.NextPage == 0 {
			return out, nil
		}
		opts.Page = resp.NextPage
	}
	return nil, fail(op, nil, fmt.Errorf("more than %d pages", maxPages))
}

// Pulls implements webhooks.Forge.
func (f *Forge) Pulls(ctx context.Context) ([]webhooks.Pull, error) {
	const op = "list merge requests"
	if err := f.budget.Spare(op); err != nil {
		return nil, err
	}
	list, err := all(op, func(o gitlab.ListOptions) ([]*gitlab.BasicMergeRequest, *gitlab.Response, error) {
		return f.client.MergeRequests.ListProjectMergeRequests(f.project, &gitlab.ListProjectMergeRequestsOptions{
			ListOptions: o, State: new("opened"), OrderBy: new("created_at"), Sort: new("asc"),
		}, gitlab.WithContext(ctx))
	})
	if err != nil {
		return nil, err
	}
	refs := map[string]string{}
	var out []webhooks.Pull
	for _, m := range list {
		if m == nil {
			continue
		}
		p := pull(m)
		refs[p.Head] = statusRef(m, p)
		out = append(out, p)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refs = refs
	return out, nil
}

// Pull implements webhooks.Forge.
func (f *Forge) Pull(ctx context.Context, number int) (webhooks.Pull, error) {
	m, resp, err := f.client.MergeRequests.GetMergeRequest(f.project, int64(number), nil, gitlab.WithContext(ctx))
	if err != nil {
		return webhooks.Pull{}, fail("read merge request", resp, err)
	}
	return pull(&m.BasicMergeRequest), nil
}

func pull(m *gitlab.BasicMergeRequest) webhooks.Pull {
	out := webhooks.Pull{
		Number: int(m.IID), Title: m.Title, URL: m.WebURL, Open: m.State == "opened", Draft: m.Draft,
		// A source project of 0 is one that was deleted.
		Fork: m.SourceProjectID == 0 || m.SourceProjectID != m.TargetProjectID,
		Head: m.SHA, BaseRef: "refs/heads/" + m.TargetBranch,
		HeadRef:  fmt.Sprintf("refs/merge-requests/%d/head", m.IID),
		MergeRef: fmt.Sprintf("refs/merge-requests/%d/merge", m.IID),
		Merged:   m.State == "merged",
	}
	if m.Author != nil {
		out.Author = m.Author.Username
	}
	if out.Merged {
		// Without a merge commit it was squashed or fast-forwarded.
		for _, id := range []string{m.MergeCommitSHA, m.SquashCommitSHA, m.SHA} {
			if id != "" {
				out.MergeCommit = id
				break
			}
		}
	}
	if m.UpdatedAt != nil {
		out.Updated = *m.UpdatedAt
	}
	return out
}

// statusRef is the ref that a status of the head goes to: the branch, whose pipelines
// a merge may have to wait for, or where a fork's head is here.
func statusRef(m *gitlab.BasicMergeRequest, p webhooks.Pull) string {
	if p.Fork {
		return p.HeadRef
	}
	return m.SourceBranch
}

// state is GitLab's word. It has none for "we could not tell".
func state(s webhooks.State) gitlab.BuildStateValue {
	switch s {
	case webhooks.Pending:
		return gitlab.Pending
	case webhooks.Success:
		return gitlab.Success
	}
	return gitlab.Failed
}

// SetStatus implements webhooks.Forge.
func (f *Forge) SetStatus(ctx context.Context, commit string, s webhooks.Status) error {
	s.Description = webhooks.OneLine(s.Description)
	want := state(s.State)
	list, err := all("read status", func(o gitlab.ListOptions) ([]*gitlab.CommitStatus, *gitlab.Response, error) {
		return f.client.Commits.GetCommitStatuses(f.project, commit, &gitlab.GetCommitStatusesOptions{
			ListOptions: o, Name: new(webhooks.StatusContext),
		}, gitlab.WithContext(ctx))
	})
	if err != nil {
		return err
	}
	var last *gitlab.CommitStatus
	for _, o := range list {
		if o != nil && o.Name == webhooks.StatusContext && (last == nil || o.ID > last.ID) {
			last = o
		}
	}
	if last != nil && last.Status == string(want) && last.Description == s.Description && last.TargetURL == s.URL {
		return nil
	}
	opts := &gitlab.SetCommitStatusOptions{State: want, Name: new(webhooks.StatusContext), Description: &s.Description}
	if s.URL != "" {
		opts.TargetURL = &s.URL
	}
	f.mu.Lock()
	if ref := f.refOf(commit); ref != "" {
		opts.Ref = &ref
	}
	f.mu.Unlock()
	_, resp, err := f.client.Commits.SetCommitStatus(f.project, commit, opts, gitlab.WithContext(ctx))
	if err != nil && resp != nil && resp.StatusCode == http.StatusBadRequest && last != nil && last.Status == string(want) {
		// A status that is pending cannot become pending with other words.
		return nil
	}
	return fail("set status", resp, err)
}

// account is the id of the account that the token belongs to.
func (f *Forge) account(ctx context.Context) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.me != 0 {
		return f.me, nil
	}
	const op = "read own account"
	user, resp, err := f.client.Users.CurrentUser(gitlab.WithContext(ctx))
	if err != nil {
		return 0, fail(op, resp, err)
	}
	if user.ID == 0 {
		return 0, fail(op, nil, errors.New("the answer has no id"))
	}
	f.me = user.ID
	return f.me, nil
}

var (
	_ webhooks.Forge = (*Forge)(nil)
	_ webhooks.Talk  = (*Forge)(nil)
)
