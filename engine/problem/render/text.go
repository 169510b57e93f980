// SPDX-License-Identifier: Apache-2.0

package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/bindery/bindery/engine/problem"
)

const (
	// tabStop is where tabs lead to in what is shown.
	tabStop = 8
	// maxShown bounds a line, in cells; of a longer one the part around the column is shown.
	maxShown = 120
)

// TextConfig says how Text shows problems.
type TextConfig struct {
	// Source gives the lines; nil: none are shown.
	Source Source
	// Colour writes ANSI colours, for terminals.
	Colour bool
}

// paint holds the escape sequences in use; all are empty without colours.
type paint struct{ err, warn, bold, dim, off string }

func (c TextConfig) paint() paint {
	if !c.Colour {
		return paint{}
	}
	return paint{err: "\x1b[1;31m", warn: "\x1b[1;33m", bold: "\x1b[1m", dim: "\x1b[2m", off: "\x1b[0m"}
}

// Text writes every problem as file:line:column, what it is, the line itself
// with a caret, and the hint.
func Text(w io.Writer, problems []*problem.Problem, cfg TextConfig) error {
	out := bufio.NewWriter(w)
	ink := cfg.paint()
	for i, p := range problems {
		if i > 0 {
			fmt.Fprintln(out)
		}
		colour := ink.err
		if p.Severity == problem.Warning {
			colour = ink.warn
		}
		where := ""
		if p.Pos.File != "" {
			where = ink.bold + printable(p.Pos.String()) + ink.off + ": "
		}
		fmt.Fprintf(out, "%s%s%s%s: %s %s[%s]%s\n", where, colour, p.Severity, ink.off, printable(p.Msg), ink.dim, p.Code, ink.off)
		cfg.quote(out, p, ink, colour)
		if p.Hint != "" {
			fmt.Fprintf(out, "  hint: %s\n", printable(p.Hint))
		}
	}
	return out.Flush()
}

// quote writes the line of a problem and the caret below it.
func (c TextConfig) quote(out *bufio.Writer, p *problem.Problem, ink paint, colour string) {
	if c.Source == nil || p.Pos.Line < 1 {
		return
	}
	line, column, ok := c.Source(p.Pos)
	if !ok {
		return
	}
	shown, indent := window(line, column)
	number := fmt.Sprintf("%5d", p.Pos.Line)
	fmt.Fprintf(out, "%s%s |%s %s\n", ink.dim, number, ink.off, shown)
	if column > 0 {
		fmt.Fprintf(out, "%s%s |%s %s%s^%s\n", ink.dim, strings.Repeat(" ", len(number)), ink.off, strings.Repeat(" ", indent), colour, ink.off)
	}
}

// cell is one rune of a line as it is shown, and how many cells it takes.
type cell struct {
	text  string
	width int
}

// cells lays a line out: tabs lead to their stops, what is hidden is written out.
func cells(line string) []cell {
	var out []cell
	at := 0
	for _, r := range line {
		var c cell
		switch {
		case r == '\t':
			c.width = tabStop - at%tabStop
			c.text = strings.Repeat(" ", c.width)
		case hidden(r):
			c.text = printable(string(r))
			c.width = len(c.text)
		default:
			c.text, c.width = string(r), width(r)
		}
		at += c.width
		out = append(out, c)
	}
	return out
}

// maxLaid bounds the part of a line that is laid out, in characters: a file may be
// one line, and every problem in it shows that line.
const maxLaid = 4 * maxShown

// near cuts a long line down to what is around the column, and tells whether
// something in front is gone.
func near(line string, column int) (string, int, bool) {
	if len(line) <= maxLaid {
		return line, column, false
	}
	from, to, n := 0, len(line), 0
	for i := range line {
		switch n++; n {
		case column - maxLaid/2:
			from = i
		case column + maxLaid/2:
			to = i
		}
		if to < len(line) {
			break
		}
	}
	if from == 0 {
		return line[:to], column, false
	}
	return line[from:to], maxLaid/2 + 1, true
}

// window gives the part of a line that is shown, and how many cells stand before
// the column in it.
func window(line string, column int) (string, int) {
	line, column, cut := near(line, column)
	all := cells(strings.ToValidUTF8(line, "\uFFFD"))
	caret := max(0, min(column-1, len(all)))
	from, total := 0, 0
	for _, c := range all {
		total += c.width
	}
	if total > maxShown {
		before := 0
		for from = caret; from > 0 && before < maxShown/2; from-- {
			before += all[from-1].width
		}
	}
	var b strings.Builder
	indent, used := 0, 0
	if from > 0 || cut {
		b.WriteString("…")
		used = 1
	}
	indent = used
	for i := from; i < len(all); i++ {
		if total > maxShown && used+all[i].width > maxShown {
			b.WriteString("…")
			break
		}
		if i < caret {
			indent += all[i].width
		}
		used += all[i].width
		b.WriteString(all[i].text)
	}
	return strings.TrimRight(b.String(), " "), indent
}
