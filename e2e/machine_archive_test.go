// SPDX-License-Identifier: Apache-2.0

//go:build machine

package e2e_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// archive is a signed archive of Debian's or of rpm's packages, served over HTTP.
type archive struct {
	t    *testing.T
	dir  string
	home string
	port string
}

// parcel is one package of it. script is run while it is installed.
type parcel struct {
	name, version, depends, script string
	files                          map[string]string
}

// appUnit has no limit of starts: tests follow each other quicker than any host's days.
const appUnit = `[Unit]
Description=An application
StartLimitIntervalSec=0
[Service]
ExecStart=/usr/lib/app/serve
[Install]
WantedBy=multi-user.target
`

// serve shows what it was started with, so that a test sees a restart.
const appServe = `#!/bin/sh
cp /etc/app/app.conf /run/app.conf
exec sleep infinity
`

const uplinkUnit = `[Unit]
Description=The way to everybody else
StartLimitIntervalSec=0
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/lib/uplink/up
ExecReload=/usr/lib/uplink/up
[Install]
WantedBy=multi-user.target
`

const uplinkUp = `#!/bin/sh -e
. /etc/uplink.conf
ip addr flush dev host0
ip addr add "$ADDRESS" dev host0
ip link set host0 up
`

func parcels() []parcel {
	app := func(version string) parcel {
		return parcel{name: "app", version: version, depends: "app-data", files: map[string]string{
			"usr/lib/systemd/system/app.service": appUnit, "usr/lib/app/serve": appServe, "usr/share/app/version": version,
		}}
	}
	return []parcel{
		app("1.0"), app("2.0"),
		{name: "app-data", version: "1", files: map[string]string{"usr/share/app/data": strings.Repeat("data\n", 1000)}},
		{name: "uplink", version: "1", files: map[string]string{"usr/lib/systemd/system/uplink.service": uplinkUnit, "usr/lib/uplink/up": uplinkUp}},
		{name: "broken", version: "1", script: "#!/bin/sh\necho it does not work >&2\nexit 7\n", files: map[string]string{"usr/share/broken": "x"}},
		{name: "plain", version: "1", files: map[string]string{"usr/share/plain": "plain"}},
	}
}

// newArchive builds the packages, indexes and signs them, and serves them on all
// addresses.
func newArchive(t *testing.T, rpm bool) *archive {
	t.Helper()
	a := &archive{t: t, dir: t.TempDir()}
	var err error
	// The agent of gpg has a socket there, whose name must be short.
	a.home, err = os.MkdirTemp("", "e2e-gpg-")
	require.NoError(t, err)
	t.Cleanup(func() {
		// The test's own context has ended by now.
		require.NoError(t, command(context.Background(), a.dir, "gpgconf", "--homedir", a.home, "--kill", "all").Run())
		require.NoError(t, os.RemoveAll(a.home))
	})
	a.gpg("--quick-generate-key", "An archive <archive@example.org>", "ed25519", "sign", "never")
	a.fill(rpm)
	l, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	_, a.port, _ = net.SplitHostPort(l.Addr().String())
	server := &http.Server{Handler: http.FileServer(http.Dir(a.dir))}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-done, http.ErrServerClosed)
	})
	return a
}

func (a *archive) gpg(args ...string) string {
	a.t.Helper()
	return ran(a.t, a.dir, append([]string{"gpg", "--homedir", a.home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""}, args...)...)
}

