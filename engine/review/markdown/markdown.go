// SPDX-License-Identifier: Apache-2.0

// Package markdown writes a report as one comment of a forge. It fits a budget: what is
// cut is cut between blocks and counted, the gravest last. Nothing foreign can mention
// anybody or break out of its place. The package must not know who posts it.
package markdown

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/layout"
	"github.com/bindery/bindery/engine/review/words"
)

// Marker is how a comment of ours begins; the rest of its first line says what
// it belongs to.
const Marker = "<!-- bindery-preview:v1 "

const (
	// DefaultBudget is for comments: GitHub takes 65,536 characters.
	DefaultBudget = 60_000
	// minBudget holds everything that is never left out.
	minBudget = 16_000
)

// Options say how much room there is.
type Options struct {
	// Budget is in bytes; 0 means DefaultBudget. Below 16,000 it counts as that.
	Budget int
}

// Page is a view that had to fit, and what it lacks.
type Page struct {
	Body string
	Cut  Cut
	// Rest is what Body does not show in full, for a place beside the comment; "" where
	// nothing is missing.
	Rest string
}

// Cut counts what a view does not show in full.
type Cut struct {
	Full, OneLine, Dropped int
	// Removals counts those among Dropped that take something away. Such a page
	// does not show what has to be reviewed, so its check must not succeed.
	Removals int
	// Lines counts lines left out of changes that are shown.
	Lines int
	// Short counts lines that are shown in part.
	Short int
	// Causes counts errors that are not shown.
	Causes int

	// fewest and most are how many hosts what is dropped is on, gravest and least how
	// severe it is.
	fewest, most   int
	gravest, least review.Severity
}

// dropped counts a change that is not shown.
func (c *Cut) dropped(ch *review.Change) {
	n := ch.Hosts.Len()
	if c.Dropped == 0 {
		c.fewest, c.most, c.gravest, c.least = n, n, ch.Severity, ch.Severity
	}
	c.fewest, c.most = min(c.fewest, n), max(c.most, n)
	c.gravest, c.least = min(c.gravest, ch.Severity), max(c.least, ch.Severity)
	c.Dropped++
}

// what says what kind of changes are dropped, and how far they reach.
func (c Cut) what() string {
	text := " on " + words.Count(c.most, "host", "hosts")
	if c.fewest < c.most {
		text = " on " + words.Number(c.fewest) + " to " + words.Number(c.most) + " hosts each"
	} else if c.Dropped > 1 {
		text += " each"
	}
	if c.gravest == c.least {
		return text + ", all “" + layout.Severity(c.gravest) + "”"
	}
	return text + ", from “" + layout.Severity(c.gravest) + "” to “" + layout.Severity(c.least) + "”"
}

// OK tells whether a check may succeed by this page.
func (p Page) OK() bool { return p.Cut.Removals == 0 }

// view is a report as it is written.
type view struct{ *review.Report }

// New writes the report as one comment within the budget. What is cut is counted in
// the comment; verdict, impact, errors and removals go last.
func New(report *review.Report, o Options) Page {
	r := view{report}
	budget := o.Budget
	if budget == 0 {
		budget = DefaultBudget
	}
	budget = max(budget, minBudget)
	if r.Verdict.State == review.Clean {
		return Page{Body: r.marker() + r.clean()}
	}
	const reserve = 1_200 // headings and the line that counts the cuts
	top, causes := r.top(budget - reserve)
	footer := r.footer()
	blocks := r.fit(budget - len(top) - len(footer) - reserve)
	shown, cut := write(blocks, r.only())
	cut.Causes = causes
	page := Page{Cut: cut, Rest: r.rest(blocks)}
	var b strings.Builder
	b.WriteString(r.marker())
	b.WriteString(r.heading(page.OK(), cut))
	b.WriteString(top)
	b.WriteString(shown)
	if r.Digest != "" || causes > 0 {
		b.WriteString(r.cutLine(cut))
	}
	b.WriteString(footer)
	page.Body = b.String()
	return page
}

