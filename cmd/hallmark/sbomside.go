package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hallmark/report"
	"hallmark/sbom/compare"
	"hallmark/sbom/document"
	"hallmark/signatures"
)

// readBOM reads a bill of materials; "-" is standard input.
func readBOM(env *environment, name string) (*document.Document, error) {
	in := env.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, exitf(exitInput, "%w", err)
		}
		defer f.Close()
		in = f
	}
	d, err := document.Read(in)
	if err != nil {
		return nil, exitf(exitInput, "%s: %w", name, err)
	}
	return d, nil
}

// side is an image that was taken apart, or a document about one.
type side struct {
	*compare.Observed
	image    *opened            // nil if it is a document
	document *document.Document // nil if it is an image
}

func (s *side) close() {
	if s.image != nil {
		s.image.close()
	}
}

// limited is the end of the program if a limit cut the image short.
func (s *side) limited() error {
	if s.image == nil {
		return nil
	}
	return s.image.limited()
}

// sha256 of the image, "" if a document does not say it.
func (s *side) sha256() string {
	if s.image != nil {
		return s.image.tree.Root.String()
	}
	if s.document.Root >= 0 {
		for _, h := range s.document.Components[s.document.Root].Hashes {
			if h.Algorithm.Value == "SHA-256" {
				return strings.ToLower(h.Value.Value)
			}
		}
	}
	return ""
}

// observe takes apart the image that name says, or reads the document.
func observe(ctx context.Context, env *environment, a *analysis, name string) (*side, error) {
	known, err := knownNames()
	if err != nil {
		return nil, exitf(exitInternal, "%w", err)
	}
	if looksLikeDocument(name) {
		d, err := readBOM(env, name)
		if err != nil {
			return nil, err
		}
		return &side{Observed: compare.FromDocument(filepath.Base(name), d, known), document: d}, nil
	}
	r, o, err := a.run(ctx, env, name)
	if err != nil {
		return nil, err
	}
	for _, p := range r.Problems {
		io.WriteString(env.stderr, "hallmark: "+report.Printable(p)+"\n")
	}
	return &side{Observed: compare.FromImage(r.BOM, o.tree, known), image: o}, nil
}

// looksLikeDocument looks at the head of a file: no image begins like this.
func looksLikeDocument(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, _ := io.ReadFull(f, head)
	head = bytes.TrimLeft(bytes.TrimPrefix(head[:n], []byte("\xef\xbb\xbf")), " \t\r\n")
	head = bytes.ToLower(head)
	if bytes.HasPrefix(head, []byte("{")) || bytes.HasPrefix(head, []byte("<")) {
		return bytes.Contains(head, []byte("bomformat")) || bytes.Contains(head, []byte("spdx")) || bytes.Contains(head, []byte("cyclonedx")) || bytes.Contains(head, []byte("payloadtype"))
	}
	return bytes.Contains(head, []byte("spdxversion:"))
}

// knownNames are the components whose look in an image is known.
func knownNames() ([]string, error) {
	all, err := signatures.Components()
	if err != nil {
		return nil, err
	}
	var out []string
	for i := range all {
		out = append(out, all[i].Name)
		if all[i].Purl != "" {
			out = append(out, all[i].Purl)
		}
	}
	return out, nil
}

// formatFlag is -o text or -o json, for verbs that write one result.
type formatFlag struct{ name string }

func (f *formatFlag) register(c *cobra.Command) {
	c.Flags().StringVarP(&f.name, "output", "o", "text", "text or json")
}

func (f *formatFlag) check() error {
	if f.name != "text" && f.name != "json" {
		return exitf(exitUsage, "-o %s: want text or json", f.name)
	}
	return nil
}

// write writes result as JSON, or for people by text.
func (f *formatFlag) write(env *environment, result any, text func(io.Writer) error) error {
	if f.name == "text" {
		return ioFault(text(env.stdout))
	}
	e := json.NewEncoder(env.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return ioFault(e.Encode(result))
}

func ioFault(err error) error {
	if err != nil {
		return exitf(exitIO, "standard output: %w", err)
	}
	return nil
}
