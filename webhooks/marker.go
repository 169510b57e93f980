// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	markerOpen  = "<!-- bindery-preview:v1"
	replyOpen   = "<!-- bindery-reply:v1"
	jobOpen     = "<!-- bindery-job:v1"
	markerClose = " -->"
)

// Marker is the hidden first line of our comment: whose it is, what it is about,
// and how new. Head, Base and Digest hold no blanks.
type Marker struct {
	// App is the id of the account that posts.
	App int64
	// Pull is the pull request's number.
	Pull int
	// Head and Base are the commits compared.
	Head, Base string
	// Seq grows with every build of this pull request: the newest wins.
	Seq int64
	// Digest names the result.
	Digest string
	// Reply says that it is our other comment, which answers commands. Its Seq is
	// the id of the comment that is answered.
	Reply bool
	// Job says that it is that of a CI job, which counts its Seq otherwise than a
	// controller. It is no Reply.
	Job bool
}

// kind is equal for markers of one comment.
func (m Marker) kind() [2]bool { return [2]bool{m.Reply, m.Job} }

// String gives the line, without a newline.
func (m Marker) String() string {
	if m.Reply {
		return fmt.Sprintf("%s app=%d pr=%d seq=%d%s", replyOpen, m.App, m.Pull, m.Seq, markerClose)
	}
	open := markerOpen
	if m.Job {
		open = jobOpen
	}
	return fmt.Sprintf("%s app=%d pr=%d head=%s base=%s seq=%d digest=%s%s",
		open, m.App, m.Pull, word(m.Head), word(m.Base), m.Seq, word(m.Digest), markerClose)
}

// word keeps a value inside its field and its field inside the HTML comment.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == ':', r == '.', r == '_', r == '…':
			return r
		}
		return -1
	}, s)
}

// ParseMarker reads the first line of a comment.
func ParseMarker(body string) (Marker, bool) {
	line, _, _ := strings.Cut(body, "\n")
	line = strings.TrimRight(line, "\r ")
	var m Marker
	open, fields, _ := strings.Cut(line, ":v1 ")
	switch open + ":v1" {
	case markerOpen:
	case replyOpen:
		m.Reply = true
	case jobOpen:
		m.Job = true
	default:
		return Marker{}, false
	}
	fields, ok := strings.CutSuffix(fields, markerClose)
	if !ok {
		return Marker{}, false
	}
	for field := range strings.FieldsSeq(fields) {
		key, value, _ := strings.Cut(field, "=")
		if !m.set(key, value) {
			return Marker{}, false
		}
	}
	return m, m.App != 0 && m.Pull != 0
}

func (m *Marker) set(key, value string) bool {
	var err error
	switch key {
	case "app":
		m.App, err = strconv.ParseInt(value, 10, 64)
	case "pr":
		m.Pull, err = strconv.Atoi(value)
	case "seq":
		m.Seq, err = strconv.ParseInt(value, 10, 64)
	case "head":
		m.Head = value
	case "base":
		m.Base = value
	case "digest":
		m.Digest = value
	}
	return err == nil
}
