// SPDX-License-Identifier: Apache-2.0

// Package service reads what a Service entry asks for, in the words of every
// Bcfg2, for the drivers of all service managers. It must not know any of them.
package service

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/bindery/bindery/agent/pattern"
	"github.com/bindery/bindery/engine/config"
)

// Switch is something that shall be on, off, or as it is.
type Switch int

// The switches.
const (
	Ignore Switch = iota
	On
	Off
)

// Wanted is what an entry asks for.
type Wanted struct {
	Name string
	// Boot is whether it starts with the host, Running whether it runs.
	Boot, Running Switch
	// Checked tells that running or not is looked at. Else it is only seen to
	// together with the rest.
	Checked bool
	// Install tells that it may be made true, Restart that it takes part in what
	// happens to its bundle.
	Install, Restart bool
	// Asking tells that it takes part in it only where somebody agrees.
	Asking bool
	// Target is what it is told instead of restart, "" for that.
	Target string
	// Parameters are for the service manager. A driver that cannot hand them on
	// leaves them here.
	Parameters string
}

var target = pattern.Of(`^[a-z][a-z-]*$`)

// Read takes an entry apart.
//
// Since Bcfg2 1.3 status is about running, bootstatus about starting with the
// host, and restart and install say what may be done. Before, mode said that:
// status was about starting with the host, and whether it runs was looked at only
// in mode supervised. An entry with one of the new words is read the new way, and
// so is one that says neither.
func Read(e *config.Entry) (Wanted, error) {
	w := Wanted{Name: e.Name(), Install: true, Restart: true, Target: e.Get("target"), Parameters: e.Get("parameters")}
	var err error
	if w.Running, err = read(e, "status"); err != nil {
		return w, err
	}
	if _, given := e.Lookup("status"); !given {
		return w, errors.New("missing required attribute: status")
	}
	if w.Target != "" && !target.MatchString(w.Target) {
		return w, errors.New("the target is not one word of small letters")
	}
	w.Boot = w.Running
	if modern(e) {
		return w, w.modern(e)
	}
	return w, w.old(e)
}

// Sequence is the place of a service among those of a run: smaller numbers first. Of
// old a second one, behind a comma, was for the end of a host. What is no number stands
// with those that have none.
func Sequence(e *config.Entry) int {
	start, _, _ := strings.Cut(e.Get("sequence"), ",")
	n, err := strconv.Atoi(start)
	if err != nil || n < 0 || n > 1<<20 {
		return 0
	}
	return n
}

// Ends tells whether a service is to be stopped or not to start with the host.
func (w *Wanted) Ends() bool { return w.Boot == Off || w.Running == Off }

// Told tells whether the service takes part in what happens to its bundle, where
// somebody agreed to each change or nobody was asked.
func (w *Wanted) Told(asked bool) bool { return w.Install && (w.Restart || w.Asking && asked) }

func modern(e *config.Entry) bool {
	for _, a := range []string{"bootstatus", "restart", "install"} {
		if _, ok := e.Lookup(a); ok {
			return true
		}
	}
	return e.Get("mode") == "" && e.Get("supervised") == ""
}

func read(e *config.Entry, attribute string) (Switch, error) {
	switch v := e.Get(attribute); v {
	case "on":
		return On, nil
	case "off":
		return Off, nil
	case "ignore", "":
		return Ignore, nil
	default:
		return Ignore, fmt.Errorf("%s %q is none of on, off, ignore", attribute, v)
	}
}

func (w *Wanted) modern(e *config.Entry) error {
	w.Checked = true
	if _, given := e.Lookup("bootstatus"); given {
		var err error
		if w.Boot, err = read(e, "bootstatus"); err != nil {
			return err
		}
	}
	if w.Boot == Ignore {
		// Bcfg2 looks at nothing then, not even at whether it runs.
		w.Checked = false
	}
	for _, a := range []struct {
		name string
		set  *bool
	}{{"install", &w.Install}, {"restart", &w.Restart}} {
		switch v := e.Get(a.name); v {
		case "", "true":
		case "false":
			*a.set = false
		case "interactive":
			*a.set = false
			w.Asking = a.name == "restart" && w.Running != Ignore
		default:
			return fmt.Errorf("%s %q is neither true nor false", a.name, v)
		}
	}
	w.Restart = w.Restart && w.Running != Ignore
	return nil
}

func (w *Wanted) old(e *config.Entry) error {
	mode := e.Get("mode")
	if e.True("supervised") && (mode == "" || mode == "default") {
		mode = "supervised"
	}
	if mode != "custom" && w.Target != "" {
		w.Target = ""
	}
	switch mode {
	case "", "default", "custom":
	case "supervised":
		w.Checked = true
	case "manual":
		w.Running, w.Restart = Ignore, false
	case "interactive_only":
		w.Asking = w.Running == On
		w.Running, w.Restart = Ignore, false
	default:
		return fmt.Errorf("mode %q is none of manual, default, supervised, custom", mode)
	}
	w.Restart = w.Restart && w.Running != Ignore
	return nil
}
