// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/md5" //nolint:gosec // dpkg's own sums
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	// sitePackages are installed on the host of a site, siteOthers are links and
	// directories.
	sitePackages = 100
	siteOthers   = 50
	// packageFiles is how many files a package has: the middle of a Debian 12 server.
	packageFiles = 20
	siteEntries  = siteFiles + sitePackages + siteOthers
)

// onHost makes a program of the host's own: the folder is its root, so that it sees
// a machine with packages and not a part of one.
func (s *site) onHost(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/bindery-agent", args...)
	cmd.Dir, cmd.Stderr = "/", os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: filepath.Join(s.folder, "host")}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return cmd
}

// others are the entries besides the files.
func others() string {
	var b strings.Builder
	for i := range sitePackages {
		fmt.Fprintf(&b, "<BoundPackage name=\"package%03d\" type=\"deb\" version=\"1.0-1\"/>\n", i)
	}
	for i := range siteOthers / 2 {
		fmt.Fprintf(&b, "<BoundPath type=\"symlink\" name=\"/srv/link%03d\" to=\"file%03d\"/>\n", i, i)
		fmt.Fprintf(&b, "<BoundPath type=\"directory\" name=\"/srv/dir%03d\" owner=\"0\" group=\"0\" mode=\"0755\"/>\n", i)
	}
	return b.String()
}

// furnish gives the host its packages, as dpkg would have left them. It holds little
// at a time: what this process holds counts for those that it starts.
func (s *site) furnish() error {
	var status strings.Builder
	err := errors.Join(s.put("etc/passwd", "root:x:0:0::/:/bin/sh\n"), s.put("etc/group", "root:x:0:\n"))
	for i := range sitePackages {
		name := fmt.Sprintf("package%03d", i)
		fmt.Fprintf(&status, "Package: %s\nStatus: install ok installed\nArchitecture: all\nVersion: 1.0-1\nDescription: for measuring\n\n", name)
		var list, sums strings.Builder
		for n := range packageFiles {
			at := fmt.Sprintf("usr/share/%s/file%02d", name, n)
			text := strings.Repeat(at+"\n", siteSize/len(at))
			fmt.Fprintf(&list, "/%s\n", at)
			fmt.Fprintf(&sums, "%x  %s\n", md5.Sum([]byte(text)), at) //nolint:gosec // as above
			err = errors.Join(err, s.put(at, text))
		}
		err = errors.Join(err, s.put("var/lib/dpkg/info/"+name+".list", list.String()), s.put("var/lib/dpkg/info/"+name+".md5sums", sums.String()))
	}
	return errors.Join(err, s.put("var/lib/dpkg/status", status.String()), os.Link(s.agent, filepath.Join(s.folder, "host", "bindery-agent")))
}

// put writes one file of the host.
func (s *site) put(name, text string) error {
	name = filepath.Join(s.folder, "host", name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("furnish the host: %w", err)
	}
	return os.WriteFile(name, []byte(text), 0o644) //nolint:gosec // files of packages are for all
}
