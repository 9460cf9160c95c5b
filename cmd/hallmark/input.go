package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"hallmark/artifact"
	"hallmark/internal/cache"
	"hallmark/unpack"
	"hallmark/unpack/format"
)

// inputFlags are the flags of every command that takes an image apart.
type inputFlags struct {
	workers int
	limits  unpack.Limits
	bytes   size
	memory  size
	keyFile string
	tmp     string
	cache   string
	kept    size // bytes that the cache may hold
	recover bool
	quiet   bool
	explain *explanation // takes every candidate, if set
}

func (f *inputFlags) register(c *cobra.Command) {
	fl := c.Flags()
	fl.IntVarP(&f.workers, "jobs", "j", 0, "number of workers; 0 is one for each processor")
	fl.Var(&f.bytes, "max-bytes", "most bytes read out of the image's layers, such as 4G (default 16G)")
	fl.Int64Var(&f.limits.Ratio, "max-ratio", 0, "most bytes out of one file for each of its own (default 100)")
	fl.IntVar(&f.limits.Entries, "max-entries", 0, "most files in all layers (default 200000)")
	fl.IntVar(&f.limits.Depth, "max-depth", 0, "most layers within layers (default 128)")
	fl.Var(&f.memory, "max-memory", "most memory that one decoder may hold (default 256M)")
	fl.DurationVar(&f.limits.Time, "max-time", 0, "most time for taking apart, such as 5m (default no limit)")
	fl.StringVar(&f.keyFile, "key-file", "", "file of keys for encrypted bodies: one `name=hexadecimal` a line")
	fl.BoolVar(&f.recover, "recover", false, "also read deleted files and older versions of files, where a file system still holds them")
	fl.StringVar(&f.tmp, "tmp", "", "folder for temporary files (default the system's)")
	fl.StringVar(&f.cache, "cache", "", "folder where what was found out about contents is kept for later runs")
	fl.Var(&f.kept, "cache-size", "most that the cache may hold, such as 20G (default 10G)")
	fl.BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
}

// size is a number of bytes as people write it.
type size int64

