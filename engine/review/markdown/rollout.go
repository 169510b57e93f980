// SPDX-License-Identifier: Apache-2.0

package markdown

import (
	"strings"
	"time"

	"github.com/bindery/bindery/engine/review/words"
)

// Rollout is how far a change came after it was merged.
type Rollout struct {
	// Commit is what was merged.
	Commit string
	// Held says why it is not published; "" where it is.
	Held string
	// Hosts are those that it changes. Each is in one of the others: it applied the
	// change, failed to, reports without applying, still has to, was silent for too
	// long, or keeps an older release.
	Hosts                                           int
	Applied, Failed, Reports, Waiting, Unseen, Kept Told
	// Over tells that nobody waits for the rest any more.
	Over bool
	// Took is from the first release to the last report.
	Took time.Duration
}

// Told is some of the hosts.
type Told struct {
	Hosts int
	// Label names them.
	Label string
}

// Done tells whether all hosts applied it.
func (r Rollout) Done() bool { return r.Held == "" && r.Applied.Hosts == r.Hosts }

// After writes how far a change came above the page that it was reviewed by.
func After(p Page, r Rollout) string {
	marker, body, _ := strings.Cut(p.Body, "\n")
	return marker + "\n" + r.line() + "\n\n<details><summary>What the preview showed</summary>\n\n" + body + "\n</details>\n"
}

func (r Rollout) line() string {
	commit := code(words.Short(r.Commit))
	of := words.Number(r.Applied.Hosts) + "/" + words.Count(r.Hosts, "host", "hosts")
	switch {
	case r.Held != "":
		return "⏸ Merged as " + commit + " and not published: " + code(r.Held)
	case r.Hosts == 0:
		return "✅ Merged as " + commit + ". None of the hosts that it changes is enrolled."
	case r.Done():
		text := "✅ " + of + " on " + commit
		if r.Took > 0 {
			text += " in " + r.Took.Round(time.Second).String()
		}
		return text
	}
	text := "🚚 Rolling out " + commit + ": "
	if r.Over {
		text = "⚠️ Rolled out " + commit + ": "
	}
	text += of + " applied"
	for _, x := range []struct {
		told Told
		what string
		name bool
	}{
		{r.Waiting, "waiting", r.Over}, {r.Failed, "failed", true}, {r.Reports, "in report mode, not applied", false},
		{r.Unseen, "not seen", true}, {r.Kept, "on an older release", true},
	} {
		if x.told.Hosts == 0 {
			continue
		}
		text += " · " + words.Number(x.told.Hosts) + " " + x.what
		if x.name {
			text += " (" + code(x.told.Label) + ")"
		}
	}
	return text
}
