// SPDX-License-Identifier: Apache-2.0

package schema

// ExampleOf gives a file of a kind.
func ExampleOf(kind string) Example {
	return map[string]Example{
		"acl":            {kind, "ACL/ip.xml", "<IPACLs>\n  <Allow address=\"192.0.2.0\" netmask=\"24\"/>\n</IPACLs>\n"},
		"awstags":        {kind, "AWSTags/config.xml", "<AWSTags>\n  <Tag name=\"role\" value=\"web\"><Group>web</Group></Tag>\n</AWSTags>\n"},
		"base":           {kind, "Base/base.xml", "<Base>\n  <Group name=\"web\"><Path name=\"/etc/ntp.conf\"/></Group>\n</Base>\n"},
		"bundle":         {kind, "Bundler/ntp.xml", "<Bundle>\n  <Path name=\"/etc/ntp.conf\"/>\n  <Group name=\"web\">\n    <BoundService name=\"ntp\" type=\"systemd\" status=\"on\"/>\n  </Group>\n</Bundle>\n"},
		"info":           {kind, "Cfg/etc/ntp.conf/info.xml", "<FileInfo>\n  <Info owner=\"root\" group=\"root\" mode=\"0644\"/>\n</FileInfo>\n"},
		"authorizedkeys": {kind, "Cfg/root/.ssh/authorized_keys/authorized_keys.xml", "<AuthorizedKeys>\n  <Allow>ssh-ed25519 AAAA admin\n    <Option name=\"no-pty\"/>\n  </Allow>\n</AuthorizedKeys>\n"},
		"privkey":        {kind, "Cfg/root/.ssh/id_rsa/privkey.xml", "<PrivateKey perhost=\"true\">\n  <Params type=\"rsa\" bits=\"4096\"/>\n</PrivateKey>\n"},
		"pubkey":         {kind, "Cfg/root/.ssh/id_rsa.pub/pubkey.xml", "<PublicKey/>\n"},
		"sslkey":         {kind, "Cfg/etc/ssl/www.key/sslkey.xml", "<KeyInfo>\n  <Key type=\"rsa\" bits=\"4096\"/>\n</KeyInfo>\n"},
		"sslcert":        {kind, "Cfg/etc/ssl/www.pem/sslcert.xml", "<CertInfo>\n  <subjectAltName>www.example.org</subjectAltName>\n  <Cert key=\"/etc/ssl/www.key\" days=\"365\"/>\n</CertInfo>\n"},
		"decisions":      {kind, "Decisions/whitelist.xml", "<Decisions>\n  <Decision type=\"Path\" name=\"/etc/*\"/>\n</Decisions>\n"},
		"defaults":       {kind, "Defaults/defaults.xml", "<Defaults priority=\"1\">\n  <Service name=\".*\" type=\"systemd\"/>\n</Defaults>\n"},
		"deps":           {kind, "Deps/ntp.xml", "<Dependencies priority=\"1\">\n  <Path name=\"/etc/ntp.conf\"><Package name=\"ntp\"/></Path>\n</Dependencies>\n"},
		"fileprobes":     {kind, "FileProbes/config.xml", "<FileProbes>\n  <FileProbe name=\"/etc/motd\"/>\n</FileProbes>\n"},
		"grouplogic":     {kind, "GroupLogic/groups.xml", "<GroupLogic>\n  <Group name=\"web\"><Group name=\"public\"/></Group>\n</GroupLogic>\n"},
		"grouppatterns":  {kind, "GroupPatterns/config.xml", "<GroupPatterns>\n  <GroupPattern><NamePattern>www[0-9]+</NamePattern><Group>web</Group></GroupPattern>\n</GroupPatterns>\n"},
		"groups":         {kind, "Metadata/groups.xml", "<Groups>\n  <Group name=\"web\" profile=\"true\">\n    <Bundle name=\"ntp\"/>\n    <Group name=\"debian\"/>\n  </Group>\n  <Group name=\"debian\" category=\"os\"/>\n</Groups>\n"},
		"clients":        {kind, "Metadata/clients.xml", "<Clients>\n  <Client name=\"www.example.org\" profile=\"web\" address=\"192.0.2.10\">\n    <Alias name=\"www\"/>\n  </Client>\n</Clients>\n"},
		"nagiosgen":      {kind, "NagiosGen/config.xml", "<NagiosGen>\n  <Option name=\"check_interval\">5</Option>\n</NagiosGen>\n"},
		"sources":        {kind, "Packages/sources.xml", "<Sources>\n  <Group name=\"web\">\n    <Source type=\"apt\" url=\"http://deb.example.org/debian/\" version=\"stable\">\n      <Component>main</Component>\n      <Arch>web</Arch>\n    </Source>\n  </Group>\n</Sources>\n"},
		"pkgmgr":         {kind, "Pkgmgr/debian.xml", "<PackageList priority=\"1\" type=\"deb\">\n  <Package name=\"ntp\" version=\"1:4.2.8\"/>\n</PackageList>\n"},
		"rules":          {kind, "Rules/services.xml", "<Rules priority=\"1\">\n  <Service name=\"ntp\" type=\"systemd\" status=\"on\"/>\n  <Path name=\"/srv\" type=\"directory\" owner=\"root\" group=\"root\" mode=\"0755\"/>\n  <Action name=\"newaliases\" command=\"newaliases\" timing=\"post\" when=\"modified\" status=\"check\"/>\n</Rules>\n"},
		"svcmgr":         {kind, "Svcmgr/services.xml", "<Services priority=\"1\">\n  <Service name=\"ntp\" type=\"systemd\" status=\"on\"/>\n</Services>\n"},
	}[kind]
}

// Kinds lists the kinds of files, in the order of their pages.
func Kinds() []string {
	var out []string
	for _, p := range pages() {
		out = append(out, p.kinds...)
	}
	return out
}
