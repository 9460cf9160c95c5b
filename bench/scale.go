//go:build ignore

// Scale reads lines "COMMAND BYTES WALL USER SYSTEM KIB" and prints a table of medians and writes a
// plot of processor time and peak memory over size, both axes logarithmic.
//
//	scale POINTS SVG
package main

import (
	"bufio"
	"fmt"
	"log"
	"math"
	"os"
	"slices"
	"strings"
)

// row is what one command took for one image, in medians of its runs.
type row struct {
	command         string
	mib             float64
	wall, cpu, peak float64 // seconds, seconds, MiB
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: scale POINTS SVG")
	}
	rows, err := read(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("\n| command | image MiB | wall s | processor s | MiB a processor second | peak MiB |\n|---|---|---|---|---|---|")
	for _, r := range rows {
		fmt.Printf("| %s | %.0f | %.2f | %.2f | %.0f | %.0f |\n", r.command, r.mib, r.wall, r.cpu, r.mib/r.cpu, r.peak)
	}
	if err := os.WriteFile(os.Args[2], []byte(plot(rows)), 0o644); err != nil {
		log.Fatal(err)
	}
}

func read(name string) (rows []row, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	type key struct {
		command string
		bytes   float64
	}
	runs := map[key][][3]float64{}
	var order []key
	for s := bufio.NewScanner(f); s.Scan(); {
		var k key
		var wall, user, system, kib float64
		if _, err := fmt.Sscan(s.Text(), &k.command, &k.bytes, &wall, &user, &system, &kib); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", name, s.Text(), err)
		}
		if runs[k] == nil {
			order = append(order, k)
		}
		runs[k] = append(runs[k], [3]float64{wall, user + system, kib / 1024})
	}
	median := func(k key, i int) float64 {
		var all []float64
		for _, r := range runs[k] {
			all = append(all, r[i])
		}
		slices.Sort(all)
		return max(all[len(all)/2], 0.01)
	}
	for _, k := range order {
		rows = append(rows, row{k.command, k.bytes / (1 << 20), median(k, 0), median(k, 1), median(k, 2)})
	}
	return rows, nil
}

const width, height, left, top, right, bottom = 720.0, 420.0, 60.0, 40.0, 20.0, 50.0

// plot draws both figures in one frame: a decade of the y axis is a decade of seconds and of MiB.
func plot(rows []row) string {
	var b strings.Builder
	x := func(mib float64) float64 { return left + (width-left-right)*math.Log(mib)/math.Log(4096) }
	y := func(v float64) float64 { // 0.01 to 1000
		return height - bottom - (height-top-bottom)*(math.Log10(v)+2)/5
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/><text x="%.0f" y="22" font-size="15">Processor time and peak memory by size of the image</text>`+"\n", left)
	for v := 0.01; v < 2000; v *= 10 {
		fmt.Fprintf(&b, `<path d="M%.0f %.1fH%.0f" stroke="#ddd"/><text x="%.0f" y="%.1f" text-anchor="end">%g</text>`+"\n", left, y(v), width-right, left-6, y(v)+4, math.Round(v*100)/100)
	}
	for mib := 1.0; mib <= 4096; mib *= 4 {
		fmt.Fprintf(&b, `<path d="M%.1f %.0fV%.0f" stroke="#eee"/><text x="%.1f" y="%.0f" text-anchor="middle">%g</text>`+"\n", x(mib), top, height-bottom, x(mib), height-bottom+18, mib)
	}
	fmt.Fprintf(&b, `<text x="%.0f" y="%.0f" text-anchor="middle">MiB of image</text>`+"\n", (left+width-right)/2, height-12)
	i := 0
	for _, c := range []struct{ command, color string }{{"unpack", "#1f6feb"}, {"scan", "#c2410c"}} {
		for _, figure := range []struct {
			name, dash string
			of         func(row) float64
		}{{"processor time, s", "none", func(r row) float64 { return r.cpu }}, {"peak memory, MiB", "6 4", func(r row) float64 { return r.peak }}} {
			var points []string
			for _, r := range rows {
				if r.command == c.command {
					points = append(points, fmt.Sprintf("%.1f,%.1f", x(r.mib), y(figure.of(r))))
				}
			}
			fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2" stroke-dasharray="%s"/>`+"\n", strings.Join(points, " "), c.color, figure.dash)
			fmt.Fprintf(&b, `<path d="M%.0f %.0fh28" stroke="%s" stroke-width="2" stroke-dasharray="%s"/><text x="%.0f" y="%.0f">%s: %s</text>`+"\n", left+12, top+14+16*float64(i), c.color, figure.dash, left+46, top+18+16*float64(i), c.command, figure.name)
			i++
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}
