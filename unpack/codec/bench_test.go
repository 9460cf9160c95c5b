package codec

import (
	"os"
	"os/exec"
	"syscall"
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
	src := run(b, want, "xz", "--format=lzma", "-2", "-c")
	dst := make([]byte, len(want))
	b.SetBytes(int64(len(want)))
	before := cpuTime(b)
	for b.Loop() {
		if _, err := LZMA(dst, src); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(want))*float64(b.N)/1e6/(cpuTime(b)-before).Seconds(), "MB/cpu-s")
}

// cpuTime is what the process used, which other load on the machine changes little.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkLiblzma(b *testing.B) {
	want := elfData(b, 48<<20)
	src := run(b, want, "xz", "--format=lzma", "-2", "-c")
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

// BenchmarkXZBlocks decodes blocks as SquashFS has them.
func BenchmarkXZBlocks(b *testing.B) {
	const size = 128 << 10
	want := elfData(b, 8<<20)
	var blocks [][]byte
	for at := 0; at+size <= len(want); at += size {
		blocks = append(blocks, run(b, want[at:at+size], "xz", "--check=crc32", "-c"))
	}
	dst := make([]byte, size)
	b.SetBytes(int64(len(blocks) * size))
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		for _, src := range blocks {
			if _, err := XZ(dst, src); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(blocks)*size)*float64(b.N)/1e6/(cpuTime(b)-before).Seconds(), "MB/cpu-s")
}
