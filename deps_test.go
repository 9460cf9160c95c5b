package hallmark_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms is policy: which of our packages each package may import, and which outside modules it
// alone owns. docs/design.md says why. It is never loosened to make a build pass.
//
// A key ending in /* holds for every package below it that has no key of its own. "*" as an
// import allows all of ours.
var rooms = map[string]room{
	"artifact":                 {},
	"elf":                      {ours: []string{"artifact"}},
	"internal/binomial":        {},
	"internal/cache":           {ours: []string{"artifact"}},
	"internal/literal":         {},
	"internal/work":            {},
	"unpack/codec":             {modules: []string{"github.com/klauspost/compress"}},
	"unpack/format":            {ours: []string{"artifact"}},
	"unpack/format/formattest": {ours: []string{"artifact", "unpack/format"}},
	"unpack/format/stream":     {ours: []string{"artifact", "unpack/format", "unpack/codec"}, pure: true},
	"unpack/*":                 {ours: []string{"artifact", "unpack/format", "unpack/format/stream", "unpack/codec"}, pure: true},
	"unpack":                   {ours: []string{"artifact", "unpack/format", "unpack/*", "internal/cache", "internal/work"}},
	"internal/strictyaml":      {modules: []string{"go.yaml.in/yaml/v3"}},
	"signing":                  {modules: []string{"github.com/secure-systems-lab/go-securesystemslib"}},
	"signatures":               {ours: []string{"internal/strictyaml"}},
	"facts":                    {ours: []string{"artifact", "elf", "internal/cache", "internal/literal", "internal/work"}},
	"sbom":                     {ours: []string{"artifact", "elf", "facts", "signatures", "internal/literal", "internal/work"}},
	"sbom/document":            {ours: []string{"artifact", "sbom"}, modules: []string{"github.com/CycloneDX/cyclonedx-go"}},
	"sbom/compare":             {ours: []string{"artifact", "sbom", "sbom/document"}},
	"sbom/conform":             {ours: []string{"sbom/document"}},
	"sbom/vex":                 {ours: []string{"sbom/compare", "sbom/document"}},
	"sbom/learnt":              {ours: []string{"artifact", "elf", "facts", "feature", "sbom", "internal/work"}},
	"sbom/manifest":            {ours: []string{"artifact", "elf", "sbom"}},
	"sbom/rpmdb":               {ours: []string{"artifact", "sbom"}},
	"sbom/syftcat":             {ours: []string{"artifact", "sbom"}, modules: []string{"github.com/anchore/syft"}},
	"match":                    {ours: []string{"artifact", "facts", "signatures", "sbom", "internal/binomial", "internal/literal", "internal/work"}},
	"feature":                  {ours: []string{"artifact", "elf", "internal/work"}},
	"fingerprint":              {ours: []string{"artifact", "feature", "signing", "internal/binomial", "internal/work"}},
	"disguise":                 {ours: []string{"artifact", "elf"}},
	"policy":                   {ours: []string{"artifact", "signatures", "sbom", "match", "internal/strictyaml"}, modules: []string{"cel.dev/cel-go"}},
	"policy/devicelist":        {ours: []string{"artifact", "policy", "signing", "internal/strictyaml"}},
	"estate":                   {ours: []string{"artifact", "policy"}},
	"report":                   {ours: []string{"artifact", "sbom", "sbom/document", "sbom/compare", "sbom/conform", "sbom/vex", "match", "fingerprint", "policy", "policy/devicelist", "estate"}},
	"cmd/hallmark":             {ours: []string{"*"}, modules: []string{"github.com/spf13/cobra", "golang.org/x/term"}},
}

type room struct {
	ours    []string
	modules []string
	pure    bool // a format: bytes in, entries out
}

// impure is what a format must not import.
var impure = []string{"os", "os/exec", "net", "net/http", "log", "log/slog", "context", "time", "unsafe", "runtime"}

// testOnly are modules that tests may import anywhere.
var testOnly = []string{"github.com/google/go-cmp", "github.com/anchore/go-lzo", "github.com/pierrec/lz4/v4", "github.com/ulikunitz/xz", "github.com/rogpeppe/go-internal", "github.com/santhosh-tekuri/jsonschema/v6"}

func TestImports(t *testing.T) {
	owner := map[string]string{}
	for pkg, r := range rooms {
		for _, m := range r.modules {
			if o, ok := owner[m]; ok {
				t.Errorf("module %s has two owners, %s and %s", m, o, pkg)
			}
			owner[m] = pkg
		}
	}
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && file != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || path.Dir(filepath.ToSlash(file)) == "." {
			return nil
		}
		pkg := path.Dir(filepath.ToSlash(file))
		if strings.HasPrefix(pkg, "bench") {
			return nil
		}
		test := strings.HasSuffix(file, "_test.go")
		key, r, ok := roomOf(pkg)
		if !ok {
			t.Errorf("%s has no room in deps_test.go", pkg)
			return nil
		}
		seen[key] = true
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			imp, _ := strconv.Unquote(i.Path.Value)
			if why := refused(pkg, r, imp, test, owner); why != "" {
				t.Errorf("%s must not import %s: %s", pkg, imp, why)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range rooms {
		if !seen[key] {
			t.Errorf("deps_test.go has a room for %s, which does not exist", key)
		}
	}
}

func roomOf(pkg string) (string, room, bool) {
	if r, ok := rooms[pkg]; ok {
		return pkg, r, true
	}
	for p := path.Dir(pkg); p != "."; p = path.Dir(p) {
		if r, ok := rooms[p+"/*"]; ok {
			return p + "/*", r, true
		}
	}
	return "", room{}, false
}

// refused says why pkg must not import imp, or "".
func refused(pkg string, r room, imp string, test bool, owner map[string]string) string {
	if ours, ok := strings.CutPrefix(imp, "hallmark/"); ok {
		if test && (ours == "unpack/format/formattest" || ours == pkg) {
			return ""
		}
		for _, allowed := range r.ours {
			if allowed == "*" || allowed == ours {
				return ""
			}
			if key, _, _ := roomOf(ours); key == allowed {
				return ""
			}
		}
		if test && !r.pure {
			return "" // an outer test may drive the whole line
		}
		return "its room does not allow it"
	}
	first, _, _ := strings.Cut(imp, "/")
	if !strings.Contains(first, ".") {
		if r.pure && !test && slices.Contains(impure, imp) {
			return "a format is pure: bytes in, entries out"
		}
		return ""
	}
	for m, o := range owner {
		if imp == m || strings.HasPrefix(imp, m+"/") {
			if o == pkg || test && strings.HasPrefix(pkg, "unpack/") {
				return ""
			}
			return m + " belongs to " + o
		}
	}
	for _, m := range testOnly {
		if test && (imp == m || strings.HasPrefix(imp, m+"/")) {
			return ""
		}
	}
	return "no room owns this module"
}
