// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/bindery/bindery/agent/driver"
)

// fileSettled says which entries were good when they were looked at last: a line for
// each, with what it said and its key, in the order of the configuration.
const fileSettled = "settled"

// maxSettled bounds what is read of it.
const maxSettled = 16 << 20

// Causes of an entry not being as it should be.
const (
	// CauseRelease is an entry that is new, or that says something else than when it
	// was good.
	CauseRelease = "release"
	// CauseDrift is one that was good before: the host was changed, not the release.
	CauseDrift = "drift"
)

// attribute says of each entry that is wrong whether the host was changed, or the
// release. It comes before anything is made true.
func (r *run) attribute() error {
	var err error
	if r.settled, err = r.c.State.Read(fileSettled, maxSettled); err != nil {
		return err
	}
	// Where all is well nobody asks for what was good before.
	var before map[string]string
	for _, e := range r.entries {
		if e.action() || e.out.State != driver.Incorrect && e.out.State != driver.Missing {
			continue
		}
		if before == nil {
			before = parseSettled(r.settled)
		}
		e.cause = CauseRelease
		if before[e.Key.String()] == e.mark() {
			e.cause = CauseDrift
		}
	}
	return nil
}

// parseSettled gives what an entry said when it was good, by its key. A line that is
// none counts as absent.
func parseSettled(data []byte) map[string]string {
	before := map[string]string{}
	for line := range strings.Lines(string(data)) {
		mark, quoted, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if key, err := strconv.Unquote(quoted); err == nil {
			before[key] = mark
		}
	}
	return before
}

// remember keeps which entries are good now. What drifted and is not mended yet has
// still drifted in the next run.
func (r *run) remember() error {
	now := make([]byte, 0, len(r.settled))
	for _, e := range r.entries {
		if !e.action() && (e.out.State == driver.Correct || e.cause == CauseDrift) {
			now = append(append(now, e.mark()...), ' ')
			now = append(strconv.AppendQuote(now, e.Key.String()), '\n')
		}
	}
	if bytes.Equal(now, r.settled) {
		return nil
	}
	return r.c.State.Write(fileSettled, now)
}

// mark stands for all that an entry says.
func (e *entry) mark() string {
	sum := e.Entry.Digest()
	return hex.EncodeToString(sum[:8])
}
