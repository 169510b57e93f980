// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml"

	"github.com/bindery/bindery/internal/schedule"
)

// Settings is controller.yaml.
type Settings struct {
	// Address for agents and webhooks, such as 0.0.0.0:8470.
	Listen string `yaml:"listen"`
	// Address for people and programs that watch: web pages, read-only API, metrics.
	// Keep it where only administrators reach it. Default 127.0.0.1:8471.
	AdminListen string `yaml:"admin_listen"`
	// Where people reach the admin address, for links in comments; empty: no links.
	AdminURL string `yaml:"admin_url"`
	// Folder for the database, the mirror and what is published.
	State string `yaml:"state"`
	// Folder with the online keys that `bindery root init` made.
	Keys string `yaml:"keys"`
	// The specification repositories, each with its forge and its environments.
	Repositories []Repository `yaml:"repositories"`
	// Who is told what came of each run of a host; nobody by default.
	Events []EventHook `yaml:"events"`
	// What is published, and when.
	Publish Publishing `yaml:"publish"`
}

// EventHook is told of each accepted report by a signed HTTP request.
type EventHook struct {
	// Where the request goes, http or https.
	URL string `yaml:"url"`
	// File with the secret, 16 bytes at least, that the requests are signed with: the
	// header X-Bindery-Signature-256 is sha256= and the HMAC-SHA256 of the body.
	SecretFile string `yaml:"secret_file"`
}

// Publishing says what is published.
type Publishing struct {
	// What to do with changes that no merged review showed: announce (publish, and
	// list them in the audit trail) or hold (keep the last release). Default announce.
	Unreviewed string `yaml:"unreviewed"`
	// When to look for metadata that have to be signed again. Default @hourly.
	Sweep string `yaml:"sweep"`
}

const (
	announce = "announce"
	hold     = "hold"

	maxSettings = 1 << 20
	maxSecret   = 64 << 10
)

// LoadSettings reads controller.yaml. Relative paths in it are relative to the
// file. Unknown keys are errors, shown with their line.
func LoadSettings(file string) (*Settings, error) {
	data, err := readLimited(file, maxSettings)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	if line := tooDeep(data); line > 0 {
		return nil, fmt.Errorf("read settings %s:%d: it is nested too deeply", file, line)
	}
	var s Settings
	if err := yaml.UnmarshalWithOptions(data, &s, yaml.Strict()); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read settings %s: %w", file, err)
	}
	s.defaults()
	s.anchor(filepath.Dir(file))
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("read settings %s: %w", file, err)
	}
	return &s, nil
}

// tooDeep gives the first line that nests deeper than any setting, 0 for none: the
// time of the parser grows with the square of the depth.
func tooDeep(data []byte) int {
	const most = 50
	open, line := 0, 0
	for text := range bytes.Lines(data) {
		line++
		open += bytes.Count(text, []byte("[")) + bytes.Count(text, []byte("{"))
		indent := len(text) - len(bytes.TrimLeft(text, " "))
		if open > most || indent > most || bytes.Count(text, []byte("- ")) > most || bytes.Count(text, []byte("? ")) > most {
			return line
		}
		open = max(0, open-bytes.Count(text, []byte("]"))-bytes.Count(text, []byte("}")))
	}
	return 0
}

func (s *Settings) defaults() {
	for _, d := range []struct {
		to   *string
		text string
	}{
		{&s.AdminListen, "127.0.0.1:8471"},
		{&s.Publish.Unreviewed, announce},
		{&s.Publish.Sweep, "@hourly"},
	} {
		if *d.to == "" {
			*d.to = d.text
		}
	}
	for i := range s.Repositories {
		s.Repositories[i].defaults(s.Publish.Unreviewed)
	}
}

