// SPDX-License-Identifier: Apache-2.0

package review_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/markdown"
	"github.com/bindery/bindery/engine/review/terminal"
)

func host(name string, base, head *review.Side) review.Host {
	return review.Host{Name: name, Base: base, Head: head}
}

func TestForms(t *testing.T) {
	motd := side(bundle("b", file("/etc/motd", "hello\n")))
	meta := review.Meta{App: "7", Number: 3, Head: "3f2a9c1e00", Base: "b81d07aa00", BaseName: "main", Files: 2}
	broken := problem.New(problem.Pos{File: "Bundler/b.xml", Line: 3, Column: 7}, "not-well-formed", "end of file inside <Path>", "close it")

	clean := report(t, review.Input{Meta: meta, Hosts: []review.Host{host("a", motd, motd), host("b", motd, motd)}})
	require.True(t, clean.Verdict.OK)
	require.Empty(t, clean.Hosts)
	golden(t, "clean", clean, "markdown", "text", "json")

	golden(t, "conflict", review.NotMerged(meta, []string{"Bundler/a.xml", "Cfg/etc/<motd>/motd"}), "markdown", "text", "json")
	golden(t, "unmergeable", review.NotMerged(meta, nil), "markdown", "text")
	golden(t, "unreadable", review.Unreadable(meta, []*problem.Problem{broken}), "markdown", "text")

	invalid := report(t, review.Input{
		Meta: meta, Hosts: []review.Host{host("a", motd, motd)}, Problems: []*problem.Problem{broken},
	})
	require.Equal(t, review.Invalid, invalid.Verdict.State)
	golden(t, "invalid", invalid, "markdown")
	gone := markdown.New(report(t, review.Input{
		Meta: meta, Hosts: []review.Host{host("a", motd, side())}, Problems: []*problem.Problem{broken},
	}), markdown.Options{}).Body
	require.Contains(t, gone, "What the files that can be read would give; nothing of it is published\n- 🗑 <b><code>/etc/motd</code>")
	require.NotContains(t, gone, "<details")
	moved := *broken
	moved.Pos.Line = 99
	same := report(t, review.Input{
		Meta: meta, Hosts: []review.Host{host("a", motd, motd)},
		Problems: []*problem.Problem{broken}, BaseProblems: []*problem.Problem{&moved},
	})
	require.Equal(t, review.Clean, same.Verdict.State, "an old error on another line is not new")
}

// Everything that may stand in the impact table, and what may not.
func TestImpact(t *testing.T) {
	on := func(name string, more ...string) *config.Entry {
		return entry("Service", name, append([]string{"type", "systemd", "status", "on"}, more...)...)
	}
	common := []*config.Entry{
		on("main"), on("kept", "restart", "false"), on("asked", "restart", "interactive"),
		on("gentle", "target", "reload"), entry("Service", "ignored", "status", "ignore"), entry("Service", "off", "status", "off"),
		entry("Action", "rebuild", "timing", "post", "when", "modified", "command", "x"),
		entry("Action", "nightly", "timing", "post", "when", "always", "command", "x"),
	}
	b := func(more ...*config.Entry) *config.Bundle { return bundle("app", append(more, common...)...) }
	loose := func(e ...*config.Entry) *config.Bundle { return config.NewBundle("Independent", nil, e) }
	base := side(
		b(file("/etc/app", "1\n"), on("stopping"), entry("Package", "lib", "type", "deb", "version", "2.10-1")),
		loose(entry("POSIXUser", "old"), modeFile("/etc/open", "x", "0644"), entry("Path", "/gone", "type", "directory"),
			entry("Path", "/tmp/x", "type", "directory"), failed("Package", "later", "no type")),
	)
	head := side(
		b(file("/etc/app", "2\n"), entry("Service", "stopping", "type", "systemd", "status", "off"), entry("Package", "lib", "type", "deb", "version", "2.9-1")),
		loose(modeFile("/etc/open", "x", "0664"), entry("Path", "/tmp/x", "type", "nonexistent"),
			entry("Package", "later", "type", "deb", "version", "1")),
	)
	waiting := host("waiting", base, head)
	waiting.NoFacts = true
	r := report(t, review.Input{Hosts: []review.Host{
		host("one", base, head), waiting, host("new", nil, head), host("old", base, nil),
	}})
	golden(t, "impact", r, "markdown", "text", "color", "json")
	var kinds []string
	for _, im := range r.Impact {
		kinds = append(kinds, im.Kind+" "+strings.Join(im.Subjects, ",")+" "+im.Hosts.Label)
	}
	require.Equal(t, []string{
		"package-downgraded lib one, waiting", "path-deleted /tmp/x one, waiting", "path-removed /gone one, waiting",
		"user-removed old one, waiting", "service-stopped stopping one, waiting", "restart main one, waiting",
		"reload gentle one, waiting", "run rebuild one, waiting", "rights /etc/open one, waiting", "fixed later one, waiting",
	}, kinds)
}

