// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"maps"
	"slices"
)

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
