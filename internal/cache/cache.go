// Package cache keeps on disk what was found out about contents, so that no run does it again.
//
// A cache is a folder of packs. A pack is written by one run to a temporary file and gets its name
// when it is whole; nothing changes it afterwards, so any number of processes may share a folder.
// What a record says holds for one build of the program and one key; it is read only if its
// checksum fits, and the bytes of a content only if they still have their name. Anything else in
// the folder is passed over, with a word in [Cache.Notes].
package cache

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hallmark/artifact"
)

// Key names a record.
type Key [keyLen]byte

const keyLen = 16

// Cache is a folder that was opened. It is safe for concurrent use. A nil *Cache holds nothing and
// takes nothing.
type Cache struct {
	dir   string
	limit int64
	build string
	packs []*pack

	mu    sync.Mutex
	file  *os.File // of the new pack, until it gets its name
	w     *bufio.Writer
	end   int64
	index []entry
	have  map[Key]bool // in index
	fault error        // ends writing
	notes []string
}

// A pack is a header, records one behind the other, the index in order of key and a footer.
const (
	magic     = "hallmark cache 1"
	entryLen  = keyLen + 16     // key, offset, length
	footerLen = 8 + 8 + 32 + 16 // offset and length of the index, its SHA-256, magic
	sumLen    = 16              // of a record, at its end
	suffix    = ".pack"
	partial   = "partial-"
	abandoned = 24 * time.Hour // a partial pack this old has no writer any more
)

type entry struct {
	key      Key
	off, len int64
}

type pack struct {
	file  *os.File
	end   int64 // of the records
	index []byte
	used  atomic.Bool
}

// Open opens the cache in dir, making it if needed, for a program whose build is named so. limit
// bounds what the folder may hold, in bytes.
func Open(dir string, limit int64, build string) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	c := &Cache{dir: dir, limit: limit, build: build, have: map[Key]bool{}}
	for _, n := range names {
		name := filepath.Join(dir, n.Name())
		switch filepath.Ext(name) {
		case suffix:
			p, err := openPack(name)
			if err != nil {
				c.notes = append(c.notes, fmt.Sprintf("cache: %s ignored: %v", name, err))
				continue
			}
			c.packs = append(c.packs, p)
		default:
			if info, err := n.Info(); err == nil && strings.HasPrefix(n.Name(), partial) && time.Since(info.ModTime()) > abandoned {
				os.Remove(name)
			}
		}
	}
	return c, nil
}

var errDamaged = errors.New("not a pack of this cache, or damaged")

func openPack(name string) (*pack, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	p := &pack{file: f}
	if err := p.readIndex(); err != nil {
		f.Close()
		return nil, err
	}
	return p, nil
}

func (p *pack) readIndex() error {
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	var foot [footerLen]byte
	at := info.Size() - footerLen
	if at < 0 {
		return errDamaged
	}
	if _, err := p.file.ReadAt(foot[:], at); err != nil {
		return err
	}
	off, n := int64(binary.LittleEndian.Uint64(foot[:])), int64(binary.LittleEndian.Uint64(foot[8:]))
	if string(foot[48:]) != magic || off < 0 || n < 0 || off > at || n != at-off || n%entryLen != 0 {
		return errDamaged
	}
	p.end, p.index = off, make([]byte, n)
	if _, err := p.file.ReadAt(p.index, off); err != nil {
		return err
	}
	if sha256.Sum256(p.index) != [32]byte(foot[16:48]) {
		return errDamaged
	}
	return nil
}

// find looks k up. Keys are digests and so evenly spread.
func (p *pack) find(k Key) (entry, bool) {
	n := len(p.index) / entryLen
	i := sort.Search(n, func(i int) bool { return bytes.Compare(p.index[i*entryLen:][:keyLen], k[:]) >= 0 })
	if i == n || Key(p.index[i*entryLen:]) != k {
		return entry{}, false
	}
	b := p.index[i*entryLen+keyLen:]
	return entry{k, int64(binary.LittleEndian.Uint64(b)), int64(binary.LittleEndian.Uint64(b[8:]))}, true
}

// KeyOf names what the plan, which is all that the result depends on, finds out about content d.
func (c *Cache) KeyOf(d artifact.Digest, plan ...[]byte) Key {
	h := sha256.New()
	if c != nil {
		fmt.Fprintf(h, "%d %s", len(c.build), c.build)
	}
	h.Write(d[:])
	for _, p := range plan {
		binary.Write(h, binary.LittleEndian, int64(len(p)))
		h.Write(p)
	}
	return Key(h.Sum(nil))
}

// bytesKey names the bytes of d, which depend on no build.
func bytesKey(d artifact.Digest) Key {
	h := sha256.Sum256(append([]byte("bytes "), d[:]...))
	return Key(h[:])
}

// Get reads the record named k into v, a pointer, and reports whether there is one.
func (c *Cache) Get(k Key, v any) bool {
	p, e, ok := c.lookup(k)
	if !ok {
		return false
	}
	b := make([]byte, e.len)
	if _, err := p.file.ReadAt(b, e.off); err != nil {
		c.damaged(p, e, err)
		return false
	}
	body := b[:max(0, len(b)-sumLen)]
	if err := errDamaged; len(b) < sumLen || checksum(k, body) != [sumLen]byte(b[len(body):]) {
		c.damaged(p, e, err)
		return false
	}
	if err := decode(body, v); err != nil {
		c.damaged(p, e, err)
		return false
	}
	p.used.Store(true)
	return true
}

