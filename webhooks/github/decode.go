// SPDX-License-Identifier: Apache-2.0

package github

import (
	"encoding/json"
	"fmt"

	"github.com/bindery/bindery/webhooks"
)

// payload is what we read of a delivery. It says where to look and no more, so
// nothing else of it is even decoded.
type payload struct {
	Action     string `json:"action"`
	Number     int    `json:"number"`
	Ref        string `json:"ref"`
	After      string `json:"after"`
	Repository struct {
		FullName string `json:"full_name"`
	} `json:"repository"`
	Issue struct {
		Number      int             `json:"number"`
		PullRequest json.RawMessage `json:"pull_request"`
	} `json:"issue"`
}

// Dialect is how GitHub sends deliveries. The older X-Hub-Signature is SHA-1 and
// never looked at.
func Dialect() webhooks.Dialect {
	return webhooks.Dialect{
		Kind: []string{"X-GitHub-Event"}, ID: []string{"X-GitHub-Delivery"},
		Signature: []string{"X-Hub-Signature-256"}, Decode: Decode,
	}
}

// Decode reads a verified delivery. Event types that we do not know are
// webhooks.ErrIgnored: GitHub adds new ones whenever it likes.
func Decode(kind string, body []byte) (webhooks.Event, error) {
	event := webhooks.Event{Kind: webhooks.Push}
	switch kind {
	case "push":
	case "pull_request":
		event.Kind = webhooks.PullRequest
	case "issue_comment":
		event.Kind = webhooks.Comment
	case "merge_group":
		event.Kind = webhooks.MergeGroup
	case "ping":
		event.Kind = webhooks.Ping
	default:
		return webhooks.Event{}, webhooks.ErrIgnored
	}
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return webhooks.Event{}, fmt.Errorf("decode %s delivery: %w", kind, err)
	}
	if event.Kind == webhooks.Comment {
		if len(p.Issue.PullRequest) == 0 || string(p.Issue.PullRequest) == "null" {
			return webhooks.Event{}, webhooks.ErrIgnored
		}
		p.Number = p.Issue.Number
	}
	if event.Kind != webhooks.Ping {
		if _, _, err := webhooks.Names(p.Repository.FullName); err != nil {
			return webhooks.Event{}, fmt.Errorf("decode %s delivery: %w", kind, err)
		}
	}
	event.Repo, event.Action, event.Number = p.Repository.FullName, p.Action, p.Number
	if event.Kind == webhooks.Push {
		event.Ref, event.Commit = p.Ref, p.After
	}
	return event, nil
}
