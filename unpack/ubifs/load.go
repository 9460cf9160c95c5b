package ubifs

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"sort"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const (
	maxNode  = 16 << 10 // of a leaf; a block of 4 KiB and its header are less
	maxIndex = 64 << 10 // of an index node; mkfs.ubifs uses 8 children, each takes 20 bytes
	maxWaste = 16       // times the size of a LEB that may be summed up in vain
)

// span is a part of the index: the keys from from on and before to. A zero to means no end.
type span struct{ from, to key }

func (s span) holds(k key) bool {
	return compareKeys(k, s.from) >= 0 && (s.to == key{} || compareKeys(k, s.to) < 0)
}

// collection is what was found before it is resolved: the highest sequence number is the truth.
type collection struct {
	inodes []inode
	dents  []dent // of directories and of extended attributes
	blocks []block
	cuts   map[uint32][]cut
}

// load reads index and journal, or what is left of them.
func (r *Reader) load() {
	c := collection{cuts: map[uint32][]cut{}}
	committed := uint64(0)
	if r.master = r.findMaster(); r.master == nil {
		r.report(artifact.Damaged, masterLEB*r.super.leb, "ubifs: no good master node in blocks %d and %d", masterLEB, masterLEB+1)
		r.lost = []span{{}}
	} else {
		committed = r.master.seq
		buds, start, ok := r.readLog()
		if ok {
			// Nodes of the new journal may be older than the master node, which ends the commit.
			committed = start
		} else {
			r.report(artifact.Damaged, int64(r.master.log)*r.super.leb, "ubifs: log in block %d: no start of commit %d", r.master.log, r.master.commit)
		}
		r.readIndex(&c, committed)
		for _, bud := range buds {
			r.readBud(&c, bud)
		}
	}
	if len(r.lost) > 0 {
		r.report(artifact.Damaged, 0, "ubifs: parts of the index cannot be read: %d; all nodes searched instead, deleted files may be among them", len(r.lost))
		r.readAll(&c)
	}
	r.resolve(&c)
}

// bytes returns the size bytes of a place, or nil if they are outside of their LEB or the data.
func (r *Reader) bytes(p place) []byte {
	off := r.offset(p)
	if int64(p.off)+int64(p.size) > r.super.leb || p.lnum >= r.super.lebs || off+int64(p.size) > r.limit {
		return nil
	}
	b := make([]byte, p.size)
	if n, _ := r.src.ReadAt(b, off); n < len(b) {
		return nil
	}
	return b
}

func (r *Reader) offset(p place) int64 { return int64(p.lnum)*r.super.leb + int64(p.off) }

// node reads the node at p.
func (r *Reader) node(p place) (node, bool) { return parseNode(r.bytes(p)) }

// nodes calls visit for each good node of a LEB from off on. It steps over what is none.
func (r *Reader) nodes(lnum, off uint32, visit func(n node, at place)) {
	have := min(r.super.leb, r.limit-int64(lnum)*r.super.leb)
	if lnum >= r.super.lebs || have <= int64(off) {
		return
	}
	b := make([]byte, have-int64(off))
	n, _ := format.Summed(r.src).ReadAt(b, int64(lnum)*r.super.leb+int64(off))
	b = b[:n]
	wasted := 0 // on headers of what are no nodes
	for pos := 0; pos+headerSize <= len(b) && wasted < maxWaste*len(b); {
		n, ok := parseNode(b[pos:])
		if !ok {
			if binary.LittleEndian.Uint32(b[pos:]) == nodeMagic {
				wasted += int(min(binary.LittleEndian.Uint32(b[pos+16:]), uint32(len(b))))
			}
			pos += 8
			continue
		}
		at := place{lnum, off + uint32(pos), uint32(len(n.b))}
		r.src.ReadAt(n.b, r.offset(at)) // to be noted; what is between nodes is not read
		visit(n, at)
		pos += (len(n.b) + 7) &^ 7
	}
}

// findMaster returns the newest master node. Both blocks hold one after another, the same ones.
func (r *Reader) findMaster() (m *master) {
	for lnum := uint32(masterLEB); lnum <= masterLEB+1; lnum++ {
		r.nodes(lnum, 0, func(n node, _ place) {
			if n.typ != typeMaster || len(n.b) < masterSize || m != nil && n.seq <= m.seq {
				return
			}
			u32 := func(off int) uint32 { return binary.LittleEndian.Uint32(n.b[off:]) }
			m = &master{n, binary.LittleEndian.Uint64(n.b[32:]), u32(44), place{u32(48), u32(52), u32(56)}}
		})
	}
	return m
}

