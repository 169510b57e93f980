// SPDX-License-Identifier: Apache-2.0

package blobtest

import (
	"context"
	"errors"
	"sync"

	"github.com/bindery/bindery/controller/blob"
)

// ErrFault is what a Faulty store fails with.
var ErrFault = errors.New("injected fault")

// Faulty is a store whose n-th write fails, and all operations after it, as if the
// machine had stopped there. It is safe for concurrent use.
type Faulty struct {
	Store blob.Blob
	// FailAt is the number of the write that fails, from 1. 0 never fails.
	FailAt int
	// Applied lets the failing write happen: only its answer is lost.
	Applied bool

	mu     sync.Mutex
	writes int
	dead   bool
}

// Writes counts the writes that were tried.
func (f *Faulty) Writes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writes
}

// Put implements blob.Blob.
func (f *Faulty) Put(ctx context.Context, key string, data []byte, cond blob.Condition) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	if f.dead {
		return "", ErrFault
	}
	if f.writes != f.FailAt {
		return f.Store.Put(ctx, key, data, cond)
	}
	f.dead = true
	if f.Applied {
		if _, err := f.Store.Put(ctx, key, data, cond); err != nil {
			return "", errors.Join(ErrFault, err)
		}
	}
	return "", ErrFault
}

// Get implements blob.Blob.
func (f *Faulty) Get(ctx context.Context, key string) ([]byte, string, error) {
	if f.stopped() {
		return nil, "", ErrFault
	}
	return f.Store.Get(ctx, key)
}

// Delete implements blob.Blob.
func (f *Faulty) Delete(ctx context.Context, key string) error {
	if f.stopped() {
		return ErrFault
	}
	return f.Store.Delete(ctx, key)
}

// List implements blob.Blob.
func (f *Faulty) List(ctx context.Context, prefix string) ([]string, error) {
	if f.stopped() {
		return nil, ErrFault
	}
	return f.Store.List(ctx, prefix)
}

func (f *Faulty) stopped() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

var _ blob.Blob = (*Faulty)(nil)
