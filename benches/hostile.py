#!/usr/bin/env python3
"""Bad input of every kind, under a memory limit: hostile.py PROGRAM [SEED]

Makes bad packages, pages, exports and rosters in a temporary folder (bombs, lies, depths, floods, and every fixture of this
project cut short and with bytes changed), gives each to PROGRAM in a process that may have LIMIT_MB of data, and prints
what it ended with, how long it took and its peak of memory. Ends with 1 when a process crashed, was killed, took longer than
LIMIT_S or more memory than LIMIT_MB. The changed fixtures are printed by the worst of each.
"""

import io, os, pathlib, random, resource, struct, subprocess, sys, tempfile, time, zipfile, zlib

LIMIT_MB, LIMIT_S = 600, 60
ROOT = pathlib.Path(__file__).resolve().parent.parent
APK = ROOT / "fixtures/built/grid-patrol.apk"
FOLDERS = ["built", "page", "account", "group"]


def run(program, file, arguments):
    """Exit code, seconds, megabytes of `PROGRAM ARGUMENTS FILE`."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        limit = LIMIT_MB << 20
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        begun = time.monotonic()
        try:
            done = subprocess.run([program, *arguments, file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  timeout=LIMIT_S)
            code = done.returncode
        except subprocess.TimeoutExpired:
            code = "timeout"
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
        os.write(write, repr((code, time.monotonic() - begun, peak)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return eval(said, {})


def packed(entries, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as package:
        for name, content in entries:
            package.writestr(name, content)
    return out.getvalue()


def with_entries(**changed):
    """The fixture with other entries, by name; `None` leaves one out."""
    with zipfile.ZipFile(APK) as package:
        entries = {name: package.read(name) for name in package.namelist()}
    entries.update({name.replace("__", ".").replace("_s_", "/"): content for name, content in changed.items()})
    return packed([(name, content) for name, content in entries.items() if content is not None])


def zeros(megabytes):
    """A stream of deflated zeros that is made without having them all at hand."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    block, out, crc = bytes(1 << 20), [], 0
    for _ in range(megabytes):
        out.append(squeeze.compress(block))
        crc = zlib.crc32(block, crc)
    return b"".join(out) + squeeze.flush(), crc, megabytes << 20


def bomb(name, megabytes):
    """An archive with one entry that is zeros."""
    data, crc, size = zeros(megabytes)
    name = name.encode()
    common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x21, crc, len(data), size, len(name), 0)
    local = b"PK\x03\x04" + common + name
    central = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local) + len(data), 0)
    return local + data + central + end


def deep_axml(depth):
    """Binary XML of elements in elements."""
    pool = struct.pack("<HHIIIIIII", 1, 28, 28 + 4 + 4, 1, 0, 0x100, 32, 0, 0) + b"\x01\x01a\x00"
    start = struct.pack("<HHIIIIIHHHHHH", 0x102, 16, 36, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0, 20, 20, 0, 0, 0, 0)
    body = pool + start * depth
    return struct.pack("<HHI", 3, 8, 8 + len(body)) + body


