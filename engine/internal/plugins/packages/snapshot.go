// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/bindery/bindery/engine/internal/file"
	"github.com/bindery/bindery/engine/internal/plugin"
	"github.com/bindery/bindery/engine/internal/plugins/packages/index"
	"github.com/bindery/bindery/engine/problem"
)

// SnapshotFile lists what was recorded of the sources: for each address the SHA-256
// sum of what was there. SnapshotDir holds the contents, by sum.
const (
	SnapshotFile = "Packages/snapshot.json"
	SnapshotDir  = "Packages/snapshot"
)

// Snapshot is the list.
type Snapshot struct {
	Files map[string]string `json:"files"`
}

const (
	maxSnapshot = 16 << 20
	maxRecorded = 256 << 20
)

var sum = regexp.MustCompile(`^[0-9a-f]{64}$`)

// recorded gives the reader of what was recorded, nil where nothing was.
func recorded(env plugin.Env) func(url string) ([]byte, error) {
	if _, err := fs.Stat(env.FS, SnapshotFile); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	data, p := file.Read(env.FS, SnapshotFile, maxSnapshot)
	if p != nil {
		env.Report(p)
		return nil
	}
	var list Snapshot
	if err := json.Unmarshal(data, &list); err != nil {
		env.Report(problem.New(problem.Pos{File: SnapshotFile}, "bad-snapshot", "it cannot be read: "+err.Error(), "record the sources again"))
		return nil
	}
	return func(url string) ([]byte, error) {
		want, ok := list.Files[url]
		if !ok {
			return nil, fmt.Errorf("%s is not recorded", url)
		}
		if !sum.MatchString(want) {
			return nil, fmt.Errorf("%s has no SHA-256 sum in %s", url, SnapshotFile)
		}
		data, p := file.Read(env.FS, SnapshotDir+"/"+want, maxRecorded)
		if p != nil {
			return nil, p
		}
		if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != want {
			return nil, fmt.Errorf("%s/%s is not what its name says", SnapshotDir, want)
		}
		return data, nil
	}
}

// load reads all that a source has, from where get gets it.
func (s *source) load(get func(url string) ([]byte, error)) (*index.Index, error) {
	x := index.New()
	var err error
	switch s.kind {
	case "deb":
		err = s.loadAPT(x, get)
	case "yum":
		err = s.loadYUM(x, get)
	}
	x.Close()
	return x, err
}

func (s *source) loadAPT(x *index.Index, get func(url string) ([]byte, error)) error {
	add := func(arch, url string) error {
		data, err := get(url)
		if err != nil {
			return err
		}
		if err := x.AddAPT(arch, data, s.essential); err != nil {
			return fmt.Errorf("%s: %w", url, err)
		}
		return nil
	}
	if s.rawURL != "" {
		if len(s.archs) == 0 {
			return nil
		}
		return add(s.archs[0].name, s.rawURL+"Packages.gz")
	}
	var errs []error
	for _, c := range s.components {
		for _, a := range s.archs {
			errs = append(errs, add(a.name, s.url+"dists/"+s.version+"/"+c+"/binary-"+a.name+"/Packages.gz"))
		}
	}
	return errors.Join(errs...)
}

func (s *source) loadYUM(x *index.Index, get func(url string) ([]byte, error)) error {
	var errs []error
	var files []repository
	for _, r := range s.repositories() {
		repomd, err := get(r.url + "repodata/repomd.xml")
		if err != nil {
			errs = append(errs, err)
			continue
		}
		primary, filelists, err := index.Parts(repomd)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.url, err))
			continue
		}
		data, err := get(r.url + strings.TrimPrefix(primary, "/"))
		if err == nil {
			err = x.AddPrimary(r.arch.name, data)
		}
		errs = append(errs, err)
		if filelists != "" {
			files = append(files, repository{r.arch, "", r.url + strings.TrimPrefix(filelists, "/")})
		}
	}
	for _, r := range files {
		data, err := get(r.url)
		if err == nil {
			err = x.AddFiles(r.arch.name, data)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Record gets all that the sources of a specification have, for what get does with
// it. What cannot be had is left out and in the error.
func (p *Packages) Record(get func(url string) ([]byte, error)) error {
	var errs []error
	for i := range p.sources {
		_, err := p.sources[i].load(get)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
