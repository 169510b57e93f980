// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller"
	"github.com/bindery/bindery/controller/status"
)

const goodSettings = `listen: 0.0.0.0:8470
state: state
keys: /etc/keys
repositories:
- {name: example/site, url: https://forge.example.org/example/site.git, token_file: git.token,
   github: {token_file: api.token, webhook_secret_files: [hook.secret]}}
`

func settingsFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "controller.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestSettingsHaveDefaultsAndAnchors(t *testing.T) {
	t.Parallel()
	path := settingsFile(t, goodSettings)
	s, err := controller.LoadSettings(path)
	require.NoError(t, err)
	dir := filepath.Dir(path)
	require.Equal(t, filepath.Join(dir, "state"), s.State)
	require.Equal(t, "/etc/keys", s.Keys)
	require.Equal(t, filepath.Join(dir, "git.token"), s.Repositories[0].TokenFile)
	require.Equal(t, filepath.Join(dir, "api.token"), s.Repositories[0].GitHub.TokenFile)
	require.Equal(t, []string{filepath.Join(dir, "hook.secret")}, s.Repositories[0].GitHub.WebhookSecretFiles)
	require.Equal(t, filepath.Join(dir, "state", "bindery.db"), s.Database())
	require.Equal(t, "127.0.0.1:8471", s.AdminListen)
	require.Equal(t, []controller.Environment{{Branch: "main", Name: "main", Unreviewed: "announce"}}, s.Repositories[0].Environments)
	require.Equal(t, "@every 1m", s.Repositories[0].Poll)
	require.Equal(t, "announce", s.Publish.Unreviewed)
	require.Equal(t, "@hourly", s.Publish.Sweep)

	local, err := controller.LoadSettings(settingsFile(t, "listen: :1\nstate: s\nkeys: k\nrepositories: [{name: any, url: ../spec.git}]\n"))
	require.NoError(t, err)
	require.True(t, filepath.IsAbs(local.Repositories[0].URL))
}

func TestARepositoryBySSH(t *testing.T) {
	t.Parallel()
	const text = "listen: :1\nstate: s\nkeys: k\nrepositories: [{name: any, url: git@forge.example.org:acme/site.git, ssh_key_file: id, known_hosts_file: known}]\n"
	path := settingsFile(t, text)
	s, err := controller.LoadSettings(path)
	require.NoError(t, err)
	require.Equal(t, "git@forge.example.org:acme/site.git", s.Repositories[0].URL)
	require.Equal(t, filepath.Join(filepath.Dir(path), "known"), s.Repositories[0].KnownHostsFile)
	require.NoError(t, os.WriteFile(s.Repositories[0].SSHKeyFile, []byte("CANARY"), 0o600))
	_, err = s.LoadSecrets(func(string) string { return "" })
	require.NoError(t, err)
	require.NoError(t, os.Chmod(s.Repositories[0].SSHKeyFile, 0o640))
	_, err = s.LoadSecrets(func(string) string { return "" })
	require.ErrorContains(t, err, "repositories[0].ssh_key_file: ")
	require.ErrorContains(t, err, "may be read by others")
	for _, less := range []string{", ssh_key_file: id", ", known_hosts_file: known"} {
		_, err = controller.LoadSettings(settingsFile(t, strings.Replace(text, less, "", 1)))
		require.ErrorContains(t, err, "set ssh_key_file and known_hosts_file")
	}
}

func TestBadSettingsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, text, want string }{
		"unknown key":         {"keys:", "kyes:", "[3:1] unknown field \"kyes\""},
		"unknown key inside":  {"{token_file: api", "{tokenfile: api", "[6:13] unknown field \"tokenfile\""},
		"twice":               {"keys:", "state: other\nkeys:", "[3:1]"},
		"not yaml":            {"listen:", "listen: [", "controller.yaml"},
		"wrong type":          {"state: state", "state: [a]", "[2:8]"},
		"no listen":           {"listen: 0.0.0.0:8470", "", "listen is missing"},
		"no state":            {"state: state", "", "state is missing"},
		"no keys":             {"keys: /etc/keys", "", "keys is missing"},
		"no repository":       {"name: example/site, ", "", "repositories[0].name is missing"},
		"no url":              {"url: https://forge.example.org/example/site.git, ", "", "repositories[0].url is missing"},
		"no port":             {"0.0.0.0:8470", "0.0.0.0", "listen: "},
		"bad admin":           {"state: state", "state: state\nadmin_listen: nowhere", "admin_listen: "},
		"admin url":           {"state: state", "state: state\nadmin_url: 'ftp://x'", "admin_url is not an http"},
		"password in url":     {"https://forge", "https://me:CANARY@forge", "repositories[0].url holds a user"},
		"ssh url":             {"https://forge", "ssh://forge", "repositories[0].url is reached by SSH"},
		"api":                 {"{token_file: api", "{api: nonsense, token_file: api", "repositories[0].github.api is not an http"},
		"owner":               {"name: example/site", "name: site", "repositories[0].name is not OWNER/NAME"},
		"branch":              {"{name: ", "{environments: [{branch: 'a b'}], name: ", "repositories[0].environments[0].branch is no name"},
		"poll":                {"{name: ", "{poll: sometimes, name: ", "repositories[0].poll: "},
		"the same twice":      {"repositories:\n", "repositories:\n- {name: Example/Site, url: x}\n", "repositories[1].name: example/site is there twice"},
		"environment twice":   {"repositories:\n", "repositories:\n- {name: other, url: x}\n", "repositories[1].environments[0].name: another environment is called main too"},
		"branch twice":        {"{name: ", "{environments: [{branch: a}, {branch: a, name: b}], name: ", "repositories[0].environments[1].branch: two environments follow a"},
		"no branch":           {"{name: ", "{environments: [{name: a}], name: ", "repositories[0].environments[0].branch is missing"},
		"name of environment": {"{name: ", "{environments: [{branch: release/1}], name: ", `repositories[0].environments[0].name: "release/1" is no name of an environment`},
		"its first letter":    {"{name: ", "{environments: [{branch: a, name: -x}], name: ", `"-x" is no name of an environment`},
		"its length":          {"{name: ", "{environments: [{branch: " + strings.Repeat("a", 64) + "}], name: ", "is no name of an environment"},
		"its policy":          {"{name: ", "{environments: [{branch: a, unreviewed: maybe}], name: ", `repositories[0].environments[0].unreviewed is "maybe"`},
		"name of nothing":     {"name: example/site", "name: ..", "repositories[0].name is no name"},
		"sweep":               {"state: state", "state: state\npublish: {sweep: '@every 1ms'}", "publish.sweep: "},
		"policy":              {"state: state", "state: state\npublish: {unreviewed: ignore}", `publish.unreviewed is "ignore": write announce or hold`},
		"three secrets":       {"[hook.secret]", "[a, b, c]", "repositories[0].github.webhook_secret_files has 3 files"},
		"two forges":          {"github:", "gitea: {url: 'https://x', token_file: t}, github:", "repositories[0].github and gitea are both there"},
		"webhook beside":      {"github:", "webhook: {secret_files: [a]}, github:", "repositories[0].github and webhook are both there"},
		"gitea address":       {"github: {token_file: api.token", "gitea: {token_file: api.token", "repositories[0].gitea.url is missing"},
		"gitea no address":    {"github: {token_file: api.token", "gitea: {url: gitea.test, token_file: api.token", "repositories[0].gitea.url is not an http"},
		"gitea password":      {"github: {token_file: api.token", "gitea: {url: 'https://CANARY@gitea.test', token_file: api.token", "repositories[0].gitea.url holds a user"},
		"gitlab address":      {"github: {token_file: api.token", "gitlab: {url: gitlab.test, token_file: api.token", "repositories[0].gitlab.url is not an http"},
		"groups":              {"name: example/site", "name: a/b/c", "repositories[0].name is not OWNER/NAME, as github has it"},
		"token and app":       {"{token_file: api.token", "{token_file: api.token, app: {id: 1, installation_id: 2}", "repositories[0].github.token_file and github.app are both there"},
		"half an app":         {"{token_file: api.token", "{app: {id: 1}", "repositories[0].github.app lacks id or installation_id"},
		"generic secrets":     {"github: {token_file: api.token, webhook_secret_files: [hook.secret]}", "webhook: {secret_files: [a, b, c]}", "repositories[0].webhook.secret_files has 3 files"},
		"deep brackets":       {"listen:", strings.Repeat("[", 100_000) + "\nlisten:", "controller.yaml:1: it is nested too deeply"},
		"deep dashes":         {"listen:", strings.Repeat("- ", 100_000) + "\nlisten:", "controller.yaml:1: it is nested too deeply"},
		"deep questions":      {"listen:", strings.Repeat("? ", 100_000) + "\nlisten:", "controller.yaml:1: it is nested too deeply"},
		"deep lines":          {"listen:", stairs(100) + "listen:", "it is nested too deeply"},
		"deep over the lines": {"listen:", strings.Repeat("[\n", 5000) + "listen:", "it is nested too deeply"},
		"more than a megabyte": {
			"listen:", "#" + strings.Repeat("x", 1<<20) + "\nlisten:", "is larger than 1048576 bytes",
		},
		"nul":    {"state: state", "state: \"a\\0b\"", "state holds a control character"},
		"laughs": {"listen:", laughs(40) + "listen:", "unknown field"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, goodSettings, c.old)
			_, err := controller.LoadSettings(settingsFile(t, strings.Replace(goodSettings, c.old, c.text, 1)))
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "CANARY")
		})
	}
	_, err := controller.LoadSettings(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = controller.LoadSettings(settingsFile(t, "listen: :1\nstate: s\nkeys: k\n"))
	require.ErrorContains(t, err, "repositories is missing")
	_, err = controller.LoadSettings(settingsFile(t, ""))
	require.ErrorContains(t, err, "listen is missing")
}

