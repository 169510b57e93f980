// SPDX-License-Identifier: Apache-2.0

//go:build machine

package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// kind is a kind of machine, with what is asked of it, and how it says so.
type kind struct {
	// name is its tests' name, base the root folder that it is a copy of.
	name, base string
	// booted machines have systemd, the others no first process of a system.
	booted bool
	// spec is the folder of its specification, and words are what of the specification
	// and of the commands below is called otherwise on it.
	spec  string
	words []string
	// more are files of the specification beside those of the folder, and conf is the
	// one that its application reads.
	more map[string]string
	conf string
	// files are written to its root folder before it starts: those that begin with #!
	// are programs.
	files map[string]string
	// begin is what is done on it before the agent comes, and boot what a boot does: on
	// machines that are not booted, and where the link comes late.
	begin, boot string
	// packages and units list what of them is there.
	packages, units string
	// rpm tells that packages are rpm's.
	rpm bool
	// fragile is an entry that fails by the name of broken, and not by another. breaks is
	// what is said of it, and mend takes away what is left of it.
	fragile, breaks, mend string
	// truths are what holds once it is as its specification says.
	truths []truth
	// spoils change something of every kind, caused are entries that it hits, and
	// disturb is a small one of them, that undisturbed would notice.
	spoils               []string
	caused               [][2]string
	disturb, undisturbed string
	blamed               [2]string
	// reset makes it as it was before anything was applied, or nearly: the quickest way
	// to have all to do again. moment says in words how far a run came.
	reset, moment string
	// own are folders in which its system keeps its own books, and reading those of them
	// that are written to by who only reads.
	own, reading []string
}

// truth is what a command shall say.
type truth struct{ want, command string }

// kinds are all of them. Debian is the one that others are described by.
func kinds() []kind { return []kind{debian(), dnf(), sysv(), openrc()} }

// of runs a test on a machine of each kind, beside other tests.
func of(t *testing.T, kinds []kind, test func(*testing.T, kind)) {
	t.Helper()
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			test(t, k)
		})
	}
}

// says puts a text into the words of the kind.
func (k kind) says(text string) string { return strings.NewReplacer(k.words...).Replace(text) }

// hasPackages tells whether the kind's specification names packages.
func (k kind) hasPackages() bool { return k.packages != "" }

// place writes the kind's files below a root folder.
func (k kind) place(t *testing.T, root string) {
	t.Helper()
	for name, text := range k.files {
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
		require.NoError(t, os.Chmod(path, mode))
	}
}

