package unpack

import (
	"bytes"
	"context"
	"io"
	"iter"
	"testing"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// liar is a format whose one entry claims a tebibyte, holds "the content" and then complains.
var liar = format.Format{
	Name: "liar", Magics: []format.Magic{{Bytes: "LIAR"}}, Refs: []format.Ref{{Title: "test"}},
	Open: func(format.Source) (format.Chunk, error) { return liarChunk{}, nil },
}

type liarChunk struct{}

func (liarChunk) Size() int64 { return 4 }
func (liarChunk) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		yield(format.Entry{Path: "file", Size: 1 << 40, Open: func() (io.Reader, error) {
			return io.MultiReader(bytes.NewReader([]byte("the content")), complaint{}), nil
		}}, nil)
	}
}

type complaint struct{}

func (complaint) Read([]byte) (int, error) {
	return 0, format.Errorf(artifact.Truncated, 0, "liar: 11 bytes, want 1099511627776")
}

func TestAFalseSizeHidesNothing(t *testing.T) {
	store := artifact.NewStore(t.TempDir())
	defer store.Close()
	tree, err := Run(context.Background(), "image", bytes.NewReader([]byte("LIAR")), 4, store, Options{Formats: []format.Format{liar}})
	if err != nil {
		t.Fatal(err)
	}
	n := tree.Content(tree.Root).Extents[0].Chunk.Nodes[0]
	if n.Size != 11 || !n.HasContent() || len(n.Problems) != 1 || n.Problems[0].Kind != artifact.Truncated {
		t.Errorf("%d bytes, problems %v; want the 11 bytes that are there, and why they are no more", n.Size, n.Problems)
	}
}
