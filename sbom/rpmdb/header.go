package rpmdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Tags and types of a header, as rpm's include/rpm/rpmtag.h has them.
const (
	tagName, tagVersion, tagRelease, tagEpoch = 1000, 1001, 1002, 1003
	tagSummary, tagVendor, tagLicence         = 1004, 1011, 1014
	tagArch, tagFileStates, tagFileModes      = 1022, 1029, 1030
	tagFileDigests, tagFileFlags, tagSource   = 1035, 1037, 1044
	tagDirIndexes, tagBaseNames, tagDirNames  = 1116, 1117, 1118
	tagDigestAlgorithm                        = 5011

	typeChar, typeInt8, typeInt16, typeInt32 = 1, 2, 3, 4
	typeString, typeStrings, typeI18N        = 6, 8, 9
)

// header is what rpm keeps of a package: an index of tags and a store of their values.
type header struct {
	entries map[uint32]entry // of those tags that are read here
	store   []byte
	base    int // of the store in the blob
}

type entry struct{ kind, off, count uint32 }

// parse reads a blob of the database, which is a header without its magic.
func parse(b []byte) (*header, error) {
	if len(b) < 8 {
		return nil, errors.New("header is cut off")
	}
	n, size := uint64(binary.BigEndian.Uint32(b)), uint64(binary.BigEndian.Uint32(b[4:]))
	if 8+16*n+size > uint64(len(b)) {
		return nil, fmt.Errorf("header of %d tags and %d bytes in %d bytes", n, size, len(b))
	}
	h := &header{map[uint32]entry{}, b[8+16*n : 8+16*n+size], int(8 + 16*n)}
	for x := b[8 : 8+16*n]; len(x) > 0; x = x[16:] {
		tag, e := binary.BigEndian.Uint32(x), entry{binary.BigEndian.Uint32(x[4:]), binary.BigEndian.Uint32(x[8:]), binary.BigEndian.Uint32(x[12:])}
		if _, ok := h.entries[tag]; !ok && (tag >= tagName && tag <= tagDirNames || tag == tagDigestAlgorithm) && uint64(e.off) < size {
			h.entries[tag] = e
		}
	}
	return h, nil
}

// text returns the string of tag, the first of several, "" if there is none that is short enough.
func (h *header) text(tag uint32) string {
	e := h.entries[tag]
	if e.kind != typeString && e.kind != typeStrings && e.kind != typeI18N {
		return ""
	}
	b := h.store[e.off:]
	n := bytes.IndexByte(b[:min(len(b), maxText+1)], 0)
	return string(b[:max(n, 0)])
}

// texts returns the strings of tag, as many as stand there.
func (h *header) texts(tag uint32) []string {
	e := h.entries[tag]
	if e.kind != typeStrings {
		return nil
	}
	var out []string
	for b := h.store[e.off:]; uint32(len(out)) < min(e.count, maxFiles); {
		n := bytes.IndexByte(b, 0)
		if n < 0 {
			break
		}
		out = append(out, string(b[:n]))
		b = b[n+1:]
	}
	return out
}

// numbers returns the numbers of tag, as many as stand there.
func (h *header) numbers(tag uint32) []uint32 {
	e := h.entries[tag]
	size := map[uint32]int{typeChar: 1, typeInt8: 1, typeInt16: 2, typeInt32: 4}[e.kind]
	if size == 0 {
		return nil
	}
	var out []uint32
	for b := h.store[e.off:]; len(b) >= size && uint32(len(out)) < min(e.count, maxFiles); b = b[size:] {
		v := uint32(0)
		for _, x := range b[:size] {
			v = v<<8 | uint32(x)
		}
		out = append(out, v)
	}
	return out
}

// named returns where in the blob the package's name stands, with version and release if rpm put
// them right behind it, as it does.
func (h *header) named() (from, to int) {
	e := h.entries[tagName]
	from = h.base + int(e.off)
	to = from + len(h.text(tagName))
	for _, tag := range []uint32{tagVersion, tagRelease} {
		if x, ok := h.entries[tag]; !ok || h.base+int(x.off) != to+1 {
			break
		}
		to += 1 + len(h.text(tag))
	}
	return from, to
}