// anchor makes relative paths absolute.
func (s *Settings) anchor(dir string) {
	paths := []*string{&s.State, &s.Keys}
	for i := range s.Repositories {
		paths = append(paths, s.Repositories[i].paths()...)
	}
	for i := range s.Events {
		paths = append(paths, &s.Events[i].SecretFile)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

func (s *Settings) check() error {
	for _, need := range []struct{ name, value string }{
		{"listen", s.Listen},
		{"state", s.State},
		{"keys", s.Keys},
	} {
		if need.value == "" {
			return fmt.Errorf("%s is missing", need.name)
		}
		if strings.ContainsFunc(need.value, unicode.IsControl) {
			return fmt.Errorf("%s holds a control character", need.name)
		}
	}
	for _, a := range []struct{ name, value string }{{"listen", s.Listen}, {"admin_listen", s.AdminListen}} {
		if _, _, err := net.SplitHostPort(a.value); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	if u := s.Publish.Unreviewed; u != announce && u != hold {
		return fmt.Errorf("publish.unreviewed is %q: write announce or hold", u)
	}
	if _, err := schedule.Parse(s.Publish.Sweep, ""); err != nil {
		return fmt.Errorf("publish.sweep: %w", err)
	}
	for i, e := range s.Events {
		if e.URL == "" || e.SecretFile == "" {
			return fmt.Errorf("events[%d] lacks url or secret_file", i)
		}
		if err := plainURL(fmt.Sprintf("events[%d].url", i), e.URL); err != nil {
			return err
		}
	}
	if err := plainURL("admin_url", s.AdminURL); err != nil {
		return err
	}
	return s.checkRepositories()
}

// plainURL refuses what is no http address, or holds a credential. It never says
// what it read: that could be the credential.
func plainURL(name, text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%s is not an http or https address", name)
	case u.User != nil:
		return fmt.Errorf("%s holds a user or password: those belong in files", name)
	}
	return nil
}

// Database is where the store is.
func (s *Settings) Database() string { return filepath.Join(s.State, "bindery.db") }

// Secrets are what the settings only name. They never travel further than to the
// packages that use them.
type Secrets struct {
	repositories []repositorySecrets // of Settings.Repositories, in their order
	events       [][]byte            // of Settings.Events, in their order
}

// LoadSecrets reads the secrets from the files that the settings name, else from
// the environment. That has one of each kind, so it is read for one repository alone:
// what belongs to one must not be shown to the forge of another.
func (s *Settings) LoadSecrets(getenv func(string) string) (*Secrets, error) {
	if len(s.Repositories) > 1 {
		getenv = func(string) string { return "" }
	}
	out := &Secrets{}
	for i := range s.Repositories {
		loaded, err := s.Repositories[i].loadSecrets(getenv)
		if err != nil {
			if len(s.Repositories) > 1 {
				err = fmt.Errorf("%w (of several repositories each names its files; variables are for the only one)", err)
			}
			return nil, fmt.Errorf("repositories[%d].%w", i, err)
		}
		out.repositories = append(out.repositories, loaded)
	}
	for i, e := range s.Events {
		text, err := secret(e.SecretFile, "")
		if err != nil {
			return nil, fmt.Errorf("events[%d].secret_file: %w", i, err)
		}
		if len(text) < minWebhookSecret {
			return nil, fmt.Errorf("events[%d].secret_file has less than %d bytes", i, minWebhookSecret)
		}
		out.events = append(out.events, []byte(text))
	}
	return out, nil
}

// privateKey reads a file that its owner alone may read.
func privateKey(file string) ([]byte, error) {
	st, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read by others: chmod 600 %[1]s", file)
	}
	return readLimited(file, maxSecret)
}

func secret(file, env string) (string, error) {
	if file == "" {
		return env, nil
	}
	data, err := readLimited(file, maxSecret)
	if err != nil {
		return "", err
	}
	text := string(bytes.TrimSpace(data))
	if text == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	return text, nil
}

func readLimited(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", file, limit)
	}
	return data, err
}

// shutdownTime is how long requests may take to end after a signal.
const shutdownTime = 5 * time.Second
