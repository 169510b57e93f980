// SPDX-License-Identifier: Apache-2.0

// Package bindery_test holds the rules of the house: who may import whom, and
// how code is kept. It looks at the whole module and must not be imported.
//
// Run it with -count=1 (make test and .ci/run do): what "go list" reads is
// unknown to the test cache. That every source file is opened here as well makes
// a forgotten flag harmless.
package bindery_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/bindery/bindery/"

// room is one row of the map: what the packages below a folder may import of ours.
type room struct {
	path string   // a folder of the module; a row for a deeper folder wins
	may  []string // folders that it may import, besides its own
	why  string
}

var rooms = []room{
	{"engine/config", nil, "the contract between engine, controller and agents is a leaf"},
	{"engine/problem", nil, "everything shows problems, so they know nobody"},
	{"engine/textdiff", nil, "a leaf, so that agents can show differences without the engine"},
	{"engine/release", []string{"engine/config"}, "the envelope knows what it carries and nothing else: agents link it"},
	{"engine/secret", nil, "what is encrypted has a name that the engine and the keys share"},
	{"engine/review", []string{"engine/assertion", "engine/config", "engine/problem", "engine/textdiff"}, "a report is made of results, never by binding or by fetching"},
	{"engine", []string{"engine"}, "the engine is a pure function: it knows no controller, agent, forge or transport"},
	{"internal/secrets", []string{"engine"}, "it opens what the engine asks for, outside of it: it has keys and runs sops"},
	{"internal/filelock", nil, "it lets processes take turns; at what is for those who do"},
	{"internal/schedule", nil, "controller and agent both stand on it"},
	{"internal/transport", nil, "controller, webhooks and agent all stand on it"},
	{"internal/keypair", nil, "keys are made of numbers; what they are for is for those who ask"},
	{"internal/eventlog", nil, "it carries records; what they say is for those who do"},
	{"internal/heap", nil, "it sets the collector; what fills the memory is for those who do"},
	{"internal/owner", nil, "it says whose a file is; whose it should be is for others"},
	{"internal/residence", nil, "it gives memory back; what fills it is for those who do"},
	{"internal/reference", nil, "it prints reference pages of any command and settings"},
	{"agent/relay", []string{"engine/release"}, "what is carried is bytes with signatures; what is done with them is for the agent"},
	{
		"agent",
		[]string{"agent", "engine/config", "engine/release", "engine/textdiff", "internal/schedule", "internal/transport"},
		"a host runs no engine, no git, no SQL and nothing of the controller",
	},
	{"webhooks", []string{"webhooks", "engine/problem", "internal/schedule", "internal/transport"}, "a forge is told things; it never asks the engine or the controller"},
	{"controller/git/threeway", []string{"engine/textdiff"}, "merging is trees and lines; where they are kept is for others"},
	{"controller/git", []string{"controller/git", "engine/problem", "internal/transport"}, "a mirror is bytes and what is wrong with them; what they mean is for the engine"},
	{"controller/store", []string{"engine/config", "engine/problem", "engine/release", "engine/review", "internal/filelock", "internal/owner"}, "the database keeps values; it decides nothing"},
	{"controller/blob/dir", []string{"controller/blob", "internal/filelock"}, "processes take turns at a folder's files; what they are is for others"},
	{"controller/blob", nil, "published files are bytes under a name"},
	{"controller/keys", []string{"engine/release"}, "signers know what they sign"},
	{"controller/publish", []string{"controller/blob", "controller/keys", "controller/store", "engine"}, "publishing turns configurations into signed files"},
	{"controller", []string{"controller", "engine", "internal", "webhooks"}, "the long-running program stands on everything but the agent"},
	{"fixtures/fleet", nil, "a generated specification is files and nothing else"},
	{"fixtures", []string{"fixtures"}, "samples are data"},
	{"bench", []string{"agent", "controller", "engine", "fixtures", "internal", "webhooks"}, "measures everything; nobody imports it"},
	{"e2e", []string{"fixtures"}, "it sees commands, files and HTTP, as a person does"},
	{"cmd/bindery-agent", []string{"agent", "engine/config", "engine/release", "engine/textdiff", "internal"}, "the agent's command is as small as the agent"},
	{"cmd/bindery", []string{"controller", "engine", "fixtures", "internal", "webhooks"}, "the command line may use everything but the agent: the demo starts agents as processes"},
}