// stairs nests one mapping per line.
func stairs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// laughs is a small file that says very much.
func laughs(n int) string {
	var b strings.Builder
	b.WriteString("l0: &l0 [ha]\n")
	for i := range n {
		fmt.Fprintf(&b, "l%d: &l%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*l%d, ", i), 10), ", "))
	}
	return b.String()
}

func TestSecretsComeFromFilesOrTheEnvironment(t *testing.T) {
	t.Parallel()
	path := settingsFile(t, goodSettings)
	s, err := controller.LoadSettings(path)
	require.NoError(t, err)
	none := func(string) string { return "" }
	put := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte(text), 0o600))
	}
	_, err = s.LoadSecrets(none)
	require.ErrorContains(t, err, "repositories[0].token_file: ")
	put("git.token", "CANARY-git\n")
	_, err = s.LoadSecrets(none)
	require.ErrorContains(t, err, "repositories[0].github.token_file: ")
	put("api.token", " \n")
	_, err = s.LoadSecrets(none)
	require.ErrorContains(t, err, "api.token is empty")
	put("api.token", "CANARY-api")
	_, err = s.LoadSecrets(none)
	require.ErrorContains(t, err, "repositories[0].github.webhook_secret_files: ")
	put("hook.secret", "CANARY-short")
	_, err = s.LoadSecrets(none)
	require.ErrorContains(t, err, "less than 16 bytes")
	require.NotContains(t, err.Error(), "CANARY")
	put("hook.secret", "CANARY-long-enough-now")
	_, err = s.LoadSecrets(none)
	require.NoError(t, err)
	put("api.token", strings.Repeat("x", 65<<10))
	_, err = s.LoadSecrets(none)
	require.ErrorContains(t, err, "is larger than")

	s, err = controller.LoadSettings(settingsFile(t, strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(goodSettings,
		" token_file: git.token,", ""), "token_file: api.token, ", ""), "webhook_secret_files: [hook.secret]", "")))
	require.NoError(t, err)
	_, err = s.LoadSecrets(none)
	require.ErrorContains(t, err, "BINDERY_GITHUB_TOKEN")
	_, err = s.LoadSecrets(func(name string) string { return "CANARY-long-enough-" + name })
	require.NoError(t, err)
}

func TestAWebhookAloneNeedsASecret(t *testing.T) {
	t.Parallel()
	path := settingsFile(t, "listen: :1\nstate: s\nkeys: k\nrepositories: [{name: any, url: ../spec.git, webhook: {}}]\n")
	s, err := controller.LoadSettings(path)
	require.NoError(t, err)
	_, err = s.LoadSecrets(func(string) string { return "" })
	require.ErrorContains(t, err, "repositories[0].webhook.secret_files and BINDERY_WEBHOOK_SECRET are both missing")
	_, err = s.LoadSecrets(func(string) string { return "CANARY-long-enough" })
	require.NoError(t, err)
}

// A variable has one value: what is for one forge must not be shown to another.
func TestTheEnvironmentIsForTheOnlyRepository(t *testing.T) {
	t.Parallel()
	all := func(string) string { return "CANARY-long-enough" }
	const one = "listen: :1\nstate: s\nkeys: k\nrepositories:\n- {name: o/a, url: 'https://a.test', github: {}}\n"
	s, err := controller.LoadSettings(settingsFile(t, one))
	require.NoError(t, err)
	_, err = s.LoadSecrets(all)
	require.NoError(t, err)
	s, err = controller.LoadSettings(settingsFile(t, one+"- {name: o/b, url: 'https://b.test', environments: [{branch: main, name: b}, {branch: release/2, name: c}]}\n"))
	require.NoError(t, err)
	require.Equal(t, []status.Environment{
		{Name: "main", Repo: "o/a", Branch: "main"}, {Name: "b", Repo: "o/b", Branch: "main"}, {Name: "c", Repo: "o/b", Branch: "release/2"},
	}, s.Environments())
	_, err = s.LoadSecrets(all)
	require.ErrorContains(t, err, "repositories[0].github.token_file and BINDERY_GITHUB_TOKEN are both missing")
	require.ErrorContains(t, err, "of several repositories each names its files")
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte(goodSettings))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("<<: {listen: x}\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "controller.yaml")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		if s, err := controller.LoadSettings(path); err == nil {
			require.NotEmpty(t, s.Listen)
			require.True(t, filepath.IsAbs(s.State))
		}
	})
}
