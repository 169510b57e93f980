// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/release"
)

// Results of enrolments, facts and reports, for metrics.
const (
	resultAccepted  = "accepted"
	resultChallenge = "challenge"
	resultRefused   = "refused"
	resultReplayed  = "replayed"
	resultLimited   = "limited"
	resultError     = "error"
)

// alarmTokenReused is the audit trail's word for a token that a second key holds.
const alarmTokenReused = "token-reused"

// usedByAnother stands for an identity that is no longer the host's.
const usedByAnother = "another"

// enrol answers both messages of an enrolment.
func (a *API) enrol(ctx context.Context, in *message) (*answer, error) {
	if !a.enrolments.AllowN(a.c.Now(), 1) {
		a.c.Counts.Enrolment(resultLimited)
		return nil, problem(http.StatusTooManyRequests, "too many enrolments at once, try again")
	}
	out, result, err := a.admit(ctx, in.RawBody)
	a.c.Counts.Enrolment(result)
	if err != nil {
		return nil, a.refuse(ctx, "enrolment refused", err)
	}
	return &answer{ContentType: "application/json", Body: out}, nil
}

func (a *API) admit(ctx context.Context, body []byte) (out []byte, result string, err error) {
	req, err := release.ParseEnrolRequest(body)
	if err != nil {
		return nil, resultRefused, err
	}
	rec, row, err := a.record(ctx, req.TokenID)
	if err != nil {
		return nil, resultOf(err), err
	}
	if err := a.authenticate(ctx, req, rec); err != nil {
		return nil, resultOf(err), err
	}
	if !req.Final() {
		out, err := req.Challenge(rec, a.c.Secret)
		return out, resultChallenge, err
	}
	if err := req.Opened(a.c.Secret); err != nil {
		return nil, resultRefused, err
	}
	out, err = a.welcome(ctx, req, rec, row)
	if err != nil {
		return nil, resultOf(err), err
	}
	return out, resultAccepted, nil
}

func resultOf(err error) string {
	if errors.Is(err, release.ErrUntrusted) || errors.Is(err, store.ErrExists) {
		return resultRefused
	}
	return resultError
}

// record finds a token and who has used it.
func (a *API) record(ctx context.Context, id string) (release.TokenRecord, store.Token, error) {
	row, err := a.c.Enrolments.Token(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return release.TokenRecord{}, row, fmt.Errorf("find token: %w: it is not known here", release.ErrToken)
	}
	if err != nil {
		return release.TokenRecord{}, row, err
	}
	rec, err := recordOf(row)
	if err != nil || row.Used.IsZero() {
		return rec, row, err
	}
	rec.UsedBy = usedByAnother
	h, err := a.c.Enrolments.HostNamed(ctx, row.Host)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return rec, row, nil // it was revoked since
	case err != nil:
		return rec, row, err
	case h.Enrolled.Equal(row.Used):
		// One transaction wrote both times: this host came with this token.
		rec.UsedBy = identityOf(h).Fingerprint()
	}
	return rec, row, nil
}

func identityOf(h store.Host) release.PublicIdentity {
	return release.PublicIdentity{Signing: h.Identity, Recipient: h.Recipient}
}

// authenticate raises the alarm where a used token comes from a second key.
func (a *API) authenticate(ctx context.Context, req *release.EnrolRequest, rec release.TokenRecord) error {
	err := req.Authenticate(rec, a.c.Now())
	if !errors.Is(err, release.ErrTokenUsed) {
		return err
	}
	alarm := store.Record{
		Actor: "key " + req.Identity.Fingerprint(), Action: alarmTokenReused, Subject: rec.Host,
		Detail: "token " + rec.ID + " was used before and came again from another key: somebody may have a copy of it",
	}
	a.log(ctx).Error("a used token came again from another key", "token", rec.ID, "host", rec.Host)
	if failed := a.c.Enrolments.Audit(ctx, alarm); failed != nil {
		return errors.Join(err, failed)
	}
	return err
}

// welcome adds the host and answers. The same host that asks again gets the same id.
func (a *API) welcome(ctx context.Context, req *release.EnrolRequest, rec release.TokenRecord, row store.Token) ([]byte, error) {
	root := a.rootOf(rec.Root)
	if root == nil {
		return nil, fmt.Errorf("welcome host: %w: the root has changed since the token was made, make a new one", release.ErrToken)
	}
	id, err := a.add(ctx, req, rec, row)
	if errors.Is(err, store.ErrTokenUsed) {
		// Two messages raced. Who lost may be the very same host.
		if rec, row, err = a.record(ctx, rec.ID); err == nil {
			err = a.authenticate(ctx, req, rec)
		}
		if err == nil {
			id, err = a.add(ctx, req, rec, row)
		}
	}
	if err != nil {
		return nil, err
	}
	return req.Welcome(rec, release.Welcome{HostID: id, Host: rec.Host, Root: root.Data, Time: a.c.Now().UTC()})
}

func (a *API) add(ctx context.Context, req *release.EnrolRequest, rec release.TokenRecord, row store.Token) (string, error) {
	if req.Repeats(rec) {
		h, err := a.c.Enrolments.HostNamed(ctx, rec.Host)
		return h.ID, err
	}
	id, err := release.NewHostID()
	if err != nil {
		return "", err
	}
	h := store.Host{ID: id, Name: rec.Host, Environment: row.Environment, Identity: req.Identity.Signing, Recipient: req.Identity.Recipient}
	err = a.c.Enrolments.Enrol(ctx, rec.ID, h)
	if errors.Is(err, store.ErrTokenExpired) {
		return "", fmt.Errorf("enrol: %w", release.ErrTokenExpired)
	}
	if err != nil {
		return "", err
	}
	detail := "by token " + rec.ID + ", key " + req.Identity.Fingerprint()
	if row.Rebind {
		detail += "; a host of this name that was there is revoked"
	}
	// The host is added whatever comes of the trail: refusing it now would not undo it.
	if err := a.c.Enrolments.Audit(ctx, store.Record{Actor: "host " + id, Action: "host-enrolled", Subject: rec.Host, Detail: detail}); err != nil {
		a.log(ctx).Error("an enrolment is missing in the audit trail", "host", rec.Host, "err", err)
	}
	a.log(ctx).Info("host enrolled", "host", rec.Host, "rebind", row.Rebind)
	a.c.Enrolled(ctx, h)
	return id, nil
}

func (a *API) rootOf(fingerprint string) *release.Root {
	for _, r := range a.c.Roots {
		if r.Fingerprint() == fingerprint {
			return r
		}
	}
	return nil
}
