// SPDX-License-Identifier: Apache-2.0

package py_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/py"
)

// recorded holds, for the first programs, a digest of each and of what Python 3
// made of it, so that the ordinary tests need no Python. Where writer changes,
// BINDERY_UPDATE=1 make python-agreement N=2000 records them again.
const recorded = "testdata/agreement.txt"

// program is code with what Python 3 leaves in the name out.
type program struct{ code, want string }

// digest is what is recorded of a program.
func (p program) digest() string {
	sum := sha256.Sum256([]byte(p.code + "\x00" + p.want))
	return hex.EncodeToString(sum[:8])
}

// endless is the answer to a program that chance made run without end.
const endless = "!Endless"

// TestAgreement holds programs by chance against what Python 3 makes of them: the
// recorded ones, or with BINDERY_AGREE=N so many, from BINDERY_AGREE_FROM on, of
// which the python3 of the machine is asked.
func TestAgreement(t *testing.T) {
	if n := number(t, "BINDERY_AGREE"); n > 0 {
		compare(t, number(t, "BINDERY_AGREE_FROM"), n)
		return
	}
	data, err := os.ReadFile(recorded)
	require.NoError(t, err)
	lines := strings.Fields(string(data))
	require.Greater(t, len(lines), 1000)
	for i, want := range lines {
		if want == endless {
			continue
		}
		p := program{code: write(uint64(i))}
		p.want = answer(p.code)
		require.Equal(t, want, p.digest(), "\"make python-agreement\" tells what Python 3 makes of it; here:\n%s\n%s", p.code, p.want)
	}
}

// compare asks the python3 of the machine.
func compare(t *testing.T, from, n int) {
	t.Helper()
	programs := fresh(t, from, n)
	var bad []string
	for i, p := range programs {
		if p.want == endless {
			continue
		}
		if got := answer(p.code); got != p.want {
			bad = append(bad, fmt.Sprintf("program %d:\n%s\nPython 3: %s\nhere:     %s\n", from+i, p.code, p.want, got))
		}
	}
	require.Empty(t, strings.Join(bad[:min(len(bad), 20)], "\n"), "%d of %d programs differ", len(bad), n)
	t.Logf("%d programs agree", n)
	if os.Getenv("BINDERY_UPDATE") != "" {
		record(t, programs)
	}
}

// number reads a variable of the environment.
func number(t *testing.T, name string) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	require.NoError(t, err, name)
	return n
}

// fresh writes n programs and asks the python3 of the machine about them.
func fresh(t *testing.T, from, n int) []program {
	t.Helper()
	codes := make([]string, n)
	for i := range codes {
		codes[i] = write(uint64(from + i))
	}
	out := make([]program, n)
	for i, want := range ask(t, codes) {
		out[i] = program{codes[i], want}
	}
	return out
}

// ask gives what the python3 of the machine makes of programs.
func ask(t *testing.T, codes []string) []string {
	t.Helper()
	var in bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, code := range codes {
		require.NoError(t, enc.Encode(code))
	}
	cmd := exec.CommandContext(t.Context(), "python3", "-I", "testdata/agree.py")
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = &in, &stderr
	answers, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	dec := json.NewDecoder(bytes.NewReader(answers))
	out := make([]string, len(codes))
	for i := range out {
		require.NoError(t, dec.Decode(&out[i]))
	}
	return out
}

func record(t *testing.T, programs []program) {
	t.Helper()
	var b strings.Builder
	for _, p := range programs {
		if p.want == endless {
			b.WriteString(endless + "\n")
			continue
		}
		b.WriteString(p.digest() + "\n")
	}
	require.NoError(t, os.WriteFile(recorded, []byte(b.String()), 0o644))
}

// answer is what a program leaves in the name out, as agree.py writes it.
func answer(code string) string {
	p, err := py.Parse(code, 1)
	if err != nil {
		return "!SyntaxError"
	}
	th := python.NewThread(world())
	defer th.Close()
	names := py.Names{}
	if err = p.Run(th, names); err == nil {
		var s string
		if s, err = th.Repr(names["out"]); err == nil {
			return s
		}
	}
	var r *py.Raised
	if errors.As(err, &r) {
		return "!" + r.Class
	}
	return "!" + err.Error()
}
