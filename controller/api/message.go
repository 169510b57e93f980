// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/release"
)

const (
	// maxItems is how many entries of each kind are kept of a report.
	maxItems = 4000
	// maxText is how much is kept of a reason or an error.
	maxText = 1000
)

var (
	// errNotEnrolled is a message of a host that is unknown or revoked.
	errNotEnrolled = fmt.Errorf("%w: this host is not enrolled here", release.ErrUntrusted)
	// errContent is a message that is signed by its host and makes no sense.
	errContent = errors.New("the message does not fit")
	// errUnknownProbes is answers to a probe set that is not published, or not yet
	// known after a start. It passes.
	errUnknownProbes = errors.New("the probe set is not the published one: poll and ask again")
	// errLimited is too many messages of one host.
	errLimited = errors.New("too many messages of this host")
)

// sendFacts takes a host's answers to its probes.
func (a *API) sendFacts(ctx context.Context, in *message) (*struct{}, error) {
	err := a.acceptFacts(ctx, in.RawBody)
	a.c.Counts.Facts(messageResult(err))
	if err != nil {
		return nil, a.refuse(ctx, "facts refused", err)
	}
	return nil, nil
}

func (a *API) acceptFacts(ctx context.Context, body []byte) error {
	var host store.Host
	f, err := release.OpenFacts(body, a.keyOf(ctx, &host))
	if err != nil {
		return err
	}
	if err := a.senders.admit(kindFacts, f.HostID, f.Counter, a.c.Now()); err != nil {
		return err
	}
	if f.Host != host.Name {
		return fmt.Errorf("%w: facts of %.80q signed by %s", release.ErrWrongHost, f.Host, host.Name)
	}
	names, ok := a.c.Probes.ProbeNames(host, f.ProbeDigest)
	if !ok {
		return errUnknownProbes
	}
	if err := answersAll(f.Answers, names); err != nil {
		return err
	}
	changed, err := a.c.Messages.PutFacts(ctx, store.Facts{
		HostID: f.HostID, Counter: f.Counter, ProbeDigest: f.ProbeDigest, Answers: f.Answers,
	})
	if err != nil {
		return a.senders.learn(kindFacts, f.HostID, f.Counter, err)
	}
	a.senders.accepted(kindFacts, f.HostID, f.Counter)
	a.log(ctx).Info("facts accepted", "host", host.Name, "changed", changed)
	if changed { // else nothing follows, but that they are not old
		a.c.FactsAccepted(ctx, host)
	}
	return nil
}

// answersAll wants exactly the probes of the set: a part would look like a host that
// has lost its groups.
func answersAll(answers map[string]string, names []string) error {
	for _, name := range names {
		if _, ok := answers[name]; !ok {
			return fmt.Errorf("%w: probe %.80q has no answer", errContent, name)
		}
	}
	if len(answers) != len(names) {
		return fmt.Errorf("%w: there are answers that no probe asked for", errContent)
	}
	return nil
}

// sendReport takes what came of a run.
func (a *API) sendReport(ctx context.Context, in *message) (*struct{}, error) {
	err := a.acceptReport(ctx, in.RawBody)
	a.c.Counts.Report(messageResult(err))
	if err != nil {
		return nil, a.refuse(ctx, "report refused", err)
	}
	return nil, nil
}

func (a *API) acceptReport(ctx context.Context, body []byte) error {
	var host store.Host
	r, err := release.OpenReport(body, a.keyOf(ctx, &host))
	if err != nil {
		return err
	}
	if err := a.senders.admit(kindReport, r.HostID, r.Counter, a.c.Now()); err != nil {
		return err
	}
	if r.Host != host.Name {
		return fmt.Errorf("%w: report of %.80q signed by %s", release.ErrWrongHost, r.Host, host.Name)
	}
	if r.Sequence < 0 || r.Total < 0 || r.Good < 0 || len(r.Commit) > 64 || len(r.ConfigDigest) > 128 || len(r.Agent) > 200 {
		return fmt.Errorf("%w: a field is out of its range", errContent)
	}
	clip(r)
	kept, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	if err := a.c.Messages.PutReport(ctx, store.Report{
		HostID: r.HostID, Counter: r.Counter, Sequence: r.Sequence, Commit: r.Commit, ConfigDigest: r.ConfigDigest,
		State: string(r.State), Body: kept,
	}); err != nil {
		return a.senders.learn(kindReport, r.HostID, r.Counter, err)
	}
	a.senders.accepted(kindReport, r.HostID, r.Counter)
	a.log(ctx).Info("report accepted", "host", host.Name, "state", string(r.State), "sequence", r.Sequence)
	a.c.ReportAccepted(host, r)
	return nil
}

