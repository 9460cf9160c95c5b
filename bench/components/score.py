"""Holds bills of materials against the truth of a tree.

  score.py TRUTH.json NAME=BOM.json[:RULE]...   a table, one line each; -v also lists what was missed and what was wrong

With :RULE only components count that a rule whose name begins so has shown.

A component counts as right if its name is that of a source package in the tree (names.txt says which
names mean which source) and the version, if it states one, begins that source's version.
"""
import json, os, re, sys

here = os.path.dirname(os.path.abspath(__file__))

def plain(s):
    s = re.sub(r"[^a-z0-9]", "", s.lower().replace("++", "pp"))
    return re.sub(r"^lib", "", s) or s

def table(name):
    out = {}
    for line in open(os.path.join(here, name)):
        line = line.split("#")[0].split()
        for n in line[1:]:
            out.setdefault(plain(n), set()).add(line[0])
    return out

NAMES = table("names.txt")
# What one program carries of another that is no package of the tree: true, though no source is named so.
CARRIED = table("carried.txt") if os.path.exists(os.path.join(here, "carried.txt")) else {}

def sources(name, truth):
    """The sources of the tree that name may mean."""
    p = plain(name)
    out = {s for s in NAMES.get(p, ()) if s in truth}
    for s in truth:
        q = plain(s)
        if p == q or p == re.sub(r"\d+$", "", q) or re.sub(r"\d+$", "", p) == q or p == plain(re.sub(r"[-.\d]+$", "", s)):
            out.add(s)
    return out

def digits(v): return [int(x) for x in re.findall(r"\d+", v)]

def same(stated, real):
    a, b = digits(stated), digits(real)
    return a == b[:len(a)] or b == a[:len(b)]

def components(bom, rule):
    for c in json.load(open(bom)).get("components") or []:
        if c["type"] in ("file", "cryptographic-asset", "data"): continue
        if rule and not any(o.get("additionalContext", "").startswith(rule) for o in c.get("evidence", {}).get("occurrences", [])): continue
        yield c["name"], c.get("version", "")

def score(truth, bom, verbose, rule=""):
    found, exact, wrong, versions = set(), set(), [], []
    names = set(components(bom, rule))
    for name, v in sorted(names):
        s = sources(name, truth)
        if not s:
            if plain(name) not in CARRIED: wrong.append(f"{name} {v}")
            continue
        right = {x for x in s if not v or same(v, truth[x]["upstream"]) or same(v, truth[x]["version"])}
        if right and v: exact |= right
        if not right:
            right = {x for x in s if plain(name) in CARRIED} # another version that a program carries
            if not right: versions.append(f"{name} {v} is {', '.join(truth[x]['upstream'] for x in s)}")
        found |= right
    n = len(names)
    bad = len(wrong) + len(versions)
    if verbose:
        print("missed:", *sorted(set(truth) - found))
        print("presence only:", *sorted(found - exact))
        print("wrong name:", "; ".join(wrong))
        print("wrong version:", "; ".join(versions))
    return n, len(found), len(exact), len(wrong), len(versions), (n - bad) / n if n else 1

def packages(truth, bom):
    """How well a bill of materials repeats a package database."""
    want = {(p, v) for p, v, _ in truth["packages"]}
    have = [(c["name"], c.get("version", ""), c.get("purl", "")) for c in json.load(open(bom))["components"] if c.get("purl", "").startswith("pkg:deb/")]
    names = {x[:2] for x in have}
    odd = [p for n, v, p in have if not re.match(r"pkg:deb/[a-z]+/" + re.escape(n.replace("+", "%2B")) + "@", p.replace("%2b", "%2B")) and not p.startswith("pkg:deb/" + n)]
    return f"{len(want & names)} of {len(want)} packages, {len(names - want)} others, {len(have) - len(names)} twice, {len(odd)} with an odd purl"

if __name__ == "__main__":
    if sys.argv[2] == "--packages":
        print(packages(json.load(open(sys.argv[1])), sys.argv[3]))
        sys.exit()
    args = [a for a in sys.argv[1:] if a != "-v"]
    truth = json.load(open(args[0]))["sources"]
    print(f"| tool | components | sources found of {len(truth)} | with the version | wrong name | wrong version | precision |")
    print("|---|---|---|---|---|---|---|")
    for a in args[1:]:
        name, bom = a.split("=", 1)
        bom, _, rule = bom.partition(":")
        n, f, e, w, v, p = score(truth, bom, "-v" in sys.argv, rule)
        print(f"| {name} | {n} | {f} | {e} | {w} | {v} | {p:.3f} |")
