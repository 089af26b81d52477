#!/bin/sh
# Fills corpus/TARGET from the fixtures: whole packages, their entries by kind, and the inputs of the decoder tests.
# Run again after new fixtures; files are named by their content, so that nothing is there twice.
set -eu
cd "$(dirname "$0")"
exec python3 - <<'PYTHON'
import hashlib, io, pathlib, re, struct, zipfile

FIXTURES, CORPUS, TARGETS = (pathlib.Path(folder) for folder in ("../fixtures", "corpus", "targets"))
LARGEST = 256 << 10
# The order of ENTRIES in targets/package_entry.rs.
ENTRIES = re.findall(r'\(Kind::(\w+), "([^"]+)"\)', (TARGETS / "package_entry.rs").read_text())


def seed(target, content):
    if content and len(content) <= LARGEST and (TARGETS / f"{target}.rs").exists():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha1(content).hexdigest()).write_bytes(content)


def entry(names, content):
    for index, (_, name) in enumerate(ENTRIES):
        if name in names:
            seed("package_entry", bytes([index]) + content)


def stored(archive):
    """The archive again without compression, so that a flipped bit is a flipped bit of the content."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as copy:
        for info in archive.infolist():
            content = archive.read(info)
            if len(content) <= LARGEST:
                copy.writestr(zipfile.ZipInfo(info.filename), content)
    return out.getvalue()


def wxapkg(content):
    count, = struct.unpack(">I", content[14:18])
    at = 18
    for _ in range(count):
        length, = struct.unpack(">I", content[at:at + 4])
        name = content[at + 4:at + 4 + length].decode()
        start, size = struct.unpack(">II", content[at + 4 + length:at + 12 + length])
        at += 12 + length
        yield name.lstrip("/"), content[start:start + size]


def by_kind(name, content):
    """Seeds for an entry, told by what it is rather than by its name where that can be done."""
    end = name.rsplit(".", 1)[-1].lower()
    head = content[:8]
    if head[:4] == b"dex\n":
        seed("dex", content), entry({"classes.dex"}, content)
    elif head == b"PANDA\0\0\0":
        seed("abc", content), entry({"ets/modules.abc"}, content)
    elif head == bytes.fromhex("C61FBC03C103191F"):
        seed("hermes", content), entry({"assets/index.android.bundle"}, content)
    elif head[:4] == b"\x03\x00\x08\x00":
        seed("axml", content), entry({"AndroidManifest.xml", "res/layout/main.xml"}, content)
    elif head[:4] == b"\x02\x00\x0c\x00":
        seed("arsc", content), entry({"resources.arsc"}, content)
    elif head[:4] == b"PK\x03\x04":
        package(name, content)
    elif head[:4] in (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe"):
        seed("macho", content), entry({"Payload/A.app/A"}, content)
        at = content.find(b"\xfa\xde\x0c\xc0")
        seed("apple_signature", content[at:] if at > 0 else b"")
    elif head[:6] == b"V1MMWX":
        seed("wxapkg_cipher", content), seed("package", content)
    elif head[:4] == b"NIBA":
        seed("nib", content), entry({"Payload/A.app/Main.nib"}, content)
    elif end == "mobileprovision":
        seed("apple_signature", content)
    elif head[:6] == b"bplist" or end in ("plist", "strings"):
        seed("plist", content), seed("strings", content)
        entry({"Payload/A.app/Info.plist", "Payload/A.app/zh-Hans.lproj/Localizable.strings"}, content)
    elif name.endswith("resources.index"):
        seed("resindex", content), entry({"resources.index"}, content)
    elif end in ("rsa", "dsa", "ec"):
        seed("apk_signature", b"\0" + content), entry({"META-INF/CERT.RSA"}, content)
    elif end == "pb" or (end == "xml" and head[:1] == b"\x0a"):
        seed("aapt_proto", content)
    elif end in ("js", "bundle"):
        seed("js", content)
        seed("wxml_code", content)
        seed("ux", content)
        entry({"app-service.js", "assets/apps/__UNI__1/www/app-service.js", "pages/index/index.js"}, content)
    elif end in ("html", "htm", "wxml"):
        seed("html", content)
        entry({"assets/www/index.html", "page-frame.html", "pages/index/index.html"}, content)
    elif end == "json":
        entry({name, name.rsplit("/", 1)[-1], "assets/apps/__UNI__1/www/manifest.json"}, content)
    elif end == "so":
        seed("elf", content), seed("dart", content), entry({"lib/arm64-v8a/libapp.so"}, content)
    elif end in ("png", "jpg", "webp"):
        seed("picture", content), entry({"res/drawable/qiandao.png"}, content)
    elif name.endswith("global-metadata.dat"):
        seed("unity", content), entry({"assets/bin/Data/Managed/Metadata/global-metadata.dat"}, content)


def package(name, content):
    seed("package", content)
    if content[:1] == b"\xbe":
        seed("wxapkg", content)
        entries = list(wxapkg(content))
    elif content[:2] == b"PK":
        seed("archive", content)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            seed("package", stored(archive)), seed("archive", stored(archive))
            entries = [(info.filename, archive.read(info)) for info in archive.infolist() if not info.is_dir()]
        directory = content.rfind(b"APK Sig Block 42")
        if directory > 0:
            size, = struct.unpack("<Q", content[directory - 8:directory])
            seed("apk_signature", b"\1" + content[directory + 16 - size - 8:directory + 16])
        if name.endswith((".hap", ".app")):
            seed("hap_signature", content[:content.rfind(b"PK\x05\x06")][-LARGEST:])
            seed("hap_signature", content[:max(content.find(b"PK\x01\x02"), 0)][-LARGEST:])
    else:
        return by_kind(name, content) if content[:1] != b"P" else None
    for inner, content in entries:
        by_kind(inner, content)


for path in sorted((FIXTURES / "built").rglob("*")):
    if path.is_file():
        package(path.name, path.read_bytes())
for path in sorted((FIXTURES / "decode").rglob("*")):
    if path.is_file():
        by_kind(path.name, path.read_bytes())
for path in sorted((FIXTURES / "group").iterdir()):
    if path.suffix != ".yaml":
        seed("group", path.read_bytes())
        seed("group", path.read_text().encode("gb18030"))
for folder in ("page", "account"):
    for path in sorted((FIXTURES / folder).iterdir()):
        if path.suffix != ".yaml":
            seed("page", path.read_bytes())
for path in sorted((FIXTURES / "roster").glob("roster.*")):
    seed("roster", path.read_bytes())
for text in (
    "类型,标识,名称,主办单位,层级,备案编号,ICP备案号,地址\n应用,cn.gov.a,甲,某局,县级,备1号,,https://a.gov.cn/a.apk\n",
    "应用名称;备案编号;备案日期;状态\n甲;备1号;2026-03-03;已注销\n",
):
    seed("roster", text.encode())
    seed("roster", text.encode("gb18030"))
for words in ("打卡", "ｄǎ 卡\u200b", "打\u200d卡 ﬁ①㎏", "Ａ\u0301e\u0301", "\u202e签到\ufeff"):
    seed("text", words.encode())
for folder in sorted(CORPUS.iterdir()):
    print(f"{folder.name:<16}{len(list(folder.iterdir())):>6}")
PYTHON
