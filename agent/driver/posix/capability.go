// SPDX-License-Identifier: Apache-2.0

package posix

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bindery/bindery/agent/system"
)

// capability is the attribute that holds what a program may do whoever starts it, in
// the form of include/uapi/linux/capability.h: version and a flag, then the lower
// half of what is permitted and of what is inheritable, and the upper halves.
const (
	capability  = "security.capability"
	capVersion2 = 0x02000000
	capEffect   = 1
)

// noCapabilities as the value means that there are none.
const noCapabilities = "none"

// capabilityNames are in the order of their numbers (capabilities(7)).
func capabilityNames() []string {
	return strings.Fields(`chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable
		net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace
		sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write
		audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf
		checkpoint_restore`)
}

// parseCapabilities reads what setcap(8) does, without "-": clauses of names, "+" or
// "=", and flags of e, i and p. All that are effective have to be the same as those
// that are permitted or inheritable: the kernel has one flag for the whole file.
func parseCapabilities(text string) ([]byte, error) {
	var permitted, inheritable, effective uint64
	clauses := strings.Fields(text)
	for _, clause := range clauses {
		at := strings.IndexAny(clause, "+=")
		if at < 0 {
			return nil, fmt.Errorf("capabilities: %q is not of the form NAME,...=FLAGS", clause)
		}
		set, err := capabilitySet(clause[:at])
		if err != nil {
			return nil, err
		}
		flags := clause[at+1:]
		if flags == "" || strings.Trim(flags, "eip") != "" {
			return nil, fmt.Errorf("capabilities: %q has other flags than e, i and p", clause)
		}
		for flag, to := range map[string]*uint64{"p": &permitted, "i": &inheritable, "e": &effective} {
			if strings.Contains(flags, flag) {
				*to |= set
			}
		}
	}
	if len(clauses) == 0 || effective != 0 && effective != permitted|inheritable {
		return nil, errors.New("capabilities: either all of them or none are effective (e), and they are permitted (p) or inheritable (i)")
	}
	first := uint32(capVersion2)
	if effective != 0 {
		first |= capEffect
	}
	var out []byte
	for _, word := range []uint32{first, uint32(permitted), uint32(inheritable), uint32(permitted >> 32), uint32(inheritable >> 32)} {
		out = binary.LittleEndian.AppendUint32(out, word)
	}
	return out, nil
}

func capabilitySet(names string) (uint64, error) {
	var set uint64
	for name := range strings.SplitSeq(names, ",") {
		n := slices.Index(capabilityNames(), strings.TrimPrefix(strings.ToLower(name), "cap_"))
		if n < 0 {
			return 0, fmt.Errorf("capabilities: %q is none that is known", name)
		}
		set |= 1 << n
	}
	return set, nil
}

// capabilities compares what a program may do. A new owner takes it away, so that it
// is given again after one.
func (f *finding) capabilities(info *system.Info) error {
	text := f.entry.Get("capabilities")
	if text == "" {
		return nil
	}
	if f.entry.Type() != "file" && f.entry.Type() != "permissions" || info != nil && info.Kind != system.File && f.entry.Type() != "file" {
		return errors.New("only a file has capabilities")
	}
	var want []byte
	if text != noCapabilities {
		var err error
		if want, err = parseCapabilities(text); err != nil {
			return err
		}
	}
	if want == nil && info == nil {
		return nil // a new file has none
	}
	if f.lenient() {
		f.aspect("capabilities")
		return nil
	}
	planned := len(f.last)
	if err := f.attribute(info, capability, "capabilities", want); err != nil {
		return err
	}
	owned := slices.ContainsFunc(f.changes, func(c system.Change) bool { return c.Op == system.Attributes })
	if owned && want != nil && len(f.last) == planned && !slices.Contains(f.unverified, "capabilities") {
		f.last = append(f.last, system.Change{Op: system.Extend, Name: f.name, To: capability, Content: bytes.Clone(want)})
	}
	return nil
}
