// SPDX-License-Identifier: Apache-2.0

package gitlab

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/bindery/bindery/webhooks"
)

// Dialect is how GitLab sends deliveries: with the secret itself, so the connection
// has to be private. Old servers send no id.
func Dialect() webhooks.Dialect {
	return webhooks.Dialect{
		Kind: []string{"X-Gitlab-Event"}, ID: []string{"Idempotency-Key", "X-Gitlab-Event-UUID"}, AnyID: true,
		Token: "X-Gitlab-Token", Decode: Decode,
	}
}

// payload is what we read of a delivery: where to look, and no more.
type payload struct {
	Ref     string `json:"ref"`
	After   string `json:"after"`
	Project struct {
		Path string `json:"path_with_namespace"`
	} `json:"project"`
	Attributes struct {
		IID      int    `json:"iid"`
		Action   string `json:"action"`
		Noteable string `json:"noteable_type"`
		Source   string `json:"source"`
		Status   string `json:"status"`
	} `json:"object_attributes"`
	MergeRequest struct {
		IID int `json:"iid"`
	} `json:"merge_request"`
}

// begins are the states of a pipeline that has not ended.
var begins = map[string]bool{"created": true, "waiting_for_resource": true, "preparing": true, "pending": true, "running": true}

// Decode reads a verified delivery. Kinds that we do not know are webhooks.ErrIgnored.
func Decode(kind string, body []byte) (webhooks.Event, error) {
	event := webhooks.Event{Kind: webhooks.Push}
	switch kind {
	case "Push Hook":
	case "Merge Request Hook":
		event.Kind = webhooks.PullRequest
	case "Note Hook", "Confidential Note Hook":
		event.Kind = webhooks.Comment
	case "Pipeline Hook":
		// Nothing else tells that a merge train sets out.
		event.Kind = webhooks.MergeGroup
	default:
		return webhooks.Event{}, webhooks.ErrIgnored
	}
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return webhooks.Event{}, fmt.Errorf("decode %s: %w", strings.ToLower(kind), err)
	}
	if event.Kind == webhooks.Comment && p.Attributes.Noteable != "MergeRequest" {
		return webhooks.Event{}, webhooks.ErrIgnored
	}
	if event.Kind == webhooks.MergeGroup && (p.Attributes.Source != "merge_request_event" || !begins[p.Attributes.Status]) {
		return webhooks.Event{}, webhooks.ErrIgnored
	}
	if _, _, err := webhooks.Names(p.Project.Path); err != nil {
		return webhooks.Event{}, fmt.Errorf("decode %s: %w", strings.ToLower(kind), err)
	}
	event.Repo, event.Action = p.Project.Path, p.Attributes.Action
	switch event.Kind {
	case webhooks.Push:
		event.Ref, event.Commit = p.Ref, p.After
	case webhooks.PullRequest:
		event.Number = p.Attributes.IID
	case webhooks.Comment, webhooks.MergeGroup:
		event.Number = p.MergeRequest.IID
	}
	return event, nil
}
