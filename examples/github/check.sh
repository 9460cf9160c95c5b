#!/usr/bin/env bash
# The one step of the action. Inputs come as environment variables, never as text of this script.
set -uo pipefail

args=(-q)
each() { # flag, values one a line
	local value
	while IFS= read -r value; do
		[ -z "$value" ] || args+=("$1" "$value")
	done <<<"$2"
}
one() { [ -z "$2" ] || args+=("$1" "$2"); }

one --list "$LIST"
each --key "$KEYS"
each --policy "$POLICIES"
one --waivers "$WAIVERS"
one --purpose "$PURPOSE"
one --site-class "$SITE_CLASSES"
one --as-of "$AS_OF"
one --inconclusive "$INCONCLUSIVE"

mkdir -p "$RESULTS"
rm -f "$RESULTS"/hallmark.{sarif,xml,json,md}
args+=(-o text -o "sarif=$RESULTS/hallmark.sarif" -o "junit=$RESULTS/hallmark.xml" -o "json=$RESULTS/hallmark.json" -o "md=$RESULTS/hallmark.md")

files=()
while IFS= read -r pattern; do
	[ -z "$pattern" ] && continue
	mapfile -t found < <(compgen -G "$pattern" | LC_ALL=C sort)
	if [ ${#found[@]} -eq 0 ]; then
		echo "hallmark: no file matches $pattern" >&2
		echo "exit-code=65" >>"$GITHUB_OUTPUT"
		exit 65
	fi
	files+=("${found[@]}")
done <<<"$FIRMWARE"
if [ ${#files[@]} -eq 0 ]; then
	echo "hallmark: no firmware was given" >&2
	echo "exit-code=64" >>"$GITHUB_OUTPUT"
	exit 64
fi

hallmark check "${args[@]}" -- "${files[@]}"
code=$?
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
if [ -f "$RESULTS/hallmark.sarif" ]; then
	echo "sarif=$RESULTS/hallmark.sarif" >>"$GITHUB_OUTPUT"
	cat "$RESULTS/hallmark.md" >>"$GITHUB_STEP_SUMMARY"
fi
exit $code
