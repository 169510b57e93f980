// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller/api"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/fixtures/canarytest"
	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/github/githubtest"
)

// secrets gives a specification in which every kind of secret holds a canary.
func secrets(t *testing.T, k canarytest.Keys, round string) map[string]string {
	t.Helper()
	word := func(kind string) string { return "CANARY" + kind + round + "wxyz" }
	files := map[string]string{
		"Metadata/clients.xml": `<Clients><Client name="web1" profile="web" secure="true" password="` + word("password") + `"/><Client name="db1" profile="db"/></Clients>` + "\n",
		"Bundler/motd.xml": `<Bundle name="motd"><Path name="/etc/motd"/><Path name="/etc/mode"/><Path name="/etc/sensitive"/><Path name="/etc/key"/>` +
			`<BoundPath name="/etc/bound" type="file" owner="root" group="root" mode="0600">` + word("bound") + `</BoundPath></Bundle>` + "\n",
		"Cfg/etc/motd/motd":           "hello " + round + "\n",
		"Cfg/etc/mode/mode":           word("mode") + "\n",
		"Cfg/etc/mode/info.xml":       `<FileInfo><Info owner="root" group="root" mode="0600"/></FileInfo>` + "\n",
		"Cfg/etc/sensitive/sensitive": word("sensitive") + "\n",
		"Cfg/etc/sensitive/info.xml":  `<FileInfo><Info owner="root" group="root" mode="0644" sensitive="true"/></FileInfo>` + "\n",
		"Cfg/etc/key/key":             "-----BEGIN OPENSSH PRIVATE KEY-----\n" + word("key") + "\n-----END OPENSSH PRIVATE KEY-----\n",
		"Metadata/groups.xml": `<Groups><Group name="web" profile="true"><Bundle name="motd"/><Bundle name="` + strings.Join(canarytest.Bundles, `"/><Bundle name="`) +
			`"/></Group><Group name="db" profile="true"><Bundle name="motd"/></Group></Groups>` + "\n",
	}
	maps.Copy(files, k.Files(t, word("sealed")))
	return files
}

// everything is all that the controller shows, sends or keeps, by where it is.
func (w *world) everything(pulls ...int) map[string]string {
	w.t.Helper()
	out := map[string]string{"log": w.log.String(), "requests to the forge": w.wire.text()}
	for _, n := range pulls {
		for _, c := range w.forge.Comments(n) {
			out[fmt.Sprintf("comment on %d", n)] += c.Body
		}
	}
	public, admin := w.ct.Addresses()
	for _, path := range []string{
		"/", "/hosts", "/hosts/web1", "/hosts/db1", "/releases", "/reviews", "/reviews/" + repo + "/1", "/reviews/" + repo + "/2", "/audit", "/metrics", "/readyz", "/openapi.json",
		"/api/v1/hosts", "/api/v1/hosts/web1", "/api/v1/releases", "/api/v1/reviews", "/api/v1/reviews?full=true", "/api/v1/audit", "/api/v1/overview",
	} {
		out["admin "+path] = get(w.t, "http://"+admin+path)
	}
	out["public"] = get(w.t, "http://"+public+"/") + get(w.t, "http://"+public+"/healthz")
	state := filepath.Join(w.dir, "state")
	require.NoError(w.t, filepath.WalkDir(state, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path == filepath.Join(state, "mirror") {
			return fs.SkipDir // the repository itself
		}
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		out["file "+path] = string(data)
		return err
	}))
	return out
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return fmt.Sprint(resp.Header) + string(data)
}

// asked puts every question in comments, about what is secret and what cannot be told.
func (w *world) asked(number int) {
	w.t.Helper()
	for body, reaction := range map[string]string{
		"/bindery show web1": "+1", "/bindery diff web1 Path:/etc/mode": "+1", "/bindery why web1 Path:/etc/sensitive": "+1",
		"/bindery diff web1 Path:/etc/key": "+1", "/bindery why web1 Path:/s/raise": "+1", "/bindery diff web1 Path:/s/genshi": "+1",
		"/bindery why web1 Path:/s/path": "+1", "/bindery show nobody": "-1", "/bindery purge": "+1",
	} {
		require.NotContains(w.t, w.ask(number, body, reaction), "CANARY", body)
	}
}

