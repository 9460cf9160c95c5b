package jffs2

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const (
	minErase     = 4 << 10  // smallest erase block of a NOR flash
	defaultErase = 64 << 10 // the most common one, where the image shows none
	maxBridge    = 4        // erase blocks of other data that may lie between nodes of one filesystem
)

// extent is where a node stands, obsolete ones included.
type extent struct{ off, end int64 }

// complaint is a node, or bytes that are none, that the scan left out.
type complaint struct {
	what string
	off  int64
}

// scanner collects the nodes of one filesystem in the order of the flash.
type scanner struct {
	window
	order binary.ByteOrder
	magic uint16
	// recover keeps nodes that are marked obsolete, beside the others.
	recover    bool
	oldInodes  []inode
	oldDirents []dirent

	heads      []extent
	inodes     []inode
	dirents    []dirent
	xattrs     []xattr
	xrefs      []xref
	complaints []complaint
	gaps       []extent // bytes between nodes that are no nodes and not erased
	filler     []extent // bodies of nodes that nothing reads: padding, unknown types
	marked     bool     // a cleanmarker was met
	base       int64    // where blocks begin, modulo minErase: not at 0 if the first node was lost
	erase      int64    // greatest common divisor of the block starts seen
	starts     int      // how many were seen
	end        int64    // of the last node

	facts  map[factKey]fact
	pairs  []extent // contradictions: the earlier and the later node
	sound  bool     // contradictions mean two filesystems
	first  []statement
	repeat int // how many nodes in a row repeated first
	copied int // index in heads of the first of them
}

// scan reads nodes from offset 0 on until the data ends, something else follows, or the nodes
// turn out to be those of another filesystem.
func (s *scanner) scan() {
	s.facts = map[factKey]fact{}
	var other int64 // bytes since the last node that are neither node nor erased
	for pos := int64(0); pos+headerSize <= s.size; {
		b := s.at(pos, headerSize)
		if b == nil {
			break
		}
		if s.order.Uint32(b) == 0xffffffff {
			pos = s.skipErased(pos)
			continue
		}
		h, ok := parseHeader(b, s.order, s.magic)
		if ok && h.length > s.size-pos {
			s.complain("header whose node ends beyond the data", pos)
			ok = false
		}
		if !ok {
			if other += 4; other > maxBridge*s.block() {
				break
			}
			pos += 4
			continue
		}
		if h.typ == typeCleanmarker && !s.marked {
			s.marked, s.base, s.erase, s.starts = true, pos%minErase, 0, 0
		}
		gap := pos - s.end
		switch {
		case other > 0:
			s.gaps = append(s.gaps, extent{s.end, pos})
		case gap >= minErase && s.marked && pos%minErase != s.base:
			s.finish()
			return // behind erased flash a block begins, and this is none
		case gap > 0 || h.typ == typeCleanmarker:
			s.blockStart(pos)
		}
		other = 0
		next := (pos + h.length + 3) &^ 3
		if h.typ == typeSummary && h.live {
			s.blockStart(next)
		}
		s.heads = append(s.heads, extent{pos, min(next, s.size)})
		s.end = min(next, s.size)
		if cut := s.node(pos, h); cut > 0 {
			s.cut(cut)
			return
		}
		pos = next
	}
	s.finish()
}

// finish forgets what was met behind the last node.
func (s *scanner) finish() {
	s.complaints = slices.DeleteFunc(s.complaints, func(c complaint) bool { return c.off > s.end })
}

// block returns the size of an erase block, as far as it is known by now.
func (s *scanner) block() int64 {
	if s.erase == 0 || s.erase > 1<<20 {
		return defaultErase
	}
	return s.erase
}

// blockStart learns that an erase block begins at off.
func (s *scanner) blockStart(off int64) {
	if off -= s.base; off%minErase != 0 {
		return
	}
	s.starts++
	for s.erase, off = off, s.erase; off != 0; {
		s.erase, off = off, s.erase%off
	}
}

