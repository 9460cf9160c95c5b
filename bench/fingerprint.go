//go:build ignore

// Fingerprint measures learnt fingerprints, for fingerprint.sh beside it:
//
//	fingerprint debian DIR SPLIT        DIR/SUITE-ARCH/SOURCE/...
//	fingerprint vendor DIR KNOWN QUERY LEAVE SPLIT
//	        trees of DIR, each as NAME=TREE,...: what is learnt, what is asked for, what is neither,
//	        because it has the same code
//
//	fingerprint split NAME...           the part of each source, as in split.tsv
//
// SPLIT is calibration or test: sources are dealt to background, calibration and test by their names.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"log"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"hallmark/elf"
	"hallmark/feature"
	"hallmark/fingerprint"
	"hallmark/internal/binomial"
	"hallmark/internal/work"
)

var (
	pool   = work.NewPool(0)
	common *fingerprint.Background // of the measurement at hand
)

// enough is how many features that are no background a file must have to be one that can be told.
const enough = 32

// tells counts the features of a file that are no background.
func tells(f file) int {
	n := 0
	for c, list := range f.Set.Lists {
		for _, x := range list {
			if !common.Has(feature.Class(c), x.Hash) {
				n++
			}
		}
	}
	return n
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 2 && os.Args[1] == "split" {
		for _, name := range os.Args[2:] {
			fmt.Printf("%s\t%s\n", part(name), name)
		}
		return
	}
	if len(os.Args) < 4 || os.Args[1] == "vendor" && len(os.Args) < 7 {
		log.Fatal("usage: see the head of bench/fingerprint.go")
	}
	switch os.Args[1] {
	case "debian":
		debian(os.Args[2], os.Args[3])
	case "vendor":
		vendor(os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6])
	default:
		log.Fatalf("no measurement %q", os.Args[1])
	}
}

// file is one program or library of a measurement.
type file struct {
	fingerprint.Sample
	path, family, tree string
}

// programs reads the programs below dir. Paint changes them first, if it is set.
func programs(dir string, family func(path string) string, paint func([]byte, string) []byte) []file {
	var paths []string
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && filepath.Ext(p) != ".o" && magic(p) {
			paths = append(paths, p)
		}
		return nil
	})
	out, _ := work.Map(context.Background(), pool, paths, func(_ context.Context, p string) (file, error) {
		b, err := os.ReadFile(p)
		if err != nil {
			log.Fatal(err)
		}
		f := file{path: p, family: family(p)}
		if paint != nil {
			b = paint(b, f.family)
		}
		f.Sample = sample(p, b)
		return f, nil
	})
	return out
}

// sample takes the features of b. With CACHE, a folder, it keeps them there for the next run.
func sample(name string, b []byte) fingerprint.Sample {
	s := fingerprint.Sample{Name: name, Digest: sha256.Sum256(b), Size: int64(len(b)), Set: &feature.Set{}}
	kept := filepath.Join(os.Getenv("CACHE"), s.Digest.String())
	if data, err := os.ReadFile(kept); err == nil && gob.NewDecoder(bytes.NewReader(data)).Decode(s.Set) == nil {
		return s
	}
	var err error
	if s.Set, err = feature.Extract(bytes.NewReader(b), int64(len(b)), feature.Options{}); err != nil {
		log.Fatal(err)
	}
	if os.Getenv("CACHE") != "" {
		var data bytes.Buffer
		if err := errors.Join(gob.NewEncoder(&data).Encode(s.Set), os.WriteFile(kept, data.Bytes(), 0o644)); err != nil {
			log.Fatal(err)
		}
	}
	return s
}

func magic(p string) bool {
	f, err := os.Open(p)
	if err != nil {
		return false
	}
	defer f.Close()
	var b [4]byte
	f.Read(b[:])
	return string(b[:]) == "\x7fELF" || string(b[:2]) == "MZ"
}

func samples(list []file) []fingerprint.Sample {
	var out []fingerprint.Sample
	for _, f := range list {
		out = append(out, f.Sample)
	}
	return out
}

