"""static.py DEBS WORK HALLMARK BASE SYFT: what is found in static programs, each in a folder of its own.

The truth is the package's source and what its field Built-Using names."""
import json, os, re, subprocess, sys, tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import score, tree

debs, work, hallmark, base, syft = sys.argv[1:6]
tools = {"hallmark": [hallmark, "sbom", "-q"], "hallmark with the base": [hallmark, "sbom", "-q", "--component-base", base]}
if syft: tools["syft"] = [syft, "-q", "-o", "cyclonedx-json"]
rows = {t: [0, 0, 0] for t in tools}
pairs = 0
for name in sorted(os.listdir(debs)):
    if not name.endswith(".deb"): continue
    deb = os.path.join(debs, name)
    text = subprocess.run(["dpkg-deb", "-f", deb], capture_output=True, text=True).stdout
    c = next(tree.paragraphs(text.splitlines(True)))
    s, v = tree.source(c)
    truth = {s: {"version": v, "upstream": tree.upstream(v)}}
    for field in ("Built-Using", "Static-Built-Using"):
        for n, v in re.findall(r"(\S+) \(= ([^)]+)\)", c.get(field, "")):
            truth[n] = {"version": v, "upstream": tree.upstream(v)}
    truth.setdefault("glibc", {"version": "", "upstream": ""}) # not every package says so
    with tempfile.TemporaryDirectory() as t:
        subprocess.run(["dpkg-deb", "-x", deb, t + "/x"], check=True)
        programs = [os.path.join(d, f) for d, _, fs in os.walk(t + "/x") for f in fs
                    if os.path.isfile(os.path.join(d, f)) and open(os.path.join(d, f), "rb").read(4) == b"\x7fELF"]
        program = max(programs, key=os.path.getsize)
        subprocess.run(["strip", "-s", program], stderr=subprocess.DEVNULL)
        os.makedirs(t + "/one")
        os.rename(program, t + "/one/" + os.path.basename(program))
        pairs += len(truth)
        for tool, command in tools.items():
            where = "dir:" + t + "/one" if tool == "syft" else t + "/one"
            out = subprocess.run(command + [where], capture_output=True).stdout
            bom = os.path.join(t, "bom.json")
            open(bom, "wb").write(out)
            n, f, e, w, x, p = score.score(truth, bom, os.environ.get("VERBOSE"))
            rows[tool][0] += n; rows[tool][1] += f; rows[tool][2] += w + x
print(f"| tool | components | right, of {pairs} | wrong |\n|---|---|---|---|")
for tool, (n, f, w) in rows.items(): print(f"| {tool} | {n} | {f} | {w} |")
