// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/bindery/bindery/fixtures/site"
)

// propose pushes the change and opens a pull request.
func (d *Demo) propose(ctx context.Context) error {
	var err error
	d.pull, err = d.open(ctx, site.Change())
	return err
}

// open pushes a commit on a branch and asks for it to be merged.
func (d *Demo) open(ctx context.Context, c site.Commit) (pull, error) {
	before, err := d.client.deliveries(ctx)
	if err != nil {
		return pull{}, err
	}
	d.say.say("%s commits on the branch %s, pushes it, and opens a pull request: %s.", person, c.Branch, c.Title)
	d.say.hand(words([]string{"git", "-C", work, "push", "origin", c.Branch}))
	if _, err := d.push(ctx, c); err != nil {
		return pull{}, err
	}
	p, err := d.client.open(ctx, c.Title, c.Branch, branch)
	if err != nil {
		return p, err
	}
	asked := fmt.Sprintf(`{"title": %q, "head": %q, "base": %q}`, c.Title, c.Branch, branch)
	d.say.hand(words([]string{"curl", "-H", "@" + person + ".header", "-d", asked, d.client.of("pulls")}))
	var sent []delivery
	err = d.until(ctx, "the deliveries arrived", func(ctx context.Context) (bool, error) {
		all, err := d.client.deliveries(ctx)
		if err != nil || len(all) < len(before)+2 {
			return false, err
		}
		sent = all[len(before):]
		return true, nil
	})
	if err != nil {
		return p, err
	}
	for _, s := range sent {
		if s.Status != http.StatusAccepted {
			return p, fmt.Errorf("the controller answered %d to the delivery of %s", s.Status, s.Event)
		}
		d.say.good("the forge delivered %q, signed, and the controller answered %d", s.Event, s.Status)
	}
	return p, nil
}

// verdict waits for the check of a pull request and shows the first lines of its one
// comment.
func (d *Demo) verdict(ctx context.Context, p pull, lines int) (check, string, error) {
	var last check
	err := d.until(ctx, fmt.Sprintf("pull request %d has its check", p.Number), func(ctx context.Context) (bool, error) {
		list, err := d.client.checks(ctx, p.Head.SHA)
		if err != nil || len(list) == 0 || list[0].State == "pending" {
			return false, err
		}
		last = list[0]
		return true, nil
	})
	if err != nil {
		return last, "", err
	}
	list, err := d.client.comments(ctx, p.Number)
	if err != nil {
		return last, "", err
	}
	if len(list) != 1 || list[0].User.Login != robot {
		return last, "", fmt.Errorf("there is not one comment by %s, but %d comments", robot, len(list))
	}
	d.say.hand(fmt.Sprintf("curl -s -H @%s.header %s", person, d.client.of("issues/%d/comments", p.Number)))
	d.page(list[0].Body, lines)
	d.say.hand(fmt.Sprintf("curl -s -H @%s.header %s", person, d.client.of("commits/%.10s/statuses", p.Head.SHA)))
	d.say.output(fmt.Sprintf("%s: %s, %q", last.Context, last.State, last.Description))
	return last, list[0].Body, nil
}

// secrets are what must not be in a comment, whatever it shows.
func secrets() []string { return []string{"first edition", "second edition", "made-up-password"} }

// review shows the comment, and keeps what the merge would give to compare with.
func (d *Demo) review(ctx context.Context) error {
	last, body, err := d.verdict(ctx, d.pull, 200)
	if err != nil {
		return err
	}
	if last.State != "success" {
		return fmt.Errorf("the check is %s: %s", last.State, last.Description)
	}
	for _, s := range secrets() {
		if strings.Contains(body, s) {
			return errors.New("the comment shows a secret")
		}
	}
	d.say.good("one comment, by %s; the secret that changes is shown as a fingerprint only", robot)
	_, page, _ := strings.Cut(body, "[Full report](")
	page, _, _ = strings.Cut(page, ")")
	page = strings.Trim(page, "<>")
	if err := d.client.do(ctx, http.MethodGet, page, nil, nil); err != nil {
		return fmt.Errorf("the full report of the comment: %w", err)
	}
	d.say.good("its full report is a page of the controller: %s", page)
	return nil
}

// publish merges, and compares what is published with what was reviewed.
func (d *Demo) publish(ctx context.Context) error {
	d.say.say("What the reviewed merge would give both hosts, built by hand before it is merged:")
	var err error
	if d.reviewed, err = d.digests(ctx, fmt.Sprintf("refs/pull/%d/merge", d.pull.Number), "reviewed"); err != nil {
		return err
	}
	d.say.hand(fmt.Sprintf("curl -X PUT -H @%s.header %s", person, d.client.of("pulls/%d/merge", d.pull.Number)))
	if d.merged, err = d.client.merge(ctx, d.pull.Number); err != nil {
		return err
	}
	d.lastGood = d.merged
	outcome, detail, err := d.settled(ctx, d.merged)
	if err != nil {
		return err
	}
	if outcome != "published" || detail != "" {
		return fmt.Errorf("the merge was %s: %s", outcome, detail)
	}
	d.say.good("commit %.10s is published, and the controller found no change that the review did not show", d.merged)
	published, err := d.digests(ctx, d.merged, "published")
	if err != nil {
		return err
	}
	for _, h := range hosts() {
		s, err := d.released(ctx, h.name, "has the release of the merge", func(s seen) bool { return s.Release != nil && s.Release.Commit == d.merged })
		if err != nil {
			return err
		}
		if published[h.name] != d.reviewed[h.name] {
			return fmt.Errorf("%s was published with %+v, and %s was reviewed", h.name, s.Release, d.reviewed[h.name])
		}
		d.say.good("%s: reviewed %.16s…, published %.16s…: equal", h.short, d.reviewed[h.name], published[h.name])
	}
	return nil
}
