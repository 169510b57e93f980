// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/controller"
	"github.com/bindery/bindery/engine"
)

// Nothing of a policy is lost on its way into what is signed.
func TestAPolicyIsSignedWhole(t *testing.T) {
	t.Parallel()
	var p engine.Policy
	p.Mode, p.Confirm, p.Removal = "apply", time.Minute, engine.Removal{Max: 1, Percent: 2}
	p.Report.Bundles = []string{"web"}
	p.Health = map[string]engine.Health{"web": {Grace: time.Second, Checks: []engine.Check{{Unit: "u", TCP: "t", HTTP: "h", Status: 200, Command: []string{"c"}}}}}
	p.Windows = []engine.Window{{Days: []string{"mon"}, From: "01:00", To: "02:00", Timezone: "UTC"}}
	p.Schedule = []engine.Pace{{Every: time.Hour}}
	one := [][2]string{{"Path", "*"}}
	whole(t, "policy", reflect.ValueOf(controller.PolicyOf(p, &engine.Decisions{Whitelist: one, Blacklist: one})))
}

// whole requires that no field is empty.
func whole(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	require.False(t, v.IsZero(), "%s is lost", name)
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			whole(t, name, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			whole(t, name+"."+v.Type().Field(i).Name, v.Field(i))
		}
	}
}
