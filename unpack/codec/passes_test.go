package codec

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/iotest"
)

func TestPasses(t *testing.T) {
	const n, part = 8, 300_000
	all := make([]byte, n*part)
	for i := range all {
		all[i] = byte(i * i >> 7)
	}
	for _, size := range []int64{n * part, 0} { // known and not
		for _, order := range [][]int{{0, 1, 2, 3, 4, 5, 6, 7}, {7, 6, 5, 4, 3, 2, 1, 0}, {3, 3, 0, 7, 1, 7, 2}} {
			t.Run(fmt.Sprint(size, order), func(t *testing.T) {
				var ps Passes
				begun := 0
				var rs []io.Reader
				for _, i := range order {
					r, err := ps.Reader("x", int64(i*part), size, 1<<20, func() (io.Reader, error) {
						begun++
						return iotest.HalfReader(bytes.NewReader(all)), nil
					})
					if err != nil {
						t.Fatal(err)
					}
					if got, err := io.ReadAll(io.LimitReader(r, part)); err != nil || !bytes.Equal(got, all[i*part:][:part]) {
						t.Errorf("part %d: %d bytes, %v", i, len(got), err)
					}
					rs = append(rs, r)
				}
				if order[0] == 0 && begun != 1 {
					t.Errorf("%d passes for readers in order, want 1", begun)
				}
				if got, err := io.ReadAll(rs[0]); err != nil || !bytes.Equal(got, all[(order[0]+1)*part:]) {
					t.Errorf("the rest behind part %d: %d bytes, %v", order[0], len(got), err)
				}
			})
		}
	}
}

func TestPassesAtATime(t *testing.T) {
	all := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	var ps Passes
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			off := int64(i%8) * 200_000
			r, err := ps.Reader(i/8, off, 0, 512<<10, func() (io.Reader, error) { return bytes.NewReader(all), nil })
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := io.ReadAll(io.LimitReader(r, 200_000)); err != nil || !bytes.Equal(got, all[off:off+200_000]) {
				t.Errorf("at %d: %d bytes, %v", off, len(got), err)
			}
		})
	}
	wg.Wait()
}

func TestPassesKeepWhatCameBeforeAnError(t *testing.T) {
	var ps Passes
	open := func() (io.Reader, error) {
		return io.MultiReader(bytes.NewReader(make([]byte, 1000)), iotest.ErrReader(ErrCorrupt)), nil
	}
	for range 2 {
		r, err := ps.Reader(1, 100, 5000, 1<<20, open)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); len(got) != 900 || err != ErrCorrupt {
			t.Errorf("%d bytes, %v; want 900, %v", len(got), err, ErrCorrupt)
		}
	}
}
