// SPDX-License-Identifier: Apache-2.0

package release_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

const anyID = "0123456789abcdef0123456789abcdef"

func identified() release.Identified {
	return release.Identified{Host: "web1", HostID: anyID, Commit: "c", Tree: "t", Engine: "e", Sequence: 7}
}

func bundle(t testing.TB) *release.Bundle {
	t.Helper()
	cfg := motd("web1", "hello")
	hidden := config.NewEntry(config.Entry{Tag: "Path", Text: "token=1", Sensitive: true, Attrs: []config.Attr{
		{Name: "name", Value: "/etc/token"}, {Name: "type", Value: "file"}, {Name: "mode", Value: "0644"},
	}})
	cfg.Bundles = append(cfg.Bundles, config.NewBundle("Bundle", []config.Attr{{Name: "name", Value: "token"}}, []*config.Entry{hidden}))
	b, err := release.NewBundle(identified(), cfg, []config.Probe{{Name: "p", Source: "Probes", Interpreter: "/bin/sh", Script: "echo"}}, apply)
	require.NoError(t, err)
	return b
}

func pack(t testing.TB, b *release.Bundle) []byte {
	t.Helper()
	data, err := release.Pack(b)
	require.NoError(t, err)
	return data
}

func TestPackRoundTrip(t *testing.T) {
	b := bundle(t)
	data := pack(t, b)
	require.Equal(t, data, pack(t, bundle(t)), "equal bundles give equal bytes")
	got, err := release.Unpack(data)
	require.NoError(t, err)
	require.Equal(t, b.Manifest, got.Manifest)
	require.Equal(t, b.Config.Digest(), got.Config.Digest())
	require.Equal(t, b.Probes, got.Probes)
	require.Equal(t, "web1", got.Config.Host)
	require.Equal(t, "c", got.Config.Revision)
	var secret []string
	for _, k := range got.Config.Keyed() {
		if k.Entry.Secret() {
			secret = append(secret, k.Key.Name)
		}
	}
	require.Equal(t, []string{"/etc/token"}, secret)
}

func TestNewBundleRefuses(t *testing.T) {
	cfg := motd("web1", "x")
	for want, make := range map[string]func() (*release.Bundle, error){
		"policy mode":      func() (*release.Bundle, error) { return release.NewBundle(identified(), cfg, nil, release.Policy{}) },
		"neither a config": func() (*release.Bundle, error) { return release.NewBundle(identified(), nil, nil, apply) },
		"cannot be published for": func() (*release.Bundle, error) {
			return release.NewBundle(identified(), motd("web2", "x"), nil, apply)
		},
		"malformed": func() (*release.Bundle, error) {
			return release.NewBundle(release.Identified{Host: "web1"}, cfg, nil, apply)
		},
	} {
		_, err := make()
		require.ErrorContains(t, err, want)
	}
}

// entry is one member of an archive that Pack would never write.
type entry struct {
	name, data string
	kind       byte
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	zw, err := zstd.NewWriter(&out, zstd.WithWindowSize(1<<20))
	require.NoError(t, err)
	tw := tar.NewWriter(zw)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Size: int64(len(e.data)), Mode: 0o600, Typeflag: tar.TypeReg}
		if e.kind != 0 {
			h.Typeflag, h.Size, h.Linkname = e.kind, 0, "/etc/passwd"
			require.NoError(t, tw.WriteHeader(h))
			continue
		}
		require.NoError(t, tw.WriteHeader(h))
		_, err = tw.Write([]byte(e.data))
		require.NoError(t, err)
	}
	require.NoError(t, tw.Close())
	require.NoError(t, zw.Close())
	return out.Bytes()
}