// marker carries words without blanks only, so that nothing can end the comment.
func (r view) marker() string {
	word := func(s string) string {
		return strings.Map(func(c rune) rune {
			if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == ':' || c == '_' || c == '.' {
				return c
			}
			return '_'
		}, s[:min(len(s), 80)])
	}
	m := r.Meta
	return fmt.Sprintf("%sapp=%s pr=%d head=%s base=%s seq=%d digest=%s -->\n", Marker, word(m.App), m.Number, word(m.Head), word(m.Base), m.Seq, word(r.Digest))
}

func (r view) clean() string {
	why := words.Number(r.Totals.Hosts) + " built and compared"
	if n := r.Totals.Equivalent; n > 0 {
		why += "; order or wording only on " + words.Number(n)
	}
	if n := len(r.Known); n > 0 {
		why += "; " + words.Count(n, "cause keeps", "causes keep") + " entries from building on both sides, so a change of those is not seen"
	}
	if n := r.Meta.Files; n > 0 {
		why += "; " + words.Count(n, "file changed", "files changed")
	}
	return "✅ " + r.Verdict.Title + " (" + why + ").\n"
}

func (r view) heading(whole bool, cut Cut) string {
	icon := "✅"
	switch {
	case r.Verdict.State == review.Untrusted:
		icon = "🔒"
	case !r.Verdict.OK:
		icon = "❌"
	case !whole:
		return "### ❌ " + words.Count(cut.Removals, "removal does", "removals do") + " not fit here, so the required check fails · " + r.Verdict.Title + "\n\n"
	}
	return "### " + icon + " " + r.Verdict.Title + "\n\n"
}

// top is what always stands: numbers, impact, errors. It takes at most about
// two thirds of the room.
func (r view) top(room int) (string, int) {
	var b strings.Builder
	if r.Totals.Hosts+r.Totals.Removed > 0 {
		r.table(&b)
	}
	r.provenance(&b)
	r.moved(&b)
	if n := len(r.Files); n > 0 {
		b.WriteString("#### Files in conflict\n" + listed(r.Files, 20) + "\n\nMerge or rebase onto the base branch, then push.\n\n")
	}
	if r.Verdict.State == review.Untrusted {
		r.untrusted(&b)
	}
	if r.Verdict.State == review.Unmergeable {
		b.WriteString("The forge has not made the merge commit, and it cannot be made here: the histories have no one common ancestor, or too much differs. Merge or rebase onto the base branch, then push; or wait for the forge: this is looked at again by itself.\n\n")
	}
	room = room * 2 / 3
	left := 0
	for i, p := range r.Problems {
		text := "- " + sentence(p) + "\n"
		if i >= maxCauses || b.Len()+len(text) > room {
			left += len(r.Problems) - i
			break
		}
		b.WriteString(text)
	}
	if len(r.Problems) > 0 {
		b.WriteString("\n")
	}
	for i := range r.Errors {
		text := r.cause(&r.Errors[i], i)
		if i >= maxCauses || b.Len()+len(text) > room {
			left += len(r.Errors) - i
			break
		}
		b.WriteString(text)
	}
	left += r.findings(&b, room)
	if h := r.Held; h != nil {
		n := h.Len()
		b.WriteString("If merged anyway, " + words.Verb(n, "this host keeps its", "these "+words.Number(n)+" hosts keep their") + " last good config and " + words.Verb(n, "shows", "show") + " as STALE")
		if n := r.Totals.Changed; n > 0 {
			b.WriteString("; the other " + words.Number(n) + " " + words.Verb(n, "is", "are") + " published")
		}
		b.WriteString(". What else changes for " + words.Verb(n, "it", "them") + " waits until then.\n\n")
	}
	if n := len(r.Known); n > 0 {
		hosts := 0
		for _, k := range r.Known {
			hosts = max(hosts, k.Hosts.Len())
		}
		b.WriteString(words.Count(n, "older failure is", "older failures are") + " in base too (on up to " + words.Count(hosts, "host", "hosts") + "). What changes in entries that do not build is not seen.\n\n")
	}
	return b.String(), left
}

