package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestWriteFileKeepsDevices checks that what is no file, such as /dev/null, is written to and not
// replaced by a file, as a user who may write to its folder could.
func TestWriteFileKeepsDevices(t *testing.T) {
	hello := func(w io.Writer) error { _, err := io.WriteString(w, "hello"); return err }
	dir := t.TempDir()
	link := filepath.Join(dir, "null")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Skip(err)
	}
	if err := writeFile(link, hello); err != nil {
		t.Errorf("writeFile to a device = %v", err)
	}
	if info, err := os.Stat(link); err != nil || info.Mode().IsRegular() {
		t.Errorf("writeFile replaced a device: %v, %v", info, err)
	}
	if err := writeFile(dir, hello); err == nil {
		t.Errorf("writeFile to a folder = nil")
	}
	file := filepath.Join(dir, "file")
	if err := writeFile(file, hello); err != nil {
		t.Errorf("writeFile = %v", err)
	}
}
