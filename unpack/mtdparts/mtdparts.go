// Package mtdparts divides a flash image into partitions, as the kernel command line that stands
// in it says, mtdparts=jz_sfc:256k(boot),2176k(kernel),-(rootfs) or blkdevparts=mmcblk0:1M(boot),-(data), or a device tree with fixed
// partitions, or the table of Anyka's burning tool.
//
// Specifications, in that order: drivers/mtd/parsers/cmdlinepart.c of Linux,
// https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/drivers/mtd/parsers/cmdlinepart.c,
// and its binding mtd/partitions/fixed-partitions.yaml,
// https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/Documentation/devicetree/bindings/mtd/partitions/fixed-partitions.yaml,
// partition_lib.h of Anyka's kernel, as OpenIPC publishes it.
//
// An image may hold several such tables (a default in the boot loader, another in its
// environment), or one that is for another chip. A table is believed if it fits the length of
// the image and if file systems or boot images stand where its partitions start. Command lines
// and device trees inside of compressed kernels are not seen.
package mtdparts

import (
	"bytes"
	"fmt"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// What stands before a table, of raw flash and, with the same grammar, of eMMC.
var magics = []format.Magic{{Bytes: "mtdparts="}, {Bytes: "blkdevparts="}}

// Format is a flash image with its own partition table.
var Format = format.Format{
	Name:   "mtdparts",
	Title:  "Flash image divided by an mtdparts command line",
	Kind:   format.Layout,
	Magics: magics,
	Whole:  true,
	Refs: []format.Ref{
		{Title: "Linux drivers/mtd/parsers/cmdlinepart.c", URL: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/drivers/mtd/parsers/cmdlinepart.c"},
		{Title: "Linux, embedded device command line partition parsing", URL: "https://docs.kernel.org/block/cmdline-partition.html"},
	},
	Limits: []string{"Tables inside of compressed kernels are not seen.", "A table that does not cover the image to its end is not used."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

const (
	minImage  = 0x10000 // one erase block
	maxTables = 64      // looked at in one image
	maxMagics = 4096    // help texts have the magic too
	maxTable  = 2048    // bytes; the command line of most kernels is shorter
)

type layout struct {
	size  int64
	table table
	leafs []partition // without those that others divide further
}

func open(src format.Source) (*layout, error) {
	if src.Size() < minImage {
		return nil, format.Not("mtdparts: %d bytes", src.Size())
	}
	if l := divide(src, tables(src)); l != nil {
		return l, nil
	}
	return nil, format.Not("mtdparts: no table that fits")
}

// divide takes the table that fits best, or none.
func divide(src format.Source, list []table) (best *layout) {
	most := score{}
	for _, t := range list {
		if !t.place(src.Size()) {
			continue
		}
		leafs, ok := leafs(t.parts)
		if !ok {
			continue
		}
		if s := rate(src, leafs); s.believable() && s.better(most) {
			best, most = &layout{src.Size(), t, leafs}, s
		}
	}
	return best
}

// tables returns every table that can be parsed, in order of place.
func tables(src format.Source) []table {
	var list []table
	tried := 0
	for _, m := range magics {
		for at := range occurrences(src, m.Bytes) {
			b := make([]byte, min(maxTable, src.Size()-at))
			n, _ := src.ReadAt(b, at)
			list = append(list, parse(string(b[:n]), at)...)
			if tried++; len(list) >= maxTables || tried == maxMagics {
				return list
			}
		}
	}
	return list
}

// occurrences yields the offset behind each magic in src.
func occurrences(src format.Source, magic string) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		buf := make([]byte, 256<<10)
		for off := int64(0); off < src.Size(); off += int64(len(buf) - len(magic) + 1) {
			n, _ := src.ReadAt(buf[:min(int64(len(buf)), src.Size()-off)], off)
			for i := 0; ; {
				j := bytes.Index(buf[i:n], []byte(magic))
				if j < 0 {
					break
				}
				i += j + len(magic)
				if !yield(off + int64(i)) {
					return
				}
			}
		}
	}
}

func (l *layout) Size() int64 { return l.size }

// Entries yields the partitions, and what lies between them as gap@0xOFFSET.
func (l *layout) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		seen := map[string]bool{}
		end := int64(0)
		for _, p := range l.leafs {
			if p.at.Off > end && !yield(gap(end, p.at.Off), nil) {
				return
			}
			end = p.at.End()
			path := p.name
			if seen[path] {
				path += fmt.Sprintf("@%#x", p.at.Off)
			}
			seen[path] = true
			if !yield(format.Entry{Path: path, Size: p.at.Len, Window: &p.at}, nil) {
				return
			}
		}
		if end < l.size {
			yield(gap(end, l.size), nil)
		}
	}
}

func gap(from, to int64) format.Entry {
	return format.Entry{Path: fmt.Sprintf("gap@%#x", from), Size: to - from, Window: &artifact.Range{Off: from, Len: to - from}}
}

func (l *layout) Describe() []artifact.Attr {
	attrs := []artifact.Attr{
		{Name: l.table.source, Value: l.table.text, At: l.table.at},
	}
	if l.table.device != "" {
		attrs = append(attrs, artifact.Attr{Name: "device", Value: l.table.device, At: artifact.Range{Off: l.table.at.Off, Len: int64(len(l.table.device))}})
	}
	for _, p := range l.table.parts {
		value := p.name + " " + "0x" + strconv.FormatInt(p.at.Off, 16) + "+0x" + strconv.FormatInt(p.at.Len, 16)
		if p.readOnly {
			value += " ro"
		}
		attrs = append(attrs, artifact.Attr{Name: "partition", Value: value, At: p.text})
	}
	return attrs
}
