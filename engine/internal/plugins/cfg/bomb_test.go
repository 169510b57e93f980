// SPDX-License-Identifier: Apache-2.0

package cfg

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A small file in a pull request must not inflate to something that fills the memory.
func TestPatchThatInflates(t *testing.T) {
	var sealed bytes.Buffer
	w := zlib.NewWriter(&sealed)
	_, err := w.Write(make([]byte, 8<<20))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	diff := fmt.Sprintf("diff --git a/a b/a\nindex 0000000..1111111 100644\nGIT binary patch\nliteral %d\n%s\nliteral 0\nHcmV?d00001\n\n",
		8<<20, base85(sealed.Bytes()))
	require.Equal(t, "error: it is a binary patch", patched("a\n", diff))
	require.Equal(t, "GIT binary patch\nb\n", patched("a\nb\n", "@@ -1,2 +1,2 @@\n-a\n+GIT binary patch\n b\n"))
}

// base85 is git's encoding of binary patches: lines of up to 52 bytes.
func base85(data []byte) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
	const length = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var b strings.Builder
	for len(data) > 0 {
		line := data[:min(52, len(data))]
		data = data[len(line):]
		b.WriteByte(length[len(line)-1])
		for len(line) > 0 {
			var word [4]byte
			line = line[copy(word[:], line):]
			n := uint32(word[0])<<24 | uint32(word[1])<<16 | uint32(word[2])<<8 | uint32(word[3])
			var out [5]byte
			for i := 4; i >= 0; i-- {
				out[i] = digits[n%85]
				n /= 85
			}
			b.Write(out[:])
		}
		b.WriteByte('\n')
	}
	return b.String()
}
