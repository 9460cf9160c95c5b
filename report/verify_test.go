package report

import (
	"archive/tar"
	"bytes"
	"errors"
	"slices"
	"testing"

	"hallmark/artifact"
)

// marked is an archive, stored as it is, with one mark of one maker in each of several files.
func marked(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range [][2]string{
		{"romfs/etc/openipc.txt", "nothing"},
		{"lib/libnet.so", "\x7fELF\x01\x01\x01\x00 \x00../../src/Base/GlobalControl/GlobalCtrl.cpp\x00"},
		{"lib/liblog.so", "\x7fELF\x01\x01\x01\x00 \x00schina !!! HPR_A\x00schina !!! HPR_B\x00"},
		{"home/hicore.tar.lzma", "not packed"},
		{"client.py", "url = '/cgi-bin/magicBox.cgi?action=getSystemInfo'\n"},
	} {
		if err := w.WriteHeader(&tar.Header{Name: f[0], Size: int64(len(f[1])), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(f[1]))
	}
	w.Close()
	return b.Bytes()
}

func written(t *testing.T, image []byte) []byte {
	t.Helper()
	r, _ := scan(t, "image.tar", image)
	var out bytes.Buffer
	if err := WriteJSON(&out, r, Style{}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// offset returns where the bytes of e stand in the image, if every layer is stored as it is.
func offset(e CitedEvidence) (artifact.Range, bool) {
	at := e.At
	for _, l := range e.Layers[:len(e.Layers)-1] {
		if l.Window == nil {
			return at, false
		}
		at.Off += l.Window.Off
	}
	return at, true
}

// TestVerify flips one byte of every citation and wants exactly those that hold it to fail.
func TestVerify(t *testing.T) {
	image := marked(t)
	cited, err := ReadJSON(written(t, image))
	if err != nil || !cited.Sealed || len(cited.Citations) < 5 {
		t.Fatalf("%+v, %v", cited, err)
	}
	fails := func(b []byte) (out []bool, changed []Changed) {
		r, store := scan(t, "image.tar", b)
		list, changed := cited.Verify(r.Tree, store)
		for _, c := range list {
			out = append(out, c.Err != nil)
		}
		return out, changed
	}
	if got, changed := fails(image); len(changed) > 0 || slices.Contains(got, true) {
		t.Errorf("the same image: %v, %v", got, changed)
	}
	for i, e := range cited.Citations {
		at, ok := offset(e)
		if !ok {
			t.Fatalf("%s is not stored as it is", e.Place)
		}
		for _, where := range []int64{at.Off, at.End() - 1} {
			b := bytes.Clone(image)
			b[where] ^= 0x20
			got, changed := fails(b)
			for k, o := range cited.Citations {
				other, _ := offset(o)
				if want := other.Off <= where && where < other.End(); got[k] != want {
					t.Errorf("byte %#x of citation %d (%s): citation %d (%s) fails: %v", where, i, e.Rule, k, o.Rule, got[k])
				}
			}
			if len(changed) == 0 {
				t.Errorf("byte %#x: no content is said to have changed", where)
			}
		}
	}
}

// TestReadJSON has what is no report, and reports that were changed.
func TestReadJSON(t *testing.T) {
	doc := written(t, marked(t))
	for name, b := range map[string][]byte{
		"empty":      nil,
		"text":       []byte("Verdict: lead"),
		"other":      []byte(`{"bomFormat":"CycloneDX"}`),
		"version":    bytes.Replace(doc, []byte(`"schema": 2`), []byte(`"schema": 1`), 1),
		"cut":        doc[:len(doc)/2],
		"no layers":  bytes.ReplaceAll(doc, []byte(`"layers"`), []byte(`"layer_"`)),
		"bad digest": bytes.Replace(doc, []byte(`"sha256": "`), []byte(`"sha256": "z`), 1),
	} {
		if _, err := ReadJSON(b); !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v", name, err)
		}
	}
	edited := bytes.Replace(doc, []byte("lead"), []byte("lean"), 1)
	if c, err := ReadJSON(edited); err != nil || c.Sealed {
		t.Errorf("an edited report: %+v, %v", c, err)
	}
}
