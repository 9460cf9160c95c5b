// Package estate says how far an estate of cameras and recorders has been cleared: it joins an
// inventory with what is known of firmware, of brands, and of the rules in force.
//
// An inventory is a CSV file (RFC 4180, UTF-8, comma or semicolon) whose first line names its
// columns, one device a line. Evidence is kept in grades that are never mixed: what the bytes of
// a firmware show stands above what a label says, and a device of which nothing is known is
// unknown, not clear.
package estate

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hallmark/artifact"
)

// Device is one line of an inventory.
type Device struct {
	Line      int // in the file, the first is 1
	Site      string
	Classes   []string // of the site, as rule packs name them, in their order; none is not said
	Network   Network
	ID        string // unique in its site
	Brand     string
	Model     string
	Version   string          // of the firmware
	SHA256    artifact.Digest // of the firmware, if HasDigest
	HasDigest bool
	Status    Status
	Planned   time.Time // when it is to be cleared; zero is not said
	Done      time.Time // when it was cleared; zero is not, or not said
}

// Network says what a device is connected to.
type Network string

const (
	Core     Network = "core"     // the organisation's own network
	Separate Network = "separate" // one for cameras alone
	Offline  Network = "offline"
	NoWord   Network = ""
)

// Status is what the inventory says of a device today.
type Status string

const (
	InUse        Status = "in use"
	Disconnected Status = "disconnected" // still there, on no network
	Removed      Status = "removed"
	Replaced     Status = "replaced"
)

// maxDevices and maxField bound an inventory. Great Britain's whole public estate was a few
// hundred thousand cameras.
const (
	maxDevices = 5_000_000
	maxField   = 4096
)

// columns are the names that an inventory may use, required ones first.
var columns = []string{"site", "device", "brand", "site_class", "network", "model", "firmware_version", "firmware_sha256", "status", "planned", "done"}

const required = 3

// RowError is what is wrong with one field of an inventory.
type RowError struct {
	File         string
	Line, Column int
	Problem      string
}

func (e *RowError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Problem)
}

// Inventory is a whole file.
type Inventory struct {
	Devices []Device
	Unused  []string // columns that mean nothing here
}

// maxRowErrors bounds the errors that Read collects.
const maxRowErrors = 20

// Read reads an inventory whose sites are of the classes given; one site may be of several, as
// in sensitive+government. No line is skipped: if any is wrong, the error joins one [RowError]
// for each, up to a bound, and there is no inventory.
func Read(r io.Reader, name string, classes []string) (*Inventory, error) {
	data, err := io.ReadAll(io.LimitReader(r, 1<<30+1))
	if err != nil {
		return nil, err
	}
	if len(data) > 1<<30 {
		return nil, fmt.Errorf("%s: more than 1 GiB", name)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		at := 0
		for at < len(data) {
			c, n := utf8.DecodeRune(data[at:])
			if c == utf8.RuneError && n <= 1 {
				break
			}
			at += n
		}
		line := 1 + bytes.Count(data[:at], []byte("\n"))
		return nil, &RowError{name, line, at - bytes.LastIndexByte(data[:at], '\n'), "not UTF-8; save the table as UTF-8"}
	}
	p := &parser{name: name, classes: classes, known: map[string][]string{"": nil}, csv: csv.NewReader(bytes.NewReader(data))}
	head, _, _ := bytes.Cut(data, []byte("\n"))
	if bytes.Count(head, []byte(";")) > bytes.Count(head, []byte(",")) {
		p.csv.Comma = ';' // as spreadsheets write it where the comma is the decimal point
	}
	return p.read()
}

type parser struct {
	name    string
	classes []string
	known   map[string][]string // classes by how a line writes them
	csv     *csv.Reader
	index   [11]int // of each of columns in a record, -1 if absent
	record  []string
	line    int
	errs    []error
	more    int // errors beyond maxRowErrors
}

func (p *parser) read() (*Inventory, error) {
	inv := &Inventory{}
	head, err := p.csv.Read()
	if err == io.EOF {
		return nil, fmt.Errorf("%s: empty; the first line names the columns: %s", p.name, strings.Join(columns, ","))
	}
	if err != nil {
		return nil, p.syntax(err)
	}
	if inv.Unused, err = p.header(head); err != nil {
		return nil, err
	}
	p.csv.ReuseRecord = true
	seen := map[[2]string]int{}
	for {
		p.record, err = p.csv.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, p.syntax(err)
		}
		p.line, _ = p.csv.FieldPos(0)
		if len(inv.Devices) == maxDevices {
			return nil, fmt.Errorf("%s:%d: more than %d devices", p.name, p.line, maxDevices)
		}
		d := p.device()
		key := [2]string{d.Site, d.ID}
		if first, ok := seen[key]; ok && d.ID != "" {
			p.fail(1, "device %q of site %q stands in line %d already", d.ID, d.Site, first)
		}
		seen[key] = d.Line
		inv.Devices = append(inv.Devices, d)
	}
	if p.more > 0 {
		p.errs = append(p.errs, fmt.Errorf("%s: and %d more", p.name, p.more))
	}
	if err := errors.Join(p.errs...); err != nil {
		return nil, err
	}
	if len(inv.Devices) == 0 {
		return nil, fmt.Errorf("%s: no devices below the first line", p.name)
	}
	return inv, nil
}