// ban is an import that must not be reached.
type ban struct {
	from  string   // a folder of the module
	not   []string // import paths; a trailing /... covers what is below
	deep  bool     // not even through others
	allow []string // folders below from that are excused
	why   string
}

var bans = []ban{
	{
		from: "engine", not: []string{"net", "net/http/...", "net/rpc/...", "net/smtp", "os/exec", "os/signal", "os/user", "plugin", "syscall"},
		why: "the engine has no network and starts nothing: what was previewed is what is published",
	},
	{
		from: "engine", not: []string{"math/rand/...", "crypto/rand"}, allow: []string{"engine/release"},
		why: "equal input gives equal bytes; only the envelope has keys to make",
	},
	{from: "engine", not: []string{"math/rand/..."}, why: "no chance anywhere in the engine, the envelope included"},
	{
		from: "engine", not: []string{"log/..."}, allow: []string{"engine/release"},
		why: "what is wrong is data; the engine does not log",
	},
	{from: "engine/release", not: []string{"log"}, why: "slog is there for values that redact themselves, not for logging"},
	{from: "engine", not: []string{"net/http", "os/exec"}, deep: true, why: "not even through a library"},
	{
		from: "agent", not: []string{"github.com/go-git/go-git/v5/...", "modernc.org/sqlite/...", "database/sql/...", module + "controller/...", module + "webhooks/...", module + "engine/internal/..."},
		deep: true, why: "the agent stays small and knows neither git nor SQL nor the engine",
	},
	{
		from: "cmd/bindery-agent", not: []string{"github.com/go-git/go-git/v5/...", "modernc.org/sqlite/...", module + "controller/..."},
		deep: true, why: "what hosts install stays below 14 MB",
	},
	{from: "controller", not: []string{module + "agent/..."}, deep: true, why: "controller and agent never meet: bytes are all they share"},
	{from: "cmd/bindery", not: []string{module + "agent/..."}, deep: true, why: "the demo runs the real agent as a process of its own"},
	{from: "webhooks", not: []string{module + "controller/...", module + "agent/..."}, deep: true, why: "the controller stands on the forges, not they on it"},
}

// door is a third-party module and the only packages of ours that may import it
// outside tests.
type door struct {
	module string
	doors  []string // packages; a trailing /... covers what is below
	why    string
}