// readLog returns where the buds of the journal begin and the sequence number of the start of
// the last commit. The log is a ring of blocks that begins with a commit start node (24 number
// of the commit u64), followed by references (24 LEB, 28 offset).
func (r *Reader) readLog() (buds []place, start uint64, ok bool) {
	log := r.super.logLEBs
	if log == 0 || log > r.super.lebs || r.master.log < logLEB || r.master.log-logLEB >= log {
		return nil, 0, false
	}
	seen := map[uint32]int{} // index in buds by LEB
	for i := range log {
		lnum := logLEB + (r.master.log-logLEB+i)%log
		newer := false
		r.nodes(lnum, 0, func(n node, _ place) {
			u32 := func(off int) uint32 { return binary.LittleEndian.Uint32(n.b[off:]) }
			switch {
			case n.typ == typeCommit && len(n.b) >= headerSize+8 && binary.LittleEndian.Uint64(n.b[24:]) == r.master.commit:
				start, ok, newer = n.seq, true, true
			case n.typ == typeRef && len(n.b) >= refSize && ok && n.seq > start:
				newer = true
				bud := place{lnum: u32(24), off: u32(28)}
				if i, ok := seen[bud.lnum]; ok {
					buds[i].off = min(buds[i].off, bud.off)
				} else {
					seen[bud.lnum] = len(buds)
					buds = append(buds, bud)
				}
			}
		})
		if !newer {
			break
		}
	}
	return buds, start, ok
}

// readBud adds the nodes of the journal from bud to the end of its block.
func (r *Reader) readBud(c *collection, bud place) {
	r.nodes(bud.lnum, bud.off, func(n node, at place) { c.add(n, at) })
}

// readAll adds the nodes of the image whose keys the index lost.
func (r *Reader) readAll(c *collection) {
	for lnum := uint32(masterLEB + 2); lnum < r.super.lebs && int64(lnum)*r.super.leb < r.limit; lnum++ {
		r.nodes(lnum, 0, func(n node, at place) {
			if n.typ == typeTrunc || n.typ <= typeXent && len(n.b) >= headerSize+8 && r.isLost(parseKey(n.b[24:])) {
				c.add(n, at)
			}
		})
	}
}

func (r *Reader) isLost(k key) bool {
	i := sort.Search(len(r.lost), func(i int) bool { return compareKeys(r.lost[i].from, k) > 0 })
	return i > 0 && r.lost[i-1].holds(k)
}

// add takes in one node.
func (c *collection) add(n node, at place) {
	switch n.typ {
	case typeInode:
		if i, ok := parseInode(n, at); ok {
			c.inodes = append(c.inodes, i)
			if i.links == 0 {
				c.cuts[i.ino] = append(c.cuts[i.ino], cut{i.seq, 0})
			}
		}
	case typeDent, typeXent:
		if d, ok := parseDent(n, at); ok {
			c.dents = append(c.dents, d)
		}
	case typeData:
		if len(n.b) >= dataSize {
			k := parseKey(n.b[24:])
			c.blocks = append(c.blocks, block{k.ino, k.rest & keyRestMask, n.seq, at})
		}
	case typeTrunc:
		// 24 inode, 40 old size u64, 48 new size u64
		if len(n.b) >= truncSize {
			ino, size := binary.LittleEndian.Uint32(n.b[24:]), binary.LittleEndian.Uint64(n.b[48:])
			if from := (size + blockSize - 1) / blockSize; size < 1<<62 && from <= keyRestMask {
				c.cuts[ino] = append(c.cuts[ino], cut{n.seq, uint32(from)})
			}
		}
	}
}

// readIndex adds what the index leads to. Its leaves are all as old as the commit.
//
//	24 children u16, 26 level u16, 28 children: 0 LEB, 4 offset, 8 length, 12 key
func (r *Reader) readIndex(c *collection, committed uint64) {
	type branch struct {
		at    place
		keys  span
		level int // of the child; -1 is a leaf, unknown for the root
		root  bool
	}
	entered := map[place]bool{}
	var badLeaves int
	var firstBad int64
	stack := []branch{{at: r.master.root, root: true}}
	for len(stack) > 0 {
		br := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if br.level < 0 {
			if !r.leaf(c, br.at, br.keys.from, committed) {
				if badLeaves++; badLeaves == 1 {
					firstBad = r.offset(br.at)
				}
			}
			continue
		}
		var n node
		ok := br.at.size <= maxIndex
		if ok {
			n, ok = r.node(br.at)
		}
		if ok {
			ok = n.typ == typeIndex && len(n.b) >= indexSize && !entered[br.at]
		}
		children, level := 0, 0
		if ok {
			entered[br.at] = true
			children, level = int(binary.LittleEndian.Uint16(n.b[24:])), int(binary.LittleEndian.Uint16(n.b[26:]))
			ok = indexSize+children*branchSize <= len(n.b) && (br.root || level == br.level)
		}
		if !ok {
			r.lost = append(r.lost, br.keys)
			continue
		}
		end := br.keys.to
		for i := children - 1; i >= 0; i-- {
			b := n.b[indexSize+i*branchSize:]
			k := parseKey(b[12:])
			u32 := func(off int) uint32 { return binary.LittleEndian.Uint32(b[off:]) }
			stack = append(stack, branch{at: place{u32(0), u32(4), u32(8)}, keys: span{k, end}, level: level - 1})
			end = k
		}
	}
	slices.SortFunc(r.lost, func(a, b span) int { return compareKeys(a.from, b.from) })
	if badLeaves > 0 {
		r.report(artifact.Damaged, firstBad, "ubifs: bad nodes that the index leads to: %d, first at %#x", badLeaves, firstBad)
	}
}

