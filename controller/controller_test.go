// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/webhooks"
)

// A change goes the whole way: push, preview, merge, release, facts, release.
func TestAChangeGoesTheWholeWay(t *testing.T) {
	w := newWorld(t, basic)
	w.start()
	st := w.database()
	web, db := w.enrol(st, "web1"), w.enrol(st, "db1")
	w.until("web1 has its configuration", func() bool { return text(web.fetch(), "/etc/motd") == "hello\n" })

	// A host with probes waits for its facts, then gets what they make of it.
	waiting := db.fetch()
	w.until("db1 has its probes", func() bool { waiting = db.fetch(); return waiting != nil })
	require.True(t, waiting.Manifest.Waiting)
	require.Nil(t, waiting.Config)
	db.answer(waiting, map[string]string{"size": "group:big\n"})
	w.until("db1 is bound with its facts", func() bool { return text(db.fetch(), "/etc/big") == "big\n" })

	// A pull request is previewed in one comment and a status.
	w.git("checkout", "-q", "-b", "change")
	head := w.commit("louder", map[string]string{"Cfg/etc/motd/motd": "HELLO\n"})
	w.push("change")
	number := w.open("change")
	w.until("the check succeeds", func() bool {
		s := w.forge.Statuses(head)
		return len(s) > 0 && s[len(s)-1].State == string(webhooks.Success)
	})
	comments := w.forge.Comments(number)
	require.Len(t, comments, 1)
	require.Contains(t, comments[0].Body, "<!-- bindery-preview:v1 app=91234 pr=1 head="+head)
	require.Contains(t, comments[0].Body, "+HELLO")

	// What was reviewed is what is published.
	w.merge(number, "merge")
	w.until("the merge is published", func() bool { return text(web.fetch(), "/etc/motd") == "HELLO\n" })
	w.until("db1 has it too", func() bool { return text(db.fetch(), "/etc/motd") == "HELLO\n" })
	tip := w.git("ls-remote", w.remote(), "refs/heads/main")[:40]
	w.until("the branch is settled", func() bool { return w.outcome(st).Commit == tip })
	require.Equal(t, "published", w.outcome(st).Outcome)
	require.Empty(t, w.outcome(st).Detail, "everything was reviewed")

	// A commit that got worse changes nobody.
	bad := w.direct("broken", map[string]string{"Bundler/motd.xml": "<Bundle>\n  <Path\n</Bundle>\n"})
	w.until("the broken commit is refused", func() bool { r := w.outcome(st); return r.Commit == bad && r.Outcome == "refused" })
	require.Contains(t, w.outcome(st).Detail, "Bundler/motd.xml:3:")
	require.Equal(t, "HELLO\n", text(web.fetch(), "/etc/motd"))
}