// moved says what a base that moved means for who looked before.
func (r view) moved(b *strings.Builder) {
	m := r.Meta.Moved
	if m == nil {
		return
	}
	b.WriteString("⚠️ " + code(r.Meta.BaseName) + " moved by " + words.Count(m.Commits, "commit", "commits") + " since the last preview. ")
	if m.Same {
		b.WriteString("What hosts would get is unchanged, so what was reviewed is still valid.\n\n")
		return
	}
	b.WriteString("What hosts would get **changed** with it: this is built anew, look again.\n\n")
}

func (r view) untrusted(b *strings.Builder) {
	m := r.Meta
	if len(m.Touches) > 0 {
		b.WriteString("Lint and structure only. It touches " + listed(m.Touches, 10))
		if m.Possible > 0 {
			b.WriteString(", which may reach " + words.Count(m.Possible, "host", "hosts") + " at most")
		}
		b.WriteString(".\n\n")
	}
	b.WriteString("Templates are programs, and see what hosts answered: those of strangers are not run. ")
	if m.Commands && m.Head != "" {
		b.WriteString("Someone who may write here can look at it and say " + code("/bindery preview "+m.Head) + ": that commit is built then, and none that is pushed later.\n\n")
		return
	}
	b.WriteString("Someone who may write here can push the branch to this repository; then it is previewed.\n\n")
}

// footer is what else there is to know and to do.
func (r view) footer() string {
	m := r.Meta
	if len(m.Others) == 0 && !m.Commands || r.Verdict.State == review.Untrusted {
		return ""
	}
	var b strings.Builder
	what := []string{}
	if len(m.Others) > 0 {
		what = append(what, "Other pull requests")
		var parts []string
		for i, o := range m.Others {
			if i == maxOthers {
				parts = append(parts, "+"+words.Number(len(m.Others)-i)+" more")
				break
			}
			parts = append(parts, "#"+strconv.Itoa(o.Number)+" ("+listed(o.Entries, 3)+", "+words.Count(o.Hosts.Len(), "host", "hosts")+")")
		}
		b.WriteString("Also touching these hosts: " + strings.Join(parts, ", ") + ".\n")
	}
	if m.Commands {
		what = append(what, "commands")
		for i, c := range []string{"show HOST", "diff HOST TAG:NAME", "why HOST TAG:NAME", "purge"} {
			b.WriteString(words.Verb(min(i, 1)+1, "", " · ") + "<code>/bindery " + c + "</code>")
		}
		b.WriteString("\n")
	}
	title := strings.Join(what, " · ")
	title = strings.ToUpper(title[:1]) + title[1:]
	return "\n<details><summary>" + title + "</summary>\n\n" + b.String() + "</details>\n"
}

// maxOthers is how many other pull requests are named.
const maxOthers = 10

// maxCauses is how many errors are shown in full.
const maxCauses = 20

func (r view) cause(c *review.Cause, i int) string {
	head := ""
	if i == 0 {
		head = "#### ❌ " + words.Count(len(r.Errors), "cause", "causes") + ", " + words.Count(r.Totals.Failed, "host", "hosts") + "\n"
	}
	what := code(c.Hosts.Label)
	if c.Hosts.Len() > 1 {
		what = words.Number(c.Hosts.Len()) + " hosts: " + what
	}
	if len(r.Errors) == 1 {
		head, what = strings.TrimSuffix(head, "\n")+": "+code(c.Hosts.Label)+"\n", ""
	}
	if len(c.Entries) > 0 {
		what = strings.TrimPrefix(what+" · "+listed(c.Entries, 5), " · ")
	}
	if what != "" {
		what = "<br>" + what
	}
	return head + sentence(c.Problem) + what + "\n\n"
}

func sentence(p *problem.Problem) string {
	text := code(p.Msg)
	if p.Pos.File != "" {
		text = code(p.Pos.String()) + " → " + text
	}
	if p.Hint != "" {
		text += " " + code(p.Hint)
	}
	return text
}

