// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/config"
)

// Whatever may be meant to be kept from others is secret.
func TestSecret(t *testing.T) {
	const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n"
	file := func(text string, attrs ...config.Attr) config.Entry {
		return config.Entry{Tag: "Path", Text: text, Attrs: append(attrs, config.Attr{Name: "type", Value: "file"})}
	}
	mode := func(m string) config.Attr { return config.Attr{Name: "mode", Value: m} }
	for name, c := range map[string]struct {
		entry config.Entry
		want  bool
	}{
		"public":                 {file("x", mode("0644")), false},
		"for a group":            {file("x", mode("0640")), false},
		"for others":             {file("x", mode("0604")), false},
		"no mode":                {file("x"), false},
		"owner alone":            {file("x", mode("0600")), true},
		"others may run it":      {file("x", mode("711")), true},
		"a mode with a blank":    {file("x", mode("0600 ")), true},
		"a mode in words":        {file("x", mode("u=rw")), true},
		"nothing in it":          {file("", mode("0600")), false},
		"sensitive":              {file("x", mode("0644"), config.Attr{Name: "sensitive", Value: "True"}), true},
		"from encrypted":         {config.Entry{Tag: "Path", Text: "x", Sensitive: true}, true},
		"a key":                  {file(key, mode("0644")), true},
		"a key in base64":        {file(base64.StdEncoding.EncodeToString([]byte(key)), mode("0644"), config.Attr{Name: "encoding", Value: "base64"}), true},
		"no base64":              {file("%%%", mode("0644"), config.Attr{Name: "encoding", Value: "base64"}), true},
		"a directory":            {config.Entry{Tag: "Path", Attrs: []config.Attr{{Name: "type", Value: "directory"}, mode("0700")}}, false},
		"an action":              {config.Entry{Tag: "Action", Attrs: []config.Attr{{Name: "command", Value: "true"}}}, false},
		"an action that says so": {config.Entry{Tag: "Action", Attrs: []config.Attr{{Name: "sensitive", Value: "true"}}}, true},
		"a user with a password": {config.Entry{Tag: "POSIXUser", Attrs: []config.Attr{{Name: "Password", Value: "x"}}}, true},
		"a user without":         {config.Entry{Tag: "POSIXUser", Attrs: []config.Attr{{Name: "password", Value: ""}}}, false},
	} {
		require.Equal(t, c.want, config.NewEntry(c.entry).Secret(), name)
	}
}