var doors = []door{
	{"code.gitea.io/sdk/gitea", []string{"webhooks/gitea"}, "a forge is an interface"},
	{"filippo.io/age", []string{"engine/release", "fixtures/canarytest", "internal/keypair", "internal/secrets"}, "sealing is part of the envelope; new keys of hosts are locked where they are made; what a specification has sealed is opened by its owner's keys"},
	{"github.com/ProtonMail/go-crypto", []string{"cmd/bindery/internal/keyring"}, "signatures of package sources"},
	{"github.com/GehirnInc/crypt", []string{"engine/internal/py"}, "hashes of passwords are functions of templates"},
	{"github.com/bluekeyes/go-gitdiff", []string{"engine/internal/plugins/cfg"}, "patches are a kind of Cfg file"},
	{"github.com/bmatcuk/doublestar/v4", []string{"engine/internal/..."}, "globs belong to the specification"},
	{"github.com/bradleyfalzon/ghinstallation/v2", []string{"webhooks/github"}, "tokens of Apps belong to their forge"},
	{"github.com/coreos/go-systemd/v22", []string{"internal/eventlog"}, "the journal has one door"},
	{"github.com/danielgtaylor/huma/v2", []string{"controller/api"}, "the API's types are its document"},
	{"github.com/go-git/go-billy/v5", []string{"controller/git"}, "go-git's files"},
	{"github.com/go-git/go-git/v5", []string{"controller/git"}, "git is bytes behind a snapshot"},
	{"github.com/goccy/go-yaml", []string{"agent", "controller", "engine", "engine/assertion", "engine/internal/tmpl/render"}, "one strict file of settings for each of the three, assertions, and the answers of probes"},
	{"github.com/google/go-github/v60", []string{"webhooks/github"}, "a forge is an interface"},
	{"github.com/hashicorp/golang-lru/v2", []string{"engine/internal/shelf"}, "what is kept of parsed files is bounded in one place"},
	{"github.com/hashicorp/go-retryablehttp", []string{"internal/transport"}, "limits and time-outs in one place"},
	{"github.com/jedib0t/go-pretty/v6", []string{"cmd/..."}, "tables and progress are for terminals"},
	{"github.com/klauspost/compress", []string{"engine/release", "engine/internal/plugins/packages/index"}, "compression is part of the envelope, and of package indexes"},
	{"github.com/mattn/go-isatty", []string{"cmd/..."}, "only commands look at the terminal"},
	{"github.com/pressly/goose/v3", []string{"controller/store"}, "migrations belong to the database"},
	{"github.com/prometheus/client_golang", []string{"controller", "controller/metrics"}, "metrics are the program's"},
	{"github.com/robfig/cron/v3", []string{"internal/schedule"}, "guards, time zone and phase in one place"},
	{"github.com/rogpeppe/go-internal", []string{"engine/problem/explain", "engine/textdiff", "fixtures/..."}, "differences have one door; archives are fixtures and examples"},
	{"github.com/secure-systems-lab/go-securesystemslib", []string{"engine/release"}, "signed envelopes are part of the envelope"},
	{"github.com/sigstore/sigstore", []string{"engine/release", "controller/keys"}, "signers"},
	{"github.com/spf13/cobra", []string{"cmd/...", "internal/reference"}, "command lines"},
	{"github.com/spf13/pflag", []string{"cmd/..."}, "flags of command lines"},
	{"github.com/theupdateframework/go-tuf/v2", []string{"engine/release"}, "one place knows the metadata"},
	{"github.com/therootcompany/xz", []string{"engine/internal/plugins/packages/index"}, "package indexes"},
	{"github.com/youmark/pkcs8", []string{"internal/keypair"}, "the keys of CAs are locked as OpenSSL does it"},
	{"gitlab.com/gitlab-org/api/client-go", []string{"webhooks/gitlab"}, "a forge is an interface"},
	{"go.starlark.net", []string{"engine/internal/py", "engine/internal/tmpl/..."}, "values of templates; what evaluates them is ours"},
	{"golang.org/x/crypto", []string{"engine/internal/keyfile", "engine/release", "controller/git", "controller/keys", "internal/keypair"}, "key derivation stays with the keys; git speaks SSH; keys of hosts are read in one place and made in one"},
	{"golang.org/x/crypto/x509roots/fallback", []string{"cmd/..."}, "the image has no CA file"},
	{"golang.org/x/net", []string{"engine/internal/..."}, "charsets of XML"},
	{"golang.org/x/sync", []string{"..."}, "structured goroutines are welcome anywhere"},
	{"golang.org/x/sys", []string{"agent/...", "controller/...", "e2e/machinetest", "internal/...", "cmd/..."}, "system calls stay out of the engine"},
	{"golang.org/x/term", []string{"cmd/..."}, "only commands look at the terminal"},
	{"golang.org/x/text", []string{"engine/internal/..."}, "charsets of XML"},
	{"golang.org/x/time", []string{"controller/...", "webhooks/...", "internal/transport"}, "rate limits"},
	{"gopkg.in/ini.v1", []string{"engine"}, "a bcfg2.conf in the tree"},
	{"modernc.org/sqlite", []string{"controller/store"}, "one place speaks SQL"},
}

// testBans are imports that no test may have.
var testBans = map[string]string{
	"github.com/stretchr/testify/assert": "a test stops at its first wrong answer: require",
	"github.com/stretchr/testify/mock":   "fakes are real: an HTTP forge, a bare repository, a machine in memory",
	"github.com/stretchr/testify/suite":  "tests are functions",
}

// testOnly are modules that only tests may import.
var testOnly = []string{
	"github.com/chromedp/cdproto", "github.com/chromedp/chromedp", "github.com/stretchr/testify", "github.com/yuin/goldmark", "pgregory.net/rapid",
}

// suiteUsers are packages that are no tests and may import a suite.
var suiteUsers = []struct{ from, suite, why string }{
	{"bench", "webhooks/github/githubtest", "it measures a controller against the forge that the tests trust"},
	{"bench", "webhooks/forgetest", "it measures a controller against the forge that the tests trust"},
	{"bench/forgeshapes", "webhooks/github/githubtest", "it is the fake that is held against GitHub's description"},
	{"bench/forgeshapes", "webhooks/forgetest", "it is the fake that is held against GitHub's description"},
	{"cmd/bindery/internal/demo", "webhooks/github/githubtest", "the demo's forge is the one that the tests trust, as a process of its own"},
}

