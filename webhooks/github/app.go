// SPDX-License-Identifier: Apache-2.0

package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"

	"github.com/bindery/bindery/webhooks"
)

// App is who we are where we come as an App: its installation on the repository's
// owner gives tokens of an hour, and it may make check runs.
type App struct {
	// ID and Installation are numbers that GitHub shows.
	ID, Installation int64
	// Key is the App's private key, in PEM. It signs, and goes nowhere.
	Key []byte
}

// app speaks for the App itself, and keeps the installation's token.
type app struct {
	id     int64
	client *github.Client
	tokens *ghinstallation.Transport
}

// newApp gives the App and a client that speaks for its installation. base brings the
// limits and retries of all our requests.
func newApp(a *App, root *url.URL, base *http.Client) (*app, *http.Client, error) {
	if a.ID <= 0 || a.Installation <= 0 {
		return nil, nil, errors.New("github: the App has no id, or no installation")
	}
	jwt, err := ghinstallation.NewAppsTransport(base.Transport, a.ID, a.Key)
	if err != nil {
		return nil, nil, errors.New("github: the App's private key is no RSA key in PEM")
	}
	jwt.BaseURL = strings.TrimSuffix(root.String(), "/")
	tokens := ghinstallation.NewFromAppsTransport(jwt, a.Installation)
	own := github.NewClient(&http.Client{Transport: jwt, CheckRedirect: base.CheckRedirect})
	own.BaseURL, own.UserAgent = root, "bindery"
	return &app{id: a.ID, client: own, tokens: tokens}, &http.Client{Transport: tokens, CheckRedirect: base.CheckRedirect}, nil
}

// Token gives a token that git may fetch with for some minutes at least; "" where we
// do not come as an App.
func (f *Forge) Token(ctx context.Context) (string, error) {
	if f.app == nil {
		return "", nil
	}
	token, err := f.app.tokens.Token(ctx)
	return token, f.fail("get token", err)
}

// bot is the account that the App posts as: an installation cannot ask who it is.
func (f *Forge) bot(ctx context.Context) (*github.User, error) {
	a, _, err := f.app.client.Apps.Get(ctx, "")
	if err != nil {
		return nil, err
	}
	u, _, err := f.client.Users.Get(ctx, a.GetSlug()+"[bot]")
	return u, err
}

const (
	// batch is how many annotations one request takes, maxNotes how many we make.
	batch    = 50
	maxNotes = 200
)

// check makes the check run of a commit say what s says: one run, which is concluded
// from the start. Where one with annotations says something else a new one takes its
// place, because annotations cannot be taken back.
func (f *Forge) check(ctx context.Context, commit string, s webhooks.Status) error {
	runs, _, err := f.client.Checks.ListCheckRunsForRef(ctx, f.owner, f.name, commit, &github.ListCheckRunsOptions{
		CheckName: new(webhooks.StatusContext), AppID: &f.app.id, Filter: new("latest"),
	})
	if err != nil {
		return f.fail("read check", err)
	}
	var last *github.CheckRun
	for _, r := range runs.CheckRuns {
		if r.GetName() == webhooks.StatusContext && r.GetApp().GetID() == f.app.id && (last == nil || r.GetID() > last.GetID()) {
			last = r
		}
	}
	notes := annotations(s.Annotations)
	done := last.GetOutput().GetAnnotationsCount()
	if !says(last, s) || done > len(notes) {
		next := notes[:min(batch, len(notes))]
		if last, err = f.conclude(ctx, commit, last, s, next); err != nil {
			return err
		}
		done = len(next)
	}
	for done < len(notes) {
		next := notes[done:min(done+batch, len(notes))]
		_, _, err := f.client.Checks.UpdateCheckRun(ctx, f.owner, f.name, last.GetID(), github.UpdateCheckRunOptions{
			Name: webhooks.StatusContext, Output: output(s, next),
		})
		if err != nil {
			return f.fail("annotate check", err)
		}
		done += len(next)
	}
	return nil
}

// conclude writes the run, over the last one if that has no annotations.
func (f *Forge) conclude(ctx context.Context, commit string, last *github.CheckRun, s webhooks.Status, notes []*github.CheckRunAnnotation) (*github.CheckRun, error) {
	state, end, details := "completed", conclusion(s.State), (*string)(nil)
	if s.URL != "" {
		details = &s.URL
	}
	if last != nil && last.GetOutput().GetAnnotationsCount() == 0 {
		run, _, err := f.client.Checks.UpdateCheckRun(ctx, f.owner, f.name, last.GetID(), github.UpdateCheckRunOptions{
			Name: webhooks.StatusContext, Status: &state, Conclusion: &end, DetailsURL: details, Output: output(s, notes),
		})
		return run, f.fail("change check", err)
	}
	run, _, err := f.client.Checks.CreateCheckRun(ctx, f.owner, f.name, github.CreateCheckRunOptions{
		Name: webhooks.StatusContext, HeadSHA: commit, Status: &state, Conclusion: &end, DetailsURL: details, Output: output(s, notes),
	})
	return run, f.fail("set check", err)
}

// says tells whether a run says what s says, besides annotations.
func says(r *github.CheckRun, s webhooks.Status) bool {
	return r != nil && r.GetStatus() == "completed" && r.GetConclusion() == conclusion(s.State) &&
		r.GetOutput().GetTitle() == s.Description && r.GetOutput().GetText() == s.Text && (s.URL == "" || r.GetDetailsURL() == s.URL)
}

func output(s webhooks.Status, notes []*github.CheckRunAnnotation) *github.CheckRunOutput {
	summary := s.Description
	if n := len(s.Annotations); n > maxNotes {
		summary = fmt.Sprintf("%s (%d of %d problems are shown on their lines)", summary, maxNotes, n)
	}
	out := &github.CheckRunOutput{Title: &s.Description, Summary: &summary, Annotations: notes}
	if s.Text != "" {
		out.Text = &s.Text
	}
	return out
}

// conclusion is GitHub's word. There is none for "not yet" that a required check does
// not take for good, besides the one that asks somebody to act.
func conclusion(s webhooks.State) string {
	switch s {
	case webhooks.Success:
		return "success"
	case webhooks.Pending:
		return "action_required"
	}
	return "failure"
}

func annotations(list []webhooks.Annotation) []*github.CheckRunAnnotation {
	var out []*github.CheckRunAnnotation
	for _, a := range list[:min(len(list), maxNotes)] {
		level := "warning"
		if a.Failure {
			level = "failure"
		}
		line := max(a.Line, 1)
		out = append(out, &github.CheckRunAnnotation{
			Path: &a.Path, StartLine: &line, EndLine: &line, AnnotationLevel: &level, Title: &a.Title, Message: &a.Message,
		})
	}
	return out
}
