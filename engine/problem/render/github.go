// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/bindery/bindery/engine/problem"
)

// GitHub writes workflow commands, which GitHub shows beside the lines of a
// change. prefix is the folder of the specification within the repository.
func GitHub(w io.Writer, problems []*problem.Problem, prefix string) error {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	out := bufio.NewWriter(w)
	for _, p := range problems {
		command := "error"
		if p.Severity == problem.Warning {
			command = "warning"
		}
		var at []string
		if p.Pos.File != "" {
			at = append(at, "file="+property.Replace(prefix+p.Pos.File))
		}
		if p.Pos.Line > 0 {
			at = append(at, fmt.Sprintf("line=%d", p.Pos.Line))
		}
		if p.Pos.Column > 0 {
			at = append(at, fmt.Sprintf("col=%d", p.Pos.Column))
		}
		at = append(at, "title="+property.Replace(p.Code))
		msg := p.Msg
		if p.Hint != "" {
			msg += "\n" + p.Hint
		}
		fmt.Fprintf(out, "::%s %s::%s\n", command, strings.Join(at, ","), data.Replace(msg))
	}
	return out.Flush()
}
