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
	ref := fmt.Sprintf("refs/heads/gh-readonly-queue/main/pr-%d-%s", number, on)
	if w.kind.name == atGitLab.name {
		ref = fmt.Sprintf("refs/merge-requests/%d/train", number)
	}
	w.git("push", "-q", "-f", w.remote(), "HEAD:"+ref)
	w.git("checkout", "-q", "main")
	return commit
}

func TestAMergeQueueIsComparedWithWhatWasReviewed(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{atGitHub, atGitLab} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			compareQueue(newWorldAt(t, k, basic))
		})
	}
}

func compareQueue(w *world) {
	t := w.t
	w.start()
	first, head1 := w.propose("one", louder)
	second, head2 := w.propose("two", map[string]string{"Bundler/motd.xml": `<Bundle name="motd"><Path name="/etc/motd"/><Path name="/etc/big"/></Bundle>` + "\n"})
	w.untilStatus(head1, webhooks.Success)
	w.untilStatus(head2, webhooks.Success)
	main := w.git("rev-parse", "main")

	equal := w.enqueue(first, main, head1, nil)
	both := w.enqueue(second, equal, head2, nil)
	event := "merge_group"
	if w.kind.name == atGitLab.name {
		event = "Pipeline Hook"
	}
	require.Equal(t, 202, w.deliver(event, "mg-1", hookSecret, []byte(`{"action":"checks_requested","repository":{"full_name":"`+repo+`"},
		"object_attributes":{"source":"merge_request_event","status":"pending"},"merge_request":{"iid":1},"project":{"path_with_namespace":"`+repo+`"}}`)))
	w.untilStatus(equal, webhooks.Success)
	require.Contains(t, w.status(equal).Description, "as reviewed")
	w.untilStatus(both, webhooks.Success)

	other := w.enqueue(first, main, head1, map[string]string{"Cfg/etc/motd/motd": "HELLO, and more\n"})
	failed := webhooks.Failure
	if w.kind.name == atGitLab.name {
		failed = "failed"
	}
	w.untilStatus(other, failed)
	require.Contains(t, w.status(other).Description, "not as reviewed: Path:/etc/motd")

	broken := w.enqueue(first, main, head1, map[string]string{"Bundler/motd.xml": "<Bundle>\n"})
	w.untilStatus(broken, failed)
	w.looks()
	for _, commit := range []string{equal, both, other, broken} {
		require.Len(t, w.forge.Statuses(commit), 1, "concluded once")
	}
}
