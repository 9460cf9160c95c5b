package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"hallmark/policy"
)

// loadPack loads a rule pack of the program by its name, or one of the user's by its file.
func loadPack(name string, g *policy.Graph) (*policy.Pack, error) {
	if slices.Contains(policy.Names(), name) || !strings.ContainsAny(name, `./\`) {
		p, err := policy.Builtin(name, g)
		if err != nil {
			return nil, exitf(exitList, "--policy: %w", err)
		}
		return p, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, exitf(exitList, "--policy: %w", err)
	}
	p, err := policy.ParsePack(filepath.ToSlash(name), data, g)
	if err != nil {
		return nil, exitf(exitList, "--policy: %w", err)
	}
	return p, nil
}

// day is the day to judge by: the one given, that of SOURCE_DATE_EPOCH, or today, in UTC.
func (env *environment) day(given string) (time.Time, error) {
	if given != "" {
		t, err := time.Parse(time.DateOnly, given)
		if err != nil {
			return t, exitf(exitUsage, "--as-of %q is no date; write it as 2027-01-31", given)
		}
		return t, nil
	}
	t := time.Now()
	if env.sourceDate != "" {
		n, err := strconv.ParseInt(env.sourceDate, 10, 64)
		if err != nil {
			return t, exitf(exitUsage, "SOURCE_DATE_EPOCH %q: want seconds since 1970", env.sourceDate)
		}
		t = time.Unix(n, 0)
	}
	return t.UTC().Truncate(24 * time.Hour), nil
}