// leaf adds the node that the index has for k. Data nodes are read later.
func (r *Reader) leaf(c *collection, at place, k key, committed uint64) bool {
	if at.size > maxNode {
		return false
	}
	if k.typ() == typeData {
		c.blocks = append(c.blocks, block{k.ino, k.rest & keyRestMask, committed, at})
		return true
	}
	n, ok := r.node(at)
	if !ok || n.typ != k.typ() || len(n.b) < headerSize+8 || parseKey(n.b[24:]) != k {
		return false
	}
	n.seq = committed
	switch n.typ {
	case typeInode:
		i, ok := parseInode(n, at)
		if ok {
			c.inodes = append(c.inodes, i)
		}
		return ok
	case typeDent, typeXent:
		d, ok := parseDent(n, at)
		if ok {
			c.dents = append(c.dents, d)
		}
		return ok
	}
	return false
}

// resolve keeps the newest of everything.
func (r *Reader) resolve(c *collection) {
	r.inodes = map[uint32]inode{}
	for _, i := range c.inodes {
		if old, ok := r.inodes[i.ino]; !ok || old.seq <= i.seq {
			r.inodes[i.ino] = i
		}
	}
	c.resolveBlocks(r)
	for ino, i := range r.inodes {
		if i.links == 0 {
			delete(r.inodes, ino)
		}
	}

	slices.SortStableFunc(c.dents, func(a, b dent) int {
		return cmp.Or(cmp.Compare(a.key.ino, b.key.ino), cmp.Compare(a.key.typ(), b.key.typ()), cmp.Compare(a.name, b.name), cmp.Compare(a.seq, b.seq))
	})
	r.children, r.xattrs = map[uint32][]dent{}, map[uint32][]dent{}
	for i, d := range c.dents {
		if i+1 < len(c.dents) {
			if next := c.dents[i+1]; next.key.ino == d.key.ino && next.key.typ() == d.key.typ() && next.name == d.name {
				continue
			}
		}
		switch {
		case d.ino == 0:
		case d.key.typ() == typeDent:
			r.children[d.key.ino] = append(r.children[d.key.ino], d)
		case d.key.typ() == typeXent:
			r.xattrs[d.key.ino] = append(r.xattrs[d.key.ino], d)
		}
	}
}

// resolveBlocks sorts the blocks of each inode, drops what is superseded or cut off, and lets a
// file that was written to after its inode reach as far as its data, as the driver's recovery does.
func (c *collection) resolveBlocks(r *Reader) {
	for ino, cuts := range c.cuts {
		slices.SortFunc(cuts, func(a, b cut) int { return cmp.Compare(a.seq, b.seq) })
		for i := len(cuts) - 2; i >= 0; i-- {
			cuts[i].from = min(cuts[i].from, cuts[i+1].from) // of this and all later ones
		}
		c.cuts[ino] = cuts
	}
	slices.SortStableFunc(c.blocks, func(a, b block) int {
		return cmp.Or(cmp.Compare(a.ino, b.ino), cmp.Compare(a.num, b.num), cmp.Compare(a.seq, b.seq))
	})
	r.blocks = map[uint32][]block{}
	for i, b := range c.blocks {
		if i+1 < len(c.blocks) && c.blocks[i+1].ino == b.ino && c.blocks[i+1].num == b.num {
			continue
		}
		cuts := c.cuts[b.ino]
		later := sort.Search(len(cuts), func(i int) bool { return cuts[i].seq > b.seq })
		if later < len(cuts) && cuts[later].from <= b.num {
			continue
		}
		r.blocks[b.ino] = append(r.blocks[b.ino], b)
		if n, ok := r.inodes[b.ino]; ok && b.seq > n.seq && n.mode.IsRegular() && int64(b.num)*blockSize >= n.size {
			n.size = int64(b.num)*blockSize + r.blockLength(b)
			r.inodes[b.ino] = n
		}
	}
}

// blockLength returns how many bytes a data node tells to hold.
func (r *Reader) blockLength(b block) int64 {
	if n, ok := r.node(b.at); ok && len(n.b) >= dataSize {
		return min(int64(binary.LittleEndian.Uint32(n.b[40:])), blockSize)
	}
	return 0
}

func comprName(c uint16) string {
	switch c {
	case comprNone:
		return "none"
	case comprLZO:
		return "lzo"
	case comprZlib:
		return "zlib"
	case comprZstd:
		return "zstd"
	}
	return fmt.Sprint(c)
}
