package codec

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// elfData returns the machine's own programs and libraries, n bytes of them.
func elfData(b *testing.B, n int) []byte {
	var data []byte
	for _, file := range []string{"/usr/lib/x86_64-linux-gnu/libLLVM-15.so.1", "/usr/bin/gdb", "/usr/bin/perl", "/bin/bash", os.Args[0]} {
		c, err := os.ReadFile(file)
		if err == nil {
			data = append(data, c...)
		}
		if len(data) >= n {
			return data[:n]
		}
	}
	return data
}

// BenchmarkLZMA decodes ELF data with [LZMA]; BenchmarkLiblzma does so with the xz command.
func BenchmarkLZMA(b *testing.B) {
	want := elfData(b, 48<<20)
	src := run(b, want, "xz", "--format=lzma", "-1", "-c")
	dst := make([]byte, len(want))
	b.SetBytes(int64(len(want)))
	for b.Loop() {
		if _, err := LZMA(dst, src); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLiblzma(b *testing.B) {
	want := elfData(b, 48<<20)
	src := run(b, want, "xz", "--format=lzma", "-1", "-c")
	file := b.TempDir() + "/x.lzma"
	if err := os.WriteFile(file, src, 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(want)))
	var cpu time.Duration
	for b.Loop() {
		c := exec.Command("xz", "-dc", file)
		if err := c.Run(); err != nil {
			b.Fatal(err)
		}
		cpu += c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	}
	b.ReportMetric(float64(len(want))*float64(b.N)/1e6/cpu.Seconds(), "MB/cpu-s")
}
