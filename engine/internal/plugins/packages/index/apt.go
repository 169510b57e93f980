// SPDX-License-Identifier: Apache-2.0

package index

import (
	"bufio"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// maxLine bounds a line of a Packages file in bytes.
const maxLine = 4 << 20

var restriction = regexp.MustCompile(`\(.*\)|\[.*\]|<.*>`)

// AddAPT reads a Packages file for an architecture. A dependency on one of several
// becomes a name of its own, which all of them provide.
func (x *Index) AddAPT(arch string, data []byte, essential bool) error {
	r, err := open(data)
	if err != nil {
		return err
	}
	a := x.arch(arch)
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	name, choices := "", 0
	p := &Package{}
	for lines.Scan() {
		field, value, ok := strings.Cut(lines.Text(), ":")
		if !ok || field == "" || field[0] == ' ' || field[0] == '\t' {
			continue
		}
		switch field {
		case "Package":
			name, choices = strings.TrimSpace(value), 0
			p = &Package{}
			a.Packages[name] = p
		case "Essential":
			if essential && strings.TrimSpace(value) == "yes" {
				x.Essential = append(x.Essential, name)
			}
		case "Depends", "Pre-Depends", "Recommends":
			for dep := range strings.SplitSeq(value, ",") {
				need := bare(dep)
				if strings.Contains(dep, "|") {
					need = "choice-" + name + "-" + arch + "-" + strconv.Itoa(choices)
					choices++
					for one := range strings.SplitSeq(dep, "|") {
						a.provide(need, bare(one))
					}
				}
				switch {
				case need == "":
				case field == "Recommends":
					p.Recommends = append(p.Recommends, need)
				default:
					p.Depends = append(p.Depends, need)
				}
			}
		case "Provides":
			for provided := range strings.SplitSeq(value, ",") {
				if provided = bare(provided); provided != "" {
					a.provide(provided, name)
				}
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read Packages: %w", err)
	}
	return nil
}

// bare is a name without version and architecture.
func bare(dep string) string {
	name, _, _ := strings.Cut(strings.TrimSpace(restriction.ReplaceAllString(dep, "")), ":")
	return strings.TrimSpace(name)
}
