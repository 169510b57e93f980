// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine"
)

// shelf is a recorder whose files are in memory. Its signatures are the words
// "signed by" and who did.
type shelf struct {
	files   map[string]string
	asked   []string
	expires []time.Time
	kept    map[string]engine.RecordedPackages
	content map[string][]byte
}

func (s *shelf) Get(_ context.Context, address string) ([]byte, error) {
	s.asked = append(s.asked, address)
	data, ok := s.files[address]
	if !ok {
		return nil, fmt.Errorf("%s: %w", address, fs.ErrNotExist)
	}
	if data == "down" {
		return nil, errors.New(address + " is down")
	}
	return []byte(data), nil
}

func (s *shelf) Verify(_ context.Context, keys []string, text, signature []byte) (signed []byte, by string, err error) {
	if signature == nil {
		var found bool
		text, signature, found = bytes.Cut(text, []byte("signed by "))
		if !found {
			signature = nil
		}
	}
	by = strings.TrimPrefix(string(signature), "signed by ")
	if len(keys) > 0 && keys[0] != by {
		return nil, "", fmt.Errorf("signed by %q: %w", by, engine.ErrUntrustedPackages)
	}
	if len(keys) == 0 {
		by = ""
	}
	return text, by, nil
}

func (s *shelf) Expires(until time.Time) error {
	s.expires = append(s.expires, until)
	if until.Year() < 2000 {
		return errors.New("it has expired")
	}
	return nil
}

func (s *shelf) Keep(address string, content []byte, r engine.RecordedPackages) error {
	s.kept[address], s.content[engine.PackageSnapshotDir+"/"+r.Content] = r, content
	return nil
}

