// SPDX-License-Identifier: Apache-2.0

package host

import (
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// A specification cannot name so many hosts that to build them fills the memory.
func TestTooManyClients(t *testing.T) {
	var b strings.Builder
	b.WriteString("<Clients>\n")
	for i := range maxClients + 1 {
		b.WriteString(`<Client name="h` + strconv.Itoa(i) + `" profile="p"/>` + "\n")
	}
	b.WriteString("</Clients>\n")
	_, p := readClients(fstest.MapFS{ClientsFile: {Data: []byte(b.String())}})
	require.NotNil(t, p)
	require.Equal(t, "too-many-clients", p.Code)
	require.Equal(t, maxClients+2, p.Pos.Line)
}