def generated():
    """Name, ending, bytes, and the arguments of the command."""
    scan, check = ["scan", "--format", "json"], ["roster", "check"]
    deep = 200_000
    yield "1 GiB of zeros as manifest", ".apk", bomb("AndroidManifest.xml", 1024), scan
    yield "1 GiB of zeros as resources.arsc", ".apk", bomb("resources.arsc", 1024), scan
    yield "1 GiB of zeros as classes.dex", ".apk", bomb("classes.dex", 1024), scan
    yield "1 GiB of zeros as app-service.js", ".apk", bomb("assets/apps/x/www/app-service.js", 1024), scan
    yield "100,000 entries", ".apk", with_entries(**{f"assets_s_{n}": b"" for n in range(100_000)}), scan
    nested = APK.read_bytes()
    for _ in range(50):
        nested = packed([("inner.apk", nested)], zipfile.ZIP_STORED)
    yield "packages in packages, 50 deep", ".apk", nested, scan
    yield "layout nested 200,000 deep", ".apk", with_entries(res_s_layout_s_a__xml=deep_axml(deep)), scan
    yield "entry names that lead out", ".apk", packed([("../../../etc/passwd", b"x"), ("/root/\x1b[31m\u202e", b"x"),
                                                      ("a\r\nb<script>", "打卡")]), scan
    yield "JSON 1,000,000 deep", ".wgt", packed([("manifest.json", '{"id":"x","plus":{},"a":' + "[" * 10**6)]), scan
    yield "50 MB of escapes in one string", ".wgt", packed([
        ("manifest.json", b'{"id":"x","plus":{},"launch_path":"a"}'), ("app-service.js", b'"' + b"\\u6253" * 9_000_000)]), scan
    yield "1,000,000 open brackets in JS", ".wgt", packed([
        ("manifest.json", b'{"id":"x","plus":{},"launch_path":"a"}'), ("app-service.js", b"([{" * 333_333)]), scan
    yield "elements 1,000,000 deep", ".html", b"<div>" * 10**6 + "打卡".encode(), scan
    yield "16 MB of attributes", ".html", b"<p " + b"a='b' " * 2_700_000 + b">", scan
    yield "entities in entities", ".rss", (b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%s">' % (c + 1, b"&%c;" % c * 10) for c in range(ord("a"), ord("p"))) +
        b"]><rss><channel><title>&p;</title></channel></rss>"), scan
    yield "300,000 posts", ".rss", b"<rss><channel>" + b"<item><title>x</title></item>" * 300_000, scan
    yield "property list of one list again and again", ".ipa", packed([("Payload/a.app/Info.plist", b"bplist00" + b"".join(
        b"\xaf\x10\xff" + bytes([n]) * 255 for n in range(100)) + bytes(32))]), scan
    yield "a line of 50 MB", ".csv", "类型,名称,地址\n".encode() + b"a," * 25_000_000, check
    yield "1,000,000 rows without kind", ".csv", "类型,名称,地址\n".encode() + b"x,y,z\n" * 10**6, check
    sheet = '<worksheet><sheetData><row r="1"><c r="XFD1048576" t="s"><v>4294967295</v></c></row></sheetData></worksheet>'
    yield "workbook that names 4,294,967,295 texts", ".xlsx", packed([
        ("[Content_Types].xml", "<Types/>"), ("xl/workbook.xml", '<workbook><sheets><sheet name="a" r:id="r1"/></sheets></workbook>'),
        ("xl/_rels/workbook.xml.rels", '<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>'),
        ("xl/sharedStrings.xml", '<sst uniqueCount="4294967295"/>'), ("xl/worksheets/sheet1.xml", sheet)]), check
    yield "workbook of 1 GiB of zeros", ".xlsx", bomb("xl/workbook.xml", 1024), check
    yield "nothing", ".apk", b"", scan
    yield "16 MB of noise", ".apk", random.Random(1).randbytes(16 << 20), scan


def changed(rng):
    """Every fixture, cut short and with bytes changed."""
    for folder in FOLDERS:
        for file in sorted((ROOT / "fixtures" / folder).iterdir()):
            if file.is_file() and file.name != "truth.yaml":
                whole = file.read_bytes()
                for _ in range(4):
                    yield file, whole[:rng.randrange(len(whole) + 1)]
                    bytes_ = bytearray(whole)
                    for _ in range(rng.choice([1, 8, 64])):
                        if bytes_:
                            bytes_[rng.randrange(len(bytes_))] = rng.randrange(256)
                    yield file, bytes(bytes_)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, seed = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
    wrong = 0

    def judge(code, seconds, peak):
        return code in (0, 1, 2) and seconds <= LIMIT_S and peak <= LIMIT_MB

    def row(name, code, seconds, peak):
        mark = "" if judge(code, seconds, peak) else "  <-- WRONG"
        print(f"{name:<46} {code!s:>8} {seconds:>8.2f} {peak:>6}{mark}", flush=True)

    print(f"seed {seed}, at most {LIMIT_MB} MB and {LIMIT_S} s\n{'input':<46} {'ended':>8} {'seconds':>8} {'MB':>6}")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, ending, content, arguments in generated():
            file = folder / f"input{ending}"
            file.write_bytes(content)
            del content
            done = run(program, file, arguments)
            row(name, *done)
            wrong += not judge(*done)
        worst, rng = {}, random.Random(seed)
        for original, content in changed(rng):
            file = folder / original.name
            file.write_bytes(content)
            done = run(program, file, ["scan", "--format", "json"])
            if not judge(*done):
                wrong += 1
                row(f"changed {original.name}", *done)
            before = worst.get(original.name, (0, 0.0, 0, 0))
            worst[original.name] = (done[0], max(before[1], done[1]), max(before[2], done[2]), before[3] + 1)
        for name, (_, seconds, peak, count) in worst.items():
            row(f"{count} changes of {name}", 0, seconds, peak)
    print(f"{wrong} wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