// A secret goes the whole way, in every form and through every turn, and only the
// host that it is for ever sees it.
func TestACanaryIsNowhereToBeSeen(t *testing.T) {
	t.Parallel()
	k := canarytest.NewKeys(t)
	first := secrets(t, k, "one")
	var told syncBuffer
	listener := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		_, _ = told.Write(fmt.Appendf(data, " %v %v\n", r.Header, err))
	}))
	t.Cleanup(listener.Close)
	w := newWorld(t, plain(first), fmt.Sprintf("events: [{url: %q, secret_file: hook.secret}]", listener.URL))
	w.replaceSetting(", poll", fmt.Sprintf(", encrypted: {identity_files: [%s], passphrase_file: %s, sops: %s}, poll", k.Identity, k.Passphrases, k.SOPS))
	w.start()
	st := w.database()
	token, row, err := api.MintToken("web1", "main", w.root, false, w.now().Add(time.Hour))
	require.NoError(t, err)
	require.NoError(t, st.AddToken(t.Context(), row))
	web, db := w.enrolWith(token, "web1"), w.enrol(st, "db1")
	for _, h := range []*machine{web, db} {
		var asked *release.Bundle
		w.untilWoken("the probe arrives", func() bool { asked = h.fetch(); return asked != nil })
		require.Contains(t, asked.Probes[0].Script, "CANARYsealedonewxyz")
		h.answer(asked, map[string]string{asked.Probes[0].Name: "1\n"})
	}
	w.untilWoken("the secret arrives", func() bool { return text(web.fetch(), "/etc/mode") == first["Cfg/etc/mode/mode"] })
	require.Equal(t, first["Cfg/etc/sensitive/sensitive"], text(web.fetch(), "/etc/sensitive"))
	require.Equal(t, first["Cfg/etc/key/key"], text(web.fetch(), "/etc/key"))
	arrived := map[string]bool{}
	for _, e := range web.fetch().Config.Keyed() {
		arrived[e.Key.Name] = e.Entry.Sensitive && strings.Contains(string(e.Entry.XML()), "CANARYsealedonewxyz")
	}
	for _, name := range canarytest.Entries {
		require.True(t, arrived[name], "%s arrives, and says that it is a secret", name)
	}

	shown, head := w.propose("change", secrets(t, k, "two"))
	w.untilStatus(head, webhooks.Success)
	// What does not parse is quoted where it is wrong; not so what is secret.
	torn := secrets(t, k, "torn")
	torn["Metadata/clients.xml"] = strings.Replace(torn["Metadata/clients.xml"], `"/><Client`, `" secure=true/><Client`, 1)
	torn["Bundler/motd.xml"] = strings.Replace(torn["Bundler/motd.xml"], "</BoundPath>", "</Bound>", 1)
	torn["Cfg/etc/mode/info.xml"] = `<FileInfo><Info mode="0600" password="CANARYinfotornwxyz"></FileInfo>`
	bad, badHead := w.propose("torn", torn)
	w.untilStatus(badHead, webhooks.Failure)
	all := w.everything(shown, bad)
	require.Contains(t, all[fmt.Sprintf("comment on %d", shown)], "hello two", "what is no secret is seen")
	require.Contains(t, all["admin /reviews/"+repo+"/1"], "hello <mark>two</mark>")
	w.asked(shown)
	w.merge(shown, "squash")
	w.untilWoken("the merge is published", func() bool { return text(db.fetch(), "/etc/motd") == "hello two\n" })
	web.report(release.StateDirty, func(r *release.Report) { r.Bad = []release.Item{{Key: config.Key{Tag: "Path", Name: "/etc/mode"}}} })
	db.report(release.StateClean, nil)
	w.until("others are told", func() bool { return strings.Count(told.String(), `"event":"report"`) == 2 })
	w.untilWoken("the rollout is told", func() bool {
		return strings.Contains(w.everything(shown)[fmt.Sprintf("comment on %d", shown)], "1/2 hosts applied")
	})
	w.direct("unseen", secrets(t, k, "three"))
	w.untilWoken("it is published", func() bool { return text(db.fetch(), "/etc/motd") == "hello three\n" })
	tip := w.direct("torn too", torn)
	w.untilSettled(st, tip, "refused")
	w.forge.Inject(githubtest.Fault{Match: []string{"/issues/"}, Times: 3, Code: http.StatusForbidden})
	w.looks()
	w.stop()
	w.start()
	w.looks()

	for where, what := range w.everything(shown, bad) {
		all[where] += "\n" + what
	}
	require.Contains(t, all["requests to the forge"], "hello two")
	require.Contains(t, all["file "+filepath.Join(w.dir, "state", "bindery.db")]+all["file "+filepath.Join(w.dir, "state", "bindery.db-wal")], "hello two")
	require.Contains(t, all["admin /hosts/web1"], "web1")
	canaries := []string{botToken, hookSecret, personToken, strings.Split(token.Text(), "-")[2]}
	for _, round := range []string{"one", "two", "three", "torn"} {
		for _, kind := range []string{"password", "bound", "mode", "sensitive", "key", "info", "sealed"} {
			canaries = append(canaries, "CANARY"+kind+round+"wxyz")
		}
	}
	all["events"] = told.String()
	for where, what := range all {
		what += "\n" + canarytest.Joined(what)
		for _, canary := range canaries {
			if around, found := canarytest.Find(what, canary); found {
				t.Errorf("%s: %s is in %q", where, canary, around)
			}
		}
		require.NotRegexp(t, `CANARY[a-z]+`, what, where)
	}
	for _, commit := range []string{head, badHead} {
		for _, s := range w.forge.Statuses(commit) {
			require.NotContains(t, s.Description+s.URL, "CANARY")
		}
	}
	rows, err := st.AuditTrail(t.Context(), 1000)
	require.NoError(t, err)
	require.NotContains(t, fmt.Sprint(rows), "CANARY")
}
