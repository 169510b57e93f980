// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/bindery/bindery/cmd/bindery/internal/keyring"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/internal/transport"
)

// recorder fetches indexes of package sources and keeps what counts of them.
type recorder struct {
	client *http.Client
	// dir is where contents are kept.
	dir string
	// trusted are the keys of the command line.
	trusted *keyring.Ring
	keys    map[string]*keyring.Ring
	// signed: what has no checked signature is refused.
	signed bool
	now    func() time.Time
	// old is what was recorded before, list what is now.
	old, list engine.PackageSnapshot
	unsigned  []string
}

var _ engine.PackageRecorder = (*recorder)(nil)

// Get fetches a file of a package source.
func (r *recorder) Get(ctx context.Context, address string) ([]byte, error) {
	data, err := fetchIndex(ctx, r.client, address)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", transport.RedactURL(address), transport.Redact(err))
	}
	return data, nil
}

// Verify checks a signature with the keys of the source and those of the command
// line.
func (r *recorder) Verify(ctx context.Context, keys []string, text, signature []byte) (signed []byte, by string, err error) {
	var own []*keyring.Ring
	for _, address := range keys {
		ring, err := r.key(ctx, address)
		if err != nil {
			return nil, "", err
		}
		own = append(own, ring)
	}
	ring := r.trusted.With(own...)
	if ring.Empty() {
		if signature == nil {
			text = keyring.Text(text)
		}
		return text, "", nil
	}
	signed, by, err = ring.Verify(text, signature)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", err, engine.ErrUntrustedPackages)
	}
	return signed, by, nil
}

// key fetches a key, once.
func (r *recorder) key(ctx context.Context, address string) (*keyring.Ring, error) {
	if ring := r.keys[address]; ring != nil {
		return ring, nil
	}
	data, err := r.Get(ctx, address)
	if err != nil {
		// A source without its key must not look as one without Release.
		return nil, fmt.Errorf("its GPGKey: %s", err.Error())
	}
	ring := keyring.New(r.now)
	if err := ring.Add(data); err != nil {
		return nil, fmt.Errorf("its GPGKey %s: %w", transport.RedactURL(address), err)
	}
	r.keys[address] = ring
	return ring, nil
}

// Expires refuses an index that may no longer be used.
func (r *recorder) Expires(until time.Time) error {
	if r.now().After(until) {
		return fmt.Errorf("it was valid until %s: %w", until.UTC().Format(time.RFC3339), engine.ErrUntrustedPackages)
	}
	return nil
}

// Keep writes a content, unless it is trusted less than it must be.
func (r *recorder) Keep(address string, content []byte, of engine.RecordedPackages) error {
	if of.SignedBy == "" {
		switch {
		case of.MustBeSigned:
			return fmt.Errorf("it has no signature for the source's GPGKey: %w", engine.ErrUntrustedPackages)
		case r.signed:
			return fmt.Errorf("no signature of it was checked, as --require-signatures wants: %w", engine.ErrUntrustedPackages)
		}
		if was := r.old.Indexes[address].SignedBy; was != "" {
			return fmt.Errorf("it was signed by %s before, and is not now: %w", was, engine.ErrUntrustedPackages)
		}
		r.unsigned = append(r.unsigned, address)
	}
	if err := replaceFile(filepath.Join(r.dir, of.Content), content); err != nil {
		return err
	}
	of.From = transport.RedactURL(of.From)
	r.list.Indexes[address] = of
	return nil
}

// stay lets everything that was not recorded now be as it was, if it is an index of
// a source still.
func (r *recorder) stay(failed bool) {
	if !failed {
		return
	}
	for address, was := range r.old.Indexes {
		if _, ok := r.list.Indexes[address]; !ok {
			r.list.Indexes[address] = was
		}
	}
}

// warn says which sources nobody vouches for.
func (r *recorder) warn(w io.Writer) {
	slices.Sort(r.unsigned)
	for _, address := range r.unsigned {
		fmt.Fprintf(w, "bindery: warning: %s is unsigned: no signature of it was checked (add the source's GPGKey, or give --keyring)\n", transport.RedactURL(address))
	}
}

// fetchIndex gets a file of a package source, by network or from this machine.
func fetchIndex(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "file":
		return readIndex(u)
	case "http", "https":
	default:
		return nil, fmt.Errorf("%q is no kind of address that can be fetched", u.Scheme)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	// An index that is packed stays so: what is fetched is what sums are of.
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return nil, fmt.Errorf("the answer is %s: %w", resp.Status, fs.ErrNotExist)
	default:
		return nil, fmt.Errorf("the answer is %s", resp.Status)
	}
	return io.ReadAll(resp.Body)
}

// readIndex reads a regular file of this machine.
func readIndex(u *url.URL) ([]byte, error) {
	if u.Host != "" && u.Host != "localhost" {
		return nil, fmt.Errorf("a file on %s cannot be read from here", u.Host)
	}
	st, err := os.Stat(u.Path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxIndex {
		return nil, fmt.Errorf("%s is no file of at most %d bytes", u.Path, maxIndex)
	}
	return os.ReadFile(u.Path)
}

// readKeyrings reads the keys of the command line.
func readKeyrings(files []string, now func() time.Time) (*keyring.Ring, error) {
	ring := keyring.New(now)
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err == nil {
			err = ring.Add(data)
		}
		if err != nil {
			return nil, fmt.Errorf("--keyring %s: %w", name, err)
		}
	}
	return ring, nil
}