func (s *size) Type() string   { return "size" }
func (s *size) String() string { return "" }
func (s *size) Set(text string) error {
	number, unit := strings.TrimRight(text, "KMGTiBkmgtb"), int64(1)
	switch suffix := strings.ToUpper(strings.TrimRight(text[len(number):], "iBb")); suffix {
	case "":
	case "K":
		unit = 1 << 10
	case "M":
		unit = 1 << 20
	case "G":
		unit = 1 << 30
	case "T":
		unit = 1 << 40
	default:
		return fmt.Errorf("%q is no size; write it as 500M or 4G", text)
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 || n > (1<<62)/unit {
		return fmt.Errorf("%q is no size; write it as 500M or 4G", text)
	}
	*s = size(n * unit)
	return nil
}

// softMemory is where the garbage collector begins to work harder instead of letting the process
// grow: half a million files stay below 512 MB.
const softMemory = 400 << 20

// opened is an image that was taken apart.
type opened struct {
	tree  *artifact.Tree
	store *artifact.Store
	cache *cache.Cache // nil if none was asked for
	close func()
}

// open takes apart the image that name says: a file, "-" for standard input, or a folder of parts.
func (f *inputFlags) open(ctx context.Context, env *environment, name string, meter *meter) (*opened, error) {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(softMemory) // unless GOMEMLIMIT says otherwise
	}
	if f.workers < 0 || f.limits.Ratio < 0 || f.limits.Entries < 0 || f.limits.Depth < 0 || f.limits.Time < 0 {
		return nil, errors.New("-j and --max-* take no negative values")
	}
	if f.cache == "" && f.kept > 0 {
		return nil, errors.New("--cache-size: there is no cache; give --cache DIR too")
	}
	f.limits.Bytes, f.limits.Memory = int64(f.bytes), int64(f.memory)
	keys, err := readKeys(f.keyFile)
	if err != nil {
		return nil, err
	}
	if f.tmp == "" {
		f.tmp = env.tmp
	} else if info, err := os.Stat(f.tmp); err != nil || !info.IsDir() {
		return nil, exitf(exitUsage, "--tmp %s: no such folder", f.tmp)
	}
	store := artifact.NewStore(f.tmp)
	o := &opened{store: store, close: func() { store.Close() }}
	opts := unpack.Options{Workers: f.workers, Limits: f.limits, Keys: keys, Recover: f.recover, Progress: meter.unpacking}
	if f.explain != nil {
		opts.Explain = f.explain.add
	}
	if f.cache != "" {
		if o.cache, err = openCache(f.cache, int64(f.kept)); err != nil {
			o.close()
			return nil, err
		}
		opts.Cache = o.cache
		o.closing(cacheCloser{o.cache, env.stderr})
	}
	if name == "-" {
		o.tree, err = openStdin(ctx, env, store, opts)
	} else if info, serr := os.Stat(name); serr != nil {
		err = exitf(exitInput, "%w", serr)
	} else if info.IsDir() {
		o.tree, err = o.openFolder(ctx, name, opts)
	} else {
		o.tree, err = o.openFile(ctx, name, info, opts)
	}
	if err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

// usualCache is what a cache may hold if nobody says otherwise.
const usualCache = 10 << 30

// openCache opens a cache for this very program: another build may find other things.
func openCache(dir string, limit int64) (*cache.Cache, error) {
	if limit == 0 {
		limit = usualCache
	}
	self, err := os.Executable()
	if err != nil {
		return nil, exitf(exitInternal, "%w", err)
	}
	f, err := os.Open(self)
	if err != nil {
		return nil, exitf(exitInternal, "%w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{f}, make([]byte, 256<<10)); err != nil {
		return nil, exitf(exitIO, "%w", err)
	}
	c, err := cache.Open(dir, limit, hex.EncodeToString(h.Sum(nil)))
	if err != nil {
		return nil, exitf(exitIO, "--cache: %w", err)
	}
	return c, nil
}

// cacheCloser closes a cache and tells what it passed over.
type cacheCloser struct {
	*cache.Cache
	stderr io.Writer
}

func (c cacheCloser) Close() error {
	c.Cache.Close()
	for _, n := range c.Notes() {
		fmt.Fprintln(c.stderr, n)
	}
	return nil
}

func (o *opened) openFile(ctx context.Context, name string, info fs.FileInfo, opts unpack.Options) (*artifact.Tree, error) {
	if !info.Mode().IsRegular() {
		return nil, exitf(exitInput, "%s: not a file or folder", name)
	}
	if info.Size() == 0 {
		return nil, exitf(exitInput, "%s: the file is empty", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, exitf(exitInput, "%w", err)
	}
	o.closing(file)
	tree, err := unpack.Run(ctx, filepath.Base(name), file, info.Size(), o.store, opts)
	if err != nil {
		return nil, exitf(exitIO, "%s: %w", name, err)
	}
	return tree, nil
}

func (o *opened) closing(c io.Closer) {
	last := o.close
	o.close = func() { c.Close(); last() }
}

func openStdin(ctx context.Context, env *environment, store *artifact.Store, opts unpack.Options) (*artifact.Tree, error) {
	d, n, err := store.Put(env.stdin)
	if err != nil {
		return nil, exitf(exitIO, "standard input: %w", err)
	}
	if n == 0 {
		return nil, exitf(exitInput, "standard input is empty")
	}
	r, err := store.Open(d)
	if err != nil {
		return nil, exitf(exitIO, "standard input: %w", err)
	}
	return unpack.Run(ctx, "stdin", r, n, store, opts)
}

// openFolder takes a folder of parts. Links are kept as links and never followed.
func (o *opened) openFolder(ctx context.Context, name string, opts unpack.Options) (*artifact.Tree, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, exitf(exitInput, "%w", err)
	}
	in := &folder{root: root, most: maxOpen}
	o.closing(in)
	var parts []unpack.Part
	err = fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == "." {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		part := unpack.Part{Path: filepath.ToSlash(p), Mode: info.Mode()}
		switch {
		case info.Mode().IsRegular():
			part.Size = info.Size()
			part.Src = &lazyFile{in: in, path: p}
		case info.Mode()&fs.ModeSymlink != 0:
			part.Link, err = root.Readlink(p)
		}
		parts = append(parts, part)
		return err
	})
	if err != nil {
		return nil, exitf(exitIO, "%s: %w", name, err)
	}
	if len(parts) == 0 {
		return nil, exitf(exitInput, "%s: the folder is empty", name)
	}
	tree, err := unpack.RunFolder(ctx, filepath.Base(filepath.Clean(name)), parts, o.store, opts)
	if err != nil {
		return nil, exitf(exitIO, "%s: %w", name, err)
	}
	return tree, nil
}

// maxOpen is how many files of a folder stay open between reads. A file is opened once for all
// stages of the analysis unless the folder has more.
const maxOpen = 16 << 10

// folder keeps files of root open, the last ones that were read.
type folder struct {
	root *os.Root
	mu   sync.Mutex
	open []*lazyFile // in the order in which they were opened
	most int
}

// lazyFile is opened by the first read, and again if it had to make room for others.
type lazyFile struct {
	in   *folder
	path string
	file *os.File // guarded by in.mu
}

// ReadAt is safe for concurrent use.
func (l *lazyFile) ReadAt(p []byte, off int64) (int, error) {
	for {
		f, err := l.in.get(l)
		if err != nil {
			return 0, err
		}
		n, err := f.ReadAt(p, off)
		if !errors.Is(err, os.ErrClosed) { // else it made room in between
			return n, err
		}
	}
}

func (d *folder) get(l *lazyFile) (*os.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l.file != nil {
		return l.file, nil
	}
	if len(d.open) >= d.most {
		d.shrink(d.most / 2)
	}
	f, err := d.root.Open(l.path)
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		d.most = max(1, len(d.open)/2) // the system allows fewer
		d.shrink(d.most / 2)
		f, err = d.root.Open(l.path)
	}
	if err != nil {
		return nil, err
	}
	l.file = f
	d.open = append(d.open, l)
	return f, nil
}

