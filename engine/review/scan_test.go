// SPDX-License-Identifier: Apache-2.0

package review_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/redaction"
)

// shown is what a review shows of a line that is new.
func shown(t *testing.T, line string) string {
	t.Helper()
	r := report(t, review.Input{Hosts: []review.Host{host("a", side(bundle("b", file("/f", "x\n"))), side(bundle("b", file("/f", "x\n"+line+"\n"))))}})
	lines := r.Changes[0].Variants[0].Hunks[0].Lines
	return lines[len(lines)-1].Text
}

// Where nobody says that something is a secret, its looks do.
func TestWhatLooksLikeASecret(t *testing.T) {
	for line, hidden := range map[string]string{
		"token ghp_16C7e42F292c6912E7710c838347Ae178B4a":              "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
		"aws AKIAIOSFODNN7EXAMPLE":                                    "AKIAIOSFODNN7EXAMPLE",
		"root:$6$saltsalt$Xq1Ct9PzJk8H2jYb7nQe:19000:0:99999:7:::":    "$6$saltsalt$Xq1Ct9PzJk8H2jYb7nQe",
		"admin:$2b$12$KIXQ4hWb1uE9xO0c8yVdOe":                         "$2b$12$KIXQ4hWb1uE9xO0c8yVdOe",
		"Authorization: Bearer eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMe": "eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMe",
		"password = correct-horse":                                    "correct-horse",
		`  "api_key": "0123456789"`:                                   "0123456789",
		"password: hunt":                                              "hunt",
		"password_hash = abcdefgh":                                    "abcdefgh",
		"SECRET_KEY = 'django-insecure-x'":                            "django-insecure-x",
		"secret_key_base: 0123abcd0123":                               "0123abcd0123",
		"signing-key=not-so-random":                                   "not-so-random",
		"<db.password>hunter2</db.password>":                          "hunter2",
		"Authorization: Basic YWxhZGRpbjpv":                           "YWxhZGRpbjpv",
		"machine forge login ann password hunter2":                    "hunter2",
		"DB_PASSWORD=hunter2hunter2":                                  "hunter2hunter2",
		"url = postgres://app:s3cr3t@db/app":                          "s3cr3t",
		"seed: Zm9vYmFyQmF6UXV4MTIzNDU2Nzg5MEFCQ0RFRg==":              "Zm9vYmFyQmF6UXV4MTIzNDU2Nzg5MEFCQ0RFRg==",
	} {
		got := shown(t, line)
		require.NotContains(t, got, hidden, line)
		require.Contains(t, got, "‹secret ", line)
		require.Equal(t, len(strings.Fields(line)) > 0, strings.HasPrefix(got, line[:4]), "the rest is shown: %s", got)
	}
	for _, line := range []string{
		"PasswordAuthentication no", "password_file = /etc/app/password", "server ntp1.dc1.example iburst",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJd7mE0vQ2Zr9nB1xYk4T6uH8sLq3wPz5cV7aFgRtOhN me@host",
		"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0bb822cd15d6c15b0f00a08", "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
		"/usr/share/Java/Runtime2/Lib64/Modules11/Server", "KexAlgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256",
		"token_lifetime: 3600", "token: /run/app/token", "password = ${secret}", "https://example.org/path:with@sign",
		"password: required", "password_encryption = scram-sha-256", "host all all all password", "<password>${db.password}</password>", "secret_key_file = x.pem",
		"Authorization: none", "password = None",
	} {
		require.Equal(t, line, shown(t, line))
	}
}

// An attribute can be a secret by its name, and a value that changed is still seen to
// have changed.
func TestAttributesThatLookLikeSecrets(t *testing.T) {
	user := func(hash string) *review.Side {
		return side(bundle("b", entry("Action", "login", "command", "curl -d password="+hash+" http://x")))
	}
	r := report(t, review.Input{Hosts: []review.Host{host("a", user("hunter2hunter2"), user("hunter3hunter3"))}})
	v := r.Changes[0].Variants[0]
	require.Regexp(t, `^curl -d password=‹secret [0-9a-f]{6}› http://x$`, *v.Attrs[0].Old)
	require.NotEqual(t, *v.Attrs[0].Old, *v.Attrs[0].New)
	require.Contains(t, v.Notes, "what looks like a secret is shown as a fingerprint")
	data, err := r.JSON()
	require.NoError(t, err)
	require.NotContains(t, string(data), "hunter")
}

func TestFingerprintsAreNumbered(t *testing.T) {
	const a, b = "‹secret 0a1b2c›", "‹secret ffffff›"
	require.Equal(t, "-‹secret 1›\n+‹secret 2› ‹secret 1›\n‹secret› x\n", redaction.Numbered("-"+a+"\n+"+b+" "+a+"\n‹secret› x\n"))
	require.Equal(t, redaction.Numbered(a+b), redaction.Numbered(b+a))
	require.NotEqual(t, redaction.Numbered(a+b), redaction.Numbered(a+a))
}
