// SPDX-License-Identifier: Apache-2.0

package github

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/bindery/bindery/webhooks"
)

// queueRefs is where the queue keeps its merges: below it the branch, then
// pr-NUMBER-BASE. Who could write there could as well open a pull request.
const queueRefs = "refs/heads/gh-readonly-queue/"

// Queued implements webhooks.Queue.
func (f *Forge) Queued(ctx context.Context, branch string) ([]webhooks.Group, error) {
	prefix := queueRefs + strings.TrimPrefix(branch, "refs/heads/") + "/"
	refs, _, err := f.client.Git.ListMatchingRefs(ctx, f.owner, f.name, &github.ReferenceListOptions{
		Ref: strings.TrimPrefix(prefix, "refs/"), ListOptions: github.ListOptions{PerPage: pageSize},
	})
	if err != nil {
		return nil, f.fail("list merge queue", err)
	}
	var out []webhooks.Group
	for _, r := range refs {
		name, ok := strings.CutPrefix(r.GetRef(), prefix+"pr-")
		digits, _, _ := strings.Cut(name, "-")
		number, err := strconv.Atoi(digits)
		if ok && err == nil && r.GetObject().GetSHA() != "" {
			out = append(out, webhooks.Group{Ref: r.GetRef(), Commit: r.GetObject().GetSHA(), Number: number})
		}
	}
	slices.SortFunc(out, func(a, b webhooks.Group) int { return cmp.Compare(a.Ref, b.Ref) })
	return out, nil
}

var _ webhooks.Queue = (*Forge)(nil)
