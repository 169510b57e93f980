// SPDX-License-Identifier: Apache-2.0

package schema

import "slices"

const (
	pathTypes    = "augeas device directory file hardlink ignore nonexistent permissions symlink vcs"
	packageTypes = "apk ips macport opencsw pacman deb rpm blast encap sysv ebuild yum freebsdpkg homebrew pkgng apt"
	serviceTypes = "chkconfig deb rc-update smf upstart systemd launchd freebsd"
	groupKinds   = "optional default mandatory all"
)

// entryTags are the entries that a bundle can name and a client can apply.
func entryTags() []string {
	return []string{
		"Path", "Package", "Service", "Action", "PostInstall", "POSIXUser", "POSIXGroup",
		"SEBoolean", "SEPort", "SEFcontext", "SENode", "SELogin", "SEUser", "SEInterface", "SEPermissive", "SEModule",
	}
}

// oldTags are entries of Bcfg2 before 1.0.
func oldTags() map[string]string {
	return map[string]string{
		"ConfigFile":  `write Path, with type="file" where it is bound`,
		"Directory":   `write Path, with type="directory" where it is bound`,
		"SymLink":     `write Path, with type="symlink" where it is bound`,
		"Permissions": `write Path, with type="permissions" where it is bound`,
	}
}

func pathAttrs() []Attr {
	return attrs(
		required(text("name")), strict(oneOf("type", pathTypes)),
		strict(oneOf("dev_type", "block char fifo")), of(Natural, "major", "minor"),
		strict(of(Mode, "mode")), old("write mode", "perms"), of(Owner, "owner", "group"),
		flag("prune", "recursive", "important", "empty", "paranoid", "sensitive"),
		text("to", "revision", "sourceurl", "secontext", "lens", "encoding", "encrypted", "capabilities", "mtime"),
		oneOf("vcstype", "svn git hg cvs"),
	)
}

func packageAttrs() []Attr {
	return attrs(
		text("name", "version", "file", "simplefile", "multiarch", "srcs", "bname", "verify_flags", "group",
			"arch", "release", "url", "uri", "priority"),
		flag("verify", "pkg_verify", "pkg_checks", "recommended"),
		old("only Bcfg2 1.1 knows it", "reloc"),
		oneOf("type", packageTypes),
	)
}

func serviceAttrs() []Attr {
	return attrs(
		required(text("name")), strict(oneOf("status", "on off ignore")), oneOf("type", serviceTypes),
		text("FMRI", "sequence", "target", "parameters"),
		oneOf("bootstatus", "on off"), oneOf("restart", "true false interactive"), flag("install"),
		old("only Bcfg2 1.1 and 1.2 know it", "port", "protocol", "custom"),
		old(`write restart="false", restart="interactive" or install="false"`, "mode"),
		old(`write restart="true"`, "supervised"),
	)
}

func actionAttrs() []Attr {
	return attrs(
		required(text("name")), text("command"),
		strict(oneOf("timing", "both pre post")), strict(oneOf("when", "modified always")),
		strict(oneOf("status", "ignore check")), flag("build", "shell"),
	)
}

// seLinux are the SELinux entries.
func seLinux() map[string]*Element {
	name := func() []Attr { return required(text("name")) }
	typed := func() []Attr { return required(text("selinuxtype")) }
	return map[string]*Element{
		"SEBoolean": {Attrs: attrs(name(), required(oneOf("value", "on off")))},
		"SEPort":    {Attrs: attrs(name(), typed(), text("mlsrange"))},
		"SEFcontext": {Attrs: attrs(name(), typed(), text("mlsrange"),
			oneOf("filetype", "all regular directory symlink pipe socket block char"))},
		"SENode":       {Attrs: attrs(name(), typed(), text("mlsrange"), oneOf("proto", "ipv4 ipv6"))},
		"SELogin":      {Attrs: attrs(name(), required(text("selinuxuser")), text("mlsrange"))},
		"SEUser":       {Attrs: attrs(name(), required(text("roles", "prefix")), text("mlsrange"))},
		"SEInterface":  {Attrs: attrs(name(), typed(), text("mlsrange"))},
		"SEPermissive": {Attrs: name()},
		"SEModule":     {Attrs: attrs(name(), flag("disabled"))},
	}
}

// augeas are the commands of a Path of that type.
func augeas() map[string]*Element {
	at := func(more ...string) *Element {
		return &Element{Attrs: required(text(append([]string{"path"}, more...)...))}
	}
	return map[string]*Element{
		"Initial": {},
		"Insert": {Attrs: attrs(required(text("path", "label")),
			oneOf("where", "before after"))},
		"Move":     {Attrs: required(text("source", "destination"))},
		"Remove":   at(),
		"Clear":    at(),
		"Set":      at("value"),
		"SetMulti": {Attrs: required(text("base", "sub", "value"))},
	}
}

// children are the elements that stand inside entries.
func children() map[string]*Element {
	out := augeas()
	out["ACL"] = aclEntry()
	out["Instance"] = &Element{
		Attrs: attrs(text("arch", "version", "release", "simplefile", "verify_flags"), number("epoch"),
			flag("pkg_verify", "install_missing", "fix_version", "reinstall_broken"),
			old("write install_missing, fix_version or reinstall_broken",
				"installed_action", "version_fail_action", "verify_fail_action")),
		Children: []string{"Ignore"},
	}
	out["Ignore"] = &Element{Attrs: text("name")}
	out["MemberOf"] = &Element{Attrs: text("group")}
	out["User"] = &Element{Attrs: text("name"), Old: "only Bcfg2 1.1 and 1.2 know it"}
	return out
}

func aclEntry() *Element {
	return &Element{Attrs: attrs(required(oneOf("type", "default access")), oneOf("scope", "user group other"),
		required(text("perms")), text("user", "group"))}
}

// literal are the complete entries, as Rules hold them and Bound entries are.
func literal() map[string]*Element {
	out := seLinux()
	out["Path"] = &Element{Attrs: pathAttrs(), Children: append([]string{"ACL", "Group", "Client"}, sortedKeys(augeas())...)}
	out["Package"] = &Element{Attrs: packageAttrs(), Children: []string{"Instance", "Ignore", "Group", "Client"}}
	out["Service"] = &Element{Attrs: serviceAttrs(), Children: []string{"User"}}
	out["Action"] = &Element{Attrs: actionAttrs()}
	out["PostInstall"] = &Element{Attrs: required(text("name")), Old: `write Action with timing="post" and when="modified"`}
	out["POSIXUser"] = &Element{
		Attrs:    attrs(required(text("name")), number("uid"), text("group", "gecos", "home", "shell")),
		Children: []string{"MemberOf", "Group", "Client"},
	}
	out["POSIXGroup"] = &Element{Attrs: attrs(required(text("name")), number("gid"))}
	return out
}

func sortedKeys(m map[string]*Element) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