// debian is Debian as it is: apt, dpkg and systemd.
func debian() kind {
	return kind{
		name: "deb", base: "machines/bookworm", booted: true, spec: "testdata/machine", conf: "Cfg/etc/app/app.conf/app.conf",
		boot:    "systemctl restart uplink",
		fragile: `<BoundPackage name="NAME" type="deb" version="any"/>`, breaks: "post-installation script", mend: "dpkg --purge --force-all broken",
		files:    map[string]string{"srv/old/deep/file": "old", "srv/kept/not": "not", "etc/motd": "before\n"},
		packages: "dpkg-query -W -f '${Package} ${Version} ${Status}\n' && apt-mark showauto",
		units:    "for u in app uplink; do echo $u $(systemctl is-active $u) $(systemctl is-enabled $u 2>/dev/null); done",
		truths: []truth{
			{"Kept by its specification.", "cat /etc/motd"},
			{"workers = 2", "cat /run/app.conf"},
			{"root:ops 640", "stat -c '%U:%G %a' /etc/app/secret"},
			{"deploy:ops 600", "stat -c '%U:%G %a' /home/deploy/.profile"},
			{"deploy:x:1500:1600:Deployment:/home/deploy:/bin/sh", "getent passwd deploy"},
			{"ops adm", "id -nG deploy"},
			{"fifo root:ops 660", "stat -c '%F %U:%G %a' /srv/shared/pipe"},
			{"character special file 1:3 660", "stat -c '%F %t:%T %a' /srv/shared/null"},
			{"shared", "readlink /srv/latest"},
			{"2", "stat -c %h /etc/app/app.conf"},
			{"user:deploy:rwx", "getfacl -cp /srv/shared | grep ^user:deploy"},
			{"default:user:deploy:rwx", "getfacl -cp /srv/shared | grep ^default:user:deploy"},
			{"gone", "test -e /srv/old || test -e /srv/kept/not || test -e /etc/apt/sources.list || echo gone"},
			{"640", "stat -c %a /usr/share/common-licenses/Artistic"},
			{"1.0 installed", "dpkg-query -W -f '${Version} ${db:Status-Status}' app"},
			{"1.0", "cat /usr/share/app/version"},
			{"active enabled", "echo $(systemctl is-active app) $(systemctl is-enabled app)"},
			{"active enabled", "echo $(systemctl is-active uplink) $(systemctl is-enabled uplink)"},
			{"changed", "tail -n 1 /var/log/app-changes"},
		},
		spoils: []string{
			"echo other > /etc/motd", "rm /etc/app/secret", "chmod 4777 /srv/shared", "setfacl -m u:daemon:rw /srv/shared", "ln -sfn /etc /srv/latest",
			"rm /srv/shared/pipe", "rm /srv/twin; echo x > /srv/twin", "mkdir -p /srv/old/again", "touch /srv/kept/more", "chown daemon /usr/share/common-licenses/Artistic",
			"usermod -s /bin/false -G '' deploy", "groupmod -g 1700 ops", "systemctl stop app", "systemctl disable -q uplink", "rm /home/deploy/.profile",
			"dpkg --purge --force-all uplink", "echo x > /usr/share/app/version",
			// A package that was right is believed for an hour: let it have passed.
			"rm /var/lib/bindery/learned-*.json",
		},
		caused:  [][2]string{{"Path", "/etc/motd"}, {"POSIXUser", "deploy"}, {"Service", "app"}, {"Package", "app"}, {"Package", "uplink"}},
		disturb: "echo other > /etc/motd; systemctl stop app; rm /srv/shared/pipe", undisturbed: "systemctl is-active -q app", blamed: [2]string{"Path", "/etc/motd"},
		reset: `systemctl disable -q --now app
systemctl disable -q uplink
dpkg --purge --force-all app app-data >/dev/null 2>&1
rm -rf /etc/app /srv/shared /srv/latest /srv/twin /home/deploy
userdel deploy 2>/dev/null; groupdel ops 2>/dev/null || true
mkdir -p /srv/old/deep; echo old > /srv/old/deep/file; touch /srv/kept/not; echo before > /etc/motd; echo deb http://nowhere.invalid x y > /etc/apt/sources.list
chmod 644 /usr/share/common-licenses/Artistic
systemctl daemon-reload`,
		moment: `getent passwd deploy >/dev/null && echo users
[ -e /etc/apt/sources.list ] || echo sources
dpkg-query -W -f '${db:Status-Status}\n' app 2>/dev/null
[ -e /etc/app/secret ] && echo files
systemctl is-active app
pgrep -x apt-get >/dev/null && echo apt`,
		own: []string{"/var/cache", "/var/lib/systemd", "/var/lib/apt", "/var/lib/dpkg", "/etc/resolv.conf"},
	}
}

// dnf is a machine all of whose packages are rpm's: dnf installed them in an empty root,
// and there is neither dpkg nor apt.
func dnf() kind {
	k := debian()
	k.name, k.base, k.rpm, k.breaks, k.mend = "rpm", "machines/dnf", true, "status 1", "! rpm -q broken"
	k.words = []string{
		`type="deb"`, `type="yum"`, "etc/apt/keyrings", "etc/pki/rpm-gpg", "local.sources", "local.repo",
		"etc/apt/sources.list.d", "etc/yum.repos.d", "etc/apt/sources.list", "etc/yum.repos.d/elsewhere.repo",
		"apt-get -q update", "dnf -q -y makecache", "pgrep -x apt-get", "pgrep -x dnf", "echo apt", "echo dnf",
		"dpkg-query -W -f '${Version} ${db:Status-Status}' app", "rpm -q --qf '%{VERSION} installed' app",
		`dpkg-query -W -f '${db:Status-Status}\n' app 2>/dev/null`, "rpm -q --quiet app && echo installed",
		"dpkg --purge --force-all", "rpm -e --nodeps --noscripts", "echo deb http://nowhere.invalid x y", "echo '[elsewhere]'",
	}
	k.files["etc/yum.repos.d/elsewhere.repo"] = "[elsewhere]\n"
	k.packages = "rpm -qa --qf '%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE}\n' | sort"
	k.reading = []string{"/var/lib/rpm"}
	k.own = append(k.own, "/var/lib/rpm", "/var/lib/dnf")
	return k
}

// rc is an old init, in its words: a service's script, commands about $s, and what there
// is once such a system has booted.
type rc struct{ script, uplink, booted, running, enabled, start, on, off string }

