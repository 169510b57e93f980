// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

const (
	// fileLast is the last report that said something new, fileSaid what is known of it.
	fileLast  = "last.json"
	fileSaid  = "said.json"
	fileLost  = "lost.json"
	outboxDir = "outbox"
)

// maxOutbox bounds how many reports wait for a controller that is away; the
// oldest give way.
const maxOutbox = 32

// sayAgain is how long an equal report is not sent again: a poll that changes
// nothing stays one short request.
const sayAgain = 6 * time.Hour

// maxReason bounds one reason in a report.
const maxReason = 500

// report sums a run up. An entry of which only owner or group are unknown is good
// as far as it goes, and is listed as not verified besides.
func (a *Agent) report(b *release.Bundle, res *Result, started time.Time, o Options) release.Report {
	m := &b.Manifest
	rep := release.Report{
		HostID: m.HostID, Host: m.Host, Sequence: m.Sequence, Commit: m.Commit, ConfigDigest: m.ConfigMark, Mode: m.Policy.Mode,
		DryRun: o.DryRun, Flags: o.flags(), Phases: res.phases.told(), Bundles: res.bundles.told(), Started: started.UTC(), Finished: a.c.Machine.Now().UTC(), Agent: a.c.Version, Total: len(res.Lines),
		StaleFacts: res.stale,
	}
	for i := range res.Lines {
		l := &res.Lines[i]
		item := release.Item{Key: l.Key, Bundle: l.Bundle, Reason: short(l.Reason), Cause: l.Cause}
		switch l.State {
		case driver.Correct:
			rep.Good++
			if len(l.Unverified) > 0 {
				item.Reason = strings.Join(l.Unverified, ", ")
				rep.NotVerified = append(rep.NotVerified, item)
			}
		case driver.NotVerified:
			rep.NotVerified = append(rep.NotVerified, item)
		default:
			rep.Bad = append(rep.Bad, item)
		}
		if l.Changed {
			rep.Modified = append(rep.Modified, release.Item{Key: l.Key, Bundle: l.Bundle, Reason: short(l.Was), Cause: l.Cause})
		}
		for _, name := range l.Extra {
			rep.Extra = append(rep.Extra, release.Item{Key: config.Key{Tag: l.Key.Tag, Name: name}, Bundle: l.Bundle, Reason: "not configured"})
		}
	}
	extra(res.Surplus, &rep)
	switch {
	case errors.Is(res.Fetch, release.ErrUntrusted):
		rep.State = release.StateFailed
	case res.restraint.state != "" && (!res.restraint.idle || len(rep.Bad) > 0):
		rep.State, rep.Error = res.restraint.state, short(res.restraint.why)
	case res.Waiting:
		rep.State = release.StateWaiting
	case len(rep.Bad) > 0:
		rep.State = release.StateDirty
	default:
		rep.State = release.StateClean
	}
	if res.Fetch != nil && rep.Error == "" {
		rep.Error = short(res.Fetch.Error())
	}
	return rep
}

func short(s string) string {
	if len(s) <= maxReason {
		return s
	}
	return strings.ToValidUTF8(s[:maxReason], "") + "…"
}

// said is what a run needs to know of the last report. It has a file of its own, because
// a report may be long and is of no use to a run with nothing new to say.
type said struct {
	// Sent is when a report with this Digest was sent.
	Sent   time.Time `json:"sent"`
	Digest string    `json:"digest"`
}

// Last is the last report that said something new, nil before the first.
func (a *Agent) Last() (*release.Report, error) {
	var rep release.Report
	found, err := a.c.State.Load(fileLast, &rep)
	if err != nil || !found {
		return nil, err
	}
	return &rep, nil
}

// tell keeps a report and sends it, with those that wait. A controller that is
// away is not an error of the run: the reports wait.
func (a *Agent) tell(ctx context.Context, rep release.Report) error {
	var before said
	if _, err := a.c.State.Load(fileSaid, &before); err != nil {
		return err
	}
	sum, err := substance(rep)
	if err != nil {
		return err
	}
	now := a.c.Machine.Now()
	since := now.Sub(before.Sent)
	if sum == before.Digest && len(rep.Modified) == 0 && since >= 0 && since < sayAgain {
		return a.deliver(ctx)
	}
	if err := a.queue(rep, now); err != nil {
		return err
	}
	if err := a.c.State.Save(fileLast, rep); err != nil {
		return err
	}
	if err := a.c.State.Save(fileSaid, said{Sent: now, Digest: sum}); err != nil {
		return err
	}
	return a.deliver(ctx)
}

