// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/engine/release"
)

const (
	filePaused = "paused.json"
	fileHeld   = "held.json"
	fileMode   = "mode.json"
)

// Paused tells that somebody wants this host left alone for a while.
type Paused struct {
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
	// Torn tells that the pause cannot be read.
	Torn bool `json:"torn,omitempty"`
}

// Held tells that a release was taken back. It is not applied again: only one with
// another configuration is, or somebody lets this one.
type Held struct {
	Since    time.Time `json:"since"`
	Sequence int64     `json:"sequence"`
	Digest   string    `json:"digest"`
	Reason   string    `json:"reason"`
	// Run is the run that was taken back.
	Run int64 `json:"run"`
	// Torn tells that what is held cannot be read: then everything is.
	Torn bool `json:"torn,omitempty"`
}

// torn says what is damaged, and what ends it.
func torn(name string) string {
	return name + " in the state directory is damaged, so nothing is changed; \"bindery-agent resume\" takes it away"
}

// maxPause bounds a pause: a host that is forgotten is not kept for ever.
const maxPause = 30 * 24 * time.Hour

// Pause leaves the host alone for some time: runs go on to fetch, plan and report,
// and change nothing.
func (a *Agent) Pause(d time.Duration, reason string) (Paused, error) {
	if d <= 0 || d > maxPause {
		return Paused{}, fmt.Errorf("a pause is longer than nothing and not longer than %s", maxPause)
	}
	if reason == "" {
		return Paused{}, errors.New("a pause needs a reason, which others will read")
	}
	now := a.c.Machine.Now().UTC()
	p := Paused{Since: now, Until: now.Add(d), Reason: short(reason)}
	return p, a.c.State.Save(filePaused, p)
}

// Resume ends a pause, and lets a release be applied that was taken back. It tells
// whether there was one or the other.
func (a *Agent) Resume() (bool, error) {
	p, err := a.Paused()
	if err != nil {
		return false, err
	}
	h, err := a.Held()
	if err != nil {
		return false, err
	}
	for _, name := range []string{filePaused, fileHeld} {
		if err := a.c.State.Remove(name); err != nil {
			return false, err
		}
	}
	return p != nil || h != nil, nil
}

// Paused tells about a pause that goes on, nil for none. A clock that was set back
// before its beginning does not make it longer. One that cannot be read goes on until
// somebody ends it.
func (a *Agent) Paused() (*Paused, error) {
	var p Paused
	found, err := a.c.State.Demand(filePaused, &p)
	now := a.c.Machine.Now()
	if errors.Is(err, state.ErrTorn) {
		return &Paused{Until: now.Add(maxPause).UTC(), Reason: torn(filePaused), Torn: true}, nil
	}
	if err != nil || !found || !now.Before(p.Until) || p.Until.Sub(now) > maxPause {
		return nil, err
	}
	return &p, nil
}

// Held tells about a release that was taken back, nil for none. Where that cannot be
// read, every release may be the one.
func (a *Agent) Held() (*Held, error) {
	var h Held
	found, err := a.c.State.Demand(fileHeld, &h)
	if errors.Is(err, state.ErrTorn) {
		return &Held{Reason: torn(fileHeld), Torn: true}, nil
	}
	if err != nil || !found {
		return nil, err
	}
	return &h, nil
}

// covers tells whether a release is the one that was taken back, or older, or the
// same by another number.
func (h *Held) covers(m *release.Manifest) bool {
	return h != nil && (h.Torn || m.Sequence <= h.Sequence || m.ConfigDigest == h.Digest)
}

// restraint is why a run may only look, "" where it may change things.
type restraint struct {
	state release.RunState
	why   string
	// idle tells that it counts only where there is something to do.
	idle bool
}

// restrained tells why a release may not be applied now.
func (a *Agent) restrained(m *release.Manifest) (restraint, error) {
	h, err := a.Held()
	if err != nil {
		return restraint{}, err
	}
	if h.covers(m) {
		return restraint{state: release.StateRolledBack, why: h.Reason}, nil
	}
	p, err := a.Paused()
	if err != nil {
		return restraint{}, err
	}
	if p != nil {
		return restraint{state: release.StatePaused, why: fmt.Sprintf("until %s: %s", p.Until.Format(time.RFC3339), p.Reason)}, nil
	}
	if why := closed(m.Policy.Windows, a.c.Machine.Now()); why != "" {
		return restraint{state: release.StatePaused, why: why, idle: true}, nil
	}
	return restraint{}, nil
}

// Timing is what the release in force says of when the host runs and is changed:
// nothing before there is one.
func (a *Agent) Timing() (every time.Duration, windows []release.Window, err error) {
	b, err := a.take(Options{DryRun: true})
	if errors.Is(err, ErrNothingYet) {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, err
	}
	return b.Manifest.Policy.Every, b.Manifest.Policy.Windows, nil
}

// closed tells why nothing may be changed now, "" where it may. A window that this
// host cannot read stays closed.
func closed(windows []release.Window, now time.Time) string {
	if len(windows) == 0 {
		return ""
	}
	var words []string
	for _, w := range windows {
		open, err := w.Open(now)
		if open {
			return ""
		}
		word := w.String()
		if err != nil {
			word += " (" + err.Error() + ")"
		}
		words = append(words, word)
	}
	return "outside its maintenance window: " + strings.Join(words, ", ")
}

// moded is since when a host has a mode, and bundles are only reported.
type moded struct {
	Mode    release.Mode         `json:"mode"`
	Since   time.Time            `json:"since"`
	Bundles map[string]time.Time `json:"bundles,omitempty"`
}

// dateModes says in a report since when the host has its mode, and which of its bundles
// are only reported since when. It remembers that unless this is a dry run, of which
// nobody knows more than was known.
func (a *Agent) dateModes(rep *release.Report, b *release.Bundle, dry bool) error {
	var was moded
	if _, err := a.c.State.Load(fileMode, &was); err != nil {
		return err
	}
	now := a.c.Machine.Now().UTC().Truncate(time.Second)
	if dry {
		now = time.Time{}
	}
	policy := &b.Manifest.Policy
	is := moded{Mode: policy.Mode, Since: now, Bundles: was.Bundles}
	if was.Mode == is.Mode {
		is.Since = was.Since
	}
	if b.Config != nil {
		is.Bundles = map[string]time.Time{}
		for _, bundle := range b.Config.Bundles {
			name := bundle.Name()
			if !slices.Contains(policy.Report, name) {
				continue
			}
			since, found := was.Bundles[name]
			if !found {
				since = now
			}
			is.Bundles[name] = since
			rep.Reported = append(rep.Reported, release.Reported{Bundle: name, Since: since})
		}
	}
	rep.ModeSince = is.Since
	if dry || is.Mode == was.Mode && maps.Equal(is.Bundles, was.Bundles) {
		return nil
	}
	return a.c.State.Save(fileMode, is)
}
