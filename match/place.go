package match

import "strings"

// Kinds of place where a mark stands. What a word proves depends on it: who defines a symbol
// wrote it, who imports it uses it; who serves a route is a device, who asks for it a client.
const (
	placeHeader      = "header of a container"
	placeSoname      = "SONAME"
	placeModinfo     = ".modinfo"
	placeDefined     = "defined symbol"
	placeImported    = "imported symbol"
	placeBuildPath   = "build path"
	placeString      = "string"
	placeServed      = "served route"
	placeRequested   = "requested route"
	placeList        = "list"
	placeFile        = "file name"
	placeCertificate = "certificate"
	placePicture     = "picture"
	placeEnvironment = "boot environment"
	placeDescriptor  = "device descriptor"
	placeBanner      = "banner"
	placeDocument    = "web page or settings"
)

// ofText are the places that the data may name: what a text is cannot be told by where it is looked for.
var ofText = [...]string{placeString, placeBuildPath, placeServed, placeRequested, placeList}

// place returns the kind of place that l looks at first.
func (l *look) place() string {
	switch l.Where[0] {
	case inText:
		return placeString
	case inPath:
		return placeFile
	}
	family, rest, _ := strings.Cut(l.Where[0], ".")
	switch family {
	case "modinfo":
		return placeModinfo
	case "elf":
		switch rest {
		case "soname":
			return placeSoname
		case "export":
			return placeDefined
		case "import":
			return placeImported
		case "source-path":
			return placeBuildPath
		}
		return placeString
	case "pe":
		if rest == "export" {
			return placeDefined
		}
		return placeCertificate
	case "x509":
		return placeCertificate
	case "image":
		return placePicture
	case "json", "html":
		return placeDocument
	case "ubootenv", "text":
		return placeEnvironment
	case "dtb":
		return placeDescriptor
	case "kernel", "uboot":
		return placeBanner
	}
	return placeHeader
}

// ceiling returns the highest rung that m can support where it claims what it does.
func (m *mark) ceiling(claim Class) Class {
	switch {
	case m.role() == "list", claim == Component && m.role() == "client":
		return LeadOnly
	case claim == Component && m.maker.Class == classFamily:
		return Undetermined
	case claim == Component && m.maker.Class == classFree:
		return Replacement
	case claim == Component && m.Strength >= strong:
		return Rebadged
	case claim == Component:
		return LeadOnly
	case claim == Silicon && m.maker.Covered != "":
		return Covered
	}
	return claim
}
