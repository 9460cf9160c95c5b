//go:build ignore

// judge names makers in many images in one process and counts: for bench/innocent.sh and
// bench/planted.sh.
//
//	go run bench/judge.go [-tested FILE] [-quiet] IMAGE...
//
// Each IMAGE has a line: name, files, coverage, statement, and every mark that is more than a
// client's. With -tested the counts of each mark are written as signatures/tested has them; then every
// image must be innocent.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/facts"
	"hallmark/internal/literal"
	"hallmark/internal/work"
	"hallmark/match"
	"hallmark/unpack"
)

var workers = flag.Int("j", 2, "workers")

func main() {
	tested := flag.String("tested", "", "write the counts of each mark to `FILE`")
	quiet := flag.Bool("quiet", false, "only images that a camera maker's name comes up in")

	flag.Parse()
	rules, err := match.Load()
	check(err)
	set := literal.Compile(rules.Patterns())
	pool := work.NewPool(*workers)
	looked, wrong := counts{}, counts{}
	files, accused, leads := 0, 0, 0
	for _, name := range flag.Args() {
		res, n := judge(name, rules, set, pool)
		files += n
		var marks []string
		for _, m := range res.Marks {
			if (m.Claim == match.Component || m.Claim == match.SDKClient) && m.Role != "list" {
				wrong.add(m.ID, variant(name), m.Files)
				marks = append(marks, fmt.Sprintf("%s (%s: %s)", m.ID, m.Citations[0].Place, m.Citations[0].Value))
			}
		}
		for id, k := range res.Looked {
			looked.add(id, variant(name), k)
		}
		verdict := res.Verdict
		switch verdict {
		case match.VerdictRebadged, match.VerdictComponent, match.VerdictUndetermined, match.VerdictSDKClient:
			accused++
		case match.VerdictLead:
			leads++
		}
		if !*quiet || len(marks) > 0 {
			fmt.Printf("%s\t%d\t%s\t%s\t%s\t%s\n", filepath.Base(name), n, res.Coverage, res.Verdict, res.Statement, strings.Join(marks, "; "))
		}
	}
	fmt.Printf("images %d, contents %d, accused %d, leads %d\n", flag.NArg(), files, accused, leads)
	if *tested == "" {
		return
	}
	var ids []string
	for id := range looked {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var b strings.Builder
	fmt.Fprintf(&b, "# Written by bench/innocent.sh: %d innocent images with %d contents. A tree that is packed in\n# several ways counts once.\n\n", flag.NArg(), files)
	for _, id := range ids {
		fmt.Fprintf(&b, "- {mark: %s, contents: %d, false: %d}\n", id, looked.most(id), wrong.most(id))
	}
	check(os.WriteFile(*tested, []byte(b.String()), 0o644))
}

// counts are numbers of contents by mark and by the way in which a tree is packed: the same files
// in another archive are no further sample.
type counts map[string]map[string]int

func (c counts) add(id, variant string, n int) {
	if c[id] == nil {
		c[id] = map[string]int{}
	}
	c[id][variant] += n
}

func (c counts) most(id string) (n int) {
	for _, k := range c[id] {
		n = max(n, k)
	}
	return n
}

func variant(name string) string {
	for _, suffix := range []string{".salted.sqfs", ".tar"} {
		if strings.HasSuffix(name, suffix) {
			return suffix
		}
	}
	return "" // packed as a device has it, or firmware as it is
}

func judge(name string, rules *match.Rules, set *literal.Set, pool *work.Pool) (*match.Result, int) {
	dir, err := os.MkdirTemp("", "judge-")
	check(err)
	defer os.RemoveAll(dir)
	store := artifact.NewStore(dir)
	defer store.Close()
	f, err := os.Open(name)
	check(err)
	defer f.Close()
	info, err := f.Stat()
	check(err)
	ctx := context.Background()
	tree, err := unpack.Run(ctx, filepath.Base(name), f, info.Size(), store, unpack.Options{Workers: *workers})
	check(err)
	found, _ := facts.Collect(ctx, tree, store, pool, set)
	res, err := match.Judge(ctx, tree, store, found, rules, pool, match.Options{})
	check(err)
	return res, len(tree.Contents())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
