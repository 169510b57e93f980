// SPDX-License-Identifier: Apache-2.0

package host

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/problem"
)

func whole() *Host {
	return &Host{
		Membership: &Membership{Profile: "p", Names: []string{"a", "p"}, Bundles: []string{"b"}, Categories: map[string]string{"c": "a"}},
		Name:       "h", Client: &Client{Name: "h", UUID: "u", Addresses: []string{"192.0.2.1"}},
		Probes: map[string]string{"p": "1"}, Recorded: map[string]string{"q": "2"},
	}
}

// Whatever a host can be asked for tells two of them apart, also what will be added.
func TestSame(t *testing.T) {
	require.True(t, whole().Same(whole(), (*Membership).Same))
	other := whole()
	other.Client.Pos, other.Notes = problem.Pos{Line: 7}, []*problem.Problem{{Msg: "x"}}
	other.Membership.Problems = other.Notes
	require.True(t, whole().Same(other, (*Membership).Same), "findings and places are no answers")
	other.data = map[string]string{"Ohai": "{}"}
	require.False(t, whole().Same(other, (*Membership).Same))

	for _, f := range reflect.VisibleFields(reflect.TypeFor[Host]()) {
		if len(f.Index) > 1 || f.Name == "Membership" || f.Name == "Notes" {
			continue
		}
		if !f.IsExported() {
			require.Equal(t, "data", f.Name, "another field that Same has to look at")
			continue
		}
		other := whole()
		reflect.ValueOf(other).Elem().FieldByIndex(f.Index).Set(another(f.Type))
		require.False(t, whole().Same(other, (*Membership).Same), f.Name)
	}
	for _, name := range []string{"Profile", "Names", "Bundles", "Categories"} {
		other := whole()
		v := reflect.ValueOf(other.Membership).Elem().FieldByName(name)
		v.Set(another(v.Type()))
		require.False(t, whole().Same(other, (*Membership).Same), name)
	}
	for i := range reflect.TypeFor[Client]().NumField() {
		f := reflect.TypeFor[Client]().Field(i)
		if f.Name == "Pos" {
			continue
		}
		other := whole()
		reflect.ValueOf(other.Client).Elem().Field(i).Set(another(f.Type))
		require.False(t, whole().Same(other, (*Membership).Same), f.Name)
	}
}

// another is a value that no host of this test has.
func another(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.String:
		v.SetString("another")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(3)
	case reflect.Slice:
		v.Set(reflect.Append(v, another(t.Elem())))
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
		v.SetMapIndex(another(t.Key()), another(t.Elem()))
	}
	return v
}
