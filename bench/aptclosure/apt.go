// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// apt is apt-get with a machine of its own, on which nothing is installed.
type apt struct {
	conf string
	// sources are what is read, as Source elements, for architectures; keyrings the
	// keys that sign it.
	sources  []string
	archs    []string
	keyrings []string
}

// archiveKeys sign what Debian has.
const archiveKeys = "/usr/share/keyrings/debian-archive-keyring.gpg"

// newApt makes the machine, and fetches what its sources have.
func newApt(ctx context.Context, dir, repository string) (*apt, error) {
	for _, d := range []string{"apt/lists/partial", "apt/cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	a := &apt{conf: filepath.Join(dir, "apt.conf")}
	root := filepath.Join(dir, "apt")
	conf := fmt.Sprintf("Dir::State %q;\nDir::State::status %q;\nDir::Cache %q;\nAPT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\nAcquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n",
		root, filepath.Join(root, "status"), filepath.Join(root, "cache"))
	if repository != "" {
		place, err := filepath.Abs(repository)
		if err != nil {
			return nil, err
		}
		list := filepath.Join(root, "sources.list")
		conf += fmt.Sprintf("Dir::Etc::sourcelist %q;\nDir::Etc::sourceparts \"-\";\n", list)
		if err := os.WriteFile(list, []byte("deb [trusted=yes] file:"+place+" ./\n"), 0o644); err != nil {
			return nil, err
		}
		a.sources = []string{fmt.Sprintf(`<Source type="apt" rawurl="file://%s/" essential="false"><Arch>any</Arch></Source>`, place)}
		a.archs = []string{"any"}
	}
	err := errors.Join(os.WriteFile(a.conf, []byte(conf), 0o644), os.WriteFile(filepath.Join(root, "status"), nil, 0o644))
	if err != nil {
		return nil, err
	}
	if _, err := a.run(ctx, "apt-get", "update", "-q"); err != nil {
		return nil, err
	}
	if repository == "" {
		return a, a.find(ctx)
	}
	return a, nil
}

// find lists the machine's own sources.
func (a *apt) find(ctx context.Context) error {
	out, err := a.run(ctx, "apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ARCHITECTURE)", "Created-By: Packages")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(out)) {
		w := strings.Fields(line)
		if len(w) < 4 || w[3] == "all" {
			continue
		}
		a.sources = append(a.sources, fmt.Sprintf(`<Source type="apt" url="%s" version="%s" essential="false"><Component>%s</Component><Arch>%s</Arch></Source>`, w[0], w[1], w[2], w[3]))
		if !slices.Contains(a.archs, w[3]) {
			a.archs = append(a.archs, w[3])
		}
	}
	if _, err := os.Stat(archiveKeys); err == nil {
		a.keyrings = []string{archiveKeys}
	}
	return nil
}

func (a *apt) run(ctx context.Context, name string, args ...string) ([]byte, error) {
	// Images of containers switch the caches off, which costs seconds a call.
	args = append([]string{"-o", "Dir::Cache::pkgcache=pkgcache.bin", "-o", "Dir::Cache::srcpkgcache=srcpkgcache.bin"}, args...)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "APT_CONFIG="+a.conf, "LC_ALL=C")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}

func (a *apt) index(ctx context.Context) (*index, error) {
	out, err := a.run(ctx, "apt-cache", "dumpavail")
	if err != nil {
		return nil, err
	}
	return parse(bytes.NewReader(out))
}

// install lists what apt-get would install for a package; nil where it cannot.
func (a *apt) install(ctx context.Context, name string) (map[string]bool, error) {
	out, err := a.run(ctx, "apt-get", "install", "-s", "-q", "--no-install-recommends", name)
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) && ctx.Err() == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if w := strings.Fields(line); len(w) > 1 && w[0] == "Inst" {
			installed, _, _ := strings.Cut(w[1], ":")
			all[installed] = true
		}
	}
	return all, nil
}
