package format

import "io/fs"

// UnixMode returns the mode that mode bits of Unix say: st_mode as it stands in archives and inodes.
// Without type bits it is a regular file.
func UnixMode(m uint32) fs.FileMode {
	mode := fs.FileMode(m & 0o777)
	for _, x := range [...]struct {
		bit  uint32
		mode fs.FileMode
	}{{0o4000, fs.ModeSetuid}, {0o2000, fs.ModeSetgid}, {0o1000, fs.ModeSticky}} {
		if m&x.bit != 0 {
			mode |= x.mode
		}
	}
	switch m & 0o170000 {
	case 0o040000:
		mode |= fs.ModeDir
	case 0o120000:
		mode |= fs.ModeSymlink
	case 0o020000:
		mode |= fs.ModeDevice | fs.ModeCharDevice
	case 0o060000:
		mode |= fs.ModeDevice
	case 0o010000:
		mode |= fs.ModeNamedPipe
	case 0o140000:
		mode |= fs.ModeSocket
	case 0, 0o100000:
	default:
		mode |= fs.ModeIrregular
	}
	return mode
}

// DOSTime returns the seconds since 1970 of a date and time as FAT and ZIP store them, read as
// UTC because no zone is stored. A date that cannot be is 0.
func DOSTime(date, clock uint16) int64 {
	days := Days(int64(date>>9)+1980, int64(date>>5&15), int64(date&31))
	if days == 0 {
		return 0
	}
	return days*86400 + int64(clock>>11)*3600 + int64(clock>>5&63)*60 + int64(clock&31)*2
}

// Days returns how many days after 1970-01-01 a date of the Gregorian calendar is, 0 if it is none.
func Days(year, month, day int64) int64 {
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return 0
	}
	// Days since 1970 of a civil date, counting years from March so that the leap day is the last.
	if month < 3 {
		year, month = year-1, month+12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
}
