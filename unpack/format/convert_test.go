package format

import (
	"io/fs"
	"testing"
	"time"
)

func TestUnixMode(t *testing.T) {
	for m, want := range map[uint32]fs.FileMode{
		0o100644: 0o644, 0o644: 0o644, 0o104755: 0o755 | fs.ModeSetuid, 0o041777: 0o777 | fs.ModeDir | fs.ModeSticky,
		0o120777: 0o777 | fs.ModeSymlink, 0o020600: 0o600 | fs.ModeDevice | fs.ModeCharDevice, 0o060660: 0o660 | fs.ModeDevice,
		0o010600: 0o600 | fs.ModeNamedPipe, 0o140755: 0o755 | fs.ModeSocket, 0o110000: fs.ModeIrregular,
	} {
		if got := UnixMode(m); got != want {
			t.Errorf("UnixMode(%#o) = %v, want %v", m, got, want)
		}
	}
}

func TestDOSTime(t *testing.T) {
	for _, want := range []time.Time{
		time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2000, 2, 29, 23, 59, 58, 0, time.UTC),
		time.Date(2023, 11, 14, 12, 34, 56, 0, time.UTC), time.Date(2024, 12, 31, 1, 2, 4, 0, time.UTC), time.Date(2100, 3, 1, 0, 0, 0, 0, time.UTC),
	} {
		date := uint16(want.Year()-1980)<<9 | uint16(want.Month())<<5 | uint16(want.Day())
		clock := uint16(want.Hour())<<11 | uint16(want.Minute())<<5 | uint16(want.Second()/2)
		if got := DOSTime(date, clock); got != want.Unix() {
			t.Errorf("DOSTime(%v) = %d, want %d", want, got, want.Unix())
		}
	}
	if got := DOSTime(0, 0); got != 0 {
		t.Errorf("DOSTime(0, 0) = %d, want 0", got)
	}
}
