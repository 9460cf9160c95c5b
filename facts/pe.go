package facts

import (
	"bytes"
	"encoding/binary"

	"hallmark/artifact"
)

const maxSignature = 1 << 20

// readSigner reads who signed a Windows executable: the certificate table of the PE format,
// https://learn.microsoft.com/windows/win32/debug/pe-format, whose entries of type 2 hold a
// SignedData of RFC 2315. Signatures are not verified.
func readSigner(c *content) {
	table, ok := certificateTable(c)
	for n := 0; ok && table.Len >= 8 && n < 16; n++ {
		head := c.bytes(artifact.Range{Off: table.Off, Len: 8})
		if len(head) < 8 {
			return
		}
		size := int64(binary.LittleEndian.Uint32(head)) // u32 length with header, u16 revision, u16 type
		if size < 8 || size > table.Len {
			return
		}
		if binary.LittleEndian.Uint16(head[6:]) == 2 {
			c.saySigners(artifact.Range{Off: table.Off + 8, Len: min(size-8, maxSignature)})
		}
		step := (size + 7) &^ 7
		table = artifact.Range{Off: table.Off + step, Len: table.Len - step}
	}
}

// certificateTable finds data directory 4 of the optional header; unlike others it has a file offset.
func certificateTable(c *content) (artifact.Range, bool) {
	if len(c.head) < 0x40 || string(c.head[:2]) != "MZ" {
		return artifact.Range{}, false
	}
	at := int64(binary.LittleEndian.Uint32(c.head[0x3c:]))
	b := c.bytes(artifact.Range{Off: at, Len: 24 + 112 + 5*8})
	if len(b) < 24+2 || string(b[:4]) != "PE\x00\x00" {
		return artifact.Range{}, false
	}
	directory := 24 + 96 + 4*8
	if binary.LittleEndian.Uint16(b[24:]) == 0x20b { // PE32+
		directory += 16
	}
	if len(b) < directory+8 {
		return artifact.Range{}, false
	}
	r := artifact.Range{
		Off: int64(binary.LittleEndian.Uint32(b[directory:])),
		Len: int64(binary.LittleEndian.Uint32(b[directory+4:])),
	}
	return r, r.Len > 0 && r.Within(c.Size)
}

// saySigners reads ContentInfo{oid, [0] SignedData{version, digests, content, [0] certificates,
// [1] lists, set of SignerInfo{version, {issuer, serial}, ...}}}.
func (c *content) saySigners(at artifact.Range) {
	all := der{b: c.bytes(at)}
	info, _, _ := all.expect(tagSequence)
	info.expect(tagOID)
	explicit, _, _ := info.expect(tagContext0)
	signed, _, _ := explicit.expect(tagSequence)
	signed.expect(tagInteger)
	signed.expect(tagSet)
	signed.expect(tagSequence)
	certificates, _, _ := signed.expect(tagContext0)
	signed.expect(0xa1)
	signers, _, _ := signed.expect(tagSet)
	for n := 0; n < 16; n++ {
		signer, _, ok := signers.expect(tagSequence)
		if !ok {
			return
		}
		signer.expect(tagInteger)
		key, _, _ := signer.expect(tagSequence)
		_, issuer, _ := key.expect(tagSequence)
		serial, _, ok := key.expect(tagInteger)
		if cert, found := certificateOf(certificates, issuer, serial); ok && found {
			c.say("pe.signer.subject", nameOf(cert.subject), artifact.Range{Off: at.Off + int64(cert.subject.off), Len: int64(len(cert.subject.b))})
		}
	}
}

func certificateOf(certificates, issuer, serial der) (certificate, bool) {
	for len(certificates.b) > 0 {
		_, _, whole, ok := certificates.next()
		if !ok {
			break
		}
		cert, ok := parseCertificate(whole.b)
		if ok && bytes.Equal(cert.issuer.b, issuer.b) && bytes.Equal(cert.serial.b, serial.b) {
			cert.subject.off += whole.off
			return cert, true
		}
	}
	return certificate{}, false
}
