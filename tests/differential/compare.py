#!/usr/bin/env python3
"""Compares the decoders with other programs over real packages. Run by hand: compare.py [DECODER…]

The packages come from the registries by the ordinary clients, into $ZHIJIAN_CACHE (~/.cache/zhijian-differential);
nothing of them is kept in the repository. Needed besides cargo, npm and pip: dexdump, aapt2, apksigner, node.
Prints for each decoder how much was compared and every kind of difference with an example; ends with 1 when there is
a difference.

Figures of November 2026 (7 packages of the registries and Debian's framework-res.apk), without a difference:

- archive / zipfile: 8 lists, 16,511 entries;
- dex / dexdump: 36 files, 46,648 classes with superclass, interfaces, fields and static texts, 352,043 methods,
  237,396 constant strings with offset, index and text;
- arsc / aapt2: 8 tables, 22,592 resources with names and configurations, 185,066 texts, 2,975 arrays;
  arsc / apk-info: 20,315 names, 3,430 texts;
- axml / aapt2: 634 documents, 5,388 elements with the names and ids of their attributes, 3,734 texts;
- apk_signature / apksigner: certificates and schemes of 8 packages;
- aapt_proto / aapt2 convert: 8 tables with 22,592 resources, 1,605 documents with 9,253 elements;
- js / oxc_parser: 3,275 files, 55 MB: 206,493 strings, 2,835 templates, 1,074 comments; 22 folds / node;
- hermes / hermesc: 4,192 bundles of four bytecode versions: 91,243 strings, 23,994 strings that code loads;
- plist / plistlib: 19 lists of cordova-ios, react-native and Capacitor, each as XML and in binary.

Not compared: abc and wxapkg (no other program at hand), html (made by html5ever itself).
"""

import collections, datetime, functools, hashlib, json, os, pathlib, plistlib, re, subprocess, sys, tempfile, zipfile

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("ZHIJIAN_CACHE", "~/.cache/zhijian-differential")).expanduser()
APKS = {
    "io.appium.settings": "npm", "appium-uiautomator2-server": "npm", "android-apidemos": "npm",
    "airtest": "pip", "uiautomator2": "pip", "pocoui": "pip",
}
SCRIPTS = ["vue", "react-dom", "jquery", "lodash", "echarts", "@tarojs/runtime", "@dcloudio/uni-mp-weixin", "three"]
PLISTS = ["cordova-ios", "react-native", "@capacitor/ios"]
HERMES = ["hermes-engine@0.9.0", "hermes-engine@0.11.0", "hermes-compiler@0.17.0", "hermes-compiler"]


def sh(*command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, **more).stdout


def package(name, client):
    """Folder of an unpacked package."""
    folder = CACHE / re.sub(r"\W+", "-", name)
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=CACHE) as work:
            if client == "npm":
                sh("npm", "pack", "--silent", name, cwd=work)
            else:
                wheel = subprocess.run(["pip", "download", "-q", "--no-deps", "--no-binary", ":all:", name], cwd=work)
                if wheel.returncode:
                    sh("pip", "download", "-q", "--no-deps", name, cwd=work)
            for file in pathlib.Path(work).iterdir():
                if file.suffix == ".whl":
                    sh("unzip", "-qo", file, cwd=work)
                elif file.name.endswith(("gz", "tgz")):
                    sh("tar", "xzf", file, cwd=work)
                file.unlink() if file.is_file() else None
            pathlib.Path(work).rename(folder)
            os.makedirs(work)
    return folder


@functools.cache
def apks():
    found = {}
    for name, client in APKS.items():
        for path in sorted(package(name, client).rglob("*.apk")):
            found.setdefault(hashlib.sha256(path.read_bytes()).digest(), path)
    # Debian's android-framework-res: resources in every configuration.
    framework = pathlib.Path("/usr/share/android-framework-res/framework-res.apk")
    return list(found.values()) + [framework] * framework.exists()


