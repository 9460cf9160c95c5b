package ext

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"sort"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// The journal of ext3 and ext4 is JBD2's, https://docs.kernel.org/filesystems/ext4/journal.html.
// It is a ring of blocks, big-endian, in the order of transactions: descriptors that say where
// the blocks behind them belong, revocations, and a commit. What was committed and not yet
// written to its place is read from the journal instead.
const (
	journalMagic = 0xc03b3998

	blockDescriptor = 1
	blockCommit     = 2
	blockSuper1     = 3
	blockSuper2     = 4
	blockRevoke     = 5

	compatChecksum = 0x1 // version 1: one sum for a whole transaction

	incompatRevoke     = 0x1
	incompatJournal64  = 0x2
	incompatAsync      = 0x4
	incompatSum2       = 0x8
	incompatSum3       = 0x10
	incompatFastCommit = 0x20

	tagEscaped  = 0x1
	tagSameUUID = 0x2
	tagLast     = 0x8
)

// journal is an opened journal.
type journal struct {
	r                *Reader
	runs             []run // where its blocks stand
	blocks           uint32
	first            uint32 // of the ring
	compat, incompat uint32
	seed             uint32 // of checksums
	moved            map[uint64]moved
	pending          []tag
	transactions     int
}

// moved is a block whose newest content is in the journal.
type moved struct {
	at      int64
	escaped bool // its first 4 bytes are the journal's magic and stand there as zeros
}

type tag struct {
	block    uint64
	at       int64
	escaped  bool
	sum      uint32
	sequence uint32
}

// replay makes r read what the journal committed. It returns what is wrong with the journal.
func (r *Reader) replay() error {
	in, err := r.inode(r.journal)
	if err != nil {
		return err
	}
	j := &journal{r: r, moved: map[uint64]moved{}}
	most := uint64(r.src.Size() / r.block)
	for m := r.blockMap(in); uint64(len(j.runs)) < most; {
		x, err := m.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		j.runs = append(j.runs, x)
	}
	start, sequence, err := j.super()
	if err != nil || start == 0 {
		return err
	}
	if err = j.walk(start, sequence); len(j.moved) > 0 {
		over := func(s *io.SectionReader) *io.SectionReader {
			return io.NewSectionReader(&overlay{s, r.block, j.moved}, 0, s.Size())
		}
		if r.src.SectionReader = over(r.src.SectionReader); r.src.Unnoted != nil {
			r.src.Unnoted = over(r.src.Unnoted)
		}
		r.moved = j.moved
		if s, serr := readSuper(r.src); serr == nil {
			r.super = s
		}
	}
	r.replayed = j.transactions
	return err
}

// at returns where block n of the journal stands, or -1.
func (j *journal) at(n uint32) int64 {
	i := sort.Search(len(j.runs), func(i int) bool { return j.runs[i].file+j.runs[i].count > uint64(n) })
	if i == len(j.runs) || uint64(n) < j.runs[i].file {
		return -1
	}
	return int64(j.runs[i].at+uint64(n)-j.runs[i].file) * j.r.block
}

func (j *journal) read(n uint32) ([]byte, error) {
	at := j.at(n)
	if at < 0 {
		return nil, format.Errorf(artifact.Damaged, 0, "ext: journal: block %d is a hole", n)
	}
	return format.ReadAt(j.r.src, at, j.r.block, "ext: journal")
}

// super reads
//
//	0 magic, 4 type, 12 block size, 16 blocks, 20 first of the ring, 24 transaction expected, 28 start of the log,
//	36 compatible, 40 incompatible features, 48 UUID (16), 80 kind of checksum (1)
func (j *journal) super() (start, sequence uint32, err error) {
	b, err := j.read(0)
	if err != nil {
		return 0, 0, err
	}
	be := binary.BigEndian
	u32 := func(off int) uint32 { return be.Uint32(b[off:]) }
	j.blocks, j.first = u32(16), u32(20)
	switch kind := u32(4); {
	case u32(0) != journalMagic || kind != blockSuper1 && kind != blockSuper2 || int64(u32(12)) != j.r.block || j.first == 0 || j.blocks <= j.first || u32(28) >= j.blocks:
		return 0, 0, format.Errorf(artifact.Damaged, j.at(0), "ext: journal at %#x: no superblock", j.at(0))
	case kind == blockSuper2:
		j.compat, j.incompat = u32(36), u32(40)
		j.seed = crc32c(^uint32(0), b[48:64])
	}
	const known = incompatRevoke | incompatJournal64 | incompatAsync | incompatSum2 | incompatSum3 | incompatFastCommit
	if unknown := j.incompat &^ known; unknown != 0 {
		return 0, 0, format.Errorf(artifact.Unsupported, j.at(0), "ext: journal at %#x: features %#x", j.at(0), unknown)
	}
	if j.incompat&incompatFastCommit != 0 {
		fast := u32(84)
		if fast == 0 {
			fast = 256 // the kernel's default
		}
		if fast >= j.blocks-j.first {
			return 0, 0, format.Errorf(artifact.Damaged, j.at(0), "ext: journal at %#x: %d blocks of fast commits", j.at(0), fast)
		}
		j.blocks -= fast
	}
	return u32(28), u32(24), nil
}

