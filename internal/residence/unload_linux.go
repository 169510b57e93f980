// SPDX-License-Identifier: Apache-2.0

//go:build amd64 || arm64

package residence

import (
	"debug/elf"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What the kernel tells a program of where it is in memory; see getauxval(3).
const (
	programHeaders = 3
	headerSize     = 4
	headerCount    = 5
)

// unload lets go of the pages of the program that cannot be written to. Where it is not
// told where they are, or they may not go, they stay.
func unload() {
	page := uintptr(os.Getpagesize())
	for _, s := range segments() {
		// Only whole pages: a neighbour may have written to the others.
		from, to := (s.at+page-1)&^(page-1), (s.at+s.size)&^(page-1)
		if from < to {
			_ = unix.Madvise(bytesAt(from, to-from), unix.MADV_DONTNEED)
		}
	}
}

// segment is a part of the program in memory.
type segment struct{ at, size uintptr }

// segments are those parts of the program that are as they are in its file.
func segments() (out []segment) {
	told, err := unix.Auxv()
	if err != nil {
		return nil
	}
	var at, size, count uintptr
	for _, t := range told {
		switch t[0] {
		case programHeaders:
			at = t[1]
		case headerSize:
			size = t[1]
		case headerCount:
			count = t[1]
		}
	}
	if at == 0 || size != unsafe.Sizeof(elf.Prog64{}) {
		return nil
	}
	headers := unsafe.Slice((*elf.Prog64)(pointer(at)), count)
	for _, own := range headers {
		if elf.ProgType(own.Type) != elf.PT_PHDR {
			continue
		}
		base := at - uintptr(own.Vaddr)
		for _, h := range headers {
			if elf.ProgType(h.Type) == elf.PT_LOAD && elf.ProgFlag(h.Flags)&elf.PF_W == 0 {
				out = append(out, segment{base + uintptr(h.Vaddr), uintptr(h.Filesz)})
			}
		}
	}
	return out
}

func bytesAt(at, size uintptr) []byte { return unsafe.Slice((*byte)(pointer(at)), size) }

// pointer is for addresses of what the collector knows nothing of.
func pointer(at uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&at)) }