@functools.cache
def program():
    target = os.environ.get("CARGO_TARGET_DIR", str(HERE / "target"))
    if "ZHIJIAN_DIFFERENTIAL" in os.environ:
        return os.environ["ZHIJIAN_DIFFERENTIAL"]
    sh("cargo", "build", "--release", "--manifest-path", HERE / "Cargo.toml",
       env={**os.environ, "CARGO_TARGET_DIR": target})
    return f"{target}/release/zhijian-differential"


def dump(what, path):
    run = subprocess.run([program(), what, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode:
        raise RuntimeError(run.stderr.decode(errors="replace").splitlines()[-2:])
    return [json.loads(line) for line in run.stdout.split(b"\n") if line]


class Tally:
    def __init__(self, decoder, oracle):
        self.decoder, self.oracle = decoder, oracle
        self.compared, self.different = collections.Counter(), collections.defaultdict(list)

    def same(self, kind, ours, theirs, where):
        self.compared[kind] += 1
        if ours != theirs:
            self.different[kind].append((where, ours, theirs))

    def report(self):
        counts = ", ".join(f"{count} {kind}" for kind, count in self.compared.items())
        print(f"{self.decoder} / {self.oracle}: {counts or 'nothing'} compared; "
              f"{sum(map(len, self.different.values()))} differences")
        for kind, cases in self.different.items():
            print(f"  {len(cases)} {kind}")
            for where, ours, theirs in cases[:3]:
                print(f"    {where}\n      ours   {str(ours)[:300]}\n      theirs {str(theirs)[:300]}")
        return not self.different


def entries(kind):
    """Entries of all packages, each content once, as files; `kind` tells them by name and first bytes."""
    seen = set()
    with tempfile.TemporaryDirectory() as folder:
        for apk in apks():
            with zipfile.ZipFile(apk) as archive:
                for info in archive.infolist():
                    with archive.open(info) as entry:
                        if not kind(info.filename, entry.read(8)):
                            continue
                    content = archive.read(info)
                    digest = hashlib.sha256(content).digest()
                    if digest in seen:
                        continue
                    seen.add(digest)
                    path = pathlib.Path(folder) / "entry"
                    path.write_bytes(content)
                    yield apk, info.filename, path


def archive():
    tally = Tally("archive", "Python zipfile")
    for apk in apks():
        ours = dump("archive", apk)
        with zipfile.ZipFile(apk) as theirs:
            infos = theirs.infolist()
            tally.same("lists of entries", [entry["name"] for entry in ours], [info.filename for info in infos], apk.name)
            for entry, info in zip(ours, infos):
                # Without an issue the checksum agrees with the one of the list.
                tally.same("entries", (entry["size"], entry["issues"]), (info.file_size, 0), f"{apk.name}!{info.filename}")
    return tally.report()


def mutf8(raw):
    """Text of modified UTF-8, lone surrogates as U+FFFD."""
    units = raw.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def escaped(text):
    """As dexdump prints the text of a static value."""
    return "".join({"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\r": "\\r"}.get(ch, ch) for ch in text)


def dex():
    tally = Tally("dex", "dexdump")
    for apk, name, path in entries(lambda name, head: head[:4] == b"dex\n"):
        where = f"{apk.name}!{name}"
        ours = dump("dex", path)
        totals = ours.pop()
        tally.same("files without issues", totals["issues"], 0, where)
        text = sh("dexdump", "-d", "-f", path, stderr=subprocess.DEVNULL)
        text = mutf8(text)
        for ours_name, theirs_name in [("strings", "string"), ("types", "type"), ("fields", "field"), ("methods", "method")]:
            size = int(re.search(rf"^{theirs_name}_ids_size *: (\d+)", text, re.M)[1])
            tally.same("sizes of tables", totals[ours_name], size, f"{where} {ours_name}")
        classes = re.split(r"^Class #\d+ +-\n", text, flags=re.M)[1:]
        tally.same("counts of classes", len(ours), len(classes), where)
        for mine, block in zip(ours, classes):
            one_class(tally, f"{where} {mine['class']}", mine, block)
    return tally.report()


MEMBER = r"      name +: '(.*)'\n      type +: '(.*)'\n      access +: 0x([0-9a-f]+) .*\n"
VALUE = r"      name +: '(.*)'\n      type .*\n      access .*\n      value +: \"(.*)\"\n"
CONSTANT = r"""^([0-9a-f]{6,}): .*\|[0-9a-f]{4}: const-string(?:/jumbo)? v\d+, "((?s:.*?))" // string@([0-9a-f]+)$"""


def one_class(tally, where, mine, block):
    tally.same("descriptors", mine["class"], re.search(r"Class descriptor  : '(.*)'", block)[1], where)
    superclass = re.search(r"Superclass        : '(.*)'", block)
    tally.same("superclasses", mine["superclass"], superclass and superclass[1], where)
    head, _, members = block.partition("  Static fields     -\n")
    tally.same("interfaces", mine["interfaces"], re.findall(r"^    #\d+ +: '(.*)'$", head, re.M), where)
    fields, _, methods = members.partition("  Direct methods    -\n")
    theirs = [[name, kind, int(access, 16)] for name, kind, access in re.findall(MEMBER, fields)]
    tally.same("lists of fields", mine["fields"], theirs, where)
    values = {name: escaped(text) for name, text in mine["values"].items()}
    tally.same("string values of static fields", values, dict(re.findall(VALUE, fields)), where)
    parts = re.split(r"^    #\d+ +: \(in .*\)\n", methods, flags=re.M)[1:]
    tally.same("counts of methods", len(mine["methods"]), len(parts), where)
    for method, part in zip(mine["methods"], parts):
        name, kind, access = re.match(MEMBER, part).groups()
        tally.same("methods", [method["name"], method["type"], method["access"]], [name, kind, int(access, 16)], where)
        constants = [[int(offset, 16), int(index, 16), text] for offset, text, index in re.findall(CONSTANT, part, re.M)]
        tally.same("lists of constants in methods", sorted(method["literals"]), sorted(constants), f"{where} {name}")
        tally.compared["constants"] += len(constants)


QUOTED = r"""^  [^=\n]*="((?s:.*?))"$"""


def aapt2_texts(body):
    """The texts of a value as aapt2 prints it; None where they are of a kind that is not compared."""
    # Lines of one text are indented like the value.
    body = re.sub(r"\n {6}", "\n", body.rstrip("\n"))
    if found := re.fullmatch(r"""(?:\(styled string\) )?"((?s:.*))"(?: \S+:\d+,\d+)*""", body):
        return [found[1]]
    if found := re.fullmatch(r"\(file\) (.*?)(?: type=\w+)?", body):
        return [found[1]]
    if found := re.match(r"\(plurals\) size=(\d+)\n", body):
        texts = re.findall(QUOTED, body, re.M)
        return sorted(texts) if len(texts) == int(found[1]) else None
    return None


def as_aapt2_array(texts):
    """An array of texts as aapt2 prints it, without the white space that it breaks lines with."""
    return re.sub(r"\s+", "", "[" + ",".join(f'"{text}"' for text in texts) + "]")


def arsc():
    tally = Tally("arsc", "aapt2")
    for apk in apks():
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(apk) as archive:
            if "resources.arsc" not in archive.namelist():
                continue
            ours = dump("arsc", archive.extract("resources.arsc", folder))
        tally.same("tables without issues", ours.pop()["issues"], 0, apk.name)
        text = sh("aapt2", "dump", "resources", apk, stderr=subprocess.DEVNULL).decode()
        # Of an array without items it prints the first bracket only.
        text = re.sub(r"^        \[(?=resource |\(\S*\) |  type )", "", text, flags=re.M)
        text = re.sub(r"^(?=resource 0x)", "    ", re.sub(r"^(?=\(\S*\) )", "      ", text, flags=re.M), flags=re.M)
        blocks = re.split(r"^    resource 0x([0-9a-f]{8}) (\S+)(?: PUBLIC)?\n", text, flags=re.M)[1:]
        theirs = {int(number, 16): (name, body) for number, name, body in zip(*[iter(blocks)] * 3)}
        tally.same("sets of ids", sorted(resource["id"] for resource in ours), sorted(theirs), apk.name)
        for resource in ours:
            name, body = theirs.get(resource["id"], ("", ""))
            where = f"{apk.name} {name}"
            tally.same("names", resource["name"], name, where)
            parts = re.split(r"^      \(([^()\n]*)\) ", body, flags=re.M)[1:]
            values = collections.defaultdict(list)
            for config, value in zip(*[iter(parts)] * 2):
                # The last type of a package is followed by the head of the next one.
                values[config].append(re.split(r"^  type |^Package ", value, flags=re.M)[0])
            mine = collections.Counter(config for config, _ in resource["values"])
            tally.same("lists of configurations", mine, collections.Counter({k: len(v) for k, v in values.items()}), where)
            for config, texts in resource["values"]:
                value = values[config].pop(0) if values[config] else ""
                if array := re.match(r"\(array\) size=(\d+)\n", value):
                    if len(texts) == int(array[1]) > 0:
                        tally.same("arrays", as_aapt2_array(texts), re.sub(r"\s+", "", value.split("\n", 1)[1]), where)
                elif (expected := aapt2_texts(value)) is not None:
                    tally.same("texts", sorted(texts), expected, f"{where} ({config})")
    good = tally.report()
    tally = Tally("arsc", "apk-info")
    for apk in apks():
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(apk) as archive:
            if "resources.arsc" not in archive.namelist():
                continue
            path = archive.extract("resources.arsc", folder)
            for resource, other in zip(dump("arsc", path), dump("apk-info", path)):
                where = f"{apk.name} {resource['name']}"
                default = [texts for config, texts in resource["values"] if not config]
                if other["name"] is None or not default:
                    continue
                tally.same("names", resource["name"], other["name"].split(":")[-1], where)
                if len(default[0]) == 1 and resource["name"].startswith("string/"):
                    tally.same("texts", default[0][0], other["text"], where)
    return tally.report() and good


def axml():
    tally = Tally("axml", "aapt2")
    counts = collections.Counter()
    for apk, name, path in entries(lambda name, head: head[:4] == b"\3\0\x08\0"):
        counts[apk] += 1
        # aapt2 opens the package anew for each.
        if counts[apk] > 60:
            continue
        where = f"{apk.name}!{name}"
        ours = dump("axml", path)
        tally.same("documents without issues", ours.pop()["issues"], 0, where)
        text = sh("aapt2", "dump", "xmltree", "--file", name, apk, stderr=subprocess.DEVNULL).decode()
        parts = re.split(r"^ *(E|A|T|N): ", text, flags=re.M)[1:]
        theirs, attributes = [], []
        for kind, value in zip(*[iter(parts)] * 2):
            value = value.rstrip("\n")
            if kind == "E":
                element, line = re.match(r"(?:.*:)?([^:\s]+) \(line=(\d+)\)", value).groups()
                attributes = []
                theirs.append(([element, int(line)], attributes))
            elif kind == "A":
                attributes.append(value)
        tally.same("lists of elements", [[e["name"], e["line"]] for e in ours], [head for head, _ in theirs], where)
        for element, (_, attributes) in zip(ours, theirs):
            mine = []
            for namespace, attribute, resource, text, raw in element["attributes"]:
                line = f"{namespace}:{attribute}" if namespace else attribute
                line += f"(0x{resource:08x})" if resource else ""
                mine.append((line, text))
            cut = [re.match(r"[^=(]*(?:\(0x[0-9a-f]{8}\))?", attribute)[0] for attribute in attributes]
            tally.same("lists of attributes", [line for line, _ in mine], cut, f"{where} {element['name']}")
            for (line, text), attribute in zip(mine, attributes):
                if text is not None:
                    found = re.match(r"""="((?s:.*?))"(?: \(Raw: .*)?$""", attribute[len(line):])
                    tally.same("texts of attributes", text, found and found[1], f"{where} {line}")
    return tally.report()


def converted(apk, folder):
    """The same package with everything that aapt2 knows as protocol buffers."""
    path = pathlib.Path(folder) / "converted.apk"
    sh("aapt2", "convert", "--output-format", "proto", "-o", path, apk, stderr=subprocess.DEVNULL)
    return path


def aapt_proto():
    """What our own reader of the binary form makes of the package is the oracle: `arsc` and `axml` compare that one."""
    tally = Tally("aapt_proto", "aapt2 convert")
    for apk in apks():
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(apk) as binary:
            if "resources.arsc" not in binary.namelist():
                continue
            with zipfile.ZipFile(converted(apk, folder)) as proto:
                def read(archive, name, what):
                    path = pathlib.Path(folder) / "entry"
                    path.write_bytes(archive.read(name))
                    rows = dump(what, path)
                    tally.same("tables and documents without issues", rows.pop()["issues"], 0, f"{apk.name}!{name}")
                    return rows

                table = {row["id"]: row for row in read(proto, "resources.pb", "proto-arsc")}
                expected = {row["id"]: row for row in read(binary, "resources.arsc", "arsc")}
                tally.same("sets of ids", sorted(table), sorted(expected), apk.name)
                for number, row in expected.items():
                    mine = table.get(number, {"name": None, "values": []})
                    where = f"{apk.name} {row['name']}"
                    tally.same("names", mine["name"], row["name"], where)
                    texts = lambda values: sorted((config, sorted(texts)) for config, texts in values)
                    tally.same("texts in all configurations", texts(mine["values"]), texts(row["values"]), where)
                documents = [name for name in binary.namelist() if binary.read(name)[:4] == b"\3\0\x08\0"]
                for name in documents[:400]:
                    where = f"{apk.name}!{name}"
                    mine, theirs = read(proto, name, "proto-axml"), read(binary, name, "axml")
                    head = lambda rows: [(row["depth"], row["name"], row["line"], row["texts"]) for row in rows]
                    tally.same("documents", head(mine), head(theirs), where)
                    for one, other in zip(mine, theirs):
                        values = lambda row: sorted((attribute[:4] for attribute in row["attributes"]), key=repr)
                        tally.same("elements with attributes", values(one), values(other), f"{where} {one['name']}")
    return tally.report()


def signature():
    tally = Tally("apk_signature", "apksigner")
    for apk in apks():
        ours = dump("signature", apk)
        tally.same("files without issues", ours.pop()["issues"], 0, apk.name)
        run = subprocess.run(["apksigner", "verify", "-v", "--print-certs", apk], stdout=subprocess.PIPE).stdout.decode()
        digests = set(re.findall(r"Signer #\d+ certificate SHA-256 digest: ([0-9a-f]{64})", run))
        tally.same("sets of certificates", {signer["sha256"] for signer in ours}, digests, apk.name)
        schemes = {scheme for signer in ours for scheme in signer["schemes"]}
        theirs = set(re.findall(r"Verified using (v[\d.]+) scheme .*: true", run))
        # apksigner leaves schemes out that the package's oldest system does not need.
        tally.same("sets of schemes", theirs - schemes, set(), apk.name)
    return tally.report()


def scripts():
    seen = set()
    for name in SCRIPTS:
        for path in sorted(package(name, "npm").rglob("*.js")):
            content = path.read_bytes()
            if len(content) < 4 << 20 and hashlib.sha256(content).digest() not in seen:
                seen.add(hashlib.sha256(content).digest())
                yield name, path


def joined(literals, source):
    """String literals with `+` and nothing else between them as one."""
    found = []
    end = None
    for literal in literals:
        if literal["offset"] < (end or 0):
            continue
        between = source[end or 0:literal["offset"]].decode(errors="replace")
        between = re.sub(r"/\*.*?\*/|//[^\n]*", "", between, flags=re.S)
        if end is not None and between.strip() == "+":
            found[-1][1] += literal["text"]
        else:
            found.append([literal["offset"], literal["text"]])
        end = literal["end"]
    return found


EVALUATE = """
const vm = require("vm"), context = vm.createContext({}, {codeGeneration: {strings: false, wasm: false}})
const one = (source) => { try { return vm.runInContext(`(${source})`, context, {timeout: 100}) } catch { return null } }
console.log(JSON.stringify(JSON.parse(require("fs").readFileSync(0)).map(one)))
"""


def without_folds(tally, where, ours, theirs):
    """Without what our decoder joins at more than a `+` between strings, which no parser does: node is asked instead for
    the value, where the expression is whole and names no variable."""
    simple = re.compile(r"""(?:(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\s|\+|//[^\n]*|/\*.*?\*/)+)$""", re.S)
    folds = [l for l in ours if l.get("joined") and len(l["joined"].encode()) < 117 and not simple.match(l["joined"])]
    folds += [l for l in ours if l.get("joined") and len(l["joined"].encode()) >= 117]
    if not folds:
        return ours, theirs
    whole = [l for l in folds if l["kind"] == "string" and len(l["joined"].encode()) < 117]
    values = json.loads(sh("node", "-e", EVALUATE, input=json.dumps([l["joined"] for l in whole]).encode()))
    for literal, value in zip(whole, values):
        if isinstance(value, str):
            tally.same("folds", literal["text"], value, f"{where} {literal['joined']}")
    starts = sorted(l["offset"] for l in ours if l not in folds) + [1 << 40]
    covered = []
    for literal in folds:
        start = literal["offset"]
        end = start + len(literal["joined"].encode())
        if end - start >= 117:
            end = next(at for at in starts if at > start)
        covered.append((start, end))
    kept = lambda l: not any(start <= l["offset"] < end for start, end in covered)
    return [l for l in ours if l["kind"] == "comment" or kept(l)], [l for l in theirs if l["kind"] == "comment" or kept(l)]


def js():
    tally = Tally("js", "oxc_parser")
    for name, path in scripts():
        where = f"{name} {path.name}"
        ours, theirs = dump("js", path), dump("oxc", path)
        if theirs.pop()["issues"]:
            continue
        source = path.read_bytes()
        tally.same("files without issues", ours.pop()["issues"], 0, where)
        tally.compared["bytes"] += len(source)
        ours, theirs = without_folds(tally, where, ours, theirs)
        strings = [literal for literal in theirs if literal["kind"] == "string"]
        mine = [[literal["offset"], literal["text"]] for literal in ours if literal["kind"] == "string"]
        for kind, mine, other in [
            ("strings", mine, joined(strings, source)),
            # The standard takes carriage returns out of templates, which nobody sees.
            ("templates", [[l["offset"], l["text"].replace("\r\n", "\n")] for l in ours if l["kind"] == "template"],
             [[l["offset"], l["text"]] for l in theirs if l["kind"] == "template"]),
            # Comments in plain ASCII are not told.
            ("comments", [[l["offset"]] for l in ours if l["kind"] == "comment"],
             [[l["offset"]] for l in theirs if l["kind"] == "comment" and not source[l["offset"]:l["end"]].isascii()]),
        ]:
            tally.compared[kind] += len(other)
            other, mine = {tuple(l) for l in other}, {tuple(l) for l in mine}
            for literal in sorted(mine - other):
                tally.different[kind].append((where, literal, source[max(0, literal[0] - 60):literal[0] + 60]))
            for literal in sorted(other - mine):
                tally.different[kind].append((where, source[max(0, literal[0] - 60):literal[0] + 60], literal))
    return tally.report()


def as_hermesc(text):
    """A text in plain ASCII as hermesc prints it. What is not printable is `\\xNN`; a backslash is not escaped."""
    return "".join(ch if ch.isprintable() else f"\\x{ord(ch):02X}" for ch in text)


def from_hermesc(text):
    """The text of a string in UTF-16 as hermesc prints it, the low byte of each unit first."""
    raw = re.sub(rb"\\x([0-9A-F]{2})", lambda found: bytes([int(found[1], 16)]), text.encode())
    return raw.decode("utf-16-le", "replace")


def hermes():
    tally = Tally("hermes", "hermesc -dump-bytecode")
    for compiler in HERMES:
        program = next(path for path in package(compiler, "npm").rglob("hermesc") if path.is_file() and "linux" in str(path))
        program.chmod(0o755)
        for name, path in scripts():
            if name not in ("vue", "jquery", "lodash") or "esm" in path.name:
                continue
            with tempfile.TemporaryDirectory() as folder:
                bundle = f"{folder}/bundle.hbc"
                made = subprocess.run([program, "-O", "-w", "-emit-binary", "-out", bundle, path], stderr=subprocess.DEVNULL)
                if made.returncode:
                    continue
                ours = dump("hermes", bundle)
                text = sh(program, "-dump-bytecode", "-pretty=false", "-b", bundle).decode("utf-8", "replace")
            where = f"{compiler} {path.name}"
            totals = ours.pop()
            tally.same("files without issues", totals["issues"], 0, where)
            tally.same("versions", totals["version"], int(re.search(r"Bytecode version number: (\d+)", text)[1]), where)
            tally.same("counts of functions", sum("function" in row for row in ours),
                       int(re.search(r"Function count: (\d+)", text)[1]), where)
            mine = {row["string"]: row for row in ours if "string" in row}
            table = re.findall(r"^([si])(\d+)\[(ASCII|UTF-16), [^\]]*\](?: #[0-9A-F]+)?: (.*)$", text, re.M)
            tally.same("counts of strings", len(mine), len(table), where)
            for letter, index, kind, stored in table:
                row = mine[int(index)]
                ours_text = as_hermesc(row["text"]) if kind == "ASCII" else row["text"]
                theirs_text = stored if kind == "ASCII" else from_hermesc(stored)
                tally.same("strings", (ours_text, row["identifier"]), (theirs_text, letter == "i"), where)
            loaded = {int(index) for index in re.findall(r"LoadConstString(?:LongIndex)? \d+<Reg8>, (\d+)<", text)}
            tally.same("sets of strings that code loads", sorted(loaded - set(totals["uses"])), [], where)
            tally.compared["strings that code loads"] += len(loaded)
    return tally.report()


def plain(value):
    """As the own decoder's value is printed."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, plistlib.UID):
        return {"CF$UID": value.data}
    if isinstance(value, datetime.datetime):
        return (value - datetime.datetime(2001, 1, 1)).total_seconds()
    return value


def plist():
    tally = Tally("plist", "Python plistlib")
    for name in PLISTS:
        for path in sorted(package(name, "npm").rglob("*")):
            if path.suffix not in (".plist", ".strings", ".xcprivacy", ".mobileprovision") or not path.is_file():
                continue
            try:
                theirs = plistlib.loads(path.read_bytes())
            except Exception:
                continue
            with tempfile.TemporaryDirectory() as folder:
                for form in (plistlib.FMT_XML, plistlib.FMT_BINARY):
                    copy = pathlib.Path(folder) / "list"
                    copy.write_bytes(plistlib.dumps(theirs, fmt=form))
                    ours, = dump("plist", copy)
                    kind = "XML" if form == plistlib.FMT_XML else "binary"
                    tally.same(f"{kind} lists", (ours["value"], ours["issues"]), (plain(theirs), 0), f"{name} {path.name}")
    return tally.report()


def main():
    CACHE.mkdir(parents=True, exist_ok=True)
    known = {decoder.__name__: decoder for decoder in (archive, dex, arsc, axml, aapt_proto, signature, js, hermes, plist)}
    good = [known[name]() for name in sys.argv[1:] or known]
    sys.exit(not all(good))


main()
