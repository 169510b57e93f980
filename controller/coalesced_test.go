// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/webhooks"
)

// both is plain with a second file.
func both() map[string]string {
	return plain(map[string]string{
		"Cfg/etc/issue/issue": "one\n",
		"Bundler/motd.xml":    `<Bundle name="motd"><Path name="/etc/motd"/><Path name="/etc/issue"/></Bundle>` + "\n",
	})
}

// A build that takes a reviewed merge and a direct push together tells them apart: what
// was reviewed is not among what is held.
func TestACoalescedBuildHoldsWhatNobodyReviewed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, both(), "publish: {unreviewed: hold}")
	st, web, _ := w.served()
	number, head := w.propose("change", louder)
	w.untilStatus(head, webhooks.Success)
	w.stop()
	w.merge(number, "squash")
	tip := w.direct("unseen", map[string]string{"Cfg/etc/issue/issue": "two\n"})
	w.start()
	ref := w.untilSettled(st, tip, "held")
	require.Contains(t, ref.Detail, "Path:/etc/issue on db1, web1")
	require.NotContains(t, ref.Detail, "/etc/motd")
	require.Equal(t, "hello\n", text(web.fetch(), "/etc/motd"), "nothing is published by halves")

	// A pull request that takes it back leaves what was reviewed.
	back, head := w.propose("back", map[string]string{"Cfg/etc/issue/issue": "one\n"})
	w.untilStatus(head, webhooks.Success)
	w.merge(back, "merge")
	ref = w.untilSettled(st, w.git("rev-parse", "main"), "published")
	require.Empty(t, ref.Detail)
	require.Equal(t, "HELLO\n", text(web.fetch(), "/etc/motd"))
	require.Equal(t, "one\n", text(web.fetch(), "/etc/issue"))
}

// A head that is behind the branch is reviewed as it merges, and so it is published,
// however it is merged.
func TestAHeadBehindTheBranchIsPublishedAsReviewed(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"merge", "squash", "rebase"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			w := newWorldAt(t, atGitea, both(), "publish: {unreviewed: hold}")
			st, web, _ := w.served()
			one, first := w.propose("one", louder)
			two, second := w.propose("two", map[string]string{"Cfg/etc/issue/issue": "two\n"})
			w.untilStatus(first, webhooks.Success)
			w.untilStatus(second, webhooks.Success)
			w.merge(one, method)
			w.untilWoken("the first is published", func() bool { return text(web.fetch(), "/etc/motd") == "HELLO\n" })
			w.merge(two, method)
			ref := w.untilSettled(st, w.git("rev-parse", "main"), "published")
			require.Empty(t, ref.Detail)
			require.Equal(t, "two\n", text(web.fetch(), "/etc/issue"))
		})
	}
}

// What the merge queue made and compared is published as reviewed.
func TestWhatTheMergeQueueMergesWasReviewed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, both(), "publish: {unreviewed: hold}")
	st, web, _ := w.served()
	first, head1 := w.propose("one", louder)
	second, head2 := w.propose("two", map[string]string{"Cfg/etc/issue/issue": "two\n"})
	w.untilStatus(head1, webhooks.Success)
	w.untilStatus(head2, webhooks.Success)
	one := w.enqueue(first, w.git("rev-parse", "main"), head1, nil)
	last := w.enqueue(second, one, head2, nil)
	w.untilStatus(last, webhooks.Success)
	w.stop()
	w.merge(first, "squash")
	w.merge(second, "squash")
	w.start()
	ref := w.untilSettled(st, w.git("rev-parse", "main"), "published")
	require.Empty(t, ref.Detail)
	require.Equal(t, "HELLO\n", text(web.fetch(), "/etc/motd"))
	require.Equal(t, "two\n", text(web.fetch(), "/etc/issue"))
}
