package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"hallmark/sbom/document"
)

// documentFlags are what a document says beside the components.
type documentFlags struct {
	spec             string
	author, supplier string
	version          string
	files, fileDates bool
}

func (f *documentFlags) register(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.spec, "spec-version", "1.6", "version of CycloneDX to write: 1.5, 1.6 or 1.7")
	fl.StringVar(&f.author, "sbom-author", "", "who has the document made: `NAME`, 'NAME <MAIL>' or 'NAME <URL>'")
	fl.StringVar(&f.supplier, "supplier", "", "who supplies the image: `NAME`, 'NAME <MAIL>' or 'NAME <URL>'")
	fl.StringVar(&f.version, "image-version", "", "version of the image, as its supplier calls it")
	fl.BoolVar(&f.files, "files", false, "list every file, not only those that are evidence (CycloneDX)")
	fl.BoolVar(&f.fileDates, "file-dates", false, "give a component without a version the date of its file, as BSI TR-03183-2 asks (CycloneDX)")
}

// options are the flags as a document takes them; the tree is put in when there is one.
func (f *documentFlags) options() (document.Options, error) {
	o := document.Options{Spec: f.spec, Version: f.version, FileDates: f.fileDates}
	if err := document.CheckSpec(f.spec); err != nil {
		return o, fmt.Errorf("--spec-version: %w", err)
	}
	for _, p := range []struct {
		flag, text string
		to         *document.Party
	}{{"--sbom-author", f.author, &o.Author}, {"--supplier", f.supplier, &o.Supplier}} {
		if p.text == "" {
			continue
		}
		party, err := document.ParseParty(p.text)
		if err != nil {
			return o, fmt.Errorf("%s %w", p.flag, err)
		}
		*p.to = party
	}
	return o, nil
}

func newSBOMCommand(env *environment) *cobra.Command {
	a := &analysis{bom: true}
	var out outputFlags
	var doc documentFlags
	c := &cobra.Command{
		Use:   "sbom IMAGE",
		Short: "Write the software bill of materials of an image, or judge one",
		Long: `sbom takes IMAGE apart and writes the components in it, each with the bytes that show it,
as CycloneDX or SPDX. With --lineage it also names those whose work the image is; scan does
the same and tells it to people. The commands below judge documents, from whoever they come.`,
		Example: `  hallmark sbom -o cyclonedx=camera.cdx.json -o spdx=camera.spdx.json camera.bin
  hallmark sbom --spec-version 1.7 --sbom-author 'A Lab <sbom@lab.example>' camera.bin
  hallmark sbom check --profile bsi-tr-03183-2 supplier.cdx.json
  hallmark sbom compare --declared supplier.cdx.json camera.bin`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := doc.options()
			if err != nil {
				return err
			}
			a.document, a.files = o, doc.files
			return analyse(c, env, a, &out, args[0])
		},
	}
	a.input.register(c)
	out.register(c, "cyclonedx")
	doc.register(c)
	a.knows(c)
	c.AddCommand(
		newSBOMCheckCommand(env),
		newSBOMCompareCommand(env),
		newSBOMDiffCommand(env),
		newSBOMVEXCommand(env),
		newAttestCommand(env),
		newSBOMVerifyCommand(env),
	)
	c.Flags().BoolVar(&a.makers, "lineage", false, "name in the document those whose work the image shows; ends with 2 if that is inconclusive")
	return c
}