// part deals a name to background (40 in 100), calibration (20) or test (40).
func part(name string) string {
	h := sha256.Sum256([]byte("hallmark split 1 " + name))
	switch n := int(h[0])<<8 | int(h[1]); {
	case n < 26214:
		return "background"
	case n < 39321:
		return "calibration"
	}
	return "test"
}

func debian(dir, split string) {
	source := func(p string) string {
		rel, _ := filepath.Rel(dir, p)
		return strings.Split(filepath.ToSlash(rel), "/")[1]
	}
	suites, _ := filepath.Glob(filepath.Join(dir, "*-*"))
	var background []file
	plain := map[string][]file{}
	families := map[string]bool{}
	for _, s := range suites {
		for _, f := range programs(s, source, nil) {
			switch part(f.family) {
			case "background":
				background = append(background, f)
			default:
				families[f.family] = true
			}
			if part(f.family) == split {
				plain[filepath.Base(s)] = append(plain[filepath.Base(s)], f)
			}
		}
	}
	for _, f := range libraries(filepath.Join(dir, "..", "bg")) {
		if !families[f.family] { // what is asked for is nobody's background
			background = append(background, f)
		}
	}
	known := plain["bookworm-armhf"]
	fmt.Printf("%d files of the background, %d families of %d files in bookworm-armhf\n", len(background), len(byFamily(known)), len(known))
	common = fingerprint.NewBackground(samples(background))
	packs := learn(byFamily(known), samples(background))
	for _, s := range slices.Sorted(maps.Keys(plain)) {
		judge(s, packs, plain[s])
	}
	for _, s := range slices.Sorted(maps.Keys(plain)) {
		var list []file
		for _, f := range programs(filepath.Join(dir, s), source, paint) {
			if part(f.family) == split {
				list = append(list, f)
			}
		}
		judge(s+", disguised", packs, list)
	}
}

// libraries are free ones that others embed, by DIR/SUITE-ARCH/SOURCE: they are background and nothing else.
func libraries(dir string) []file {
	if os.Getenv("NO_LIBRARIES") != "" {
		return nil
	}
	return programs(dir, func(p string) string {
		rel, _ := filepath.Rel(dir, p)
		return strings.Split(filepath.ToSlash(rel), "/")[1]
	}, nil)
}

func byFamily(list []file) map[string][]file {
	out := map[string][]file{}
	for _, f := range list {
		out[f.family] = append(out[f.family], f)
	}
	return out
}

func learn(families map[string][]file, against []fingerprint.Sample) []*fingerprint.Pack {
	var packs []*fingerprint.Pack
	largest, parts := 0, 0
	for _, name := range slices.Sorted(maps.Keys(families)) {
		p, err := fingerprint.Learn(&fingerprint.Spec{Family: name, Component: "all", Version: "1", References: [][]fingerprint.Sample{samples(families[name])}, Against: against})
		if err != nil {
			fmt.Printf("not learnt: %s: %v\n", name, err)
			continue
		}
		b, _ := p.Encode()
		largest, parts = max(largest, len(b)/len(p.Components)), parts+len(p.Components)
		packs = append(packs, p)
	}
	fmt.Printf("%d families learnt in %d components of at most %d bytes\n", len(packs), parts, largest)
	return packs
}

