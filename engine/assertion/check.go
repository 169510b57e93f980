// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/review/hostset"
	"github.com/bindery/bindery/engine/review/redaction"
)

// Codes of what assertions find.
const (
	CodeFailed = "assertion-failed"
	CodeIdle   = "assertion-without-hosts"
)

// Check holds hosts against assertions. What base has too is not found again: it was
// approved when it came, or was there before. It ends soon after the context does.
func Check(ctx context.Context, in Input) (Result, error) {
	var out Result
	if in.Head.Len()+in.Base.Len() == 0 {
		return out, nil
	}
	c := &check{in: in, secrets: redaction.New(), bundles: map[*config.Bundle][]hit{}, entries: map[*config.Entry][]hit{}, named: map[[2]string][]int{}}
	c.in.Hosts = slices.Clone(in.Hosts)
	slices.SortFunc(c.in.Hosts, func(a, b Host) int { return hostset.Compare(a.Name, b.Name) })
	if in.Head != nil {
		c.rules = slices.Clone(in.Head.rules)
	}
	if in.Base != nil {
		c.rules = append(c.rules, gone(in)...)
	}
	for i := range c.in.Hosts {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		c.secrets.Look(c.in.Hosts[i].Base)
		c.secrets.Look(c.in.Hosts[i].Head)
	}
	c.head, c.base = make([][]hit, len(c.rules)), make([][]hit, len(c.rules))
	c.tallies = make([]tally, len(c.rules))
	for i := range c.in.Hosts {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		c.host(&c.in.Hosts[i])
	}
	for n, r := range c.rules {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		t := &c.tallies[n]
		if !t.anybody {
			out.Idle = append(out.Idle, problem.Warn(r.pos, CodeIdle, fmt.Sprintf("the assertion %q is about no host", r.Name),
				"look at its hosts and groups: what it says is held against nothing"))
		}
		out.Findings = append(out.Findings, c.finding(r, t.wrong)...)
		out.Findings = append(out.Findings, c.finding(r, t.lost)...)
		out.Findings = append(out.Findings, c.sizes(r, t)...)
	}
	slices.SortStableFunc(out.Findings, func(a, b Finding) int { return problem.Compare(a.Problem, b.Problem) })
	return out, nil
}

// gone are the assertions of base that head lacks or has rewritten: they count for the
// change that does so. Of one that both have, the greater number of approvals counts.
func gone(in Input) (out []*rule) {
	for _, r := range in.Base.rules {
		if in.Head == nil || in.Head.byKey[r.digest] == nil {
			out = append(out, r)
		}
	}
	return out
}

// check is the work of Check.
type check struct {
	in      Input
	rules   []*rule
	secrets *redaction.Secrets
	// bundles and entries say what of them assertions are about; they are shared by
	// many hosts.
	bundles map[*config.Bundle][]hit
	entries map[*config.Entry][]hit
	named   map[[2]string][]int
	steps   map[stepKey][]config.Change
	tallies []tally
	// head and base hold, by rule, what of one host is looked at.
	head, base [][]hit
}

// tally is what was found of one assertion.
type tally struct {
	anybody bool
	wrong   map[wrong][]string
	changes
}

// hit is an entry, or a bundle, that an assertion is about.
type hit struct {
	rule int
	key  string
	// says is what is wrong with it.
	says []string
}

// host holds one host against every assertion.
func (c *check) host(h *Host) {
	c.sort(c.head, h.Head)
	c.sort(c.base, h.Base)
	for n, r := range c.rules {
		now, before := r.about(h.Name, h.Groups), r.about(h.Name, h.BaseGroups)
		if !now && !before {
			continue
		}
		t := &c.tallies[n]
		t.anybody = true
		if now && h.Head != nil && r.absolute() {
			c.absolute(n, h, before)
		}
		if c.in.Base != nil && r.comparing() {
			c.compared(n, h)
		}
	}
}

// approvals is how many people have to approve what breaks an assertion. A change that
// asks for fewer does not ask for fewer for itself.
func (c *check) approvals(r *rule) int {
	n := r.approvals
	if c.in.Base != nil && c.in.Base.byKey[r.digest] != nil {
		n = max(n, c.in.Base.byKey[r.digest].approvals)
	}
	return n
}

// sort puts what of a configuration assertions are about to the rules.
func (c *check) sort(into [][]hit, conf *config.Config) {
	for n := range into {
		into[n] = into[n][:0]
	}
	if conf == nil {
		return
	}
	for _, b := range conf.Bundles {
		found, ok := c.bundles[b]
		if !ok {
			for n, r := range c.rules {
				if r.names(b.Tag, b.Name()) {
					found = append(found, hit{rule: n, key: b.Tag + ":" + b.Name(), says: r.bundle(b)})
				}
			}
			for _, e := range b.Entries {
				found = append(found, c.entry(e)...)
			}
			c.bundles[b] = found
		}
		for _, h := range found {
			into[h.rule] = append(into[h.rule], h)
		}
	}
}

