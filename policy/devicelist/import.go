package devicelist

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hallmark/artifact"
	"hallmark/internal/strictyaml"
	"hallmark/policy"
)

// Imported is what a foreign list holds. Bad has every row that is not among the entries, with
// its place and why.
type Imported struct {
	Schemes []Scheme
	Entries []Entry
	Bad     strictyaml.Errors
	Notes   []string // what a reader should know of how it was read
	ids     map[string]int
}

func (m *Imported) bad(file string, line, column int, format string, args ...any) {
	m.Bad = append(m.Bad, &strictyaml.Error{File: file, Pos: strictyaml.Pos{Line: line, Column: column}, Msg: fmt.Sprintf(format, args...)})
}

// add appends an entry, or reports the row if its id is taken.
func (m *Imported) add(file string, line int, e Entry) {
	if m.ids == nil {
		m.ids = map[string]int{}
	}
	if first, ok := m.ids[e.ID]; ok {
		m.bad(file, line, 1, "the id %q is that of line %d", e.ID, first)
		return
	}
	m.ids[e.ID] = line
	m.Entries = append(m.Entries, e)
}

// Formats are the foreign lists that are read.
func Formats() []string { return []string{"csv", "common-criteria", "cyclonedx"} }

// ReadForeign reads a foreign list. latin allows windows-1252 where a document is not UTF-8.
func ReadForeign(file, format string, data []byte, latin bool) (*Imported, error) {
	m := &Imported{}
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		data = data[3:]
		m.Notes = append(m.Notes, file+": a byte order mark was left out")
	}
	if !utf8.Valid(data) {
		if !latin {
			line, column := invalid(data)
			return nil, &strictyaml.Error{File: file, Pos: strictyaml.Pos{Line: line, Column: column}, Msg: "not UTF-8; if it is windows-1252, say so with --encoding windows-1252"}
		}
		text, n, err := fromWindows1252(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		data = text
		m.Notes = append(m.Notes, fmt.Sprintf("%s: read as windows-1252; %d characters beyond ASCII", file, n))
	}
	switch format {
	case "csv":
		return m, m.csv(file, data)
	case "common-criteria":
		return m, m.commonCriteria(file, data)
	case "cyclonedx":
		return m, m.cyclonedx(file, data)
	}
	return nil, fmt.Errorf("no import format %q; %s", format, strictyaml.Suggest(format, Formats()))
}