// clip bounds what one host can fill the database with.
func clip(r *release.Report) {
	dropped := 0
	for _, list := range []*[]release.Item{&r.Bad, &r.Modified, &r.Extra, &r.NotVerified} {
		if n := len(*list); n > maxItems {
			dropped += n - maxItems
			*list = (*list)[:maxItems]
		}
		for i := range *list {
			item := &(*list)[i]
			item.Reason, item.Bundle = short(item.Reason), short(item.Bundle)
			item.Key.Name, item.Key.Tag, item.Key.Type = short(item.Key.Name), short(item.Key.Tag), short(item.Key.Type)
		}
	}
	if n := len(r.StaleFacts); n > maxItems {
		dropped += n - maxItems
		r.StaleFacts = r.StaleFacts[:maxItems]
	}
	for i := range r.StaleFacts {
		f := &r.StaleFacts[i]
		f.Probe, f.Reason = short(f.Probe), short(f.Reason)
	}
	if n := len(r.Reported); n > maxItems {
		dropped += n - maxItems
		r.Reported = r.Reported[:maxItems]
	}
	for i := range r.Reported {
		r.Reported[i].Bundle = short(r.Reported[i].Bundle)
	}
	r.Error = short(r.Error)
	if dropped > 0 {
		r.Error = strings.TrimSpace(r.Error + " (" + strconv.Itoa(dropped) + " more entries were reported than are kept)")
	}
}

func short(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}

// keyOf finds the key of a host that is enrolled and not revoked, and remembers the
// host.
func (a *API) keyOf(ctx context.Context, host *store.Host) release.KeyOf {
	return func(hostID string) (ed25519.PublicKey, error) {
		h, err := a.c.Messages.Host(ctx, hostID)
		if errors.Is(err, store.ErrNotFound) || err == nil && !h.Revoked.IsZero() {
			return nil, errNotEnrolled
		}
		*host = h
		return h.Identity, err
	}
}

func messageResult(err error) string {
	switch {
	case err == nil:
		return resultAccepted
	case errors.Is(err, store.ErrReplayed):
		return resultReplayed
	case errors.Is(err, errLimited):
		return resultLimited
	case errors.Is(err, release.ErrUntrusted), errors.Is(err, release.ErrTooLarge), errors.Is(err, errContent),
		errors.Is(err, errUnknownProbes), errors.Is(err, store.ErrNotFound):
		return resultRefused
	}
	return resultError
}

// refuse tells the host why, in words that are fixed. The log gets those too: a
// message that could not be verified may hold anything, and errors quote it.
//
//nolint:sloglint // what is a constant of every caller
func (a *API) refuse(ctx context.Context, what string, err error) error {
	code, line := reason(err)
	log := a.log(ctx).With("code", code, "reason", line)
	switch {
	case code >= http.StatusInternalServerError && !errors.Is(err, errUnknownProbes):
		log.Error(what, "err", err)
	case errors.Is(err, errContent), errors.Is(err, release.ErrWrongHost):
		log.Warn(what, "err", err)
	default:
		log.Warn(what)
	}
	return problem(code, line)
}

func reason(err error) (int, string) {
	for _, r := range []struct {
		is   error
		code int
		line string
	}{
		{release.ErrTokenUsed, http.StatusForbidden, "the token was used before by another key; this is recorded as an alarm"},
		{release.ErrTokenExpired, http.StatusForbidden, "the token has expired: make a new one"},
		{release.ErrToken, http.StatusForbidden, "the token does not let this host in: it is unknown, for another name, older than the root, or its secret is wrong"},
		{store.ErrExists, http.StatusConflict, "a host of this name is enrolled already: make the token with --rebind to replace it"},
		{errNotEnrolled, http.StatusForbidden, "this host is not enrolled here, or was revoked"},
		{release.ErrWrongHost, http.StatusForbidden, "the message names another host than its signature"},
		{release.ErrTooLarge, http.StatusRequestEntityTooLarge, "the message is too large"},
		{release.ErrUntrusted, http.StatusForbidden, "the message is malformed or not signed by this host"},
		{store.ErrReplayed, http.StatusConflict, "the message is not newer than the last one of this host"},
		{store.ErrNotFound, http.StatusForbidden, "this host is not enrolled here, or was revoked"},
		{errContent, http.StatusUnprocessableEntity, "the message does not fit what was published for this host"},
		{errUnknownProbes, http.StatusServiceUnavailable, errUnknownProbes.Error()},
		{errLimited, http.StatusTooManyRequests, "too many messages of this host, try again"},
	} {
		if errors.Is(err, r.is) {
			return r.code, r.line
		}
	}
	return http.StatusServiceUnavailable, "the controller cannot keep this now, try again"
}
