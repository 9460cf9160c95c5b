package ext

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hallmark/unpack/format"
)

// TestJournal compares what a file system reads as with its journal unplayed to what e2fsck makes of it.
func TestJournal(t *testing.T) {
	for _, tool := range []string{"mke2fs", "debugfs", "e2fsck"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no ", tool)
		}
	}
	tests := map[string]struct{ features, open string }{
		"without checksums": {"^metadata_csum,^64bit", "jo"},
		"version 1":         {"^metadata_csum,^64bit", "jo -c -v 1"},
		"version 2":         {"metadata_csum,^64bit", "jo -c -v 2"},
		"version 3":         {"metadata_csum,64bit", "jo -c -v 3"},
		"64 bits":           {"^metadata_csum,64bit", "jo"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name string, b []byte) string {
				p := filepath.Join(dir, name)
				if err := os.WriteFile(p, b, 0o644); err != nil {
					t.Fatal(err)
				}
				return p
			}
			run := func(name string, args ...string) string {
				out, err := exec.Command(name, args...).CombinedOutput()
				if err != nil && name != "e2fsck" {
					t.Fatalf("%s %s: %v\n%s", name, args, err, out)
				}
				return string(out)
			}
			image := filepath.Join(dir, "image")
			run("mke2fs", "-q", "-t", "ext4", "-b", "1024", "-O", tt.features, image, "4096k")
			files := map[string][]byte{}
			block := map[string]string{}
			for _, f := range []string{"kept", "changed", "escaped", "revoked", "again"} {
				files[f] = bytes.Repeat([]byte(f+" "), 1024/(len(f)+1))
				run("debugfs", "-w", "-R", "write "+write(f, files[f])+" "+f, image)
				block[f] = strings.TrimSpace(lastLine(run("debugfs", "-R", "blocks "+f, image)))
			}
			fill := func(s string) []byte { return bytes.Repeat([]byte(s), 1024/len(s)) }
			escaped := fill("escape!!")
			copy(escaped, "\xc0\x3b\x39\x98")
			script := strings.Join([]string{
				tt.open,
				"jw -b " + block["changed"] + " " + write("1", fill("first of")),
				"jw -b " + block["revoked"] + " " + write("2", fill("unwanted")),
				"jw -b " + block["escaped"] + " " + write("3", escaped),
				"jw -r " + block["revoked"],
				"jw -b " + block["changed"] + "," + block["again"] + " " + write("4", append(fill("second.."), fill("twoblock")...)),
				"jc",
			}, "\n")
			run("debugfs", "-w", "-f", write("script", []byte(script)), image)

			b, err := os.ReadFile(image)
			if err != nil {
				t.Fatal(err)
			}
			// debugfs writes a transaction of version 1 that only revokes with a checksum that e2fsck refuses, too.
			got := contents(t, b, "ext: journal at 0xb000: transaction 4: checksum of the commit")
			run("e2fsck", "-fy", image)
			for f := range files {
				want := run("debugfs", "-R", "dump "+f+" "+filepath.Join(dir, "out"), image)
				if b, err := os.ReadFile(filepath.Join(dir, "out")); err == nil {
					want = string(b)
				}
				if got[f] != want {
					t.Errorf("%s = %.20q, e2fsck makes it %.20q", f, got[f], want)
				}
			}
			if got["changed"] == string(files["changed"]) || !strings.HasPrefix(got["escaped"], "\xc0\x3b\x39\x98") {
				t.Error("nothing was replayed")
			}
		})
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// contents reads all files of an image. Problems fail the test unless they begin with one of told.
func contents(t *testing.T, b []byte, told ...string) map[string]string {
	t.Helper()
	r, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
next:
	for e, err := range r.Entries() {
		if err != nil {
			for _, text := range told {
				if strings.HasPrefix(err.Error(), text) {
					continue next
				}
			}
			t.Error(err)
			continue
		}
		out[e.Path] = string(read(t, b, e))
	}
	return out
}

func read(t *testing.T, b []byte, e format.Entry) []byte {
	t.Helper()
	switch {
	case e.Window != nil:
		return b[e.Window.Off:e.Window.End()]
	case e.Open == nil:
		return nil
	}
	r, err := e.Open()
	if err == nil {
		b, err = io.ReadAll(r)
	}
	if err != nil {
		t.Errorf("%s: %v", e.Path, err)
	}
	return b
}

// TestCopies destroys the first superblock, and then the descriptors.
func TestCopies(t *testing.T) {
	if _, err := exec.LookPath("mke2fs"); err != nil {
		t.Skip("no mke2fs")
	}
	dir := t.TempDir()
	image, root := filepath.Join(dir, "image"), filepath.Join(dir, "root")
	os.Mkdir(root, 0o755)
	for i := range 20 {
		os.WriteFile(filepath.Join(root, fmt.Sprint(i)), bytes.Repeat([]byte{byte(i)}, 3000), 0o644)
	}
	if out, err := exec.Command("mke2fs", "-q", "-t", "ext2", "-b", "1024", "-d", root, image, "10m").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	want := contents(t, b)
	clear(b[2048:3072])
	for _, state := range []string{"descriptors", "superblock"} {
		got := contents(t, b, "ext: no superblock", "ext: group descriptor at 0x800")
		if len(got) != len(want) || len(got) < 20 {
			t.Fatalf("without %s: %d of %d files", state, len(got), len(want))
		}
		for f := range want {
			if got[f] != want[f] {
				t.Errorf("without %s: %s differs", state, f)
			}
		}
		clear(b[1024:2048])
	}
}
