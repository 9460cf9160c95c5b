package learnt

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"

	"hallmark/artifact"
)

// Package reads from the control file of a Debian or opkg package, which t is, of which source
// package it was built, in which version.
func Package(t *artifact.Tree, s *artifact.Store) (Identity, error) {
	for _, c := range t.Contents() {
		for _, x := range c.Chunks() {
			for i := range x.Chunk.Nodes {
				n := &x.Chunk.Nodes[i]
				if n.Path != "control" || !n.HasContent() {
					continue
				}
				r, err := s.Open(n.Digest)
				if err != nil {
					return Identity{}, err
				}
				return identity(control(r)), nil
			}
		}
	}
	return Identity{}, fmt.Errorf("learnt: %s: no control file: not a package of Debian or opkg", t.Name)
}

// control returns the fields of a control file, first lines only.
func control(r io.Reader) map[string]string {
	out := map[string]string{}
	in := bufio.NewScanner(io.LimitReader(r, 1<<20))
	for in.Scan() {
		if k, v, ok := strings.Cut(in.Text(), ":"); ok && !strings.HasPrefix(k, " ") && out[k] == "" {
			out[k] = strings.TrimSpace(v)
		}
	}
	return out
}

// versioned is the end of a source's name that holds its version: python3.11, gcc-12.
var versioned = regexp.MustCompile(`(?:-\d+|-?\d+\.\d+)$`)

var sourceVersion = regexp.MustCompile(`^(\S+) \((\S+)\)$`)

func identity(fields map[string]string) Identity {
	name, version := fields["Source"], fields["Version"]
	if m := sourceVersion.FindStringSubmatch(name); m != nil {
		name, version = m[1], m[2]
	}
	kind := "pkg:deb/debian/"
	if fields["SourceName"] != "" {
		name, kind = fields["SourceName"], "pkg:opkg/"
	}
	if name == "" {
		name = fields["Package"]
	}
	if _, rest, ok := strings.Cut(version, ":"); ok {
		version = rest
	}
	purl := kind + url.PathEscape(name) + "@" + url.PathEscape(version) + "?arch=source"
	if at := versioned.FindStringIndex(name); at != nil && strings.HasPrefix(version, strings.TrimPrefix(name[at[0]:], "-")) {
		name = name[:at[0]]
	}
	return Identity{name, version, purl}
}
