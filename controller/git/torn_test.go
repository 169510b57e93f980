// SPDX-License-Identifier: Apache-2.0

package git_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// go-git writes refs in place: a process that is killed there leaves them empty.
func TestTornRefsHeal(t *testing.T) {
	for _, name := range []string{"HEAD", "refs/heads/main", "config"} {
		t.Run(name, func(t *testing.T) {
			o := newOrigin(t)
			o.write("a", "1")
			o.commit()
			o.push("main")
			dir := filepath.Join(t.TempDir(), "m")
			m := o.mirror(dir)
			require.NoError(t, m.Fetch(t.Context()))
			require.NoError(t, m.Close())
			require.NoError(t, os.Truncate(filepath.Join(dir, name), 0))
			m = o.mirror(dir)
			require.NoError(t, m.Fetch(t.Context()))
			require.Equal(t, "1", o.read(m, "main", "a"))
		})
	}
}
