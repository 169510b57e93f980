// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/initd"
	"github.com/bindery/bindery/agent/driver/parcel"
)

// Unproven are the types whose drivers were never run against their tools. They
// work only where Config.Drivers names them.
func Unproven() []string { return slices.Concat(initd.Unproven(), parcel.Unproven()) }

// loadNamed adds the drivers of old service managers and package tools.
func (a *Agent) loadNamed() error {
	for _, name := range a.c.Drivers {
		if !slices.Contains(Unproven(), name) {
			return fmt.Errorf("drivers: %q is none of %s; all others need not be named", name, strings.Join(Unproven(), ", "))
		}
	}
	a.unproven = map[driver.Kind]bool{}
	for _, t := range initd.Types() {
		kind := driver.Kind{Tag: "Service", Type: t}
		if a.unproven[kind] = a.unnamed(t); a.unproven[kind] {
			continue
		}
		d, err := initd.New(initd.Config{Machine: a.c.Machine, Type: t, Build: a.c.Build})
		if err != nil {
			return err
		}
		a.drivers[kind] = d
	}
	for _, t := range parcel.Types() {
		kind := driver.Kind{Tag: "Package", Type: t}
		if a.unproven[kind] = a.unnamed(t); a.unproven[kind] {
			continue
		}
		d, err := parcel.New(parcel.Config{Machine: a.c.Machine, Type: t})
		if err != nil {
			return err
		}
		a.drivers[kind] = d
	}
	return nil
}

// unnamed tells whether a type needs to be named and is not.
func (a *Agent) unnamed(t string) bool {
	return slices.Contains(Unproven(), t) && !slices.Contains(a.c.Drivers, t)
}

// undriven says why nobody handles an entry.
func (a *Agent) undriven(kind driver.Kind) string {
	if a.unproven[kind] {
		return fmt.Sprintf("the driver of type %q was never run against its tools: it works where agent.yaml names it under drivers", kind.Type)
	}
	return "no driver for " + kind.Tag + " of type \"" + kind.Type + "\""
}

// learners are the drivers that know from former runs what they need not look at
// again, by the names of their files.
func (r *run) learners() map[string]driver.Learner {
	out := map[string]driver.Learner{}
	for _, t := range []string{"deb", "rpm"} {
		d := r.drivers[driver.Kind{Tag: "Package", Type: t}]
		l, ok := d.(driver.Learner)
		if ok && slices.ContainsFunc(r.entries, func(e *entry) bool { return r.driver(e) == d }) {
			out["learned-"+t+".json"] = l
		}
	}
	return out
}

// maxLearned bounds what a driver may hand on.
const maxLearned = 16 << 20

// learn hands the drivers at work what they knew in the last run. What cannot be
// read is found out anew.
func (r *run) learn() {
	for name, l := range r.learners() {
		data, err := r.c.State.Read(name, maxLearned)
		if err != nil {
			r.c.Logger.Warn("what was known of packages is found out anew", "err", err)
			continue
		}
		l.Learn(data)
	}
}

// keepLearned keeps it for the next run.
func (r *run) keepLearned() error {
	for name, l := range r.learners() {
		data, err := l.Learned()
		if err == nil && data != nil {
			err = r.c.State.Write(name, data)
		}
		if err != nil {
			return fmt.Errorf("keep what is known of packages: %w", err)
		}
	}
	return nil
}
