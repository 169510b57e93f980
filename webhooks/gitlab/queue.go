// SPDX-License-Identifier: Apache-2.0

package gitlab

import (
	"context"
	"errors"
	"fmt"
	"strings"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/bindery/bindery/webhooks"
)

// Queued implements webhooks.Queue: what waits is the merge train of the branch. Servers
// that have no merge trains, or not for this project, have nothing that waits.
func (f *Forge) Queued(ctx context.Context, branch string) ([]webhooks.Group, error) {
	list, err := all("list merge train", func(o gitlab.ListOptions) ([]*gitlab.MergeTrain, *gitlab.Response, error) {
		return f.client.MergeTrains.ListMergeRequestInMergeTrain(f.project, strings.TrimPrefix(branch, "refs/heads/"),
			&gitlab.ListMergeTrainsOptions{ListOptions: o, Scope: new("active"), Sort: new("asc")}, gitlab.WithContext(ctx))
	})
	var refused *webhooks.Error
	if errors.As(err, &refused) && (refused.Reason == webhooks.Missing || refused.Reason == webhooks.Denied) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []webhooks.Group
	for _, car := range list {
		// One without a pipeline has not begun; one that is stale is merged anew.
		if car == nil || car.MergeRequest == nil || car.Pipeline == nil || car.Pipeline.SHA == "" || car.Status == "stale" {
			continue
		}
		out = append(out, webhooks.Group{
			Ref: fmt.Sprintf("refs/merge-requests/%d/train", car.MergeRequest.IID), Commit: car.Pipeline.SHA, Number: int(car.MergeRequest.IID),
		})
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trains[branch] = out
	return out, nil
}

// refOf is the ref that a status of a commit goes to, "" where nothing is known of it.
// The caller holds the lock.
func (f *Forge) refOf(commit string) string {
	for _, train := range f.trains {
		for _, g := range train {
			if g.Commit == commit {
				return g.Ref
			}
		}
	}
	return f.refs[commit]
}

var _ webhooks.Queue = (*Forge)(nil)
