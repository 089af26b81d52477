#!/usr/bin/env python3
"""zhijian beside its peers on the same packages in the same minutes: peers.py PROGRAM [APK…]

  unzip      unzip -tq: inflates and checks every entry
  floor      what a scan reads, inflated and nothing else (the `speed` bench, --inflate-only)
  hand       unzip -p of the dex files and resources, strings, grep for the words: what one does by hand
  apk-info   manifest, signature and certificates (PyPI apk-info)
  androguard its full analysis, AnalyzeAPK (PyPI androguard)
  scan       PROGRAM scan --format json

Prints CPU seconds and peak memory of each (of all its processes), the median of RUNS rounds in turn, and the ratios that
are the goals: scan at most half of unzip and 1.5 times the floor on packages over 3 MB; androguard at least 100 times the
CPU and 10 times the memory of scan. Without APKs those that the `speed` bench fetches. The peers are installed into
target/peers. `cargo bench --bench speed --no-run` has to be done before.
"""

import json, os, pathlib, resource, statistics, subprocess, sys, tempfile, venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS = ROOT / "target/peers"
RUNS, SLOW_RUNS = 5, 1
WORDS = "打卡|签到|积分|排名|排行|转发|点赞|时长"
HAND = f"unzip -p \"$1\" '*.dex' resources.arsc 2>/dev/null | strings -n 2 -e S | grep -E -c '{WORDS}' || true; " \
       f"unzip -p \"$1\" resources.arsc 2>/dev/null | strings -n 2 -e l | grep -E -c '{WORDS}' || true"
APK_INFO = "import sys; from apk_info import APK; a = APK(sys.argv[1]); a.get_package_name(); a.get_permissions(); " \
           "a.get_activities(); a.get_signatures()"
ANDROGUARD = "import sys; from loguru import logger; logger.remove(); from androguard.misc import AnalyzeAPK; " \
             "AnalyzeAPK(sys.argv[1])"


def peers():
    python = PEERS / "bin/python"
    if not python.exists():
        venv.create(PEERS, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "androguard", "apk-info"], check=True)
    return python


def measure(command):
    """CPU seconds and peak megabytes of a command and all that it starts."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        with open(os.devnull, "wb") as nothing:
            done = subprocess.run(command, stdout=nothing, stderr=nothing)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        os.write(write, json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, done.returncode]).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        cpu, memory, code = json.loads(pipe.read())
    os.waitpid(child, 0)
    return cpu, memory, code


def speed(program):
    """The `speed` bench beside the program: it fetches the packages, and is the floor."""
    benches = (pathlib.Path(program).resolve().parent / "deps").glob("speed-*")
    benches = [bench for bench in benches if os.access(bench, os.X_OK) and not bench.suffix]
    if not benches:
        sys.exit("cargo bench --bench speed --no-run builds the floor; it is not there yet")
    return max(benches, key=lambda bench: bench.stat().st_mtime)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, files = sys.argv[1], [pathlib.Path(name) for name in sys.argv[2:]]
    python, bench = peers(), speed(program)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if not files:
            fetched = subprocess.run([bench, "--fetch"], check=True, capture_output=True, text=True, cwd=ROOT)
            files = [pathlib.Path(line) for line in fetched.stdout.split("\n") if line]
        print(f"{'package':<34} {'MB':>6} {'peer':<11} {'CPU s':>8} {'MB':>7} {'CPU/scan':>9} {'MB/scan':>8}")
        for file in files:
            names = folder / "names"
            names.write_bytes(subprocess.run([bench, "--names", file], check=True, capture_output=True).stdout)
            commands = {
                "unzip": ["unzip", "-tq", file],
                "floor": [bench, "--inflate-only", file, names],
                "hand": ["sh", "-c", HAND, "sh", file],
                "apk-info": [python, "-c", APK_INFO, file],
                "androguard": [python, "-c", ANDROGUARD, file],
                "scan": [program, "scan", "--format", "json", file],
            }
            seen = {name: [] for name in commands}
            for round in range(RUNS + 1):
                for name in seen:
                    # An analysis of minutes is run once.
                    if name == "androguard" and round >= SLOW_RUNS:
                        continue
                    cpu, memory, code = measure(commands[name])
                    if code != 0 and name not in ("unzip",):
                        print(f"{file.name}: {name} ended with {code}", file=sys.stderr)
                    # The first round warms the caches of the rest.
                    if round > 0 or name == "androguard":
                        seen[name].append((cpu, memory))
            median = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in seen.items()}
            cpu, memory = median["scan"]
            size = file.stat().st_size / 1e6
            for name, (c, m) in median.items():
                label = (file.name[:33], f"{size:.1f}") if name == "unzip" else ("", "")
                print(f"{label[0]:<34} {label[1]:>6} {name:<11} {c:>8.3f} {m:>7.0f} {c / cpu:>9.2f} {m / memory:>8.2f}")


if __name__ == "__main__":
    main()
