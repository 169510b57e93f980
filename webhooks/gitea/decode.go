// SPDX-License-Identifier: Apache-2.0

package gitea

import (
	"encoding/json"
	"fmt"

	"github.com/bindery/bindery/webhooks"
)

// Dialect is how Gitea and Forgejo send deliveries. Old servers put the secret into
// the payload as well, which proves nothing to those who can read it on its way.
func Dialect() webhooks.Dialect {
	return webhooks.Dialect{
		Kind:      []string{"X-Gitea-Event", "X-Forgejo-Event"},
		ID:        []string{"X-Gitea-Delivery", "X-Forgejo-Delivery"},
		Signature: []string{"X-Gitea-Signature", "X-Forgejo-Signature", "X-Hub-Signature-256"},
		Decode:    Decode,
	}
}

// payload is what we read of a delivery: where to look, and no more.
type payload struct {
	Action     string `json:"action"`
	Number     int    `json:"number"`
	Ref        string `json:"ref"`
	After      string `json:"after"`
	IsPull     bool   `json:"is_pull"`
	Repository struct {
		FullName string `json:"full_name"`
	} `json:"repository"`
	Issue struct {
		Number int `json:"number"`
		// PullRequest is null where it is none.
		PullRequest *struct{} `json:"pull_request"`
	} `json:"issue"`
}

// Decode reads a verified delivery. Event types that we do not know are
// webhooks.ErrIgnored.
func Decode(kind string, body []byte) (webhooks.Event, error) {
	event := webhooks.Event{Kind: webhooks.Push}
	switch kind {
	case "push":
	case "pull_request", "pull_request_sync":
		event.Kind = webhooks.PullRequest
	case "issue_comment", "pull_request_comment":
		event.Kind = webhooks.Comment
	default:
		return webhooks.Event{}, webhooks.ErrIgnored
	}
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return webhooks.Event{}, fmt.Errorf("decode %s delivery: %w", kind, err)
	}
	if event.Kind == webhooks.Comment {
		if !p.IsPull && p.Issue.PullRequest == nil {
			return webhooks.Event{}, webhooks.ErrIgnored
		}
		p.Number = p.Issue.Number
	}
	if _, _, err := webhooks.Names(p.Repository.FullName); err != nil {
		return webhooks.Event{}, fmt.Errorf("decode %s delivery: %w", kind, err)
	}
	event.Repo, event.Action, event.Number = p.Repository.FullName, p.Action, p.Number
	if event.Kind == webhooks.Push {
		event.Ref, event.Commit = p.Ref, p.After
	}
	return event, nil
}
