// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/plugins/packages/index"
)

func compressed(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

// archive makes a tar of names and contents.
func archive(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "folder/", Typeflag: tar.TypeDir}))
	for i := 0; i < len(files); i += 2 {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: files[i], Typeflag: tar.TypeReg, Size: int64(len(files[i+1])), Mode: 0o644}))
		_, err := w.Write([]byte(files[i+1]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func apt(t *testing.T, data []byte) *index.Listing {
	t.Helper()
	l, err := index.ParseAPT(data)
	require.NoError(t, err)
	return l
}

// What one architecture alone provides is provided for all; what several provide
// differently only where the host has it.
func TestArchitectures(t *testing.T) {
	x := index.New()
	x.Add("a", apt(t, compressed(t, "Package: p\nDepends: x | y, z:any (>= 1) [amd64] <!nocheck>\nProvides: both, mine (= 1)\nEssential: yes\n\nPackage: q\nProvides: both\n")))
	x.Add("b", apt(t, []byte("Package: p\nDescription: a\n Package: none\nProvides: both\n")))
	x.Close()
	require.Equal(t, []string{"p"}, x.Essential)
	require.True(t, x.Known("q"))
	require.False(t, x.Known("none"))
	require.Nil(t, x.Package("q", []string{"b"}))
	require.Equal(t, []string{"choice-p-a-0", "z"}, x.Package("p", []string{"c", "a"}).Depends)
	require.Equal(t, []string{"x", "y"}, x.Providers("choice-p-a-0", nil))
	require.Equal(t, []string{"p"}, x.Providers("mine", []string{"b"}))
	require.Equal(t, []string{"p", "q"}, x.Providers("both", []string{"a"}))
	require.Equal(t, []string{"p"}, x.Providers("both", []string{"b"}))
	require.Empty(t, x.Providers("both", nil))
}

// A package may be there in several versions; the last one counts.
func TestLastVersionCounts(t *testing.T) {
	x := index.New()
	x.Add("a", apt(t, []byte("Package: p\nDepends: a | b\n\nPackage: p\nDepends: c | d\nRecommends: e | f\n")))
	x.Close()
	require.Equal(t, []string{"choice-p-a-0"}, x.Package("p", []string{"a"}).Depends)
	require.Equal(t, []string{"choice-p-a-1"}, x.Package("p", []string{"a"}).Recommends)
	require.Equal(t, []string{"c", "d"}, x.Providers("choice-p-a-0", []string{"a"}))
}

const (
	primary = `<metadata xmlns:rpm="r"><package><name>app</name><format><rpm:requires><rpm:entry name="/bin/tool"/><rpm:entry name="lib()(64bit)"/></rpm:requires><rpm:provides><rpm:entry name="app"/></rpm:provides></format></package>` +
		`<package><name>tool</name><format/></package></metadata>`
	filelists = `<filelists><package name="tool"><file>/bin/tool</file><file>/bin/other</file></package><package name="gone"><file>/bin/tool</file></package></filelists>`
	comps     = `<comps><group><id>web</id><name>Web Server</name><packagelist><packagereq type="default">d</packagereq><packagereq>m</packagereq><packagereq type="optional">o</packagereq><packagereq type="conditional">c</packagereq></packagelist></group></comps>`
)

func TestYUM(t *testing.T) {
	paths := map[string]bool{}
	l, err := index.ParsePrimary(compressed(t, primary), paths)
	require.NoError(t, err)
	require.Equal(t, map[string]bool{"/bin/tool": true}, paths)
	require.NoError(t, l.AddFiles([]byte(filelists), paths))
	require.NoError(t, l.AddGroups([]byte(comps)))
	require.Equal(t, []index.Entry{
		{Name: "app", Depends: []index.Need{{"/bin/tool"}, {"lib()(64bit)"}}, Provides: []string{"app"}},
		{Name: "tool", Provides: []string{"/bin/tool"}},
	}, l.Entries)
	x := index.New()
	x.Add("a", l)
	x.Close()
	for kind, want := range map[string][]string{"": {"d", "m"}, "default": {"d", "m"}, "mandatory": {"m"}, "optional": {"d", "m", "o"}, "all": {"d", "m", "o"}, "odd": nil} {
		got, ok := x.Group("web", kind)
		require.True(t, ok)
		require.Equal(t, want, got, kind)
		require.Equal(t, kind != "odd", index.Kinds(kind))
	}
	byName, ok := x.Group("Web Server", "")
	require.True(t, ok)
	require.Equal(t, []string{"d", "m"}, byName)
	_, ok = x.Group("none", "")
	require.False(t, ok)
	parts, err := index.Parts([]byte(`<repomd><data type="primary"><location href="/p.xml"/><checksum type="SHA">00</checksum></data><data type="x"/></repomd>`))
	require.NoError(t, err)
	require.Equal(t, map[string]index.Part{"primary": {Href: "p.xml", Digest: index.Digest{Kind: "sha1", Sum: "00"}}}, parts)
}

func TestPac(t *testing.T) {
	desc := "%NAME%\nbash\n\n%VERSION%\n5\n\n%GROUPS%\nbase\nbase-devel\n\n%PROVIDES%\nsh=5\n\n%OPTDEPENDS%\nbash-completion: for tab completion\n"
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	l, err := index.ParsePac(w.EncodeAll(archive(t, "bash-5-1/desc", desc, "bash-5-1/depends", "%DEPENDS%\nglibc>=2.3\nreadline\n", "nameless/desc", "%VERSION%\n1\n", "bash-5-1/files", "%NAME%\nother\n"), nil))
	require.NoError(t, err)
	require.Equal(t, []index.Entry{{
		Name: "bash", Depends: []index.Need{{"glibc"}, {"readline"}}, Recommends: []index.Need{{"bash-completion"}}, Provides: []string{"sh"}, Groups: []string{"base", "base-devel"},
	}}, l.Entries)
	x := index.New()
	x.Add("x86_64", l)
	members, ok := x.Group("base", "mandatory")
	require.True(t, ok)
	require.Equal(t, []string{"bash"}, members)
}

func TestPkgNG(t *testing.T) {
	require.Equal(t, index.Meta{Archive: "packagesite", Manifests: "packagesite.yaml", Packing: "txz"}, index.ParseMeta(nil))
	require.Equal(t, index.Meta{Archive: "site", Manifests: "m.yaml", Packing: "tzst"}, index.ParseMeta([]byte("version = 2;\nmanifests_archive = \"site\";\nmanifests = \"m.yaml\";\npacking_format = \"tzst\";\nmanifests_archive = \"../x\";\n")))
	manifests := `{"name":"nginx","version":"1","deps":{"pcre2":{"origin":"devel/pcre2"},"openssl":{}},"provides":["httpd"]}` + "\n\n" + `{"name":"pcre2"}` + "\n"
	l, err := index.ParsePkgNG(compressed(t, string(archive(t, "packagesite.yaml.sig", "", "packagesite.yaml", manifests))), "packagesite.yaml")
	require.NoError(t, err)
	require.Equal(t, []index.Entry{{Name: "nginx", Depends: []index.Need{{"openssl"}, {"pcre2"}}, Provides: []string{"httpd"}}, {Name: "pcre2"}}, l.Entries)
	_, err = index.ParsePkgNG(archive(t, "a", "b"), "packagesite.yaml")
	require.ErrorContains(t, err, "the archive has no packagesite.yaml")
	_, err = index.ParsePkgNG(archive(t, "p", "{}\n{"), "p")
	require.ErrorContains(t, err, "line 2")
}

func TestRelease(t *testing.T) {
	text := "Date: today\nAcquire-By-Hash: yes\nValid-Until: Mon, 02 Jan 2006 15:04:05 UTC\nMD5Sum:\n 00 1 main/Packages\nSHA256:\n ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb 1 main/Packages\n"
	r, err := index.ParseRelease([]byte(text))
	require.NoError(t, err)
	require.True(t, r.ByHash)
	require.Equal(t, 2006, r.ValidUntil.Year())
	d := r.Files["main/Packages"]
	require.NoError(t, d.Check([]byte("a")))
	require.ErrorContains(t, d.Check([]byte("b")), "its sha256 sum is")
	require.ErrorContains(t, d.Check([]byte("ab")), "it has 2 bytes instead of 1")
	require.ErrorContains(t, index.Digest{Kind: "md5"}.Check(nil), `a sum of kind "md5" cannot be checked`)
	for kind, sum := range map[string]string{
		"sha1":   "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
		"sha384": "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
		"sha512": "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
	} {
		require.NoError(t, index.Digest{Kind: kind, Sum: sum}.Check(nil), kind)
	}
	for text, want := range map[string]string{"": "has no SHA256 sums", "SHA256:\n a x b": "is no size", "Valid-Until: never": "is no time"} {
		_, err := index.ParseRelease([]byte(text))
		require.ErrorContains(t, err, want)
	}
}

func TestBrokenFiles(t *testing.T) {
	for want, data := range map[string][]byte{
		"decompress": {0x1f, 0x8b, 0},
		"too long":   compressed(t, strings.Repeat("Package", 1<<20)),
	} {
		_, err := index.ParseAPT(data)
		require.ErrorContains(t, err, want)
	}
	_, err := index.ParsePrimary([]byte("<metadata><package>"), nil)
	require.ErrorContains(t, err, "read packages")
	require.ErrorContains(t, new(index.Listing).AddFiles([]byte("<filelists><package></x>"), nil), "read packages")
	_, err = index.Parts([]byte("<repomd"))
	require.ErrorContains(t, err, "read repomd.xml")
	_, err = index.Parts([]byte("<repomd/>"))
	require.ErrorContains(t, err, "names no primary")
	_, err = index.ParsePac([]byte(strings.Repeat("x", 1024)))
	require.ErrorContains(t, err, "read archive")
}

// A few bytes must not become many.
func TestBombs(t *testing.T) {
	zeros := make([]byte, 64<<20)
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	for name, data := range map[string][]byte{
		"gzip": compressed(t, string(zeros)),
		"zstd": w.EncodeAll(zeros, nil),
	} {
		r, err := index.Unpack(data)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, r)
		require.ErrorIs(t, err, index.ErrTooLarge, name)
	}
}
