// SPDX-License-Identifier: Apache-2.0

package review_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/markdown"
	"github.com/bindery/bindery/engine/review/terminal"
)

// What a service is told when its bundle changes depends on all of its attributes.
func TestEffectsOfABundle(t *testing.T) {
	service := func(name string, more ...string) *config.Entry {
		return entry("Service", name, append([]string{"type", "systemd", "status", "on"}, more...)...)
	}
	action := func(name, command string) *config.Entry {
		return entry("Action", name, "timing", "post", "when", "modified", "command", command)
	}
	common := []*config.Entry{
		service("plain"), service("gentle", "target", "reload"), service("ends", "target", "stop"), service("starts", "target", "start"),
		service("kept", "install", "false"), service("old", "mode", "manual"), service("older", "mode", "supervised", "target", "reload"),
		service("custom", "mode", "custom", "target", "reload"), service("new", "mode", "manual", "bootstatus", "on"), entry("Service", "off", "status", "off"),
		action("say", "echo do not reboot-now"), action("again", "/sbin/shutdown -r now"), action("kexec", "systemctl --no-block kexec"), action("six", "telinit 6"), entry("PostInstall", "init 6"), entry("PostInstall", "ldconfig"),
	}
	b := func(text string) *review.Side {
		return side(bundle("app", append([]*config.Entry{file("/etc/app", text)}, common...)...))
	}
	r := report(t, review.Input{Hosts: []review.Host{host("a", b("1\n"), b("2\n"))}})
	require.Equal(t, []string{
		"reboot again", "reboot init 6", "reboot kexec", "reboot six", "stop ends", "restart new", "restart older", "restart plain", "reload custom", "reload gentle", "run ldconfig", "run say",
	}, r.Changes[0].Effects)
	require.Equal(t, review.Reboot, r.Changes[0].Severity)
	require.Equal(t, "reboot", r.Impact[0].Kind)
	require.Contains(t, markdown.New(r, markdown.Options{}).Body, "| ⚡ reboot: <code>again</code>, <code>init 6</code>, <code>kexec</code>, +1 more |")
}

// Members in another order are one line; another member or rule is a change of rights.
func TestOrderOfChildren(t *testing.T) {
	user := func(groups ...string) *config.Entry {
		e := config.Entry{Tag: "POSIXUser", Attrs: attrs("name", "ann")}
		for _, g := range groups {
			e.Children = append(e.Children, &config.Node{Tag: "MemberOf", Attrs: attrs("group", g)})
		}
		return config.NewEntry(e)
	}
	list := func(perms string) *config.Entry {
		return config.NewEntry(config.Entry{Tag: "Path", Attrs: attrs("name", "/srv", "type", "directory"), Children: []*config.Node{{Tag: "ACL", Attrs: attrs("perms", perms)}}})
	}
	of := func(old, now *config.Entry) *review.Report {
		return report(t, review.Input{Hosts: []review.Host{host("a", side(bundle("b", old)), side(bundle("b", now)))}})
	}
	r := of(user("a", "b"), user("b", "a"))
	require.Equal(t, review.Order, r.Changes[0].Severity)
	require.Contains(t, markdown.New(r, markdown.Options{}).Body, "\n- ↕️ <b>posixuser <code>ann</code> order only</b>: 1 host")
	require.Equal(t, review.Sensitive, of(user("a", "b"), user("a", "c")).Changes[0].Severity)
	r = of(list("r"), list("rwx"))
	require.Equal(t, review.Sensitive, r.Changes[0].Severity)
	require.Equal(t, "rights", r.Impact[0].Kind)
}

