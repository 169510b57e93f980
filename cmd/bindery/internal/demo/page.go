// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// page shows a comment as a person reads it on the forge: no marker, no markup,
// tables as tables. Folds are opened, as far as their first lines; what is longer
// than most lines is cut.
func (d *Demo) page(body string, most int) {
	r := &reader{s: d.say, most: most}
	for line := range strings.Lines(body) {
		r.read(strings.TrimRight(line, "\r\n"))
	}
	r.endTable()
	if r.lines > most {
		r.s.line("   " + r.s.style(dim, fmt.Sprintf("┃ … %d more lines", r.lines-most)))
	}
}

// folded is how many lines of a folded block are shown.
const folded = 8

// reader goes through a comment line by line.
type reader struct {
	s     *screen
	fence string     // what closes the code block that is open
	rows  [][]string // of the table that is open
	depth int        // of <details>
	open  []bool
	count int // lines shown of the fold
	blank bool
	lines int // so far, of most
	most  int
}

var (
	fenceOpen = regexp.MustCompile("^(`{3,}|~{3,})[a-z]*$")
	tag       = regexp.MustCompile(`</?[a-zA-Z][^<>]*>`)
	link      = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	emphasis  = strings.NewReplacer("**", "", "`", "")
)

func (r *reader) read(line string) {
	switch {
	case r.fence != "":
		if strings.TrimSpace(line) == r.fence {
			r.fence = ""
			return
		}
		r.code(line)
		return
	case strings.HasPrefix(line, "|"):
		r.row(line)
		return
	}
	r.endTable()
	switch {
	case strings.HasPrefix(line, "<!--"):
	case strings.TrimSpace(line) == "":
		r.blank = true
	case strings.HasPrefix(line, "#"):
		r.put(r.s.style(bold, clean(strings.TrimLeft(line, "# "))))
	case strings.HasPrefix(line, "<details"):
		r.fold(line)
	case strings.HasPrefix(line, "</details>"):
		r.unfold()
	default:
		if m := fenceOpen.FindStringSubmatch(line); m != nil {
			r.fence, r.blank = m[1], false
			return
		}
		r.prose(clean(line))
	}
}

// put shows a line, after the blank line that may stand before it.
func (r *reader) put(line string) {
	if r.blank && r.depth == 0 {
		r.print("")
	}
	r.blank = false
	r.print(line)
}

func (r *reader) print(line string) {
	if r.lines++; r.lines <= r.most {
		r.s.line(r.margin() + line)
	}
}

func (r *reader) margin() string {
	return "   " + r.s.style(dim, "┃") + " " + strings.Repeat("  ", r.depth)
}

func (r *reader) fold(line string) {
	_, summary, _ := strings.Cut(line, "<summary>")
	summary, _, _ = strings.Cut(summary, "</summary>")
	mark := "▸ "
	open := strings.HasPrefix(line, "<details open")
	if open {
		mark = "▾ "
	}
	for i, part := range r.s.wrap(clean(summary), 9+2*r.depth) {
		if i > 0 {
			mark = "  "
		}
		r.put(mark + part)
	}
	r.open = append(r.open, open)
	r.depth++
	r.count = 0
}

func (r *reader) unfold() {
	if r.depth == 0 {
		return
	}
	if r.count > folded && !r.open[len(r.open)-1] {
		r.print(r.s.style(dim, fmt.Sprintf("… %d more lines", r.count-folded)))
	}
	r.depth--
	r.open = r.open[:len(r.open)-1]
	r.blank = false
}

// hidden counts a line of a fold and tells whether there were enough of them.
func (r *reader) hidden() bool {
	r.count++
	return r.depth > 0 && !r.open[len(r.open)-1] && r.count > folded
}

func (r *reader) code(line string) {
	if r.hidden() {
		return
	}
	code := ""
	switch {
	case strings.HasPrefix(line, "+"):
		code = green
	case strings.HasPrefix(line, "-"):
		code = red
	case strings.HasPrefix(line, "@@"):
		code = cyan
	}
	line = text.Trim(plain(line), max(20, r.s.width-8-2*r.depth))
	if code != "" {
		line = r.s.style(code, line)
	}
	r.put("  " + line)
}

func (r *reader) prose(line string) {
	for _, part := range r.s.wrap(line, 6+2*r.depth) {
		if !r.hidden() {
			r.put(part)
		}
	}
}

// row keeps a row of a table; the line under the heading says nothing.
func (r *reader) row(line string) {
	if strings.Trim(line, "|-: ") == "" && strings.Contains(line, "-") {
		return
	}
	var cells []string
	for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
		cells = append(cells, clean(strings.TrimSpace(cell)))
	}
	r.rows = append(r.rows, cells)
}

// endTable shows the table that is open. Where the screen is too narrow, the widest
// column is wrapped.
func (r *reader) endTable() {
	var widths []int
	for _, row := range r.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns(cell))
		}
	}
	total := 2 * len(widths)
	for _, w := range widths {
		total += w
	}
	if over := total - (r.s.width - 6); over > 0 && len(widths) > 0 {
		widest := slices.Index(widths, slices.Max(widths))
		widths[widest] = max(20, widths[widest]-over)
	}
	for n, row := range r.rows {
		r.tableRow(row, widths, n == 0)
	}
	r.rows = nil
}

func (r *reader) tableRow(row []string, widths []int, head bool) {
	cells, height := make([][]string, len(row)), 1
	for i, cell := range row {
		cells[i] = strings.Split(text.WrapSoft(cell, max(1, widths[i])), "\n")
		height = max(height, len(cells[i]))
	}
	for n := range height {
		line := ""
		for i := range row {
			part := ""
			if n < len(cells[i]) {
				part = strings.TrimRight(cells[i][n], " ")
			}
			line += part + strings.Repeat(" ", max(0, widths[i]-columns(part))+2)
		}
		if line = strings.TrimRight(line, " "); head {
			line = r.s.style(dim, line)
		}
		r.put(line)
	}
}

func columns(s string) int { return text.StringWidthWithoutEscSequences(s) }

// clean turns a line of markup into what it looks like.
func clean(line string) string {
	line = link.ReplaceAllString(line, "$1")
	return plain(html.UnescapeString(emphasis.Replace(tag.ReplaceAllString(line, ""))))
}