// A new host is shown with what nobody had before; a host that is refused keeps
// what it has.
func TestHostsComeAndGo(t *testing.T) {
	shared := bundle("b", file("/etc/motd", "hello\n"))
	own := bundle("own", file("/etc/hostname", "new\n"))
	p := problem.New(problem.Pos{File: "Metadata/clients.xml", Line: 4}, "unknown-group", "profile x is no group", "")
	r := report(t, review.Input{Hosts: []review.Host{
		host("new", nil, side(shared, own)), host("kept", side(shared), &review.Side{Refused: p}), host("same", side(shared), side(shared)),
	}})
	require.Equal(t, []string{"kept", "new"}, r.Hosts)
	require.Equal(t, review.Totals{Hosts: 3, Failed: 1, Added: 1, Unaffected: 1}, r.Totals)
	require.Len(t, r.Changes, 1)
	require.Equal(t, "/etc/hostname", r.Changes[0].Entry.Name)
	require.Empty(t, r.Changes[0].Effects)
	require.Equal(t, []string{"kept"}, r.Held.Names)
	require.False(t, r.Verdict.OK)
	require.Contains(t, markdown.New(r, markdown.Options{}).Body, "this host keeps its last good config")

	r = report(t, review.Input{Hosts: []review.Host{host("kept", side(shared), &review.Side{})}})
	require.Equal(t, "refused", r.Errors[0].Problem.Code)
}

// What never bound does not turn a later change red; what bound and no longer
// does, does. An equal message at another place is another cause.
func TestOldFailuresAreNotNew(t *testing.T) {
	old := failed("Path", "/never", "no source")
	base := side(bundle("b", old, file("/x", "1\n")))
	r := report(t, review.Input{Hosts: []review.Host{
		host("a", base, side(bundle("b", failed("Path", "/never", "no source, in other words"), file("/x", "1\n")))),
		host("b", nil, side(bundle("b", old))),
	}})
	require.Equal(t, review.Verdict{State: review.Changed, OK: true, Title: "1 host is added, nothing new fails"}, r.Verdict)
	require.Equal(t, 1, r.Totals.Equivalent)
	require.Equal(t, []string{"b"}, r.Hosts)
	require.Len(t, r.Known, 2)

	quiet := report(t, review.Input{Hosts: []review.Host{host("a", base, base)}})
	require.Contains(t, markdown.New(quiet, markdown.Options{}).Body, "✅ No host is affected (1 built and compared; "+
		"1 cause keeps entries from building on both sides, so a change of those is not seen).")

	r = report(t, review.Input{Hosts: []review.Host{host("a", base, side(bundle("b", old, failed("Path", "/x", "no key"))))}})
	require.Equal(t, review.Failed, r.Verdict.State)
	require.Equal(t, []string{"Path:/x"}, r.Errors[0].Entries)
	require.Equal(t, "entry-failed", r.Errors[0].Problem.Code)
	require.Equal(t, review.EntryFailed, r.Changes[0].Kind)
	require.Equal(t, []string{"a"}, r.Held.Names)
}

