package facts

import (
	"bytes"
	"regexp"

	"hallmark/artifact"
)

// Banners with a version in them, not the formats that they are printed by. A kernel's is
// linux_banner of init/version.c, which ends with a line end and a NUL; a boot loader's is
// version_string of U-Boot's cmd/version.c.
var (
	kernelBanner = regexp.MustCompile(`^Linux version \d+\.\d`)
	ubootBanner  = regexp.MustCompile(`^U-Boot (SPL )?\d+\.\d`)
)

func readKernelBanner(c *content, off int64, within artifact.Range) {
	c.sayBanner("kernel.banner", kernelBanner, off, within)
}

func readUBootBanner(c *content, off int64, within artifact.Range) {
	c.sayBanner("uboot.banner", ubootBanner, off, within)
}

const maxBanner = 512

// sayBanner keeps the line at off, unless the content is text, in which the line would speak of
// something else: a log, a manual.
func (c *content) sayBanner(name string, is *regexp.Regexp, off int64, within artifact.Range) {
	if c.isText() {
		return
	}
	b := c.bytes(artifact.Range{Off: off, Len: min(maxBanner, within.End()-off)})
	if n := bytes.IndexFunc(b, func(r rune) bool { return r < ' ' && r != '\t' }); n >= 0 {
		b = b[:n]
	}
	if is.Match(b) {
		c.say(name, string(b), artifact.Range{Off: off, Len: int64(len(b))})
	}
}

// isText reports whether the head of the content has no byte that text does not have.
func (c *content) isText() bool {
	return bytes.IndexFunc(c.head, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != '\x1b' }) < 0
}
