// SPDX-License-Identifier: Apache-2.0

package lint

// schemas reports what the tables of schema do not allow.
func (t *tree) schemas() {
	for _, d := range t.docs {
		if d.schema == nil {
			continue
		}
		for _, p := range d.schema.Check(d.root, d.templated) {
			t.add(p)
		}
	}
}