func archived(t *testing.T, name, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(text))}))
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func sum(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// record records sources from files.
func record(t *testing.T, sources string, files map[string]string) (*shelf, error) {
	t.Helper()
	spec := open(t, tree(map[string]string{"Packages/sources.xml": "<Sources>" + sources + "</Sources>"}), engine.Options{})
	s := &shelf{files: files, kept: map[string]engine.RecordedPackages{}, content: map[string][]byte{}}
	return s, spec.RecordPackages(t.Context(), s)
}

const (
	aptSource = `<Source type="apt" url="http://deb" version="s"><Component>main</Component><Arch>amd64</Arch>%s</Source>`
	aptIndex  = "Package: app\nDepends: lib\n"
	aptPlace  = "http://deb/dists/s/main/binary-amd64/Packages"
)

func release(fields string, files ...string) string {
	b := fields + "SHA256:\n"
	for i := 0; i < len(files); i += 2 {
		b += fmt.Sprintf(" %s %d %s\n", sum(files[i+1]), len(files[i+1]), files[i])
	}
	return b
}

func TestRecordAPT(t *testing.T) {
	listed := release("Date: now\nAcquire-By-Hash: yes\nValid-Until: Mon, 02 Jan 2034 15:04:05 UTC\n", "main/binary-amd64/Packages", aptIndex, "main/binary-amd64/Packages.xz", aptIndex)
	key := fmt.Sprintf(aptSource, "<GPGKey>k</GPGKey>")
	for name, c := range map[string]struct {
		source string
		files  map[string]string
		want   engine.RecordedPackages
	}{
		"nobody vouches": {fmt.Sprintf(aptSource, ""), map[string]string{aptPlace + ".xz": aptIndex}, engine.RecordedPackages{From: aptPlace + ".xz"}},
		"a sum": {
			fmt.Sprintf(aptSource, ""),
			map[string]string{"http://deb/dists/s/Release": release("", "main/binary-amd64/Packages.gz", aptIndex), aptPlace + ".gz": aptIndex},
			engine.RecordedPackages{From: aptPlace + ".gz", CheckedBy: "Release, sha256"},
		},
		"signed inside": {
			key,
			map[string]string{"http://deb/dists/s/InRelease": listed + "signed by k", "http://deb/dists/s/main/binary-amd64/by-hash/SHA256/" + sum(aptIndex): aptIndex},
			engine.RecordedPackages{From: "http://deb/dists/s/main/binary-amd64/by-hash/SHA256/" + sum(aptIndex), CheckedBy: "InRelease, sha256", SignedBy: "k", Date: "now", MustBeSigned: true},
		},
		"signed beside": {
			key,
			map[string]string{"http://deb/dists/s/Release": listed, "http://deb/dists/s/Release.gpg": "signed by k", aptPlace: aptIndex},
			engine.RecordedPackages{From: aptPlace, CheckedBy: "Release, sha256", SignedBy: "k", Date: "now", MustBeSigned: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := record(t, c.source+c.source, c.files)
			require.NoError(t, err)
			got := s.kept[aptPlace]
			c.want.Content, c.want.SHA256 = got.Content, sum(aptIndex)
			require.Equal(t, map[string]engine.RecordedPackages{aptPlace: c.want}, s.kept)
			require.Len(t, s.content, 1)
		})
	}
}

func TestRecordRefuses(t *testing.T) {
	key := fmt.Sprintf(aptSource, "<GPGKey>k</GPGKey>")
	ok := release("", "main/binary-amd64/Packages.gz", aptIndex)
	for want, c := range map[string]struct {
		files     map[string]string
		untrusted bool
	}{
		"instead of":                    {map[string]string{"http://deb/dists/s/Release": ok, "http://deb/dists/s/Release.gpg": "signed by k", aptPlace + ".gz": aptIndex + "Package: evil\n"}, true},
		`signed by "m"`:                 {map[string]string{"http://deb/dists/s/InRelease": ok + "signed by m", aptPlace + ".gz": aptIndex}, true},
		"is down":                       {map[string]string{"http://deb/dists/s/InRelease": "down", "http://deb/dists/s/Release": ok, aptPlace + ".gz": aptIndex}, false},
		"Release.gpg is down":           {map[string]string{"http://deb/dists/s/Release": ok, "http://deb/dists/s/Release.gpg": "down", aptPlace + ".gz": aptIndex}, false},
		"lists no such index":           {map[string]string{"http://deb/dists/s/InRelease": release("", "other", "") + "signed by k", aptPlace + ".gz": aptIndex}, false},
		"it has expired":                {map[string]string{"http://deb/dists/s/InRelease": release("Valid-Until: Mon, 02 Jan 1995 15:04:05 UTC\n", "x", "") + "signed by k"}, false},
		"Packages: file does not exist": {nil, false},
	} {
		s, err := record(t, key, c.files)
		require.ErrorContains(t, err, want)
		require.Equal(t, c.untrusted, errors.Is(err, engine.ErrUntrustedPackages), want)
		require.Empty(t, s.kept)
	}
}

func TestRecordOthers(t *testing.T) {
	primary := `<metadata><package><name>app</name><format><requires><entry name="/bin/x"/></requires></format></package></metadata>`
	filelists := `<filelists><package name="tool"><file>/bin/x</file></package></filelists>`
	tools := `<metadata><package><name>tool</name></package></metadata>`
	comps := `<comps><group><id>g</id><packagelist><packagereq>app</packagereq></packagelist></group></comps>`
	part := func(kind, text string) string {
		return fmt.Sprintf(`<data type="%s"><location href="%s.xml"/><checksum type="sha256">%s</checksum></data>`, kind, kind, sum(text))
	}
	files := map[string]string{
		"http://rpm/os/repodata/repomd.xml":     "<repomd>" + part("primary", primary) + part("group", comps) + "</repomd>",
		"http://rpm/os/repodata/repomd.xml.asc": "signed by k",
		"http://rpm/os/primary.xml":             primary, "http://rpm/os/group.xml": comps,
		// A file that a package of another repository of the source needs.
		"http://rpm/more/repodata/repomd.xml":             "<repomd>" + part("primary", tools) + part("filelists", filelists) + "</repomd>",
		"http://rpm/more/primary.xml":                     tools,
		"http://rpm/more/filelists.xml":                   filelists,
		"http://arch/core/os/x/core.db.tar.gz":            archived(t, "bash-1/desc", "%NAME%\nbash\n"),
		"http://bsd/FreeBSD:14:x/latest/meta.conf":        "packing_format = \"tzst\";\nmanifests = \"m\";",
		"http://bsd/FreeBSD:14:x/latest/packagesite.tzst": archived(t, "m", `{"name":"nginx"}`),
	}
	sources := `<Source type="yum" rawurl="http://rpm/os"><Arch>x</Arch><GPGKey>k</GPGKey></Source><Source type="yum" rawurl="http://rpm/more"><Arch>x</Arch></Source>` +
		`<Source type="pac" url="http://arch" version="1"><Component>core</Component><Arch>x</Arch></Source><Source type="pkgng" url="http://bsd" version="14"><Component>latest</Component><Arch>x</Arch></Source>`
	s, err := record(t, sources, files)
	require.NoError(t, err)
	for address, want := range map[string]engine.RecordedPackages{
		"http://rpm/os/repodata/repomd.xml":          {From: "http://rpm/os/primary.xml", SHA256: sum(primary), CheckedBy: "repomd.xml, sha256", SignedBy: "k"},
		"http://rpm/more/repodata/repomd.xml":        {From: "http://rpm/more/primary.xml", SHA256: sum(tools), CheckedBy: "repomd.xml, sha256"},
		"http://arch/core/os/x/core.db":              {From: "http://arch/core/os/x/core.db.tar.gz", SHA256: sum(files["http://arch/core/os/x/core.db.tar.gz"])},
		"http://bsd/FreeBSD:14:x/latest/packagesite": {From: "http://bsd/FreeBSD:14:x/latest/packagesite.tzst", SHA256: sum(files["http://bsd/FreeBSD:14:x/latest/packagesite.tzst"])},
	} {
		want.Content = s.kept[address].Content
		require.Equal(t, want, s.kept[address], address)
	}
	require.Len(t, s.kept, 4)
	again, err := record(t, sources, files)
	require.NoError(t, err)
	require.Equal(t, s.content, again.content)

	for want, change := range map[string]map[string]string{
		"as repomd.xml says":        {"http://rpm/os/primary.xml": tools},
		"group.xml: ":               {"http://rpm/os/group.xml": primary},
		"repomd.xml has no sum":     {"http://rpm/os/repodata/repomd.xml": `<repomd><data type="primary"><location href="primary.xml"/></data></repomd>`},
		`signed by "m"`:             {"http://rpm/os/repodata/repomd.xml.asc": "signed by m"},
		"core.db.tar.gz: read arch": {"http://arch/core/os/x/core.db.tar.gz": strings.Repeat("x", 600)},
		"meta.conf is down":         {"http://bsd/FreeBSD:14:x/latest/meta.conf": "down"},
	} {
		changed := maps.Clone(files)
		maps.Copy(changed, change)
		s, err := record(t, sources, changed)
		require.ErrorContains(t, err, want)
		require.Len(t, s.kept, 3, "the others are kept")
	}
}
