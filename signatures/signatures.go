// Package signatures holds what is known of makers and of components, as data.
//
// The data are YAML files that are part of the program. They are read when first asked for, so
// a command that needs none pays nothing for them.
package signatures

import (
	"fmt"
	"io/fs"

	"hallmark/internal/strictyaml"
)

// decode reads every *.yaml file of dir in fsys, in order of name, each a list of T.
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
		var list []T
		if err := strictyaml.Decode(name, b, &list, strictyaml.Options{Aliases: true}); err != nil {
			return nil, fmt.Errorf("signatures: %w", err)
		}
		all = append(all, list...)
	}
	return all, nil
}
