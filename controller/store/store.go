// SPDX-License-Identifier: Apache-2.0

// Package store is what the controller remembers: hosts, facts, reports,
// releases, reviews, deliveries and an audit trail, in one SQLite file. What is
// to be done follows from refs, open pull requests and these rows, so there is
// no queue in here to lose. It must not know how configurations are computed,
// and no row holds a token, a key or the content of an entry.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// The errors a caller branches on.
var (
	// ErrNotFound is a row that is not there.
	ErrNotFound = errors.New("not found")
	// ErrExists is a host or row that is there already.
	ErrExists = errors.New("exists already")
	// ErrTokenUsed is a token seen a second time: it may have been stolen.
	ErrTokenUsed = errors.New("token was used before")
	// ErrTokenExpired is a token that came too late.
	ErrTokenExpired = errors.New("token has expired")
	// ErrReplayed is a counter that is not above the last accepted one.
	ErrReplayed = errors.New("counter is not above the last one")
)

// Config says where the store is.
type Config struct {
	// Path is the database file; it is created with mode 0600.
	Path string
	// Existing is for who only asks: where there is no database none is made, and the
	// error is fs.ErrNotExist.
	Existing bool
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Store is safe for concurrent use, by several processes too (the controller and
// `bindery hosts`). Writers take turns.
type Store struct {
	write *sql.DB
	read  *sql.DB
	now   func() time.Time
}

// New opens the store, making or migrating it as needed. Of several that do so at once
// one does the work, and the others wait for it.
func New(ctx context.Context, c Config) (*Store, error) {
	if c.Path == "" {
		return nil, errors.New("store: no path")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := local(filepath.Dir(c.Path)); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	unlock, err := turn(ctx, filepath.Dir(c.Path))
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	defer unlock()
	if err := private(c.Path, c.Existing); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{now: c.Now}
	if s.write, err = open(c.Path, 1); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if s.read, err = open(c.Path, 4); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), s.write.Close())
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("migrate store %s: %w", c.Path, err), s.Close())
	}
	return s, nil
}

// open gives a pool of n connections. Transactions start as writers, so that two
// of them wait for each other instead of failing half-way; readers never wait.
func open(path string, n int) (*sql.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	query := url.Values{
		"_pragma": {"journal_mode(WAL)", "busy_timeout(10000)", "synchronous(FULL)", "foreign_keys(1)"},
		"_txlock": {"immediate"},
	}
	uri := url.URL{Scheme: "file", Path: absolute, RawQuery: query.Encode()}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	return db, nil
}

func (s *Store) migrate(ctx context.Context) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.write, dir)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// Close ends it; running statements end first.
func (s *Store) Close() error {
	return errors.Join(s.read.Close(), s.write.Close())
}

// Ready says whether the store answers.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.read.PingContext(ctx); err != nil {
		return fmt.Errorf("ask store: %w", err)
	}
	return nil
}

// tx runs fn in one writing transaction: all of it or nothing.
func (s *Store) tx(ctx context.Context, op string, fn func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if err := fn(tx); err != nil {
		if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
			err = errors.Join(err, undo)
		}
		return fmt.Errorf("%s: %w", op, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// scanner is one row.
type scanner interface{ Scan(dest ...any) error }

// list reads all rows of a query with scan.
func list[T any](ctx context.Context, q querier, op string, scan func(scanner) (T, error), query string, args ...any) (out []T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return out, nil
}

// one reads one row with scan, or gives ErrNotFound.
func one[T any](ctx context.Context, q querier, op string, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	v, err := scan(q.QueryRowContext(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return v, fmt.Errorf("%s: %w", op, err)
	}
	return v, nil
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
