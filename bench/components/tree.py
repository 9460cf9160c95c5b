"""Packages of a Debian release, and root filesystems made of them.

  tree.py list SOURCES <dumpavail   packages of the sources in the file SOURCES, one a line, as PACKAGE=VERSION
  tree.py make DEBS TREE            unpacks every .deb in DEBS into TREE, with a package database, and writes TREE.truth.json
"""
import json, os, re, subprocess, sys, tempfile

# Not on a device: headers, debug symbols, documentation, tests, and variants of what is there already.
UNWANTED = re.compile(r"-(dev|dbg|dbgsym|doc|tests?|testsuite|examples|udeb|extra\d*|multiarch|source|pic|prof|nox|gtk\d*|qt\d*|static|cross|bootstrap)$|-dev-|^(lib)?python3-|java|^(gcc|g\+\+|cpp|gnat|gfortran|gdc|gobjc|gccgo|gm2|libgcc|lib(gnat|gfortran|gphobos|objc|go\d|asan|ubsan|tsan|gm2|gccjit))|^lib(n32|n64|64|32)|^fdisk-udeb|cups|opencv-(?!core|imgproc)|^php|^ruby|perl$|apache|emacs|vim|-debug$|^locales-all|^u-boot-(?!tools)|^gir1|gtk|qt|-installer")
BIGGEST = 12 << 20  # bytes of a .deb

def paragraphs(f):
    p, key = {}, None
    for line in f:
        line = line.rstrip("\n")
        if not line:
            if p: yield p
            p = {}
        elif line[0] in " \t":
            p[key] += "\n" + line
        else:
            key, _, value = line.partition(":")
            p[key] = value.strip()
    if p: yield p

def source(p):
    """The name and version of the source of the package p."""
    m = re.match(r"(\S+)(?: \((.*)\))?$", p.get("Source", p["Package"]))
    return m[1], m[2] or p["Version"]


def wanted(name, names):
    return name in names or (m := re.match(r"^(gcc|python3)[-.]\d+$", name)) and m[1] in names

def upstream(v):
    v = v.split(":", 1)[-1].rsplit("-", 1)[0]
    v = v.split("+really")[-1]
    return re.sub(r"(\+dfsg|\+ds|~dfsg|\.dfsg|dfsg|\+deb).*$", "", v)

def listing(names):
    names = {w for line in open(names) if not line.startswith("#") for w in line.split()}
    have = set()
    for p in paragraphs(sys.stdin):
        s, _ = source(p)
        if wanted(s, names) and p["Architecture"] != "all" and not UNWANTED.search(p["Package"]) and int(p["Size"]) < BIGGEST:
            print(p["Package"] + "=" + p["Version"])
            have.add(s)
    print("not in this release:", *sorted(n for n in names if not any(wanted(s, {n}) for s in have)), file=sys.stderr)

# A firmware has no manuals, translations or notices.
BARE = ["usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian", "usr/share/bug", "usr/share/doc-base", "usr/include", "usr/share/bash-completion"]

def make(debs, tree):
    info = tree + "/var/lib/dpkg/info"
    os.makedirs(info, exist_ok=True)
    truth = {"packages": [], "sources": {}, "files": {}}
    with open(tree + "/var/lib/dpkg/status", "w") as status:
        for name in sorted(os.listdir(debs)):
            if not name.endswith(".deb"): continue
            deb = debs + "/" + name
            if UNWANTED.search(name.split("_")[0]): continue
            listed = subprocess.run(f"dpkg-deb --fsys-tarfile '{deb}' | tar --keep-directory-symlink -xvf - -C '{tree}'", shell=True, capture_output=True, text=True).stdout.splitlines()
            paths = [os.path.normpath(p) for p in listed]
            with tempfile.TemporaryDirectory() as t:
                subprocess.run(["dpkg-deb", "-e", deb, t + "/c"], check=True)
                text = open(t + "/c/control").read()
                sums = open(t + "/c/md5sums").readlines() if os.path.exists(t + "/c/md5sums") else []
            c = next(paragraphs(text.splitlines(True)))
            s, sv = source(c)
            first, rest = text.split("\n", 1)
            status.write(first + "\nStatus: install ok installed\n" + rest.rstrip("\n") + "\n\n")
            stem = f"{info}/{c['Package']}" + (":" + c["Architecture"] if c.get("Multi-Arch") == "same" else "")
            open(stem + ".md5sums", "w").write("".join(l for l in sums if not any(l[34:].startswith(b + "/") for b in BARE)))
            kept = [p for p in paths if not any(p == b or p.startswith(b + "/") for b in BARE)]
            open(stem + ".list", "w").write("".join("/" + p + "\n" for p in kept))
            truth["packages"].append([c["Package"], c["Version"], s])
            files = [p for p in kept if os.path.isfile(f"{tree}/{p}") and not os.path.islink(f"{tree}/{p}")]
            if files:
                x = truth["sources"].setdefault(s, {"version": sv, "upstream": upstream(sv), "packages": []})
                x["packages"].append(c["Package"])
                for p in files: truth["files"][p] = s
    subprocess.run(["rm", "-rf"] + [f"{tree}/{b}" for b in BARE], check=True)
    json.dump(truth, open(tree + ".truth.json", "w"), indent=1, sort_keys=True)
    print(len(truth["packages"]), "packages of", len(truth["sources"]), "sources,", len(truth["files"]), "files")

if __name__ == "__main__":
    {"list": listing, "make": make}[sys.argv[1]](*sys.argv[2:])
