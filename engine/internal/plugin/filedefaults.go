// SPDX-License-Identifier: Apache-2.0

package plugin

// FileDefaults are the attributes of a file that no Info says anything about.
type FileDefaults [][2]string

// NewFileDefaults gives those of 1.3, changed by the configuration.
func NewFileDefaults(conf Conf) FileDefaults {
	out := FileDefaults{
		{"owner", "root"}, {"group", "root"}, {"mode", "644"}, {"secontext", "__default__"},
		{"paranoid", "true"}, {"sensitive", "false"}, {"important", "False"},
	}
	for i, d := range out {
		out[i][1] = conf.Get("mdata", d[0], d[1])
		if d[0] == "mode" {
			out[i][1] = conf.Get("mdata", "mode", conf.Get("mdata", "perms", d[1]))
		}
	}
	return out
}

// Apply sets the attributes.
func (f FileDefaults) Apply(d *Draft) {
	for _, a := range f {
		d.Set(a[0], a[1])
	}
}
