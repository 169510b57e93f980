// SPDX-License-Identifier: Apache-2.0

package layout_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/layout"
)

// Whatever a report says will happen has words and an icon.
func TestImpactsHaveWords(t *testing.T) {
	for _, kind := range review.Impacts() {
		icon, words := layout.Impact(kind)
		require.NotEmpty(t, icon, kind)
		require.NotEmpty(t, words, kind)
	}
}
