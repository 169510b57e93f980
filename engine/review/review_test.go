// SPDX-License-Identifier: Apache-2.0

package review_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/markdown"
	"github.com/bindery/bindery/engine/review/terminal"
)

var update = flag.Bool("update", false, "rewrite the goldens")

var key = []byte("0123456789abcdef0123456789abcdef")

func attrs(pairs ...string) []config.Attr {
	var out []config.Attr
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, config.Attr{Name: pairs[i], Value: pairs[i+1]})
	}
	return out
}

func entry(tag, name string, more ...string) *config.Entry {
	return config.NewEntry(config.Entry{
		Tag: tag, Attrs: attrs(append([]string{"name", name}, more...)...),
		NamedAt: config.Source{File: "Bundler/base.xml", Line: 12},
	})
}

func file(name, text string) *config.Entry { return modeFile(name, text, "0644") }

func modeFile(name, text, mode string) *config.Entry {
	return config.NewEntry(config.Entry{
		Tag: "Path", Attrs: attrs("name", name, "type", "file", "owner", "root", "group", "root", "mode", mode), Text: text,
		BoundAt: config.Source{File: "Cfg" + name + "/" + name[strings.LastIndex(name, "/")+1:]},
	})
}

func failed(tag, name, why string) *config.Entry {
	return config.NewEntry(config.Entry{Tag: tag, Attrs: attrs("name", name), Failure: why})
}

func bundle(name string, entries ...*config.Entry) *config.Bundle {
	return config.NewBundle("Bundle", attrs("name", name), entries)
}

func side(bundles ...*config.Bundle) *review.Side {
	return &review.Side{Config: &config.Config{Bundles: bundles}}
}

func report(t testing.TB, in review.Input) *review.Report {
	t.Helper()
	if in.Key == nil {
		in.Key = key
	}
	r, err := review.New(t.Context(), in)
	require.NoError(t, err)
	return r
}

// site is the story of the documentation: three data centres, a template that
// changes everywhere, a removal, a secret, a failure.
func site() review.Input {
	ntpd := entry("Service", "ntpd", "type", "systemd", "status", "on")
	sshd := entry("Service", "sshd", "type", "systemd", "status", "on", "target", "reload")
	ntp := func(servers ...string) *config.Bundle {
		return bundle("ntp", file("/etc/ntp.conf", "# time\n"+strings.Join(servers, "\n")+"\ndriftfile /var/lib/ntp/drift\n"), ntpd)
	}
	hardening := file("/etc/ssh/sshd_config.d/10-hardening.conf", "PermitRootLogin no\nPasswordAuthentication no\n")
	oldSSH, newSSH := bundle("ssh", sshd), bundle("ssh", sshd, hardening)
	token := func(v string) *config.Bundle {
		return bundle("exporter", modeFile("/etc/exporter/token", v, "0600"))
	}
	oldToken, newToken := token("old-canary\n"), token("new-canary\n")
	same := bundle("same", file("/etc/motd", "hello\n"))
	cause := problem.New(problem.Pos{File: "Cfg/etc/ntp.conf/ntp.conf.genshi", Line: 14}, "no-key", "Properties['ntp'].pool[dc] has no key `dc0`", "see Metadata/groups.xml:88")
	dc1, dc2 := ntp("server ntp1.dc1.example iburst"), ntp("server ntp1.dc2.example iburst")
	oldDC1, oldDC2 := ntp("server 10.1.0.1", "server 10.1.0.2"), ntp("server 10.2.0.1", "server 10.2.0.2")
	var hosts []review.Host
	add := func(format string, n int, group string, base, head *review.Side) {
		for i := 1; i <= n; i++ {
			hosts = append(hosts, review.Host{Name: fmt.Sprintf(format, i), Groups: []string{group}, Base: base, Head: head})
		}
	}
	add("dc1-web%03d", 240, "dc1", side(same, oldDC1, oldSSH, oldToken), side(same, dc1, newSSH, newToken))
	add("dc2-web%03d", 120, "dc2", side(same, oldDC2, oldSSH), side(same, dc2, newSSH))
	xinetd := entry("Package", "xinetd", "type", "deb", "version", "auto")
	for i := 1; i <= 38; i++ {
		name := fmt.Sprintf("edge%02d", i)
		hosts = append(hosts, review.Host{
			Name: name, Groups: []string{"edge"},
			Base: side(same, ntp("server gw."+name), oldSSH, bundle("inet", xinetd, ntpd)),
			Head: side(same, dc1, newSSH, bundle("inet", ntpd)),
		})
	}
	bad := side(same, bundle("ntp", failed("Path", "/etc/ntp.conf", cause.Error()), ntpd), newSSH)
	bad.Failures = []review.Failure{{Tag: "Path", Name: "/etc/ntp.conf", Problem: cause}}
	add("legacy%02d", 2, "legacy", side(same, oldDC1, oldSSH), bad)
	rest := side(same)
	add("db%03d", 1204, "db", rest, rest)
	return review.Input{Hosts: hosts, Meta: review.Meta{
		App: "91234", Number: 412, Seq: 7, Head: "3f2a9c1e0000", Base: "b81d07aa0000", BaseName: "main", Files: 3,
		Built: 400, Reused: 1204, Took: 2100 * time.Millisecond,
		ReportURL: "https://bindery.example/r/5c0e", JSONURL: "https://bindery.example/r/5c0e.json",
	}}
}

func views(t *testing.T, r *review.Report) map[string]string {
	t.Helper()
	data, err := r.JSON()
	require.NoError(t, err)
	return map[string]string{
		"markdown": markdown.New(r, markdown.Options{}).Body,
		"text":     terminal.New(r, terminal.Options{Context: 3}),
		"color":    terminal.New(r, terminal.Options{Color: true}),
		"json":     string(data),
	}
}

// golden compares views with testdata/NAME.txtar.
func golden(t *testing.T, name string, r *review.Report, which ...string) {
	t.Helper()
	path := "testdata/" + name + ".txtar"
	all := views(t, r)
	if *update {
		a := &txtar.Archive{}
		for _, w := range which {
			a.Files = append(a.Files, txtar.File{Name: w, Data: []byte(all[w])})
		}
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, txtar.Format(a), 0o644))
	}
	a, err := txtar.ParseFile(path)
	require.NoError(t, err)
	require.Len(t, a.Files, len(which))
	for _, f := range a.Files {
		require.Equal(t, string(f.Data), all[f.Name], "%s of %s", f.Name, name)
	}
}

func TestSite(t *testing.T) {
	r := report(t, site())
	golden(t, "site", r, "markdown", "text")
	require.Equal(t, review.Totals{Hosts: 1604, Changed: 398, Failed: 2, Unaffected: 1204}, r.Totals)
	require.Len(t, r.Hosts, 400)
	require.NotContains(t, views(t, r)["json"], "canary")
}
