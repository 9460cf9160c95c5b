package feature

import (
	"bytes"

	"hallmark/artifact"
)

// maxText bounds the bytes of one text that count.
const maxText = 4096

// What byte came before, for a text that must stand between NULs: Huffman tables and prologues of
// functions are printable too, but seldom between two zero bytes.
const (
	dead    = iota // within bytes that are no text
	bounded        // behind a NUL or at the beginning
	inside
)

// texts finds NUL-bounded text.
type texts struct {
	x     *extractor
	state int
	start int64
	buf   []byte
	skip  artifact.Range
}

var printable = func() (t [256]bool) {
	for c := 0x20; c < 0x7f; c++ {
		t[c] = true
	}
	t['\t'], t['\n'], t['\r'] = true, true, true
	return t
}()

func (t *texts) block(b []byte, off int64) {
	if s := t.skip; s.Len > 0 && s.Off < off+int64(len(b)) && s.End() > off {
		// Names of symbols: what stands before and behind them is read, NUL-bounded on their side.
		lo, hi := max(0, s.Off-off), min(int64(len(b)), s.End()-off)
		t.run(b[:lo], off)
		t.flush()
		t.state = bounded
		t.run(b[hi:], off+hi)
		return
	}
	t.run(b, off)
}

func (t *texts) run(b []byte, off int64) {
	for i := 0; i < len(b); i++ {
		c := b[i]
		if printable[c] {
			if t.state == dead {
				continue
			}
			j := i + 1
			for j < len(b) && printable[b[j]] {
				j++
			}
			if t.state == bounded {
				t.state, t.start, t.buf = inside, off+int64(i), t.buf[:0]
			}
			t.buf = append(t.buf, b[i:min(j, i+maxText-len(t.buf))]...)
			i = j - 1
			continue
		}
		if c != 0 {
			t.state = dead
			continue
		}
		t.flush()
		t.state = bounded
	}
}

func (t *texts) flush() {
	if t.state == inside {
		t.x.string(t.buf, t.start)
	}
}

// end takes the end of the loaded bytes as a bound.
func (t *texts) end() { t.flush() }

// span is a word in a text.
type span struct{ from, to int }

const (
	minText    = 6 // bytes of a text worth anything, normalised
	minLetters = 5
	minPair    = 8 // letters of two words together
)

// string takes the features of one text that stands at off.
func (x *extractor) string(b []byte, off int64) {
	if len(b) < minText {
		return
	}
	s, letters := normalise(x.spare[:0], b)
	x.spare = s
	if len(s) < minText || letters < minLetters || letters*5 < len(s)*3 || x.omitted(s) {
		return
	}
	if isName(b) {
		if x.on[Words] {
			x.nameWords(b, off)
		}
		if len(s) < 8 {
			return // short names are everybody's
		}
	}
	if x.on[Strings] {
		x.add(Strings, hash(uint64(Strings), s), off)
	}
	if x.on[Shingles] {
		x.shingles(s, off)
	}
}

// shingles adds each two words of s that follow each other.
func (x *extractor) shingles(s []byte, off int64) {
	var last []byte
	for i := 0; i < len(s); {
		if !isLower(s[i]) {
			i++
			continue
		}
		j := i
		for j < len(s) && isLower(s[j]) {
			j++
		}
		if w := s[i:j]; len(w) >= 2 {
			if len(last)+len(w) >= minPair && last != nil {
				x.add(Shingles, hash2(hash(uint64(Shingles), last), hash(uint64(Shingles), w)), off)
			}
			last = w
		}
		i = j
	}
}

func isLower(c byte) bool  { return c >= 'a' && c <= 'z' }
func isUpper(c byte) bool  { return c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isHex(c byte) bool    { return isDigit(c) || c >= 'a' && c <= 'f' }
func isLetter(c byte) bool { return isLower(c) || isUpper(c) }

// normalise appends b to dst with letters lowered, runs of space as one, digits and hexadecimal
// numbers as 0, and months and days of the week before a digit as m: what changes from build to
// build. It returns the number of letters.
func normalise(dst, b []byte) ([]byte, int) {
	letters := 0
	b = bytes.Trim(b, " \t\r\n")
	for i := 0; i < len(b); {
		c := b[i] | 0x20
		if !isLetter(b[i]) {
			c = b[i]
		}
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			dst = append(dst, ' ')
			for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
				i++
			}
		case isDigit(c):
			dst = append(dst, '0')
			if c == '0' && i+2 < len(b) && b[i+1]|0x20 == 'x' && isHex(b[i+2]|0x20) {
				i += 2
				for i < len(b) && isHex(b[i]|0x20) {
					i++
				}
				continue
			}
			i = number(b, i)
		case isLower(c):
			j, digits := i, 0
			for j < len(b) && (isLetter(b[j]) || isDigit(b[j])) {
				if isDigit(b[j]) {
					digits++
				}
				j++
			}
			if digits > 0 && j-i >= 8 && allHex(b[i:j]) {
				dst = append(dst, '0')
				i = j
				continue
			}
			k := i
			for k < j && isLetter(b[k]) {
				k++
			}
			if k-i == 3 && k+1 < len(b) && b[k] == ' ' && isDate(b[i:k]) && (isDigit(b[k+1]) || b[k+1] == ' ' || isUpper(b[k+1])) {
				dst = append(dst, 'm')
				i = k
				continue
			}
			for ; i < k; i++ {
				dst = append(dst, b[i]|0x20)
			}
		default:
			dst = append(dst, c)
			i++
		}
	}
	for _, c := range dst {
		if isLower(c) {
			letters++
		}
	}
	return dst, letters
}

// number returns the end of the digits at i, which may be hexadecimal if there are eight or more.
func number(b []byte, i int) int {
	j := i
	for j < len(b) && isHex(b[j]|0x20) {
		j++
	}
	if j-i >= 8 {
		return j
	}
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	return i
}

func allHex(b []byte) bool {
	for _, c := range b {
		if !isHex(c | 0x20) {
			return false
		}
	}
	return true
}

// isDate reports whether b, three letters, is a month or a day as compilers write __DATE__ and as
// date(1) does.
func isDate(b []byte) bool {
	switch string(b) {
	case "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
		"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return true
	}
	return false
}

// isText reports whether head, the beginning of a content, is text.
func isText(head []byte) bool {
	if len(head) == 0 {
		return false
	}
	odd := 0
	for _, c := range head {
		if c == 0 {
			return false
		}
		if !printable[c] && c < 0x80 {
			odd++
		}
	}
	return odd*50 <= len(head)
}
