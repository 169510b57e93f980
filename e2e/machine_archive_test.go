// SPDX-License-Identifier: Apache-2.0

//go:build machine

package e2e_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// archive is a signed Debian archive, served over HTTP.
type archive struct {
	t    *testing.T
	dir  string
	home string
	port string
}

// parcel is one package of it.
type parcel struct {
	name, version, depends, postinst string
	files                            map[string]string
}

const appUnit = `[Unit]
Description=An application
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
		{name: "broken", version: "1", postinst: "#!/bin/sh\necho it does not work >&2\nexit 7\n", files: map[string]string{"usr/share/broken": "x"}},
		{name: "plain", version: "1", files: map[string]string{"usr/share/plain": "plain"}},
	}
}

// newArchive builds the packages, indexes and signs them, and serves them on all
// addresses.
func newArchive(t *testing.T) *archive {
	t.Helper()
	a := &archive{t: t, dir: t.TempDir()}
	for _, p := range parcels() {
		p.build(t, a.dir)
	}
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
	a.sign()
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

func (a *archive) sign() {
	a.t.Helper()
	write(a.t, a.dir, "Packages", ran(a.t, a.dir, "apt-ftparchive", "packages", "."))
	release := ran(a.t, a.dir, "apt-ftparchive", "-o", "APT::FTPArchive::Release::Suite=local", "release", ".")
	write(a.t, a.dir, "Release", release)
	a.gpg("--yes", "--clearsign", "--output", "InRelease", "Release")
}

// key is what machines trust.
func (a *archive) key() string { return a.gpg("--armor", "--export") }

// sources is what apt reads.
func (a *archive) sources(address string) string {
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
	if p.postinst != "" {
		write(t, tree, "DEBIAN/postinst", p.postinst)
		require.NoError(t, os.Chmod(tree+"/DEBIAN/postinst", 0o755))
	}
	ran(t, into, "dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, fmt.Sprintf("%s/%s_%s_all.deb", into, p.name, p.version))
}