// Every host with its own token is one change, and its rights are still shown.
func TestSecretsOfTheirOwn(t *testing.T) {
	var hosts []review.Host
	for i := range 40 {
		v := func(side, mode string) *config.Bundle {
			return bundle("b", modeFile("/etc/token", fmt.Sprint("canary", side, i), mode))
		}
		hosts = append(hosts, host(fmt.Sprintf("h%02d", i), side(v("old", "0600")), side(v("new", "0640"))))
	}
	r := report(t, review.Input{Hosts: hosts})
	require.Len(t, r.Changes, 1)
	require.Len(t, r.Changes[0].Variants, 1)
	require.Equal(t, 40, r.Changes[0].Variants[0].Values)
	body := markdown.New(r, markdown.Options{}).Body
	require.Contains(t, body, "40 different values, 3 of them above.")
	require.Contains(t, body, "+# mode=0640")
	require.NotContains(t, body, "canary")
	other := report(t, review.Input{Hosts: hosts, Key: []byte("another key, another print")})
	require.NotEqual(t, r.Changes[0].Variants[0].Secrets, other.Changes[0].Variants[0].Secrets)
	require.NotEqual(t, r.Digest, other.Digest)
}

// A value that is secret by provenance on one host is secret on all.
func TestSecretAnywhereIsSecretEverywhere(t *testing.T) {
	plain := config.Entry{Tag: "Path", Text: "canary"}
	marked := plain
	plain.Attrs, marked.Attrs = attrs("name", "/x", "type", "file"), attrs("name", "/x", "type", "file")
	marked.Sensitive = true
	empty := side(bundle("b"))
	r := report(t, review.Input{Hosts: []review.Host{
		host("a", empty, side(bundle("b", config.NewEntry(plain)))), host("b", empty, side(bundle("b", config.NewEntry(marked)))),
	}})
	require.NotContains(t, views(t, r)["json"], "canary")
}

// A change that gives a secret another path and a public mode does not show it, nor
// does one that gives it another type or encoding.
func TestSecretMovedIsStillSecret(t *testing.T) {
	const text = "canary-0123\n"
	encoded := config.NewEntry(config.Entry{
		Tag: "Path", Attrs: attrs("name", "/e", "type", "file", "mode", "0644", "encoding", "base64"), Text: "Y2FuYXJ5LTAxMjMK",
	})
	from := side(bundle("b", modeFile("/old", text, "0600"), file("/same", "other")))
	r := report(t, review.Input{Hosts: []review.Host{
		host("a", from, side(bundle("b", modeFile("/new", text, "0644"), encoded, file("/same", "other text")))),
		host("b", side(bundle("b")), side(bundle("b", file("/elsewhere", text)))),
	}})
	for name, view := range views(t, r) {
		require.NotContains(t, view, "canary", name)
		require.NotContains(t, view, encoded.Text, name)
	}
	require.Contains(t, views(t, r)["json"], "other text")
}

func TestBinaryAndLarge(t *testing.T) {
	blob := func(n int) *review.Side {
		return side(bundle("b", config.NewEntry(config.Entry{Tag: "Path", Text: strings.Repeat("AAAA", n), Attrs: attrs("name", "/bin", "type", "file", "encoding", "base64")}),
			file("/big", strings.Repeat("x\n", n*1000))))
	}
	r := report(t, review.Input{Hosts: []review.Host{host("a", blob(1000), blob(1001))}})
	text := terminal.New(r, terminal.Options{})
	require.Contains(t, text, "binary: 3,000 → 3,003 bytes, sha256 ")
	require.Contains(t, text, "too large to compare: 2,000,000 → 2,002,000 bytes, sha256 ")
}

