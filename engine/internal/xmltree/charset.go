// SPDX-License-Identifier: Apache-2.0

package xmltree

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"

	"github.com/bindery/bindery/engine/problem"
)

var declared = regexp.MustCompile(`^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']`)

// decode gives the document as UTF-8, by its byte order mark or by the encoding
// that its declaration names.
func decode(file string, data []byte) (string, *problem.Problem) {
	var enc encoding.Encoding
	switch {
	case bytes.HasPrefix(data, []byte("\xEF\xBB\xBF")):
		return string(data[3:]), nil
	case bytes.HasPrefix(data, []byte("\xFE\xFF")), bytes.HasPrefix(data, []byte("\xFF\xFE")):
		enc = unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM)
	default:
		m := declared.FindSubmatch(data[:min(len(data), 256)])
		if m == nil {
			return string(data), nil
		}
		name := strings.ToLower(string(m[1]))
		if name == "utf-8" || name == "utf8" || name == "us-ascii" || name == "ascii" {
			return string(data), nil
		}
		var err error
		// HTML's index reads ISO-8859-1 as Windows-1252, which differs only in
		// control characters that no specification holds.
		if enc, err = htmlindex.Get(name); err != nil {
			return "", problem.New(problem.Pos{File: file, Line: 1, Column: 1}, codeSyntax,
				fmt.Sprintf("not well-formed: encoding %s is not known", m[1]), "save the file as UTF-8")
		}
	}
	text, err := enc.NewDecoder().Bytes(data)
	if err != nil {
		return "", problem.New(problem.Pos{File: file, Line: 1, Column: 1}, codeSyntax,
			"not well-formed: the bytes do not fit the declared encoding", "save the file as UTF-8")
	}
	return string(text), nil
}
