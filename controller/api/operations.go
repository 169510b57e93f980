// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/bindery/bindery/controller/status"
	"github.com/bindery/bindery/engine/release"
)

// Paths that agents know.
const (
	pathEnrol   = "/api/v1/enroll"
	pathFacts   = "/api/v1/facts"
	pathReports = "/api/v1/reports"
)

// message is a signed envelope as it came. It is verified as bytes.
type message struct {
	RawBody []byte `contentType:"application/json"`
}

// Envelope is the form of a message, for the API's document.
type Envelope struct {
	PayloadType string `json:"payloadType" doc:"what the payload is"`
	Payload     string `json:"payload" contentEncoding:"base64" doc:"the signed JSON"`
	// The host's own key signs, and nobody else.
	Signatures []Signature `json:"signatures" minItems:"1" maxItems:"1" doc:"by the host's own key (DSSE)"`
}

// Signature is the signature of an Envelope.
type Signature struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig" contentEncoding:"base64"`
}

// answer is what an enrolling host verifies as bytes.
type answer struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

type hostsOutput struct {
	Body struct {
		Hosts []status.Host `json:"hosts" doc:"every enrolled host, by name"`
	}
}

type hostInput struct {
	Name string `path:"name" maxLength:"255" doc:"name of the host"`
}

type hostOutput struct{ Body *status.Detail }

type overviewOutput struct{ Body *status.Overview }

type releasesOutput struct {
	Body struct {
		Releases []status.Commit `json:"releases" doc:"commits in force, the newest first"`
	}
}

// environmentInput restricts what is told to one environment.
type environmentInput struct {
	Environment string `query:"environment" maxLength:"63" doc:"only this environment"`
}

type eventsInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"how many rows at most"`
}

type reviewsInput struct {
	Limit   int  `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"how many rows at most"`
	Reports bool `query:"reports" doc:"with the whole report of each review"`
	// Not embedded: the library leaves out what is in a type that is not exported.
	Environment string `query:"environment" maxLength:"63" doc:"only this environment"`
}

type reviewsOutput struct {
	Body struct {
		Reviews []status.Review `json:"reviews" doc:"the newest first"`
	}
}

type reviewInput struct {
	Pull int    `path:"pull" minimum:"1" doc:"number of the pull request"`
	Repo string `query:"repo" maxLength:"255" doc:"its repository, where several have this number; without, the newest review of them all"`
}

type reviewOutput struct{ Body *status.Review }

type eventsOutput struct {
	Body struct {
		Events []status.Event `json:"events" doc:"the audit trail, the newest first"`
	}
}

// describe registers every operation; their types are the OpenAPI document.
func (a *API) describe() {
	c := huma.DefaultConfig("Bindery controller", a.c.Version)
	// No pages that load scripts from elsewhere, and no links in the answers.
	c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", nil
	a.operations = http.NewServeMux()
	a.document = humago.New(a.operations, c)

	huma.Register(a.document, a.takes(pathEnrol, "enroll", "Enrol a host, in two steps", release.MaxEnrolment), a.enrol)
	huma.Register(a.document, a.takes(pathFacts, "send-facts", "Tell answers to probes", release.MaxFacts), a.sendFacts)
	huma.Register(a.document, a.takes(pathReports, "send-report", "Tell what came of a run", release.MaxReport), a.sendReport)

	a.describeFleet()
	a.describeJournal()
}

// describeFleet registers what is told of hosts.
func (a *API) describeFleet() {
	huma.Register(a.document, reads("/api/v1/overview", "overview", "Repositories, hosts by state, and what is wrong"),
		func(ctx context.Context, in *environmentInput) (*overviewOutput, error) {
			o, err := a.c.Status.Overview(ctx, in.Environment)
			return &overviewOutput{Body: o}, a.unread(ctx, err)
		})
	huma.Register(a.document, reads("/api/v1/hosts", "list-hosts", "Every host: its release, facts, last report and drift"),
		func(ctx context.Context, in *environmentInput) (out *hostsOutput, err error) {
			out = &hostsOutput{}
			out.Body.Hosts, err = a.c.Status.Hosts(ctx, in.Environment)
			return out, a.unread(ctx, err)
		})
	huma.Register(a.document, reads("/api/v1/hosts/{name}", "show-host", "One host in full"),
		func(ctx context.Context, in *hostInput) (*hostOutput, error) {
			d, err := a.c.Status.Host(ctx, in.Name)
			return &hostOutput{Body: d}, a.unread(ctx, err)
		})
	huma.Register(a.document, reads("/api/v1/releases", "list-releases", "What is in force, by commit"),
		func(ctx context.Context, in *environmentInput) (out *releasesOutput, err error) {
			out = &releasesOutput{}
			out.Body.Releases, err = a.c.Status.Releases(ctx, in.Environment)
			return out, a.unread(ctx, err)
		})
}

// describeJournal registers what is told of the controller's own work.
func (a *API) describeJournal() {
	huma.Register(a.document, reads("/api/v1/reviews", "list-reviews", "Pull requests as they were shown"),
		func(ctx context.Context, in *reviewsInput) (out *reviewsOutput, err error) {
			out = &reviewsOutput{}
			out.Body.Reviews, err = a.c.Status.Reviews(ctx, in.Environment, in.Limit, in.Reports)
			return out, a.unread(ctx, err)
		})
	huma.Register(a.document, reads("/api/v1/reviews/{pull}", "show-review", "The newest review of a pull request, with its report"),
		func(ctx context.Context, in *reviewInput) (*reviewOutput, error) {
			v, err := a.c.Status.Review(ctx, in.Repo, in.Pull)
			return &reviewOutput{Body: v}, a.unread(ctx, err)
		})
	huma.Register(a.document, reads("/api/v1/events", "list-events", "The audit trail"),
		func(ctx context.Context, in *eventsInput) (out *eventsOutput, err error) {
			out = &eventsOutput{}
			out.Body.Events, err = a.c.Status.Events(ctx, in.Limit)
			return out, a.unread(ctx, err)
		})
}

// takes is an operation that a signed envelope is sent to.
func (a *API) takes(path, id, summary string, limit int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, Tags: []string{"agents"},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: a.document.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Envelope](), true, "")},
		}},
		// What is signed is judged as bytes, before it is taken apart. The library
		// refuses what reaches its limit, not what exceeds it.
		SkipValidateBody: true, MaxBodyBytes: int64(limit) + 1, BodyReadTimeout: a.bodyTimeout,
		Errors: []int{
			http.StatusForbidden, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusRequestTimeout,
			http.StatusTooManyRequests, http.StatusServiceUnavailable,
		},
	}
}

func reads(path, id, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"programs"},
		Errors: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}
}

// unread answers for a database that does not.
func (a *API) unread(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, status.ErrNotFound):
		return problem(http.StatusNotFound, "there is no such thing here")
	}
	a.log(ctx).Error("state cannot be read", "err", err)
	return problem(http.StatusServiceUnavailable, "the controller's state cannot be read now")
}

// problem is an answer that says no.
func problem(code int, line string) error {
	err := huma.NewError(code, line)
	if code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable {
		return huma.ErrorWithHeaders(err, http.Header{"Retry-After": {"5"}})
	}
	return err
}
