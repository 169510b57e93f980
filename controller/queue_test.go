// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/webhooks"
)

// enqueue makes what the queue makes of a pull request: main with it, squashed.
func (w *world) enqueue(number int, on, head string, more map[string]string) string {
	w.t.Helper()
	w.git("checkout", "-q", "--detach", on)
	w.git("merge", "-q", "--squash", head)
	commit := w.commit(fmt.Sprintf("merge of %d", number), more)
	w.git("push", "-q", "-f", w.remote(), fmt.Sprintf("HEAD:refs/heads/gh-readonly-queue/main/pr-%d-%s", number, on))
	w.git("checkout", "-q", "main")
	return commit
}

func TestAMergeQueueIsComparedWithWhatWasReviewed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basic)
	w.start()
	first, head1 := w.propose("one", louder)
	second, head2 := w.propose("two", map[string]string{"Bundler/motd.xml": `<Bundle name="motd"><Path name="/etc/motd"/><Path name="/etc/big"/></Bundle>` + "\n"})
	w.untilStatus(head1, webhooks.Success)
	w.untilStatus(head2, webhooks.Success)
	main := w.git("rev-parse", "main")

	equal := w.enqueue(first, main, head1, nil)
	both := w.enqueue(second, equal, head2, nil)
	require.Contains(t, fmt.Sprint(w.deliver("merge_group", "mg-1", hookSecret, []byte(`{"action":"checks_requested","repository":{"full_name":"`+repo+`"}}`))), "20")
	w.untilStatus(equal, webhooks.Success)
	require.Contains(t, w.status(equal).Description, "as reviewed")
	w.untilStatus(both, webhooks.Success)

	other := w.enqueue(first, main, head1, map[string]string{"Cfg/etc/motd/motd": "HELLO, and more\n"})
	w.untilStatus(other, webhooks.Failure)
	require.Contains(t, w.status(other).Description, "not as reviewed: Path:/etc/motd")

	broken := w.enqueue(first, main, head1, map[string]string{"Bundler/motd.xml": "<Bundle>\n"})
	w.untilStatus(broken, webhooks.Failure)
	w.looks()
	for _, commit := range []string{equal, both, other, broken} {
		require.Len(t, w.forge.Statuses(commit), 1, "concluded once")
	}
}
