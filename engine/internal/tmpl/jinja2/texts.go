// SPDX-License-Identifier: Apache-2.0

package jinja2

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.starlark.net/starlark"

	"github.com/bindery/bindery/engine/internal/py"
)

var words = regexp.MustCompile(`[\pL\pN_]+`)

func capitalize(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return ""
	}
	return string(unicode.ToTitle(r)) + strings.ToLower(s[n:])
}

var wordStart = regexp.MustCompile(`[-\s({\[<]+|[^-\s({\[<]+`)

func title(s string) string {
	return wordStart.ReplaceAllStringFunc(s, func(w string) string {
		r, n := utf8.DecodeRuneInString(w)
		return strings.ToUpper(string(r)) + strings.ToLower(w[n:])
	})
}

// striptags takes comments and tags away and makes runs of blanks one.
func striptags(s string) string {
	for _, marks := range [][2]string{{"<!--", "-->"}, {"<", ">"}} {
		var b strings.Builder
		for {
			start := strings.Index(s, marks[0])
			if start < 0 {
				break
			}
			end := strings.Index(s[start:], marks[1])
			if end < 0 {
				break
			}
			b.WriteString(s[:start])
			s = s[start+end+len(marks[1]):]
		}
		s = b.String() + s
	}
	return html.UnescapeString(strings.Join(strings.Fields(s), " "))
}

// pythonMethod calls a method of a text.
func (r *renderer) pythonMethod(v py.Value, n string, args ...py.Value) (py.Value, error) {
	s, err := r.str(v)
	if err != nil {
		return nil, err
	}
	fn, err := r.th.Attr(starlark.String(s), n)
	if err != nil {
		return nil, err
	}
	out, err := r.th.Call(fn, args, nil)
	if text, ok := out.(starlark.String); ok && isMarkup(v) {
		return newMarkup(string(text)), err
	}
	return out, err
}

func filterTrim(r *renderer, v py.Value, args called) (py.Value, error) {
	var chars py.Value = starlark.None
	if err := unpack("trim", args.plain, args.named, "chars?", &chars); err != nil {
		return nil, err
	}
	return r.pythonMethod(v, "strip", chars)
}

func filterCenter(r *renderer, v py.Value, args called) (py.Value, error) {
	var width py.Value = starlark.MakeInt(80)
	if err := unpack("center", args.plain, args.named, "width?", &width); err != nil {
		return nil, err
	}
	return r.pythonMethod(v, "center", width)
}

func filterReplace(r *renderer, v py.Value, args called) (py.Value, error) {
	var old, with, count py.Value = nil, nil, starlark.None
	if err := unpack("replace", args.plain, args.named, "old", &old, "new", &with, "count?", &count); err != nil {
		return nil, err
	}
	texts := []py.Value{}
	for _, x := range []py.Value{old, with} {
		s, err := r.str(x)
		if err != nil {
			return nil, err
		}
		texts = append(texts, starlark.String(s))
	}
	if count != starlark.None {
		texts = append(texts, count)
	}
	return r.pythonMethod(v, "replace", texts...)
}

func filterFormat(r *renderer, v py.Value, args called) (py.Value, error) {
	if len(args.plain) > 0 && len(args.named) > 0 {
		return nil, py.Fail("FilterArgumentError", "can't handle positional and keyword arguments at the same time")
	}
	s, err := r.str(v)
	if err != nil {
		return nil, err
	}
	var with py.Value = args.plain
	if len(args.named) > 0 {
		d := starlark.NewDict(len(args.named))
		for _, k := range args.named {
			if err := d.SetKey(k[0], k[1]); err != nil {
				return nil, err
			}
		}
		with = d
	}
	if args.plain == nil && len(args.named) == 0 {
		with = starlark.Tuple{}
	}
	return r.th.Binary("%", starlark.String(s), with)
}

// lines are those of a text, as Python splits them.
func (r *renderer) lines(s string) ([]string, error) {
	v, err := r.pythonMethod(starlark.String(s), "splitlines")
	if err != nil {
		return nil, err
	}
	items, err := r.th.List(v)
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = string(item.(starlark.String))
	}
	return out, err
}

