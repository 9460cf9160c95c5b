package codec

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestNewLZMA2(t *testing.T) {
	const text = "hello, hello"
	stored := append([]byte{1, 0, byte(len(text) - 1)}, text...)
	for _, tc := range []struct {
		name string
		in   []byte
		want error
	}{
		{"whole", append(stored, 0, 'x'), io.EOF},
		{"no end mark", stored, io.ErrUnexpectedEOF},
		{"bad control byte", append(stored, 0x7f), ErrCorrupt},
	} {
		s, err := NewLZMA2(bytes.NewReader(tc.in), int64(len(tc.in)), 20, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		_, err = io.Copy(&got, s)
		if tc.want == io.EOF {
			if err != nil || s.Consumed() != int64(len(tc.in)-1) {
				t.Errorf("%s: %v, %d bytes consumed of %d", tc.name, err, s.Consumed(), len(tc.in)-1)
			}
		} else if !errors.Is(err, tc.want) {
			t.Errorf("%s: error %v, want %v", tc.name, err, tc.want)
		}
		if got.String() != text {
			t.Errorf("%s: %q, want %q", tc.name, got.String(), text)
		}
		if _, again := s.Read(make([]byte, 1)); again == nil {
			t.Errorf("%s: no error after the end", tc.name)
		}
	}
	if _, err := NewLZMA2(bytes.NewReader(nil), 0, 41, 1<<20); !errors.Is(err, ErrHeader) {
		t.Errorf("dictionary 41: error %v, want %v", err, ErrHeader)
	}
}

func TestNewFilter(t *testing.T) {
	r, err := NewFilter(bytes.NewReader([]byte{1, 2, 1, 1, 1, 1}), 3, []byte{1})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(r); !bytes.Equal(got, []byte{1, 2, 2, 3, 3, 4}) {
		t.Errorf("delta of distance 2: %v", got)
	}
	for id, props := range map[uint64][]byte{3: nil, 4: {1}, 12: nil} {
		if _, err := NewFilter(nil, id, props); !errors.Is(err, ErrHeader) {
			t.Errorf("NewFilter(%d, %v): error %v, want %v", id, props, err, ErrHeader)
		}
	}
}
