// SPDX-License-Identifier: Apache-2.0

package eventlog

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/journal"
	"github.com/stretchr/testify/require"
)

// secret never shows itself.
type secret string

func (secret) LogValue() slog.Value { return slog.StringValue("‹secret›") }

// Every attribute is a field, and is in the message as well.
func TestFields(t *testing.T) {
	t.Parallel()
	var message string
	var level journal.Priority
	var fields map[string]string
	var broken error
	var text strings.Builder
	h := &handler{level: slog.LevelInfo, text: slog.NewTextHandler(&text, nil), send: func(m string, p journal.Priority, f map[string]string) error {
		message, level, fields = m, p, f
		return broken
	}}
	log := slog.New(h).With("run", 7).WithGroup("host")
	log.Error("not done", "entry", "Path:/etc/motd", "key", secret("s3cret"), slog.Group("why", "err-no", 2))
	require.Equal(t, "not done run=7 host.entry=Path:/etc/motd host.key=‹secret› host.why.err-no=2", message)
	require.Equal(t, journal.PriErr, level)
	require.Equal(t, map[string]string{
		"BINDERY_RUN": "7", "BINDERY_HOST_ENTRY": "Path:/etc/motd", "BINDERY_HOST_KEY": "‹secret›", "BINDERY_HOST_WHY_ERR_NO": "2",
	}, fields)
	require.Empty(t, text.String())

	message = ""
	log.Debug("too quiet")
	require.Empty(t, message)
	broken = errors.New("no journal")
	log.Warn("heard all the same")
	require.Contains(t, text.String(), "heard all the same")
}

// Where systemd has not started the program, it speaks plain text.
func TestText(t *testing.T) {
	t.Setenv("JOURNAL_STREAM", "")
	var text strings.Builder
	slog.New(New(&text, slog.LevelInfo)).Info("hello", "run", 7)
	require.Contains(t, text.String(), "msg=hello run=7")
}