// What hosts said stands beside what changes, and nowhere where nothing was said.
func TestWhatHostsSaid(t *testing.T) {
	base, head := side(bundle("b", entry("Package", "xinetd", "type", "deb"), file("/etc/x", "1\n"))), side(bundle("b", file("/etc/x", "2\n")))
	var hosts []review.Host
	for i := range 4 {
		hosts = append(hosts, host(fmt.Sprintf("edge%02d", i), base, head))
	}
	hosts[1].Drifted = []config.Key{{Tag: "Path", Name: "/etc/x"}, {Tag: "Path", Name: "/etc/other"}}
	hosts[2].Extra = []config.Key{{Tag: "Service", Name: "xinetd"}, {Tag: "Path", Name: "xinetd"}}
	hosts[3].Extra = hosts[2].Extra
	r := report(t, review.Input{Hosts: hosts})
	require.Equal(t, 1, r.Totals.Drifted)
	for name, view := range views(t, r) {
		if name == "json" {
			continue
		}
		require.Contains(t, strings.ToLower(view), "already drifted on touched entries", name)
		require.Contains(t, view, "2 hosts list a service of this name as extra today", name)
		require.Contains(t, view, "1 host says that it is not as it should be today", name)
		require.Contains(t, view, "edge[02-03]", name)
	}
	require.Contains(t, pageOf(t, r), "2 hosts list a service of this name as extra today")
	for i := range hosts {
		hosts[i].Drifted, hosts[i].Extra = nil, nil
	}
	require.NotContains(t, markdown.New(report(t, review.Input{Hosts: hosts}), markdown.Options{}).Body, "drifted")
}

// A variant that is the first one with other words says so.
func TestVariantInWords(t *testing.T) {
	pair := func(name, dc, net string) []review.Host {
		old, now := side(bundle("b", file("/x", "at "+net+".0.1\n"))), side(bundle("b", file("/x", "at ntp."+dc+".example, of "+dc+"\n")))
		return []review.Host{host(name+"1", old, now), host(name+"2", old, now)}
	}
	r := report(t, review.Input{Hosts: append(pair("a", "dc1", "10.1"), pair("b", "dc2", "10.1")...)})
	require.Equal(t, []review.Swap{{Old: "dc1", New: "dc2"}}, r.Changes[0].Variants[1].Like)
	require.Contains(t, markdown.New(r, markdown.Options{}).Body, "**2 hosts** <code>b[1-2]</code>: the same, with <code>dc2</code> for <code>dc1</code>\n")
	checkShown(t, markdown.New(r, markdown.Options{}).Body)
	r = report(t, review.Input{Hosts: append(pair("a", "dc1", "10.1"), pair("b", "dc2", "192.168.7")...)})
	require.Empty(t, r.Changes[0].Variants[1].Like, "another number of words")
	r = report(t, review.Input{Hosts: append(pair("a", "dc1", "10.1"), pair("b", "of", "10.1")...)})
	require.Empty(t, r.Changes[0].Variants[1].Like, "the word stands there already")
}

func TestMaskingOfIDs(t *testing.T) {
	var hosts []review.Host
	for i := range 3 {
		id := fmt.Sprintf("4c4c4544-0042-%04d", i)
		h := host(fmt.Sprintf("h%d", i), side(bundle("b", file("/id", "id "+id+"\n"))), side(bundle("b", file("/id", "uuid "+id+"\n"))))
		h.IDs = []string{id}
		hosts = append(hosts, h)
	}
	r := report(t, review.Input{Hosts: hosts})
	require.Len(t, r.Changes[0].Variants, 1)
	require.Equal(t, "uuid ‹host›", r.Changes[0].Variants[0].Hunks[0].Lines[1].Text)
}

