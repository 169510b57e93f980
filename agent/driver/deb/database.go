// SPDX-License-Identifier: Apache-2.0

package deb

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"

	"github.com/bindery/bindery/agent/driver/self"
	"github.com/bindery/bindery/agent/system"
)

// dpkg's own files, deb-conf(5) and dpkg(1), section FILES.
const (
	statusFile    = "/var/lib/dpkg/status"
	updatesDir    = "/var/lib/dpkg/updates"
	infoDir       = "/var/lib/dpkg/info"
	divertedFile  = "/var/lib/dpkg/diversions"
	extendedFile  = "/var/lib/apt/extended_states"
	maxStanzaLine = 1 << 20
)

// installed is one package as dpkg knows it.
type installed struct {
	name, arch, version string
	// want and state are the first and the last word of Status.
	want, state string
	// damaged tells that dpkg wants it installed again.
	damaged bool
	same    bool // Multi-Arch: same
	vital   bool // the system needs it, or it is the agent's own
	// needs and provides are what the package says of others.
	needs, provides string
}

func (p *installed) here() bool {
	return p.state == "installed" || p.state == "triggers-pending" || p.state == "triggers-awaited"
}

// broken tells that dpkg was stopped while it worked on the package.
func (p *installed) broken() bool {
	return p.damaged || p.state == "half-installed" || p.state == "half-configured" || p.state == "unpacked"
}

// waits tells that all of the package is there, and only has to be configured.
func (p *installed) waits() bool {
	return !p.damaged && (p.state == "unpacked" || p.state == "half-configured")
}

func (p *installed) held() bool { return p.want == "hold" }

// database is what dpkg's files say.
type database struct {
	native   string
	packages map[string]*installed // by name:arch
	arches   map[string][]string   // by name
	// interrupted tells that dpkg did not finish.
	interrupted bool
}

var errNoDatabase = errors.New("this host has no dpkg")

// load reads the database. dpkg keeps what it is doing in numbered files beside
// the status, which count until they are merged.
func load(files system.Files) (*database, error) {
	db := &database{packages: map[string]*installed{}, arches: map[string][]string{}}
	if err := db.read(files, statusFile); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errNoDatabase
		}
		return nil, err
	}
	list, err := files.List(updatesDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, info := range list {
		if strings.Trim(info.Name, "0123456789") != "" {
			continue
		}
		db.interrupted = true
		if err := db.read(files, updatesDir+"/"+info.Name); err != nil {
			return nil, err
		}
	}
	db.native = goArch()
	if own := db.arches["dpkg"]; len(own) > 0 {
		db.native = own[0]
	}
	for _, p := range db.packages {
		db.interrupted = db.interrupted || p.broken()
	}
	return db, nil
}

// goArch is the machine's architecture in Debian's words, for a database in which
// dpkg itself is not a package.
func goArch() string {
	switch runtime.GOARCH {
	case "386":
		return "i386"
	case "arm":
		return "armhf"
	case "ppc64le":
		return "ppc64el"
	}
	return runtime.GOARCH
}

func (db *database) read(files system.Files, name string) error {
	r, err := files.Open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	err = stanzas(r, func(field func(string) string) {
		p := &installed{name: field("Package"), arch: field("Architecture"), version: field("Version"), same: field("Multi-Arch") == "same"}
		p.needs, p.provides = strings.Trim(field("Pre-Depends")+","+field("Depends"), ","), field("Provides")
		words := strings.Fields(field("Status"))
		if p.name == "" || len(words) != 3 {
			return
		}
		p.want, p.damaged, p.state = words[0], strings.Contains(words[1], "reinst"), words[2]
		p.vital = self.Package(p.name) || field("Essential") == "yes" || field("Protected") == "yes" || field("Priority") == "required" || field("Priority") == "important"
		db.packages[p.name+":"+p.arch] = p
		if !slices.Contains(db.arches[p.name], p.arch) {
			db.arches[p.name] = append(db.arches[p.name], p.arch)
		}
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// stanzas reads fields of one line each. The form is deb822(5); lines that go on
// belong to fields that nobody here asks for.
func stanzas(r io.Reader, visit func(field func(string) string)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxStanzaLine)
	fields := map[string]string{}
	field := func(name string) string { return fields[name] }
	flush := func() {
		if len(fields) > 0 {
			visit(field)
			clear(fields)
		}
	}
	for lines.Scan() {
		line := lines.Bytes()
		if len(line) == 0 {
			flush()
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		// Only these: most of a database is descriptions.
		switch string(name) {
		case "Package", "Architecture", "Version", "Multi-Arch", "Status", "Essential", "Protected", "Priority", "Auto-Installed", "Depends", "Pre-Depends", "Provides":
			fields[string(name)] = string(bytes.TrimSpace(value))
		}
	}
	flush()
	return lines.Err()
}

// find gives a package by name and architecture. Without one it is the native
// one, or the only one.
func (db *database) find(name, arch string) *installed {
	if arch != "" {
		if p := db.packages[name+":"+arch]; p != nil {
			return p
		}
		if p := db.packages[name+":all"]; p != nil && arch == db.native {
			return p
		}
		return nil
	}
	for _, arch := range []string{db.native, "all"} {
		if p := db.packages[name+":"+arch]; p != nil && (p.here() || p.broken()) {
			return p
		}
	}
	for _, arch := range db.arches[name] {
		if p := db.packages[name+":"+arch]; p.here() || p.broken() {
			return p
		}
	}
	return db.packages[name+":"+db.native]
}
