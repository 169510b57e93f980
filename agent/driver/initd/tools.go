// SPDX-License-Identifier: Apache-2.0

package initd

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/bindery/bindery/agent/driver/service"
	"github.com/bindery/bindery/agent/pattern"
	"github.com/bindery/bindery/agent/system"
)

// tool is what service managers differ in.
type tool struct {
	// needs are the programs without which nothing can be known.
	needs []string
	name  *pattern.Pattern
	// targets may stand in the place of restart.
	targets []string
	look    func(*call) (service.Found, error)
	// tell gives the commands for enable, disable, start, stop or a target.
	tell func(c *call, now service.Found, verb string) [][]string
	// started lists what starts with the host, nil where nobody can tell what of that
	// is the system's own.
	started func(system.Files) ([]string, error)
	// parameters tells that a service can be told which of its instances is meant.
	parameters bool
	// ended makes an error of how one of them ended.
	ended func(args []string, r system.Result) error
}

var (
	script = pattern.Of(`^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}$`)
	// fmri is a name, or all or part of what SMF calls an instance: smf(5).
	fmri = pattern.Of(`^(svc:/)?[A-Za-z0-9_][A-Za-z0-9_,.+/:-]{0,254}$`)
	// parameter is a word of the environment of a job: initctl(8).
	parameter = pattern.Of(`^[A-Za-z_][A-Za-z0-9_]*=[^\x00-\x20]*$`)
)

func tools() map[string]tool {
	words := []string{"restart", "reload", "force-reload", "try-restart", "condrestart", "start", "stop"}
	return map[string]tool{
		"deb": {
			needs: []string{"/usr/sbin/update-rc.d"}, name: script, targets: words, look: lookDebian, tell: tellDebian, ended: endedDebian, started: ofLevels,
		},
		"rc-update": {
			needs: []string{"/sbin/rc-update", "/sbin/rc-service"}, name: script, targets: words, look: lookOpenRC, tell: tellOpenRC, ended: ended, started: ofDefault,
		},
		"chkconfig": {
			needs: []string{"/sbin/chkconfig"}, name: script, targets: words, look: lookChkconfig, tell: tellChkconfig, ended: ended, started: ofLevels,
		},
		"upstart": {
			needs: []string{"/sbin/initctl"}, name: script, targets: []string{"restart", "reload", "start", "stop"}, look: lookUpstart, tell: tellUpstart, ended: ended, parameters: true,
		},
		"smf": {
			needs: []string{"/usr/sbin/svcadm", "/usr/bin/svcs", "/usr/bin/svcprop"}, name: fmri, targets: []string{"restart", "refresh"}, look: lookSMF, tell: tellSMF, ended: ended,
		},
	}
}

func ended(args []string, r system.Result) error { return r.Ended(strings.Join(args, " ")) }