func filterIndent(r *renderer, v py.Value, args called) (py.Value, error) {
	var width, first, blank py.Value = starlark.MakeInt(4), starlark.False, starlark.False
	if err := unpack("indent", args.plain, args.named, "width?", &width, "first?", &first, "blank?", &blank); err != nil {
		return nil, err
	}
	pad := ""
	if s, ok := width.(starlark.String); ok {
		pad = string(s)
	} else {
		n, err := whole("width", width)
		if err != nil {
			return nil, err
		}
		if err := r.th.Grow(max(n, 0)); err != nil {
			return nil, err
		}
		pad = strings.Repeat(" ", max(n, 0))
	}
	s, err := r.str(v)
	if err != nil {
		return nil, err
	}
	lines, err := r.lines(s + "\n")
	if err != nil {
		return nil, err
	}
	if err := r.th.Grow(len(lines) * len(pad)); err != nil {
		return nil, err
	}
	for i, l := range lines {
		if i == 0 && bool(first.Truth()) || i > 0 && (l != "" || bool(blank.Truth())) {
			lines[i] = pad + l
		}
	}
	return r.changed(v, func(string) string { return strings.Join(lines, "\n") })
}

func filterTruncate(r *renderer, v py.Value, args called) (py.Value, error) {
	var length, kill, leeway py.Value = starlark.MakeInt(255), starlark.False, starlark.MakeInt(5)
	end := "..."
	if err := unpack("truncate", args.plain, args.named, "length?", &length, "killwords?", &kill, "end?", &end, "leeway?", &leeway); err != nil {
		return nil, err
	}
	n, err := whole("length", length)
	if err != nil {
		return nil, err
	}
	more := 5
	if leeway != starlark.None {
		if more, err = whole("leeway", leeway); err != nil {
			return nil, err
		}
	}
	s, err := r.str(v)
	if err != nil {
		return nil, err
	}
	behind := utf8.RuneCountInString(end)
	if n < behind || more < 0 {
		return nil, py.Fail("AssertionError", "expected length >= %d, got %d", behind, n)
	}
	runes := []rune(s)
	if len(runes) <= n+more {
		return v, nil
	}
	cut := string(runes[:n-behind])
	if !bool(kill.Truth()) {
		if i := strings.LastIndexByte(cut, ' '); i >= 0 {
			cut = cut[:i]
		}
	}
	return r.changed(v, func(string) string { return cut + end })
}

func filterSize(r *renderer, v py.Value, args called) (py.Value, error) {
	var binary py.Value = starlark.False
	if err := unpack("filesizeformat", args.plain, args.named, "binary?", &binary); err != nil {
		return nil, err
	}
	x, err := r.th.Call(r.th.Builtin("float"), starlark.Tuple{v}, nil)
	if err != nil {
		return nil, err
	}
	size, base, middle := float64(x.(starlark.Float)), 1000.0, ""
	prefixes := "kMGTPEZY"
	if bool(binary.Truth()) {
		base, middle, prefixes = 1024, "i", "KMGTPEZY"
	}
	switch {
	case size == 1:
		return starlark.String("1 Byte"), nil
	case size < base:
		return starlark.String(fmt.Sprintf("%d Bytes", int64(size))), nil
	}
	unit, i := base*base, 0
	for ; i < len(prefixes)-1 && size >= unit; i++ {
		unit *= base
	}
	return starlark.String(fmt.Sprintf("%.1f %c%sB", base*size/unit, prefixes[i], middle)), nil
}

var badAttr = regexp.MustCompile(`[\s/>=]`)

func filterXMLAttr(r *renderer, v py.Value, args called) (py.Value, error) {
	var space py.Value = starlark.True
	if err := unpack("xmlattr", args.plain, args.named, "autospace?", &space); err != nil {
		return nil, err
	}
	pairs, err := filterItems(r, v, called{})
	if err != nil {
		return nil, err
	}
	var out []string
	err = r.th.Each(pairs, func(item py.Value) (bool, error) {
		pair := item.(starlark.Tuple)
		if pair[1] == starlark.None || isUndefined(pair[1]) {
			return true, nil
		}
		key, err := r.str(pair[0])
		if err != nil {
			return false, err
		}
		if badAttr.MatchString(key) {
			return false, py.Fail("ValueError", "Invalid character in attribute name: '%s'", key)
		}
		value, err := r.str(pair[1])
		if !isMarkup(pair[1]) {
			value = escape(value)
		}
		out = append(out, escape(key)+`="`+value+`"`)
		return true, err
	})
	text := strings.Join(out, " ")
	if text != "" && bool(space.Truth()) {
		text = " " + text
	}
	return r.value(text), err
}

// quoteURL escapes what has a meaning in an address; a slash stays but in a query.
func quoteURL(s string, query bool) string {
	out := strings.ReplaceAll(url.QueryEscape(s), "%7E", "~")
	if query {
		return out
	}
	return strings.NewReplacer("+", "%20", "%2F", "/").Replace(out)
}

