// SPDX-License-Identifier: Apache-2.0

package posix

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"weak"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
)

// byPolicy as a label means the one that the host's policy has for the path.
const byPolicy = "__default__"

// askEvery is how long the policy's answers are believed.
const askEvery = time.Hour

// labels are what the host's policy says of paths.
type labels struct {
	paths *driver.Paths
	at    time.Time
	known map[string]string
}

// label compares the security label of a path. As restorecon(8) does it, only the
// type counts where the policy decides: user and range are of who made the file.
func (f *finding) label(info *system.Info) error {
	want := f.entry.Get("secontext")
	switch {
	case want == "" || want == byPolicy && f.machine.Contained():
		return nil
	case want != byPolicy:
		return f.attribute(info, label, "secontext", append([]byte(want), 0))
	}
	if !f.labelled() {
		return nil
	}
	want, err := f.policy()
	if err != nil {
		return err
	}
	switch want {
	case "":
		f.aspect("secontext")
		return nil
	case "<<none>>":
		return nil
	}
	if info != nil {
		is, err := f.machine.Extended.Extended(f.name, label)
		if err == nil && typeOf(string(bytes.TrimRight(is, "\x00"))) == typeOf(want) {
			return nil
		}
	}
	return f.attribute(info, label, "secontext", append([]byte(want), 0))
}

// labelled tells whether the host has labels. One that has none is not asked again for
// each path of a run; every run has its own paths.
func (f *finding) labelled() bool {
	run := weak.Make(f.item.Paths)
	if f.item.Paths != nil && f.bare == run {
		return false
	}
	_, err := f.machine.Extended.Extended("/", label)
	if err != nil {
		f.bare = run
	}
	return err == nil
}

// typeOf is the third part of user:role:type:range.
func typeOf(label string) string {
	parts := strings.SplitN(label, ":", 4)
	if len(parts) < 3 {
		return label
	}
	return parts[2]
}

// policy tells what label the host's policy has for the path, "" where nobody can be
// asked. All configured paths are asked about together.
func (f *finding) policy() (string, error) {
	l := &f.labels
	age := f.machine.Now().Sub(l.at)
	if l.known == nil || l.paths != f.item.Paths || age < 0 || age > askEvery {
		*l = labels{paths: f.item.Paths, at: f.machine.Now(), known: map[string]string{}}
		if f.item.Paths != nil {
			if err := l.ask(f.ctx, f.machine, f.item.Paths.Names()); err != nil {
				return "", err
			}
		}
	}
	if _, ok := l.known[f.name]; !ok {
		if err := l.ask(f.ctx, f.machine, []string{f.name}); err != nil {
			return "", err
		}
	}
	return l.known[f.name], nil
}

// ask runs matchpathcon(8), which writes a line PATH, tab, LABEL for each path:
// https://man7.org/linux/man-pages/man8/matchpathcon.8.html
func (l *labels) ask(ctx context.Context, m *system.Machine, names []string) error {
	for chunk := range slices.Chunk(names, 500) {
		r, err := m.Processes.Run(ctx, system.Command{
			Args: append([]string{"matchpathcon", "--"}, chunk...), Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"},
			Dir: "/", Timeout: time.Minute, MaxOutput: 4 << 20, MaxTail: 4 << 10, Asks: true,
		})
		if ctx.Err() != nil {
			return fmt.Errorf("matchpathcon: %w", ctx.Err())
		}
		for _, name := range chunk {
			l.known[name] = "" // asked, and not known
		}
		if err != nil {
			continue
		}
		// It ends badly where one path fails, after lines for all others.
		for line := range strings.Lines(string(r.Stdout)) {
			if name, label, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok {
				l.known[name] = label
			}
		}
	}
	return nil
}