// invalid returns where the first byte stands that is not UTF-8.
func invalid(data []byte) (line, column int) {
	i := 0
	for i < len(data) {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	start := bytes.LastIndexByte(data[:i], '\n') + 1
	return bytes.Count(data[:i], []byte("\n")) + 1, utf8.RuneCount(data[start:i]) + 1
}

// windows1252 is what the encoding has from 0x80 to 0x9f; 0 is not assigned. See
// https://www.unicode.org/Public/MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1252.TXT.
const windows1252 = "€\x00‚ƒ„…†‡ˆ‰Š‹Œ\x00Ž\x00\x00‘’“”•–—˜™š›œ\x00žŸ"

func fromWindows1252(data []byte) ([]byte, int, error) {
	high := []rune(windows1252)
	out := make([]byte, 0, len(data)+len(data)/8)
	n := 0
	for i, c := range data {
		r := rune(c)
		if c >= 0x80 {
			n++
		}
		if c >= 0x80 && c < 0xa0 {
			if r = high[c-0x80]; r == 0 {
				return nil, 0, fmt.Errorf("byte 0x%02x at offset %d is no character of windows-1252", c, i)
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return out, n, nil
}

// rows calls each for every record of a table whose first row names its columns. Rows that are
// broken, or of another width, are reported.
func (m *Imported) rows(file string, data []byte, want []string, each func(line int, row map[string]string)) error {
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	r.LazyQuotes = false
	head, err := r.Read()
	if err != nil {
		return fmt.Errorf("%s:1:1: no table: %w", file, err)
	}
	for i := range head {
		head[i] = strings.TrimSpace(head[i])
	}
	for _, w := range want {
		if !slices.Contains(head, w) {
			return fmt.Errorf("%s:1:1: no column %q; the table has %s", file, w, strings.Join(head, ", "))
		}
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		line, column := 0, 1
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			line, column = broken.StartLine, max(broken.Column, 1)
			m.bad(file, line, column, "%v", broken.Err)
			continue
		} else if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		line, _ = r.FieldPos(0)
		if len(rec) != len(head) {
			m.bad(file, line, 1, "%d fields, and the table has %d columns", len(rec), len(head))
			continue
		}
		row := map[string]string{}
		for i, h := range head {
			row[h] = strings.TrimSpace(rec[i])
		}
		each(line, row)
	}
}

// csvColumns are those of a table that hallmark reads; the first two are needed.
var csvColumns = []string{"id", "sha256", "vendor", "model", "version", "size", "content_root", "valid_from", "valid_to", "notes"}

func (m *Imported) csv(file string, data []byte) error {
	return m.rows(file, data, csvColumns[:2], func(line int, row map[string]string) {
		e := Entry{ID: row["id"], Status: "approved", Vendor: row["vendor"], Model: row["model"], Notes: row["notes"]}
		f := Firmware{Version: row["version"]}
		if f.Version == "" {
			f.Version = "unknown"
		}
		var faults []string
		read := func(column string, into interface{ UnmarshalText([]byte) error }) {
			if s := row[column]; s != "" {
				if err := into.UnmarshalText([]byte(s)); err != nil {
					faults = append(faults, fmt.Sprintf("%s: %v", column, err))
				}
			}
		}
		read("sha256", &f.SHA256)
		read("content_root", &f.ContentRoot)
		read("valid_from", &e.ValidFrom)
		read("valid_to", &e.ValidTo)
		if s := row["size"]; s != "" {
			if _, err := fmt.Sscanf(s, "%d", &f.Size); err != nil || f.Size < 0 {
				faults = append(faults, fmt.Sprintf("size: %q is no number of bytes", s))
			}
		}
		if e.ID == "" {
			faults = append(faults, "id: it is empty")
		}
		if row["sha256"] == "" {
			faults = append(faults, "sha256: it is empty")
		}
		if len(faults) > 0 {
			m.bad(file, line, 1, "%s", strings.Join(faults, "; "))
			return
		}
		e.Firmware = []Firmware{f}
		m.add(file, line, e)
	})
}

// commonCriteria reads the table of certified products of the Common Criteria portal. It has no
// ids and no digests: the id is made of category, name and links, as its best-known reader does,
// and an entry approves nothing until somebody adds the firmware.
func (m *Imported) commonCriteria(file string, data []byte) error {
	m.Schemes = []Scheme{{ID: "common-criteria", Title: "Common Criteria", Status: "active", URL: "https://www.commoncriteriaportal.org"}}
	err := m.rows(file, data, []string{"Category", "Name", "Manufacturer", "Scheme", "Certification Date"}, func(line int, row map[string]string) {
		if row["Name"] == "" {
			m.bad(file, line, 1, "Name: it is empty")
			return
		}
		from, err1 := slashed(row["Certification Date"])
		to, err2 := slashed(row["Archived Date"])
		if err := errors.Join(err1, err2); err != nil {
			m.bad(file, line, 1, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
			return
		}
		sum := sha256.Sum256([]byte(strings.Join([]string{row["Category"], row["Name"], row["Certification Report URL"], row["Security Target URL"]}, "\x00")))
		key := hex.EncodeToString(sum[:6])
		m.add(file, line, Entry{
			ID: "cc-" + key, Status: "approved", Vendor: row["Manufacturer"], Model: row["Name"],
			Certificates: []Certificate{{Scheme: "common-criteria", ID: key, ValidFrom: from, ValidTo: to, URL: row["Certification Report URL"], Scope: strings.TrimSpace(row["Scheme"] + " " + row["Assurance Level"])}},
			Notes:        row["Category"],
		})
	})
	m.Notes = append(m.Notes, "the table names no firmware: an entry approves nothing until its firmware is added")
	return err
}

// slashed reads a date as the portal writes it, 01/31/2027; "" is none.
func slashed(s string) (policy.Date, error) {
	if s == "" {
		return "", nil
	}
	t, err := time.Parse("01/02/2006", s)
	if err != nil {
		return "", fmt.Errorf("%q is no date as 01/31/2027", s)
	}
	return policy.DateOf(t), nil
}

// cyclonedx reads the components of type firmware and device that have a SHA-256.
func (m *Imported) cyclonedx(file string, data []byte) error {
	type component struct {
		Ref     string `json:"bom-ref"`
		Type    string `json:"type"`
		Name    string `json:"name"`
		Version string `json:"version"`
		Purl    string `json:"purl"`
		CPE     string `json:"cpe"`
		Maker   *struct {
			Name string `json:"name"`
		} `json:"manufacturer"`
		Supplier *struct {
			Name string `json:"name"`
		} `json:"supplier"`
		Hashes []struct {
			Alg     string `json:"alg"`
			Content string `json:"content"`
		} `json:"hashes"`
	}
	var doc struct {
		BOMFormat string `json:"bomFormat"`
		Metadata  struct {
			Component *json.RawMessage `json:"component"`
		} `json:"metadata"`
		Components []json.RawMessage `json:"components"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("%s:1:1: not a CycloneDX document in JSON: %w", file, err)
	}
	if doc.BOMFormat != "CycloneDX" {
		return fmt.Errorf("%s:1:1: not a CycloneDX document: bomFormat is %q", file, doc.BOMFormat)
	}
	if doc.Metadata.Component != nil {
		doc.Components = append([]json.RawMessage{*doc.Metadata.Component}, doc.Components...)
	}
	other := 0
	for _, raw := range doc.Components {
		line := bytes.Count(data[:max(bytes.Index(data, raw), 0)], []byte("\n")) + 1
		var c component
		if err := json.Unmarshal(raw, &c); err != nil {
			m.bad(file, line, 1, "%v", err)
			continue
		}
		if c.Type != "firmware" && c.Type != "device" {
			other++
			continue
		}
		e := Entry{ID: slug(c.Name + "-" + c.Version), Status: "approved", Model: c.Name, Identifiers: Identifiers{CPE: c.CPE, Purl: c.Purl}}
		for _, v := range []*struct {
			Name string `json:"name"`
		}{c.Maker, c.Supplier} {
			if v != nil && e.Vendor == "" {
				e.Vendor = v.Name
			}
		}
		f := Firmware{Version: c.Version}
		if f.Version == "" {
			f.Version = "unknown"
		}
		var err error
		for _, h := range c.Hashes {
			if h.Alg == "SHA-256" {
				err = f.SHA256.UnmarshalText([]byte(h.Content))
			}
		}
		switch {
		case err != nil:
			m.bad(file, line, 1, "%s %s: %v", c.Type, c.Name, err)
		case f.SHA256 == artifact.Digest{}:
			m.bad(file, line, 1, "%s %s has no SHA-256", c.Type, c.Name)
		default:
			e.Firmware = []Firmware{f}
			m.add(file, line, e)
		}
	}
	if other > 0 {
		m.Notes = append(m.Notes, fmt.Sprintf("%s: %d components are neither firmware nor device and are no entries", file, other))
	}
	return nil
}

// slug makes an id of a name.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}

// YAML writes what was imported as a list, under a header that the caller fills.
func (m *Imported) YAML(h Header) string {
	w := &writer{}
	w.line("apiVersion: %s\nkind: %s\nlist:", Version, KindDevices)
	w.text("  ", "id", h.ID)
	w.text("  ", "title", h.Title)
	w.text("  ", "issuer", h.Issuer)
	w.text("  ", "version", h.Version)
	w.text("  ", "issued", string(h.Issued))
	w.text("  ", "expires", string(h.Expires))
	if len(m.Schemes) > 0 {
		w.line("schemes:")
	}
	for _, s := range m.Schemes {
		w.line("  - {id: %s, title: %s, status: %s, url: %s}", quote(s.ID), quote(s.Title), s.Status, quote(s.URL))
	}
	if len(m.Entries) == 0 {
		w.line("entries: []")
		return w.String()
	}
	w.line("entries:")
	for i := range m.Entries {
		for _, line := range strings.Split(strings.TrimSuffix(m.Entries[i].YAML(), "\n"), "\n") {
			w.line("  %s", line)
		}
	}
	return w.String()
}
