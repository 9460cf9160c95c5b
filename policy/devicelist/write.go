package devicelist

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"hallmark/internal/strictyaml"
)

// YAML writes an entry as an item of the list of entries. Every text is in double quotes.
func (e *Entry) YAML() string {
	w := &writer{}
	w.text("- ", "id", e.ID)
	w.text("  ", "status", e.Status)
	if x := e.Withdrawn; x != nil {
		w.line("  withdrawn: {date: %s, reason: %s}", x.Date, quote(x.Reason))
	}
	if len(e.Conditions) > 0 {
		w.line("  conditions:")
		for _, k := range e.Conditions {
			w.line("    - {text: %s, due: %s}", quote(k.Text), k.Due)
		}
	}
	w.text("  ", "vendor", e.Vendor)
	w.text("  ", "model", e.Model)
	if id := e.Identifiers; id != (Identifiers{}) {
		w.line("  identifiers:")
		w.text("    ", "cpe", id.CPE)
		w.text("    ", "purl", id.Purl)
	}
	if len(e.Firmware) > 0 {
		w.line("  firmware:")
	}
	for _, f := range e.Firmware {
		w.firmware("    ", f)
	}
	if len(e.Certificates) > 0 {
		w.line("  certificates:")
	}
	for _, x := range e.Certificates {
		w.text("    - ", "scheme", x.Scheme)
		w.text("      ", "id", x.ID)
		w.text("      ", "valid_from", string(x.ValidFrom))
		w.text("      ", "valid_to", string(x.ValidTo))
		w.text("      ", "url", x.URL)
		w.text("      ", "scope", x.Scope)
	}
	w.text("  ", "valid_from", string(e.ValidFrom))
	w.text("  ", "valid_to", string(e.ValidTo))
	w.text("  ", "notes", e.Notes)
	return w.String()
}

type writer struct{ strings.Builder }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (w *writer) text(indent, key, value string) {
	if value != "" {
		w.line("%s%s: %s", indent, key, quote(value))
	}
}

func (w *writer) firmware(indent string, f Firmware) {
	w.text(indent+"- ", "version", f.Version)
	w.line("%s  sha256: %q", indent, f.SHA256)
	if f.Size > 0 {
		w.line("%s  size: %d", indent, f.Size)
	}
	if !f.ContentRoot.IsZero() {
		w.line("%s  content_root: %q", indent, f.ContentRoot)
	}
	w.text(indent+"  ", "manifest", f.Manifest)
	w.text(indent+"  ", "released", string(f.Released))
}

// quote writes s as a JSON string, which is one in YAML as well.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string always has an encoding
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Append returns the text of a YAML list with an entry more, or, if it has the entry already,
// with a firmware more of it. The rest stays as it is. entries must be the last key of the list.
func Append(file string, data []byte, e *Entry) ([]byte, error) {
	l, err := Parse(file, data)
	if err != nil {
		return nil, err
	}
	if t := bytes.TrimLeft(data, " \t\r\n"); len(t) > 0 && t[0] == '{' {
		return nil, fmt.Errorf("%s: entries are added to lists in YAML only; add it to this one by hand", file)
	}
	text := strings.TrimRight(string(data), "\n") + "\n"
	added := e.YAML()
	if old := l.Entry(e.ID); old != nil {
		return nil, &strictyaml.Error{File: file, Pos: old.Pos, Msg: fmt.Sprintf("entry %q is there; give another id, or add the firmware to it by hand:\n%s", e.ID, added)}
	}
	indent := 2
	if n := len(l.Entries); n > 0 {
		indent = max(l.Entries[n-1].Column-len("- ")-1, 0)
	} else {
		text = strings.TrimRight(strings.TrimSuffix(strings.TrimRight(text, "\n "), "[]"), " ") + "\n"
	}
	pad := strings.Repeat(" ", indent)
	for _, line := range strings.Split(strings.TrimSuffix(added, "\n"), "\n") {
		text += pad + line + "\n"
	}
	grown, err := Parse(file, []byte(text))
	if err != nil || len(grown.Entries) != len(l.Entries)+1 || grown.Entry(e.ID) == nil {
		return nil, errors.Join(fmt.Errorf("%s: the entry cannot be added at the end; entries must be the last key of the list", file), err)
	}
	return []byte(text), nil
}
