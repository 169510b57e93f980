// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
)

// Host is an enrolled machine. Its ID never comes back: a machine that enrols
// anew under the same name has another.
type Host struct {
	ID, Name string
	// Identity is the public half of the host's ed25519 key.
	Identity []byte
	// Recipient is the age recipient that its bundles are sealed to.
	Recipient string
	// Profile is what the host asserts for itself; "" for nothing.
	Profile string
	// Environment is what the host is published from.
	Environment string
	Enrolled    time.Time
	// Revoked is zero while the host is good.
	Revoked time.Time
}

// Token is a one-time enrolment token. The secret itself is never stored:
// Verifier is derived from it one way.
type Token struct {
	ID, Host string
	// Environment is where the host will be.
	Environment string
	Verifier    []byte
	// Rebind allows the token to replace a host of this name that exists.
	Rebind                 bool
	Created, Expires, Used time.Time
}

const (
	hostColumns  = `id, name, identity, recipient, profile, environment, enrolled, revoked`
	tokenColumns = `id, host, environment, verifier, rebind, created, expires, used`
)

func scanHost(row scanner) (h Host, err error) {
	var identity string
	var enrolled, revoked int64
	if err := row.Scan(&h.ID, &h.Name, &identity, &h.Recipient, &h.Profile, &h.Environment, &enrolled, &revoked); err != nil {
		return h, err
	}
	h.Enrolled, h.Revoked = fromMillis(enrolled), fromMillis(revoked)
	h.Identity, err = base64.StdEncoding.DecodeString(identity)
	return h, err
}

func scanToken(row scanner) (t Token, err error) {
	var verifier string
	var rebind, created, expires, used int64
	if err := row.Scan(&t.ID, &t.Host, &t.Environment, &verifier, &rebind, &created, &expires, &used); err != nil {
		return t, err
	}
	t.Rebind = rebind != 0
	t.Created, t.Expires, t.Used = fromMillis(created), fromMillis(expires), fromMillis(used)
	t.Verifier, err = base64.StdEncoding.DecodeString(verifier)
	return t, err
}

// Hosts lists the hosts that are enrolled and not revoked, by name.
func (s *Store) Hosts(ctx context.Context) ([]Host, error) {
	return list(ctx, s.read, "list hosts", scanHost,
		`SELECT `+hostColumns+` FROM hosts WHERE revoked = 0 ORDER BY name`)
}

// Host finds a host by its id, revoked or not.
func (s *Store) Host(ctx context.Context, id string) (Host, error) {
	return one(ctx, s.read, "find host", scanHost,
		`SELECT `+hostColumns+` FROM hosts WHERE id = ?`, id)
}

// HostNamed finds the good host of a name.
func (s *Store) HostNamed(ctx context.Context, name string) (Host, error) {
	return one(ctx, s.read, "find host", scanHost,
		`SELECT `+hostColumns+` FROM hosts WHERE name = ? AND revoked = 0`, name)
}

// AddToken stores a new token.
func (s *Store) AddToken(ctx context.Context, t Token) error {
	if t.ID == "" || t.Host == "" || len(t.Verifier) == 0 || t.Expires.IsZero() {
		return errors.New("add token: incomplete")
	}
	return s.tx(ctx, "add token", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO tokens (`+tokenColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			t.ID, t.Host, t.Environment, base64.StdEncoding.EncodeToString(t.Verifier), flag(t.Rebind),
			millis(s.now()), millis(t.Expires), 0)
		return err
	})
}

// Token finds a token, used or not.
func (s *Store) Token(ctx context.Context, id string) (Token, error) {
	return one(ctx, s.read, "find token", scanToken, `SELECT `+tokenColumns+` FROM tokens WHERE id = ?`, id)
}

// Tokens lists the tokens that can still be used, by host.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	return list(ctx, s.read, "list tokens", scanToken,
		`SELECT `+tokenColumns+` FROM tokens WHERE used = 0 AND expires > ? ORDER BY host, id`, millis(s.now()))
}

// Enrol uses a token up and adds its host, in the environment that the token says, or
// does neither. A host of the same
// name is revoked if the token allows it, else that is ErrExists. The errors
// ErrTokenUsed, ErrTokenExpired and ErrNotFound name what is wrong with the token.
func (s *Store) Enrol(ctx context.Context, tokenID string, h Host) error {
	return s.tx(ctx, "enrol host", func(tx *sql.Tx) error {
		t, err := one(ctx, tx, "find token", scanToken, `SELECT `+tokenColumns+` FROM tokens WHERE id = ?`, tokenID)
		if err != nil {
			return err
		}
		now := s.now()
		switch {
		case !t.Used.IsZero():
			return ErrTokenUsed
		case !now.Before(t.Expires):
			return ErrTokenExpired
		case t.Host != h.Name:
			return errors.New("the token is another host's")
		}
		if _, err := tx.ExecContext(ctx, `UPDATE tokens SET used = ? WHERE id = ?`, millis(now), tokenID); err != nil {
			return err
		}
		h.Environment = t.Environment
		return addHost(ctx, tx, h, t.Rebind, now)
	})
}

func addHost(ctx context.Context, tx *sql.Tx, h Host, rebind bool, now time.Time) error {
	old, err := one(ctx, tx, "find host", scanHost,
		`SELECT `+hostColumns+` FROM hosts WHERE name = ? AND revoked = 0`, h.Name)
	switch {
	case err == nil && !rebind:
		return fmt.Errorf("host %s: %w", h.Name, ErrExists)
	case err == nil:
		if _, err := tx.ExecContext(ctx, `UPDATE hosts SET revoked = ? WHERE id = ?`, millis(now), old.ID); err != nil {
			return err
		}
	case !errors.Is(err, ErrNotFound):
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO hosts (`+hostColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		h.ID, h.Name, base64.StdEncoding.EncodeToString(h.Identity), h.Recipient, h.Profile, h.Environment, millis(now), 0)
	return err
}

// Revoke ends a host: no more facts, reports or releases under its id.
func (s *Store) Revoke(ctx context.Context, id string) error {
	return s.tx(ctx, "revoke host", func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE hosts SET revoked = ? WHERE id = ? AND revoked = 0`, millis(s.now()), id)
		return touched(result, err)
	})
}

// SetProfile stores what a host asserts for itself.
func (s *Store) SetProfile(ctx context.Context, id, profile string) error {
	return s.tx(ctx, "set profile", func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE hosts SET profile = ? WHERE id = ? AND revoked = 0`, profile, id)
		return touched(result, err)
	})
}

// Move puts a host into another environment. Its answers are forgotten, as another's
// probes asked for them; their counter stays. The audit trail says who did it.
func (s *Store) Move(ctx context.Context, actor string, h Host, environment string) error {
	return s.tx(ctx, "move host", func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE hosts SET environment = ? WHERE id = ? AND revoked = 0`, environment, h.ID)
		if err := touched(result, err); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE facts SET answers = 'null', probe_digest = '' WHERE host_id = ?`, h.ID); err != nil {
			return err
		}
		return audit(ctx, tx, s.now(), Record{
			Actor: actor, Action: "host-moved", Subject: h.Name, Detail: fmt.Sprintf("from %s to %s", h.Environment, environment),
		})
	})
}

// touched turns "no such row" into ErrNotFound.
func touched(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