func filterURL(r *renderer, v py.Value, _ called) (py.Value, error) {
	iterable, err := isIterable(r, v, called{})
	if err != nil {
		return nil, err
	}
	if isString(v) || !iterable {
		s, err := r.str(v)
		return starlark.String(quoteURL(s, false)), err
	}
	pairs := v
	if isMapping(v) {
		if pairs, err = filterItems(r, v, called{}); err != nil {
			return nil, err
		}
	}
	var out []string
	err = r.th.Each(pairs, func(item py.Value) (bool, error) {
		pair, err := r.th.List(item)
		if err != nil {
			return false, err
		}
		if len(pair) != 2 {
			return false, py.Fail("ValueError", "urlencode needs pairs")
		}
		k, err := r.str(pair[0])
		if err != nil {
			return false, err
		}
		value, err := r.str(pair[1])
		out = append(out, quoteURL(k, true)+"="+quoteURL(value, true))
		return true, err
	})
	return starlark.String(strings.Join(out, "&")), err
}

var (
	blanks  = regexp.MustCompile(`\s+`)
	webPage = regexp.MustCompile(`(?i)^(?:(?:https?://|www\.)(?:[\w%-]+\.)*[\w%-]+(?:\.[a-z]{2,63}|:\d{1,5})?|(?:[\w%-]{2,63}\.)+(?:com|net|int|edu|gov|org|info|mil))(?::\d{1,5})?(?:[/?#]\S*)?$`)
	address = regexp.MustCompile(`^\S+@\w[\w.-]*\.\w+$`)
	headOf  = regexp.MustCompile(`^(?:[(<]|&lt;)+`)
	tailOf  = regexp.MustCompile(`(?:[)>.,\n]|&gt;)+$`)
)

// filterUrlize makes links of addresses.
func filterUrlize(r *renderer, v py.Value, args called) (py.Value, error) {
	var limit, nofollow, target, rel, schemes py.Value = starlark.None, starlark.False, starlark.None, starlark.None, starlark.None
	if err := unpack("urlize", args.plain, args.named, "trim_url_limit?", &limit, "nofollow?", &nofollow, "target?", &target, "rel?", &rel, "extra_schemes?", &schemes); err != nil {
		return nil, err
	}
	s, err := r.str(v)
	if err != nil {
		return nil, err
	}
	if !isMarkup(v) {
		s = escape(s)
	}
	rels := []string{"noopener"}
	if bool(nofollow.Truth()) {
		rels = append(rels, "nofollow")
	}
	if t, ok := rel.(starlark.String); ok {
		rels = append(rels, strings.Fields(string(t))...)
	}
	slices.Sort(rels)
	attrs := ` rel="` + escape(strings.Join(slices.Compact(rels), " ")) + `"`
	if t, ok := target.(starlark.String); ok {
		attrs += ` target="` + escape(string(t)) + `"`
	}
	link := func(word string) string {
		shown := word
		if n, err := whole("trim_url_limit", limit); err == nil && len([]rune(word)) > n && n >= 0 {
			shown = string([]rune(word)[:n]) + "..."
		}
		switch {
		case webPage.MatchString(word):
			to := word
			if !strings.HasPrefix(word, "http://") && !strings.HasPrefix(word, "https://") {
				to = "https://" + word
			}
			return `<a href="` + to + `"` + attrs + `>` + shown + `</a>`
		case strings.HasPrefix(word, "mailto:") && address.MatchString(word[7:]):
			return `<a href="` + word + `">` + word[7:] + `</a>`
		case !strings.HasPrefix(word, "www.") && !strings.HasPrefix(word, "@") && !strings.Contains(word, ":") && address.MatchString(word):
			return `<a href="mailto:` + word + `">` + word + `</a>`
		}
		return word
	}
	out := eachWord(s, func(w string) string {
		head := headOf.FindString(w)
		tail := tailOf.FindString(w[len(head):])
		return head + link(w[len(head):len(w)-len(tail)]) + tail
	})
	if err := r.th.Grow(len(out)); err != nil {
		return nil, err
	}
	return r.value(out), nil
}

// eachWord changes what stands between blanks.
func eachWord(s string, change func(string) string) string {
	var b strings.Builder
	for s != "" {
		loc := blanks.FindStringIndex(s)
		if loc == nil {
			loc = []int{len(s), len(s)}
		}
		if loc[0] > 0 {
			b.WriteString(change(s[:loc[0]]))
		}
		b.WriteString(s[loc[0]:loc[1]])
		s = s[loc[1]:]
	}
	return b.String()
}