// exists tells whether something stands at a name.
func (c *call) exists(name string) (bool, error) {
	_, err := c.c.Machine.Files.Look(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// there is exists where doubt means yes.
func (c *call) there(name string) bool {
	is, err := c.exists(name)
	return is || err != nil
}

// links tells whether a script has a link to start by in one of the directories, and
// whether it has any.
func (c *call) links(form, levels string) (starts, linked bool, err error) {
	for _, level := range levels {
		list, err := c.c.Machine.Files.List(fmt.Sprintf(form, level))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, false, err
		}
		for _, info := range list {
			n := info.Name
			if len(n) <= 3 || n[0] != 'S' && n[0] != 'K' || strings.Trim(n[1:3], "0123456789") != "" || n[3:] != c.name {
				continue
			}
			linked = true
			starts = starts || n[0] == 'S'
		}
	}
	return starts, linked, nil
}

// status asks a script whether it runs, and reads the exit code as the Linux
// Standard Base has it: 0 runs; 1, 2 and 3 do not; anything else is not known.
// https://refspecs.linuxbase.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/iniscrptact.html
func (c *call) status(f *service.Found, args ...string) error {
	r, err := c.run(true, args...)
	if err != nil {
		return err
	}
	f.Running = r.Exit == 0
	f.Unseen = r.Exit > 3
	return nil
}

// Debian: update-rc.d(8) and invoke-rc.d(8) of init-system-helpers. A script is
// enabled by links named S and a number in /etc/rc?.d, as the policy says:
// https://www.debian.org/doc/debian-policy/ch-opersys.html#system-run-levels-and-init-d-scripts
func lookDebian(c *call) (f service.Found, err error) {
	if f.There, err = c.exists("/etc/init.d/" + c.name); err != nil {
		return f, err
	}
	starts, linked, err := c.links("/etc/rc%c.d", "S12345")
	f.Enabled, f.Unset = f.There && starts, !linked
	if err != nil || !f.There {
		return f, err
	}
	return f, c.status(&f, "invoke-rc.d", "--quiet", "--disclose-deny", "--no-fallback", c.name, "status")
}

// invoke-rc.d starts nothing that does not start with the host, as packages shall
// not; where an entry wants just that, service(8) does it, unless the host has a
// policy-rc.d to be asked.
func tellDebian(c *call, now service.Found, verb string) [][]string {
	switch {
	case verb == "enable" || verb == "disable":
		// Without any link there is nothing that could be turned around.
		return [][]string{{"update-rc.d", c.name, "defaults"}, {"update-rc.d", c.name, verb}}
	case verb == service.Forget:
		return [][]string{{"update-rc.d", c.name, "remove"}}
	case verb != "stop" && !now.Enabled && !c.there("/usr/sbin/policy-rc.d"):
		return [][]string{{"service", c.name, verb}}
	}
	return [][]string{{"invoke-rc.d", "--disclose-deny", "--no-fallback", c.name, verb}}
}

func endedDebian(args []string, r system.Result) error {
	if args[0] == "invoke-rc.d" && r.Exit == 101 {
		return errors.New("invoke-rc.d refused it: policy-rc.d, or the host's runlevel, does not allow it")
	}
	return ended(args, r)
}

// OpenRC: rc-update(8), rc-service(8) and openrc-run(8). A script is enabled by a
// link in /etc/runlevels/default:
// https://github.com/OpenRC/openrc/blob/master/man/rc-update.8
// The exit codes of its status are of its own, beside 0 and 3: 4 while it stops, 8 while
// it starts (and after that was killed), 16 while it waits, and 32 after it crashed:
// https://github.com/OpenRC/openrc/blob/master/sh/openrc-run.sh.in
func lookOpenRC(c *call) (f service.Found, err error) {
	if f.There, err = c.exists("/etc/init.d/" + c.name); err != nil || !f.There {
		return f, err
	}
	if f.Enabled, err = c.exists("/etc/runlevels/default/" + c.name); err != nil {
		return f, err
	}
	r, err := c.run(true, "rc-service", "--nocolor", c.name, "status")
	if err != nil {
		return f, err
	}
	switch r.Exit {
	case 0:
		f.Running = true
	case 4:
		f.Runs = "stopping"
	case 8:
		f.Runs = "starting"
	case 32:
		f.Runs = crashed
	default:
		f.Unseen = r.Exit > 3
	}
	return f, nil
}

// crashed is a service that OpenRC has started, and that is not there.
const crashed = "crashed"

// What crashed is neither started again nor stopped before OpenRC has forgotten it.
func tellOpenRC(c *call, now service.Found, verb string) [][]string {
	switch {
	case verb == "enable":
		return [][]string{{"rc-update", "add", c.name, "default"}}
	case verb == "disable":
		return [][]string{{"rc-update", "del", c.name, "default"}}
	case now.Runs == crashed:
		return [][]string{{"rc-service", "--nocolor", c.name, "zap"}, {"rc-service", "--nocolor", c.name, "start"}}
	}
	return [][]string{{"rc-service", "--nocolor", c.name, verb}}
}

// chkconfig: chkconfig(8), https://man7.org/linux/man-pages/man8/chkconfig.8.html,
// and service(8), https://linux.die.net/man/8/service. "chkconfig NAME" ends with
// 0 where the script starts in the runlevel of the moment, which a chroot does not
// have, so that the links of rc(8) are read: they are what it sets.
func lookChkconfig(c *call) (f service.Found, err error) {
	if f.There, err = c.exists("/etc/init.d/" + c.name); err != nil || !f.There {
		return f, err
	}
	if f.Enabled, _, err = c.links("/etc/rc%c.d", "2345"); err != nil {
		return f, err
	}
	return f, c.status(&f, "/sbin/service", c.name, "status")
}

func tellChkconfig(c *call, _ service.Found, verb string) [][]string {
	switch verb {
	case "enable":
		return [][]string{{"/sbin/chkconfig", "--add", c.name}, {"/sbin/chkconfig", c.name, "on"}}
	case "disable":
		return [][]string{{"/sbin/chkconfig", c.name, "off"}}
	}
	return [][]string{{"/sbin/service", c.name, verb}}
}

// Upstart: initctl(8), https://manpages.ubuntu.com/manpages/trusty/man8/initctl.8.html.
// "initctl status JOB [KEY=VALUE...]" writes "JOB GOAL/STATE, process PID"; a job's file is
// /etc/init/JOB.conf, and "manual" in JOB.override, as init(5) has it, keeps it
// from starting with the host: https://manpages.ubuntu.com/manpages/trusty/man5/init.5.html.
// As in Bcfg2 only whether it runs is looked at.
func lookUpstart(c *call) (f service.Found, err error) {
	if f.There, err = c.exists("/etc/init/" + c.name + ".conf"); err != nil || !f.There {
		return f, err
	}
	f.Fixed = true
	r, err := c.run(true, append([]string{"/sbin/initctl", "status", c.name}, c.parameters...)...)
	if err != nil {
		return f, err
	}
	if r.Exit != 0 {
		return f, r.Ended("initctl status")
	}
	f.Runs, f.Unseen = "", true
	for line := range strings.Lines(string(r.Stdout)) {
		// Of an instance it is "JOB (INSTANCE) GOAL/STATE, process PID".
		what, _, _ := strings.Cut(strings.TrimSpace(line), ",")
		words := strings.Fields(what)
		if len(words) < 2 || words[0] != c.name || !strings.Contains(words[len(words)-1], "/") {
			continue
		}
		state := words[len(words)-1]
		f.Runs, f.Unseen = state, false
		f.Running = strings.HasPrefix(state, "start/")
	}
	return f, nil
}

func tellUpstart(c *call, _ service.Found, verb string) [][]string {
	return [][]string{append([]string{"/sbin/initctl", verb, c.name}, c.parameters...)}
}

// SMF: svcs(1), https://illumos.org/man/1/svcs, svcprop(1),
// https://illumos.org/man/1/svcprop, svcadm(8), https://illumos.org/man/8/svcadm,
// and smf(7), https://illumos.org/man/7/smf. "svcs -H -o state,nstate FMRI" writes
// a line for each instance; "svcprop -p general/enabled FMRI" writes true or false,
// and is not about what was done for the moment with "-t".
func lookSMF(c *call) (f service.Found, err error) {
	r, err := c.run(true, "/usr/bin/svcs", "-H", "-o", "state,nstate", c.name)
	if err != nil {
		return f, err
	}
	words := strings.Fields(string(r.Stdout))
	if r.Exit != 0 || len(words) == 0 {
		return f, nil // svcs ends with 1 where no instance has the name
	}
	if len(words) != 2 {
		return f, errors.New("the name stands for several instances")
	}
	f.There, f.Runs = true, words[0]
	f.Running = words[0] == "online" || words[0] == "degraded" || words[0] == "legacy_run"
	if f.Fixed = words[0] == "legacy_run"; f.Fixed {
		return f, nil
	}
	if r, err = c.run(true, "/usr/bin/svcprop", "-p", "general/enabled", c.name); err != nil {
		return f, err
	}
	if r.Exit != 0 {
		return f, r.Ended("svcprop")
	}
	f.Enabled = strings.TrimSpace(string(r.Stdout)) == "true"
	return f, nil
}

func tellSMF(c *call, now service.Found, verb string) [][]string {
	const admin = "/usr/sbin/svcadm"
	switch {
	case verb == "enable":
		return [][]string{{admin, "enable", "-s", c.name}}
	case verb == "disable":
		return [][]string{{admin, "disable", "-s", c.name}}
	case verb == "start" && now.Runs == "maintenance":
		return [][]string{{admin, "clear", c.name}} // it was given up
	case verb == "start":
		return [][]string{{admin, "enable", "-s", "-t", c.name}}
	case verb == "stop":
		return [][]string{{admin, "disable", "-s", "-t", c.name}}
	}
	return [][]string{{admin, verb, c.name}}
}
