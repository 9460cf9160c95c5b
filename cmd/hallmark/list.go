package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hallmark/internal/strictyaml"
	"hallmark/policy/devicelist"
	"hallmark/report"
	"hallmark/signatures"
	"hallmark/signing"
)

func newListCommand(env *environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "Keep lists of approved devices, and waivers",
		Long: `list keeps the documents that check reads: lists of approved devices, and waivers. Both are
strict YAML or JSON (docs/policy.md, docs/approved-devices.schema.json, docs/waivers.schema.json).
The signature of a document stands beside it, under its name with ` + devicelist.SignatureSuffix + ` behind.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newListLintCommand(env), newListSignCommand(env), newListVerifyCommand(env), newListAddCommand(env), newListImportCommand(env))
	return c
}

func newListLintCommand(env *environment) *cobra.Command {
	var day string
	var strict bool
	c := &cobra.Command{
		Use:   "lint FILE...",
		Short: "Find faults in lists and waivers",
		Long: `lint reads lists and waivers and prints every fault with file, line and column; a document with
a fault is unusable (exit 3). What is allowed and deserves a look, such as an entry that has
ended, is printed as a warning.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			at, err := asOf(day)
			if err != nil {
				return err
			}
			makers, err := makerIDs()
			if err != nil {
				return err
			}
			bad, warned := 0, 0
			for _, name := range args {
				data, err := readDocument(name)
				if err != nil {
					return err
				}
				d, err := devicelist.ParseAny(name, data)
				if err != nil {
					bad++
					for _, x := range strictyaml.Faults(err) {
						fmt.Fprintln(env.stdout, report.Printable(x.Error()))
					}
					continue
				}
				found := strictyaml.Errors(nil)
				if d.List != nil {
					found = d.List.Lint(at, makers)
				} else {
					found = d.Waivers.Lint(at)
				}
				warned += len(found)
				for _, x := range found {
					x.Msg = "warning: " + x.Msg
					fmt.Fprintln(env.stdout, report.Printable(x.Error()))
				}
			}
			switch {
			case bad > 0:
				return exitf(exitList, "%d of %d documents are unusable", bad, len(args))
			case strict && warned > 0:
				return exitf(exitList, "%d warnings (--strict)", warned)
			}
			return nil
		},
	}
	c.Flags().StringVar(&day, "as-of", "", "`date` to judge by, as 2027-01-31 (default today)")
	c.Flags().BoolVar(&strict, "strict", false, "warnings are faults")
	return c
}

// makerIDs are what permit_makers and permit_silicon may name.
func makerIDs() ([]string, error) {
	makers, err := signatures.Makers()
	if err != nil {
		return nil, exitf(exitInternal, "%w", err)
	}
	var ids []string
	for _, m := range makers {
		ids = append(ids, m.ID)
	}
	return ids, nil
}

