package facts

import (
	"bytes"
	"strings"

	"hallmark/artifact"
)

const (
	maxEnvironment = 64 << 10 // bytes to each side; U-Boot's CONFIG_ENV_SIZE is seldom more
	maxEntries     = 1000
)

// readEnvironment reads the run of NUL-terminated entries key=value around off, where a bootcmd
// or bootargs stands: a boot loader's built-in default environment, which has no checksum that
// a format could be known by. A run of one entry is a string like any other.
func readEnvironment(c *content, off int64, within artifact.Range) {
	if off < c.envEnd {
		return // in the run before
	}
	from := max(within.Off, off-maxEnvironment)
	b := c.bytes(artifact.Range{Off: from, Len: min(off+maxEnvironment, within.End()) - from})
	start := int(off - from)
	if start > len(b) || start > 0 && b[start-1] != 0 {
		return
	}
	for start > 0 {
		previous := bytes.LastIndexByte(b[:start-1], 0) + 1
		if _, _, ok := entry(b[previous : start-1]); !ok {
			break
		}
		start = previous
	}
	type found struct {
		key, value string
		at         artifact.Range
	}
	var run []found
	for start < len(b) && len(run) < maxEntries {
		n := bytes.IndexByte(b[start:], 0)
		if n < 0 {
			break
		}
		key, value, ok := entry(b[start : start+n])
		if !ok {
			break
		}
		run = append(run, found{key, value, artifact.Range{Off: from + int64(start), Len: int64(n)}})
		start += n + 1
	}
	c.envEnd = from + int64(start)
	if len(run) < 2 {
		return
	}
	for _, e := range run {
		c.say("text.env."+e.key, e.value, e.at)
	}
}

// entry divides key=value; the key is of letters, digits and a few signs, the value printable.
func entry(b []byte) (key, value string, ok bool) {
	key, value, ok = strings.Cut(string(b), "=")
	if !ok || len(key) == 0 || len(key) > 64 {
		return "", "", false
	}
	for i := range len(key) {
		c := key[i] | 0x20
		if (c < 'a' || c > 'z') && (key[i] < '0' || key[i] > '9') && !strings.ContainsRune("_.-#", rune(key[i])) {
			return "", "", false
		}
	}
	for i := range len(value) {
		if (value[i] < ' ' && value[i] != '\t' && value[i] != '\n') || value[i] >= 0x7f {
			return "", "", false
		}
	}
	return key, value, true
}