// nodeSumFits checks the checksum of an inode node or a directory entry.
func nodeSumFits(b []byte, order binary.ByteOrder) bool {
	covered, stored := 60, 64
	if order.Uint16(b[2:])|accurate == typeDirent {
		covered, stored = 32, 32
	}
	return sumAccurate(b[:covered], order) == order.Uint32(b[stored:])
}

func (s *scanner) complain(what string, off int64) {
	s.complaints = append(s.complaints, complaint{what, off})
}

// node takes in the node at pos. It returns where another filesystem begins, or 0.
func (s *scanner) node(pos int64, h header) int64 {
	switch h.typ {
	case typeInode:
		return s.inodeNode(pos, h)
	case typeDirent:
		return s.direntNode(pos, h)
	case typeXattr:
		s.xattrNode(pos, h)
	case typeXref:
		s.xrefNode(pos, h)
	case typeSummary:
	case typeCleanmarker, typePadding:
		s.filler = append(s.filler, extent{pos + headerSize, pos + h.length})
	default:
		s.filler = append(s.filler, extent{pos + headerSize, pos + h.length})
		if h.live {
			s.complain(fmt.Sprintf("node of unknown type %#04x", h.typ), pos)
		}
	}
	return 0
}

func (s *scanner) inodeNode(pos int64, h header) int64 {
	b := s.at(pos, int(min(h.length, inodeSize)))
	if len(b) < inodeSize || !nodeSumFits(b, s.order) {
		s.refuse(h, "inode node with a bad checksum", pos)
		return 0
	}
	n := parseInode(b, s.order)
	n.off = pos
	if int64(n.csize) > h.length-inodeSize {
		s.refuse(h, "inode node with more data than its length", pos)
		return 0
	}
	dataSum, mode := s.order.Uint32(b[60:]), s.order.Uint32(b[20:])
	if h.live {
		if s.sum(n.data(), int64(n.csize)) != dataSum {
			s.complain("inode node whose data has a bad checksum", pos)
			return 0
		}
		s.inodes = append(s.inodes, n)
	} else if s.recover && s.sum(n.data(), int64(n.csize)) == dataSum {
		s.oldInodes = append(s.oldInodes, n)
	}
	cut := int64(0)
	if n.compr != comprZero {
		// The kernel writes a hole a second time under the same version if part of it is obsolete.
		cut = s.learn(factKey{typeInode, n.ino, n.version}, fact{pos, dataSum ^ n.start<<1 ^ n.dsize<<16, h.live})
	}
	if h.live && cut == 0 {
		cut = s.learn(factKey{kind: 0, a: n.ino}, fact{pos, mode & formatMask, true})
	}
	return cut
}

func (s *scanner) direntNode(pos int64, h header) int64 {
	b := s.at(pos, int(min(h.length, direntSize+255)))
	if len(b) < direntSize || !nodeSumFits(b, s.order) {
		s.refuse(h, "directory entry with a bad checksum", pos)
		return 0
	}
	size := int(b[28])
	if len(b) < direntSize+size || checksum(b[direntSize:direntSize+size]) != s.order.Uint32(b[36:]) {
		s.refuse(h, "directory entry whose name has a bad checksum", pos)
		return 0
	}
	d := parseDirent(b, s.order)
	d.off, d.name = pos, string(b[direntSize:direntSize+size])
	if h.live {
		s.dirents = append(s.dirents, d)
	} else if s.recover {
		s.oldDirents = append(s.oldDirents, d)
	}
	ident := crc32.ChecksumIEEE(b[direntSize:direntSize+size]) ^ d.ino<<3
	return s.learn(factKey{typeDirent, d.pino, d.version}, fact{pos, ident, h.live})
}