// forbiddenHere is said of what must not be.
const forbiddenHere = "it is there, and must not be"

// bundle says what of a structure is not as asserted; it has no lines.
func (r *rule) bundle(b *config.Bundle) []string {
	if r.forbidden() {
		return []string{forbiddenHere}
	}
	return r.attributes(b.Attrs, shown)
}

func (c *check) entry(e *config.Entry) []hit {
	found, ok := c.entries[e]
	if !ok {
		// Every line is looked at: only what is told of is worth that.
		secret := sync.OnceValue(func() bool { return !c.public(e) })
		text := sync.OnceValue(func() *lined { return linesOf(e) })
		about := c.about(e.Tag, e.Name())
		key := ""
		if len(about) > 0 {
			key, found = e.Tag+":"+redaction.Name(e.Name()), make([]hit, 0, len(about))
		}
		for _, n := range about {
			found = append(found, hit{rule: n, key: key, says: c.rules[n].judge(e, secret, text)})
		}
		c.entries[e] = found
	}
	return found
}

// about lists the rules that a name is of: many entries have one name, each for other
// hosts.
func (c *check) about(tag, name string) []int {
	of := [2]string{tag, name}
	rules, ok := c.named[of]
	if !ok {
		for n, r := range c.rules {
			if r.names(tag, name) {
				rules = append(rules, n)
			}
		}
		c.named[of] = rules
	}
	return rules
}

// judge says what of an entry is not as asserted. Of a secret it says only that.
func (r *rule) judge(e *config.Entry, secret func() bool, text func() *lined) []string {
	if r.forbidden() {
		return []string{forbiddenHere}
	}
	if !r.absolute() {
		return nil
	}
	if e.Failure != "" {
		return []string{"it does not bind"}
	}
	show := func(name, v string) bool { return redaction.Showable(e, name, v) || !secret() }
	return append(r.attributes(e.Attrs, show), r.content(secret, text)...)
}

// shown shows every value.
func shown(string, string) bool { return true }

func (r *rule) attributes(attrs []config.Attr, show func(name, value string) bool) (says []string) {
	value := func(name string) (string, bool) {
		i := slices.IndexFunc(attrs, func(a config.Attr) bool { return a.Name == name })
		if i < 0 {
			return "", false
		}
		return attrs[i].Value, true
	}
	is := func(name, v string, there bool) string {
		switch {
		case !there:
			return "is not there"
		case !show(name, v):
			return "is not as asserted"
		}
		return fmt.Sprintf("is %q", v)
	}
	for _, name := range sortedKeys(r.Attributes) {
		if v, there := value(name); !there || v != string(r.Attributes[name]) && !sameMode(name, v, string(r.Attributes[name])) {
			says = append(says, fmt.Sprintf("%s %s, not %q", name, is(name, v, there), r.Attributes[name]))
		}
	}
	for _, name := range sortedKeys(r.attrs) {
		if v, there := value(name); !there || !r.attrs[name].MatchString(v) && !r.attrs[name].MatchString(longMode(name, v)) {
			says = append(says, fmt.Sprintf("%s %s and does not match %q", name, is(name, v, there), r.AttributesMatch[name]))
		}
	}
	return says
}

// longMode is an octal mode in four digits, because 640 and 0640 are the same mode to
// hosts. It is any other value as it is.
func longMode(name, value string) string {
	if m, err := strconv.ParseUint(value, 8, 12); err == nil && name == "mode" {
		return fmt.Sprintf("%04o", m)
	}
	return value
}

func sameMode(name, a, b string) bool {
	return name == "mode" && longMode(name, a) == longMode(name, b)
}

// lined is what an entry holds, for all assertions about it.
type lined struct {
	lines []string
	// there are the lines without blanks around them.
	there func() map[string]bool
	bad   bool
}

func linesOf(e *config.Entry) *lined {
	data, err := e.Content()
	if err != nil {
		return &lined{bad: true}
	}
	t := &lined{lines: strings.Split(string(data), "\n")}
	for i := range t.lines {
		t.lines[i] = strings.TrimSuffix(t.lines[i], "\r")
	}
	t.there = sync.OnceValue(func() map[string]bool {
		there := make(map[string]bool, len(t.lines))
		for _, l := range t.lines {
			there[strings.TrimSpace(l)] = true
		}
		return there
	})
	return t
}