func TestUnpackRefuses(t *testing.T) {
	b := bundle(t)
	raw, err := json.Marshal(b.Manifest)
	require.NoError(t, err)
	probes, err := json.Marshal(b.Probes)
	require.NoError(t, err)
	m := entry{name: "manifest.json", data: string(raw)}
	c := entry{name: "configuration.xml", data: string(b.Config.XML())}
	p := entry{name: "probes.json", data: string(probes)}
	replaced := func(old, new string) entry {
		require.Contains(t, m.data, old)
		return entry{name: m.name, data: strings.Replace(m.data, old, new, 1)}
	}
	_, err = release.Unpack(archive(t, m, c, p))
	require.NoError(t, err)

	for _, bad := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "missing"},
		{"no archive", []byte("hello"), "unpack"},
		{"truncated", archive(t, m, c, p)[:600], "unpack"},
		{"manifest missing", archive(t, c, p), "where manifest.json was expected"},
		{"configuration missing", archive(t, m, p), "where configuration.xml was expected"},
		{"probes missing", archive(t, m, c), "probes.json is missing"},
		{"manifest twice", archive(t, m, m, c, p), "where configuration.xml was expected"},
		{"probes twice", archive(t, m, c, p, p), "is not expected"},
		{"unknown member", archive(t, m, c, p, entry{name: "../../etc/cron.d/x", data: "x"}), "is not expected"},
		{"link", archive(t, m, entry{name: "configuration.xml", kind: tar.TypeSymlink}, p), "was expected"},
		{"newer format", archive(t, replaced(`"format":1`, `"format":2`), c, p), "newer agent"},
		{"format zero", archive(t, replaced(`"format":1`, `"format":0`), c, p), "unknown bundle format"},
		{"unknown field", archive(t, replaced(`"format":1`, `"format":1,"extra":1`), c, p), "unknown field"},
		{"two manifests in one", archive(t, entry{name: m.name, data: m.data + m.data}, c, p), "after top-level value"},
		{"unknown mode", archive(t, replaced(`"mode":"apply"`, `"mode":"force"`), c, p), "neither"},
		{"other policy", archive(t, replaced(`"mode":"apply"`, `"mode":"report"`), c, p), "policy: the manifest says"},
		{"other configuration", archive(t, m, entry{name: c.name, data: strings.Replace(c.data, "hello", "hallo", 1)}, p), "configuration: the manifest says"},
		{"broken configuration", archive(t, m, entry{name: c.name, data: c.data[:100]}, p), "configuration.xml"},
		{"other probes", archive(t, m, c, entry{name: p.name, data: strings.Replace(p.data, "echo", "evil", 1)}), "probe set: the manifest says"},
		{"waiting with a configuration", archive(t, replaced(`"policy":`, `"waiting":true,"policy":`), c, p), "was expected"},
		{"waiting without", archive(t, replaced(`"policy":`, `"waiting":true,"policy":`), p), "configuration: the manifest says"},
		{"two streams", append(archive(t, m, c, p), archive(t, m, c, p)...), "behind the end"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			_, err := release.Unpack(bad.data)
			require.ErrorContains(t, err, bad.want)
		})
	}
	_, err = release.Unpack(archive(t, replaced(`"format":1`, `"format":2`), c, p))
	require.ErrorIs(t, err, release.ErrFormat)
}

// What Pack itself wrote is decompressed in another way than strangers' archives, and is
// held to the same.
func TestUnpackRefusesDamage(t *testing.T) {
	good := pack(t, bundle(t))
	_, err := release.Unpack(good)
	require.NoError(t, err)
	var more bytes.Buffer
	zw, err := zstd.NewWriter(&more)
	require.NoError(t, err)
	_, err = zw.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, zw.Close())
	_, err = release.Unpack(append(bytes.Clone(good), more.Bytes()...))
	require.ErrorContains(t, err, "behind the end")
	for cut := range good {
		_, err := release.Unpack(good[:cut])
		require.Error(t, err, "the first %d bytes", cut)
	}
	sum := bytes.Clone(good)
	sum[len(sum)-1] ^= 1
	_, err = release.Unpack(sum)
	require.ErrorContains(t, err, "CRC")
}

