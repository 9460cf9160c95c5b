package feature

import (
	"bytes"
	"strings"

	"hallmark/elf"
)

// toolchain are prefixes of names that compilers and their libraries leave in everything: the
// standard library and GNU's part of it as C++ mangles them, run-time support, the linker's own.
var toolchain = []string{
	"_ZNSt", "_ZNKSt", "_ZSt", "_ZNK9__gnu", "_ZN9__gnu", "_ZTISt", "_ZTSSt", "_ZTVSt", "_ZTIN9__gnu", "_ZTVN10__cxxabi", "_ZNSs", "_ZNKSs",
	"_Zn", "_Zd", "_ZTv", "_ZGV", "__cxa_", "__gxx_", "__aeabi_", "__gnu_", "_Unwind_", "_ITM_", "__libc_", "__gmon_start__", "__stack_chk",
	"_init", "_fini", "_start", "_end", "_edata", "__end__", "__bss_start", "__bss_end", "_bss_end", "__data_start", "__exidx", "_Jv_", "_gp", "_MIPS", "__RLD_MAP",
	"_ftext", "_fdata", "_fbss", "_DYNAMIC", "_GLOBAL_", "_IO_stdin_used", "_dl_", "__dso_handle", "__this_module", "init_module", "cleanup_module",
}

func ofToolchain(name string) bool {
	for _, p := range toolchain {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return name == "main" || name == "environ" || name == "__environ"
}

const (
	minName = 4
	maxName = 512 // mangled templates beyond it name everything they are made of
)

// symbols takes the features of names.
func (x *extractor) symbols(f *elf.File) {
	module := x.set.Kind == "module"
	for _, s := range f.Exports {
		if len(s.Name) < minName || len(s.Name) > maxName || ofToolchain(s.Name) || x.omitted(lower(s.Name)) {
			continue
		}
		name := []byte(s.Name)
		if x.on[Exports] {
			x.add(Exports, hash(uint64(Exports), name), s.At.Off)
		}
		if x.on[Words] {
			x.nameWords(name, s.At.Off)
		}
		if given, ok := strings.CutPrefix(s.Name, "__ksymtab_"); ok && module {
			x.module("gives:"+given, s.At.Off)
		}
	}
	for _, s := range f.Imports {
		if len(s.Name) < minName || len(s.Name) > maxName || ofToolchain(s.Name) || x.omitted(lower(s.Name)) {
			continue
		}
		if x.on[Imports] {
			x.add(Imports, hash(uint64(Imports), []byte(s.Name)), s.At.Off)
		}
		if module {
			x.module("takes:"+s.Name, s.At.Off)
		}
	}
	for _, p := range f.Modinfo {
		switch p.Key {
		case "depends":
			for d := range strings.SplitSeq(p.Value, ",") {
				if d != "" {
					x.module("needs:"+d, p.At.Off)
				}
			}
		case "parm", "parmtype":
			name, _, _ := strings.Cut(p.Value, ":")
			x.module("parameter:"+name, p.At.Off)
		}
	}
}

func (x *extractor) module(s string, off int64) {
	if x.on[Module] && !x.omitted(lower(s)) {
		x.add(Module, hash(uint64(Module), []byte(s)), off)
	}
}

func lower(s string) []byte { return bytes.ToLower([]byte(s)) }

// isName reports whether b is an identifier of C, or a mangled one.
func isName(b []byte) bool {
	for _, c := range b {
		if !isLetter(c) && !isDigit(c) && c != '_' {
			return false
		}
	}
	return len(b) > 0 && !isDigit(b[0])
}

// nameWords adds the words of a name, three in a row, without the first: a relabeller changes the
// prefix and nothing deeper. Of a name with fewer words the rest counts as a whole, if it is long.
func (x *extractor) nameWords(name []byte, off int64) {
	if len(name) > maxName {
		return
	}
	low := x.spare[len(x.spare):]
	w := x.words[:0]
	for i := 0; i < len(name); {
		if !isLetter(name[i]) {
			i++
			continue
		}
		j := i + 1
		for j < len(name) && isLetter(name[j]) && !(isUpper(name[j]) && (isLower(name[j-1]) || j+1 < len(name) && isLower(name[j+1]) && isUpper(name[j-1]))) {
			j++
		}
		if j-i >= 2 {
			from := len(low)
			for _, c := range name[i:j] {
				low = append(low, c|0x20)
			}
			w = append(w, span{from, len(low)})
		}
		i = j
	}
	x.words = w
	if len(w) < 3 {
		return
	}
	w = w[1:]
	if len(w) == 2 {
		if w[1].to-w[0].from >= 10 {
			x.add(Words, hash2(hash(uint64(Words), low[w[0].from:w[0].to]), hash(uint64(Words), low[w[1].from:w[1].to])), off)
		}
		return
	}
	for i := 2; i < len(w); i++ {
		h := hash2(hash(uint64(Words), low[w[i-2].from:w[i-2].to]), hash(uint64(Words), low[w[i-1].from:w[i-1].to]))
		x.add(Words, hash2(h, hash(uint64(Words), low[w[i].from:w[i].to])), off)
	}
}
