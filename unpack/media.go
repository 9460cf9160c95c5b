package unpack

import (
	"bytes"
	"encoding/binary"
)

// media are types whose content is dense by nature and holds no program: their bytes count as
// read. That is only safe for a file that is such a one from its first byte to its last, so each
// has a walk along its parts: five bytes that begin like a font must not clear what is encrypted.
var media = map[string]func(*hot) bool{
	"png": wholePNG, "gif": wholeGIF, "jpeg": wholeJPEG, "font": wholeFont,
	"ogg": wholeOgg, "mp3": wholeMP3, "wav": wholeWAV, "video": wholeMP4,
}

// mediaTail is how many bytes may stand behind the end of a picture: padding of whoever packed it.
const mediaTail = 16

// part returns the n bytes at off; what lies behind the end reads as zeros.
func part(h *hot, off, n int64) []byte {
	b, _ := h.span(min(off, h.src.Size()), n)
	if int64(len(b)) < n {
		b = append(bytes.Clone(b), make([]byte, n-int64(len(b)))...)
	}
	return b
}

func printable(tag []byte) bool {
	for _, c := range tag {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}

// wholePNG follows the chunks (PNG, 5.3) from IHDR to IEND.
func wholePNG(h *hot) bool {
	for off := int64(8); ; {
		b := part(h, off, 8)
		tag := string(b[4:])
		if !printable(b[4:]) || off == 8 && tag != "IHDR" {
			return false
		}
		off += 12 + int64(binary.BigEndian.Uint32(b))
		if tag == "IEND" {
			return off == h.src.Size()
		}
	}
}

// wholeGIF follows the blocks (GIF89a, appendix B) to the trailer.
func wholeGIF(h *hot) bool {
	table := func(flags byte) int64 {
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	off := 13 + table(part(h, 10, 1)[0])
	for {
		switch b := part(h, off, 10); b[0] {
		case 0x21: // extension, label
			off += 2
		case 0x2c: // image: descriptor, local table, code size
			off += 11 + table(b[9])
		default:
			return off == h.src.Size() || b[0] == 0x3b && h.src.Size()-off <= mediaTail // some have no trailer
		}
		for n := int64(1); n > 0; { // sub-blocks
			n = int64(part(h, off, 1)[0])
			off += 1 + n
		}
	}
}

// wholeJPEG follows the markers (ITU-T T.81, annex B) to the end of the image.
func wholeJPEG(h *hot) bool {
	for off := int64(2); ; {
		b := part(h, off, 4)
		m := b[1]
		switch {
		case b[0] != 0xff || m < 0xc0 || m > 0xfe:
			return false
		case m == 0xd9:
			return h.src.Size()-off <= mediaTail
		}
		off += 2 + max(2, int64(binary.BigEndian.Uint16(b[2:])))
		if m == 0xda {
			off = afterScan(h, off)
		}
	}
}

// afterScan returns the offset of the next marker that is no part of entropy-coded bytes.
func afterScan(h *hot, off int64) int64 {
	for off < h.src.Size() {
		b, _ := h.span(off, searchBlock)
		i := bytes.IndexByte(b, 0xff)
		switch {
		case i < 0 && len(b) == 0:
			return h.src.Size()
		case i < 0:
			off += int64(len(b))
		default:
			off += int64(i)
			if m := part(h, off, 2)[1]; m != 0 && m != 0xff && m&^7 != 0xd0 {
				return off
			}
			off++
		}
	}
	return off
}

// wholeFont compares the tables with the length of the file (OpenType, "Table directory"; WOFF 1
// and 2 store their length).
func wholeFont(h *hot) bool {
	head := part(h, 0, 12)
	if string(head[:3]) == "wOF" {
		return int64(binary.BigEndian.Uint32(head[8:])) == h.src.Size()
	}
	n := int64(binary.BigEndian.Uint16(head[4:]))
	sum := 12 + 16*n
	for i := range n {
		b := part(h, 12+16*i, 16)
		off, size := int64(binary.BigEndian.Uint32(b[8:])), int64(binary.BigEndian.Uint32(b[12:]))
		if !printable(b[:4]) || off > h.src.Size() || size > h.src.Size()-off {
			return false
		}
		sum += (size + 3) &^ 3
	}
	return n > 0 && sum >= h.src.Size()-mediaTail
}

// wholeOgg follows the pages (RFC 3533, 6).
func wholeOgg(h *hot) bool {
	off := int64(0)
	for off < h.src.Size() {
		b := part(h, off, 27)
		if string(b[:5]) != "OggS\x00" {
			return false
		}
		n := int64(b[26])
		off += 27 + n
		for _, k := range part(h, off-n, n) {
			off += int64(k)
		}
	}
	return off == h.src.Size()
}

// wholeMP3 follows the frames of layer III (ISO 11172-3, 2.4.1.3) behind an ID3v2 tag.
func wholeMP3(h *hot) bool {
	b := part(h, 0, 10)
	off := 10 + int64(b[6]&0x7f)<<21 + int64(b[7]&0x7f)<<14 + int64(b[8]&0x7f)<<7 + int64(b[9]&0x7f)
	frames := 0
	for ; off < h.src.Size(); frames++ {
		b := part(h, off, 4)
		n := frame(binary.BigEndian.Uint32(b))
		if n == 0 {
			return frames > 0 && string(b[:3]) == "TAG" && h.src.Size()-off <= 128
		}
		off += n
	}
	return frames > 0
}

// Kilobits a second of layer III, for MPEG 1 and for MPEG 2 and 2.5; hertz of MPEG 1.
var (
	mp3Rates   = [2][15]int64{{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}, {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}}
	mp3Samples = [3]int64{44100, 48000, 32000}
)

// frame returns the length of the frame with header h, or 0.
func frame(h uint32) int64 {
	version, layer, rate, sample := h>>19&3, h>>17&3, h>>12&15, h>>10&3
	if h>>21 != 0x7ff || version == 1 || layer != 1 || rate == 0 || rate == 15 || sample == 3 {
		return 0
	}
	padding := int64(h >> 9 & 1)
	switch version {
	case 3:
		return 144000*mp3Rates[0][rate]/mp3Samples[sample] + padding
	case 2:
		return 72000*mp3Rates[1][rate]/(mp3Samples[sample]/2) + padding
	}
	return 72000*mp3Rates[1][rate]/(mp3Samples[sample]/4) + padding
}

// wholeWAV follows the chunks of a RIFF file; each begins at an even offset.
func wholeWAV(h *hot) bool {
	b := part(h, 0, 12)
	if string(b[8:]) != "WAVE" || 8+int64(binary.LittleEndian.Uint32(b[4:])) != h.src.Size() {
		return false
	}
	off := int64(12)
	for off < h.src.Size() {
		b := part(h, off, 8)
		if !printable(b[:4]) || off == 12 && string(b[:4]) != "fmt " && string(b[:4]) != "JUNK" {
			return false
		}
		off += 8 + (int64(binary.LittleEndian.Uint32(b[4:]))+1)&^1
	}
	return off <= h.src.Size()+1
}

// wholeMP4 follows the boxes (ISO 14496-12, 4.2).
func wholeMP4(h *hot) bool {
	off := int64(0)
	for off < h.src.Size() {
		b := part(h, off, 16)
		n := int64(binary.BigEndian.Uint32(b))
		if n == 1 {
			n = int64(binary.BigEndian.Uint64(b[8:]) & (1<<62 - 1))
		}
		if !printable(b[4:8]) {
			return false
		}
		if n == 0 {
			return true // to the end
		}
		if n < 8 || n > h.src.Size()-off {
			return false
		}
		off += n
	}
	return true
}