// A few bytes that unpack to gigabytes stop at the limit.
func TestBomb(t *testing.T) {
	big := entry{name: "manifest.json", data: strings.Repeat(" ", release.MaxManifest+1)}
	data := archive(t, big)
	require.Less(t, len(data), 10_000)
	_, err := release.Unpack(data)
	require.ErrorIs(t, err, release.ErrTooLarge)

	good := pack(t, bundle(t))
	var zeros bytes.Buffer
	zw, err := zstd.NewWriter(&zeros)
	require.NoError(t, err)
	_, err = zw.Write(make([]byte, 64<<20))
	require.NoError(t, err)
	require.NoError(t, zw.Close())
	_, err = release.Unpack(append(good, zeros.Bytes()...))
	require.Error(t, err)
}

// What an agent would refuse for its size is refused before it is published.
func TestPackLimits(t *testing.T) {
	probes := []config.Probe{{Name: "p", Script: strings.Repeat("x", release.MaxProbes)}}
	b, err := release.NewBundle(identified(), nil, probes, apply)
	require.NoError(t, err)
	_, err = release.Pack(b)
	require.ErrorIs(t, err, release.ErrTooLarge)
	require.ErrorContains(t, err, "probes.json")
}

func TestSeal(t *testing.T) {
	one, err := release.NewIdentity()
	require.NoError(t, err)
	two, err := release.NewIdentity()
	require.NoError(t, err)
	sealed, err := release.Seal([]byte("plain"), one.Public().Recipient)
	require.NoError(t, err)
	plain, err := release.Open(sealed, one)
	require.NoError(t, err)
	require.Equal(t, "plain", string(plain))
	_, err = release.Open(sealed, two)
	require.ErrorIs(t, err, release.ErrSealed)
	_, err = release.Open(sealed[:len(sealed)-1], one)
	require.ErrorIs(t, err, release.ErrSealed)
	_, err = release.Seal(nil, "age1qqqq")
	require.Error(t, err)
	_, err = release.Open(make([]byte, release.MaxSealed+1), one)
	require.ErrorIs(t, err, release.ErrTooLarge)
}

func TestIdentity(t *testing.T) {
	id, err := release.NewIdentity()
	require.NoError(t, err)
	text, err := id.Marshal()
	require.NoError(t, err)
	again, err := release.ParseIdentity(text)
	require.NoError(t, err)
	require.Equal(t, id.Public(), again.Public())
	require.NoError(t, id.Public().Validate())

	for name, bad := range map[string][]byte{
		"empty": nil, "junk in front": append([]byte("x"), text...), "no sealing key": text[:bytes.Index(text, []byte("AGE"))],
		"no signing key": text[bytes.Index(text, []byte("AGE")):], "more behind": append(bytes.Clone(text), text...),
	} {
		_, err := release.ParseIdentity(bad)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "AGE-SECRET")
	}
	block, rest := pem.Decode(text)
	for name, der := range map[string][]byte{
		"cut short":       block.Bytes[:len(block.Bytes)-1],
		"of another kind": bytes.Replace(block.Bytes, []byte{0x2b, 0x65, 0x70}, []byte{0x2b, 0x65, 0x71}, 1),
	} {
		_, err := release.ParseIdentity(append(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: der}), rest...))
		require.Error(t, err, "a signing key "+name)
	}
	require.Error(t, release.PublicIdentity{}.Validate())
	require.Error(t, release.PublicIdentity{Signing: id.Public().Signing, Recipient: "x"}.Validate())
}

// However a secret is printed, it does not show.
func TestSecretsDoNotPrint(t *testing.T) {
	w := newWorld(t)
	token, rec, err := release.MintToken("web1", w.root, w.now)
	require.NoError(t, err)
	text, err := w.id.Marshal()
	require.NoError(t, err)
	secret := strings.Split(token.Text(), "-")[2]
	sealing := string(text[bytes.Index(text, []byte("AGE-SECRET")):])
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	structured := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range []any{w.id, token, rec, &token, &rec} {
		fmt.Fprintf(&out, "%v %+v %#v %s\n", v, v, v, v)
		log.Info("x", "v", v)
		structured.Info("x", "v", v)
	}
	for _, s := range []string{secret, strings.TrimSpace(sealing), fmt.Sprintf("%x", rec.Key), fmt.Sprint(rec.Key)} {
		require.NotContains(t, out.String(), s)
	}
	require.Contains(t, out.String(), token.ID())
}