// fill builds, indexes and signs: of Debian's packages the index, of rpm's each.
func (a *archive) fill(rpm bool) {
	a.t.Helper()
	if rpm {
		for _, p := range parcels() {
			p.buildRPM(a.t, a.dir)
		}
		files, err := filepath.Glob(a.dir + "/noarch/*.rpm")
		require.NoError(a.t, err)
		gpg, err := exec.LookPath("gpg")
		require.NoError(a.t, err)
		ran(a.t, a.dir, append([]string{"rpmsign", "--define", "__gpg " + gpg, "--define", "_gpg_name archive@example.org", "--define", "_gpg_path " + a.home, "--addsign"}, files...)...)
		ran(a.t, a.dir, "createrepo_c", "-q", ".")
		return
	}
	for _, p := range parcels() {
		p.build(a.t, a.dir)
	}
	write(a.t, a.dir, "Packages", ran(a.t, a.dir, "apt-ftparchive", "packages", "."))
	release := ran(a.t, a.dir, "apt-ftparchive", "-o", "APT::FTPArchive::Release::Suite=local", "release", ".")
	write(a.t, a.dir, "Release", release)
	a.gpg("--yes", "--clearsign", "--output", "InRelease", "Release")
}

// key is what machines trust.
func (a *archive) key() string { return a.gpg("--armor", "--export") }

// sources is what apt or dnf reads.
func (a *archive) sources(address string, rpm bool) string {
	if rpm {
		return fmt.Sprintf("[local]\nname=local\nbaseurl=http://%s/\ngpgcheck=1\ngpgkey=file:///etc/pki/rpm-gpg/local.asc\n", net.JoinHostPort(address, a.port))
	}
	return fmt.Sprintf("Types: deb\nURIs: http://%s/\nSuites: ./\nSigned-By: /etc/apt/keyrings/local.asc\n", net.JoinHostPort(address, a.port))
}

func (p parcel) build(t *testing.T, into string) {
	t.Helper()
	tree := filepath.Join(t.TempDir(), p.name)
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\n", p.name, p.version)
	if p.depends != "" {
		control += "Depends: " + p.depends + "\n"
	}
	write(t, tree, "DEBIAN/control", control+"Description: a package for tests\n")
	var sums strings.Builder
	for name, content := range p.files {
		write(t, tree, name, content)
		mode := os.FileMode(0o644)
		if strings.HasPrefix(content, "#!") {
			mode = 0o755
		}
		require.NoError(t, os.Chmod(filepath.Join(tree, name), mode))
		sums.WriteString(ran(t, tree, "md5sum", name))
	}
	write(t, tree, "DEBIAN/md5sums", sums.String())
	if p.script != "" {
		write(t, tree, "DEBIAN/postinst", p.script)
		require.NoError(t, os.Chmod(tree+"/DEBIAN/postinst", 0o755))
	}
	ran(t, into, "dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, fmt.Sprintf("%s/%s_%s_all.deb", into, p.name, p.version))
}

func (p parcel) buildRPM(t *testing.T, into string) {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf("Name: %s\nVersion: %s\nRelease: 1\nSummary: for tests\nLicense: none\nBuildArch: noarch\nAutoReqProv: no\n", p.name, p.version)
	if p.depends != "" {
		text += "Requires: " + p.depends + "\n"
	}
	text += "%description\nfor tests\n"
	if p.script != "" {
		text += "%pre\n" + p.script
	}
	text += "%files\n%defattr(-,root,root)\n"
	for name, content := range p.files {
		write(t, dir+"/root", name, content)
		mode := os.FileMode(0o644)
		if strings.HasPrefix(content, "#!") {
			mode = 0o755
		}
		require.NoError(t, os.Chmod(dir+"/root/"+name, mode))
		if dir := filepath.Dir(name); strings.Count(dir, "/") == 2 && !strings.Contains(dir, "systemd") {
			text += "%dir /" + dir + "\n" // the package's own
		}
		text += "/" + name + "\n"
	}
	text = strings.Replace(text, "%files", "%install\nmkdir -p %{buildroot}\n[ ! -d "+dir+"/root ] || cp -a "+dir+"/root/. %{buildroot}\n%files", 1)
	write(t, dir, "spec", text)
	ran(t, dir, "rpmbuild", "-bb", "--quiet", "--define", "_rpmdir "+into, "--define", "_topdir "+dir+"/top", "--define", "_build_name_fmt noarch/%%{NAME}-%%{VERSION}.rpm", "spec")
}
