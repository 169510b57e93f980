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

// keptReviews is how many reviews of one pull request are kept.
const keptReviews = 10

// Review is what was shown of a pull request.
type Review struct {
	Repo string
	Pull int
	// Environment is the one that it was for.
	Environment string
	// Seq grows with every review of the pull request.
	Seq int64
	// Head and Base are the commits compared, Merged is the tree that was bound for
	// head: the same whoever made the merge.
	Head, Base, Merged string
	// Facts is a digest of the facts that both were bound with.
	Facts string
	// Digest names the result, State the status that was set.
	Digest, State string
	// Body is the report as JSON, without content that is secret.
	Body []byte
	// Set is what was shown, entry by entry, to be compared with what is published.
	Set []byte
	At  time.Time
}

const reviewColumns = `repo, pull, seq, environment, head, base, merged, facts, digest, state, body, shown, at`

func scanReview(row scanner) (r Review, err error) {
	var body, shown string
	var at int64
	err = row.Scan(&r.Repo, &r.Pull, &r.Seq, &r.Environment, &r.Head, &r.Base, &r.Merged, &r.Facts, &r.Digest, &r.State, &body, &shown, &at)
	if err != nil {
		return r, err
	}
	r.Body, r.At = []byte(body), fromMillis(at)
	r.Set, err = base64.StdEncoding.DecodeString(shown)
	return r, err
}

// PutReview records a review and what it showed, and gives it the next Seq of its
// pull request.
func (s *Store) PutReview(ctx context.Context, r Review) (seq int64, err error) {
	err = s.tx(ctx, "put review", func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) + 1 FROM reviews WHERE repo = ? AND pull = ?`,
			r.Repo, r.Pull).Scan(&seq); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO reviews (`+reviewColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.Repo, r.Pull, seq, r.Environment, r.Head, r.Base, r.Merged, r.Facts, r.Digest, r.State, string(r.Body),
			base64.StdEncoding.EncodeToString(r.Set), millis(s.now())); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM reviews WHERE repo = ? AND pull = ? AND seq <= ?`, r.Repo, r.Pull, seq-keptReviews)
		return err
	})
	return seq, err
}

// LatestReview finds the newest review of a pull request.
func (s *Store) LatestReview(ctx context.Context, repo string, pull int) (Review, error) {
	return one(ctx, s.read, "find review", scanReview,
		`SELECT `+reviewColumns+` FROM reviews WHERE repo = ? AND pull = ? ORDER BY seq DESC LIMIT 1`, repo, pull)
}

// Reviews lists the newest reviews of a repository, newest first.
func (s *Store) Reviews(ctx context.Context, repo string, limit int) ([]Review, error) {
	return list(ctx, s.read, "list reviews", scanReview,
		`SELECT `+reviewColumns+` FROM reviews WHERE repo = ? ORDER BY at DESC, pull DESC, seq DESC LIMIT ?`, repo, limit)
}

// ReviewsOfHead lists the reviews of a head commit, newest first.
func (s *Store) ReviewsOfHead(ctx context.Context, repo, head string) ([]Review, error) {
	return list(ctx, s.read, "list reviews", scanReview,
		`SELECT `+reviewColumns+` FROM reviews WHERE repo = ? AND head = ? ORDER BY seq DESC`, repo, head)
}

// Posted is where a pull request's comment is, and how new its text.
type Posted struct {
	ID, Seq int64
}

// Comment finds a pull request's comment; ErrNotFound if none was posted.
func (s *Store) Comment(ctx context.Context, repo string, pull int) (Posted, error) {
	var p Posted
	err := s.read.QueryRowContext(ctx, `SELECT id, seq FROM comments WHERE repo = ? AND pull = ?`, repo, pull).Scan(&p.ID, &p.Seq)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return p, fmt.Errorf("find comment: %w", err)
	}
	return p, nil
}

// PutComment records where a pull request's comment is. An older one never
// replaces a newer one.
func (s *Store) PutComment(ctx context.Context, repo string, pull int, p Posted) error {
	return s.tx(ctx, "put comment", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO comments (repo, pull, id, seq) VALUES (?, ?, ?, ?)
			ON CONFLICT (repo, pull) DO UPDATE SET id = excluded.id, seq = excluded.seq
			WHERE excluded.seq >= comments.seq`, repo, pull, p.ID, p.Seq)
		return err
	})
}
