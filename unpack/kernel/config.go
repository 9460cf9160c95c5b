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
	b := make([]byte, min(maxConfig, src.Size()))
	n, _ := src.ReadAt(b, 0)
	if b = b[:n]; !bytes.HasPrefix(b, []byte(configStart+"\x1f\x8b\x08")) {
		return nil, format.Not("ikconfig: no gzip stream behind the mark")
	}
	end := bytes.Index(b, []byte(configEnd))
	if end < 0 {
		return nil, format.Not("ikconfig: no end within %d bytes", len(b))
	}
	return &image{
		size:    int64(end + len(configEnd)),
		path:    "config.gz",
		payload: artifact.Range{Off: int64(len(configStart)), Len: int64(end - len(configStart))},
	}, nil
}
