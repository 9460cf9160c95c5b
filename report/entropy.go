package report

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"hallmark/artifact"
)

// Entropy measures the size bytes of r in n equal steps, each in bits a byte. A step of more
// than a mebibyte is judged by its first.
func Entropy(r io.ReaderAt, size int64, n int) ([]float64, error) {
	n = int(min(int64(n), size))
	out := make([]float64, n)
	buf := make([]byte, min(size, 1<<20))
	for i := range out {
		from, to := size*int64(i)/int64(n), size*int64(i+1)/int64(n)
		b := buf[:min(int64(len(buf)), to-from)]
		if _, err := r.ReadAt(b, from); err != nil && err != io.EOF {
			return nil, err
		}
		out[i] = artifact.Measure(b).Entropy
	}
	return out, nil
}

// Sparkline draws steps as a line of blocks: empty is a space, 8 bits a byte is full height.
func Sparkline(steps []float64) string {
	blocks := []rune(" ▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, s := range steps {
		b.WriteRune(blocks[min(8, max(0, int(s+0.5)))])
	}
	return b.String()
}

// WriteEntropySVG draws steps as a filled curve over the offsets of a file of size bytes.
func WriteEntropySVG(w io.Writer, name string, size int64, steps []float64) error {
	const width, height, left, top = 960, 200, 40, 30
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"11\">\n", width+2*left, height+2*top+10)
	fmt.Fprint(b, "<title>Entropy of ")
	xml.EscapeText(b, []byte(Printable(name)))
	fmt.Fprintf(b, "</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n")
	for bits := 0; bits <= 8; bits += 2 {
		y := top + height - height*bits/8
		fmt.Fprintf(b, "<path d=\"M%d %dh%d\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%d\" text-anchor=\"end\">%d</text>\n", left, y, width, left-6, y+4, bits)
	}
	fmt.Fprintf(b, "<path fill=\"#3b6ea5\" d=\"M%d %d", left, top+height)
	for i, s := range steps {
		fmt.Fprintf(b, "L%.1f %.1fH%.1f", left+float64(width*i)/float64(len(steps)), top+height-s*height/8, left+float64(width*(i+1))/float64(len(steps)))
	}
	fmt.Fprintf(b, "L%d %dz\"/>\n", left+width, top+height)
	for i := 0; i <= 4; i++ {
		fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%#x</text>\n", left+width*i/4, top+height+18, size*int64(i)/4)
	}
	fmt.Fprint(b, "<text x=\"", left, "\" y=\"18\">bits a byte</text>\n</svg>\n")
	return b.Flush()
}
