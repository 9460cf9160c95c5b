package jffs2

import (
	"slices"
	"sort"
)

// Partitions with JFFS2 often stand side by side, and nothing in a node says which filesystem it
// is of. But within one filesystem a version number of an inode or directory is given out once,
// and an inode keeps its file type. Two live nodes that contradict each other here are of two
// filesystems, and the border is at an erase block between them.

// factKey is what only one node of a filesystem may state: the content of version b of inode or
// directory a, or, for kind 0, the file type of inode a.
type factKey struct {
	kind uint16
	a, b uint32
}

// fact is a node's statement. The garbage collector copies nodes as they are, so equal
// statements are no contradiction.
type fact struct {
	off   int64
	ident uint32
	live  bool
}

type statement struct {
	key   factKey
	ident uint32
}

// learn notes a statement. It returns where another filesystem begins, or 0.
func (s *scanner) learn(k factKey, f fact) int64 {
	old, known := s.facts[k]
	if !s.sound {
		return 0
	}
	if !known || f.live && !old.live {
		s.facts[k] = f
	}
	if k.kind != 0 && f.live {
		if cut := s.repetition(statement{k, f.ident}); cut > 0 {
			return cut
		}
	}
	if !known || old.ident == f.ident {
		return 0
	}
	s.pairs = append(s.pairs, extent{old.off, f.off})
	if !old.live || !f.live {
		// An obsolete node's number may be given out again after a mount: a hint, no proof.
		return 0
	}
	cut := s.border(old.off, f.off)
	if cut == 0 {
		s.sound = false // a tool that does not count versions
	}
	return cut
}

// border returns the erase block start between the nodes at from and to that most contradictions
// span, the last of these if there are several, or 0. It lies in the second half of what was
// scanned, so that scanning again from there stays linear in all.
func (s *scanner) border(from, to int64) int64 {
	block := max(s.erase, minErase)
	var cut int64
	most := 0
	for i := len(s.heads) - 1; i >= 0 && s.heads[i].off > max(from, to/2); i-- {
		if (s.heads[i].off-s.base)%block != 0 {
			continue
		}
		if n := s.spanning(s.heads[i].off); n > most {
			cut, most = s.heads[i].off, n
		}
	}
	return cut
}

// spanning counts the contradictions between nodes before off and nodes from off on. Only the
// latest pairs are looked at, which keeps the number of steps small.
func (s *scanner) spanning(off int64) (n int) {
	for _, p := range s.pairs[max(0, len(s.pairs)-1000):] {
		if p.off < off && off <= p.end {
			n++
		}
	}
	return n
}

// minRepeat is how many nodes at the start of an erase block have to repeat the first ones of
// the area, in order, to show a copy of the filesystem rather than garbage collection at work.
const minRepeat = 8

// repetition follows whether nodes repeat those that began the area. It returns where the copy
// begins once it is certain.
func (s *scanner) repetition(st statement) int64 {
	if len(s.first) < minRepeat {
		s.first = append(s.first, st)
		return 0
	}
	if st.key != s.first[s.repeat].key || st.ident != s.first[s.repeat].ident {
		s.repeat = 0
	}
	if st.key != s.first[s.repeat].key || st.ident != s.first[s.repeat].ident {
		return 0
	}
	if s.repeat++; s.repeat == 1 {
		s.copied = len(s.heads) - 1
	}
	if s.repeat < minRepeat {
		return 0
	}
	s.repeat = 0
	block, start := max(s.erase, minErase), s.heads[s.copied].off
	if before := s.heads[s.copied-1].off; (start-s.base)%block == headerSize && before == start-headerSize {
		start = before // its cleanmarker
	}
	if (start-s.base)%block != 0 {
		return 0
	}
	return start
}

// cut forgets everything from off on.
func (s *scanner) cut(off int64) {
	i := sort.Search(len(s.heads), func(i int) bool { return s.heads[i].off >= off })
	s.heads = s.heads[:i]
	s.end = 0
	if i > 0 {
		s.end = s.heads[i-1].end
	}
	s.inodes = slices.DeleteFunc(s.inodes, func(n inode) bool { return n.off >= off })
	s.dirents = slices.DeleteFunc(s.dirents, func(d dirent) bool { return d.off >= off })
	s.oldInodes = slices.DeleteFunc(s.oldInodes, func(n inode) bool { return n.off >= off })
	s.oldDirents = slices.DeleteFunc(s.oldDirents, func(d dirent) bool { return d.off >= off })
	s.xattrs = slices.DeleteFunc(s.xattrs, func(x xattr) bool { return x.off >= off })
	s.xrefs = slices.DeleteFunc(s.xrefs, func(x xref) bool { return x.off >= off })
	s.complaints = slices.DeleteFunc(s.complaints, func(c complaint) bool { return c.off >= off })
	s.filler = slices.DeleteFunc(s.filler, func(f extent) bool { return f.off >= off })
	s.gaps = slices.DeleteFunc(s.gaps, func(g extent) bool { return g.off >= s.end })
}