func mayUseSuite(folder, suite string) bool {
	for _, u := range suiteUsers {
		if u.from == folder && u.suite == suite {
			return true
		}
	}
	return false
}

// pkg is what "go list" says of a package.
type pkg struct {
	ImportPath  string
	Standard    bool
	Imports     []string
	TestImports []string
	XTestImport []string `json:"XTestImports"`
	Module      *struct {
		Path string
		Main bool
	}
}

// graph is every package that ours reach.
type graph map[string]*pkg

func load(t *testing.T) graph {
	t.Helper()
	args := []string{"list", "-e", "-deps", "-json=ImportPath,Standard,Imports,TestImports,XTestImports,Module"}
	for _, top := range tops(t) {
		args = append(args, "./"+top+"/...")
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	g := graph{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(pkg)
		err := dec.Decode(p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		g[p.ImportPath] = p
	}
	return g
}

// ours lists the packages of this module, as folders, sorted.
func (g graph) ours() []string {
	var out []string
	for path := range g {
		if rest, ok := strings.CutPrefix(path, module); ok {
			out = append(out, rest)
		}
	}
	sort.Strings(out)
	return out
}

// reach tells for every package that path reaches by which of its importers.
func (g graph) reach(path string) map[string]string {
	by := map[string]string{path: ""}
	for work := []string{path}; len(work) > 0; {
		p := work[0]
		work = work[1:]
		if g[p] == nil {
			continue
		}
		for _, imp := range g[p].Imports {
			if _, seen := by[imp]; !seen {
				by[imp] = p
				work = append(work, imp)
			}
		}
	}
	return by
}

// under tells whether a folder is another or lies below it.
func under(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

// matches knows exact paths and those that end in /...
func matches(path, pattern string) bool {
	if pattern == "..." {
		return true
	}
	if folder, ok := strings.CutSuffix(pattern, "/..."); ok {
		return under(path, folder)
	}
	return path == pattern
}

func anyMatches(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(path, p) })
}

// roomOf finds the deepest row of the map that holds a folder.
func roomOf(folder string) (room, bool) {
	var best room
	for _, r := range rooms {
		if under(folder, r.path) && len(r.path) > len(best.path) {
			best = r
		}
	}
	return best, best.path != ""
}

func checkRooms(g graph) []string {
	var bad []string
	for _, folder := range g.ours() {
		r, ok := roomOf(folder)
		if !ok {
			bad = append(bad, folder+" is not on the map: add it to rooms in imports_test.go and to CONTRIBUTING.md")
			continue
		}
		for _, imp := range g[module+folder].Imports {
			rest, isOurs := strings.CutPrefix(imp, module)
			if !isOurs || under(rest, r.path) || slices.ContainsFunc(r.may, func(f string) bool { return under(rest, f) }) {
				continue
			}
			bad = append(bad, fmt.Sprintf("%s imports %s: %s", folder, rest, r.why))
		}
	}
	return bad
}

func checkBans(g graph) []string {
	var bad []string
	for _, folder := range g.ours() {
		for _, b := range bans {
			if !under(folder, b.from) || slices.ContainsFunc(b.allow, func(a string) bool { return under(folder, a) }) {
				continue
			}
			for _, imp := range g[module+folder].Imports {
				if anyMatches(imp, b.not) {
					bad = append(bad, fmt.Sprintf("%s imports %s: %s", folder, imp, b.why))
				}
			}
			if b.deep {
				bad = append(bad, deepBan(g, folder, b)...)
			}
		}
	}
	return bad
}

func deepBan(g graph, folder string, b ban) []string {
	var bad []string
	by := g.reach(module + folder)
	for imp := range by {
		if !anyMatches(imp, b.not) || by[imp] == module+folder || by[imp] == "" {
			continue
		}
		chain := imp
		for p := by[imp]; p != ""; p = by[p] {
			chain = p + " → " + chain
		}
		bad = append(bad, fmt.Sprintf("%s: %s", chain, b.why))
	}
	sort.Strings(bad)
	return bad
}

func checkDoors(g graph) []string {
	var bad []string
	for _, folder := range g.ours() {
		for _, imp := range g[module+folder].Imports {
			dep := g[imp]
			if dep == nil || dep.Module == nil || dep.Module.Main || dep.Standard {
				continue
			}
			if slices.Contains(testOnly, dep.Module.Path) {
				if suite(folder) {
					continue
				}
				bad = append(bad, fmt.Sprintf("%s imports %s: it is for tests alone", folder, imp))
				continue
			}
			i := slices.IndexFunc(doors, func(d door) bool { return d.module == dep.Module.Path })
			switch {
			case i < 0:
				bad = append(bad, fmt.Sprintf("%s imports %s: a new dependency needs a door in imports_test.go, with its reason", folder, imp))
			case !anyMatches(folder, doors[i].doors):
				bad = append(bad, fmt.Sprintf("%s imports %s, whose door is %s: %s", folder, imp, strings.Join(doors[i].doors, ", "), doors[i].why))
			}
		}
	}
	return bad
}

// suite tells whether a package is one that only tests import, such as the suite
// that all drivers pass. Its name says so.
func suite(folder string) bool { return strings.HasSuffix(folder, "test") }

func checkTests(g graph) []string {
	var bad []string
	for _, folder := range g.ours() {
		p := g[module+folder]
		for _, imp := range p.Imports {
			if strings.HasPrefix(imp, module) && suite(imp) && !suite(folder) && !mayUseSuite(folder, strings.TrimPrefix(imp, module)) {
				bad = append(bad, fmt.Sprintf("%s imports %s: suites are for tests alone", folder, imp))
			}
		}
		for _, imp := range slices.Concat(p.Imports, p.TestImports, p.XTestImport) {
			if why, banned := testBans[imp]; banned {
				bad = append(bad, fmt.Sprintf("%s imports %s: %s", folder, imp, why))
			}
		}
	}
	return bad
}

func TestImports(t *testing.T) {
	g := load(t)
	require.NotEmpty(t, g.ours())
	for name, check := range map[string]func(graph) []string{
		"rooms": checkRooms, "bans": checkBans, "doors": checkDoors, "tests": checkTests,
	} {
		t.Run(name, func(t *testing.T) {
			bad := check(g)
			require.Empty(t, bad, strings.Join(bad, "\n"))
		})
	}
}

// Every rule has a reason: the one that breaks it is told.
func TestRulesHaveReasons(t *testing.T) {
	for _, r := range rooms {
		require.NotEmpty(t, r.why, r.path)
	}
	for _, b := range bans {
		require.NotEmpty(t, b.why, b.from)
	}
	for _, d := range doors {
		require.NotEmpty(t, d.why, d.module)
	}
	for _, u := range suiteUsers {
		require.NotEmpty(t, u.why, u.from)
	}
}

// A rule that cannot bite is no rule: each kind is shown a module that breaks it.
func TestRulesBite(t *testing.T) {
	third := &struct {
		Path string
		Main bool
	}{Path: "github.com/go-git/go-git/v5"}
	unknown := &struct {
		Path string
		Main bool
	}{Path: "example.org/new"}
	g := graph{
		module + "engine/config":  {ImportPath: module + "engine/config", Imports: []string{module + "engine/problem", "time"}},
		module + "engine/problem": {ImportPath: module + "engine/problem", Imports: []string{"example.org/new"}},
		module + "engine/x":       {ImportPath: module + "engine/x", Imports: []string{"log/slog", "crypto/rand", module + "engine/xtest"}},
		module + "engine/xtest":   {ImportPath: module + "engine/xtest"},
		module + "attic":          {ImportPath: module + "attic", TestImports: []string{"github.com/stretchr/testify/assert"}},
		module + "agent":          {ImportPath: module + "agent", Imports: []string{"github.com/go-git/go-git/v5"}},
		"example.org/new":         {ImportPath: "example.org/new", Imports: []string{"net/http"}, Module: unknown},
		"github.com/go-git/go-git/v5": {
			ImportPath: "github.com/go-git/go-git/v5", Module: third,
		},
	}
	require.Len(t, checkRooms(g), 2)
	require.ElementsMatch(t, []string{
		module + "engine/config → " + module + "engine/problem → example.org/new → net/http: not even through a library",
		module + "engine/problem → example.org/new → net/http: not even through a library",
		"engine/x imports log/slog: what is wrong is data; the engine does not log",
		"engine/x imports crypto/rand: equal input gives equal bytes; only the envelope has keys to make",
		"agent imports github.com/go-git/go-git/v5: the agent stays small and knows neither git nor SQL nor the engine",
	}, checkBans(g))
	require.Len(t, checkDoors(g), 2)
	require.Len(t, checkTests(g), 2)
}
