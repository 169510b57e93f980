// SPDX-License-Identifier: Apache-2.0

//go:build gitea

package e2e_test

import (
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/webhooks/forgetest"
	"github.com/bindery/bindery/webhooks/gitea/giteatest"
)

// shapes holds the fake of the tests against the server: it answers with no field that
// the server does not have, and none of another kind.
func (w *world) shapes() {
	number, head := w.propose("shape", motd("A shape."))
	w.forge.preview(number, "head="+head)
	w.forge.check(head, "success")
	fake := w.fake("main", "shape")
	_, err := fake.AddStatus(w.Context(), forgetest.Status{Commit: head, State: "success", Context: "x", Author: forgetest.User{ID: 1, Login: alice}}, "success")
	require.NoError(w, err)
	_, err = fake.AddComment(w.Context(), 1, forgetest.User{ID: 1, Login: alice}, "hello")
	require.NoError(w, err)
	server := httptest.NewServer(fake)
	defer server.Close()
	double := &forge{t: w.T, url: server.URL, tokens: w.forge.tokens}

	for path, real := range map[string]string{
		"user":                                              "",
		"repos/" + repo + "/pulls?state=open":               "",
		"repos/" + repo + "/pulls/1":                        fmt.Sprintf("repos/%s/pulls/%d", repo, number),
		"repos/" + repo + "/issues/1/comments":              fmt.Sprintf("repos/%s/issues/%d/comments", repo, number),
		"repos/" + repo + "/collaborators/alice/permission": "",
		"repos/" + repo + "/commits/" + head + "/statuses":  "",
	} {
		if real == "" {
			real = path
		}
		var theirs, ours any
		require.Equal(w, 200, w.forge.ask(alice, "GET", real, nil, &theirs), real)
		require.Equal(w, 200, double.ask(alice, "GET", path, nil, &ours), path)
		require.Empty(w, differ(path, ours, theirs))
	}
	refs := w.alice.git("ls-remote", "origin")
	require.Contains(w, refs, fmt.Sprintf("refs/pull/%d/head", number))
	require.NotContains(w, refs, "/merge", "the server makes no merge that could be shown")
	w.forge.of("PATCH", fmt.Sprintf("pulls/%d", number), object{"state": "closed"}, nil)
}

// fake is the forge of the tests with a pull request from one branch to another.
func (w *world) fake(base, head string) *forgetest.Server {
	w.Helper()
	f, err := giteatest.New(w.Context(), forgetest.Config{
		Dir: w.TempDir(), Repo: repo, Users: map[string]forgetest.User{w.forge.tokens[alice]: {ID: 1, Login: alice}},
	})
	require.NoError(w, err)
	w.alice.git("push", "-q", f.RepoDir(), base, head)
	_, err = f.OpenPull(w.Context(), forgetest.Pull{Title: "A shape", Head: head, BaseRef: base, Author: forgetest.User{ID: 1, Login: alice}})
	require.NoError(w, err)
	return f
}

// differ lists where a value has what another has not, or of another kind. Either may
// say null where the other has something.
func differ(at string, ours, theirs any) (out []string) {
	switch ours := ours.(type) {
	case nil:
	case map[string]any:
		other, ok := theirs.(map[string]any)
		if !ok {
			return []string{at + " is no object at the server"}
		}
		for key, value := range ours {
			there, ok := other[key]
			if !ok {
				out = append(out, at+"."+key+" is not there at the server")
			} else if there != nil {
				out = append(out, differ(at+"."+key, value, there)...)
			}
		}
	case []any:
		other, ok := theirs.([]any)
		if !ok || len(other) == 0 || len(ours) == 0 {
			return []string{at + " is an empty list, or none at the server"}
		}
		return differ(at+"[]", ours[0], other[0])
	default:
		if a, b := strings.TrimPrefix(fmt.Sprintf("%T", ours), "*"), fmt.Sprintf("%T", theirs); a != b {
			out = append(out, fmt.Sprintf("%s is %s, at the server %s", at, a, b))
		}
	}
	return out
}