// content holds the lines of an entry against what is said about lines.
func (r *rule) content(secret func() bool, of func() *lined) (says []string) {
	if len(r.Lines)+len(r.NoLines)+len(r.has)+len(r.not) == 0 {
		return nil
	}
	t := of()
	if t.bad {
		return []string{"its content cannot be decoded"}
	}
	for _, l := range r.Lines {
		if !t.there()[strings.TrimSpace(string(l))] {
			says = append(says, fmt.Sprintf("it has no line %q", l))
		}
	}
	for _, l := range r.NoLines {
		if t.there()[strings.TrimSpace(string(l))] {
			says = append(says, fmt.Sprintf("it has the line %q", l))
		}
	}
	for i, re := range r.has {
		if !slices.ContainsFunc(t.lines, re.MatchString) {
			says = append(says, fmt.Sprintf("no line matches %q", r.LinesMatch[i]))
		}
	}
	for i, re := range r.not {
		if at := slices.IndexFunc(t.lines, re.MatchString); at >= 0 {
			says = append(says, fmt.Sprintf("a line matches %q", r.NoLinesMatch[i]))
		}
	}
	if len(says) > 0 && secret() {
		return []string{"its content is secret and not as asserted"}
	}
	return says
}

// wrong is one thing that is not as asserted.
type wrong struct{ entry, says string }

// judged lists what is not as asserted, by what an assertion is about on a host.
func (r *rule) judged(hits []hit) (out []wrong) {
	for _, h := range hits {
		for _, s := range h.says {
			out = append(out, wrong{h.key, s})
		}
	}
	if len(hits) == 0 && r.wanted() {
		out = append(out, wrong{string(r.Entry), "it is not there"})
	}
	return out
}

// absolute holds one host of head against an assertion; before tells whether it was
// about the host in base.
func (c *check) absolute(n int, h *Host, before bool) {
	r, t := c.rules[n], &c.tallies[n]
	found := r.judged(c.head[n])
	if len(found) == 0 {
		return
	}
	var old []wrong
	if before && h.Base != nil && c.in.Base != nil && c.in.Base.byKey[r.digest] != nil {
		old = r.judged(c.base[n])
	}
	for _, w := range found {
		if !slices.Contains(old, w) {
			t.wrong = add(t.wrong, w, h.Name)
		}
	}
}

// add notes a host, once for each thing that is wrong on it.
func add(into map[wrong][]string, w wrong, host string) map[wrong][]string {
	if into == nil {
		into = map[wrong][]string{}
	}
	if hosts := into[w]; len(hosts) == 0 || hosts[len(hosts)-1] != host {
		into[w] = append(hosts, host)
	}
	return into
}

// finding makes what is wrong a Finding, none where nothing is.
func (c *check) finding(r *rule, found map[wrong][]string) []Finding {
	if len(found) == 0 {
		return nil
	}
	f := Finding{Name: string(r.Name), Approvals: c.approvals(r)}
	hosts := map[string]bool{}
	for w, names := range found {
		f.Violations = append(f.Violations, Violation{ID: digest(r.digest, w.entry, w.says), Entry: w.entry, Says: w.says, Hosts: names})
		for _, name := range names {
			hosts[name] = true
		}
	}
	slices.SortFunc(f.Violations, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(len(b.Hosts), len(a.Hosts)), hostset.Compare(a.Entry, b.Entry), cmp.Compare(a.Says, b.Says))
	})
	f.Hosts = sortedHosts(hosts)
	parts := []string{r.digest}
	for _, v := range f.Violations {
		parts = append(parts, v.ID, digest(v.Hosts...))
	}
	f.Hash = digest(parts...)
	v := f.Violations[0]
	msg := fmt.Sprintf("%s: %s", v.Entry, v.Says)
	if more := len(f.Violations) - 1; more > 0 {
		msg += fmt.Sprintf(", and %d more", more)
	}
	f.Problem = c.problem(r, msg)
	return []Finding{f}
}

// problem says at its line that an assertion does not hold.
func (c *check) problem(r *rule, msg string) *problem.Problem {
	msg = fmt.Sprintf("the assertion %q does not hold: %s", r.Name, msg)
	if c.in.Base != nil && (c.in.Head == nil || c.in.Head.byKey[r.digest] == nil) {
		msg += " (the change takes the assertion away or rewrites it)"
	}
	return problem.New(r.pos, CodeFailed, msg, string(r.Why))
}

func sortedHosts(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for name := range set {
		out = append(out, name)
	}
	slices.SortFunc(out, hostset.Compare)
	return out
}
