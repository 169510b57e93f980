// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/markdown"
	"github.com/bindery/bindery/engine/review/redaction"
	"github.com/bindery/bindery/internal/transport"
	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/gitea"
	"github.com/bindery/bindery/webhooks/github"
	"github.com/bindery/bindery/webhooks/gitlab"
)

type commentOptions struct {
	comparisonOptions
	forge, address, repo, account string
	pull                          int
}

func newCommentCommand(s streams) *cobra.Command {
	var o commentOptions
	cmd := &cobra.Command{
		Use:   "comment --git URL BASE..HEAD --forge FORGE --repo OWNER/NAME --pull N",
		Short: "Show a change in the one comment of its pull request, from a CI job",
		Long: `Comment is for those who have no controller: it makes the report of bindery diff, writes
it to standard output as Markdown, and makes the one comment of the pull request say the
same. Run again it edits that comment, if it would say something else. Where the pull request went on meanwhile, or was
closed, it posts nothing.

HEAD has to be the pull request's head, or a commit that has it merged, such as the one
that CI checks out. Facts come from --probe-data; without, the verdict says so.

The token is in BINDERY_GITHUB_TOKEN, BINDERY_GITEA_TOKEN or BINDERY_GITLAB_TOKEN. It needs
to read the repository and to write comments. A controller that posts by the same account
has a comment of its own.
` + exitHelp + `
1 means that the change should not be merged as it is: something does not build, or an
assertion does not hold and is not approved.`,
		Example: `  bindery comment --git . HEAD^1..HEAD --forge github --repo acme/site --pull 7 --account "github-actions[bot]"
  bindery comment --git . HEAD^1..HEAD --forge gitea --forge-url https://gitea.example.org --repo acme/site --pull 7
  bindery comment --git . main...HEAD --forge gitlab --repo acme/infra/site --pull 7 --probe-data facts.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runComment(cmd.Context(), &o, args, s) },
	}
	f := cmd.Flags()
	f.StringVar(&o.url, "git", "", "the repository, by `URL` or path; its two revisions are compared (required)")
	o.specOptions.AddFlags(cmd)
	f.StringVar(&o.forge, "forge", "", "github, gitea (also for Forgejo) or gitlab (required)")
	f.StringVar(&o.address, "forge-url", "", "`address` of the forge: of its API for github (default: the public ones; required for gitea)")
	f.StringVar(&o.repo, "repo", "", "`name` of the repository at the forge, OWNER/NAME (required)")
	f.IntVar(&o.pull, "pull", 0, "`number` of the pull request, or of the merge request (required)")
	f.StringVar(&o.account, "account", "", "github: `name` of the account that the token posts as, where a token cannot ask, such as github-actions[bot]")
	o.approve.AddFlags(cmd)
	for _, name := range []string{"git", "forge", "repo", "pull"} {
		_ = cmd.MarkFlagRequired(name) // the flag exists
	}
	return cmd
}

// open makes the forge that the flags name.
func (o *commentOptions) open() (webhooks.Forge, error) {
	if o.pull <= 0 {
		return nil, errors.New("--pull is the number of a pull request")
	}
	if o.account != "" && o.forge != "github" {
		return nil, errors.New("--account goes with --forge github")
	}
	if !slices.Contains([]string{"github", "gitea", "gitlab"}, o.forge) {
		return nil, fmt.Errorf("--forge is github, gitea or gitlab, not %q", o.forge)
	}
	variable := "BINDERY_" + strings.ToUpper(o.forge) + "_TOKEN"
	token := strings.TrimSpace(os.Getenv(variable))
	if token == "" {
		return nil, fmt.Errorf("%s is empty: it holds the token", variable)
	}
	http := transport.Config{}
	switch o.forge {
	case "github":
		return github.New(github.Config{API: o.address, Repo: o.repo, Token: token, Account: o.account, HTTP: http})
	case "gitea":
		return gitea.New(gitea.Config{URL: o.address, Repo: o.repo, Token: token, HTTP: http})
	}
	return gitlab.New(gitlab.Config{URL: o.address, Repo: o.repo, Token: token, HTTP: http})
}

func runComment(ctx context.Context, o *commentOptions, args []string, s streams) error {
	forge, err := o.open()
	if err != nil {
		return err
	}
	pull, err := forge.Pull(ctx, o.pull)
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	c, err := o.compare(ctx, args, s.Err)
	if err != nil {
		return err
	}
	current, err := o.current(ctx, c, pull)
	if err != nil {
		return err
	}
	r := c.report
	r.Meta.Head, r.Meta.Number, r.Meta.BaseName = pull.Head, pull.Number, strings.TrimPrefix(pull.BaseRef, "refs/heads/")
	page, body := shown(r)
	if _, err := io.WriteString(s.Out, body); err != nil {
		return withCode(exitUnavailable, err)
	}
	if !current {
		fmt.Fprintf(s.Err, "bindery: pull request %d is closed, or is at %.12s now: nothing was posted\n", pull.Number, pull.Head)
		return nil
	}
	posted, err := forge.Post(ctx, webhooks.Post{
		Number: pull.Number, Body: body, Plain: redaction.Numbered, OnlyEdit: r.Verdict.State == review.Clean,
		Marker: webhooks.Marker{Job: true, Head: pull.Head, Base: c.snapshots[0].Commit(), Seq: time.Now().Unix(), Digest: r.Digest},
	})
	if fe, ok := errors.AsType[*webhooks.Error](err); ok && fe.Reason == webhooks.Denied && pull.Fork {
		err = fmt.Errorf("%w\nThe head is in a fork, and jobs of forks get no token that may write: a controller can preview it", err)
	}
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	fmt.Fprintln(s.Err, strings.TrimSpace(fmt.Sprintf("bindery: comment %s %s", posted.Outcome, posted.URL)))
	if !r.Verdict.OK || !page.OK() {
		return quietly(exitFindings)
	}
	return nil
}

// shown writes the report as the comment has it, below the marker. Fingerprints are made
// with a key that is thrown away, so they, and the digest of what is behind them, would
// be others each time. The digest here is of what everybody reads, with numbers in the
// place of fingerprints: nobody can guess a secret by it.
func shown(r *review.Report) (markdown.Page, string) {
	r.Meta.Took, r.Digest = 0, ""
	_, body, _ := strings.Cut(markdown.New(r, markdown.Options{}).Body, "\n")
	sum := sha256.Sum256([]byte(redaction.Numbered(body)))
	r.Digest = "sha256:" + hex.EncodeToString(sum[:])
	page := markdown.New(r, markdown.Options{})
	_, body, _ = strings.Cut(page.Body, "\n") // the forge writes the marker itself
	return page, body
}

// current tells whether what was compared is still what the pull request proposes.
func (o *commentOptions) current(ctx context.Context, c *compared, pull webhooks.Pull) (bool, error) {
	head := c.snapshots[1].Commit()
	if !pull.Open || head == pull.Head {
		return pull.Open, nil
	}
	m, done, err := openRepository(ctx, o.url, head)
	if err != nil {
		return false, err
	}
	defer done()
	commit, err := m.Commit(ctx, head)
	if err != nil {
		return false, withCode(exitUnavailable, err)
	}
	return slices.Contains(commit.Parents, pull.Head), nil
}
