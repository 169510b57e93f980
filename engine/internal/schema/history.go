// SPDX-License-Identifier: Apache-2.0

package schema

import "strings"

// history says which versions of Bcfg2 had an attribute in their schemas, and what
// they took where it is left out: ATTRIBUTE:FIRST[-LAST][=DEFAULT], by element, with
// the kind of file behind @ where elements of one name differ. What no schema had is
// not here.
func history() map[string]string {
	return map[string]string{
		"Path":                  "type:1.1 name:1.1 dev_type:1.1 major:1.1 minor:1.1 mode:1.1 perms:1.1-1.2 owner:1.1 group:1.1 prune:1.1 to:1.1 recursive:1.2 vcstype:1.2 revision:1.2 sourceurl:1.2 secontext:1.3=__default__ important:1.3 empty:1.3 lens:1.3 encrypted:1.4",
		"BoundPath":             "name:1.1 group:1.1 owner:1.1 perms:1.1-1.2 prune:1.1 to:1.1 type:1.1 altsrc:1.1-1.1 important:1.2 paranoid:1.2-1.2 recursive:1.2 sensitive:1.2-1.2 dev_type:1.2 major:1.2 minor:1.2 mode:1.2 secontext:1.3=__default__ empty:1.3 vcstype:1.3 revision:1.3 sourceurl:1.3 lens:1.3 encrypted:1.4",
		"Package":               "name:1.1 version:1.1 file:1.1 verify:1.1=false simplefile:1.1 reloc:1.1-1.1 multiarch:1.1 srcs:1.1 type:1.1 bname:1.1 pkg_checks:1.1 verify_flags:1.1 group:1.2-1.2 pkg_verify:1.2=true arch:1.3 release:1.3",
		"BoundPackage":          "name:1.1 version:1.1 file:1.1 verify:1.1=false simplefile:1.1 reloc:1.1-1.1 multiarch:1.1 srcs:1.1 type:1.1 bname:1.1 pkg_checks:1.1 verify_flags:1.1 group:1.2-1.2 pkg_verify:1.2=true arch:1.3 release:1.3",
		"Instance":              "arch:1.1 epoch:1.1 version:1.1 release:1.1 simplefile:1.1 pkg_verify:1.1 verify_flags:1.1 installed_action:1.1-1.3=install version_fail_action:1.1-1.3=upgrade verify_fail_action:1.1-1.3 install_missing:1.4=true fix_version:1.4=true reinstall_broken:1.4=true",
		"Service":               "name:1.1 status:1.1=off type:1.1 port:1.1-1.2 protocol:1.1-1.2 mode:1.1-1.2 custom:1.1-1.2 FMRI:1.1 supervised:1.1-1.2 sequence:1.1 target:1.1=restart parameters:1.2 bootstatus:1.3=off restart:1.3=true install:1.3=true",
		"BoundService":          "name:1.1 status:1.1=off type:1.1 port:1.1-1.2 protocol:1.1-1.2 mode:1.1-1.2 custom:1.1-1.2 FMRI:1.1 supervised:1.1-1.2 sequence:1.1 target:1.1=restart parameters:1.2 bootstatus:1.3=off restart:1.3=true install:1.3=true",
		"Action":                "timing:1.1 when:1.1 status:1.1 name:1.1 command:1.1 build:1.2=true shell:1.3",
		"BoundAction":           "timing:1.1 when:1.1 status:1.1 name:1.1 command:1.1 build:1.2=true shell:1.3",
		"POSIXUser":             "name:1.3 uid:1.3 group:1.3 gecos:1.3 home:1.3 shell:1.3=/bin/bash",
		"POSIXGroup":            "name:1.3 gid:1.3",
		"SEBoolean":             "name:1.3 value:1.3",
		"SEPort":                "name:1.3 selinuxtype:1.3 mlsrange:1.3",
		"SEFcontext":            "name:1.3 selinuxtype:1.3 filetype:1.3=all mlsrange:1.3",
		"SENode":                "name:1.3 selinuxtype:1.3 proto:1.3 mlsrange:1.3",
		"SELogin":               "name:1.3 selinuxuser:1.3 mlsrange:1.3",
		"SEUser":                "name:1.3 roles:1.3 prefix:1.3 mlsrange:1.3",
		"SEInterface":           "name:1.3 selinuxtype:1.3 mlsrange:1.3",
		"SEPermissive":          "name:1.3",
		"SEModule":              "name:1.3 disabled:1.3",
		"ACL":                   "type:1.3 scope:1.3 perms:1.3 user:1.3 group:1.3",
		"Info":                  "encoding:1.1=ascii group:1.1=root important:1.1=false owner:1.1=root perms:1.1-1.2 paranoid:1.1=true sensitive:1.2=false mode:1.3=0644 secontext:1.3=__default__",
		"FileInfo":              "lax_decryption:1.4",
		"Bundle":                "description:1.1 name:1.1 version:1.1 origin:1.1 revision:1.1 independent:1.4 lax_decryption:1.4",
		"RequiredBundle":        "name:1.4 inherit_modification:1.4",
		"Path@bundle":           "name:1.1 altsrc:1.1 glob:1.4",
		"Package@bundle":        "name:1.1 altsrc:1.1-1.1 verify:1.1=true group:1.2 type:1.2=default recommended:1.4",
		"Service@bundle":        "name:1.1 altsrc:1.1-1.1 verify:1.1",
		"Action@bundle":         "name:1.1 altsrc:1.1-1.1 verify:1.1",
		"Client@clients":        "name:1.1 profile:1.1 pingable:1.1 auth:1.1=cert+password uuid:1.1 password:1.1 location:1.1 secure:1.1=false pingtime:1.1 address:1.1 floating:1.3=false version:1.3",
		"Alias":                 "name:1.1 address:1.1",
		"Clients":               "version:1.1",
		"Group@groups":          "name:1.1 profile:1.1=false public:1.1=false default:1.1=false category:1.1 negate:1.3=false comment:1.1-1.2 toolset:1.1-1.2",
		"Bundle@groups":         "name:1.1",
		"Groups":                "version:1.1 origin:1.1 revision:1.1",
		"Rules":                 "priority:1.1 lax_decryption:1.4",
		"PackageList":           "priority:1.1 type:1.1 uri:1.1 multiarch:1.1 srcs:1.1",
		"Package@pkgmgr":        "name:1.1 version:1.1 file:1.1 verify:1.1=false simplefile:1.1 reloc:1.1-1.1 multiarch:1.1 srcs:1.1 type:1.1 bname:1.1 pkg_checks:1.1 verify_flags:1.1 group:1.2-1.2 pkg_verify:1.2=true arch:1.3 release:1.3",
		"Services":              "priority:1.1-1.2",
		"Source":                "recommended:1.2=false type:1.2 pulp_id:1.2 url:1.2 rawurl:1.2 version:1.2 essential:1.3=true debsrc:1.3=false name:1.3",
		"Sources":               "lax_decryption:1.4",
		"FileProbe":             "name:1.2 encoding:1.2 update:1.2",
		"Decision":              "type:1.1 name:1.1",
		"Allow@authorizedkeys":  "from:1.3 group:1.3 category:1.3 host:1.3",
		"Option@authorizedkeys": "name:1.3 value:1.3",
		"PrivateKey":            "perhost:1.3 category:1.3 priority:1.3=50 decrypt:1.3-1.3 lax_decryption:1.4",
		"Cert":                  "key:1.3 format:1.3=pem ca:1.3=default days:1.3=365 c:1.3 l:1.3 st:1.3 ou:1.3 o:1.3 emailaddress:1.3 append_chain:1.3=false",
		"Key":                   "type:1.3=rsa bits:1.3=2048",
	}
}

// past is what history says of one attribute.
type past struct{ first, last, value string }

// pastOf finds the history of an attribute of an element in a kind of file.
func pastOf(kind, element, attribute string) (past, bool) {
	all := history()
	text, ok := all[element+"@"+kind]
	if !ok {
		text = all[element]
	}
	if !ok && strings.HasPrefix(element, "Bound") && text == "" {
		text = all[strings.TrimPrefix(element, "Bound")]
	}
	for _, one := range strings.Fields(text) {
		name, rest, _ := strings.Cut(one, ":")
		if name != attribute {
			continue
		}
		versions, value, _ := strings.Cut(rest, "=")
		first, last, _ := strings.Cut(versions, "-")
		return past{first, last, value}, true
	}
	return past{}, false
}
