package work

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
)

func TestMapKeepsOrder(t *testing.T) {
	items := make([]int, 1000)
	for i := range items {
		items[i] = i
	}
	for _, p := range []*Pool{nil, NewPool(1), NewPool(8)} {
		got, errs := Map(context.Background(), p, items, func(_ context.Context, i int) (int, error) {
			if i%100 == 7 {
				return 0, errors.New("seven")
			}
			return i * i, nil
		})
		for i := range items {
			if bad := i%100 == 7; bad != (errs[i] != nil) || !bad && got[i] != i*i {
				t.Fatalf("%d workers: item %d = %d, %v", p.Workers(), i, got[i], errs[i])
			}
		}
	}
}

func TestMapBySizeBeginsWithTheLargest(t *testing.T) {
	sizes := []int64{5, 2 << 20, 7, 9 << 20, 1}
	var begun []int64
	got, errs := MapBySize(context.Background(), nil, sizes, func(n int64) int64 { return n }, func(_ context.Context, n int64) (int64, error) {
		if begun = append(begun, n); n == 7 {
			return 0, errors.New("seven")
		}
		return n + 1, nil
	})
	if want := []int64{9 << 20, 2 << 20, 5, 7, 1}; !slices.Equal(begun, want) {
		t.Errorf("begun in order %v, want %v", begun, want)
	}
	for i, n := range sizes {
		if bad := n == 7; bad != (errs[i] != nil) || !bad && got[i] != n+1 {
			t.Errorf("result %d = %d, %v", i, got[i], errs[i])
		}
	}
}

func TestMapWithinMap(t *testing.T) {
	p := NewPool(3)
	var running, most atomic.Int64
	Map(context.Background(), p, make([]int, 20), func(ctx context.Context, _ int) (int, error) {
		Map(ctx, p, make([]int, 20), func(context.Context, int) (int, error) {
			n := running.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			running.Add(-1)
			return 0, nil
		})
		return 0, nil
	})
	if most.Load() > 3 {
		t.Errorf("%d jobs at a time in a pool of 3", most.Load())
	}
}

func TestPanicBecomesError(t *testing.T) {
	_, errs := Map(context.Background(), NewPool(2), []int{0, 1, 2}, func(_ context.Context, i int) (int, error) {
		if i == 1 {
			panic("boom")
		}
		return i, nil
	})
	var p *PanicError
	if errs[0] != nil || errs[2] != nil || !errors.As(errs[1], &p) || p.Value != "boom" {
		t.Errorf("errors %v", errs)
	}
}

func TestMapStopsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, errs := Map(ctx, NewPool(2), make([]int, 5), func(context.Context, int) (int, error) {
		t.Error("called after the context was done")
		return 0, nil
	})
	for _, err := range errs {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want %v", err, context.Canceled)
		}
	}
}
