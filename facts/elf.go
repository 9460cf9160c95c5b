package facts

import (
	"regexp"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/elf"
)

func readELF(c *content) {
	f, err := elf.Read(c.r, c.Size)
	if err != nil {
		return
	}
	c.problems = append(c.problems, f.Problems...)
	c.say("elf.machine", f.Machine.String(), artifact.Range{Off: 18, Len: 2})
	c.sayValues("elf.interp", f.Interp)
	c.sayValues("elf.soname", f.Soname)
	c.sayValues("elf.needed", f.Needed...)
	c.sayValues("elf.rpath", f.Rpath...)
	c.sayValues("elf.runpath", f.Runpath...)
	c.sayValues("elf.buildid", f.BuildID)
	c.sayValues("elf.comment", f.Comments...)
	c.saySymbols("elf.export", f.Exports)
	c.saySymbols("elf.import", f.Imports)
	for _, m := range f.Modinfo {
		c.say("modinfo."+m.Key, m.Value, m.At)
		if m.Key == "author" {
			c.sayDomains(m)
		}
	}
	for _, r := range f.AllocatedRanges() {
		c.say("elf.loaded", "", r)
	}
	readSourcePaths(c, f)
}

// sayValues keeps the values that are there.
func (c *content) sayValues(name string, values ...elf.Value) {
	for _, v := range values {
		if v.Text != "" {
			c.say(name, v.Text, v.At)
		}
	}
}

var mailDomain = regexp.MustCompile(`@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})`)

// sayDomains keeps the domains of the mail addresses in an author's entry: they name an employer
// without naming a person.
func (c *content) sayDomains(m elf.Pair) {
	entry := c.bytes(m.At)
	for _, d := range mailDomain.FindAllSubmatchIndex(entry, -1) {
		at := artifact.Range{Off: m.At.Off + int64(d[2]), Len: int64(d[3] - d[2])}
		c.say("modinfo.author-domain", strings.ToLower(string(entry[d[2]:d[3]])), at)
	}
}

func (c *content) saySymbols(name string, symbols []elf.Symbol) {
	if n := len(symbols) - MaxSymbols; n > 0 {
		c.say(name+"-omitted", strconv.Itoa(n), artifact.Range{})
		symbols = symbols[:MaxSymbols]
	}
	for _, s := range symbols {
		c.say(name, s.Name, s.At)
	}
}
