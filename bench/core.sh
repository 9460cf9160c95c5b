#!/usr/bin/env bash
# The inner loops on one core: 10,000 patterns over real programs against ripgrep and yara, SHA-256
# against openssl, one xz stream against xz. core.go is the program around hallmark's packages.
#
#   bench/core.sh [MIB]    of content, 256 without
. "$(dirname "$0")/common.sh"
debian rg ripgrep
debian yara yara
debian openssl openssl
debian xz xz-utils
CGO_ENABLED=0 go build -trimpath -o "$work/core" bench/core.go
programs "$work/root" "${1:-256}"
text=$work/text
find "$work/root" -type f -print0 | LC_ALL=C sort -z | xargs -0 cat | head -c "${1:-256}M" >"$text"
rm -r "$work/root"

# 2000 strings of the text itself and 8000 of the same kind that stand nowhere: others, written backwards.
strings -n 16 "$text" | cut -c1-24 | grep -E '^[A-Za-z0-9_ .:/-]+$' | LC_ALL=C sort -u | awk '!seen[substr($0, 1, 10)]++' |
	shuf -n 10000 --random-source="$text" >"$work/some"
{ head -n 2000 "$work/some"; tail -n +2001 "$work/some" | rev; } >"$work/patterns"
awk '{ printf "rule r%d { strings: $a = \"%s\" condition: $a }\n", NR, $0 }' "$work/patterns" >"$work/rules.yar"
yarac "$work/rules.yar" "$work/rules.yarc" 2>/dev/null
echo "checked: $("$work/core" scan "$work/patterns" "$text"); rg, which reports no overlaps, finds $(rg -aoF -f "$work/patterns" "$text" | LC_ALL=C sort -u | wc -l)"
add "hallmark's scanner" "$work/core scan $work/patterns $text"
add "rg -F --count-matches" "rg -j 1 -aF --count-matches -f $work/patterns $text"
add "yara" "yara -p 1 -C $work/rules.yarc $text"
compare "$(wc -l <"$work/patterns") patterns in $(($(stat -c %s "$text") >> 20)) MiB"

[ "$("$work/core" sha256 "$text")" = "$(openssl dgst -sha256 -r "$text" | cut -c1-64)" ]
add "hallmark's SHA-256" "$work/core sha256 $text"
add "openssl dgst -sha256" "openssl dgst -sha256 $text"
compare "SHA-256 of $(($(stat -c %s "$text") >> 20)) MiB"

head -c 100M "$text" | xz -6 -T1 >"$work/x.xz"
"$work/core" xz "$work/x.xz" | cmp - <(head -c 100M "$text")
add "hallmark's xz" "$work/core xz $work/x.xz"
add "xz -dc" "xz -dc -T1 $work/x.xz"
compare "one xz stream, 100 MiB out"
