// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/bindery/bindery/internal/transport"
	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/gitea"
	"github.com/bindery/bindery/webhooks/github"
	"github.com/bindery/bindery/webhooks/gitlab"
)

// GitHub is a forge that speaks GitHub's API.
type GitHub struct {
	// Root of the API. Default https://api.github.com/.
	API string `yaml:"api"`
	// File with the API token; or set BINDERY_GITHUB_TOKEN.
	TokenFile string `yaml:"token_file"`
	// A GitHub App instead of a token: it makes check runs with annotations, and its
	// tokens fetch where token_file of the repository is not set.
	App *GitHubApp `yaml:"app"`
	// Files with the webhook secrets, one or two: two while one replaces the other;
	// or set BINDERY_WEBHOOK_SECRET.
	WebhookSecretFiles []string `yaml:"webhook_secret_files"`
}

// GitHubApp is a GitHub App that is installed on the repository.
type GitHubApp struct {
	// App ID, as the App's settings show it.
	ID int64 `yaml:"id"`
	// The number at the end of the installation's address.
	InstallationID int64 `yaml:"installation_id"`
	// File with the private key, in PEM; or set BINDERY_GITHUB_APP_KEY.
	PrivateKeyFile string `yaml:"private_key_file"`
}

// Gitea is a Gitea or a Forgejo.
type Gitea struct {
	// Address of the server, such as https://gitea.example.org.
	URL string `yaml:"url"`
	// File with the API token; or set BINDERY_GITEA_TOKEN.
	TokenFile string `yaml:"token_file"`
	// Files with the webhook secrets, one or two: two while one replaces the other;
	// or set BINDERY_WEBHOOK_SECRET.
	WebhookSecretFiles []string `yaml:"webhook_secret_files"`
}

// GitLab is a GitLab, the public one or one's own.
type GitLab struct {
	// Address of the server. Default https://gitlab.com.
	URL string `yaml:"url"`
	// File with the API token; or set BINDERY_GITLAB_TOKEN.
	TokenFile string `yaml:"token_file"`
	// Files with the webhook secrets, one or two: two while one replaces the other;
	// or set BINDERY_WEBHOOK_SECRET.
	WebhookSecretFiles []string `yaml:"webhook_secret_files"`
}

// Webhook takes signed requests from any other git server, or from a hook of it. They
// only say that something changed.
type Webhook struct {
	// Files with the secrets, one or two: two while one replaces the other; or set
	// BINDERY_WEBHOOK_SECRET.
	SecretFiles []string `yaml:"secret_files"`
}

const (
	maxWebhookSecrets = 2
	minWebhookSecret  = 16
)

// forge is what the settings say of the forge, whichever it is.
type forge struct {
	name   string
	groups bool // repositories lie in groups of groups
	// address and token are settings; secrets are the files of webhook secrets.
	address, token *string
	secrets        []string
	secretsName    string
	tokenName      string
	env            string // where the token may be instead
	account        string // whose limits count, besides the token's
	dialect        func() webhooks.Dialect
	// open makes it; nil where there are no pull requests.
	open func(access) (webhooks.Forge, error)
}

// access is how a forge is reached: as whom, and within which bounds.
type access struct {
	repo, token string
	http        transport.Config
	budget      *webhooks.Budget
}

func (g *GitHub) forge() forge {
	f := forge{
		name: "github", address: &g.API, token: &g.TokenFile, tokenName: "github.token_file", secrets: g.WebhookSecretFiles,
		secretsName: "github.webhook_secret_files", env: "BINDERY_GITHUB_TOKEN", dialect: github.Dialect,
		open: func(a access) (webhooks.Forge, error) {
			return github.New(github.Config{API: g.API, Repo: a.repo, Token: a.token, HTTP: a.http, Budget: a.budget})
		},
	}
	if a := g.App; a != nil {
		f.token, f.tokenName, f.env = &a.PrivateKeyFile, "github.app.private_key_file", "BINDERY_GITHUB_APP_KEY"
		f.account = fmt.Sprint(a.ID, a.InstallationID)
		f.open = func(by access) (webhooks.Forge, error) {
			return github.New(github.Config{
				API: g.API, Repo: by.repo, App: &github.App{ID: a.ID, Installation: a.InstallationID, Key: []byte(by.token)}, HTTP: by.http, Budget: by.budget,
			})
		}
	}
	return f
}

// forges are those that the settings of a repository name.
func (r *Repository) forges() (out []forge) {
	if g := r.GitHub; g != nil {
		out = append(out, g.forge())
	}
	if g := r.Gitea; g != nil {
		out = append(out, forge{
			name: "gitea", address: &g.URL, token: &g.TokenFile, secrets: g.WebhookSecretFiles, secretsName: "gitea.webhook_secret_files", tokenName: "gitea.token_file",
			env: "BINDERY_GITEA_TOKEN", dialect: gitea.Dialect,
			open: func(a access) (webhooks.Forge, error) {
				return gitea.New(gitea.Config{URL: g.URL, Repo: a.repo, Token: a.token, HTTP: a.http, Budget: a.budget})
			},
		})
	}
	if g := r.GitLab; g != nil {
		out = append(out, forge{
			name: "gitlab", groups: true, address: &g.URL, token: &g.TokenFile, secrets: g.WebhookSecretFiles, secretsName: "gitlab.webhook_secret_files", tokenName: "gitlab.token_file",
			env: "BINDERY_GITLAB_TOKEN", dialect: gitlab.Dialect,
			open: func(a access) (webhooks.Forge, error) {
				return gitlab.New(gitlab.Config{URL: g.URL, Repo: a.repo, Token: a.token, HTTP: a.http, Budget: a.budget})
			},
		})
	}
	if h := r.Webhook; h != nil {
		out = append(out, forge{name: "webhook", secrets: h.SecretFiles, secretsName: "webhook.secret_files", dialect: webhooks.Generic})
	}
	return out
}

