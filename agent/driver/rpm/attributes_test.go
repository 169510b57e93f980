// SPDX-License-Identifier: Apache-2.0

package rpm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
)

// changed is one, of version 1.0, with one thing more said of the Instance.
func changed(name, value string) config.Entry {
	e := instance()
	e.Children = with(e.Children[0], name, value)
	return e
}

// beside is one, of version 1.0, with one thing more said of the package.
func beside(words string) config.Entry {
	e := pack("name=one", words)
	e.Children = instance().Children
	return e
}

// foreign is what is there for the host's own architecture, asked for another one.
func foreign() config.Entry {
	e := pack("name=native")
	e.Children = []*config.Node{{Tag: "Instance", Attrs: []config.Attr{{Name: "version", Value: "any"}, {Name: "arch", Value: "m68k"}}}}
	return e
}

func ignoring(name string) config.Entry {
	e := pack("name=one", "version=any")
	e.Children = []*config.Node{{Tag: "Ignore", Attrs: []config.Attr{{Name: "name", Value: name}}}}
	return e
}

// both installs a package twice, as dnf does with those that are installonlypkgs.
func both(t *testing.T, m *system.Machine) {
	t.Helper()
	have("one-1.0")(t, m)
	repo := m.Processes.(inside).repo
	r, err := m.Processes.Run(t.Context(), system.Command{Args: []string{"rpm", "--install", "--force", repo + "/noarch/one-2.0-1.noarch.rpm"}, Env: []string{"PATH=/usr/bin:/bin"}, Timeout: time.Minute, MaxTail: 4096})
	require.NoError(t, err)
	require.Zero(t, r.Exit, "%s", r.Tail)
}

// What is looked at of a package, and what of that is left as it is.
func TestAttributes(t *testing.T) {
	t.Parallel()
	repo := archive(t)
	type attribute struct {
		name  string
		entry config.Entry
		found driver.State
		left  string
	}
	const missing, wrong, right = driver.Missing, driver.Incorrect, driver.Correct
	for name, c := range map[string]struct {
		arrange func(*testing.T, *system.Machine)
		cases   []attribute
	}{
		"nothing": {have("rival"), []attribute{
			{"not checked, and missing", pack("name=one", "version=2.0", "pkg_checks=false", "install_missing=false"), missing, "package that is missing"},
			{"not to be installed", changed("install_missing", "false"), missing, "package that is missing"},
			{"not to be installed, of old", changed("installed_action", "none"), missing, "package that is missing"},
		}},
		"another version": {have("one-2.0"), []attribute{
			{"not checked", pack("name=one", "version=1.0", "pkg_checks=false"), right, ""},
			{"not to be fixed", changed("fix_version", "false"), wrong, "package that is of another version"},
			{"not to be fixed, of old", changed("version_fail_action", "none"), wrong, "package that is of another version"},
		}},
		"another architecture": {have("native"), []attribute{
			{"of the host's", pack("name=native", "version=any"), right, ""},
			{"of another", pack("name=native", "version=any", "arch=m68k"), missing, "-"},
			{"of several", pack("name=native", "version=any", "multiarch=m68k"), missing, "-"},
			{"instance of another", foreign(), missing, "-"},
		}},
		"an epoch": {have("base"), []attribute{
			{"of the epoch", pack("name=base", "version=3", "release=1", "epoch=1"), right, ""},
			{"of another epoch", pack("name=base", "version=3", "release=1", "epoch=2"), wrong, "-"},
			{"of another release", pack("name=base", "version=3", "release=2"), wrong, "-"},
		}},
		"both versions": {both, []attribute{
			{"one of two versions", pack("name=one", "version=1.0", "verify=false"), right, ""},
			{"the other one", pack("name=one", "version=2.0", "verify=false"), right, ""},
		}},
		"configuration altered": {altered("/etc/one.conf"), []attribute{
			{"configuration", pack("name=one", "version=any"), right, ""},
			{"a group that is there", pack("name=@web", "verify=false"), missing, "-"},
		}},
		"altered": {altered("/usr/share/one/data"), []attribute{
			{"verify", pack("name=one", "version=noverify", "verify=false"), right, ""},
			{"pkg_verify", pack("name=one", "version=any", "pkg_verify=false"), right, ""},
			{"pkg_verify of an instance", changed("pkg_verify", "false"), right, ""},
			{"nomd5", pack("name=one", "version=any", "verify_flags=nosize,nomd5"), right, ""},
			{"nolinkto", pack("name=one", "version=any", "verify_flags=nolinkto", "reinstall_broken=false"), wrong, "altered"},
			{"nofiles beside an instance", beside("verify_flags=nofiles"), right, ""},
			{"pkg_verify beside an instance", beside("pkg_verify=false"), right, ""},
			{"nofiles of an instance", changed("verify_flags", "nofiles"), right, ""},
			{"ignored", ignoring("/usr/share/one/data"), right, ""},
			{"beside what is ignored", ignoring("/usr/share/one"), wrong, "-"},
			{"not to be reinstalled", changed("reinstall_broken", "false"), wrong, "package that is altered"},
			{"not to be reinstalled, of old", changed("verify_fail_action", "none"), wrong, "package that is altered"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := root(t, repo)
			c.arrange(t, m)
			for _, a := range c.cases {
				item := driver.Item{Entry: config.NewEntry(a.entry)}
				d := newDriver(t, m)
				out, err := d.Apply(t.Context(), item, false)
				require.NoError(t, err, a.name)
				require.Equal(t, a.found, out.State, "%s: %v", a.name, out.Reasons)
				if a.left == "-" {
					continue
				}
				out, err = d.Apply(t.Context(), item, true)
				require.False(t, out.Changed, a.name)
				if a.left == "" {
					require.NoError(t, err, a.name)
				} else {
					require.ErrorContains(t, err, a.left, a.name)
				}
			}
		})
	}
}
