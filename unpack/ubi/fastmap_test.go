package ubi

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"
)

// fastmap returns an erase block with a fastmap of the area in b, whose entries change may alter.
func fastmap(t *testing.T, r *Reader, change func(k leb, peb uint32) uint32) []byte {
	t.Helper()
	be := binary.BigEndian
	head := make([]byte, fastmapHeadSize)
	be.PutUint32(head, fastmapHeader)
	pool := make([]byte, fastmapPoolSize)
	be.PutUint32(pool, fastmapPool)
	body := append(append(make([]byte, fastmapSize), head...), append(pool, pool...)...)
	volumes := append([]*volume{{id: layoutVolume, lebs: 2}}, r.volumes...)
	be.PutUint32(body[fastmapSize+24:], uint32(len(volumes)))
	for _, v := range volumes {
		h := make([]byte, fastmapVolSize+8)
		be.PutUint32(h, fastmapVolHead)
		be.PutUint32(h[4:], v.id)
		be.PutUint32(h[fastmapVolSize:], fastmapTable)
		be.PutUint32(h[fastmapVolSize+4:], uint32(v.lebs))
		body = append(body, h...)
		for lnum := range uint32(v.lebs) {
			peb := uint32(1<<32 - 1)
			if x, ok := r.lebs[leb{v.id, lnum}]; ok {
				peb = uint32(x.data / r.peb)
			}
			body = be.AppendUint32(body, change(leb{v.id, lnum}, peb))
		}
	}
	be.PutUint32(body, fastmapMagic)
	body[4] = 1
	be.PutUint32(body[12:], 1)
	body = append(body, make([]byte, r.lebSize()-int64(len(body)))...)
	be.PutUint32(body[8:], checksum(body))

	block := bytes.Repeat([]byte{0xff}, int(r.peb))
	copy(block, r.bytes(0, headerSize)) // erase counter header
	vid := block[r.first.vid:][:headerSize]
	clear(vid)
	copy(vid, vidMagic+"\x01\x01")
	be.PutUint32(vid[8:], fastmapVolume)
	be.PutUint64(vid[40:], 1000)
	be.PutUint32(vid[60:], checksum(vid[:60]))
	copy(block[r.first.data:], body)
	return block
}

func TestFastmap(t *testing.T) {
	b, err := os.ReadFile("../../testdata/ubi/plain/input")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	same := func(_ leb, peb uint32) uint32 { return peb }
	tests := map[string]struct {
		change func(leb, uint32) uint32
		broken int // byte of the fastmap that is changed, if not 0
		want   string
	}{
		"agrees":    {same, 0, ""},
		"elsewhere": {func(k leb, peb uint32) uint32 { return peb + peb%2 }, 0, "another erase block holds"},
		"nowhere": {func(k leb, peb uint32) uint32 {
			if k.volume == layoutVolume {
				return peb
			}
			return 1
		}, 0, "erase block holds"},
		"checksum": {same, 400, "checksum"},
		"magic":    {same, 1, "no superblock"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			block := fastmap(t, plain, tt.change)
			if tt.broken > 0 {
				block[int(plain.first.data)+tt.broken] ^= 1
			}
			image := append(bytes.Clone(b), block...)
			r, err := NewReader(bytes.NewReader(image), int64(len(image)))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range r.problem {
				got = append(got, p.Text)
			}
			if text := strings.Join(got, "\n"); tt.want == "" && text != "" || !strings.Contains(text, tt.want) {
				t.Errorf("problems %q, want %q", text, tt.want)
			}
			if len(r.volumes) != len(plain.volumes) {
				t.Errorf("%d volumes, want %d", len(r.volumes), len(plain.volumes))
			}
		})
	}
}
