// SPDX-License-Identifier: Apache-2.0

package release_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/release"
)

var controllerSecret = bytes.Repeat([]byte("s"), 32)

// desk is a controller's side of enrolment with one token.
type desk struct {
	w      *world
	token  release.Token
	rec    release.TokenRecord
	hostID string
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	w := newWorld(t)
	token, rec, err := release.MintToken("web1", w.root, w.now.Add(release.TokenLife))
	require.NoError(t, err)
	return &desk{w: w, token: token, rec: rec, hostID: hostID(t)}
}

// answer is what a controller does with either message.
func (d *desk) answer(message []byte) ([]byte, error) {
	r, err := release.ParseEnrolRequest(message)
	if err != nil {
		return nil, err
	}
	if err := r.Authenticate(d.rec, d.w.now); err != nil {
		return nil, err
	}
	if !r.Final() {
		return r.Challenge(d.rec, controllerSecret)
	}
	if err := r.Opened(controllerSecret); err != nil {
		return nil, err
	}
	d.rec.UsedBy = r.Identity.Fingerprint()
	return r.Welcome(d.rec, release.Welcome{HostID: d.hostID, Host: r.Host, Root: d.w.root.Data, Time: d.w.now})
}

// enrol runs both steps.
func (d *desk) enrol(e *release.Enrolment) (*release.Welcome, error) {
	message, err := e.Request()
	if err != nil {
		return nil, err
	}
	answer, err := d.answer(message)
	if err != nil {
		return nil, err
	}
	if message, err = e.Respond(answer); err != nil {
		return nil, err
	}
	if answer, err = d.answer(message); err != nil {
		return nil, err
	}
	return e.Finish(answer)
}

func TestEnrol(t *testing.T) {
	d := newDesk(t)
	token, err := release.ParseToken(" " + d.token.Text() + "\n")
	require.NoError(t, err)
	require.Equal(t, d.token, token)
	e := release.NewEnrolment(d.w.id, token, "web1")
	welcome, err := d.enrol(e)
	require.NoError(t, err)
	require.Equal(t, &release.Welcome{HostID: d.hostID, Host: "web1", Root: d.w.root.Data, Time: d.w.now}, welcome)

	// The answer got lost: the same identity may ask again.
	again, err := d.enrol(e)
	require.NoError(t, err)
	require.Equal(t, welcome, again)
}

// misuse is something that enrolment must refuse.
type misuse struct {
	name string
	want error
	run  func(t *testing.T, d *desk) error
}

func refuseAll(t *testing.T, cases []misuse) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := c.run(t, newDesk(t))
			require.ErrorIs(t, err, c.want)
			require.ErrorIs(t, err, release.ErrUntrusted)
		})
	}
}

func newThief(t *testing.T) *release.Identity {
	t.Helper()
	thief, err := release.NewIdentity()
	require.NoError(t, err)
	return thief
}

func TestTokenMisuse(t *testing.T) {
	thief := newThief(t)
	refuseAll(t, []misuse{
		{"stolen token used after the host", release.ErrTokenUsed, func(t *testing.T, d *desk) error {
			_, err := d.enrol(release.NewEnrolment(d.w.id, d.token, "web1"))
			require.NoError(t, err)
			_, err = d.enrol(release.NewEnrolment(thief, d.token, "web1"))
			return err
		}},
		{"expired token", release.ErrTokenExpired, func(_ *testing.T, d *desk) error {
			d.w.now = d.w.now.Add(release.TokenLife)
			_, err := d.enrol(release.NewEnrolment(d.w.id, d.token, "web1"))
			return err
		}},
		{"token of another host", release.ErrToken, func(_ *testing.T, d *desk) error {
			_, err := d.enrol(release.NewEnrolment(d.w.id, d.token, "web2"))
			return err
		}},
		{"guessed secret", release.ErrToken, func(t *testing.T, d *desk) error {
			parts := strings.Split(d.token.Text(), "-")
			parts[2] = strings.Split(newDesk(t).token.Text(), "-")[2]
			guess, err := release.ParseToken(strings.Join(parts, "-"))
			require.NoError(t, err)
			_, err = d.enrol(release.NewEnrolment(d.w.id, guess, "web1"))
			require.NotErrorIs(t, err, release.ErrTokenUsed)
			return err
		}},
		{"guesser cannot raise the alarm", release.ErrToken, func(t *testing.T, d *desk) error {
			_, err := d.enrol(release.NewEnrolment(d.w.id, d.token, "web1"))
			require.NoError(t, err)
			other := newDesk(t)
			message, err := release.NewEnrolment(thief, other.token, "web1").Request()
			require.NoError(t, err)
			r, err := release.ParseEnrolRequest(message)
			require.NoError(t, err)
			err = r.Authenticate(d.rec, d.w.now)
			require.NotErrorIs(t, err, release.ErrTokenUsed)
			return err
		}},
	})
}

