// SPDX-License-Identifier: Apache-2.0

package rpm

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/system"
)

const (
	maxTail = 8 << 10
	// dnf says much before what went wrong.
	maxReport = 64 << 10
	lockLook  = time.Second
	maxShown  = 5
	maxList   = 16 << 20
)

func environment() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "TERM=dumb"}
}

// ask asks a tool something.
func (b *batch) ask(args ...string) (system.Result, error) {
	r, err := b.c.Machine.Processes.Run(b.ctx, system.Command{
		Args: args, Env: environment(), Dir: "/", Timeout: 5 * time.Minute, MaxOutput: maxList, MaxTail: maxTail, Asks: true,
	})
	if err != nil {
		return r, fmt.Errorf("%s: %w", args[0], err)
	}
	return r, nil
}

// inquire asks dnf, or yum. Timers of a host ask for lists all the time.
func (b *batch) inquire(program string, args ...string) (r system.Result, err error) {
	b.patiently(func() (busy bool) {
		r, err = b.ask(append([]string{program, exitOnLock}, args...)...)
		return err == nil && locked(r)
	})
	return r, err
}

// look finds out about all packages.
func (b *batch) look() error {
	if err := b.load(); err != nil {
		return err
	}
	var names []string
	for _, w := range b.wants {
		if w.version == auto && len(b.installed(w)) > 0 {
			names = append(names, w.name)
		}
	}
	// Whose repositories do not answer says nothing of a version that is written down.
	return b.judge(b.update(names))
}

// load asks rpm for everything that is installed: of several of a name the last one
// that came is the last.
func (b *batch) load() error {
	r, err := b.ask("rpm", "-qa", "--queryformat", `%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{INSTPREFIXES}\t%{PREFIXES}\t%{INSTALLTIME}\n`)
	if err != nil {
		return err
	}
	if r.Exit != 0 {
		return r.Ended("rpm -qa")
	}
	b.have = map[string][]nevra{}
	lines := strings.Split(string(r.Stdout), "\n")
	slices.Sort(lines)
	for _, line := range lines {
		if f := strings.Split(line, "\t"); len(f) == 8 {
			since, _ := strconv.ParseInt(f[7], 10, 64)
			b.have[f[0]] = append(b.have[f[0]], nevra{f[0], f[1], f[2], f[3], f[4], f[5], f[5] != f[6], since})
		}
	}
	for _, all := range b.have {
		slices.SortStableFunc(all, func(a, b nevra) int { return cmp.Compare(a.since, b.since) })
	}
	return nil
}

// updates is what can be had of packages.
type updates struct {
	Asked string            `json:"asked"`
	At    time.Time         `json:"at"`
	Known map[string]string `json:"known"`
}

// program is dnf, or yum where there is none.
func (b *batch) program() (string, error) {
	for _, name := range []string{"dnf", "yum"} {
		if b.exists("/usr/bin/" + name) {
			return name, nil
		}
	}
	return "", errors.New("this host has neither dnf nor yum")
}

// update asks which packages can be had newer. "check-update" ends with 100 where
// some can; its lines are NAME.ARCH, VERSION and the repository (dnf(8)).
func (b *batch) update(names []string) error {
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	names = slices.Compact(names)
	asked := strings.Join(names, " ")
	for _, name := range names {
		asked += fmt.Sprint(b.have[name])
	}
	now := b.c.Machine.Now()
	if age := now.Sub(b.newer.At); asked == b.newer.Asked && age >= 0 && age < b.c.AskEvery {
		return nil
	}
	program, err := b.program()
	if err != nil {
		return err
	}
	r, err := b.inquire(program, append([]string{"check-update", "--"}, names...)...)
	if err != nil {
		return err
	}
	if r.Exit != 0 && r.Exit != 100 {
		return r.Ended(program+" check-update", telling(r)...)
	}
	known := parseUpdates(string(r.Stdout), names)
	for _, line := range r.Spoken() {
		if strings.HasPrefix(line, leftOut) {
			b.newer = updates{Known: known}
			return &unreachedError{strings.TrimSpace(strings.TrimPrefix(line, leftOut))}
		}
	}
	b.news = true
	b.newer = updates{Asked: asked, At: now, Known: known}
	return nil
}

// parseUpdates reads what can be had of some packages, by name.architecture. Where a
// name is long, yum goes on in the next line.
func parseUpdates(out string, names []string) map[string]string {
	known := map[string]string{}
	before := ""
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "Obsoleting") {
			break
		}
		f := strings.Fields(before + " " + line)
		before = ""
		if len(f) == 0 {
			continue
		}
		switch dot := strings.LastIndex(f[0], "."); {
		case dot < 1 || !slices.Contains(names, f[0][:dot]):
		case len(f) < 3:
			before = strings.Join(f, " ")
		case len(f) == 3:
			known[f[0]] = f[1]
		}
	}
	return known
}

// newest is a version that can be had and is newer than what is there, "" where none
// is known. A package may come to be one for all architectures, or no longer.
func (b *batch) newest(have []nevra) string {
	name := have[0].name + "."
	for _, known := range slices.Sorted(maps.Keys(b.newer.Known)) {
		arch, ok := strings.CutPrefix(known, name)
		if !ok || strings.Contains(arch, ".") {
			continue
		}
		same := slices.DeleteFunc(slices.Clone(have), func(n nevra) bool { return n.arch != arch })
		if len(same) == 0 && (arch == "noarch" || have[0].arch == "noarch") {
			same = have
		}
		c := b.newer.Known[known]
		if len(same) > 0 && !slices.ContainsFunc(same, func(n nevra) bool { return n.is(c) }) {
			return c
		}
	}
	return ""
}

// verify asks rpm which files of a package differ, and keeps a good answer for some
// time. What an entry decides about is not the package's fault, and neither are
// configuration files. Modes, owners and times are for entries of their own.
func (b *batch) verify(w *want) ([]string, error) {
	now := b.c.Machine.Now()
	key := fmt.Sprint(w.fit, w.flags, w.ignored)
	if at, ok := b.good[key]; ok && now.Sub(at) >= 0 && now.Sub(at) < b.c.AskEvery {
		return nil, nil
	}
	args := []string{"rpm", "--verify", "--nodeps", "--noscripts", "--"}
	for _, n := range w.fit {
		args = append(args, n.String())
	}
	r, err := b.ask(args...)
	if err != nil {
		return nil, err
	}
	if r.Exit != 0 && len(r.Stdout) == 0 {
		return nil, r.Ended("rpm --verify") // it found nothing, for another reason
	}
	var bad []string
	for line := range strings.Lines(string(r.Stdout)) {
		if what, path := parseVerify(strings.TrimRight(line, "\n")); path != "" && w.counts(b.c.Machine.Files, what, path) {
			bad = append(bad, path)
		}
	}
	if len(bad) == 0 {
		b.good[key], b.news = now, true
	}
	if len(bad) > maxShown {
		bad = append(bad[:maxShown], fmt.Sprintf("and %d more", len(bad)-maxShown))
	}
	return bad, nil
}

// parseVerify reads a line of rpm --verify (rpm(8), VERIFY OPTIONS): what differs,
// a letter for configuration files and the like, and the path. Of those no path is
// given.
func parseVerify(line string) (what, path string) {
	at := strings.Index(line, " /")
	if at < 0 {
		return "", ""
	}
	words := strings.Fields(line[:at])
	if len(words) == 0 || len(words) > 1 && slices.Contains([]string{"c", "g"}, words[1]) {
		return "", ""
	}
	return words[0], line[at+1:]
}
