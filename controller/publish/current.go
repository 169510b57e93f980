// SPDX-License-Identifier: Apache-2.0

package publish

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/bindery/bindery/controller/blob"
	"github.com/bindery/bindery/engine/release"
)

// published is what the store holds for one host.
type published struct {
	// etag is that of the timestamp, "" where there is none.
	etag string
	// current is nil where no timestamp verifies: it is damaged, or signed by keys
	// that the root no longer names. Agents do not accept it either, so nothing is
	// lost by going on from the time of day.
	current *release.Current
}

// version is the timestamp's, 0 where none verifies.
func (s *published) version() int64 {
	if s.current == nil {
		return 0
	}
	return s.current.TimestampVersion
}

// whole is the published release, nil where it is not complete: it is published
// anew then.
func (s *published) whole() *release.Current {
	if s.current == nil || !s.current.Whole {
		return nil
	}
	return s.current
}

func (s *published) says(mark string, last int64, now time.Time) bool {
	c := s.whole()
	return c != nil && c.Target.Custom.Mark == mark && c.Target.Version >= last && c.Expires.Sub(now) > minimumLife
}

func (p *Publisher) load(ctx context.Context, hostID string) (*published, error) {
	timestamp, etag, err := p.get(ctx, hostID, release.TimestampName)
	if err != nil || timestamp == nil {
		return &published{}, err
	}
	cur, err := release.ReadCurrent(hostID, p.cfg.Keys.Root().Data, timestamp, func(name string) ([]byte, error) {
		data, _, err := p.get(ctx, hostID, name)
		return data, err
	})
	if err != nil && !errors.Is(err, release.ErrUntrusted) && !errors.Is(err, release.ErrTooLarge) {
		return nil, err
	}
	return &published{etag: etag, current: cur}, nil
}

// get gives nil for a file that is not there.
func (p *Publisher) get(ctx context.Context, hostID, name string) ([]byte, string, error) {
	data, etag, err := p.cfg.Store.Get(ctx, release.HostPath(hostID, name))
	if errors.Is(err, blob.ErrNotFound) {
		return nil, "", nil
	}
	return data, etag, err
}

// Current tells which release of a host is published; nil where none is, or where
// what is there does not verify.
func (p *Publisher) Current(ctx context.Context, hostID string) (*release.Current, error) {
	s, err := p.load(ctx, hostID)
	if err != nil {
		return nil, fmt.Errorf("read what is published for host id %s: %w", hostID, err)
	}
	return s.whole(), nil
}

// Swept is what a freshness sweep did.
type Swept struct {
	// Renewed and Fresh count timestamps that were signed again and that were not due.
	Renewed, Fresh int
	// Ageing are host ids whose other metadata end within three months, or that have
	// no timestamp, or an older release than they were given: publish them anew.
	Ageing []string
	// Failed are host ids whose timestamp could not be renewed. Agents warn when it
	// ends.
	Failed map[string]error
}

// ErrPutBack is an older release in the store than the one that was published last.
var ErrPutBack = errors.New("somebody has put an older release back into the store")

// Sweep signs the timestamps of hosts again that are old enough. It touches nothing
// else and needs the timestamp key alone. Each host has its own hour, so that a fleet
// that was published at once is not renewed at once. Last has the sequence that each
// host was given, 0 where that is not known: nothing older is ever signed again, or
// whoever can write to the store would get a fresh signature on an old release.
func (p *Publisher) Sweep(ctx context.Context, last map[string]int64) (*Swept, error) {
	out := &Swept{Failed: map[string]error{}}
	hostIDs := slices.Sorted(maps.Keys(last))
	var mu sync.Mutex
	p.each(len(hostIDs), func(i int) {
		renewed, ageing, err := p.renew(ctx, hostIDs[i], last[hostIDs[i]])
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil:
			out.Failed[hostIDs[i]] = err
		case renewed:
			out.Renewed++
		default:
			out.Fresh++
		}
		if ageing {
			out.Ageing = append(out.Ageing, hostIDs[i])
		}
	})
	slices.Sort(out.Ageing)
	if err := ctx.Err(); err != nil {
		return out, fmt.Errorf("sweep: %w", err)
	}
	return out, nil
}

func (p *Publisher) renew(ctx context.Context, hostID string, last int64) (renewed, ageing bool, err error) {
	timestamp, etag, err := p.get(ctx, hostID, release.TimestampName)
	if err != nil || timestamp == nil {
		return false, err == nil, err // gone, or never there: publishing makes it
	}
	cur, err := release.ReadCurrent(hostID, p.cfg.Keys.Root().Data, timestamp, nil)
	if err != nil {
		return false, true, fmt.Errorf("renew timestamp: %w", err)
	}
	if cur.Sequence < last {
		return false, true, fmt.Errorf("renew timestamp: sequence %d after %d: %w", cur.Sequence, last, ErrPutBack)
	}
	now := p.cfg.Now()
	if age := now.Sub(cur.TimestampExpires.Add(-release.TimestampLife)); age < due(hostID) {
		return false, false, nil
	}
	// Once a day is often enough to look at what only publishing renews.
	s, err := p.load(ctx, hostID)
	if err != nil {
		return false, false, err
	}
	ageing = s.whole() == nil || s.current.Expires.Sub(now) <= minimumLife
	data, err := p.cfg.Keys.Signers.Renew(cur, now)
	if err != nil {
		return false, ageing, err
	}
	_, err = p.cfg.Store.Put(ctx, release.HostPath(hostID, release.TimestampName), data, blob.Match(etag))
	if errors.Is(err, blob.ErrPrecondition) {
		return false, ageing, nil // somebody else has just renewed or published it
	}
	return err == nil, ageing, err
}

// due is the age at which a host's timestamp is signed again: at most
// release.TimestampRenewal, spread over the four hours before.
func due(hostID string) time.Duration {
	const spread = 4 * time.Hour
	h := fnv.New64a()
	_, _ = h.Write([]byte(hostID)) // a hash never fails
	return release.TimestampRenewal - time.Duration(h.Sum64()%uint64(spread))
}