// Bytes returns the bytes that were kept as d, or nil. The caller has to name them anew: what has
// another name by then is damaged.
func (c *Cache) Bytes(d artifact.Digest) *io.SectionReader {
	p, e, ok := c.lookup(bytesKey(d))
	if !ok {
		return nil
	}
	p.used.Store(true)
	return io.NewSectionReader(p.file, e.off, e.len)
}

func (c *Cache) lookup(k Key) (*pack, entry, bool) {
	if c == nil {
		return nil, entry{}, false
	}
	for _, p := range c.packs {
		e, ok := p.find(k)
		if !ok {
			continue
		}
		if e.off < 0 || e.len < 0 || e.off > p.end || e.len > p.end-e.off {
			c.damaged(p, e, errDamaged)
			continue
		}
		return p, e, true
	}
	return nil, entry{}, false
}

func (c *Cache) damaged(p *pack, e entry, err error) {
	c.note("cache: %s: record at %#x ignored: %v", p.file.Name(), e.off, err)
}

// maxNotes bounds what is said of a folder that is damaged all over.
const maxNotes = 20

func (c *Cache) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.notes) < maxNotes {
		c.notes = append(c.notes, fmt.Sprintf(format, args...))
	}
}

// Damaged says that the bytes kept as d have another name.
func (c *Cache) Damaged(d artifact.Digest) { c.note("cache: bytes of %s ignored: %v", d, errDamaged) }

// Put keeps v as k unless there is a record already.
func (c *Cache) Put(k Key, v any) {
	if c == nil || c.knows(k) {
		return
	}
	b := encode(nil, v)
	sum := checksum(k, b)
	c.write(k, io.MultiReader(bytes.NewReader(b), bytes.NewReader(sum[:])))
}

// PutBytes keeps the bytes of r, which is named d.
func (c *Cache) PutBytes(d artifact.Digest, r io.Reader) {
	if k := bytesKey(d); c != nil && !c.knows(k) {
		c.write(k, r)
	}
}

func (c *Cache) knows(k Key) bool {
	for _, p := range c.packs {
		if _, ok := p.find(k); ok {
			return true
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.have[k] || c.fault != nil
}

func checksum(k Key, b []byte) [sumLen]byte {
	h := sha256.New()
	h.Write(k[:])
	h.Write(b)
	return [sumLen]byte(h.Sum(nil))
}

func (c *Cache) write(k Key, r io.Reader) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.have[k] || c.fault != nil {
		return
	}
	if c.file == nil {
		f, err := os.CreateTemp(c.dir, partial)
		if err != nil {
			c.fault = err
			return
		}
		c.file, c.w = f, bufio.NewWriterSize(f, 1<<20)
	}
	n, err := io.Copy(c.w, io.LimitReader(r, c.limit-c.end+1))
	if err == nil && c.end+n > c.limit {
		err = fmt.Errorf("more than the %d bytes that the cache may hold", c.limit)
	}
	if err != nil {
		c.fault = err
		return
	}
	c.have[k] = true
	c.index = append(c.index, entry{k, c.end, n})
	c.end += n
}

// Close gives the new pack its name, and takes the packs that were used the longest ago away until
// the folder keeps its limit.
func (c *Cache) Close() {
	if c == nil {
		return
	}
	now := time.Now()
	for _, p := range c.packs {
		if p.used.Load() {
			os.Chtimes(p.file.Name(), now, now)
		}
		p.file.Close()
	}
	if c.file != nil {
		err := c.fault
		if err == nil {
			err = c.finish()
		}
		if err := errors.Join(err, c.file.Close()); err == nil {
			c.fault = os.Rename(c.file.Name(), filepath.Join(c.dir, filepath.Base(c.file.Name())[len(partial):]+suffix))
		} else {
			c.fault = err
			os.Remove(c.file.Name())
		}
	}
	if c.fault != nil {
		c.note("cache: nothing kept: %v", c.fault)
	}
	c.trim()
}

// finish writes the index and the footer.
func (c *Cache) finish() error {
	slices.SortFunc(c.index, func(x, y entry) int { return bytes.Compare(x.key[:], y.key[:]) })
	var b []byte
	for _, e := range c.index {
		b = append(b, e.key[:]...)
		b = binary.LittleEndian.AppendUint64(b, uint64(e.off))
		b = binary.LittleEndian.AppendUint64(b, uint64(e.len))
	}
	sum := sha256.Sum256(b)
	foot := binary.LittleEndian.AppendUint64(nil, uint64(c.end))
	foot = binary.LittleEndian.AppendUint64(foot, uint64(len(b)))
	foot = append(append(foot, sum[:]...), magic...)
	c.w.Write(b)
	c.w.Write(foot)
	return c.w.Flush()
}

func (c *Cache) trim() {
	type file struct {
		name string
		size int64
		used time.Time
	}
	var files []file
	var sum int64
	names, _ := os.ReadDir(c.dir)
	for _, n := range names {
		if info, err := n.Info(); err == nil && filepath.Ext(n.Name()) == suffix {
			files = append(files, file{filepath.Join(c.dir, n.Name()), info.Size(), info.ModTime()})
			sum += info.Size()
		}
	}
	slices.SortFunc(files, func(x, y file) int { return cmp.Or(x.used.Compare(y.used), cmp.Compare(x.name, y.name)) })
	for _, f := range files {
		if sum <= c.limit {
			return
		}
		if os.Remove(f.name) == nil {
			sum -= f.size
		}
	}
}

// Notes returns what was passed over and why, one line each.
func (c *Cache) Notes() []string {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.notes
}
