package kernel

import (
	"bytes"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Config is the configuration that a kernel was built with, as CONFIG_IKCONFIG keeps it in the
// kernel or in a module: a gzip stream between two marks.
var Config = format.Format{
	Name:   "ikconfig",
	Title:  "Linux kernel configuration",
	Kind:   format.Boot,
	Magics: []format.Magic{{Bytes: configStart + "\x1f\x8b\x08"}},
	Refs:   []format.Ref{{Title: "Linux kernel/configs.c", URL: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/kernel/configs.c"}},
	Open:   func(src format.Source) (format.Chunk, error) { return openConfig(src) },
}

const (
	configStart = "IKCFG_ST"
	configEnd   = "IKCFG_ED"
	maxConfig   = 1 << 20 // compressed; real ones have up to 60 KiB
)

func openConfig(src format.Source) (*image, error) {
	b := make([]byte, len(configStart)+3)
	if n, _ := src.ReadAt(b, 0); n < len(b) || string(b) != configStart+"\x1f\x8b\x08" {
		return nil, format.Not("ikconfig: no gzip stream behind the mark")
	}
	// Read on in steps, no further than to the next mark of either kind.
	const step, overlap = 4096, len(configEnd) - 1
	buf := make([]byte, step+overlap)
	for off := int64(len(configStart)); off < min(maxConfig, src.Size()); off += step {
		n, _ := src.ReadAt(buf, off)
		end := bytes.Index(buf[:n], []byte(configEnd))
		if start := bytes.Index(buf[:n], []byte(configStart)); start >= 0 && (end < 0 || start < end) {
			return nil, format.Not("ikconfig: another start at %#x", off+int64(start))
		}
		if end < 0 {
			continue
		}
		size := off + int64(end+len(configEnd))
		return &image{
			size:    size,
			path:    "config.gz",
			payload: artifact.Range{Off: int64(len(configStart)), Len: size - int64(len(configStart)+len(configEnd))},
		}, nil
	}
	return nil, format.Not("ikconfig: no end within %d bytes", maxConfig)
}