// forgePaths are the settings of forges that are paths.
func (r *Repository) forgePaths() (out []*string) {
	for _, f := range r.forges() {
		if f.token != nil {
			out = append(out, f.token)
		}
		for i := range f.secrets {
			out = append(out, &f.secrets[i])
		}
	}
	return out
}

func (r *Repository) checkForges() error {
	all := r.forges()
	if len(all) > 1 {
		return fmt.Errorf("%s and %s are both there: a repository is at one forge", all[0].name, all[1].name)
	}
	for _, f := range all {
		if n := len(f.secrets); n > maxWebhookSecrets {
			return fmt.Errorf("%s has %d files: two at most, while one replaces the other", f.secretsName, n)
		}
		if f.open == nil {
			continue
		}
		if owner, _, err := webhooks.Names(r.Name); err != nil || !f.groups && strings.Contains(owner, "/") {
			return fmt.Errorf("name is not OWNER/NAME, as %s has it", f.name)
		}
		if g := r.GitHub; g != nil && g.App != nil {
			if g.TokenFile != "" {
				return errors.New("github.token_file and github.app are both there: it is one or the other")
			}
			if g.App.ID <= 0 || g.App.InstallationID <= 0 {
				return errors.New("github.app lacks id or installation_id")
			}
		}
		if r.Gitea != nil && r.Gitea.URL == "" {
			return errors.New("gitea.url is missing")
		}
		field := f.name + ".url"
		if r.GitHub != nil {
			field = "github.api"
		}
		if err := plainURL(field, *f.address); err != nil {
			return err
		}
	}
	return nil
}

// loadForge reads the secrets of the forge.
func (r *Repository) loadForge(out *repositorySecrets, getenv func(string) string) error {
	for _, f := range r.forges() {
		var err error
		if f.open != nil {
			if out.apiToken, err = secret(*f.token, getenv(f.env)); err != nil {
				return fmt.Errorf("%s: %w", f.tokenName, err)
			}
			if out.apiToken == "" {
				return fmt.Errorf("%s and %s are both missing", f.tokenName, f.env)
			}
		}
		for _, file := range f.secrets {
			text, err := secret(file, "")
			if err != nil {
				return fmt.Errorf("%s: %w", f.secretsName, err)
			}
			out.webhook = append(out.webhook, []byte(text))
		}
		if text := getenv("BINDERY_WEBHOOK_SECRET"); text != "" && len(out.webhook) == 0 {
			out.webhook = append(out.webhook, []byte(text))
		}
		if f.open == nil && len(out.webhook) == 0 {
			return fmt.Errorf("%s and BINDERY_WEBHOOK_SECRET are both missing", f.secretsName)
		}
		for _, text := range out.webhook {
			if len(text) < minWebhookSecret {
				return fmt.Errorf("a webhook secret has less than %d bytes", minWebhookSecret)
			}
		}
	}
	return nil
}

// openForge makes the forge; nil where the settings name none, or one without pull
// requests.
func (ct *Controller) openForge(r *repository) (webhooks.Forge, error) {
	for _, f := range r.settings.forges() {
		if f.open != nil {
			return f.open(access{r.settings.Name, r.secrets.apiToken, ct.seams.http, ct.budget(f, r.secrets.apiToken)})
		}
	}
	return nil, nil
}

// limited is what forges count together: an account at an address.
type limited struct{ forge, address, account, token string }

// budget is one for all repositories at one address by one credential: what the forge
// asks of one it asks of all.
func (ct *Controller) budget(f forge, token string) *webhooks.Budget {
	k := limited{f.name, strings.TrimRight(*f.address, "/"), f.account, token}
	if ct.budgets[k] == nil {
		ct.budgets[k] = webhooks.NewBudget(ct.seams.clock.OrMachine().Now)
	}
	return ct.budgets[k]
}

// forgeToken is the forge's own token to fetch with; "" where it has none.
func (r *repository) forgeToken(ctx context.Context) (string, error) {
	if f, ok := r.forge.(interface {
		Token(ctx context.Context) (string, error)
	}); ok {
		return f.Token(ctx)
	}
	return "", nil
}

// receivers take webhooks, by the last part of their paths: one for each kind of
// forge, whose repositories share it. There is none where no repository has a secret.
func (ct *Controller) receivers() (map[string]http.Handler, error) {
	routes, dialects := map[string][]webhooks.Route{}, map[string]webhooks.Dialect{}
	for _, r := range ct.repositories {
		for _, f := range r.settings.forges() {
			if len(r.secrets.webhook) == 0 {
				continue
			}
			name, route := f.name, webhooks.Route{Repo: r.settings.Name, Secrets: r.secrets.webhook, Wake: r.wake}
			if f.open == nil {
				name, route.Repo = "generic", "" // its deliveries name none
			}
			routes[name], dialects[name] = append(routes[name], route), f.dialect()
		}
	}
	out := map[string]http.Handler{}
	for name, all := range routes {
		rc, err := webhooks.NewReceiver(webhooks.ReceiverConfig{
			Routes: all, Dialect: dialects[name], Deliveries: ct.store, Logger: ct.c.Logger,
		})
		if err != nil {
			return nil, err
		}
		out[name] = ct.metrics.Deliveries(rc)
	}
	return out, nil
}
