package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"hallmark/unpack"
)

// meter shows how far a run has come: one line that is written over on a terminal, a plain line
// for each stage elsewhere, nothing when quiet.
type meter struct {
	mu    sync.Mutex
	w     io.Writer
	tty   bool
	start time.Time
	drawn time.Time
	last  string // stage drawn last
}

func newMeter(w io.Writer, quiet bool) *meter {
	m := &meter{start: time.Now()}
	if !quiet {
		m.w = w
		m.tty = isTerminal(w)
	}
	return m
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (m *meter) unpacking(p unpack.Progress) {
	m.show(fmt.Sprintf("unpack, layer %d", p.Depth), p.Done, p.Contents, p.Bytes)
}

// stage says that something begins which reports no steps.
func (m *meter) stage(name string) { m.show(name, 0, 0, 0) }

const redraw = 100 * time.Millisecond

func (m *meter) show(stage string, done, all int, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.w == nil {
		return
	}
	if !m.tty {
		if stage != m.last {
			fmt.Fprintf(m.w, "hallmark: %s\n", stage)
		}
		m.last = stage
		return
	}
	now := time.Now()
	if stage == m.last && now.Sub(m.drawn) < redraw {
		return
	}
	m.last, m.drawn = stage, now
	const width = 24
	line := "\r\x1b[K" + stage
	if all > 0 {
		fill := width * done / all
		line += fmt.Sprintf(" [%-*s] %d/%d", width, bars[:fill], done, all)
	}
	if s := now.Sub(m.start).Seconds(); bytes > 0 && s > 0 {
		line += fmt.Sprintf("  %s  %s/s", humanBytes(bytes), humanBytes(int64(float64(bytes)/s)))
	}
	io.WriteString(m.w, line)
}

const bars = "########################"

// done clears the line.
func (m *meter) done() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.w != nil && m.tty {
		io.WriteString(m.w, "\r\x1b[K")
	}
	m.w = nil
}

func humanBytes(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
