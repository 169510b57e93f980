// SPDX-License-Identifier: Apache-2.0

package hostkeys_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/cmd/bindery/internal/hostkeys"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/internal/keypair"
)

// site is a host that wants a key of its group and one of its own.
func site(more map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	files := map[string]string{
		"Metadata/clients.xml": `<Clients><Client name="a" profile="p"/><Client name="b" profile="p"/></Clients>`,
		"Metadata/groups.xml":  `<Groups><Group name="p" profile="true" category="c"><Bundle name="b"/></Group></Groups>`,
		"Bundler/b.xml":        `<Bundle><Path name="/k"/><Path name="/etc/ssh/ssh_host_ed25519_key"/><Path name="/etc/ssh/ssh_host_dsa_key"/></Bundle>`,
		"Cfg/k/privkey.xml":    `<PrivateKey category="c"><Params type="ed25519"/></PrivateKey>`,
		"SSHbase/x.static":     "",
	}
	for name, data := range more {
		files[name] = data
	}
	for name, data := range files {
		out[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return out
}

func makeAll(t *testing.T, more map[string]string, c hostkeys.Config) *hostkeys.Maker {
	t.Helper()
	spec, err := engine.Open(t.Context(), site(more), engine.Options{})
	require.NoError(t, err)
	c.Spec, c.Kinds, c.Now = spec, append(append([]string{}, hostkeys.SSH...), hostkeys.SSL...), time.Now()
	m := hostkeys.New(c)
	for _, h := range spec.Hosts() {
		require.NoError(t, m.Host(t.Context(), engine.Input{Host: h}))
	}
	return m
}

// names lists what is written; what goes has a dash.
func names(m *hostkeys.Maker) []string {
	var out []string
	for _, f := range m.Files {
		name := f.Name
		if f.Data == nil {
			name = "-" + name
		}
		if f.Replace {
			name += " over"
		}
		if f.Private {
			name += " private"
		}
		out = append(out, name)
	}
	return out
}

func recipients(t *testing.T) *keypair.Recipients {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	r, err := keypair.ParseRecipients(id.Recipient().String())
	require.NoError(t, err)
	return r
}

func TestMake(t *testing.T) {
	m := makeAll(t, nil, hostkeys.Config{})
	require.Empty(t, m.Problems)
	require.Equal(t, []string{
		"SSHbase/ssh_host_ed25519_key.H_a private", "SSHbase/ssh_host_ed25519_key.pub.H_a",
		"Cfg/k/k.G50_p private", "Cfg/k.pub/k.pub.G50_p",
		"SSHbase/ssh_host_ed25519_key.H_b private", "SSHbase/ssh_host_ed25519_key.pub.H_b",
	}, names(m))

	sealed := makeAll(t, nil, hostkeys.Config{Recipients: recipients(t), Types: []string{"ecdsa"}})
	require.Equal(t, []string{
		"SSHbase/ssh_host_ecdsa_key.H_a.age private", "SSHbase/ssh_host_ecdsa_key.pub.H_a",
		"Cfg/k/k.G50_p.age private", "Cfg/k.pub/k.pub.G50_p",
		"SSHbase/ssh_host_ecdsa_key.H_b.age private", "SSHbase/ssh_host_ecdsa_key.pub.H_b",
	}, names(sealed))
	for _, f := range sealed.Files {
		require.NotContains(t, string(f.Data), "PRIVATE KEY")
	}
}

func TestRotate(t *testing.T) {
	there := map[string]string{
		"SSHbase/ssh_host_ed25519_key":     "for all",
		"SSHbase/ssh_host_ed25519_key.pub": "for all",
		"SSHbase/ssh_host_dsa_key":         "old",
		"SSHbase/ssh_host_dsa_key.pub":     "old",
		"Cfg/k/k.H_a.crypt":                "U2FsdGVkX1",
		"Cfg/k.pub/k.pub.H_a":              "x",
		"Cfg/k/k.G50_p":                    "x",
		"Cfg/k.pub/k.pub.G50_p":            "x",
	}
	require.Empty(t, makeAll(t, there, hostkeys.Config{}).Files)
	m := makeAll(t, there, hostkeys.Config{Rotate: []string{"/k", "/etc/ssh/ssh_host_ed25519_key"}, Recipients: recipients(t)})
	require.Empty(t, m.Problems)
	require.Equal(t, []string{
		"SSHbase/ssh_host_ed25519_key.age over private", "SSHbase/ssh_host_ed25519_key.pub over", "-SSHbase/ssh_host_ed25519_key",
		"Cfg/k/k.H_a.age over private", "Cfg/k.pub/k.pub.H_a over", "-Cfg/k/k.H_a.crypt",
		"Cfg/k/k.G50_p.age over private", "Cfg/k.pub/k.pub.G50_p over", "-Cfg/k/k.G50_p",
	}, names(m))

	m = makeAll(t, there, hostkeys.Config{Rotate: []string{"/etc/ssh/ssh_host_dsa_key"}})
	require.Len(t, m.Problems, 1)
	require.Equal(t, "SSHbase: the key for /etc/ssh/ssh_host_dsa_key cannot be made: keys of type dsa are not made any more: no program of today takes them", m.Problems[0].Error())
}

// What cannot be made says why, and where the specification asks for it.
func TestNotMade(t *testing.T) {
	certificate := func(cert string) map[string]string {
		return map[string]string{
			"Bundler/b.xml": `<Bundle><Path name="/s.crt"/></Bundle>`, "Cfg/s.key/s.key": "no key\n",
			"Cfg/s.crt/sslcert.xml": "<CertInfo>\n" + cert + "</CertInfo>",
		}
	}
	for code, c := range map[string]struct {
		files map[string]string
		at    string
	}{
		"bad-number":           {certificate(`<Cert key="/s.key" days="0"/>`), "Cfg/s.crt/sslcert.xml:2:20"},
		"no-key-named":         {certificate(`<Cert/>`), "Cfg/s.crt/sslcert.xml:2:1"},
		"no-cert-spec":         {certificate(``), "Cfg/s.crt/sslcert.xml:1:1"},
		"certificate-not-made": {certificate(`<Cert key="/s.key"/>`), "Cfg/s.crt/sslcert.xml:2:1"},
		"key-not-made":         {map[string]string{"Cfg/k/privkey.xml": `<PrivateKey><Params type="dsa"/></PrivateKey>`}, "Cfg/k/privkey.xml:1:13"},
		"half-a-key":           {map[string]string{"Cfg/k.pub/k.pub.G50_p": "ssh-ed25519 x"}, "Cfg/k.pub/k.pub.G50_p"},
	} {
		t.Run(code, func(t *testing.T) {
			m := makeAll(t, c.files, hostkeys.Config{Requests: true})
			require.NotEmpty(t, m.Problems)
			require.Equal(t, code, m.Problems[0].Code, m.Problems[0])
			require.Equal(t, c.at, m.Problems[0].Pos.String())
		})
	}
}

// The certificates of all hosts follow a key that they share.
func TestRotateTakesCertificatesAlong(t *testing.T) {
	there := map[string]string{
		"Bundler/b.xml":         `<Bundle><Path name="/s.key"/><Path name="/s.crt"/></Bundle>`,
		"Cfg/s.key/sslkey.xml":  `<KeyInfo category="c"><Key type="ecdsa"/></KeyInfo>`,
		"Cfg/s.key/s.key.G50_p": "x", "Cfg/s.crt/s.crt.H_a": "x", "Cfg/s.crt/s.crt.H_b": "x",
		"Cfg/s.crt/sslcert.xml": `<CertInfo><Cert key="/s.key"/></CertInfo>`,
	}
	m := makeAll(t, there, hostkeys.Config{Rotate: []string{"/s.key"}, Requests: true})
	require.Empty(t, m.Problems)
	require.Equal(t, []string{"Cfg/s.key/s.key.G50_p over private", "a-s.crt.csr over", "b-s.crt.csr over"}, names(m))
	m = makeAll(t, there, hostkeys.Config{Rotate: []string{"/s.key"}, Requests: true, Plan: true})
	require.Empty(t, m.Files)
	require.Len(t, m.Made, 3)
}

func TestWriteNeverLeavesTheFolder(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "link")))
	for _, name := range []string{"link/key", "../key", "/key"} {
		require.Error(t, hostkeys.Write(dir, []hostkeys.File{{Name: name, Data: []byte("x")}}), name)
	}
	left, err := os.ReadDir(outside)
	require.NoError(t, err)
	require.Empty(t, left)

	require.NoError(t, hostkeys.Write(dir, []hostkeys.File{{Name: "a/b/key", Data: []byte("one"), Private: true}}))
	require.ErrorIs(t, hostkeys.Write(dir, []hostkeys.File{{Name: "a/b/key", Data: []byte("two")}}), os.ErrExist)
	data, err := os.ReadFile(filepath.Join(dir, "a/b/key"))
	require.NoError(t, err)
	require.Equal(t, "one", string(data))
	st, err := os.Stat(filepath.Join(dir, "a/b/key"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), st.Mode())
	require.NoError(t, hostkeys.Write(dir, []hostkeys.File{{Name: "a/b/new", Data: []byte("two"), Replace: true}, {Name: "a/b/key"}, {Name: "a/b/none"}}))
	left, err = os.ReadDir(filepath.Join(dir, "a/b"))
	require.NoError(t, err)
	require.Len(t, left, 1)
}