// shrink closes the files that were opened first until n are left.
func (d *folder) shrink(n int) {
	k := max(0, len(d.open)-n)
	for _, l := range d.open[:k] {
		l.file.Close()
		l.file = nil
	}
	d.open = append([]*lazyFile(nil), d.open[k:]...)
}

// Close closes all files and the root.
func (d *folder) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shrink(0)
	return d.root.Close()
}

// readKeys reads a key file: one name=hexadecimal a line, # begins a comment.
func readKeys(name string) (format.Keys, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, exitf(exitUsage, "key file: %w", err)
	}
	defer f.Close()
	keys := format.Keys{}
	s := bufio.NewScanner(f)
	for line := 1; s.Scan(); line++ {
		text, _, _ := strings.Cut(s.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		b, err := hex.DecodeString(strings.TrimSpace(value))
		if !ok || err != nil || len(b) == 0 {
			return nil, exitf(exitUsage, "key file: %s:%d: want name=hexadecimal", name, line)
		}
		keys[strings.TrimSpace(key)] = b
	}
	if err := s.Err(); err != nil {
		return nil, exitf(exitUsage, "key file: %s: %w", name, err)
	}
	return keys, nil
}

// limited returns an error if a limit or a fault of ours cut the result short.
func (o *opened) limited() error {
	var limit, fault string
	for _, p := range o.problems() {
		switch {
		case p.Kind == artifact.Limit && limit == "":
			limit = p.Detail
		case p.Kind == artifact.Internal && fault == "":
			fault = p.Detail
		}
	}
	switch {
	case fault != "":
		return exitf(exitInternal, "internal fault, the result is partial: %s", fault)
	case limit != "":
		return exitf(exitLimit, "a limit cut the result short: %s", limit)
	}
	return nil
}

// problems yields every problem of the tree.
func (o *opened) problems() []artifact.Problem {
	out := o.tree.Problems
	for _, c := range o.tree.Contents() {
		out = append(out, c.Problems...)
		for _, x := range c.Chunks() {
			out = append(out, x.Chunk.Problems...)
			for i := range x.Chunk.Nodes {
				out = append(out, x.Chunk.Nodes[i].Problems...)
			}
		}
	}
	return out
}

// timestamp is the time that documents bear: SOURCE_DATE_EPOCH, or none.
func (env *environment) timestamp() (time.Time, error) {
	if env.sourceDate == "" {
		return time.Time{}, nil
	}
	n, err := strconv.ParseInt(env.sourceDate, 10, 64)
	if err != nil {
		return time.Time{}, exitf(exitUsage, "SOURCE_DATE_EPOCH: %w", errors.Unwrap(err))
	}
	return time.Unix(n, 0).UTC(), nil
}
