// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/require"
)

const body = `<!-- bindery-preview:v1 app=1 pr=1 head=a base=b seq=1 digest=sha256:c -->
### ✅ 2 hosts change, all build

| 8 hosts in spec | | What will happen | Hosts |
|---|---:|---|---:|
| Changed | **2** | service restart: <code>a-service-with-a-long-name</code>, <code>another-service</code> | **2** |

` + "`head a` merged onto `main b` · see [the report](http://x.example/) &lt;b&gt;" + `

<details open><summary>🗑 <b>package <code>telnet</code> removed</b>: 2 hosts</summary>

~~~diff
-Package  telnet
~~~
</details>
<details><summary>➕ <b><code>/etc/long</code></b></summary>

~~~~diff
+1
+2
+3
+~~~
+5
+6
+7
+8
+9 ` + "\x1b[2J" + `
+10
~~~~
</details>
`

// rendered is what the page looks like.
func rendered(t *testing.T, width, most int, color bool) string {
	t.Helper()
	var out bytes.Buffer
	d := &Demo{say: &screen{w: &out, width: width, color: color}}
	d.page(body, most)
	return out.String()
}

func TestPage(t *testing.T) {
	require.Equal(t, `   ┃ ✅ 2 hosts change, all build
   ┃ 
   ┃ 8 hosts in spec     What will happen               Hosts
   ┃ Changed          2  service restart:               2
   ┃                     a-service-with-a-long-name,
   ┃                     another-service
   ┃ 
   ┃ head a merged onto main b · see the report <b>
   ┃ 
   ┃ ▾ 🗑 package telnet removed: 2 hosts
   ┃     -Package  telnet
   ┃ ▸ ➕ /etc/long
   ┃     +1
   ┃     +2
   ┃     +3
   ┃     +~~~
   ┃     +5
   ┃     +6
   ┃     +7
   ┃     +8
   ┃   … 2 more lines
`, rendered(t, 64, 100, false))
}

func TestPageFitsAndIsSafe(t *testing.T) {
	for _, width := range []int{60, 80, 120} {
		for line := range strings.Lines(rendered(t, width, 100, true)) {
			require.LessOrEqual(t, text.StringWidthWithoutEscSequences(strings.TrimRight(line, "\n")), width, line)
			require.NotContains(t, line, "\x1b[2J")
		}
	}
	short := rendered(t, 100, 3, false)
	require.Equal(t, 4, strings.Count(short, "\n"), short)
	require.Regexp(t, `… \d+ more lines\n$`, short)
}

func TestWords(t *testing.T) {
	require.Equal(t, `run --schedule '@every 2s' '' 'it'\''s'`, words([]string{"run", "--schedule", "@every 2s", "", "it's"}))
}

func TestOutputKeepsItsEnds(t *testing.T) {
	var out bytes.Buffer
	s := &screen{w: &out, width: 40}
	s.output(strings.Repeat("x\n", 30) + "sum\x1b[0m\n")
	require.Equal(t, firstLines+lastLines+1, strings.Count(out.String(), "\n"))
	require.Contains(t, out.String(), "… 17 more lines")
	require.Contains(t, out.String(), "sum\uFFFD[0m")
	out.Reset()
	s.output("a very long line of prose that does not fit into forty columns\na  table    with wide gaps stays as it is though it is too wide\n")
	require.Equal(t, 3, strings.Count(out.String(), "\n"), out.String())
}

func TestFreePorts(t *testing.T) {
	ports, err := freePorts(t.Context(), 3)
	require.NoError(t, err)
	require.Len(t, ports, 3)
	require.NotEqual(t, ports[0], ports[1])
}
