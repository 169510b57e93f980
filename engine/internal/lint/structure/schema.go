// SPDX-License-Identifier: Apache-2.0

package structure

// schemas reports what the tables of schema do not allow.
func (t look) schemas() {
	for _, d := range t.Docs {
		if d.Schema == nil {
			continue
		}
		for _, p := range d.Schema.Check(d.Root, d.Templated) {
			t.Add(p)
		}
	}
}