// Somebody stands between the host and the controller, or in the place of one.
func TestManInTheMiddle(t *testing.T) {
	thief := newThief(t)
	refuseAll(t, []misuse{
		{"keys swapped on the way", release.ErrToken, func(t *testing.T, d *desk) error {
			message, err := release.NewEnrolment(d.w.id, d.token, "web1").Request()
			require.NoError(t, err)
			_, err = d.answer(swapKeys(t, message, thief))
			return err
		}},
		{"recipient swapped under the host's signature", release.ErrUntrusted, func(t *testing.T, d *desk) error {
			message, err := release.NewEnrolment(d.w.id, d.token, "web1").Request()
			require.NoError(t, err)
			_, err = d.answer(edit(t, message, func(m map[string]any) { m["recipient"] = thief.Public().Recipient }))
			return err
		}},
		{"challenge not opened", release.ErrToken, func(t *testing.T, d *desk) error {
			// The host names a recipient whose key it does not have: it can only guess.
			message, err := release.NewEnrolment(d.w.id, d.token, "web1").Request()
			require.NoError(t, err)
			r, err := release.ParseEnrolRequest(message)
			require.NoError(t, err)
			foreign, err := r.Challenge(d.rec, bytes.Repeat([]byte("x"), 32))
			require.NoError(t, err)
			second, err := release.NewEnrolment(d.w.id, d.token, "web1").Respond(foreign)
			require.NoError(t, err)
			_, err = d.answer(second)
			return err
		}},
		{"fake controller", release.ErrUntrusted, func(t *testing.T, d *desk) error {
			fake := newDesk(t)
			fake.rec.ID = d.rec.ID
			e := release.NewEnrolment(d.w.id, d.token, "web1")
			message, err := e.Request()
			require.NoError(t, err)
			r, err := release.ParseEnrolRequest(message)
			require.NoError(t, err)
			answer, err := r.Challenge(fake.rec, controllerSecret)
			require.NoError(t, err)
			_, err = e.Respond(answer)
			require.ErrorIs(t, err, release.ErrUntrusted)
			answer, err = r.Welcome(fake.rec, release.Welcome{HostID: fake.hostID, Host: "web1", Root: fake.w.root.Data})
			require.NoError(t, err)
			_, err = e.Finish(answer)
			return err
		}},
		{"another root than the token pins", release.ErrToken, func(t *testing.T, d *desk) error {
			d.w.root = newWorld(t).root
			_, err := d.enrol(release.NewEnrolment(d.w.id, d.token, "web1"))
			return err
		}},
		{"answer tampered with", release.ErrUntrusted, func(t *testing.T, d *desk) error {
			e := release.NewEnrolment(d.w.id, d.token, "web1")
			message, err := e.Request()
			require.NoError(t, err)
			answer, err := d.answer(message)
			require.NoError(t, err)
			second, err := e.Respond(answer)
			require.NoError(t, err)
			final, err := d.answer(second)
			require.NoError(t, err)
			_, err = e.Finish(bytes.Replace(final, []byte(d.hostID), []byte(hostID(t)), 1))
			require.ErrorIs(t, err, release.ErrUntrusted)
			_, err = e.Finish(answer)
			require.ErrorIs(t, err, release.ErrUntrusted)
			_, err = e.Respond(final)
			return err
		}},
		{"first answer shown to another host", release.ErrUntrusted, func(t *testing.T, d *desk) error {
			message, err := release.NewEnrolment(d.w.id, d.token, "web1").Request()
			require.NoError(t, err)
			answer, err := d.answer(message)
			require.NoError(t, err)
			_, err = release.NewEnrolment(thief, d.token, "web1").Respond(answer)
			return err
		}},
	})
}

// edit changes the payload of an envelope and leaves its signature.
func edit(t *testing.T, envelope []byte, change func(map[string]any)) []byte {
	t.Helper()
	var env map[string]any
	require.NoError(t, json.Unmarshal(envelope, &env))
	text, ok := env["payload"].(string)
	require.True(t, ok)
	payload, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(payload, &m))
	change(m)
	payload, err = json.Marshal(m)
	require.NoError(t, err)
	env["payload"] = base64.StdEncoding.EncodeToString(payload)
	out, err := json.Marshal(env)
	require.NoError(t, err)
	return out
}

// swapKeys is somebody between who signs the same message with own keys.
func swapKeys(t *testing.T, message []byte, thief *release.Identity) []byte {
	t.Helper()
	var env struct {
		Payload string `json:"payload"`
	}
	require.NoError(t, json.Unmarshal(message, &env))
	payload, err := base64.StdEncoding.DecodeString(env.Payload)
	require.NoError(t, err)
	var m struct{ Proof []byte }
	require.NoError(t, json.Unmarshal(payload, &m))
	own := newDesk(t)
	forged, err := release.NewEnrolment(thief, own.token, "web1").Request()
	require.NoError(t, err)
	forged = edit(t, forged, func(f map[string]any) { f["proof"] = m.Proof })
	// Signed anew, it is a valid message of the thief with the host's proof.
	return resign(t, forged, thief)
}

