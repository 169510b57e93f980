// SPDX-License-Identifier: Apache-2.0

//go:build machine

package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/e2e/machinetest"
)

// TestMachineConverges: what the specification says becomes true, stays true, and
// becomes true again. Each part goes on where the one before ended.
func TestMachineConverges(t *testing.T) {
	e := newEstate(t, nil, clutter)
	for _, part := range []struct {
		name string
		do   func(*estate)
	}{
		{"first run", (*estate).first},
		{"second run", (*estate).second},
		{"drift", (*estate).drift},
		{"paused", (*estate).paused},
		{"report mode", (*estate).reported},
		{"broken package", (*estate).broken},
		{"upgrade and downgrade", (*estate).versions},
	} {
		ok := t.Run(part.name, func(t *testing.T) {
			inner, m := *e, *e.Machine
			m.TB, inner.T, inner.Machine = t, t, &m
			part.do(&inner)
		})
		require.True(t, ok)
	}
}

func (e *estate) first() {
	r := e.apply(0)
	require.Equal(e.T, "clean", r.Report.State)
	require.Equal(e.T, r.Report.Total, r.Report.Good)
	e.converged()
}

// second: nothing is to be done, and nothing but the agent's own books and the
// system's is written: no byte, no mode, no time.
func (e *estate) second() {
	list := func() machinetest.Listing {
		return machinetest.List(e.T, e.Root, machinetest.Aspects{Times: true, Without: []string{"/var/lib/bindery", "/var/log"}})
	}
	before := list()
	require.Greater(e.T, len(before), 5000)
	r := e.apply(0)
	require.Equal(e.T, "clean", r.Report.State)
	require.Empty(e.T, r.Report.Modified)
	require.Empty(e.T, before.Differences(list()))
}

// spoil changes something of every kind.
func (e *estate) spoil() {
	e.Helper()
	for _, command := range []string{
		"echo other > /etc/motd", "rm /etc/app/secret", "chmod 4777 /srv/shared", "setfacl -m u:daemon:rw /srv/shared", "ln -sfn /etc /srv/latest",
		"rm /srv/shared/pipe", "rm /srv/twin; echo x > /srv/twin", "mkdir -p /srv/old/again", "touch /srv/kept/more", "chown daemon /usr/share/common-licenses/Artistic",
		"usermod -s /bin/false -G '' deploy", "groupmod -g 1700 ops", "systemctl stop app", "systemctl disable -q uplink", "echo x > /usr/share/app/version",
		"rm /home/deploy/.profile",
	} {
		e.Do("sh", "-c", command)
	}
}

// drift is what somebody changed on the machine: it is put right, and called so.
func (e *estate) drift() {
	before := e.list(false, copies...)
	e.spoil()
	require.NotEmpty(e.T, before.Differences(e.list(false, copies...)))
	plan := e.apply(1, "--dry-run")
	require.NotZero(e.T, plan.item(e.T, "Path", "/etc/motd").Reason)
	r := e.apply(0)
	require.Equal(e.T, "clean", r.Report.State)
	e.converged()
	require.Empty(e.T, before.Differences(e.list(false, copies...)))
	for _, i := range []item{r.item(e.T, "Path", "/etc/motd"), r.item(e.T, "POSIXUser", "deploy"), r.item(e.T, "Service", "app")} {
		require.True(e.T, i.Changed, i)
		require.Equal(e.T, "drift", i.Cause, i)
	}
}

// still checks that runs change nothing.
func (e *estate) still(state string, code int) *result {
	e.Helper()
	e.Do("sh", "-c", "echo other > /etc/motd; systemctl stop app; rm /srv/shared/pipe")
	before := e.list(true)
	r := e.apply(code)
	require.Equal(e.T, state, r.Report.State)
	require.Empty(e.T, r.Report.Modified)
	require.Empty(e.T, before.Differences(e.list(true)))
	require.Equal(e.T, "inactive", strings.TrimSpace(e.Do("sh", "-c", "systemctl is-active app || true")))
	require.Equal(e.T, "incorrect", r.item(e.T, "Path", "/etc/motd").State)
	return r
}

func (e *estate) paused() {
	e.Do("bindery-agent", "pause", "--for", "1h", "--reason", "a test")
	e.still("paused", 0)
	e.Do("bindery-agent", "resume")
	e.apply(0)
	e.converged()
}

func (e *estate) reported() {
	settings := "plugins: [Bundler, Cfg, Metadata, Probes, Rules]\n"
	e.publish(map[string]string{"bindery.yaml": settings + "policy: {mode: report}\n"})
	e.still("dirty", 1)
	e.publish(map[string]string{"bindery.yaml": settings})
	e.apply(0)
	e.converged()
}

// broken: what a package breaks is its own bundle.
func (e *estate) broken() {
	e.publish(map[string]string{
		"Bundler/broken.xml": `<Bundle><BoundPackage name="broken" type="deb" version="any"/><BoundPath name="/srv/beside" type="directory" owner="root" group="root" mode="0755"/></Bundle>`,
		"Bundler/plain.xml":  `<Bundle><BoundPackage name="plain" type="deb" version="any"/></Bundle>`,
		"Metadata/groups.xml": strings.Replace(e.source("Metadata/groups.xml"), `<Bundle name="uplink"/>`,
			`<Bundle name="uplink"/><Bundle name="broken"/><Bundle name="plain"/>`, 1),
	})
	r := e.apply(1)
	require.Equal(e.T, "dirty", r.Report.State)
	require.Len(e.T, r.Report.Bad, 1)
	require.Contains(e.T, r.item(e.T, "Package", "broken").Reason, "status 100")
	require.Equal(e.T, "correct", r.item(e.T, "Package", "plain").State)
	require.Equal(e.T, "correct", r.item(e.T, "Path", "/srv/beside").State)
	e.converged()

	e.publish(map[string]string{"Bundler/broken.xml": "", "Metadata/groups.xml": strings.Replace(e.source("Metadata/groups.xml"), `<Bundle name="broken"/>`, "", 1)})
	require.Equal(e.T, "clean", e.apply(0).Report.State)
	e.Do("dpkg", "--purge", "--force-all", "broken")
}

// versions: packages go up and down, and services read what came with them.
func (e *estate) versions() {
	rules := e.source("Rules/rules.xml")
	e.publish(map[string]string{"Rules/rules.xml": strings.Replace(rules, `name="app" type="deb" version="1.0"`, `name="app" type="deb" version="2.0"`, 1)})
	started := e.Do("systemctl", "show", "-P", "InvocationID", "app")
	r := e.apply(0)
	require.Equal(e.T, "release", r.item(e.T, "Package", "app").Cause)
	require.Equal(e.T, "2.0", e.reads("/usr/share/app/version"))
	require.NotEqual(e.T, started, e.Do("systemctl", "show", "-P", "InvocationID", "app"))
	e.publish(map[string]string{"Rules/rules.xml": rules})
	e.apply(0)
	require.Equal(e.T, "1.0", e.reads("/usr/share/app/version"))
}
