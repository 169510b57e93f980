// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/controller/status"
	"github.com/bindery/bindery/internal/schedule"
	"github.com/bindery/bindery/internal/secrets"
	"github.com/bindery/bindery/webhooks"
)

// Repository is a specification repository.
type Repository struct {
	// Its name at the forge, OWNER/NAME (at GitLab also GROUP/…/NAME); without a forge, any name.
	Name string `yaml:"name"`
	// https://…, ssh://user@host/path or user@host:path, or a path on this machine.
	URL string `yaml:"url"`
	// File with the token to fetch with; or set BINDERY_GIT_TOKEN where this is the
	// only repository.
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
	// The branches that are published, and to whom. Default: one, main, of the branch main.
	Environments []Environment `yaml:"environments"`
	// Where pull requests are: github, gitea, gitlab, or none to publish branches only.
	GitHub *GitHub `yaml:"github"`
	// A Gitea or Forgejo.
	Gitea *Gitea `yaml:"gitea"`
	// A GitLab.
	GitLab *GitLab `yaml:"gitlab"`
	// Any other git server, or a hook of it, that says when something changed.
	Webhook *Webhook `yaml:"webhook"`
	// The keys for what is encrypted in this repository; leave it out where nothing is.
	Encrypted Encrypted `yaml:"encrypted"`
}

// Environment is a branch that is published to hosts of its own. A host is of one
// environment; its enrolment token says which.
type Environment struct {
	// The branch.
	Branch string `yaml:"branch"`
	// What commands and pages call it, such as production: lower-case letters, digits,
	// dots, dashes and underscores, no other environment's name. Default: the branch.
	Name string `yaml:"name"`
	// What to do with changes that no merged review showed, where it is not what
	// publish.unreviewed says: announce or hold.
	Unreviewed string `yaml:"unreviewed"`
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

// maxName bounds the names of repositories and environments: they become names of
// files and labels.
const maxName = 63

func (r *Repository) defaults(unreviewed string) {
	if r.Poll == "" {
		r.Poll = "@every 1m"
	}
	if len(r.Environments) == 0 {
		r.Environments = []Environment{{Branch: "main"}}
	}
	for i := range r.Environments {
		e := &r.Environments[i]
		if e.Name == "" {
			e.Name = e.Branch
		}
		if e.Unreviewed == "" {
			e.Unreviewed = unreviewed
		}
	}
}

// paths are the settings that are paths.
func (r *Repository) paths() []*string {
	out := []*string{&r.TokenFile, &r.SSHKeyFile, &r.KnownHostsFile, &r.Encrypted.PassphraseFile}
	for i := range r.Encrypted.IdentityFiles {
		out = append(out, &r.Encrypted.IdentityFiles[i])
	}
	if strings.Contains(r.Encrypted.SOPS, "/") { // else it is looked for in PATH
		out = append(out, &r.Encrypted.SOPS)
	}
	if !strings.Contains(r.URL, "://") && !git.SSH(r.URL) {
		out = append(out, &r.URL)
	}
	return append(out, r.forgePaths()...)
}

// checkRepositories checks each repository, and that names are names of one thing.
func (s *Settings) checkRepositories() error {
	if len(s.Repositories) == 0 {
		return errors.New("repositories is missing: name one at least")
	}
	repositories, environments := map[string]bool{}, map[string]bool{}
	for i := range s.Repositories {
		r := &s.Repositories[i]
		if err := r.check(); err != nil {
			return fmt.Errorf("repositories[%d].%w", i, err)
		}
		if name := strings.ToLower(r.Name); repositories[name] {
			return fmt.Errorf("repositories[%d].name: %s is there twice; one repository has many environments", i, r.Name)
		} else {
			repositories[name] = true
		}
		for j, e := range r.Environments {
			if environments[e.Name] {
				return fmt.Errorf("repositories[%d].environments[%d].name: another environment is called %s too; give one of them another name", i, j, e.Name)
			}
			environments[e.Name] = true
		}
	}
	return nil
}

func (r *Repository) check() error {
	for _, need := range []struct{ name, value string }{{"name", r.Name}, {"url", r.URL}} {
		if need.value == "" {
			return fmt.Errorf("%s is missing", need.name)
		}
		if strings.ContainsFunc(need.value, unicode.IsControl) {
			return fmt.Errorf("%s holds a control character", need.name)
		}
	}
	if r.Name == "." || r.Name == ".." || len(url.PathEscape(r.Name)) > 3*maxName {
		return errors.New("name is no name, or too long")
	}
	if git.SSH(r.URL) {
		if r.SSHKeyFile == "" || r.KnownHostsFile == "" {
			return errors.New("url is reached by SSH: set ssh_key_file and known_hosts_file")
		}
	} else if strings.Contains(r.URL, "://") {
		if err := plainURL("url", r.URL); err != nil {
			return err
		}
	}
	if _, err := schedule.Parse(r.Poll, ""); err != nil {
		return fmt.Errorf("poll: %w", err)
	}
	branches := map[string]bool{}
	for i, e := range r.Environments {
		if err := e.check(); err != nil {
			return fmt.Errorf("environments[%d].%w", i, err)
		}
		if branches[e.Branch] {
			return fmt.Errorf("environments[%d].branch: two environments follow %s; a branch is one environment", i, e.Branch)
		}
		branches[e.Branch] = true
	}
	return r.checkForges()
}

func (e Environment) check() error {
	if e.Branch == "" {
		return errors.New("branch is missing")
	}
	if strings.ContainsFunc(e.Branch, func(r rune) bool { return r <= ' ' || strings.ContainsRune("~^:?*[\\", r) }) {
		return errors.New("branch is no name of a branch")
	}
	if !environmentName(e.Name) {
		return fmt.Errorf("name: %q is no name of an environment: write lower-case letters, digits, dots, dashes and underscores, %d at most", e.Name, maxName)
	}
	if u := e.Unreviewed; u != announce && u != hold {
		return fmt.Errorf("unreviewed is %q: write announce or hold", u)
	}
	return nil
}

func environmentName(s string) bool {
	if s == "" || len(s) > maxName || strings.Trim(s[:1], "-._") == "" {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("-._", r))
	})
}

