// SPDX-License-Identifier: Apache-2.0

package review_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/review"
)

func version(n int, where string) *config.Config {
	if n == 0 {
		return &config.Config{}
	}
	return &config.Config{Bundles: []*config.Bundle{bundle(where, file("/x", fmt.Sprint(n)))}}
}

func setOf(host string, base, head *config.Config) *review.Set {
	s := review.NewSet(key)
	s.Add(host, config.Diff(base, head))
	return s
}

func TestReviewedCoversPublished(t *testing.T) {
	one, two, three := version(1, "b"), version(2, "b"), version(3, "b")
	reviewed := setOf("a", one, two)
	require.True(t, reviewed.Contains(setOf("a", one, two)))
	require.True(t, reviewed.Contains(setOf("a", one, one)))
	require.Equal(t, []review.Remainder{{Entry: config.Key{Tag: "Path", Name: "/x", Type: "file"}, Hosts: []string{"a"}}},
		reviewed.Minus(setOf("a", one, three)))
	require.False(t, reviewed.Contains(setOf("a", two, one)), "the way back was not reviewed")
	require.False(t, reviewed.Contains(setOf("b", one, two)), "another host")
	require.False(t, reviewed.Contains(setOf("a", one, version(2, "c"))), "another bundle")
	require.False(t, reviewed.Contains(setOf("a", version(0, ""), two)), "the entry was not there before")
	require.False(t, reviewed.Contains(setOf("a", one, nil)))

	reviewed.Union(setOf("a", two, three))
	require.True(t, reviewed.Contains(setOf("a", one, three)), "two quick merges cover one publication")
	reviewed.Union(setOf("a", three, one))
	require.True(t, reviewed.Contains(setOf("a", two, one)), "a circle ends")
	require.Equal(t, 3, reviewed.Len())
}

func TestSetStaysWithItsKey(t *testing.T) {
	data, err := setOf("a", version(1, "b"), version(2, "b")).MarshalBinary()
	require.NoError(t, err)
	other := review.NewSet([]byte("another key, another set"))
	other.Add("a", config.Diff(version(1, "b"), version(2, "b")))
	stored, err := review.ReadSet(key, data)
	require.NoError(t, err)
	require.False(t, stored.Contains(other))
}

func TestReadSetRefuses(t *testing.T) {
	for name, data := range map[string]string{
		"unknown version":  `{"v":2,"changes":[]}`,
		"unknown field":    `{"v":1,"more":1}`,
		"malformed digest": `{"v":1,"changes":[{"e":{"tag":"Path","name":"/x"},"o":"!!","h":["a"]}]}`,
		"too many hosts":   `{"v":1,"changes":[{"e":{"tag":"Path","name":"/x"},"n":"AAAAAAAAAAAAAAAAAAAAAA","h":["a[00000000-99999999]"]}]}`,
		"truncated":        `{"v":1,"changes":[`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := review.ReadSet(key, []byte(data))
			require.ErrorContains(t, err, "read reviewed set")
		})
	}
}

func FuzzReadSet(f *testing.F) {
	data, err := setOf("a", version(1, "b"), version(2, "b")).MarshalBinary()
	require.NoError(f, err)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := review.ReadSet(key, data)
		if err != nil {
			return
		}
		again, err := s.MarshalBinary()
		require.NoError(t, err)
		back, err := review.ReadSet(key, again)
		require.NoError(t, err)
		require.True(t, back.Contains(s))
	})
}

// 10,000 hosts share 220 entries; a change reaches 400 of them, on each with its
// own name in one file.
func BenchmarkNew(b *testing.B) {
	entries := make([]*config.Entry, 219)
	for i := range entries {
		entries[i] = file(fmt.Sprintf("/etc/f%03d", i), "some content\n")
	}
	var shared []*config.Bundle
	for i := 0; i < len(entries); i += 10 {
		shared = append(shared, bundle(fmt.Sprintf("b%03d", i), entries[i:min(i+10, len(entries))]...))
	}
	in := review.Input{Key: key}
	for i := range 10_000 {
		name := fmt.Sprintf("web%05d", i)
		own := func(text string) *review.Side {
			return side(append(slices.Clip(shared), bundle("own", file("/etc/own", text+" "+name+"\n")))...)
		}
		base := own("old")
		head := base
		if i < 400 {
			head = own("new")
		}
		in.Hosts = append(in.Hosts, review.Host{Name: name, Groups: []string{"web", "all"}, Base: base, Head: head})
	}
	b.ReportAllocs()
	for b.Loop() {
		r := report(b, in)
		require.Len(b, r.Changes, 1)
		require.Len(b, r.Changes[0].Variants, 1)
	}
}
