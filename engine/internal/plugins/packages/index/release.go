// SPDX-License-Identifier: Apache-2.0

package index

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // repositories of old systems say no other sum of their files
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Digest is a sum of a file, and its size where that is known.
type Digest struct {
	Kind, Sum string
	Size      int64
}

// Check tells what is wrong with a file that should have the sum.
func (d Digest) Check(data []byte) error {
	var got []byte
	switch d.Kind {
	case "sha256":
		s := sha256.Sum256(data)
		got = s[:]
	case "sha384":
		s := sha512.Sum384(data)
		got = s[:]
	case "sha512":
		s := sha512.Sum512(data)
		got = s[:]
	case "sha1":
		s := sha1.Sum(data) //nolint:gosec // see the import
		got = s[:]
	default:
		return fmt.Errorf("a sum of kind %q cannot be checked", d.Kind)
	}
	if d.Size > 0 && d.Size != int64(len(data)) {
		return fmt.Errorf("it has %d bytes instead of %d", len(data), d.Size)
	}
	if !strings.EqualFold(hex.EncodeToString(got), d.Sum) {
		return fmt.Errorf("its %s sum is %x instead of %s", d.Kind, got, d.Sum)
	}
	return nil
}

// Release is what the Release file of an APT repository says.
type Release struct {
	Date string
	// ValidUntil is when the Release expires, the zero time where it never does.
	ValidUntil time.Time
	// ByHash: files are also found by their sums.
	ByHash bool
	// Files are those of the repository, by name.
	Files map[string]Digest
}

// ParseRelease reads a Release file, without a signature around it.
func ParseRelease(text []byte) (*Release, error) {
	r := &Release{Files: map[string]Digest{}}
	in := lines(bytes.NewReader(text))
	field := ""
	for in.Scan() {
		line := in.Text()
		if strings.HasPrefix(line, " ") {
			if w := strings.Fields(line); field == "SHA256" && len(w) == 3 {
				size, err := strconv.ParseInt(w[1], 10, 64)
				if err != nil {
					return nil, fmt.Errorf("read Release: %q is no size", w[1])
				}
				r.Files[w[2]] = Digest{"sha256", w[0], size}
			}
			continue
		}
		value := ""
		field, value, _ = strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch field {
		case "Date":
			r.Date = value
		case "Acquire-By-Hash":
			r.ByHash = value == "yes"
		case "Valid-Until":
			t, err := time.Parse(time.RFC1123, value)
			if err != nil {
				return nil, fmt.Errorf("read Release: Valid-Until: %q is no time", value)
			}
			r.ValidUntil = t
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("read Release: %w", err)
	}
	if len(r.Files) == 0 {
		return nil, fmt.Errorf("read Release: it has no SHA256 sums")
	}
	return r, nil
}
