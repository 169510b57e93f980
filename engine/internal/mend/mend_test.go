// SPDX-License-Identifier: Apache-2.0

package mend_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/engine/internal/mend"
	"github.com/bindery/bindery/engine/internal/xmltree"
)

func all(string) bool { return true }

func TestFile(t *testing.T) {
	for name, c := range map[string]struct {
		kind     mend.Kind
		src, out string
	}{
		"nothing else":        {"rules", "<Rules>\r\n<Path\tperms='1'\n/><!--<Path perms='1'/>--><?x perms='1'?></Rules>", "<Rules>\r\n<Path\tmode='1'\n/><!--<Path perms='1'/>--><?x perms='1'?></Rules>"},
		"text stays":          {"rules", "<Rules><Path perms='1'>a > b <![CDATA[<Path perms='1'/>]]></Path></Rules>", "<Rules><Path mode='1'>a > b <![CDATA[<Path perms='1'/>]]></Path></Rules>"},
		"a tag in a value":    {"bundle", `<Bundle><Path altsrc="<Path perms='1'>" perms="1"/></Bundle>`, `<Bundle><Path altsrc="<Path perms='1'>" mode="1"/></Bundle>`},
		"a doctype":           {"rules", `<!DOCTYPE a [<!ENTITY b "<Path perms='1'/>">]><Rules><Path perms="1"/></Rules>`, `<!DOCTYPE a [<!ENTITY b "<Path perms='1'/>">]><Rules><Path mode="1"/></Rules>`},
		"both":                {"rules", `<Rules><Path perms="1" mode="2"/></Rules>`, `<Rules><Path perms="1" mode="2"/></Rules>`},
		"an ACL":              {"rules", `<Rules><ACL perms="r"/></Rules>`, `<Rules><ACL perms="r"/></Rules>`},
		"post install":        {"rules", `<Rules><PostInstall name='/bin/a'/></Rules>`, `<Rules><Action name='/bin/a' command='/bin/a' timing="post" when="modified" status="ignore"/></Rules>`},
		"old, in a bundle":    {"bundle", `<Bundle><Group name="a"><Directory name="/a"/><SymLink name="/b"/></Group></Bundle>`, `<Bundle><Group name="a"><Path name="/a"/><Path name="/b"/></Group></Bundle>`},
		"old, with children":  {"rules", `<Rules><Permissions perms="1"><ACL/></Permissions></Rules>`, `<Rules><Path mode="1" type="permissions"><ACL/></Path></Rules>`},
		"another charset":     {"rules", `<?xml version="1.0" encoding="iso-8859-1"?><Rules><Path perms="1"/></Rules>`, `<?xml version="1.0" encoding="iso-8859-1"?><Rules><Path perms="1"/></Rules>`},
		"a bundle in another": {"bundle", `<Bundle name="a"><Bundle name="b"/></Bundle>`, `<Bundle><Bundle name="b"/></Bundle>`},
		"client":              {"clients", `<Clients><Client pingtime="0" name="a" location="fixed"/></Clients>`, `<Clients><Client name="a" location="fixed"/></Clients>`},
	} {
		t.Run(name, func(t *testing.T) {
			data := []byte(c.src)
			require.Equal(t, c.out, string(mend.Apply(data, mend.File(c.kind, data, all))))
		})
	}
}

// Whatever can be read can be read after its mending, and is mended then.
func FuzzFile(f *testing.F) {
	f.Add([]byte(`<Rules><Path perms="1"/><PostInstall name="a"></PostInstall></Rules>`))
	f.Add([]byte(`<Bundle name="a"><!-- x --><ConfigFile name='b'/></Bundle>`))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY b "<c/>">]><Rules>&b;<Path perms="1"/></Rules>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, p := xmltree.Parse("a", data); p != nil {
			return
		}
		for _, kind := range []mend.Kind{"bundle", "rules", "info", "clients"} {
			after := mend.Apply(data, mend.File(kind, data, all))
			if _, p := xmltree.Parse("a", after); p != nil {
				t.Fatalf("%s: %s\n%s\n%s", kind, p, data, after)
			}
		}
	})
}