// crc32c is Castagnoli's CRC without the inversions at begin and end.
func crc32c(seed uint32, b []byte) uint32 {
	return ^crc32.Update(^seed, crc32.MakeTable(crc32.Castagnoli), b)
}

// walk goes through the log from block n on. A block of another transaction than the one
// expected is its end; blocks without a commit behind them are forgotten.
func (j *journal) walk(n, sequence uint32) error {
	var revoked []uint64
	sum := ^uint32(0) // of version 1: over descriptors and data
	for left := j.blocks; left > 0; left-- {
		b, err := j.read(n)
		if err != nil {
			return err
		}
		be := binary.BigEndian
		if be.Uint32(b) != journalMagic || be.Uint32(b[8:]) != sequence {
			break
		}
		at := j.at(n)
		n = j.next(n)
		switch kind := be.Uint32(b[4:]); kind {
		case blockDescriptor, blockRevoke:
			if !j.tail(b) {
				return j.fault(at, sequence, "checksum of a block of type %d", kind)
			}
			if kind == blockRevoke {
				revoked = append(revoked, j.revocations(b)...)
				continue
			}
			sum = j.sum(sum, b)
			for _, t := range j.tags(b) {
				if left--; left == 0 {
					return j.fault(at, sequence, "more blocks than the journal has")
				}
				t.at = j.at(n)
				t.sequence = sequence
				data, err := j.read(n)
				if err != nil {
					return err
				}
				sum = j.sum(sum, data)
				if !j.dataSum(t, data) {
					return j.fault(t.at, sequence, "checksum of block %d", t.block)
				}
				j.pending = append(j.pending, t)
				n = j.next(n)
			}
		case blockCommit:
			if !j.commitSum(b, sum) {
				return j.fault(at, sequence, "checksum of the commit")
			}
			j.commit(revoked, sequence)
			revoked, sum = nil, ^uint32(0)
			sequence++
		default:
			return j.fault(at, sequence, "block of type %d", kind)
		}
	}
	return nil
}

func (j *journal) fault(at int64, sequence uint32, text string, args ...any) error {
	return format.Errorf(artifact.Damaged, at, "ext: journal at %#x: transaction %d: %s: what follows is not replayed", at, sequence, fmt.Sprintf(text, args...))
}

func (j *journal) next(n uint32) uint32 {
	if n++; n >= j.blocks {
		n = j.first
	}
	return n
}

// commit takes the pending blocks for written, but for what this or a later transaction revokes.
func (j *journal) commit(revoked []uint64, sequence uint32) {
	for _, t := range j.pending {
		j.moved[t.block] = moved{t.at, t.escaped}
	}
	// A revocation is about the blocks of its own transaction, too: those that are to stay are
	// taken out of it when the transaction is written.
	for _, block := range revoked {
		delete(j.moved, block)
	}
	j.pending = nil
	j.transactions++
}