// services is a machine that is not booted, on which the services of an old init are
// managed.
func services(name, typ string, c rc) kind {
	state := "for s in app made old uplink; do echo $s $(" + c.running + " && echo runs) $(" + c.enabled + " && echo starts); done"
	begin := c.booted + "\ns=old; " + c.on
	named := func(name string) string { return strings.ReplaceAll(c.script, "NAME", name) }
	return kind{
		name: name, base: "machines/services/" + typ, spec: "testdata/services", words: []string{`type="deb"`, fmt.Sprintf("type=%q", typ)},
		files: map[string]string{
			"etc/init.d/app": named("app"), "etc/init.d/old": named("old"), "etc/init.d/plain": named("plain"), "etc/init.d/broken": named("broken"),
			"etc/init.d/uplink": c.uplink, "usr/lib/uplink/up": uplinkUp,
		},
		more: map[string]string{"Cfg/etc/init.d/made/made": named("made")}, conf: "Cfg/etc/app.conf/app.conf",
		begin: begin, boot: c.booted + "\nfor s in uplink app made; do " + c.start + "; done", units: state,
		fragile: `<BoundService name="NAME" type="deb" status="on" bootstatus="on"/>`, breaks: "should run", mend: "s=broken; " + c.off,
		truths: []truth{
			{"app runs starts\nmade runs starts\nold\nuplink runs starts", state},
			{"workers = 2", "cat /run/app.conf"},
			{"changed", "tail -n 1 /var/log/app-changes"},
			{"755", "stat -c %a /etc/init.d/made"},
		},
		spoils:  []string{"echo other > /etc/app.conf", "chmod 700 /etc/init.d/made", "for s in app uplink; do " + c.off + "; done", begin},
		caused:  [][2]string{{"Path", "/etc/app.conf"}, {"Path", "/etc/init.d/made"}, {"Service", "app"}, {"Service", "old"}},
		disturb: "echo other > /etc/app.conf; s=app; " + c.off, undisturbed: "s=app; " + c.running, blamed: [2]string{"Service", "app"},
		reset: "for s in app made uplink; do " + c.off + "; done\n" + begin + "\nrm -f /etc/app.conf /etc/init.d/made", moment: state,
		own: []string{"/etc/resolv.conf"},
	}
}

// sysv has init scripts, update-rc.d and insserv.
func sysv() kind {
	head := `#!/bin/sh
### BEGIN INIT INFO
# Provides: NAME
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
# Short-Description: NAME
### END INIT INFO
`
	k := services("sysv", "deb", rc{
		script: head + `tell() { start-stop-daemon --quiet --pidfile /run/NAME.pid "$@"; }
case $1 in
start)
	[ NAME != broken ] || exit 1
	cp /etc/app.conf /run/NAME.conf 2>/dev/null
	tell --start --oknodo --background --make-pidfile --exec /bin/sleep -- infinity ;;
stop) tell --stop --oknodo --remove-pidfile --retry TERM/5/KILL/5 ;;
restart | reload | force-reload) "$0" stop && "$0" start ;;
status) tell --status ;;
esac
`,
		uplink: strings.ReplaceAll(head, "NAME", "uplink") + `case $1 in
start | restart | reload | force-reload) /usr/lib/uplink/up && touch /run/uplink.up ;;
stop) rm -f /run/uplink.up ;;
status) [ -e /run/uplink.up ] || exit 3 ;;
esac
`,
		booted:  `{ printf '\001\000\000\000'; printf 2N; head -c 378 /dev/zero; } > /run/utmp`,
		running: "invoke-rc.d --quiet --no-fallback $s status", enabled: "ls /etc/rc2.d/S??$s >/dev/null 2>&1",
		start: "invoke-rc.d --quiet --no-fallback $s start",
		on:    "update-rc.d $s defaults; update-rc.d $s enable; invoke-rc.d --quiet --no-fallback $s start",
		off:   "[ ! -e /etc/init.d/$s ] || { service $s stop; update-rc.d $s disable; }",
	})
	k.spoils = append(k.spoils, "kill -9 $(cat /run/made.pid)")
	return k
}

// openrc has OpenRC.
func openrc() kind {
	return services("openrc", "rc-update", rc{
		script: `#!/sbin/openrc-run
command=/bin/sleep
command_args=infinity
command_background=true
pidfile=/run/NAME.pid
start_stop_daemon_args=--oknodo
start_pre() {
	[ NAME != broken ] || return 1
	cp /etc/app.conf /run/NAME.conf 2>/dev/null || :
}
`,
		uplink: `#!/sbin/openrc-run
start() { /usr/lib/uplink/up; }
stop() { :; }
`,
		booted: `for d in daemons exclusive failed inactive options scheduled started starting stopping tmp; do mkdir -p /run/openrc/$d; done
touch /run/openrc/softlevel`,
		running: "rc-service -q $s status", enabled: "[ -e /etc/runlevels/default/$s ]",
		start: "rc-service -q $s start", on: "rc-update -q add $s default; rc-service -q $s start",
		off: "[ ! -e /etc/init.d/$s ] || { rc-service -q $s stop; rc-update -q del $s default || :; }",
	})
}
