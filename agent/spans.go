// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"time"

	"github.com/bindery/bindery/engine/release"
)

// spans add up how long things took, in the order in which they came.
type spans struct {
	order []string
	took  map[string]time.Duration
}

func (s *spans) add(name string, d time.Duration) {
	if s.took == nil {
		s.took = map[string]time.Duration{}
	}
	if _, ok := s.took[name]; !ok {
		s.order = append(s.order, name)
	}
	s.took[name] += max(0, d) // a clock may be set back
}

// told are those that took a millisecond or more.
func (s *spans) told() []release.Span {
	var out []release.Span
	for _, name := range s.order {
		if ms := s.took[name].Milliseconds(); ms > 0 {
			out = append(out, release.Span{Name: name, Milliseconds: ms})
		}
	}
	return out
}

// since adds the time from a moment to now.
func (a *Agent) since(s *spans, name string, from time.Time) {
	s.add(name, a.c.Machine.Now().Sub(from))
}
