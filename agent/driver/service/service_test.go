// SPDX-License-Identifier: Apache-2.0

package service_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/driver/service"
	"github.com/bindery/bindery/engine/config"
)

func entry(words string) *config.Entry {
	e := config.Entry{Tag: "Service", Attrs: []config.Attr{{Name: "name", Value: "s"}}}
	for _, w := range strings.Fields(words) {
		name, value, _ := strings.Cut(w, "=")
		e.Attrs = append(e.Attrs, config.Attr{Name: name, Value: value})
	}
	return config.NewEntry(e)
}

func TestWords(t *testing.T) {
	t.Parallel()
	on, off := service.On, service.Off
	for words, want := range map[string]service.Wanted{
		"status=on":                                     {Boot: on, Running: on, Checked: true, Install: true, Restart: true},
		"status=off":                                    {Boot: off, Running: off, Checked: true, Install: true, Restart: true},
		"status=ignore":                                 {Install: true},
		"status=ignore bootstatus=on":                   {Boot: on, Checked: true, Install: true},
		"status=on bootstatus=off":                      {Boot: off, Running: on, Checked: true, Install: true, Restart: true},
		"status=on bootstatus=ignore":                   {Running: on, Install: true, Restart: true},
		"status=on restart=false":                       {Boot: on, Running: on, Checked: true, Install: true},
		"status=on restart=interactive":                 {Boot: on, Running: on, Checked: true, Install: true, Asking: true},
		"status=on install=false":                       {Boot: on, Running: on, Checked: true, Restart: true},
		"status=on install=true mode=manual":            {Boot: on, Running: on, Checked: true, Install: true, Restart: true},
		"status=on target=reload":                       {Boot: on, Running: on, Checked: true, Install: true, Restart: true, Target: "reload"},
		"status=on mode=default":                        {Boot: on, Running: on, Install: true, Restart: true},
		"status=on mode=default target=reload":          {Boot: on, Running: on, Install: true, Restart: true},
		"status=off mode=manual":                        {Boot: off, Install: true},
		"status=on mode=interactive_only":               {Boot: on, Install: true, Asking: true},
		"status=off mode=interactive_only":              {Boot: off, Install: true},
		"status=on mode=supervised":                     {Boot: on, Running: on, Checked: true, Install: true, Restart: true},
		"status=on supervised=true":                     {Boot: on, Running: on, Checked: true, Install: true, Restart: true},
		"status=on supervised=true mode=default":        {Boot: on, Running: on, Checked: true, Install: true, Restart: true},
		"status=on supervised=false":                    {Boot: on, Running: on, Install: true, Restart: true},
		"status=on mode=custom target=reload":           {Boot: on, Running: on, Install: true, Restart: true, Target: "reload"},
		"status=on mode=custom sequence=3 parameters=x": {Boot: on, Running: on, Install: true, Restart: true, Parameters: "x"},
	} {
		want.Name = "s"
		got, err := service.Read(entry(words))
		require.NoError(t, err, words)
		require.Equal(t, want, got, words)
	}
	for words, want := range map[string]int{"": 0, "sequence=20": 20, "sequence=20,80": 20, "sequence=-1": 0, "sequence=x": 0} {
		require.Equal(t, want, service.Sequence(entry(words)), words)
	}
	for _, words := range []string{
		"", "status=yes", "status=on mode=other", "status=on restart=r", "status=on install=maybe", "status=on bootstatus=yes", "status=on target=--now", "mode=supervised",
	} {
		_, err := service.Read(entry(words))
		require.Error(t, err, words)
	}
}

// A service is somebody's since where it stands as no run left it. Where the files that came
// back have enabled it, as those below a mask do, that is the undo's own doing.
func TestBack(t *testing.T) {
	t.Parallel()
	const on, off, idle, odd = "enabled running", "disabled stopped", "enabled stopped", "static stopped"
	for _, c := range []struct {
		before, after, now string
		force, ending      bool
		verbs              []string
		kept               bool
	}{
		{before: on, after: off, now: off, verbs: []string{"enable", "start"}},
		{before: on, after: off, now: idle, verbs: []string{"start"}},
		{before: on, after: off, now: on, verbs: []string{service.Reread}},
		{before: off, after: on, now: idle},
		{before: off, after: on, now: idle, ending: true, verbs: []string{"disable"}},
		{before: on, after: off, now: odd, kept: true},
		{before: on, after: off, now: odd, ending: true},
		{before: on, after: on, now: off, kept: true},
		{before: on, after: on, now: off, force: true, verbs: []string{"enable", "start"}},
	} {
		p := driver.Passage{Standing: driver.Standing{Name: "app", State: c.before}, After: &c.after}
		verbs, kept := service.Back(p, c.now, driver.Restoration{Force: c.force, Ending: c.ending})
		require.Equal(t, c.verbs, verbs, "%+v", c)
		require.Equal(t, c.kept, len(kept) > 0, "%+v", c)
	}
}
