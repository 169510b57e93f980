// SPDX-License-Identifier: Apache-2.0

// Package eventlog is how programs say what they do: to systemd's journal with a field
// for each attribute where that started them, else as lines of text. It must not know
// what is said.
package eventlog

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"github.com/coreos/go-systemd/v22/journal"
)

// New gives the handler of a program whose standard error is w.
func New(w io.Writer, level slog.Leveler) slog.Handler {
	text := slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})
	// JOURNAL_STREAM says so of the real standard error, and a shell that was started
	// from a unit and redirects it is found out.
	if ours, err := journal.StderrIsJournalStream(); err != nil || !ours || !journal.Enabled() {
		return text
	}
	return &handler{send: journal.Send, text: text, level: level}
}

// prefix starts the names of all fields.
const prefix = "BINDERY_"

// handler sends records to the journal.
type handler struct {
	send  func(message string, p journal.Priority, fields map[string]string) error
	text  slog.Handler // where the journal does not take a record
	level slog.Leveler
	attrs []slog.Attr
	group string
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	next := *h
	next.text, next.group = h.text.WithGroup(name), h.group+name+"."
	return &next
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.text = h.text.WithAttrs(attrs)
	next.attrs = h.attrs[:len(h.attrs):len(h.attrs)]
	for _, a := range attrs {
		next.attrs = append(next.attrs, slog.Attr{Key: h.group + a.Key, Value: a.Value})
	}
	return &next
}

// Handle implements slog.Handler. The message has the attributes too, for those who
// read it.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	fields := map[string]string{}
	var words strings.Builder
	words.WriteString(r.Message)
	for _, a := range h.attrs {
		add(fields, &words, "", a)
	}
	r.Attrs(func(a slog.Attr) bool {
		add(fields, &words, h.group, a)
		return true
	})
	if h.send(words.String(), priority(r.Level), fields) == nil {
		return nil
	}
	return h.text.Handle(ctx, r)
}

func add(fields map[string]string, words *strings.Builder, group string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, part := range v.Group() {
			add(fields, words, group, part)
		}
		return
	}
	if a.Key == "" {
		return
	}
	fields[prefix+field(group+a.Key)] = v.String()
	words.WriteString(" " + group + a.Key + "=" + v.String())
}

// field makes a name that the journal takes: capitals, digits and underscores.
func field(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c - 'a' + 'A'
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			return c
		}
		return '_'
	}, name)
}

func priority(l slog.Level) journal.Priority {
	switch {
	case l >= slog.LevelError:
		return journal.PriErr
	case l >= slog.LevelWarn:
		return journal.PriWarning
	case l >= slog.LevelInfo:
		return journal.PriInfo
	}
	return journal.PriDebug
}
