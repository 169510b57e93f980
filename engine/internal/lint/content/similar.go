// SPDX-License-Identifier: Apache-2.0

package content

import (
	"bytes"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/bindery/bindery/engine/internal/lint/tree"
)

const (
	// maxCompared bounds the bytes that one run compares for likeness.
	maxCompared = 64 << 20
	// maxAlike bounds the files that are compared, in bytes, and those of one set.
	maxAlike, maxSet = 256 << 10, 64
)

// similar reports merge-cfg, merge-probes, identical-cfg and identical-probes.
func (t look) similar() {
	left := maxCompared
	order, dirs := t.CfgDirs()
	for _, dir := range order {
		t.compare("cfg", t.contents(dirs[dir]), &left)
	}
	sets := map[string][]tree.File{}
	var names []string
	for _, f := range t.ProbeFiles() {
		name, _, _ := strings.Cut(path.Base(f.Name), ".")
		if sets[name] == nil {
			names = append(names, name)
		}
		sets[name] = append(sets[name], f)
	}
	for _, name := range names {
		t.compare("probes", t.contents(sets[name]), &left)
	}
}

// contents leaves out what is no content of a host. Links are meant to be the same.
func (t look) contents(files []tree.File) []tree.File {
	var out []tree.File
	for _, f := range files {
		q := t.Qualifier(f.Name)
		if q.Known && !q.Special && !q.Skipped && q.Ext != "cat" && q.Ext != "diff" && !strings.Contains(q.Ext, "crypt") && f.Mode.IsRegular() && f.Size > 0 && f.Size <= maxAlike {
			out = append(out, f)
		}
	}
	return out[:min(len(out), maxSet)]
}

// compare tells of files of one set that are alike: once of all that are the same,
// as a fleet may have one for each of many hosts, and of the others for each file.
func (t look) compare(kind string, files []tree.File, left *int) {
	identical, merge := "identical-cfg", "merge-cfg"
	if kind == "probes" {
		identical, merge = "identical-probes", "merge-probes"
	}
	merging := t.Wanted(merge)
	threshold := 75
	if n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(t.Option("mergefiles", "threshold")), "%")); err == nil {
		threshold = n
	}
	same, first, of := 0, "", ""
	texts := make([][]byte, len(files))
	for i, f := range files {
		texts[i], _ = t.Read(f)
	}
	for i := range files {
		for j := range i {
			if *left -= len(texts[i]) + len(texts[j]); *left < 0 {
				t.twins(identical, first, of, same)
				return
			}
			if bytes.Equal(texts[i], texts[j]) {
				if same++; same == 1 {
					first, of = files[i].Name, files[j].Name
				}
				break
			}
			if part := 0; merging {
				if part = alike(texts[i], texts[j]); part > threshold {
					t.Warn(tree.At(files[i].Name), merge, fmt.Sprintf("%d %% of it stands in %s too", part, path.Base(files[j].Name)), "make one template of the two")
					break
				}
			}
		}
	}
	t.twins(identical, first, of, same)
}

// twins tells that so many files of one set hold the same as others of it: file as
// another one does, and perhaps more.
func (t look) twins(code, file, of string, n int) {
	if n == 0 {
		return
	}
	msg := path.Base(of) + " holds the same"
	if n > 1 {
		msg += fmt.Sprintf("; so it is with %d more of these files", n-1)
	}
	t.Warn(tree.At(file), code, msg, "keep one of them, for a group that has all its hosts")
}

// alike gives how much of two texts is the same, line by line in whatever order, in
// percent.
func alike(a, b []byte) int {
	lines := map[string]int{}
	for l := range bytes.Lines(a) {
		lines[string(l)]++
	}
	shared := 0
	for l := range bytes.Lines(b) {
		if lines[string(l)] > 0 {
			lines[string(l)]--
			shared += len(l)
		}
	}
	return 200 * shared / max(1, len(a)+len(b))
}