func newListSignCommand(env *environment) *cobra.Command {
	var keys []string
	c := &cobra.Command{
		Use:   "sign --key PRIVATE FILE...",
		Short: "Sign lists and waivers",
		Long: `sign writes the signature of each FILE beside it: a DSSE envelope around an in-toto statement
about the bytes of the document. A document with faults is not signed. "hallmark key" makes keys.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(keys) == 0 {
				return errors.New("no key to sign with; give --key")
			}
			var private []*signing.PrivateKey
			for _, name := range keys {
				b, err := os.ReadFile(name)
				if err != nil {
					return exitf(exitInput, "%w", err)
				}
				k, err := signing.ParsePrivate(b)
				if err != nil {
					return exitf(exitInput, "%s: %w", name, err)
				}
				private = append(private, k)
			}
			for _, name := range args {
				data, err := readDocument(name)
				if err != nil {
					return err
				}
				envelope, err := devicelist.Sign(name, data, private...)
				if err != nil {
					return exitf(exitList, "%w", err)
				}
				if err := writeBytes(name+devicelist.SignatureSuffix, envelope); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringArrayVar(&keys, "key", nil, "private key `file`; may be given several times")
	return c
}

func writeBytes(name string, b []byte) error {
	if err := writeFile(name, func(w io.Writer) error { _, err := w.Write(b); return err }); err != nil {
		return exitf(exitIO, "%w", err)
	}
	return nil
}

func newListVerifyCommand(env *environment) *cobra.Command {
	var keys []string
	var day string
	c := &cobra.Command{
		Use:   "verify --key PUBLIC FILE...",
		Short: "Verify the signatures of lists and waivers, and that they hold today",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(keys) == 0 {
				return errors.New("no key to verify with; give --key")
			}
			at, err := asOf(day)
			if err != nil {
				return err
			}
			public, err := publicKeys(keys)
			if err != nil {
				return err
			}
			for _, name := range args {
				data, err := readDocument(name)
				if err != nil {
					return err
				}
				by, err := verifySignature(name, data, public)
				if err != nil {
					return exitf(exitList, "%w", err)
				}
				d, err := devicelist.ParseAny(name, data)
				if err == nil {
					err = d.Usable(at)
				}
				if err != nil {
					return exitf(exitList, "%w", err)
				}
				for _, k := range by {
					fmt.Fprintf(env.stdout, "%s: signed by key %s\n", report.Printable(name), k.ID())
				}
			}
			return nil
		},
	}
	c.Flags().StringArrayVar(&keys, "key", nil, "public key `file`; may be given several times")
	c.Flags().StringVar(&day, "as-of", "", "`date` to judge by, as 2027-01-31 (default today)")
	return c
}

func newListAddCommand(env *environment) *cobra.Command {
	var in inputFlags
	var list, id, vendor, model, firmware string
	var noManifest bool
	c := &cobra.Command{
		Use:   "add --id ID --firmware-version VERSION FIRMWARE",
		Short: "Add a firmware to a list",
		Long: `add takes FIRMWARE apart and writes the entry that names it, with its digest and its content
root: to standard output, or with --list to the end of a list in YAML. The manifest of the content
then goes to the folder manifests beside the list, so that check can name the file that differs.
The list must be signed anew.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if id == "" || firmware == "" {
				return errors.New("an entry needs --id and --firmware-version")
			}
			m := newMeter(env.stderr, in.quiet)
			defer m.done()
			o, err := in.open(c.Context(), env, args[0], m)
			if err != nil {
				return err
			}
			defer o.close()
			if err := o.limited(); err != nil {
				return err
			}
			manifest, err := devicelist.NewManifest(o.tree, o.store)
			if err != nil {
				return exitf(exitIO, "%w", err)
			}
			f := devicelist.Firmware{Version: firmware, SHA256: o.tree.Root, Size: o.tree.Content(o.tree.Root).Size, ContentRoot: manifest.Root()}
			m.done()
			if manifest.Gap != "" {
				fmt.Fprintf(env.stderr, "hallmark: no content root: %s; the entry holds for this file alone\n", report.Printable(manifest.Gap))
			}
			e := &devicelist.Entry{ID: id, Status: "approved", Vendor: vendor, Model: model}
			if list == "" {
				e.Firmware = []devicelist.Firmware{f}
				_, err := io.WriteString(env.stdout, e.YAML())
				return err
			}
			if manifest.Gap == "" && !noManifest {
				f.Manifest = path.Join("manifests", f.ContentRoot.String()[:16]+".txt")
			}
			e.Firmware = []devicelist.Firmware{f}
			return addTo(list, e, manifest)
		},
	}
	in.register(c)
	fl := c.Flags()
	fl.StringVar(&list, "list", "", "list in YAML to add to")
	fl.StringVar(&id, "id", "", "id of the entry, for ever")
	fl.StringVar(&vendor, "vendor", "", "who sells it")
	fl.StringVar(&model, "model", "", "what it is sold as")
	fl.StringVar(&firmware, "firmware-version", "", "version of the firmware, as the vendor writes it")
	fl.BoolVar(&noManifest, "no-manifest", false, "keep no manifest")
	return c
}

