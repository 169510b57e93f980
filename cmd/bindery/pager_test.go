// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPaged(t *testing.T) {
	var out bytes.Buffer
	s := streams{Out: &out, Err: &out}
	hello := func(w io.Writer) error {
		_, err := io.WriteString(w, "hello\n")
		return err
	}
	require.NoError(t, paged(t.Context(), s, "", hello))
	require.Equal(t, "hello\n", out.String())
	out.Reset()
	require.NoError(t, paged(t.Context(), s, "sed s/h/j/", hello))
	require.Equal(t, "jello\n", out.String())

	long := func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Repeat("line\n", 1<<16))
		return err
	}
	require.NoError(t, paged(t.Context(), s, "head -n 1 >/dev/null", long), "closing the pager is no error")
	require.ErrorContains(t, paged(t.Context(), s, "exit 3", func(io.Writer) error { return nil }), "exit status 3")

	for value, want := range map[string]string{"": "", "cat": "", "most -s": "most -s"} {
		t.Setenv("PAGER", value)
		require.Equal(t, want, pagerCommand())
	}
}
