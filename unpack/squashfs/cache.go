package squashfs

import (
	"container/list"
	"sync"
)

// cache keeps decoded blocks by their offset or number, the least recently used going first. A block that
// several goroutines ask for at a time is decoded by one of them.
type cache[V any] struct {
	mu    sync.Mutex
	limit int64
	used  int64
	cost  func(V) int64
	slots map[int64]*list.Element
	order list.List // of *slot[V], most recently used first
}

type slot[V any] struct {
	key   int64
	once  sync.Once
	value V
	err   error
	cost  int64 // 0 until decoded
}

func newCache[V any](limit int64, cost func(V) int64) *cache[V] {
	return &cache[V]{limit: limit, cost: cost, slots: map[int64]*list.Element{}}
}

// get returns the value of key, which decode makes if it is not kept. Errors are kept too.
func (c *cache[V]) get(key int64, decode func() (V, error)) (V, error) {
	c.mu.Lock()
	e := c.slots[key]
	if e == nil {
		e = c.order.PushFront(&slot[V]{key: key})
		c.slots[key] = e
	} else {
		c.order.MoveToFront(e)
	}
	s := e.Value.(*slot[V])
	c.mu.Unlock()
	s.once.Do(func() {
		s.value, s.err = decode()
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.slots[key] == e {
			s.cost = max(1, c.cost(s.value))
			c.used += s.cost
			c.shrink()
		}
	})
	return s.value, s.err
}

// shrink drops the oldest values until the rest fits. One being decoded costs nothing yet, and
// the newest stays.
func (c *cache[V]) shrink() {
	for c.used > c.limit && c.order.Len() > 1 {
		e := c.order.Back()
		s := e.Value.(*slot[V])
		c.order.Remove(e)
		delete(c.slots, s.key)
		c.used -= s.cost
	}
}

// pool lends buffers of one size.
type pool struct{ sync.Pool }

func newPool(size int) *pool {
	return &pool{sync.Pool{New: func() any { b := make([]byte, size); return &b }}}
}

func (p *pool) get() *[]byte  { return p.Get().(*[]byte) }
func (p *pool) put(b *[]byte) { p.Put(b) }
