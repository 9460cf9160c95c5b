package sevenzip

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
	"testing"

	"hallmark/unpack/format"
)

// deltaArchive makes an archive of n files of size bytes in one folder with a Delta coder alone.
// Its plain header is written by hand.
func deltaArchive(n, size int, mangle func(header []byte)) (archive []byte, contents [][]byte) {
	num := func(v int) []byte { return append([]byte{0xf0}, binary.LittleEndian.AppendUint32(nil, uint32(v))...) }
	var packed []byte
	var last byte
	h := []byte{idHeader, idMainStreams, idPackInfo, 0, 1, idSize}
	h = append(append(h, num(n*size)...), idEnd, idUnpackInfo, idFolder, 1, 0, 1, 0x21, methodDelta, 1, 0, idCodersUnpackSize)
	h = append(append(h, num(n*size)...), idEnd, idSubStreams, idNumUnpackStream)
	h = append(append(h, num(n)...), idSize)
	crcs, names := []byte{idCRC, 1}, []byte{0}
	for i := range n {
		content := make([]byte, size)
		for k := range content {
			content[k] = byte(k*k>>(i&3) + i)
			packed = append(packed, content[k]-last)
			last = content[k]
		}
		contents = append(contents, content)
		if i < n-1 {
			h = append(h, num(size)...)
		}
		crcs = binary.LittleEndian.AppendUint32(crcs, crc32.ChecksumIEEE(content))
		names = append(names, 'a'+byte(i), 0, 0, 0)
	}
	h = append(append(h, crcs...), idEnd, idEnd, idFiles)
	h = append(append(append(append(h, num(n)...), idNames), num(len(names))...), names...)
	h = append(h, idEnd, idEnd)
	if mangle != nil {
		mangle(h)
	}
	start := binary.LittleEndian.AppendUint64(nil, uint64(len(packed)))
	start = binary.LittleEndian.AppendUint64(start, uint64(len(h)))
	start = binary.LittleEndian.AppendUint32(start, crc32.ChecksumIEEE(h))
	b := binary.LittleEndian.AppendUint32([]byte(magic+"\x00\x04"), crc32.ChecksumIEEE(start))
	return append(append(append(b, start...), packed...), h...), contents
}

func source(b []byte, memory int64) format.Source {
	return format.Source{SectionReader: io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), MaxMemory: memory}
}

func readers(t *testing.T, b []byte, memory int64) []func() (io.Reader, error) {
	c, err := open(source(b, memory))
	if err != nil {
		t.Fatal(err)
	}
	var list []func() (io.Reader, error)
	for e, err := range c.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e.Open)
	}
	return list
}

// TestSharedFolder reads the files of one folder in orders that a kept pass serves and in some that it does not.
func TestSharedFolder(t *testing.T) {
	const n, size = 8, 300_000 // of which a pass keeps two blocks of 256 KiB
	b, want := deltaArchive(n, size, nil)
	read := func(t *testing.T, open func() (io.Reader, error), want []byte) {
		r, err := open()
		if err != nil {
			t.Error(err)
			return
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, %v; want %d", len(got), err, len(want))
		}
	}
	for _, order := range [][]int{{0, 1, 2, 3, 4, 5, 6, 7}, {7, 6, 5, 4, 3, 2, 1, 0}, {3, 3, 0, 7, 1, 7, 2}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			list := readers(t, b, 4096)
			for _, i := range order {
				read(t, list[i], want[i])
			}
		})
	}
	t.Run("at a time", func(t *testing.T) {
		var wg sync.WaitGroup
		for i, open := range readers(t, b, 4096) {
			wg.Go(func() { read(t, open, want[i]) })
		}
		wg.Wait()
	})
	t.Run("in turn", func(t *testing.T) {
		var rs []io.Reader
		got := make([][]byte, n)
		for _, open := range readers(t, b, 4096) {
			r, err := open()
			if err != nil {
				t.Fatal(err)
			}
			rs = append(rs, r)
		}
		p := make([]byte, 60_000)
		for range 10 {
			for i, r := range rs {
				k, _ := r.Read(p)
				got[i] = append(got[i], p[:k]...)
			}
		}
		for i := range got {
			if !bytes.HasPrefix(want[i], got[i]) || len(got[i]) < size/2 {
				t.Errorf("file %d: %d bytes, which are wrong", i, len(got[i]))
			}
		}
	})
}

// TestOnePass counts how often the packed bytes are read.
func TestOnePass(t *testing.T) {
	b, _ := deltaArchive(8, 300_000, nil)
	count := &counter{b: b}
	src := source(b, 0)
	src.SectionReader = io.NewSectionReader(count, 0, int64(len(b)))
	c, err := open(src)
	if err != nil {
		t.Fatal(err)
	}
	for e := range c.Entries() {
		r, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, r)
	}
	if count.n > int64(len(b))*11/10 {
		t.Errorf("%d bytes read of %d", count.n, len(b))
	}
}

type counter struct {
	b []byte
	n int64
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	n, err := bytes.NewReader(c.b).ReadAt(p, off)
	c.n += int64(n)
	return n, err
}

func TestBadHeaders(t *testing.T) {
	for _, tc := range []struct {
		name   string
		mangle func(h []byte)
	}{
		{"huge count of files", func(h []byte) {
			i := bytes.LastIndexByte(h, idNames)
			copy(h[i-4:], "\xff\xff\xff\x0f")
		}},
		{"unknown property", func(h []byte) { h[0] = 0x55 }},
		{"packed stream too large", func(h []byte) { copy(h[7:], "\xff\xff\xff\x7f") }},
		{"stream larger than folder", func(h []byte) {
			i := bytes.Index(h, []byte{idSubStreams})
			copy(h[i+8:], "\xf0\xff\xff\xff\x7f")
		}},
	} {
		b, _ := deltaArchive(3, 100, tc.mangle)
		c, err := open(source(b, 0))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		faults := 0
		for e, err := range c.Entries() {
			if err == nil {
				_, err = e.Open()
			}
			if err != nil {
				faults++
			}
		}
		if faults == 0 || c.Size() != int64(len(b)) {
			t.Errorf("%s: %d problems, size %d of %d", tc.name, faults, c.Size(), len(b))
		}
	}
}