func (p *parser) syntax(err error) error {
	var e *csv.ParseError
	if errors.As(err, &e) {
		if errors.Is(e.Err, csv.ErrFieldCount) {
			return &RowError{p.name, e.Line, 1, "the line has more or fewer fields than the first"}
		}
		return &RowError{p.name, e.Line, e.Column, e.Err.Error()}
	}
	return err
}

// header finds the columns. A name that is nearly one of ours is a slip, others are left alone:
// an inventory has its own columns too.
func (p *parser) header(head []string) (unused []string, err error) {
	for i := range p.index {
		p.index[i] = -1
	}
	for i, h := range head {
		_, col := p.csv.FieldPos(i)
		name := strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(h)))
		n := slices.Index(columns, name)
		switch {
		case n >= 0 && p.index[n] >= 0:
			return nil, &RowError{p.name, 1, col, fmt.Sprintf("column %q stands there twice", name)}
		case n >= 0:
			p.index[n] = i
		default:
			if near := nearest(name); near != "" {
				return nil, &RowError{p.name, 1, col, fmt.Sprintf("column %q: did you mean %q?", h, near)}
			}
			unused = append(unused, h)
		}
	}
	for i, name := range columns[:required] {
		if p.index[i] < 0 {
			return nil, &RowError{p.name, 1, 1, fmt.Sprintf("no column %q; known columns: %s", name, strings.Join(columns, ", "))}
		}
	}
	return unused, nil
}

// nearest returns the column that one or two slips of the finger make of name, or "".
func nearest(name string) string {
	for _, c := range columns {
		if d := distance(name, c); d <= 2 && 2*d < len(c) {
			return c
		}
	}
	return ""
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			last, row[j+1] = row[j+1], min(last+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func (p *parser) device() Device {
	d := Device{
		Line: p.line, Site: p.field(0), ID: p.field(1), Brand: p.field(2),
		Classes: p.siteClasses(), Model: p.field(5), Version: p.field(6),
	}
	if d.Site == "" {
		p.fail(0, "the site has no name")
	}
	if d.ID == "" {
		p.fail(1, "the device has no name; number them if they have none")
	}
	switch n := Network(word(p.field(4))); n {
	case Core, Separate, Offline, NoWord:
		d.Network = n
	default:
		p.fail(4, "network %q: want core, separate, offline or nothing", n)
	}
	if s := strings.ToLower(p.field(7)); s != "" {
		if err := d.SHA256.UnmarshalText([]byte(s)); err != nil {
			p.fail(7, "firmware_sha256 %q: want 64 hexadecimal digits", s)
		}
		d.HasDigest = true
	}
	switch s := Status(strings.ReplaceAll(word(p.field(8)), "-", " ")); s {
	case InUse, Disconnected, Removed, Replaced:
		d.Status = s
	case "", "planned":
		d.Status = InUse
	default:
		p.fail(8, "status %q: want in use, planned, disconnected, removed or replaced", p.field(8))
	}
	d.Planned, d.Done = p.date(9), p.date(10)
	return d
}

// siteClasses takes known classes alone: a slip must not make a rule look as if it did not apply.
func (p *parser) siteClasses() []string {
	text := p.field(3)
	out, ok := p.known[text]
	if ok {
		return out
	}
	var said []string
	for c := range strings.SplitSeq(text, "+") {
		if c = word(c); !slices.Contains(p.classes, c) {
			p.fail(3, "site_class %q: want %s, or several of them with +", c, strings.Join(p.classes, ", "))
			return nil
		}
		said = append(said, c)
	}
	for _, c := range p.classes {
		if slices.Contains(said, c) {
			out = append(out, c)
		}
	}
	p.known[text] = out
	return out
}

// word makes "Critical Infra" and "critical_infra" one: lower case, parted by hyphens.
func word(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == ' ' || r == '_' || r == '-' }), "-")
}

func (p *parser) field(column int) string {
	i := p.index[column]
	if i < 0 {
		return ""
	}
	s := strings.TrimSpace(p.record[i])
	if len(s) > maxField {
		p.fail(column, "%s: longer than %d bytes", columns[column], maxField)
		return ""
	}
	return strings.Clone(s) // the record shares one string for the whole line
}

func (p *parser) date(column int) time.Time {
	s := p.field(column)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		p.fail(column, "%s %q: write dates as 2025-04-30", columns[column], s)
	}
	return t
}

func (p *parser) fail(column int, message string, args ...any) {
	if len(p.errs) == maxRowErrors {
		p.more++
		return
	}
	line, col := p.csv.FieldPos(max(p.index[column], 0))
	p.errs = append(p.errs, &RowError{p.name, line, col, fmt.Sprintf(message, args...)})
}
