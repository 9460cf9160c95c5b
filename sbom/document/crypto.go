package document

import (
	"fmt"
	"strconv"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"hallmark/sbom"
)

// crypto writes certificates, keys and the algorithms they are for. Before 1.6 there is no type
// for them, and what they are stands in properties.
func (x *writer) crypto() []cdx.Component {
	var out []cdx.Component
	algorithms := map[string]string{} // bom-refs
	algorithm := func(name string, bits int) cdx.BOMReference {
		if name == "" || x.spec < cdx.SpecVersion1_6 {
			return ""
		}
		if bits > 0 {
			name += "-" + strconv.Itoa(bits)
		}
		if ref, ok := algorithms[name]; ok {
			return cdx.BOMReference(ref)
		}
		c := cdx.Component{
			BOMRef: "algorithm:" + clean(name), Type: cdx.ComponentTypeCryptographicAsset, Name: clean(name),
			CryptoProperties: &cdx.CryptoProperties{
				AssetType:           cdx.CryptoAssetTypeAlgorithm,
				AlgorithmProperties: &cdx.CryptoAlgorithmProperties{Primitive: cdx.CryptoPrimitiveUnknown},
			},
			Properties: &[]cdx.Property{{Name: kindProperty, Value: "crypto"}},
		}
		if bits > 0 {
			c.CryptoProperties.AlgorithmProperties.ParameterSetIdentifier = strconv.Itoa(bits)
		}
		algorithms[name] = c.BOMRef
		x.leaves = append(x.leaves, c.BOMRef)
		out = append(out, c)
		return cdx.BOMReference(c.BOMRef)
	}
	for i := range x.Crypto {
		k := &x.Crypto[i]
		c := cdx.Component{BOMRef: fmt.Sprintf("crypto:%d", i), Type: cdx.ComponentTypeCryptographicAsset, Name: clean(k.Name)}
		properties := []cdx.Property{{Name: kindProperty, Value: "crypto"}, {Name: "hallmark:crypto:kind", Value: k.Kind}}
		add := func(name, value string) {
			if value != "" {
				properties = append(properties, cdx.Property{Name: name, Value: clean(value)})
			}
		}
		add("hallmark:crypto:public:sha256", k.Public)
		if k.Kind == sbom.PrivateKey {
			add("hallmark:crypto:encrypted", strconv.FormatBool(k.Encrypted))
		}
		if k.Places > 1 {
			add("hallmark:places", strconv.Itoa(k.Places))
		}
		if k.Kind == sbom.Certificate {
			add("hallmark:crypto:serial", k.Serial)
			c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: k.SHA256}}
		}
		if x.spec < cdx.SpecVersion1_6 {
			c.Type = cdx.ComponentTypeData
			add("hallmark:crypto:algorithm", k.Algorithm)
			add("hallmark:crypto:issuer", k.Issuer)
			add("hallmark:crypto:not-before", k.NotBefore)
			add("hallmark:crypto:not-after", k.NotAfter)
		} else {
			c.CryptoProperties = x.cryptoProperties(k, algorithm)
		}
		where := []cdx.EvidenceOccurrence{x.occurrence(k.Place, k.At, k.Kind)}
		c.Evidence = &cdx.Evidence{Occurrences: &where}
		c.Properties = &properties
		x.leaves = append(x.leaves, c.BOMRef)
		out = append(out, c)
	}
	return out
}

func (x *writer) cryptoProperties(k *sbom.Crypto, algorithm func(string, int) cdx.BOMReference) *cdx.CryptoProperties {
	if k.Kind != sbom.Certificate {
		m := &cdx.RelatedCryptoMaterialProperties{Type: cdx.RelatedCryptoMaterialType(k.Kind), Format: clean(k.Form)}
		if k.Bits > 0 {
			m.Size = &k.Bits
		}
		if ref := algorithm(k.Algorithm, k.Bits); x.spec < cdx.SpecVersion1_7 {
			m.AlgorithmRef = ref
		} else if ref != "" {
			m.RelatedCryptographicAssets = &[]cdx.RelatedCryptographicAsset{{Type: "algorithm", Ref: string(ref)}}
		}
		return &cdx.CryptoProperties{AssetType: cdx.CryptoAssetTypeRelatedCryptoMaterial, RelatedCryptoMaterialProperties: m}
	}
	p := &cdx.CertificateProperties{
		SubjectName: clean(k.Subject), IssuerName: clean(k.Issuer), CertificateFormat: "X.509",
		NotValidBefore: instant(k.NotBefore), NotValidAfter: instant(k.NotAfter),
	}
	if ref := algorithm(k.Signature, 0); x.spec < cdx.SpecVersion1_7 {
		p.SignatureAlgorithmRef = ref
	} else {
		p.SerialNumber = clean(k.Serial)
		p.Fingerprint = &cdx.Hash{Algorithm: cdx.HashAlgoSHA256, Value: k.SHA256}
		if ref != "" {
			p.RelatedCryptographicAssets = &[]cdx.RelatedCryptographicAsset{{Type: "algorithm", Ref: string(ref)}}
		}
	}
	return &cdx.CryptoProperties{AssetType: cdx.CryptoAssetTypeCertificate, CertificateProperties: p}
}

// instant returns s if it is a time as documents write it: devices carry certificates with others.
func instant(s string) string {
	if _, err := time.Parse(time.RFC3339, s); err != nil {
		return ""
	}
	return s
}
