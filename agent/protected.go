// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/bindery/bindery/agent/driver/self"
)

// ownFiles are what no release may ever touch on a system, wherever the state is:
// whoever could change them would be the agent.
func ownFiles(goos string) []string {
	out := []string{
		"/var/lib/bindery", "/var/lib/bindery-fetch", "/var/spool/bindery", "/etc/bindery/agent.yaml", "/usr/bin/bindery-agent", "/usr/local/bin/bindery-agent",
	}
	switch goos {
	case "freebsd":
		// Its own words for where settings, programs and what starts them are.
		return append(out, "/usr/local/etc/bindery/agent.yaml", "/usr/local/sbin/bindery-agent", "/usr/local/etc/rc.d/bindery_agent",
			"/etc/rc.d/bindery_agent", "/etc/rc.conf.d/bindery_agent", "/usr/local/etc/rc.conf.d/bindery_agent")
	case "darwin":
		return append(out, "/Library/LaunchDaemons/bindery-agent.plist", "/usr/local/sbin/bindery-agent", "/opt/homebrew/bin/bindery-agent")
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
func Vital() []string { return vital(runtime.GOOS) }

func vital(goos string) []string {
	out := []string{
		"/bin", "/dev", "/etc", "/home", "/opt", "/root", "/sbin", "/tmp", "/usr", "/var", "/usr/bin", "/usr/lib", "/usr/sbin", "/usr/share",
		"/var/log", "/usr/bin/env", "/etc/passwd", "/etc/group", "/etc/fstab", "/etc/pam.d",
	}
	switch goos {
	case "freebsd":
		return append(out, "/boot", "/boot/kernel", "/boot/kernel/kernel", "/boot/loader", "/boot/loader.efi", "/boot/lua", "/lib", "/libexec", "/libexec/ld-elf.so.1",
			"/lib/libc.so.7", "/rescue", "/proc", "/bin/sh", "/sbin/init", "/usr/home", "/usr/libexec", "/usr/local", "/usr/local/etc", "/usr/local/lib", "/usr/local/sbin",
			"/etc/master.passwd", "/etc/pwd.db", "/etc/spwd.db", "/etc/login.conf", "/etc/nsswitch.conf", "/etc/ttys", "/etc/rc", "/etc/rc.subr", "/etc/rc.d", "/etc/defaults",
			"/var/db", "/var/db/pkg", "/var/db/pkg/local.sqlite", "/var/run")
	case "darwin":
		// What is a link into /private is meant by both names.
		return append(out, "/System", "/Library", "/Applications", "/Users", "/Volumes", "/private", "/private/etc", "/private/var", "/private/tmp", "/bin/sh", "/sbin/launchd",
			"/Library/LaunchDaemons", "/usr/libexec", "/usr/local", "/etc/master.passwd", "/etc/sudoers", "/var/db", "/var/db/dslocal", "/var/db/dslocal/nodes",
			"/var/db/dslocal/nodes/Default", "/var/db/dslocal/nodes/Default/users", "/var/root", "/var/run")
	}
	return append(out, "/boot", "/lib", "/lib64", "/proc", "/run", "/srv", "/sys", "/usr/lib64", "/var/lib", "/usr/bin/sh", "/usr/lib/systemd", "/usr/lib/systemd/systemd",
		"/etc/shadow", "/etc/gshadow", "/etc/nsswitch.conf", "/etc/ld.so.conf", "/etc/ld.so.cache",
		"/var/lib/dpkg", "/var/lib/dpkg/status", "/var/lib/rpm", "/usr/lib/sysimage/rpm")
}

// Filled lists the files among the Vital that no release may empty: nobody could log in.
func Filled() []string { return filled(runtime.GOOS) }

func filled(goos string) []string {
	out := []string{"/etc/passwd", "/etc/group"}
	switch goos {
	case "freebsd":
		return append(out, "/etc/master.passwd", "/etc/pwd.db", "/etc/spwd.db", "/var/db/pkg/local.sqlite")
	case "darwin":
		return append(out, "/etc/master.passwd")
	}
	return append(out, "/etc/shadow", "/var/lib/dpkg/status")
}

// Protected lists the names below root that no release may touch: the agent's
// usual files, the given ones that are below root, and the running program.
func Protected(root string, own ...string) []string {
	out := ownFiles(runtime.GOOS)
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
