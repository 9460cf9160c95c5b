package cache

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hallmark/artifact"
)

// sample has every kind of field that records are made of.
func sample() *artifact.Content {
	return &artifact.Content{
		Digest: sha256.Sum256([]byte("sample")), Size: 1 << 40, Type: "elf", Depth: 3, Problems: []artifact.Problem{{Kind: artifact.Damaged, Detail: "x"}},
		Extents: []artifact.Extent{
			{Range: artifact.Range{Off: 1, Len: 2}, Kind: artifact.InChunk, Chunk: &artifact.Chunk{Format: "tar", Nodes: []artifact.Node{
				{Path: "no\xffUTF-8\x01", Mode: 0o4755, ModTime: -5, Window: &artifact.Range{Off: 7}, Xattrs: []artifact.Xattr{{Name: "a", Value: []byte{0, 1}}}},
				{Path: "b", Dev: &artifact.Device{Major: 1, Minor: 2}, Problems: []artifact.Problem{}},
			}}},
			{Kind: artifact.Unknown, Fill: 0xff, Figures: artifact.Figures{Class: artifact.ClassCode, Entropy: 6.25}},
		},
	}
}

func open(t *testing.T, dir, build string) *Cache {
	t.Helper()
	c, err := Open(dir, 1<<20, build)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestKeeps(t *testing.T) {
	dir, text := t.TempDir(), []byte("some bytes")
	d := artifact.Digest(sha256.Sum256(text))
	c := open(t, dir, "one")
	k := c.KeyOf(d, []byte("plan"))
	c.Put(k, sample())
	c.PutBytes(d, bytes.NewReader(text))
	c.Close()

	c = open(t, dir, "one")
	defer c.Close()
	var got artifact.Content
	if !c.Get(k, &got) {
		t.Fatal("the record is not there")
	}
	if diff := cmp.Diff(*sample(), got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if b, err := io.ReadAll(c.Bytes(d)); err != nil || !bytes.Equal(b, text) {
		t.Errorf("bytes %q, %v, want %q", b, err, text)
	}
	other := open(t, dir, "two")
	defer other.Close()
	for name, k := range map[string]Key{"another build": other.KeyOf(d, []byte("plan")), "another plan": c.KeyOf(d, []byte("plan2")), "another content": c.KeyOf(artifact.Digest{}, []byte("plan"))} {
		if c.Get(k, &got) {
			t.Errorf("%s reads the same record", name)
		}
	}
}

// TestDamage flips each byte of a pack in turn: what was kept is read as it was, or not at all.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, "")
	k := c.KeyOf(sample().Digest)
	c.Put(k, sample())
	c.Close()
	names, _ := filepath.Glob(filepath.Join(dir, "*"+suffix))
	whole, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 0x10
		os.WriteFile(names[0], b, 0o600)
		c := open(t, dir, "")
		var got artifact.Content
		if c.Get(k, &got) {
			t.Errorf("byte %d is wrong, and the record is believed", i)
		}
		c.Close()
		if len(c.Notes()) == 0 {
			t.Errorf("byte %d is wrong, and nothing is said", i)
		}
	}
	for _, b := range [][]byte{nil, whole[:len(whole)-1], []byte("something else"), bytes.Repeat([]byte{0xff}, 200)} {
		os.WriteFile(names[0], b, 0o600)
		c := open(t, dir, "")
		var got artifact.Content
		if c.Get(k, &got) || len(c.Notes()) != 1 {
			t.Errorf("a file of %d bytes: notes %q, want one", len(b), c.Notes())
		}
		c.Close()
	}
}

func TestDecodeRefuses(t *testing.T) {
	b := Encode(sample())
	for n := range b {
		if err := decode(b[:n], new(artifact.Content)); err == nil {
			t.Errorf("%d of %d bytes are enough", n, len(b))
		}
	}
	if err := decode(append(b, 0), new(artifact.Content)); err == nil {
		t.Error("a byte too many is none")
	}
}

func TestKeepsItsLimit(t *testing.T) {
	dir := t.TempDir()
	for i := range 5 {
		c, err := Open(dir, 3000, "")
		if err != nil {
			t.Fatal(err)
		}
		for k := range i { // what is used stays
			var got string
			c.Get(c.KeyOf(artifact.Digest{byte(k)}), &got)
		}
		s := strings.Repeat("x", 700)
		c.Put(c.KeyOf(artifact.Digest{byte(i)}), &s)
		c.Close()
		time.Sleep(10 * time.Millisecond)
	}
	var sum int64
	names, _ := os.ReadDir(dir)
	for _, n := range names {
		info, _ := n.Info()
		sum += info.Size()
	}
	if len(names) == 0 || sum > 3000 {
		t.Errorf("%d files of %d bytes, want some and at most 3000", len(names), sum)
	}
	c := open(t, dir, "")
	big := strings.Repeat("x", 2<<20)
	c.Put(c.KeyOf(artifact.Digest{}, []byte("big")), &big)
	c.Close()
	if len(c.Notes()) != 1 || !strings.Contains(c.Notes()[0], "more than") {
		t.Errorf("notes %q, want one of the limit", c.Notes())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, partial+"*")); left != nil {
		t.Errorf("%q were left", left)
	}
}

func TestShared(t *testing.T) {
	dir := t.TempDir()
	var runs sync.WaitGroup
	for r := range 4 {
		c := open(t, dir, "")
		runs.Go(func() {
			var workers sync.WaitGroup
			for range 4 {
				workers.Go(func() {
					for i := range 200 {
						s := fmt.Sprint(i)
						k := c.KeyOf(artifact.Digest{byte(i)}, []byte{byte(r % 2)})
						c.Put(k, &s)
						c.Get(k, &s)
					}
				})
			}
			workers.Wait()
			c.Close()
		})
	}
	runs.Wait()
	c := open(t, dir, "")
	defer c.Close()
	for i := range 200 {
		var s string
		if !c.Get(c.KeyOf(artifact.Digest{byte(i)}, []byte{1}), &s) || s != fmt.Sprint(i) {
			t.Errorf("record %d is %q", i, s)
		}
	}
	if len(c.Notes()) > 0 {
		t.Errorf("notes %q", c.Notes())
	}
}

func TestNoCache(t *testing.T) {
	var c *Cache
	k := c.KeyOf(artifact.Digest{})
	c.Put(k, sample())
	c.PutBytes(artifact.Digest{}, strings.NewReader("x"))
	if c.Get(k, new(artifact.Content)) || c.Bytes(artifact.Digest{}) != nil || c.Notes() != nil {
		t.Error("no cache holds something")
	}
	c.Close()
}