// judge matches the files of one condition with all packs. A file of a family that was learnt is
// recognised or not; any other family is a false match.
func judge(name string, packs []*fingerprint.Pack, files []file) {
	m := fingerprint.NewMatcher(packs, nil)
	known := map[string]bool{}
	for _, p := range packs {
		known[p.Components[0].Family] = true
	}
	var big, bigFound, positives, found, pairs, wrong, falseFiles int
	var misses, falses []string
	for _, f := range files {
		likes, err := m.Match(context.Background(), nil, []fingerprint.Sample{f.Sample})
		if err != nil {
			log.Fatal(err)
		}
		hit, bad := false, false
		pairs += len(packs)
		for _, l := range likes {
			if l.Family == f.family {
				hit = hit || !l.Island
			} else if !l.Island {
				wrong++
				bad = true
				var why []string
				for _, h := range l.Classes {
					why = append(why, fmt.Sprintf("%s %d/%d", h.Class, h.Hits, h.Of))
				}
				falses = append(falses, fmt.Sprintf("%s is like %s: %s", f.path, l.Family, strings.Join(why, ", ")))
			}
		}
		if bad {
			falseFiles++
		}
		if known[f.family] {
			positives++
			pairs--
			own := tells(f)
			if own >= enough {
				big++
			}
			if hit {
				found++
				if own >= enough {
					bigFound++
				}
			} else {
				misses = append(misses, fmt.Sprintf("%s (%d features, %d of them no background)", f.path, f.Set.Len(), own))
			}
		}
	}
	fmt.Printf("| %s | %d | %d/%d = %.3f (>= %.3f) | %d/%d = %.3f (>= %.3f) | %d of %d files (<= %.4f) | %d of %d pairs (<= %.1e) |\n", name, len(files), found, positives, float64(found)/float64(max(1, positives)),
		binomial.Lower(found, positives),
		bigFound, big, float64(bigFound)/float64(max(1, big)), binomial.Lower(bigFound, big), falseFiles, len(files), binomial.Upper(falseFiles, len(files)), wrong, pairs, binomial.Upper(wrong, pairs))
	if os.Getenv("NAMES") != "" {
		for _, s := range append(misses, falses...) {
			fmt.Println("   ", s)
		}
	}
}

// paint disguises a program: the words of its family, the prefixes of its exported names, the
// section headers, and half of its texts.
func paint(b []byte, family string) []byte {
	b = bytes.Clone(b)
	for _, w := range regexp.MustCompile("[a-z]{3,}").FindAllString(family, -1) {
		for _, form := range []string{w, strings.ToUpper(w), strings.ToUpper(w[:1]) + w[1:]} {
			b = bytes.ReplaceAll(b, []byte(form), scramble([]byte(form), 7))
		}
	}
	f, err := elf.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		text(b, 0, int64(len(b)), [2]int64{})
		return b
	}
	names := [2]int64{1 << 62, 0}
	for i, list := range [][]elf.Symbol{f.Exports, f.Imports} {
		for _, s := range list {
			names[0], names[1] = min(names[0], s.At.Off), max(names[1], s.At.End())
			if i > 0 {
				continue
			}
			name := b[s.At.Off:s.At.End()]
			n := 1
			for n < len(name) && name[n] != '_' && !(name[n] >= 'A' && name[n] <= 'Z' && name[n-1] >= 'a') {
				n++
			}
			if n < len(name) && !bytes.HasPrefix(name, []byte("_Z")) {
				copy(name, scramble(name[:n], 3))
			}
		}
	}
	for _, r := range f.AllocatedRanges() {
		text(b, r.Off, min(r.End(), int64(len(b))), names)
	}
	if f.Type != elf.Relocatable && f.Bits == 32 {
		clear(b[0x20:0x24])
		clear(b[0x2e:0x34])
	} else if f.Type != elf.Relocatable {
		clear(b[0x28:0x30])
		clear(b[0x3a:0x40])
	}
	return b
}

// text scrambles half of the NUL-bounded texts, those that a hash chooses.
func text(b []byte, from, to int64, names [2]int64) {
	for i := from; i < to; i++ {
		j := i
		for j < to && b[j] >= 0x20 && b[j] < 0x7f {
			j++
		}
		if j-i >= 4 && j < to && b[j] == 0 && (i == from || b[i-1] == 0) && (j < names[0] || i >= names[1]) {
			h := fnv.New64a()
			h.Write(b[i:j])
			if h.Sum64()>>20&1 == 1 {
				copy(b[i:j], scramble(b[i:j], 5))
			}
		}
		i = max(i, j)
	}
}

