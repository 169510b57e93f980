// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/store"
)

func TestApprovalsCountPeopleOnce(t *testing.T) {
	s, _, _ := newStore(t)
	ctx := t.Context()
	ann := store.Approval{Repo: "r", Pull: 1, Hash: "h1", Account: 7, Login: "ann"}
	bob := store.Approval{Repo: "r", Pull: 1, Hash: "h1", Account: 8, Login: "bob"}
	elsewhere := store.Approval{Repo: "r", Pull: 2, Hash: "h1", Account: 7, Login: "ann"}
	renamed := ann
	renamed.Login = "anna"
	for _, a := range []store.Approval{ann, bob, elsewhere, ann, renamed} {
		require.NoError(t, s.PutApproval(ctx, a))
	}
	names := func(pull int) (out []string) {
		list, err := s.Approvals(ctx, "r", pull)
		require.NoError(t, err)
		for _, a := range list {
			require.False(t, a.At.IsZero())
			out = append(out, a.Hash+" "+a.Login)
		}
		return out
	}
	require.Equal(t, []string{"h1 ann", "h1 bob"}, names(1))
	require.Equal(t, []string{"h1 ann"}, names(2))
	require.NoError(t, s.DropApproval(ctx, ann))
	require.NoError(t, s.DropApproval(ctx, ann))
	require.Equal(t, []string{"h1 bob"}, names(1))
	require.Equal(t, []string{"h1 ann"}, names(2))
	require.Empty(t, names(3))
}
