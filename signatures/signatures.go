// Package signatures holds what is known of makers and of components, as data.
//
// The data are YAML files that are part of the program. They are read when first asked for, so
// a command that needs none pays nothing for them.
package signatures

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"go.yaml.in/yaml/v3"
)

// decode reads every *.yaml file of dir in fsys, in order of name, each a list of T. A field that
// T does not have is an error.
func decode[T any](fsys fs.FS, dir string) ([]T, error) {
	names, err := fs.Glob(fsys, dir+"/*.yaml")
	if err != nil {
		return nil, err
	}
	var all []T
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		d := yaml.NewDecoder(bytes.NewReader(b))
		d.KnownFields(true)
		var list []T
		if err := d.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("signatures: %s: %w", name, err)
		}
		all = append(all, list...)
	}
	return all, nil
}
