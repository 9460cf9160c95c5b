package fingerprint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"hallmark/artifact"
	"hallmark/feature"
)

// Background is a compact filter of features that say nothing, because other software has them:
// a split-block Bloom filter (Putze, Sanders, Singler 2007, as in Apache Parquet's
// BloomFilter.md). Its errors take a feature for a common one, so they only remove evidence.
type Background struct {
	Header BackgroundHeader
	Digest artifact.Digest // of the file
	words  []uint32        // blocks of eight
}

// BackgroundHeader says what a background was made of.
type BackgroundHeader struct {
	Extractor int             `json:"extractor"` // [feature.Version]
	Contents  int             `json:"contents"`
	Features  int             `json:"features"`
	Blocks    int             `json:"blocks"`
	Sources   artifact.Digest `json:"sources"` // SHA-256 of the sorted digests of the contents
}

const (
	backgroundMagic = "hallmark-background-1\n"
	bitsPerFeature  = 12 // about one error in 300
	maxHeader       = 64 << 20
	maxBlocks       = 1 << 26 // 2 GiB
)

// salts choose one bit of each of a block's eight words (BloomFilter.md).
var salts = [8]uint32{0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31}

// NewBackground makes the background of samples.
func NewBackground(samples []Sample) *Background {
	var all []uint64
	var digests []artifact.Digest
	for _, s := range samples {
		digests = append(digests, s.Digest)
		for c, list := range s.Set.Lists {
			for _, f := range list {
				all = append(all, keyOf(feature.Class(c), f.Hash))
			}
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	slices.SortFunc(digests, func(a, b artifact.Digest) int { return bytes.Compare(a[:], b[:]) })
	digests = slices.Compact(digests)
	blocks := max(1, (len(all)*bitsPerFeature+255)/256)
	b := &Background{words: make([]uint32, 8*blocks)}
	for _, h := range all {
		block, low := b.block(h)
		for i, salt := range salts {
			block[i] |= 1 << (low * salt >> 27)
		}
	}
	b.Header = BackgroundHeader{feature.Version, len(digests), len(all), blocks, sumDigests(digests)}
	return b
}

// keyOf makes a hash of a class one of all classes.
func keyOf(c feature.Class, h uint64) uint64 {
	return (h ^ uint64(c+1)*0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93
}

func (b *Background) block(h uint64) ([]uint32, uint32) {
	i, _ := bits.Mul64(h, uint64(len(b.words)/8))
	return b.words[8*i : 8*i+8], uint32(h)
}

// Has reports whether a feature is a common one. A nil background has none.
func (b *Background) Has(c feature.Class, hash uint64) bool {
	if b == nil {
		return false
	}
	block, low := b.block(keyOf(c, hash))
	for i, salt := range salts {
		if block[i]&(1<<(low*salt>>27)) == 0 {
			return false
		}
	}
	return true
}

// WriteTo writes the background as a file.
func (b *Background) WriteTo(w io.Writer) (int64, error) {
	header, err := json.Marshal(b.Header)
	if err != nil {
		return 0, err
	}
	out := binary.BigEndian.AppendUint32([]byte(backgroundMagic), uint32(len(header)))
	out = append(out, header...)
	for _, x := range b.words {
		out = binary.LittleEndian.AppendUint32(out, x)
	}
	n, err := w.Write(out)
	return int64(n), err
}

// ParseBackground reads what [Background.WriteTo] wrote.
func ParseBackground(data []byte) (*Background, error) {
	rest, header, err := cutHeader(data, backgroundMagic)
	if err != nil {
		return nil, fmt.Errorf("fingerprint: background: %w", err)
	}
	b := &Background{Digest: digestOf(data)}
	if err := strictJSON(header, &b.Header); err != nil {
		return nil, fmt.Errorf("fingerprint: background: header: %w", err)
	}
	h := b.Header
	switch {
	case h.Extractor != feature.Version:
		return nil, fmt.Errorf("fingerprint: background: made with extractor %d, this program has %d; build it anew", h.Extractor, feature.Version)
	case h.Blocks < 1 || h.Blocks > maxBlocks || len(rest) != 32*h.Blocks:
		return nil, fmt.Errorf("fingerprint: background: %d blocks in %d bytes", h.Blocks, len(rest))
	}
	b.words = make([]uint32, 8*h.Blocks)
	for i := range b.words {
		b.words[i] = binary.LittleEndian.Uint32(rest[4*i:])
	}
	return b, nil
}

// cutHeader takes the magic, a length and a header of that length from data.
func cutHeader(data []byte, magic string) (rest, header []byte, err error) {
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(rest) < 4 {
		return nil, nil, fmt.Errorf("does not begin with %q", magic)
	}
	n := binary.BigEndian.Uint32(rest)
	if rest = rest[4:]; n > maxHeader || int64(n) > int64(len(rest)) {
		return nil, nil, fmt.Errorf("header of %d bytes, file has %d more", n, len(rest))
	}
	return rest[n:], rest[:n], nil
}

// strictJSON decodes data, one document without unknown keys.
func strictJSON(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("data behind the document")
	}
	return nil
}
