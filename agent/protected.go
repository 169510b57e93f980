// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/bindery/bindery/agent/driver/self"
)

// ownFiles are what no release may ever touch, wherever the state is: whoever
// could change them would be the agent.
func ownFiles() []string {
	out := []string{
		"/var/lib/bindery", "/var/lib/bindery-fetch", "/var/spool/bindery", "/etc/bindery/agent.yaml", "/usr/bin/bindery-agent", "/usr/local/bin/bindery-agent",
	}
	// Where systemd looks for units, and for what alters them.
	for _, dir := range []string{"/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"} {
		for _, name := range self.Units() {
			unit := dir + "/systemd/system/" + name
			out = append(out, unit, unit+".d")
		}
	}
	return out
}

// Vital lists what no release may take away, by any spelling: a host that lost it
// would not boot, or nobody could log in. Its content may be managed.
func Vital() []string {
	return []string{
		"/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt", "/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/var",
		"/usr/bin", "/usr/lib", "/usr/lib64", "/usr/sbin", "/usr/share", "/var/lib", "/var/log", "/usr/bin/sh", "/usr/bin/env", "/usr/lib/systemd", "/usr/lib/systemd/systemd",
		"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/fstab", "/etc/nsswitch.conf", "/etc/pam.d", "/etc/ld.so.conf", "/etc/ld.so.cache",
		"/var/lib/dpkg", "/var/lib/dpkg/status", "/var/lib/rpm", "/usr/lib/sysimage/rpm",
	}
}

// Filled lists the files among the Vital that no release may empty: nobody could log in.
func Filled() []string {
	return []string{"/etc/passwd", "/etc/group", "/etc/shadow", "/var/lib/dpkg/status"}
}

// Protected lists the names below root that no release may touch: the agent's
// usual files, the given ones that are below root, and the running program.
func Protected(root string, own ...string) []string {
	out := ownFiles()
	if self, err := os.Executable(); err == nil {
		own = append(own, self)
	}
	root = resolved(root)
	for _, name := range own {
		rel, err := filepath.Rel(root, resolved(name))
		if name != "" && err == nil && rel != "." && rel != ".." && !strings.HasPrefix(rel, "../") {
			out = append(out, "/"+rel)
		}
	}
	return out
}

// resolved follows links as far as the name exists.
func resolved(name string) string {
	abs, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real
	}
	dir := filepath.Dir(abs)
	if dir == abs {
		return abs
	}
	return filepath.Join(resolved(dir), filepath.Base(abs))
}
