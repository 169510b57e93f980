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

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/internal/schedule"
	"github.com/bindery/bindery/internal/secrets"
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
	// The specification repository.
	Repository Repository `yaml:"repository"`
	// Where pull requests are: github, gitea, gitlab, or none to publish the branch only.
	GitHub *GitHub `yaml:"github"`
	// A Gitea or Forgejo.
	Gitea *Gitea `yaml:"gitea"`
	// A GitLab.
	GitLab *GitLab `yaml:"gitlab"`
	// Any other git server, or a hook of it, that says when something changed.
	Webhook *Webhook `yaml:"webhook"`
	// The keys for what is encrypted in the repository; leave it out where nothing is.
	Encrypted Encrypted `yaml:"encrypted"`
	// Who is told what came of each run of a host; nobody by default.
	Events []EventHook `yaml:"events"`
	// What is published, and when.
	Publish Publishing `yaml:"publish"`
}

// Encrypted names the keys for what is encrypted in the specification. Files of keys
// that others may read are refused.
type Encrypted struct {
	// Files with identities of age, one a line.
	IdentityFiles []string `yaml:"identity_files"`
	// File with the passphrases of bcfg2-crypt, in a section [encryption] as in bcfg2.conf.
	PassphraseFile string `yaml:"passphrase_file"`
	// The program sops, for files that it encrypted. It finds its own keys.
	SOPS string `yaml:"sops"`
}

// Repository is the specification repository.
type Repository struct {
	// Its name at the forge, OWNER/NAME (at GitLab also GROUP/…/NAME); without a forge, any name.
	Name string `yaml:"name"`
	// https://…, ssh://user@host/path or user@host:path, or a path on this machine.
	URL string `yaml:"url"`
	// The branch that is published. Default main.
	Branch string `yaml:"branch"`
	// File with the token to fetch with; or set BINDERY_GIT_TOKEN.
	TokenFile string `yaml:"token_file"`
	// User name that goes with the token. Default x-access-token.
	Username string `yaml:"username"`
	// File with the private key for SSH, without a passphrase; nobody else may read it.
	SSHKeyFile string `yaml:"ssh_key_file"`
	// File with the keys of the server for SSH, as OpenSSH's known_hosts has them. A
	// server that is not in it is refused.
	KnownHostsFile string `yaml:"known_hosts_file"`
	// When to look for changes that no webhook announced: a cron expression or
	// @every DURATION. Default @every 1m.
	Poll string `yaml:"poll"`
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
		{&s.Repository.Branch, "main"},
		{&s.Repository.Poll, "@every 1m"},
		{&s.Publish.Unreviewed, announce},
		{&s.Publish.Sweep, "@hourly"},
	} {
		if *d.to == "" {
			*d.to = d.text
		}
	}
}

// anchor makes relative paths absolute.
func (s *Settings) anchor(dir string) {
	paths := []*string{&s.State, &s.Keys, &s.Repository.TokenFile, &s.Repository.SSHKeyFile, &s.Repository.KnownHostsFile, &s.Encrypted.PassphraseFile}
	for i := range s.Encrypted.IdentityFiles {
		paths = append(paths, &s.Encrypted.IdentityFiles[i])
	}
	if strings.Contains(s.Encrypted.SOPS, "/") { // else it is looked for in PATH
		paths = append(paths, &s.Encrypted.SOPS)
	}
	if !strings.Contains(s.Repository.URL, "://") && !git.SSH(s.Repository.URL) {
		paths = append(paths, &s.Repository.URL)
	}
	for i := range s.Events {
		paths = append(paths, &s.Events[i].SecretFile)
	}
	paths = append(paths, s.forgePaths()...)
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
		{"repository.name", s.Repository.Name},
		{"repository.url", s.Repository.URL},
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
	for _, e := range []struct{ name, value string }{{"repository.poll", s.Repository.Poll}, {"publish.sweep", s.Publish.Sweep}} {
		if _, err := schedule.Parse(e.value, ""); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	for i, e := range s.Events {
		if e.URL == "" || e.SecretFile == "" {
			return fmt.Errorf("events[%d] lacks url or secret_file", i)
		}
		if err := plainURL(fmt.Sprintf("events[%d].url", i), e.URL); err != nil {
			return err
		}
	}
	return s.checkAddresses()
}

func (s *Settings) checkAddresses() error {
	if err := plainURL("admin_url", s.AdminURL); err != nil {
		return err
	}
	if r := s.Repository; git.SSH(r.URL) {
		if r.SSHKeyFile == "" || r.KnownHostsFile == "" {
			return errors.New("repository.url is reached by SSH: set repository.ssh_key_file and repository.known_hosts_file")
		}
	} else if strings.Contains(r.URL, "://") {
		if err := plainURL("repository.url", s.Repository.URL); err != nil {
			return err
		}
	}
	if strings.ContainsFunc(s.Repository.Branch, func(r rune) bool { return r <= ' ' || strings.ContainsRune("~^:?*[\\", r) }) {
		return errors.New("repository.branch is no name of a branch")
	}
	return s.checkForges()
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
	gitToken, apiToken string
	gitKey             []byte // for SSH
	webhook            [][]byte
	events             [][]byte // of Settings.Events, in their order
	// encrypted opens what is encrypted in the specification.
	encrypted *secrets.Keyring
}

// LoadSecrets reads the secrets from the files that the settings name, else from
// the environment.
func (s *Settings) LoadSecrets(getenv func(string) string) (*Secrets, error) {
	out := &Secrets{}
	var err error
	if out.gitToken, err = secret(s.Repository.TokenFile, getenv("BINDERY_GIT_TOKEN")); err != nil {
		return nil, fmt.Errorf("repository.token_file: %w", err)
	}
	if f := s.Repository.SSHKeyFile; f != "" {
		if out.gitKey, err = privateKey(f); err != nil {
			return nil, fmt.Errorf("repository.ssh_key_file: %w", err)
		}
	}
	if out.encrypted, err = secrets.New(secrets.Config{
		IdentityFiles: s.Encrypted.IdentityFiles, PassphraseFile: s.Encrypted.PassphraseFile, SOPS: s.Encrypted.SOPS,
	}); err != nil {
		return nil, fmt.Errorf("encrypted: %w", err)
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
	if err := s.loadForge(out, getenv); err != nil {
		return nil, err
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