// What surrounds a preview: a base that moved, other pull requests, commands.
func TestSurroundings(t *testing.T) {
	in := site()
	in.Meta.Commands = true
	in.Meta.Moved = &review.Moved{Commits: 3, Same: true}
	in.Meta.Others = []review.Other{{Number: 398, Entries: []string{"Path:/etc/ntp.conf"}, Hosts: review.Hosts{Names: make([]string, 240)}}}
	r := report(t, in)
	for _, body := range []string{markdown.New(r, markdown.Options{}).Body, strings.Join(strings.Fields(checkPage(t, pageOf(t, r))), " ")} {
		require.Contains(t, body, " moved by 3 commits since the last preview. What hosts would get is unchanged")
		require.Contains(t, body, "Also touching these hosts: #398 (")
		require.Contains(t, body, "/bindery show HOST")
	}
	require.Contains(t, markdown.New(r, markdown.Options{}).Body, "<summary>Other pull requests · commands</summary>")
	in.Meta.Moved.Same = false
	require.Contains(t, markdown.New(report(t, in), markdown.Options{}).Body, "look again")

	stranger := review.Unbuilt(review.Meta{Head: strings.Repeat("a", 40), Commands: true, Touches: []string{"Cfg/etc/@all/motd"}, Possible: 12}, nil, nil)
	body := markdown.New(stranger, markdown.Options{}).Body
	require.Contains(t, body, "<code>/bindery preview "+strings.Repeat("a", 40)+"</code>")
	require.Contains(t, body, "It touches <code>Cfg/etc/&#64;all/motd</code>, which may reach 12 hosts at most.")
	checkShown(t, body)
}

// What the comment has no room for goes on beside it, and the comment says what it is.
func TestOverflow(t *testing.T) {
	var old, now []*config.Entry
	for i := range 900 {
		name := fmt.Sprintf("/etc/many/%03d", i)
		text := strings.Repeat("line of context\n", 10) + fmt.Sprint(i)
		old, now = append(old, file(name, text+" old\n")), append(now, file(name, text+" new\n"))
	}
	r := report(t, review.Input{Hosts: []review.Host{host("a", side(bundle("b", old...)), side(bundle("b", now...)))}})
	page := markdown.New(r, markdown.Options{})
	require.Regexp(t, `\*\*Not shown here: \d+ changes\*\* on 1 host each, all “content only, no restart”\.`, page.Body)
	require.Greater(t, len(page.Rest), 50_000)
	require.LessOrEqual(t, len(page.Rest), 65_535)
	checkShown(t, page.Rest)
	for i := range 900 {
		if name := fmt.Sprintf("<code>/etc/many/%03d</code>", i); !strings.Contains(page.Body, name) {
			require.Contains(t, page.Rest, name+"</b>: 1 host", "it goes on where the comment ends")
			break
		}
	}
	require.Empty(t, markdown.New(report(t, site()), markdown.Options{}).Rest, "nothing is missing")
}

// Of lines that are too long for the comment it shows where they differ, and says that
// they are not whole; beside the comment there is more of them.
func TestLongLinesShowWhereTheyDiffer(t *testing.T) {
	line := func(end string) *review.Side {
		return side(bundle("b", file("/etc/long", strings.Repeat("é", 3000)+end+strings.Repeat("y", 900)+"\n")))
	}
	r := report(t, review.Input{Hosts: []review.Host{host("a", line("before"), line("behind"))}})
	checkMarkdown(t, r, markdown.DefaultBudget)
	page := markdown.New(r, markdown.Options{})
	require.Regexp(t, `(?m)^-‹2,9\d\d characters\+› …é+before.*… ‹\+\d+ characters›$`, page.Body)
	require.Regexp(t, `(?m)^\+‹2,9\d\d characters\+› …é+behind.*… ‹\+\d+ characters›$`, page.Body)
	require.Contains(t, page.Body, "✂️ Shown: 1 of 1 change, 2 long lines shortened.")
	require.Equal(t, 2, page.Cut.Short)
	require.Contains(t, page.Rest, "+"+strings.Repeat("é", 3000)+"behind"+strings.Repeat("y", 900)+"\n")
	require.Contains(t, page.Rest, "✂️ Shown: 1 of 1 change, all hunks whole.")
	checkShown(t, page.Rest)
	require.Contains(t, terminal.New(r, terminal.Options{}), "+"+strings.Repeat("é", 3000)+"behind")
}
