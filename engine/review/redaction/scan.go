// SPDX-License-Identifier: Apache-2.0

package redaction

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"regexp"
	"slices"
	"strings"
)

// form is how secrets of one kind look. What is hidden is the second group. A line that
// has none of the hints, in lower case, is not looked at: most lines have none.
type form struct {
	hints []string
	look  *regexp.Regexp
}

// forms are tokens of well-known services, hashes of passwords, and values beside a name
// or in a URL that say so.
var forms = []form{
	{
		[]string{"gh", "glpat-", "xox", "_live_", "akia", "asia", "hvs.", "npm_", "pypi-", "sg."},
		regexp.MustCompile(`()\b((?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|sk_live_|rk_live_|AKIA|ASIA|hvs\.|npm_|pypi-|SG\.)[A-Za-z0-9_.-]{12,})`),
	},
	{[]string{"eyj"}, regexp.MustCompile(`()\b(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})`)},
	{[]string{"$"}, regexp.MustCompile(`()(\$(?:1|2[abxy]|5|6|7|y|gy|argon2(?:id|i|d)|pbkdf2[a-z0-9-]*|apr1)\$[A-Za-z0-9./$+=,_-]{8,})`)},
	{
		[]string{"passw", "passphrase", "secret", "token", "api", "access", "private", "credential"},
		regexp.MustCompile(`(?i)((?:passwd|password|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)["']?\s*(?:[:=]|=>)\s*["']?)([^\s"'<>{}$%&;,/][^\s"'<>{}$%&;,]{7,})`),
	},
	// Short passwords are passwords too; of a name that goes on only what is known is taken.
	{[]string{"passw", "passphrase"}, regexp.MustCompile(`(?i)((?:passwd|password|passphrase)(?:[_-]?hash)?["']?\s*(?:[:=]|=>)\s*["']?)([^\s"'<>{}$%&;,/][^\s"'<>{}$%&;,]{3,})`)},
	{
		[]string{"secret", "encryption", "signing"},
		regexp.MustCompile(`(?i)((?:secret[_-]?key(?:[_-]?base)?|(?:encryption|signing)[_-]?key)["']?\s*(?:[:=]|=>)\s*["']?)([^\s"'<>{}$%&;,/][^\s"'<>{}$%&;,]{7,})`),
	},
	{[]string{"password>", "passwd>", "passphrase>", "secret>", "token>"}, regexp.MustCompile(`(?i)(<(?:[\w.-]{0,32})(?:password|passwd|passphrase|secret|token)>)([^\s<>{}$%&;,/][^\s<>{}$%&;,]{3,})`)},
	{[]string{"authorization"}, regexp.MustCompile(`(?i)(authorization["']?\s*[:=]\s*["']?(?:basic|bearer|token)\s+)([^\s"'<>{}$%;,]{4,})`)},
	{[]string{"login"}, regexp.MustCompile(`(?i)(\blogin\s+\S{1,64}\s+password\s+)(\S{4,})`)},
	{[]string{"://"}, regexp.MustCompile(`(://[^/\s:@]{1,64}:)([^/\s@]{3,})@`)},
}

// settings are what people write beside "password" that is none.
var settings = []string{"true", "false", "none", "null", "required", "optional", "disabled", "enabled", "prompt", "never", "always", "auto", "trust", "scram-sha-256"}

// publicKey is where such a word is what it may be.
var publicKey = regexp.MustCompile(`(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-\S+|sk-\S+@openssh\.com|age1|sha(?:1|256|384|512)[:=-]|integrity=)\s*["']?$`)

// Scanner replaces what looks like a secret by its fingerprint, in texts whose
// provenance says nothing.
type Scanner struct {
	// Key makes fingerprints.
	Key []byte
}

// Text looks at one line, and for words by their looks only where it changed.
func (s Scanner) Text(line string, changed bool) string {
	lower := strings.ToLower(line)
	for _, f := range forms {
		if slices.ContainsFunc(f.hints, func(h string) bool { return strings.Contains(lower, h) }) {
			line = s.replace(f.look, line)
		}
	}
	if !changed {
		return line
	}
	var b strings.Builder
	from := 0
	for start := 0; start < len(line); start++ {
		end := start
		for end < len(line) && wordly(line[end]) {
			end++
		}
		w := line[start:end]
		if len(w) >= minWord && random(w) && !publicKey.MatchString(line[max(0, start-maxBefore):start]) {
			b.WriteString(line[from:start])
			b.WriteString(s.mark(w))
			from = end
		}
		start = end
	}
	return b.String() + line[from:]
}

const (
	// minWord is how long a word must be to be a secret by its looks alone.
	minWord = 24
	// maxBefore is how far before a word it may be said what it is.
	maxBefore = 64
)

// wordly tells what secrets are written with.
func wordly(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("+/_=-", c) >= 0
}

func (s Scanner) replace(re *regexp.Regexp, line string) string {
	found := re.FindAllStringSubmatchIndex(line, -1)
	if found == nil {
		return line
	}
	var b strings.Builder
	from := 0
	for _, at := range found {
		value := line[at[4]:at[5]]
		if strings.Contains(value, "‹") || slices.Contains(settings, strings.ToLower(value)) { // it is hidden already, or hides nothing
			continue
		}
		b.WriteString(line[from:at[4]])
		b.WriteString(s.mark(value))
		from = at[5]
	}
	return b.String() + line[from:]
}

func (s Scanner) mark(value string) string {
	mac := hmac.New(sha256.New, s.Key)
	mac.Write([]byte("bindery review word\x00"))
	mac.Write([]byte(value))
	return "‹secret " + hex.EncodeToString(mac.Sum(nil)[:3]) + "›"
}

// minEntropy is in bits per character: words of languages and paths have less, random
// letters and digits have more.
const minEntropy = 4.1

// random tells whether a word looks drawn by chance: letters of both cases and digits,
// well mixed, and no path. Digests in hex are shown: they are what people compare.
func random(w string) bool {
	upper, lower, digits, slashes := 0, 0, 0, 0
	counts := [128]int{}
	for i := range len(w) {
		c := w[i]
		counts[c]++
		switch {
		case c >= 'A' && c <= 'Z':
			upper++
		case c >= 'a' && c <= 'z':
			lower++
		case c >= '0' && c <= '9':
			digits++
		case c == '/':
			slashes++
		}
	}
	if upper < 3 || lower < 3 || digits < 2 || slashes > len(w)/16 {
		return false
	}
	entropy := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(w))
			entropy -= p * math.Log2(p)
		}
	}
	return entropy >= minEntropy
}
