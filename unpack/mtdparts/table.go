package mtdparts

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"hallmark/artifact"
)

// table is the part of a command line that is about one device.
type table struct {
	source string // "mtdparts", "device tree" or "anyka"
	text   string // "device:partitions", or the path of the node
	at     artifact.Range
	device string
	parts  []partition
	open   bool // it need not cover the device to its end
}

type partition struct {
	name     string
	size     int64 // -1 is the rest of the device
	off      int64 // -1 is behind the one before
	readOnly bool
	text     artifact.Range // where it is described
	at       artifact.Range // the partition, once placed
	node     int            // where its node of a device tree begins
}

// parse reads "device:partition,partition;device:..." up to the first byte that cannot belong to
// it. s stands at offset at. A device that cannot be parsed ends the list.
func parse(s string, at int64) []table {
	var list []table
	for {
		t, n := parseDevice(s, at)
		if n == 0 {
			return list
		}
		list = append(list, t)
		if n >= len(s) || s[n] != ';' {
			return list
		}
		s, at = s[n+1:], at+int64(n)+1
	}
}

// maxPartitions is what one table may have; real ones have up to 30.
const maxPartitions = 128

func parseDevice(s string, at int64) (t table, n int) {
	n = strings.IndexAny(s, ",;(\x00 \n\"'")
	if n < 0 {
		return t, 0
	}
	// Device names may hold colons: the last one before the first partition's name counts.
	if n = strings.LastIndexByte(s[:n], ':'); n <= 0 || strings.Contains(s[:n], "=") {
		return t, 0
	}
	t.device = s[:n]
	for n++; ; n++ {
		p, k := parsePartition(s[n:], len(t.parts))
		if k == 0 || len(t.parts) == maxPartitions {
			return t, 0
		}
		p.text = artifact.Range{Off: at + int64(n), Len: int64(k)}
		t.parts = append(t.parts, p)
		if n += k; n >= len(s) || s[n] != ',' {
			break
		}
	}
	t.source = "mtdparts"
	t.text, t.at = s[:n], artifact.Range{Off: at, Len: int64(n)}
	return t, n
}

// parsePartition reads size[@offset][(name)][ro][lk][slc] and returns its length, 0 if there is none.
func parsePartition(s string, number int) (p partition, n int) {
	p.size, p.off = -1, -1
	if strings.HasPrefix(s, "-") {
		n = 1
	} else if p.size, n = memparse(s); n == 0 {
		return p, 0
	}
	if strings.HasPrefix(s[n:], "@") {
		off, k := memparse(s[n+1:])
		if k == 0 {
			return p, 0
		}
		p.off = off
		n += 1 + k
	}
	p.name = fmt.Sprintf("Partition_%03d", number) // as the kernel calls it
	if strings.HasPrefix(s[n:], "(") {
		k := strings.IndexByte(s[n:], ')')
		if k < 0 || strings.ContainsAny(s[n:n+k], "\x00\n") {
			return p, 0
		}
		if k > 1 {
			p.name = strings.ReplaceAll(s[n+1:n+k], "/", "_")
		}
		n += k + 1
	}
	for _, flag := range []string{"ro", "lk", "slc"} {
		if strings.HasPrefix(s[n:], flag) {
			n += len(flag)
			p.readOnly = p.readOnly || flag == "ro"
		}
	}
	return p, n
}

// memparse reads a decimal, octal or hexadecimal number with a suffix K, M or G, as the
// function of that name in lib/cmdline.c does.
func memparse(s string) (v int64, n int) {
	digits, base := "0123456789", 0
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		digits, n = "0123456789abcdefABCDEF", 2
	}
	for n < len(s) && strings.IndexByte(digits, s[n]) >= 0 {
		n++
	}
	v, err := strconv.ParseInt(s[:n], base, 64)
	if err != nil || v > 1<<40 {
		return 0, 0
	}
	if n < len(s) {
		switch s[n] | 0x20 {
		case 'k':
			return v << 10, n + 1
		case 'm':
			return v << 20, n + 1
		case 'g':
			if v > 1<<20 {
				return 0, 0
			}
			return v << 30, n + 1
		}
	}
	return v, n
}

// place computes the ranges on a device of size bytes and reports whether the table fits it: no
// partition beyond the end, and the last byte covered.
func (t *table) place(size int64) bool {
	next, last := int64(0), int64(0)
	for i := range t.parts {
		p := &t.parts[i]
		off := p.off
		if off < 0 {
			off = next
		}
		n := p.size
		if n < 0 {
			if i < len(t.parts)-1 && t.parts[i+1].off < 0 {
				return false // nothing can follow the rest
			}
			n = size - off
		}
		if n <= 0 || off > size || n > size-off {
			return false
		}
		p.at = artifact.Range{Off: off, Len: n}
		next = p.at.End()
		last = max(last, next)
	}
	return t.open || last == size
}

// leafs returns the partitions in order of place, without those that hold others ("all",
// "firmware"). It reports false if two overlap otherwise.
func leafs(parts []partition) ([]partition, bool) {
	var list []partition
	for i, p := range parts {
		holds := false
		for k, q := range parts {
			if i != k && p.at.Contains(q.at) && (p.at != q.at || k < i) {
				holds = true
				break
			}
		}
		if !holds {
			list = append(list, p)
		}
	}
	sort.SliceStable(list, func(i, k int) bool { return list[i].at.Off < list[k].at.Off })
	for i := 1; i < len(list); i++ {
		if list[i].at.Off < list[i-1].at.End() {
			return nil, false
		}
	}
	return list, len(list) > 0
}
