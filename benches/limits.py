#!/usr/bin/env python3
"""Memory and time of large packages: limits.py PROGRAM [APK…]

Makes packages as large as apps get, from the dex files of the given APKs and from scripts of npm packages, in a
temporary folder, and prints what `PROGRAM scan` takes of each: peak resident memory, which is to stay below 300 MB,
and CPU time beside that of `unzip -tq`. Without APKs those of npm's appium-uiautomator2-server are fetched. Ends with 1 when
a peak is higher.
"""

import pathlib, random, re, struct, subprocess, sys, tempfile, zipfile

GOAL_MB = 300
PACKAGE_MB = 200
DEXES = 16
BUNDLE_MB = 8
WORDS = "签到 打卡 积分 排名 转发 巡查 任务 上报 审批 学习 时长 通知 详情 首页 我的 设置 关于 提交 成功 失败".split()
HERE = pathlib.Path(__file__).resolve().parent
MANIFEST = HERE.parent / "fixtures/built/grid-patrol.apk"


def fetch(folder, name):
    subprocess.run(["npm", "pack", "--silent", name], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    packed = next(pathlib.Path(folder).glob("*.tgz"))
    subprocess.run(["tar", "xzf", packed], cwd=folder, check=True)
    packed.unlink()


def dexes(apks):
    """The large dex files of the packages, again and again until there are enough."""
    found = []
    for apk in apks:
        with zipfile.ZipFile(apk) as archive:
            found += [archive.read(name) for name in archive.namelist() if re.fullmatch(r"classes\d*\.dex", name)]
    largest = max(map(len, found))
    found = [dex for dex in found if len(dex) > largest / 2]
    return [found[index % len(found)] for index in range(DEXES)]


def bundle(scripts):
    """Real minified code with some of its texts put into Chinese, each time others."""
    chance = random.Random(1)
    source = b"\n".join(path.read_bytes() for path in scripts)
    text = re.compile(rb'"[A-Za-z ]{4,24}"')

    def replace(found):
        if chance.random() < 0.9:
            return found[0]
        return f'"{chance.choice(WORDS)}{chance.choice(WORDS)}{chance.randrange(10000)}"'.encode()

    out = b""
    while len(out) < BUNDLE_MB << 20:
        out += text.sub(replace, source) + b"\n"
    return out[:BUNDLE_MB << 20]


def package(path, entries, method=zipfile.ZIP_DEFLATED, fill_mb=0):
    with zipfile.ZipFile(MANIFEST) as small, zipfile.ZipFile(path, "w") as archive:
        names = {name for name, _ in entries}
        for name in small.namelist():
            if name not in names and not name.startswith("META-INF/"):
                archive.writestr(name, small.read(name), zipfile.ZIP_DEFLATED)
        for name, content in entries:
            archive.writestr(name, content, method)
        # The rest of a large package is pictures and native code, which do not shrink.
        chance = random.Random(2)
        number = 0
        while path.stat().st_size < fill_mb << 20:
            archive.writestr(f"assets/media/{number}.mp4", chance.randbytes(8 << 20), zipfile.ZIP_STORED)
            archive.fp.flush()
            number += 1


def wxapkg(path, files):
    index = 4 + sum(13 + len(name) for name, _ in files)
    head = struct.pack(">BIIIBI", 0xBE, 0, index, sum(len(content) for _, content in files), 0xED, len(files))
    at = 14 + index
    for name, content in files:
        head += struct.pack(">I", len(name) + 1) + b"/" + name.encode() + struct.pack(">II", at, len(content))
        at += len(content)
    path.write_bytes(head + b"".join(content for _, content in files))


# In a process of its own, small because the peak of a process counts from the one that it was forked from.
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss / 1024, used.ru_utime + used.ru_stime)
"""


def run(*command):
    """Peak memory in MB and CPU seconds."""
    done = subprocess.run([sys.executable, "-c", MEASURE, *command], stdout=subprocess.PIPE, check=True)
    return map(float, done.stdout.split())


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    program, apks = sys.argv[1], sys.argv[2:]
    if not apks:
        fetch(folder, "appium-uiautomator2-server")
        apks = sorted(folder.rglob("*.apk"))
    for name in ("echarts", "antd", "react-dom"):
        (folder / name).mkdir()
        fetch(folder / name, name)
    large = [(f"classes{number or ''}.dex", dex) for number, dex in zip([0, *range(2, DEXES + 1)], dexes(apks))]
    script = bundle([*folder.glob("echarts/package/dist/echarts.min.js"), *folder.glob("antd/package/dist/antd.min.js")])
    page = b'{"pages":["pages/index/index"],"page":{},"global":{"window":{}}}'
    cases = [
        ("16 dex, media", "dex.apk", lambda path: package(path, large, fill_mb=PACKAGE_MB)),
        ("16 dex, stored", "stored.apk", lambda path: package(path, large, zipfile.ZIP_STORED, PACKAGE_MB)),
        ("React Native, text", "rn.apk", lambda path: package(path, [("assets/index.android.bundle", script)])),
        ("uni-app", "uni.apk", lambda path: package(path, [
            ("assets/apps/__UNI__0000001/www/app-service.js", script),
            ("assets/apps/__UNI__0000001/www/manifest.json", b'{"id":"__UNI__0000001","name":"a"}')])),
        ("mini program", "mini.wxapkg", lambda path: wxapkg(path, [("app-config.json", page), ("app-service.js", script)])),
        ("all at once", "all.apk", lambda path: package(path, large + [
            ("assets/index.android.bundle", script), ("assets/www/app.js", script)], fill_mb=PACKAGE_MB)),
    ]
    print(f"{sum(len(dex) for _, dex in large) / 1e6:.0f} MB of dex, bundle of {len(script) / 1e6:.1f} MB; goal: peak below {GOAL_MB} MB")
    print(f"{'package':<20}{'MB':>8}{'peak MB':>9}{'CPU s':>8}{'unzip s':>9}")
    good = True
    for title, name, make in cases:
        path = folder / name
        make(path)
        peak, cpu = run(program, "scan", "--format", "json", path)
        _, unzip = run("unzip", "-tq", path)
        shown = f"{unzip:.2f}" if name.endswith(".apk") else "-"
        print(f"{title:<20}{path.stat().st_size / 1e6:>8.1f}{peak:>9.0f}{cpu:>8.2f}{shown:>9}", flush=True)
        good &= peak < GOAL_MB
        path.unlink()
sys.exit(not good)