// Environments are all environments, in the order of the settings.
func (s *Settings) Environments() (out []status.Environment) {
	for _, r := range s.Repositories {
		for _, e := range r.Environments {
			out = append(out, status.Environment{Name: e.Name, Repo: r.Name, Branch: e.Branch})
		}
	}
	return out
}

// repositorySecrets are what the settings of a repository only name.
type repositorySecrets struct {
	gitToken, apiToken string
	gitKey             []byte // for SSH
	webhook            [][]byte
	// encrypted opens what is encrypted in the specification.
	encrypted *secrets.Keyring
}

func (r *Repository) loadSecrets(getenv func(string) string) (out repositorySecrets, err error) {
	if out.gitToken, err = secret(r.TokenFile, getenv("BINDERY_GIT_TOKEN")); err != nil {
		return out, fmt.Errorf("token_file: %w", err)
	}
	if r.SSHKeyFile != "" {
		if out.gitKey, err = privateKey(r.SSHKeyFile); err != nil {
			return out, fmt.Errorf("ssh_key_file: %w", err)
		}
	}
	if out.encrypted, err = secrets.New(secrets.Config{
		IdentityFiles: r.Encrypted.IdentityFiles, PassphraseFile: r.Encrypted.PassphraseFile, SOPS: r.Encrypted.SOPS,
	}); err != nil {
		return out, fmt.Errorf("encrypted: %w", err)
	}
	return out, r.loadForge(&out, getenv)
}

// repository is what the environments of one repository share.
type repository struct {
	settings     *Repository
	secrets      repositorySecrets
	mirror       *git.Mirror
	forge        webhooks.Forge // nil: no pull requests
	environments []*pipeline
}

// wake makes its environments look.
func (r *repository) wake(webhooks.Event) {
	for _, p := range r.environments {
		p.pace.stir(true)
	}
}

// openRepository opens a mirror and a forge. Nothing is asked of either yet.
func (ct *Controller) openRepository(i int) (*repository, error) {
	r := &repository{settings: &ct.c.Settings.Repositories[i], secrets: ct.c.Secrets.repositories[i]}
	var err error
	if r.forge, err = ct.openForge(r); err != nil {
		return nil, err
	}
	r.mirror, err = git.New(git.Config{
		URL: r.settings.URL, Dir: filepath.Join(ct.c.Settings.State, "mirrors", url.PathEscape(r.settings.Name)),
		Username: r.settings.Username, Token: r.secrets.gitToken, Tokens: r.forgeToken, Logger: ct.c.Logger,
		SSHKey: r.secrets.gitKey, KnownHosts: r.settings.KnownHostsFile,
	})
	if err != nil {
		return nil, err
	}
	ct.stop = append(ct.stop, r.mirror.Close)
	return r, nil
}

// openEnvironment makes the pipeline of an environment and its loop.
func (ct *Controller) openEnvironment(r *repository, e Environment, kept rows, turns turns) (*pipeline, error) {
	// Each repository has its own: equal fingerprints would tell of equal secrets.
	key, err := ct.online.Secret("review fingerprint v1 " + r.settings.Name)
	if err != nil {
		return nil, err
	}
	poll, err := schedule.Parse(r.settings.Poll, "")
	if err != nil {
		return nil, err
	}
	log := ct.c.Logger.With("environment", e.Name)
	// Controllers that were started together do not all ask in the same second.
	jitter := min(poll.Interval(ct.c.Now())/10, mostJitter)
	loop, err := schedule.New(schedule.Config{
		Name: "reconcile", Schedule: poll, AtStart: true, Timeout: time.Hour, Logger: log,
		Jitter: jitter, Backoff: mostRest, Clock: ct.seams.clock,
	})
	if err != nil {
		return nil, err
	}
	p := &pipeline{
		env: e.Name, repo: r.settings.Name, branch: e.Branch, hold: e.Unreviewed == hold, adminURL: ct.c.Settings.AdminURL,
		mirror: r.mirror, store: kept, publisher: ct.publisher, forge: r.forge, key: key, secrets: r.secrets.encrypted, parsed: ct.parsed,
		metrics: ct.metrics.Of(e.Name), loop: loop, turns: turns, log: log, now: ct.c.Now, asked: map[string]asked{}, sure: map[string]int64{},
		merges: map[int]webhooks.Pull{}, following: map[int]bool{}, heard: map[int]time.Time{}, refused: map[string]string{}, pace: newPace(ct.seams.clock, loop.Wake),
		building: ct.seams.building,
	}
	ct.stop = append(ct.stop, p.pace.close)
	return p, nil
}

// mostJitter bounds how much later than its time a poll comes.
const mostJitter = 10 * time.Second

// turns are what environments do one after another.
type turns struct {
	// build is taken for each build of a whole fleet: one fills the memory.
	build turn
	// publish is taken while hosts are published, so that of two environments of a
	// host that moves the new one has the last word.
	publish turn
}

func newTurns() turns { return turns{build: make(turn, 1), publish: make(turn, 1)} }

// turn is held by one at a time. Nil is held by everybody.
type turn chan struct{}

// take waits for the turn; done gives it back.
func (t turn) take(ctx context.Context) (done func(), err error) {
	if t == nil {
		return func() {}, nil
	}
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