func listed(names []string, limit int) string {
	var parts []string
	for i, n := range names {
		if i == limit {
			parts = append(parts, "+"+words.Number(len(names)-i)+" more")
			break
		}
		parts = append(parts, codeUpTo(n, 120))
	}
	return strings.Join(parts, ", ")
}

// table pairs who is affected with what will happen.
func (r view) table(b *strings.Builder) {
	t := r.Totals
	var left, right [][2]string
	who := func(label string, n int, bold bool) {
		if n == 0 {
			return
		}
		v := words.Number(n)
		if bold {
			v = "**" + v + "**"
		}
		left = append(left, [2]string{label, v})
	}
	who("Changed", t.Changed, true)
	who("**Failed to build**", t.Failed, true)
	who("Hosts added", t.Added, true)
	who("**Hosts removed**", t.Removed, true)
	who("Unaffected (proved, not sampled)", t.Unaffected, false)
	who("Order or wording only", t.Equivalent, false)
	who("Facts missing", t.NoFacts, false)
	who("Facts older than 7 days", t.OldFacts, false)
	who("Never seen", t.Unseen, false)
	who("Already drifted on touched entries", t.Drifted, false)
	for _, im := range r.Impact {
		icon, what := layout.Impact(im.Kind)
		right = append(right, [2]string{icon + " " + what + ": " + listed(im.Subjects, 3), "**" + words.Number(im.Hosts.Len()) + "**"})
	}
	head := "What will happen | Hosts |\n|---|---:|---|---:|\n"
	fmt.Fprintf(b, "| %s in spec | | %s", words.Count(t.Hosts, "host", "hosts"), head)
	for i := range max(len(left), len(right)) {
		var l, x [2]string
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			x = right[i]
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", l[0], l[1], x[0], x[1])
	}
	b.WriteString("\n")
}

// provenance says what was compared and how long it took.
func (r view) provenance(b *strings.Builder) {
	m := r.Meta
	var parts []string
	if m.Head != "" {
		text := code("head " + words.Short(m.Head))
		switch {
		case m.Base == "":
		case r.Digest == "":
			text += " · base " + code(strings.TrimSpace(m.BaseName+" "+words.Short(m.Base)))
		default:
			text += " merged onto " + code(strings.TrimSpace(m.BaseName+" "+words.Short(m.Base)))
		}
		parts = append(parts, text)
	}
	if m.Facts != "" {
		parts = append(parts, codeUpTo(m.Facts, 120))
	}
	for _, x := range m.Supposed {
		parts = append(parts, "as if "+codeUpTo(x, 120))
	}
	if m.Files > 0 {
		parts = append(parts, words.Count(m.Files, "file changed", "files changed"))
	}
	distinct := 0
	for i := range r.Changes {
		if r.Changes[i].Kind != review.EntryFailed {
			distinct++
		}
	}
	if n := distinct; n > 0 {
		parts = append(parts, words.Count(n, "distinct change", "distinct changes"))
	}
	if len(r.Digest) > 15 {
		parts = append(parts, "digest "+code(strings.TrimPrefix(r.Digest, "sha256:")[:8]+"…"))
	}
	if m.Built > 0 {
		text := "built " + words.Number(m.Built)
		if m.Reused > 0 {
			text += " (" + words.Number(m.Reused) + " reused)"
		}
		if m.Took > 0 {
			text += " in " + seconds(m.Took)
		}
		parts = append(parts, text)
	}
	if len(parts) > 0 {
		b.WriteString(strings.Join(parts, " · ") + "\n\n")
	}
}

var measured = regexp.MustCompile(` · built [0-9][^·\n]*`)

// Lasting gives a body without what was measured while it was made, which is another
// each time.
func Lasting(body string) string { return measured.ReplaceAllString(body, "") }

// seconds says how long something took; less than a tenth of a second in milliseconds.
func seconds(d time.Duration) string {
	if d < 100*time.Millisecond {
		return strconv.FormatInt(max(1, d.Milliseconds()), 10) + " ms"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
}
