// SPDX-License-Identifier: Apache-2.0

// Package githubtest is a forge with GitHub's HTTP API as far as we use it, and its
// signed deliveries. It must not know the code that it tests.
package githubtest

import (
	"context"
	"net/http"

	"github.com/bindery/bindery/webhooks/forgetest"
)

// APIPath is where the API begins, as on GitHub's own servers for companies.
const APIPath = "/api/v3/"

// What the forge is made of.
type (
	Config   = forgetest.Config
	Server   = forgetest.Server
	User     = forgetest.User
	Fault    = forgetest.Fault
	Comment  = forgetest.Comment
	Status   = forgetest.Status
	Delivery = forgetest.Delivery
)

// New makes a forge and its repository.
func New(ctx context.Context, c Config) (*Server, error) { return forgetest.New(ctx, c, skin()) }

// Sign gives the header that proves a delivery's origin.
func Sign(secret, payload []byte) string { return "sha256=" + forgetest.HMAC(secret, payload) }

func skin() forgetest.Skin {
	return forgetest.Skin{
		APIPath: APIPath, RefRoot: "refs/pull/", MergeRefs: true, PerPage: "per_page", Routes: routes,
		Headers: func(d Delivery, secret []byte) http.Header {
			h := http.Header{}
			h.Set("X-GitHub-Event", d.Event)
			h.Set("X-GitHub-Delivery", d.ID)
			h.Set("X-Hub-Signature-256", Sign(secret, d.Payload))
			return h
		},
		Pushed: func(s *Server, ref, before, after string) (string, object) {
			return "push", named(s, object{"ref": ref, "before": before, "after": after})
		},
		Changed: func(s *Server, p forgetest.Pull, action string) (string, object) {
			return "pull_request", named(s, object{"action": action, "number": p.Number, "pull_request": pullJSON(s, "forge.invalid", p)})
		},
		Said: func(s *Server, c Comment) (string, object) {
			return "issue_comment", named(s, object{
				"action": "created", "comment": commentJSON(s, "forge.invalid", c),
				"issue": object{"number": c.Number, "pull_request": object{}},
			})
		},
	}
}

func named(s *Server, payload object) object {
	payload["repository"] = object{"full_name": s.Repo()}
	return payload
}
