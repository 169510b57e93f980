// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/agent/system"
)

const (
	defaultConfig = "/etc/bindery/agent.yaml"
	defaultState  = "/var/lib/bindery"
	maxSettings   = 1 << 20
)

// options are what every command needs to know.
type options struct {
	config string
	// usual is the file of settings where config names none.
	usual  string
	url    string
	state  string
	root   string
	format string
}

func (o *options) addFlags(f *pflag.FlagSet, s streams) {
	o.usual = s.Settings
	f.StringVar(&o.config, "config", "", "settings file (default "+defaultConfig+", where it exists)")
	f.StringVar(&o.url, "url", "", "address of the controller or of a mirror")
	f.StringVar(&o.state, "state", "", "the agent's own directory (default "+defaultState+" below the root)")
	f.StringVar(&o.root, "root", "", "directory to take as the host's / (default /)")
}

func (o *options) addFormat(f *pflag.FlagSet) {
	f.StringVar(&o.format, "format", "text", "output: text or json")
}

// settings reads the settings file and lets flags win.
func (o *options) settings() (agent.Settings, error) {
	if o.format != "" && o.format != "text" && o.format != "json" {
		return agent.Settings{}, fmt.Errorf("format %q is neither text nor json", o.format)
	}
	name := cmp.Or(o.config, o.usual)
	data, err := readSettings(name)
	if err != nil && (o.config != "" || !errors.Is(err, fs.ErrNotExist)) {
		return agent.Settings{}, err
	}
	s, err := agent.ParseSettings(data)
	if err != nil {
		return s, &codeError{exitUsage, fmt.Errorf("%s: %w", name, err)}
	}
	for _, p := range []struct {
		flag string
		into *string
	}{{o.url, &s.URL}, {o.state, &s.State}, {o.root, &s.Root}} {
		if p.flag != "" {
			*p.into = p.flag
		}
	}
	if s.Root == "" {
		s.Root = "/"
	}
	if s.State == "" {
		s.State = filepath.Join(s.Root, defaultState)
	}
	return s, nil
}

func readSettings(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err == nil && info.Size() > maxSettings {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxSettings)
	}
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	return os.ReadFile(name)
}

// open starts the agent of an enrolled host.
func (o *options) open(log *slog.Logger, build bool) (*agent.Agent, agent.Settings, func(), error) {
	s, err := o.settings()
	if err != nil {
		return nil, s, nil, err
	}
	dir, err := state.Open(state.Config{Path: s.State})
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: there is no %s", agent.ErrNotEnrolled, s.State)
	}
	if err != nil {
		return nil, s, nil, err
	}
	machine, err := system.New(system.Config{Root: s.Root, Protected: agent.Protected(s.Root, s.State, o.config), Vital: agent.Vital(), Filled: agent.Filled()})
	if err != nil {
		dir.Close()
		return nil, s, nil, err
	}
	c, err := client(s, dir)
	if err == nil {
		var a *agent.Agent
		a, err = agent.New(agent.Config{
			State: dir, Machine: machine, Client: c, URL: s.URL, Version: version, Probes: s.Probes, ActionTimeout: s.ActionTimeout,
			EntryTimeout: s.EntryTimeout, Decision: s.Decision, Paranoid: s.Paranoid, FactsWait: s.FactsWait, Build: build, Drivers: s.Drivers, Journal: s.Journal.Limits(),
			Guard: o.guard(s), Boot: thisBoot(), Logger: log,
		})
		if err == nil {
			return a, s, dir.Close, nil
		}
	}
	dir.Close()
	return nil, s, nil, err
}
