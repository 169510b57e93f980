// SPDX-License-Identifier: Apache-2.0

package deb_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/system"
)

// parcel is one package to build.
type parcel struct {
	name, version string
	// fields are further lines of its control file.
	fields string
	files  map[string]string
	postin string
}

func parcels() []parcel {
	conf := func(version string) parcel {
		return parcel{name: "conf", version: version, files: map[string]string{"etc/conf.conf": "conf of " + version, "etc/gone.conf": "gone of " + version}}
	}
	one := func(version string) parcel {
		return parcel{name: "one", version: version, files: map[string]string{"usr/share/one/data": "data of " + version, "usr/share/doc/one/copyright": "free", "usr/lib/one/plugin": "plugin"}}
	}
	return []parcel{
		one("1.0-1"), one("2.0-1"), conf("1"), conf("2"),
		{name: "asks", version: "1", postin: "#!/bin/sh\nread answer\nread answer </dev/tty\n[ -z \"$answer\" ]\n"},
		{name: "two", version: "1", fields: "Depends: base\n", files: map[string]string{"usr/share/two": "2"}},
		{name: "base", version: "1:3", files: map[string]string{"usr/share/base": "base"}},
		{name: "rival", version: "1", fields: "Conflicts: two\n"},
		{name: "bindery-agent", version: "1"}, {name: "usurper", version: "1", fields: "Conflicts: bindery-agent\n"},
		{name: "lonely", version: "1", fields: "Depends: no-such-package\n"},
		{name: "broken", version: "1", postin: "#!/bin/sh\necho does not work >&2\nexit 7\n"},
	}
}

// archive builds all packages, and an index of them.
func archive(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range parcels() {
		tree := filepath.Join(t.TempDir(), p.name)
		control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\n%sDescription: a package for tests\n", p.name, p.version, p.fields)
		put(t, tree+"/DEBIAN/control", control)
		var sums strings.Builder
		for name, content := range p.files {
			put(t, filepath.Join(tree, name), content)
			sum := strings.Fields(run(t, tree, "md5sum", name))[0]
			fmt.Fprintf(&sums, "%s  %s\n", sum, name)
		}
		put(t, tree+"/DEBIAN/md5sums", sums.String())
		if p.name == "conf" {
			put(t, tree+"/DEBIAN/conffiles", "/etc/conf.conf\n/etc/gone.conf\n")
		}
		if p.postin != "" {
			put(t, tree+"/DEBIAN/postinst", p.postin)
			require.NoError(t, os.Chmod(tree+"/DEBIAN/postinst", 0o755))
		}
		run(t, dir, "dpkg-deb", "-Znone", "--build", tree, fmt.Sprintf("%s/%s_%s.deb", dir, p.name, strings.ReplaceAll(p.version, ":", "%3a")))
	}
	put(t, dir+"/Packages", run(t, dir, "apt-ftparchive", "packages", "."))
	return dir
}

func put(t *testing.T, name, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(content), 0o644))
}

func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir = dir
	out, err := cmd.Output()
	require.NoError(t, err, "%v", args)
	return string(out)
}

// root is a host that has nothing but a database of packages. The real tools work
// on it, told so by their own settings.
func root(t *testing.T, archive string) *system.Machine {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{
		"etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "etc/apt/trusted.gpg.d", "usr/share/keyrings", "var/lib/apt/lists/partial",
		"var/cache/apt/archives/partial", "var/log/apt", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "tmp",
	} {
		require.NoError(t, os.MkdirAll(dir+"/"+d, 0o755))
	}
	put(t, dir+"/var/lib/dpkg/status", "")
	put(t, dir+"/etc/apt/sources.list", "deb [trusted=yes] copy:"+archive+" ./\n")
	// What a script of a package would need is not there: scripts run on the host.
	put(t, dir+"/apt.conf", fmt.Sprintf(`Dir "%s";
Dir::State::status "%s/var/lib/dpkg/status";
Dir::Bin::dpkg "/usr/bin/dpkg";
Dir::Bin::methods "/usr/lib/apt/methods";
APT::Sandbox::User "";
APT::Install-Recommends "false";
DPkg::Options { "--root=%s"; "--force-not-root"; "--force-script-chrootless"; "--force-unsafe-io"; "--log=%s/var/log/dpkg.log"; };
`, dir, dir, dir, dir))
	m, err := system.New(system.Config{Root: dir})
	require.NoError(t, err)
	m.Root = "/"
	m.Processes = inside{dir}
	_, err = m.Processes.Run(t.Context(), system.Command{Args: []string{"apt-get", "-q", "update"}, Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, Timeout: aMinute})
	require.NoError(t, err)
	return m
}

// inside runs the tools for a root of their own.
type inside struct{ dir string }

func (p inside) Run(ctx context.Context, c system.Command) (system.Result, error) {
	c.Env = append([]string{"APT_CONFIG=" + p.dir + "/apt.conf"}, c.Env...)
	if c.Args[0] == "dpkg" {
		c.Args = append([]string{"dpkg", "--root=" + p.dir, "--force-not-root", "--force-script-chrootless", "--force-unsafe-io", "--log=" + p.dir + "/var/log/dpkg.log"}, c.Args[1:]...)
	}
	return system.Host{}.Run(ctx, c)
}
