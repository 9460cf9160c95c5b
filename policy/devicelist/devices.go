package devicelist

import (
	"path"
	"strings"

	"hallmark/internal/strictyaml"
	"hallmark/policy"
)

// KindDeviceFile is the kind of a [DeviceFile].
const KindDeviceFile = "Devices"

// DeviceFile names devices to be checked and what is said of each. It stands for their firmware in
// a repository that does not hold it, and results point at its lines.
type DeviceFile struct {
	strictyaml.Pos `json:"-"`
	File           string   `yaml:"-" json:"-"`
	APIVersion     string   `yaml:"apiVersion,required" json:"apiVersion" oneof:"hallmark/v1"`
	Kind           string   `yaml:"kind,required" json:"kind" oneof:"Devices"`
	Devices        []Wanted `yaml:"devices,required" json:"devices"`
}

// Wanted is one device to be checked.
type Wanted struct {
	strictyaml.Pos `json:"-"`
	Firmware       string   `yaml:"firmware,required" json:"firmware"` // file or folder, relative to the device file
	Entry          string   `yaml:"entry" json:"entry,omitempty"`      // of the list, that it is meant to be
	Brand          string   `yaml:"brand" json:"brand,omitempty"`
	Model          string   `yaml:"model" json:"model,omitempty"`
	Purpose        string   `yaml:"purpose" json:"purpose,omitempty"`
	Sites          []string `yaml:"sites" json:"sites,omitempty"`
}

// ParseDevices reads a device file. Faults have file, line and column.
func ParseDevices(file string, data []byte) (*DeviceFile, error) {
	d := &DeviceFile{File: file}
	if err := strictyaml.Decode(file, data, d, strictyaml.Options{}); err != nil {
		return nil, err
	}
	c := faults{file: file}
	for _, x := range d.Devices {
		if x.Firmware == "" || path.IsAbs(x.Firmware) || strings.Contains(x.Firmware, `\`) {
			c.fail(x.Pos, "firmware %q: want a path relative to this file, with slashes", x.Firmware)
		}
		if x.Purpose != "" {
			c.words(x.Pos, []string{x.Purpose}, policy.Purposes())
		}
		c.words(x.Pos, x.Sites, policy.SiteClasses())
	}
	if len(d.Devices) == 0 {
		c.fail(d.Pos, "no devices")
	}
	if len(c.found) > 0 {
		return nil, c.found
	}
	return d, nil
}