func (s *scanner) xattrNode(pos int64, h header) {
	if !h.live {
		return
	}
	b := s.at(pos, int(min(h.length, xattrSize+256+1<<16)))
	if len(b) < xattrSize || sumAccurate(b[:28], s.order) != s.order.Uint32(b[28:]) {
		s.complain("extended attribute with a bad checksum", pos)
		return
	}
	id, version, name, value := s.order.Uint32(b[12:]), s.order.Uint32(b[16:]), int(b[21]), int(s.order.Uint16(b[22:]))
	data := b[xattrSize:]
	if len(data) < name+1+value || checksum(data[:name+1+value]) != s.order.Uint32(b[24:]) {
		s.complain("extended attribute whose data has a bad checksum", pos)
		return
	}
	s.xattrs = append(s.xattrs, xattr{pos, id, version, artifact.Xattr{
		Name: xattrPrefix(b[20]) + string(data[:name]), Value: slices.Clone(data[name+1 : name+1+value]),
	}})
}

func (s *scanner) xrefNode(pos int64, h header) {
	if !h.live {
		return
	}
	b := s.at(pos, int(min(h.length, xrefSize)))
	if len(b) < xrefSize || sumAccurate(b[:24], s.order) != s.order.Uint32(b[24:]) {
		s.complain("reference to an extended attribute with a bad checksum", pos)
		return
	}
	s.xrefs = append(s.xrefs, xref{pos, s.order.Uint32(b[12:]), s.order.Uint32(b[16:]), s.order.Uint32(b[20:])})
}

// refuse complains of a node unless it is obsolete: then nobody relies on it.
func (s *scanner) refuse(h header, what string, pos int64) {
	if h.live {
		s.complain(what, pos)
	}
}

// report sums up the complaints, one problem for each kind.
func (s *scanner) report() []*format.Error {
	var out []*format.Error
	count := map[string]int{}
	for _, c := range s.complaints {
		if count[c.what]++; count[c.what] == 1 {
			out = append(out, &format.Error{Kind: artifact.Damaged, At: artifact.Range{Off: c.off}, Text: c.what})
		}
	}
	for _, e := range out {
		e.Text = fmt.Sprintf("jffs2: %s, refused: %d, first at %#x", e.Text, count[e.Text], e.At.Off)
	}
	if len(s.gaps) > 0 {
		var n int64
		for _, g := range s.gaps {
			n += g.end - g.off
		}
		first := s.gaps[0]
		out = append(out, &format.Error{Kind: artifact.Damaged, At: artifact.Range{Off: first.off, Len: first.end - first.off},
			Text: fmt.Sprintf("jffs2: bytes between nodes that are no nodes: %d in %d places, first at %#x", n, len(s.gaps), first.off)})
	}
	return out
}

// window reads src in large steps.
type window struct {
	src  io.ReaderAt
	size int64
	off  int64
	buf  []byte
}

const windowSize = 128 << 10

// at returns the n bytes at off, or nil; they are valid until the next call. n is at most windowSize.
func (w *window) at(off int64, n int) []byte {
	if off < w.off || off+int64(n) > w.off+int64(len(w.buf)) {
		if off < 0 || int64(n) > w.size-off {
			return nil
		}
		if w.buf == nil {
			w.buf = make([]byte, windowSize)
		}
		got, _ := w.src.ReadAt(w.buf[:min(windowSize, w.size-off)], off)
		w.off, w.buf = off, w.buf[:got]
		if got < n {
			return nil
		}
	}
	return w.buf[off-w.off:][:n]
}

// sum returns the checksum of the n bytes at off.
func (w *window) sum(off, n int64) (sum uint32) {
	for n > 0 {
		b := w.at(off, int(min(n, windowSize)))
		if b == nil {
			return ^sum
		}
		sum = update(sum, b)
		off, n = off+int64(len(b)), n-int64(len(b))
	}
	return sum
}

// skipErased returns the next offset from off on, in steps of 4, that does not hold FF FF FF FF.
func (w *window) skipErased(off int64) int64 {
	for {
		b := w.at(off, 4)
		if b == nil {
			return off
		}
		for b = w.buf[off-w.off:]; len(b) >= 4; b, off = b[4:], off+4 {
			if binary.LittleEndian.Uint32(b) != 0xffffffff {
				return off
			}
		}
	}
}
