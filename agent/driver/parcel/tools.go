// SPDX-License-Identifier: Apache-2.0

package parcel

import (
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/bindery/bindery/agent/pattern"
	"github.com/bindery/bindery/agent/system"
)

// tool is what the package tools differ in.
type tool struct {
	// needs are the programs without which nothing can be known.
	needs []string
	// sourced tells that a package has to say where it comes from.
	sourced bool
	// installed reads what is there.
	installed func(*call) error
	// altered lists files of a package that are not as they came.
	altered func(*call, *want) ([]string, error)
	// prepare does what must be done before anything is installed or removed.
	prepare func(*call) (changed bool, err error)
	install func(*want) []string
	remove  func(name, version string) []string
}

func tools() map[string]tool {
	return map[string]tool{
		"sysv": {
			needs: []string{"/usr/bin/pkginfo", "/usr/sbin/pkgadd"}, sourced: true,
			installed: pkginfo, altered: pkgchk, prepare: admin, install: pkgadd, remove: pkgrm,
		},
		"blast": {
			needs:     []string{"/usr/bin/pkginfo", "/opt/csw/bin/pkg-get"},
			installed: pkginfo, altered: pkgchk, prepare: admin, install: pkgget, remove: pkgrm,
		},
		"encap": {
			needs: []string{epkg}, sourced: true,
			installed: encapped, altered: encapCheck, install: encapInstall, remove: encapRemove,
		},
	}
}

// pkginfo reads "pkginfo -x", which writes two lines of each package: its
// abbreviation and its name, then its architecture in parentheses and its version.
// pkginfo(1): https://illumos.org/man/1/pkginfo
func pkginfo(c *call) error {
	r, err := c.ask("/usr/bin/pkginfo", "-x")
	if err != nil {
		return err
	}
	if r.Exit != 0 {
		return r.Ended("pkginfo -x")
	}
	c.have = map[string][]string{}
	name := ""
	for line := range strings.Lines(string(r.Stdout)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case line[0] != ' ' && line[0] != '\t':
			name = words[0]
		case name != "":
			c.have[name] = []string{words[len(words)-1]}
			name = ""
		}
	}
	return nil
}

// pkgchk asks for what differs, without files that may be edited (-n). Lines
// "ERROR: PATH" name them. pkgchk(8): https://illumos.org/man/8/pkgchk
func pkgchk(c *call, w *want) ([]string, error) {
	r, err := c.ask("/usr/sbin/pkgchk", "-n", w.name)
	if err != nil || r.Exit == 0 {
		return nil, err
	}
	var bad []string
	told := false
	for _, line := range r.Spoken() {
		if path, ok := strings.CutPrefix(line, "ERROR: "); ok {
			told = true
			if !w.paths.Decides(path) {
				bad = append(bad, path)
			}
		}
	}
	if !told {
		return nil, r.Ended("pkgchk")
	}
	return bad, nil
}

// What pkgadd and pkgrm do instead of asking: admin(5),
// https://illumos.org/man/5/admin. It lies where they look for such a file.
const (
	adminFile = "/var/sadm/install/admin/bindery"
	adminText = `mail=
instance=overwrite
partial=nocheck
runlevel=nocheck
idepend=quit
rdepend=quit
space=quit
setuid=nocheck
conflict=nocheck
action=nocheck
basedir=default
`
)

func admin(c *call) (bool, error) {
	files := c.c.Machine.Files
	r, err := files.Open(adminFile)
	if err == nil {
		text, err := io.ReadAll(io.LimitReader(r, int64(len(adminText))+1))
		r.Close()
		if err == nil && string(text) == adminText {
			return false, nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	err = files.Change(system.Change{Op: system.Write, Name: adminFile, Mode: 0o644, Content: []byte(adminText)})
	return err == nil, err
}

// pkgadd(8): https://illumos.org/man/8/pkgadd. The device may be a file in
// datastream format, or its address.
func pkgadd(w *want) []string {
	return []string{"/usr/sbin/pkgadd", "-a", "bindery", "-n", "-d", w.source, w.name}
}

// pkgrm(8): https://illumos.org/man/8/pkgrm
func pkgrm(name, _ string) []string {
	return []string{"/usr/sbin/pkgrm", "-a", "bindery", "-n", name}
}

// pkg-get of Blastwave; -f answers for whoever is not there:
// http://www.bolthole.com/solaris/pkg-get.html
func pkgget(w *want) []string { return []string{"/opt/csw/bin/pkg-get", "-f", "install", w.short} }

// Encap: a package is a directory NAME-VERSION below /usr/local/encap, linked into
// /usr/local by epkg(1), http://www.encap.org/epkg/. Its options are those that
// Bcfg2's client uses:
// https://github.com/Bcfg2/bcfg2/blob/1.3.x/src/lib/Bcfg2/Client/Tools/Encap.py
const (
	epkg     = "/usr/local/bin/epkg"
	encapDir = "/usr/local/encap"
)

var encapName = pattern.Of(`^([A-Za-z0-9_-]+)-([A-Za-z0-9_.+-]+)$`)

func encapped(c *call) error {
	list, err := c.c.Machine.Files.List(encapDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c.have = map[string][]string{}
	for _, info := range list {
		if m := encapName.FindStringSubmatch(info.Name); m != nil && info.Kind == system.Directory {
			c.have[m[1]] = append(c.have[m[1]], m[2])
		}
	}
	return nil
}

func encapCheck(c *call, w *want) ([]string, error) {
	version := w.version
	if version == anyone {
		version = c.have[w.name][len(c.have[w.name])-1]
	}
	r, err := c.ask(epkg, "-q", "-S", "-k", w.name+"-"+version)
	if err != nil || r.Exit == 0 {
		return nil, err
	}
	return []string{"epkg says so"}, nil
}

func encapInstall(w *want) []string { return []string{epkg, "-l", "-f", "-q", w.source} }

func encapRemove(name, version string) []string {
	return []string{epkg, "-l", "-q", "-r", name + "-" + version}
}