// addTo appends an entry to a list and writes its manifest beside it.
func addTo(list string, e *devicelist.Entry, m *devicelist.Manifest) error {
	data, err := readDocument(list)
	if err != nil {
		return err
	}
	grown, err := devicelist.Append(list, data, e)
	if err != nil {
		return exitf(exitList, "%w", err)
	}
	if name := e.Firmware[0].Manifest; name != "" {
		file := filepath.Join(filepath.Dir(list), filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return exitf(exitIO, "%w", err)
		}
		if err := writeBytes(file, m.Text()); err != nil {
			return err
		}
	}
	return writeBytes(list, grown)
}

func newListImportCommand(env *environment) *cobra.Command {
	var format, encoding, out string
	var h devicelist.Header
	var partial bool
	c := &cobra.Command{
		Use:   "import --format " + strings.Join(devicelist.Formats(), "|") + " FILE",
		Short: "Make a list of a table, of the Common Criteria portal's, or of CycloneDX",
		Long: `import makes a list of a foreign one. Every row that cannot be taken is reported with its line;
then nothing is written (exit 65), unless --partial says to write the others.

A table in CSV has the columns id and sha256, and may have vendor, model, version, size,
content_root, valid_from, valid_to and notes. The Common Criteria portal's table names no firmware.
Of CycloneDX, components of type firmware and device with a SHA-256 are taken.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if encoding != "utf-8" && encoding != "windows-1252" {
				return fmt.Errorf("--encoding %s: want utf-8 or windows-1252", encoding)
			}
			if h.ID == "" || h.Issuer == "" || h.Expires == "" {
				return errors.New("a list needs --id, --issuer and --expires")
			}
			if h.Issued == "" {
				h.Issued, _ = asOf("")
			}
			if h.Title == "" {
				h.Title = h.ID
			}
			f, err := os.Open(args[0])
			if err != nil {
				return exitf(exitInput, "%w", err)
			}
			defer f.Close()
			data, err := strictyaml.ReadAll(args[0], f, strictyaml.Options{})
			if err != nil {
				return exitf(exitInput, "%w", err)
			}
			m, err := devicelist.ReadForeign(args[0], format, data, encoding == "windows-1252")
			if err != nil {
				return exitf(exitInput, "%w", err)
			}
			for _, n := range m.Notes {
				fmt.Fprintln(env.stderr, "hallmark:", report.Printable(n))
			}
			for _, x := range m.Bad {
				fmt.Fprintln(env.stderr, report.Printable(x.Error()))
			}
			if len(m.Bad) == 0 || partial {
				if err := writeText(env, out, m.YAML(h)); err != nil {
					return err
				}
			}
			if len(m.Bad) > 0 {
				return exitf(exitInput, "%d rows could not be taken, %d could", len(m.Bad), len(m.Entries))
			}
			return nil
		},
	}
	fl := c.Flags()
	fl.StringVar(&format, "format", "csv", strings.Join(devicelist.Formats(), ", "))
	fl.StringVar(&encoding, "encoding", "utf-8", "utf-8 or windows-1252")
	fl.StringVarP(&out, "output", "o", "", "`file` to write (default standard output)")
	fl.BoolVar(&partial, "partial", false, "write the rows that could be taken even if others could not; exit 65 all the same")
	fl.StringVar(&h.ID, "id", "", "id of the list")
	fl.StringVar(&h.Title, "title", "", "title of the list (default its id)")
	fl.StringVar(&h.Issuer, "issuer", "", "who issues the list")
	fl.StringVar(&h.Version, "list-version", "1", "version of the list")
	fl.Func("issued", "first `date` of the list (default today)", func(s string) error { return h.Issued.UnmarshalText([]byte(s)) })
	fl.Func("expires", "last `date` of the list", func(s string) error { return h.Expires.UnmarshalText([]byte(s)) })
	return c
}

func writeText(env *environment, file, text string) error {
	if file == "" {
		if _, err := io.WriteString(env.stdout, text); err != nil {
			return exitf(exitIO, "standard output: %w", err)
		}
		return nil
	}
	return writeBytes(file, []byte(text))
}