// substance is a report without what differs in every run, and without what was
// modified: a run that modified something is told anyway.
func substance(rep release.Report) (string, error) {
	rep.Counter, rep.Started, rep.Finished, rep.Modified, rep.Phases, rep.Bundles = 0, time.Time{}, time.Time{}, nil, nil, nil
	data, err := json.Marshal(rep)
	if err != nil {
		return "", fmt.Errorf("encode report: %w", err)
	}
	return config.Digest(sha256.Sum256(data)).String(), nil
}

// queue keeps a report until it was sent. It is signed when it is sent, because
// the counter must grow with every message in the order of sending.
func (a *Agent) queue(rep release.Report, now time.Time) error {
	names, err := a.c.State.List(outboxDir)
	if err != nil {
		return err
	}
	for len(names) >= maxOutbox {
		if err := a.lose(names[0], errCrowded); err != nil {
			return err
		}
		names = names[1:]
	}
	n, err := a.c.State.Counter(now)
	if err != nil {
		return err
	}
	return a.c.State.Save(fmt.Sprintf("%s/%020d.json", outboxDir, n), rep)
}

// deliver sends what waits, oldest first.
func (a *Agent) deliver(ctx context.Context) error {
	names, err := a.c.State.List(outboxDir)
	if err != nil {
		return err
	}
	for _, name := range names {
		file := outboxDir + "/" + name
		err := a.send(ctx, file)
		var refused *RefusedError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &refused) && refused.Final(), errors.Is(err, errDamaged):
			if err := a.lose(name, err); err != nil {
				return err
			}
			names = names[1:]
			continue
		case errors.Is(err, ErrUnavailable):
			a.c.Logger.Warn("reports wait for the controller", "waiting", len(names), "err", err)
			return nil
		case err != nil:
			return err
		}
		for _, done := range []string{file, fileLost} {
			if err := a.c.State.Remove(done); err != nil {
				return err
			}
		}
		names = names[1:]
	}
	return nil
}

// Lost are reports that the controller will never see. They are told of until it takes
// another one, from which it knows how the host is.
type Lost struct {
	Reports int       `json:"reports"`
	Last    time.Time `json:"last"`
	// Reason is why the last of them was lost.
	Reason string `json:"reason"`
}

var (
	errCrowded = errors.New("too many reports wait for the controller")
	errDamaged = errors.New("it is damaged")
)

// lose gives a report up.
func (a *Agent) lose(name string, why error) error {
	var l Lost
	if _, err := a.c.State.Load(fileLost, &l); err != nil {
		return err
	}
	a.c.Logger.Error("the controller will not see a report", "report", name, "err", why)
	l.Reports, l.Last, l.Reason = l.Reports+1, a.c.Machine.Now().UTC(), short(why.Error())
	if err := a.c.State.Save(fileLost, l); err != nil {
		return err
	}
	return a.c.State.Remove(outboxDir + "/" + name)
}

// Lost tells of reports that were given up, nil for none.
func (a *Agent) Lost() (*Lost, error) {
	var l Lost
	found, err := a.c.State.Load(fileLost, &l)
	if err != nil || !found {
		return nil, err
	}
	return &l, nil
}

func (a *Agent) send(ctx context.Context, file string) error {
	var rep release.Report
	found, err := a.c.State.Load(file, &rep)
	if err != nil {
		return err
	}
	if !found {
		return errDamaged
	}
	if rep.Counter, err = a.c.State.Counter(a.c.Machine.Now()); err != nil {
		return err
	}
	message, err := a.identity.SignReport(rep)
	if err != nil {
		return err
	}
	_, err = post(ctx, a.c.Client, a.enrolment.URL+"/api/v1/reports", message)
	return err
}
