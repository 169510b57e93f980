// SPDX-License-Identifier: Apache-2.0

package engine

import "github.com/bindery/bindery/engine/internal/shelf"

// Cache keeps what files of specifications were parsed to: XML, templates, modules,
// and what names of files say. A file is parsed again where its content or its name
// differs. It changes how long things take and nothing else, is safe for concurrent
// use, and may be shared by specifications of any kind. Nothing is kept of files that
// are encrypted, nor of trees that do not know digests of their files, as snapshots of
// git do.
type Cache struct{ kept *shelf.Shelf }

// NewCache makes a cache of about that many bytes: what was not used longest is
// dropped for what is new.
func NewCache(bytes int64) *Cache { return &Cache{shelf.New(bytes)} }

// CacheSize is for who has no reason for another one: the files of ten thousand hosts
// take a sixth of it, so there is room for several repositories, and for what changes.
const CacheSize = 256 << 20

// Size is about how many bytes are kept.
func (c *Cache) Size() int64 { return c.kept.Size() }

func (c *Cache) shelf() *shelf.Shelf {
	if c == nil {
		return nil
	}
	return c.kept
}
