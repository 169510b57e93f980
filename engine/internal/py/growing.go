// SPDX-License-Identifier: Apache-2.0

package py

import "strings"

const (
	// minGrown is the size from which on a text that is added to is taken for one
	// that grows.
	minGrown = 512
	// maxGrowing bounds how many texts grow side by side.
	maxGrowing = 4
)

// joined is a + b. A text to which code adds piece by piece is written into one
// buffer, which all that it was before shares: what is counted is what is held, not
// its square.
func (th *Thread) joined(a, b string) (string, error) {
	if len(a) < minGrown || len(b) > len(a)/2 {
		return a + b, th.Grow(len(a) + len(b))
	}
	for i, g := range th.growing {
		if g.Len() != len(a) || g.String() != a {
			continue
		}
		if g.Cap()-g.Len() < len(b) {
			var err error
			if g, err = th.buffer(a, b); err != nil {
				return "", err
			}
			th.growing[i] = g
		}
		g.WriteString(b)
		return g.String(), nil
	}
	g, err := th.buffer(a, b)
	if err != nil {
		return "", err
	}
	g.WriteString(b)
	if len(th.growing) == maxGrowing {
		th.growing = th.growing[1:]
	}
	th.growing = append(th.growing, g)
	return g.String(), nil
}

// buffer begins a buffer with a text and room to add to it.
func (th *Thread) buffer(a, b string) (*strings.Builder, error) {
	room := len(a) + max(len(a)/2, len(b))
	if err := th.Grow(room); err != nil {
		return nil, err
	}
	g := &strings.Builder{}
	g.Grow(room)
	g.WriteString(a)
	return g, nil
}