// scramble replaces letters by others, the same for the same text.
func scramble(s []byte, salt uint64) []byte {
	h := fnv.New64a()
	h.Write(s)
	r := rand.New(rand.NewPCG(h.Sum64(), salt))
	out := bytes.Clone(s)
	for i, c := range out {
		switch {
		case c >= 'a' && c <= 'z':
			out[i] = 'a' + byte(r.IntN(26))
		case c >= 'A' && c <= 'Z':
			out[i] = 'A' + byte(r.IntN(26))
		}
	}
	return out
}

// thirdParty are files beside a vendor's own that others wrote: they are neither learnt nor asked for.
var thirdParty = regexp.MustCompile(`(?i)/(lib)?(ssl|crypto|z|openal|iconv|jnidispatch|gnustl|msvc|gdiplus|d3d|libeay|ssleay|zlib|c\+\+|stdc|protobuf|avcodec|avformat|avutil|swscale|ffmpeg|sqlite|curl|mad|opencv)[^/]*$|/jre/|microsoft|/Properties`)

func vendor(dir, known, query, leave, split string) {
	family := func(p string) string {
		rel, _ := filepath.Rel(dir, p)
		return filepath.ToSlash(rel)
	}
	all := programs(dir, family, nil)
	for i := range all {
		if all[i].Size < 256 {
			all[i].family = "tiny"
		}
	}
	name, trees := cut(known)
	_, asked := cut(query)
	_, left := cut(leave)
	var refs, against, others, queries []file
	for _, f := range all {
		own := under(f.family, trees)
		q := under(f.family, asked)
		third := thirdParty.MatchString("/" + f.family)
		switch {
		case !own && !q && under(f.family, left):
		case own && !third:
			refs = append(refs, f)
		case q && !third:
			queries = append(queries, f)
		case own || q: // a third party's file beside a vendor's
			against = append(against, f)
		case part(vendorOf(f.family)) == "background", strings.HasPrefix(f.family, "debian-") && strings.Contains(f.family, ".so"):
			// Free libraries are what vendors embed, so that a lab has all of them in its background.
			against = append(against, f)
		case part(vendorOf(f.family)) == split:
			others = append(others, f)
		}
	}
	have := map[[32]byte]bool{}
	for _, f := range refs {
		have[f.Digest] = true
	}
	queries = slices.DeleteFunc(queries, func(f file) bool {
		dup := have[f.Digest]
		have[f.Digest] = true
		return dup
	})
	seen := map[[32]byte]bool{}
	others = slices.DeleteFunc(others, func(f file) bool { dup := seen[f.Digest]; seen[f.Digest] = true; return dup })
	against = append(against, libraries(filepath.Join(dir, "..", "bg"))...)
	fmt.Printf("%d files learnt, %d files of others to learn against, %d files asked, %d of others\n", len(refs), len(against), len(queries), len(others))
	for i := range queries {
		queries[i].family = name
	}
	common = fingerprint.NewBackground(samples(against))
	packs := learn(map[string][]file{name: refs}, samples(against))
	judge(query, packs, append(queries, others...))
	painted, _ := work.Map(context.Background(), pool, queries, func(_ context.Context, f file) (file, error) {
		b, err := os.ReadFile(f.path)
		if err != nil {
			log.Fatal(err)
		}
		f.Sample = sample(f.path, paint(b, name))
		return f, nil
	})
	judge(query+", disguised", packs, painted)
}

func cut(s string) (string, []string) {
	name, trees, _ := strings.Cut(s, "=")
	return name, strings.Split(trees, ",")
}

func under(p string, trees []string) bool {
	for _, t := range trees {
		if strings.HasPrefix(p, t) {
			return true
		}
	}
	return false
}

// vendorOf is what others are split by: the first two or, of OpenIPC's packages, the first words of a path.
func vendorOf(p string) string {
	parts := strings.Split(p, "/")
	for i, s := range parts {
		if s == "package" && i+1 < len(parts) {
			v, _, _ := strings.Cut(parts[i+1], "-")
			return v
		}
	}
	return strings.Join(parts[:min(2, len(parts)-1)], "/")
}
