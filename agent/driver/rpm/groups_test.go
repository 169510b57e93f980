// SPDX-License-Identifier: Apache-2.0

package rpm_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/engine/config"
)

// What somebody installed by hand and no entry names is extra; what came along with
// it is not. It goes, but for what others need, and comes back.
func TestExtras(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	have("one-1.0")(t, m)
	have("two")(t, m)
	have("mover")(t, m)
	d := newDriver(t, m)
	asked := []driver.Item{{Entry: config.NewEntry(pack("name=one", "version=any"))}}
	kind := driver.Kind{Tag: "Package", Type: "rpm"}
	want := []driver.Surplus{{Kind: kind, Name: "mover", What: "1-1"}, {Kind: kind, Name: "two", What: "1-1"}}
	extras := func(d driver.Driver, items []driver.Item) []driver.Surplus {
		out, err := d.(driver.Surveyor).Extras(t.Context(), items)
		require.NoError(t, err)
		return out
	}
	require.Equal(t, want, extras(d, asked))

	// The next process knows it without a question to dnf.
	data, err := d.(driver.Learner).Learned()
	require.NoError(t, err)
	next := newDriver(t, m)
	next.(driver.Learner).Learn(data)
	require.Equal(t, want, extras(next, asked))
	again, err := next.(driver.Learner).Learned()
	require.NoError(t, err)
	require.Nil(t, again)

	// A group asks for its packages.
	group := driver.Item{Entry: config.NewEntry(pack("name=@web"))}
	_, err = d.Apply(t.Context(), group, false)
	require.NoError(t, err)
	require.Equal(t, want[:1], extras(d, []driver.Item{group}))

	// "base" came along with "two", and is needed by it: it stays.
	keeper := d.(driver.Keeper)
	was, err := keeper.Again(t.Context(), []driver.Standing{{Kind: kind, Name: "two"}, {Kind: kind, Name: "base"}})
	require.NoError(t, err)
	require.Len(t, was, 1, "all packages stand for each")
	errs := d.(driver.Remover).Remove(t.Context(), []driver.Surplus{{Kind: kind, Name: "base"}, want[0]})
	require.ErrorContains(t, errs[0], "needed by")
	require.NoError(t, errs[1])
	require.NoError(t, d.(driver.Remover).Remove(t.Context(), want[1:])[0])
	require.Empty(t, extras(d, asked))

	left, err := keeper.Again(t.Context(), was)
	require.NoError(t, err)
	p := driver.Passage{Standing: was[0], After: &left[0].State}
	r := keeper.Restore(t.Context(), p, driver.Restoration{Apply: true})
	require.NoError(t, r.Err)
	require.Equal(t, []string{"install mover-1-1.noarch", "install two-1-1.noarch"}, r.What)
	now, err := keeper.Again(t.Context(), was)
	require.NoError(t, err)
	require.Equal(t, was, now)
}

// What a host cannot be without is not taken away, whoever asks, and neither is what
// is not there.
func TestRemoveRefuses(t *testing.T) {
	t.Parallel()
	m := root(t, archive(t))
	have("one-1.0")(t, m)
	d := newDriver(t, m)
	refused := []string{"glibc", "kernel-core", "gone", "--all"}
	for _, name := range refused {
		errs := d.(driver.Remover).Remove(t.Context(), []driver.Surplus{{Name: name}})
		require.ErrorContains(t, errs[0], name)
	}
	// None of them keeps what can go.
	errs := d.(driver.Remover).Remove(t.Context(), []driver.Surplus{{Name: refused[0]}, {Name: "one"}, {Name: refused[2]}})
	require.ErrorContains(t, errs[0], refused[0])
	require.NoError(t, errs[1])
	require.ErrorContains(t, errs[2], refused[2])
	// Where only rpm is, nobody knows what came along with what.
	require.NoError(t, os.Remove(m.Processes.(inside).root+"/usr/bin/dnf"))
	out, err := d.(driver.Surveyor).Extras(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, out)
}