// Only a host's own name, as a whole word, and only where hosts become equal.
func TestMasking(t *testing.T) {
	pair := func(name, old, now string) review.Host {
		return host(name, side(bundle("b", file("/x", old))), side(bundle("b", file("/x", now))))
	}
	r := report(t, review.Input{Hosts: []review.Host{
		pair("web1.example.org", "id web1 web10 web1.example.org\n", "ID web1 web10 web1.example.org\n"),
		pair("web2.example.org", "id web2 web10 web2.example.org\n", "ID web2 web10 web2.example.org\n"),
		pair("web3.example.org", "id web1 web10\n", "ID web1 web10\n"),
	}})
	require.Len(t, r.Changes[0].Variants, 2)
	require.True(t, r.Changes[0].Variants[0].Masked)
	require.Equal(t, "ID ‹host› web10 ‹host›", r.Changes[0].Variants[0].Hunks[0].Lines[1].Text)
	require.Equal(t, "ID web1 web10", r.Changes[0].Variants[1].Hunks[0].Lines[1].Text)

	a, b := pair("a", "ip 10.0.0.1\nctx a\n", "IP 10.0.0.1\nctx a\n"), pair("b", "ip 10.0.0.2\nctx other\n", "IP 10.0.0.2\nctx other\n")
	a.Addresses, b.Addresses = []string{"10.0.0.1"}, []string{"10.0.0.2"}
	r = report(t, review.Input{Hosts: []review.Host{a, b}})
	require.Len(t, r.Changes[0].Variants, 1)
	require.True(t, r.Changes[0].Variants[0].Context)
	require.Contains(t, markdown.New(r, markdown.Options{}).Body, "+IP ‹ip›")
}

func TestTypeChangeIsOneChange(t *testing.T) {
	r := report(t, review.Input{Hosts: []review.Host{host("a",
		side(bundle("b", entry("Package", "p", "type", "deb", "version", "1"))),
		side(bundle("b", entry("Package", "p", "type", "rpm", "version", "1"))))}})
	require.Len(t, r.Changes, 1)
	require.Equal(t, review.EntryModified, r.Changes[0].Kind)
	require.Empty(t, r.Impact)
}

func TestOrderOnly(t *testing.T) {
	a, b := file("/a", "1"), file("/b", "2")
	r := report(t, review.Input{Hosts: []review.Host{host("a", side(bundle("x", a, b)), side(bundle("x", b, a)))}})
	require.Equal(t, 1, r.Totals.Equivalent)
	require.Empty(t, r.Hosts)
	require.True(t, strings.HasSuffix(markdown.New(r, markdown.Options{}).Body, "(1 built and compared; order or wording only on 1).\n"))
}

func TestBadInput(t *testing.T) {
	_, err := review.New(t.Context(), review.Input{Key: []byte("short")})
	require.ErrorContains(t, err, "at least 16")
	h := host("a", side(), side())
	_, err = review.New(t.Context(), review.Input{Key: key, Hosts: []review.Host{h, h}})
	require.ErrorContains(t, err, "twice")
	_, err = review.New(t.Context(), review.Input{Key: key, Hosts: []review.Host{host("a", nil, nil)}})
	require.ErrorContains(t, err, "neither side")
}

// 900 distinct changes: the verdict, the errors and every removal stand, the
// rest is counted.
func TestTooBig(t *testing.T) {
	var old, now []*config.Entry
	for i := range 900 {
		name := fmt.Sprintf("/etc/many/%03d", i)
		text := strings.Repeat("line of context\n", 10) + fmt.Sprint(i)
		old = append(old, file(name, text+" old\n"))
		now = append(now, file(name, text+" new\n"))
	}
	for i := range 41 {
		old = append(old, entry("Package", fmt.Sprintf("gone%02d", i), "type", "deb"))
	}
	r := report(t, review.Input{Hosts: []review.Host{host("a", side(bundle("b", old...)), side(bundle("b", now...)))}})
	checkMarkdown(t, r, markdown.DefaultBudget)
	page := markdown.New(r, markdown.Options{})
	require.True(t, page.OK())
	for i := range 41 {
		require.Contains(t, page.Body, fmt.Sprintf("<code>gone%02d</code> removed", i))
	}
	require.Positive(t, page.Cut.Full)
	require.Positive(t, page.Cut.OneLine)
	require.Positive(t, page.Cut.Dropped)
	require.Greater(t, len(page.Body), 50_000, "the room is used")

	for i := range 2000 {
		old = append(old, entry("Package", fmt.Sprintf("more%04d", i), "type", "deb"))
	}
	r = report(t, review.Input{Hosts: []review.Host{host("a", side(bundle("b", old...)), side(bundle("b", now...)))}})
	checkMarkdown(t, r, markdown.DefaultBudget)
	page = markdown.New(r, markdown.Options{})
	require.False(t, page.OK())
	require.Positive(t, page.Cut.Removals)
	require.True(t, r.Verdict.OK, "the page is red although the change builds")
}

