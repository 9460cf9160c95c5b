// Package work runs jobs on a bounded number of goroutines and returns their results in order.
package work

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
)

// Pool bounds how many goroutines run jobs at a time, over all calls of [Map] that share it.
// The zero of *Pool (nil) runs every job in the caller.
type Pool struct{ helpers chan struct{} }

// NewPool returns a pool of n workers; n < 1 means one for each processor.
func NewPool(n int) *Pool {
	if n < 1 {
		n = runtime.GOMAXPROCS(0)
	}
	return &Pool{helpers: make(chan struct{}, n-1)}
}

// Workers returns how many jobs run at a time at most.
func (p *Pool) Workers() int {
	if p == nil {
		return 1
	}
	return cap(p.helpers) + 1
}

// PanicError is the error of a job that panicked.
type PanicError struct {
	Value any
	Stack string
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Map calls f for each item and returns results and errors in the order of the items. The
// calling goroutine works too and others join as the pool allows, so a job may itself call Map.
// A panic becomes the error of its item. Once ctx is done, items not begun get its error.
// f is called from several goroutines at once.
func Map[T, R any](ctx context.Context, p *Pool, items []T, f func(context.Context, T) (R, error)) ([]R, []error) {
	results, errs := make([]R, len(items)), make([]error, len(items))
	var next atomic.Int64
	one := func(i int) {
		defer func() {
			if v := recover(); v != nil {
				errs[i] = &PanicError{v, string(debug.Stack())}
			}
		}()
		if errs[i] = ctx.Err(); errs[i] == nil {
			results[i], errs[i] = f(ctx, items[i])
		}
	}
	var wg sync.WaitGroup
	var loop func()
	loop = func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(items) {
				return
			}
			if p != nil && i+1 < len(items) {
				select {
				case p.helpers <- struct{}{}:
					wg.Add(1)
					go func() {
						defer wg.Done()
						defer func() { <-p.helpers }()
						loop()
					}()
				default:
				}
			}
			one(i)
		}
	}
	loop()
	wg.Wait()
	return results, errs
}

// large is what is worth beginning first, in the unit of MapBySize's size.
const large = 1 << 20

// MapBySize is [Map] for items of known size in bytes. Large ones are begun first, so that none
// keeps one goroutine busy after the others are done.
func MapBySize[T, R any](ctx context.Context, p *Pool, items []T, size func(T) int64, f func(context.Context, T) (R, error)) ([]R, []error) {
	var first, order []int
	sizes := make([]int64, len(items))
	for i, x := range items {
		if sizes[i] = size(x); sizes[i] >= large {
			first = append(first, i)
		} else {
			order = append(order, i)
		}
	}
	if len(first) == 0 {
		return Map(ctx, p, items, f)
	}
	slices.SortStableFunc(first, func(i, j int) int { return cmp.Compare(sizes[j], sizes[i]) })
	order = append(first, order...)
	got, gotErrs := Map(ctx, p, order, func(ctx context.Context, i int) (R, error) { return f(ctx, items[i]) })
	results, errs := make([]R, len(items)), make([]error, len(items))
	for k, i := range order {
		results[i], errs[i] = got[k], gotErrs[k]
	}
	return results, errs
}
