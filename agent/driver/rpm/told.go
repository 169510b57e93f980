// SPDX-License-Identifier: Apache-2.0

package rpm

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bindery/bindery/agent/pattern"
	"github.com/bindery/bindery/agent/system"
)

// busyError is another package manager at work, for longer than it is waited for.
type busyError struct{ error }

func (e *busyError) Unwrap() error { return e.error }

// unreachedError are repositories that dnf left out because they did not answer, as its
// skip_if_unavailable says.
type unreachedError struct{ names string }

func (e *unreachedError) Error() string { return "repositories that did not answer: " + e.names }

const leftOut = "Ignoring repositories: "

// locked tells whether dnf, or yum, ended because another one is at work (dnf.conf(5),
// yum.conf(5): exit_on_lock).
func locked(r system.Result) bool {
	return r.Exit != 0 && slices.ContainsFunc(r.Spoken(), func(line string) bool {
		return strings.Contains(line, "already locked by") || strings.Contains(line, "holding the yum lock")
	})
}

func ended(what string, r system.Result) error {
	err := r.Ended(what, telling(r)...)
	if locked(r) {
		return &busyError{err}
	}
	return err
}

// telling are the lines that say what went wrong, among those about what is done; none
// where no line is known to. rpm itself says nothing else, but on a Debian.
func telling(r system.Result) []string {
	var out []string
	for _, line := range r.Spoken() {
		if line == "error: Failed dependencies:" {
			return slices.DeleteFunc(r.Spoken(), func(l string) bool { return strings.HasPrefix(l, "rpm: ") })
		}
		if tells(line) && !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

// tells knows a line by its words. What is a heading alone, or begins a list of all
// settings of a repository, says nothing.
func tells(line string) bool {
	if line == "Error:" || strings.HasPrefix(line, "Problem repository") {
		return false
	}
	return slices.ContainsFunc([]string{
		"Error", "error:", "Problem", "- ", "warning: %", leftOut, "No match for", "Unable to find", "Failed to", "GPG", "However, you do not have any GPG",
		"Public key", "Import of key", "file /", "The application with PID", "Another app is",
	}, func(begin string) bool { return strings.HasPrefix(line, begin) }) || strings.Contains(line, "already locked by") || strings.HasSuffix(line, " is not signed")
}

// What rpm(8) says of a script that failed, with the package as NAME-VERSION-RELEASE.ARCH,
// and what dnf and yum say.
var (
	rpmScript = pattern.Of(`%([a-z]+)\(([^()]+)-[^-()]+-[^-()]+\)`)
	dnfScript = pattern.Of(`^Error in ([A-Z]+) scriptlet in rpm package (\S+)$`)
)

// scripts finds packages whose own scripts failed, with the last words of the script.
func scripts(lines []string) map[string]string {
	out := map[string]string{}
	from := 0
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "Running scriptlet:") || strings.HasPrefix(line, "Error in "):
			from = i + 1
		}
		if strings.Contains(line, "scriptlet failed") || strings.Contains(line, "script failed") {
			if m := rpmScript.FindStringSubmatch(line); m != nil {
				words := slices.Concat([]string{strings.TrimPrefix(strings.TrimPrefix(line, "warning: "), "error: ")}, lines[max(from, i-3):i])
				out[m[2]] = strings.Join(words, "; ")
			}
			from = i + 1
		}
		if m := dnfScript.FindStringSubmatch(line); m != nil && out[m[2]] == "" {
			out[m[2]] = m[1] + " failed"
		}
	}
	return out
}

// sentence tells of all scripts that failed.
func sentence(scripts map[string]string) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(scripts)) {
		out = append(out, fmt.Sprintf("a script of package %s failed: %s", name, scripts[name]))
	}
	return strings.Join(out, "; ")
}

// lamed tells for which packages scripts failed: their own, or those of what they need.
// What nobody is known to need hits all of the call.
func (b *batch) lamed(scripts map[string]string, wants []*want) (map[*want]string, error) {
	out := map[*want]string{}
	var needs map[string][]string
	for _, name := range slices.Sorted(maps.Keys(scripts)) {
		hit := slices.DeleteFunc(slices.Clone(wants), func(w *want) bool { return w.name != name })
		if len(hit) == 0 && needs == nil {
			var err error
			if needs, err = b.needs(); err != nil {
				return nil, err
			}
		}
		if len(hit) == 0 {
			hit = slices.DeleteFunc(slices.Clone(wants), func(w *want) bool { return !leads(needs, w.name, name) })
		}
		if len(hit) == 0 {
			hit = wants
		}
		for _, w := range hit {
			out[w] = strings.TrimPrefix(out[w]+"; "+sentence(map[string]string{name: scripts[name]}), "; ")
		}
	}
	return out, nil
}

// needs tells of each package which others it needs, as far as they are named by what
// they provide.
func (b *batch) needs() (map[string][]string, error) {
	r, err := b.ask("rpm", "-qa", "--queryformat", `[p\t%{=NAME}\t%{PROVIDENAME}\n][r\t%{=NAME}\t%{REQUIRENAME}\n]`)
	if err != nil {
		return nil, err
	}
	if r.Exit != 0 {
		return nil, r.Ended("rpm -qa")
	}
	by, out := map[string][]string{}, map[string][]string{}
	lines := strings.Split(string(r.Stdout), "\n")
	for _, line := range lines {
		if f := strings.Split(line, "\t"); len(f) == 3 && f[0] == "p" {
			by[f[2]] = append(by[f[2]], f[1])
		}
	}
	for _, line := range lines {
		if f := strings.Split(line, "\t"); len(f) == 3 && f[0] == "r" {
			out[f[1]] = append(out[f[1]], by[f[2]]...)
		}
	}
	return out, nil
}

// leads tells whether one package needs another, over any number of others.
func leads(needs map[string][]string, from, to string) bool {
	seen := map[string]bool{}
	for next := []string{from}; len(next) > 0; {
		name := next[len(next)-1]
		next = next[:len(next)-1]
		if name == to {
			return true
		}
		if !seen[name] {
			seen[name] = true
			next = append(next, needs[name]...)
		}
	}
	return false
}

// remember keeps that a script of a package failed, until it is installed again and the
// script works.
func (b *batch) remember(w *want, there bool, reason string, err error) {
	for _, n := range b.installed(w) {
		key := n.String()
		_, known := b.lame[key]
		switch {
		case reason != "" && there:
			b.lame[key], b.news = reason, true
		case known && err == nil:
			delete(b.lame, key)
			b.news = true
		}
	}
}

// limps tells whether a script of a package failed when it was installed.
func (b *batch) limps(w *want) (reason string) {
	for _, n := range w.fit {
		if r := b.lame[n.String()]; r != "" {
			return r
		}
	}
	return ""
}