// The change of the documentation: 400 hosts, three files.
func TestSmallChangeIsShort(t *testing.T) {
	in := site()
	in.Hosts = slices.DeleteFunc(in.Hosts, func(h review.Host) bool { return h.Groups[0] == "db" })
	require.Len(t, in.Hosts, 400)
	page := markdown.New(report(t, in), markdown.Options{})
	require.Less(t, utf8.RuneCountInString(page.Body), 5_000)
	require.Zero(t, page.Cut.Dropped+page.Cut.OneLine+page.Cut.Lines)
}

// 5,000 distinct changes, every fifth a removal: the comment keeps its budget, and each
// removal is shown or counted in the verdict.
func TestManyChanges(t *testing.T) {
	const changes, removals = 5000, 1000
	var old, now []*config.Entry
	for i := range changes {
		name := fmt.Sprintf("/etc/%s/%04d", strings.Repeat("deep/", i%7), i)
		old = append(old, file(name, fmt.Sprint("old ", i, "\n")))
		if i%(changes/removals) != 0 {
			now = append(now, file(name, fmt.Sprint("new ", i, "\n")))
		}
	}
	r := report(t, review.Input{Hosts: []review.Host{host("a", side(bundle("b", old...)), side(bundle("b", now...)))}})
	require.Len(t, r.Changes, changes)
	for _, budget := range []int{16_000, markdown.DefaultBudget, 1 << 20} {
		checkMarkdown(t, r, budget)
		page := markdown.New(r, markdown.Options{Budget: budget})
		shown := strings.Count(page.Body, "no longer managed</b>")
		require.Equal(t, removals, shown+page.Cut.Removals, "with %d bytes", budget)
		require.Equal(t, changes, page.Cut.Full+page.Cut.OneLine+page.Cut.Dropped)
		require.Equal(t, page.Cut.Removals == 0, page.OK())
		if !page.OK() {
			require.Contains(t, page.Body, fmt.Sprintf("### ❌ %d removals do not fit here", page.Cut.Removals))
		}
	}
}

// What was measured while a comment was made is no reason to write it again; all else is.
func TestLasting(t *testing.T) {
	t.Parallel()
	body := func(built, reused int, took time.Duration) string {
		r := report(t, review.Input{Hosts: []review.Host{host("a", side(bundle("b", file("/x", "1\n"))), side(bundle("b", file("/x", "2\n"))))}})
		r.Meta.Built, r.Meta.Reused, r.Meta.Took = built, reused, took
		return markdown.New(r, markdown.Options{}).Body
	}
	first := body(2, 0, 8*time.Millisecond)
	require.Contains(t, first, " · built 2 in 8 ms\n")
	for _, again := range []string{body(2, 0, 5*time.Millisecond), body(1, 1, 2*time.Second)} {
		require.NotEqual(t, first, again)
		require.Equal(t, markdown.Lasting(first), markdown.Lasting(again))
	}
	require.Equal(t, strings.Count(first, "\n"), strings.Count(markdown.Lasting(first), "\n"))
	other := "-a\n+it was built 2 in 8 ms\n"
	require.Equal(t, other, markdown.Lasting(other))
}