// tags returns what a descriptor says of the blocks behind it.
func (j *journal) tags(b []byte) (out []tag) {
	be := binary.BigEndian
	size := 8
	if j.incompat&incompatSum2 != 0 {
		size += 2
	}
	if j.incompat&incompatJournal64 != 0 {
		size += 4
	}
	if j.incompat&incompatSum3 != 0 {
		size = 16
	}
	end := len(b)
	if j.incompat&(incompatSum2|incompatSum3) != 0 {
		end -= 4
	}
	for pos := 12; pos+size <= end; {
		t := tag{block: uint64(be.Uint32(b[pos:]))}
		var flags uint32
		if j.incompat&incompatSum3 != 0 {
			flags, t.sum = be.Uint32(b[pos+4:]), be.Uint32(b[pos+12:])
		} else {
			flags, t.sum = uint32(be.Uint16(b[pos+6:])), uint32(be.Uint16(b[pos+4:]))
		}
		if j.incompat&incompatJournal64 != 0 {
			t.block |= uint64(be.Uint32(b[pos+8:])) << 32
		}
		t.escaped = flags&tagEscaped != 0
		out = append(out, t)
		if flags&tagLast != 0 {
			break
		}
		if pos += size; flags&tagSameUUID == 0 {
			pos += 16
		}
	}
	return out
}

// revocations returns the blocks that a revocation names: behind the header how many bytes of
// the block it uses, then the numbers.
func (j *journal) revocations(b []byte) (out []uint64) {
	be := binary.BigEndian
	size := 4
	if j.incompat&incompatJournal64 != 0 {
		size = 8
	}
	for pos, end := 16, min(int(be.Uint32(b[12:])), len(b)); pos+size <= end; pos += size {
		v := uint64(be.Uint32(b[pos:]))
		if size == 8 {
			v = be.Uint64(b[pos:])
		}
		out = append(out, v)
	}
	return out
}

// tail checks the checksum at the end of a descriptor or revocation, versions 2 and 3.
func (j *journal) tail(b []byte) bool {
	if j.incompat&(incompatSum2|incompatSum3) == 0 {
		return true
	}
	n := len(b) - 4
	return crc32c(crc32c(j.seed, b[:n]), make([]byte, 4)) == binary.BigEndian.Uint32(b[n:])
}

// dataSum checks the checksum of a block of data, of which version 2 keeps the lower half.
func (j *journal) dataSum(t tag, data []byte) bool {
	if j.incompat&(incompatSum2|incompatSum3) == 0 {
		return true
	}
	sum := crc32c(crc32c(j.seed, binary.BigEndian.AppendUint32(nil, t.sequence)), data)
	if j.incompat&incompatSum3 == 0 {
		sum &= 0xffff
	}
	return sum == t.sum
}

// commitSum checks a commit: 12 kind of checksum (1), 13 its size (1), 16 checksum.
func (j *journal) commitSum(b []byte, sum uint32) bool {
	const crc32Kind = 1
	want := binary.BigEndian.Uint32(b[16:])
	switch {
	case j.incompat&(incompatSum2|incompatSum3) != 0:
		return crc32c(crc32c(crc32c(j.seed, b[:16]), make([]byte, 4)), b[20:]) == want
	case j.compat&compatChecksum != 0 && b[12] == crc32Kind && b[13] == 4:
		return sum == want
	}
	return true
}

// sum goes on with the checksum of version 1, if there is one.
func (j *journal) sum(sum uint32, b []byte) uint32 {
	if j.compat&compatChecksum == 0 {
		return sum
	}
	return crc32be(sum, b)
}

// crc32be is Linux's crc32_be: the polynomial 0x04c11db7, highest bit first, without inversions.
func crc32be(crc uint32, b []byte) uint32 {
	for _, c := range b {
		crc ^= uint32(c) << 24
		for range 8 {
			if crc&(1<<31) != 0 {
				crc = crc<<1 ^ 0x04c11db7
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

// overlay reads the file system with the blocks that moved.
type overlay struct {
	src   io.ReaderAt
	block int64
	moved map[uint64]moved
}

func (o *overlay) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at := off + int64(n)
		want := int(min(int64(len(p)-n), o.block-at%o.block))
		m, ok := o.moved[uint64(at/o.block)]
		if !ok {
			for want < len(p)-n { // as far as nothing moved
				if _, ok := o.moved[uint64((at+int64(want))/o.block)]; ok {
					break
				}
				want = min(len(p)-n, want+int(o.block))
			}
			k, err := o.src.ReadAt(p[n:n+want], at)
			if n += k; err != nil {
				return n, err
			}
			continue
		}
		in := at % o.block
		k, err := o.src.ReadAt(p[n:n+want], m.at+in)
		if m.escaped && in < 4 {
			var magic [4]byte
			binary.BigEndian.PutUint32(magic[:], journalMagic)
			copy(p[n:n+k], magic[in:])
		}
		if n += k; err != nil {
			return n, err
		}
	}
	return n, nil
}
