package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hallmark/report"
	"hallmark/sbom/document"
	"hallmark/signing"
)

// Predicate types of bills of materials: https://github.com/in-toto/attestation/tree/main/spec/predicates.
const (
	cyclonedxPredicate = "https://cyclonedx.org/bom"
	spdxPredicate      = "https://spdx.dev/Document"
)

func newAttestCommand(env *environment) *cobra.Command {
	var key, out string
	c := &cobra.Command{
		Use:   "attest --key KEY -o FILE SBOM IMAGE",
		Short: "Sign that a bill of materials is about an image",
		Long: `attest writes an in-toto statement in a DSSE envelope, signed with an ed25519 KEY (hallmark key or
openssl genpkey -algorithm ed25519 make one): its subject is IMAGE by SHA-256 and SHA-512, its predicate
the document SBOM, CycloneDX or SPDX in JSON. It refuses an SBOM that names another image. Nothing
is sent anywhere.`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if key == "" || out == "" {
				return errors.New("give --key KEY and -o FILE")
			}
			return attest(args[0], args[1], key, out)
		},
	}
	c.Flags().StringVar(&key, "key", "", "private key (PEM `FILE`)")
	c.Flags().StringVarP(&out, "output", "o", "", "`FILE` to write")
	return c
}

func attest(sbom, image, keyFile, out string) error {
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return exitf(exitInput, "%w", err)
	}
	key, err := signing.ParsePrivate(text)
	if err != nil {
		return exitf(exitInput, "%s: %w", keyFile, err)
	}
	predicate, err := os.ReadFile(sbom)
	if err != nil {
		return exitf(exitInput, "%w", err)
	}
	d, err := document.Read(bytes.NewReader(predicate))
	if err != nil {
		return exitf(exitInput, "%s: %w", sbom, err)
	}
	if d.Encoding != "JSON" {
		return exitf(exitInput, "%s: a predicate must be JSON, this is %s", sbom, d.Encoding)
	}
	subject, err := subjectOf(image)
	if err != nil {
		return err
	}
	if err := aboutImage(d, subject); err != nil {
		return exitf(exitViolation, "%s: %w", sbom, err)
	}
	kind := cyclonedxPredicate
	if d.Format == "SPDX" {
		kind = spdxPredicate
	}
	envelope, err := signing.SignStatement([]signing.Subject{subject}, kind, predicate, key)
	if err != nil {
		return exitf(exitInternal, "%w", err)
	}
	if err := writeFile(out, func(w io.Writer) error { _, err := w.Write(envelope); return err }); err != nil {
		return exitf(exitIO, "%w", err)
	}
	return nil
}

// subjectOf names a file by its digests.
func subjectOf(image string) (signing.Subject, error) {
	f, err := os.Open(image)
	if err != nil {
		return signing.Subject{}, exitf(exitInput, "%w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return signing.Subject{}, exitf(exitInput, "%s: not a file", image)
	}
	small, large := sha256.New(), sha512.New()
	if _, err := io.Copy(io.MultiWriter(small, large), f); err != nil {
		return signing.Subject{}, exitf(exitIO, "%s: %w", image, err)
	}
	return signing.Subject{Name: filepath.Base(image), Digest: map[string]string{
		"sha256": hex.EncodeToString(small.Sum(nil)), "sha512": hex.EncodeToString(large.Sum(nil)),
	}}, nil
}

// aboutImage wants the product that d is about to be the subject, by each digest that d gives.
func aboutImage(d *document.Document, subject signing.Subject) error {
	if d.Root < 0 {
		return errors.New("the document does not name the image that it is about")
	}
	checked := false
	for _, h := range d.Components[d.Root].Hashes {
		want := subject.Digest[strings.ToLower(strings.ReplaceAll(h.Algorithm.Value, "-", ""))]
		if want == "" {
			continue
		}
		if !strings.EqualFold(h.Value.Value, want) {
			return fmt.Errorf("the document is about another image: %s is %s, the image's is %s", h.Algorithm.Value, h.Value.Value, want)
		}
		checked = true
	}
	if !checked {
		return errors.New("the document has no SHA-256 or SHA-512 of the image that it is about")
	}
	return nil
}

func newSBOMVerifyCommand(env *environment) *cobra.Command {
	var key string
	c := &cobra.Command{
		Use:   "verify --key KEY FILE [IMAGE]",
		Short: "Verify who signed a bill of materials, and for which image",
		Long: `verify reads FILE, which attest wrote, and checks its signature with the public KEY, that the
document in it is about the image that the statement names, and, if IMAGE is given, that this is it.
It ends with 1 if one of these is not so.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			if key == "" {
				return errors.New("give --key KEY, the public key of who must have signed")
			}
			envelope, err := os.ReadFile(args[0])
			if err != nil {
				return exitf(exitInput, "%w", err)
			}
			text, err := os.ReadFile(key)
			if err != nil {
				return exitf(exitInput, "%w", err)
			}
			public, err := signing.ParsePublic(text)
			if err != nil {
				return exitf(exitInput, "%s: %w", key, err)
			}
			image := ""
			if len(args) == 2 {
				image = args[1]
			}
			s, err := verifyAttestation(envelope, []*signing.PublicKey{public}, image)
			if err != nil {
				return err
			}
			about := s.Subject[0]
			_, err = fmt.Fprintf(env.stdout, "signed with key %s\nabout    %s\nsha256   %s\nsha512   %s\npredicate %s\n",
				public.ID(), report.Printable(about.Name), report.Printable(about.Digest["sha256"]), report.Printable(about.Digest["sha512"]), s.PredicateType)
			return ioFault(err)
		},
	}
	c.Flags().StringVar(&key, "key", "", "public key (PEM `FILE`)")
	return c
}

// verifyAttestation returns the statement of an envelope that attest wrote, if one of keys signed it,
// if its document is about its subject, and if image, unless it is "", is that subject.
func verifyAttestation(envelope []byte, keys []*signing.PublicKey, image string) (*signing.Statement, error) {
	s, _, err := signing.VerifyStatement(envelope, cyclonedxPredicate, keys)
	if err != nil {
		var other error
		if s, _, other = signing.VerifyStatement(envelope, spdxPredicate, keys); other != nil {
			if !signing.IsEnvelope(envelope) {
				return nil, exitf(exitInput, "%w", err)
			}
			return nil, exitf(exitViolation, "%w", err)
		}
	}
	d, err := document.Read(bytes.NewReader(s.Predicate))
	if err != nil {
		return nil, exitf(exitInput, "the signed document: %w", err)
	}
	if err := aboutImage(d, s.Subject[0]); err != nil {
		return nil, exitf(exitViolation, "%w", err)
	}
	if image == "" {
		return s, nil
	}
	is, err := subjectOf(image)
	if err != nil {
		return nil, err
	}
	for name, want := range s.Subject[0].Digest {
		if got, known := is.Digest[name]; known && !strings.EqualFold(got, want) {
			return nil, exitf(exitViolation, "%s is another image than the one signed for: %s is %s, want %s", image, name, got, want)
		}
	}
	return s, nil
}
