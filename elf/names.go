package elf

import "fmt"

// Type is e_type.
type Type uint16

// The types of file.
const (
	Relocatable Type = 1
	Executable  Type = 2
	Shared      Type = 3 // also a position independent executable
	Core        Type = 4
)

func (t Type) String() string {
	if t >= Relocatable && t <= Core {
		return [...]string{"relocatable", "executable", "shared", "core"}[t-1]
	}
	return fmt.Sprintf("type-%#x", uint16(t))
}

// Machine is e_machine.
type Machine uint16

// String returns the architecture's short name, or "machine-0x…".
func (m Machine) String() string {
	for _, x := range machines {
		if x.number == m {
			return x.name
		}
	}
	return fmt.Sprintf("machine-%#x", uint16(m))
}

// machines are those of embedded devices; numbers from the registry of the generic ABI,
// https://gabi.xinuos.com/elf/a-emachine.html.
var machines = [...]struct {
	number Machine
	name   string
}{
	{2, "sparc"}, {3, "x86"}, {4, "m68k"}, {8, "mips"}, {10, "mips-le"}, {20, "ppc"}, {21, "ppc64"},
	{22, "s390"}, {40, "arm"}, {42, "sh"}, {43, "sparc64"}, {45, "arc"}, {50, "ia64"}, {62, "x86-64"},
	{83, "avr"}, {92, "openrisc"}, {93, "arc-compact"}, {94, "xtensa"}, {106, "blackfin"}, {113, "nios2"},
	{140, "tic6x"}, {183, "aarch64"}, {189, "microblaze"}, {195, "arc-v2"}, {243, "riscv"}, {247, "bpf"},
	{252, "csky"}, {258, "loongarch"}, {0x9026, "alpha"},
}

// Values of header fields, named as in the specifications.
const (
	ptLoad    = 1
	ptDynamic = 2
	ptInterp  = 3
	ptNote    = 4

	shtSymtab  = 2
	shtStrtab  = 3
	shtNote    = 7
	shtNobits  = 8
	shtDynsym  = 11
	shfAlloc   = 2
	shnUndef   = 0
	stbGlobal  = 1
	stbWeak    = 2
	stbUnique  = 10
	sttSection = 3
	sttFile    = 4

	dtNeeded     = 1
	dtHash       = 4
	dtStrtab     = 5
	dtSymtab     = 6
	dtStrsz      = 10
	dtSyment     = 11
	dtSoname     = 14
	dtRpath      = 15
	dtRunpath    = 29
	dtGNUHash    = 0x6ffffef5
	dtVersym     = 0x6ffffff0
	dtVerdef     = 0x6ffffffc
	dtVerdefnum  = 0x6ffffffd
	dtVerneed    = 0x6ffffffe
	dtVerneednum = 0x6fffffff
	dtMIPSSyms   = 0x70000011 // DT_MIPS_SYMTABNO
)
