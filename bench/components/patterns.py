"""Runs the patterns of cve-bin-tool over a folder, without its database of vulnerabilities, and
prints the products and versions that they read as a bill of materials."""
import json, os, sys

from cve_bin_tool.checkers import BUILTIN_CHECKERS
from cve_bin_tool.strings import parse_strings

checkers = []
for entry in BUILTIN_CHECKERS.values():
    try: checkers.append(entry.load()())
    except Exception: pass # a few want the database of vulnerabilities
print(len(checkers), "of", len(BUILTIN_CHECKERS), "checkers", file=sys.stderr)
found = set()
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        path = os.path.join(folder, name)
        if os.path.islink(path) or not os.path.isfile(path): continue
        with open(path, "rb") as f:
            if f.read(4) != b"\x7fELF": continue
        lines = parse_strings(path)
        for c in checkers:
            r = c.get_version(lines, path)
            for x in [r] if "is_or_contains" in r else r:
                if x.get("version", "UNKNOWN") != "UNKNOWN": # it reports no others
                    found.update((product, x["version"]) for _, product in c.VENDOR_PRODUCT)
print(json.dumps({"components": [{"type": "library", "name": n, "version": v} for n, v in sorted(found)]}))
