// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"sync"

	"github.com/bindery/bindery/controller/blob"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/internal/schedule"
	"github.com/bindery/bindery/internal/transport"
)

// errKilled is what everything answers once a Fuse has blown.
var errKilled = errors.New("killed")

// Fuse kills a controller at its n-th write to the blob store or the database: from
// then on nothing is written any more, and its context ends.
type Fuse struct {
	// At is the number of the write, from 1; 0 never blows. Applied lets that write
	// happen: only what would have followed it does not.
	At      int
	Applied bool
	// Kill ends the controller's context.
	Kill context.CancelFunc

	mu     sync.Mutex
	writes int
	dead   bool
}

// Writes counts the writes that were tried.
func (f *Fuse) Writes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writes
}

// Blown tells whether it has killed.
func (f *Fuse) Blown() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// Step runs one write, or not. What goes to the forge may take it too.
func (f *Fuse) Step(do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	if f.dead {
		return errKilled
	}
	if f.writes != f.At {
		return do()
	}
	f.dead = true
	var err error
	if f.Applied {
		err = do()
	}
	f.Kill()
	return errors.Join(errKilled, err)
}

// Open is New with the fuse between the pipeline and all that it writes.
func (f *Fuse) Open(ctx context.Context, c Config) (*Controller, error) {
	return open(ctx, c, seams{
		blobs: func(b blob.Blob) blob.Blob { return fusedBlob{b, f} },
		rows:  func(r rows) rows { return fusedRows{r, f} },
	})
}

type fusedBlob struct {
	blob.Blob
	f *Fuse
}

func (b fusedBlob) Put(ctx context.Context, key string, data []byte, cond blob.Condition) (tag string, err error) {
	err = b.f.Step(func() (err error) { tag, err = b.Blob.Put(ctx, key, data, cond); return err })
	return tag, err
}

func (b fusedBlob) Delete(ctx context.Context, key string) error {
	return b.f.Step(func() error { return b.Blob.Delete(ctx, key) })
}

type fusedRows struct {
	rows
	f *Fuse
}

func (r fusedRows) PutReleases(ctx context.Context, list []store.Release) error {
	return r.f.Step(func() error { return r.rows.PutReleases(ctx, list) })
}

func (r fusedRows) PutRef(ctx context.Context, ref store.Ref) error {
	return r.f.Step(func() error { return r.rows.PutRef(ctx, ref) })
}

func (r fusedRows) Audit(ctx context.Context, rec store.Record) error {
	return r.f.Step(func() error { return r.rows.Audit(ctx, rec) })
}

func (r fusedRows) PutReview(ctx context.Context, rev store.Review) (seq int64, err error) {
	err = r.f.Step(func() (err error) { seq, err = r.rows.PutReview(ctx, rev); return err })
	return seq, err
}

func (r fusedRows) PutComment(ctx context.Context, repo string, pull int, p store.Posted) error {
	return r.f.Step(func() error { return r.rows.PutComment(ctx, repo, pull, p) })
}

// Stage is New with places for tests to come in: a clock of their own, limits of the
// requests, and what comes before each build.
type Stage struct {
	Clock    schedule.Clock
	HTTP     transport.Config
	Building func(ctx context.Context, commit string) error
}

// Open is New on the stage.
func (s *Stage) Open(ctx context.Context, c Config) (*Controller, error) {
	return open(ctx, c, seams{clock: s.Clock, http: s.HTTP, building: s.Building})
}

// PolicyOf is one host's policy as it is signed.
var PolicyOf = policyOf