func resign(t *testing.T, envelope []byte, id *release.Identity) []byte {
	t.Helper()
	var env map[string]any
	require.NoError(t, json.Unmarshal(envelope, &env))
	kind, ok := env["payloadType"].(string)
	require.True(t, ok)
	text, ok := env["payload"].(string)
	require.True(t, ok)
	payload, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	pae := append([]byte(nil), "DSSEv1 "...)
	pae = append(pae, strings.Join([]string{itoa(len(kind)), kind, itoa(len(payload)), ""}, " ")...)
	pae = append(pae, payload...)
	keyID, err := release.KeyID(id.Public().Signing)
	require.NoError(t, err)
	env["signatures"] = []map[string]string{{"keyid": keyID, "sig": base64.StdEncoding.EncodeToString(ed25519.Sign(private(t, id), pae))}}
	out, err := json.Marshal(env)
	require.NoError(t, err)
	return out
}

func TestTokenText(t *testing.T) {
	d := newDesk(t)
	good := d.token.Text()
	require.True(t, strings.HasPrefix(good, "ENR1-"))
	require.Equal(t, d.w.root.Fingerprint(), d.token.RootFingerprint())
	parts := strings.Split(good, "-")
	for name, bad := range map[string]string{
		"empty": "", "other prefix": "ENR2" + good[4:], "short": strings.Join(parts[:3], "-"), "long": good + "-x",
		"id": strings.Join([]string{parts[0], "xyz", parts[2], parts[3]}, "-"), "upper case": strings.ToUpper(good),
		"secret": strings.Join([]string{parts[0], parts[1], parts[2][1:], parts[3]}, "-"),
		"root":   strings.Join([]string{parts[0], parts[1], parts[2], "aaaa"}, "-"),
	} {
		_, err := release.ParseToken(bad)
		require.ErrorIs(t, err, release.ErrToken, name)
		require.NotContains(t, err.Error(), parts[2], name)
	}
	_, _, err := release.MintToken("", d.w.root, time.Time{})
	require.Error(t, err)
}

func TestFactsAndReports(t *testing.T) {
	id, err := release.NewIdentity()
	require.NoError(t, err)
	other, err := release.NewIdentity()
	require.NoError(t, err)
	keyOf := func(of *release.Identity) release.KeyOf {
		return func(hostID string) (ed25519.PublicKey, error) {
			require.Equal(t, anyID, hostID)
			return of.Public().Signing, nil
		}
	}
	facts := release.Facts{HostID: anyID, Host: "web1", Counter: 4, Time: start, ProbeDigest: "d", Answers: map[string]string{"p": "group:web"}}
	data, err := id.SignFacts(facts)
	require.NoError(t, err)
	got, err := release.OpenFacts(data, keyOf(id))
	require.NoError(t, err)
	require.Equal(t, &facts, got)

	report := release.Report{
		HostID: anyID, Host: "web1", Counter: 5, Sequence: 9, Mode: release.ModeApply, State: release.StateDirty,
		Started: start, Finished: start.Add(time.Second), Total: 2, Good: 1, Bad: []release.Item{{Reason: "mode differs"}},
	}
	reported, err := id.SignReport(report)
	require.NoError(t, err)
	gotReport, err := release.OpenReport(reported, keyOf(id))
	require.NoError(t, err)
	require.Equal(t, &report, gotReport)

	for name, run := range map[string]func() error{
		"another host's key": func() error { _, err := release.OpenFacts(data, keyOf(other)); return err },
		"facts as a report":  func() error { _, err := release.OpenReport(data, keyOf(id)); return err },
		"report as facts":    func() error { _, err := release.OpenFacts(reported, keyOf(id)); return err },
		"enrolment as facts": func() error { _, err := release.ParseEnrolRequest(data); return err },
		"changed answer":     func() error { return factsError(edit(t, data, func(m map[string]any) { m["counter"] = 9 }), keyOf(id)) },
		"unknown field signed": func() error {
			return factsError(resign(t, edit(t, data, func(m map[string]any) { m["x"] = 1 }), id), keyOf(id))
		},
		"host id as path": func() error {
			return factsError(resign(t, edit(t, data, func(m map[string]any) { m["host_id"] = "../x" }), id), keyOf(id))
		},
		"unknown state": func() error {
			_, err := release.OpenReport(resign(t, edit(t, reported, func(m map[string]any) { m["state"] = "fine" }), id), keyOf(id))
			return err
		},
		"no envelope": func() error { return factsError([]byte("{}"), keyOf(id)) },
		"no key": func() error {
			return factsError(data, func(string) (ed25519.PublicKey, error) { return nil, nil })
		},
	} {
		require.ErrorIs(t, run(), release.ErrUntrusted, name)
	}
	unknown := errors.New("no such host")
	require.ErrorIs(t, factsError(data, func(string) (ed25519.PublicKey, error) { return nil, unknown }), unknown)
	facts.Answers["big"] = strings.Repeat("x", release.MaxFacts)
	_, err = id.SignFacts(facts)
	require.ErrorIs(t, err, release.ErrTooLarge)
	require.ErrorIs(t, factsError(make([]byte, release.MaxFacts+1), keyOf(id)), release.ErrTooLarge)
}

func factsError(data []byte, keyOf release.KeyOf) error {
	_, err := release.OpenFacts(data, keyOf)
	return err
}
