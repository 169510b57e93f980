// SPDX-License-Identifier: Apache-2.0

package deb

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/bindery/bindery/agent/driver/origin"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
)

// archives is where apt-get keeps files of packages; "apt-get clean" empties it.
const archives = "/var/cache/apt/archives/"

// places are the files that an entry's packages are installed from, none where they
// come from the configured sources. Nothing signs such a file: it has to lie on the
// host, or to come by https.
func places(e *config.Entry, arches []string) ([]string, error) {
	file := e.Get("simplefile")
	if file == "" {
		return nil, nil
	}
	all, err := origin.Read(e.Get, file, arches)
	if err != nil {
		return nil, err
	}
	for i, p := range all {
		p = strings.TrimPrefix(p, "file://")
		if !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "https://") {
			return nil, errors.New("url and simplefile are neither a path nor an address by https")
		}
		all[i] = p
	}
	return all, nil
}

// fetched is the file that a package is installed from, on the host.
func (b *batch) fetched(w *want) (string, error) {
	if strings.HasPrefix(w.source, "/") {
		return w.source, nil
	}
	sum := sha256.Sum256([]byte(w.source))
	file := archives + "bindery-" + hex.EncodeToString(sum[:8]) + ".deb"
	// apt-helper(1) is what apt-get itself fetches with, told so by the same settings.
	if err := b.run("/usr/lib/apt/apt-helper", "-o", "Acquire::https::Timeout=30", "download-file", w.source, file); err != nil {
		return "", fmt.Errorf("fetch the package: %w", err)
	}
	return file, nil
}

// inside reads what package a file is of, with dpkg-deb(1).
func (b *batch) inside(w *want) error {
	file, err := b.fetched(w)
	if err != nil {
		return err
	}
	r, err := b.c.Machine.Processes.Run(b.ctx, system.Command{
		Args: []string{"dpkg-deb", "--show", "--showformat", "${Package} ${Version} ${Architecture}", file}, Env: environment(), Dir: "/",
		Timeout: simulate, MaxOutput: 4 << 10, MaxTail: maxTail, Asks: true,
	})
	if err != nil {
		return fmt.Errorf("dpkg-deb --show: %w", err)
	}
	if r.Exit != 0 {
		return ended("dpkg-deb --show", r)
	}
	words := strings.Fields(string(r.Stdout))
	switch {
	case len(words) != 3 || words[0] != w.name || !version.MatchString(words[1]):
		return fmt.Errorf("the file is not one of package %s", w.name)
	case w.version != anyone && words[1] != w.version:
		return fmt.Errorf("the file is of version %s, should be %s", words[1], w.version)
	case w.arch != "" && words[2] != w.arch && words[2] != "all":
		return fmt.Errorf("the file is for %s, should be for %s", words[2], w.arch)
	}
	if p := b.db.find(w.name, w.arch); p != nil && p.held() && p.here() && p.version != words[1] {
		return errHeld
	}
	w.spec, w.becomes = file, words[1]
	return nil
}
