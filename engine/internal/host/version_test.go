// SPDX-License-Identifier: Apache-2.0

package host

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersion(t *testing.T) {
	for text, want := range map[string]struct {
		v       *Version
		follows bool
	}{
		"1.3.6":                          {&Version{1, 3, 6, "final", 0}, false},
		"1.3.100":                        {&Version{1, 3, 100, "final", 0}, false},
		"1.4.0pre1":                      {&Version{1, 4, 0, "pre", 1}, false},
		"1.4.0pre2":                      {&Version{1, 4, 0, "pre", 2}, true},
		"1.4.0rc1":                       {&Version{1, 4, 0, "rc", 1}, true},
		"1.4.0":                          {&Version{1, 4, 0, "final", 0}, true},
		"2.0.0":                          {&Version{2, 0, 0, "final", 0}, true},
		"":                               {},
		"1.4":                            {},
		"1.4.x":                          {},
		"1.4.0.1":                        {},
		"1.4.0pre9999999999999999999999": {},
	} {
		v := ParseVersion(text)
		require.Equal(t, want.v, v, text)
		require.Equal(t, want.follows, v.Follows(), text)
	}
}
