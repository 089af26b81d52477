#!/bin/bash
# Runs fuzz targets one after the other: run.sh [SECONDS [TARGET…]]; 600 seconds and all targets without arguments.
# The seconds are of processor time, so that a machine that does other things shortens no run.
# Prints a line per target; inputs that were found are in artifacts/TARGET (crash-, oom-, timeout-, slow-unit-).
# Needs a nightly compiler and cargo-fuzz (`cargo install cargo-fuzz --locked`). SKIP_BUILD=1 takes what was built.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-600}
shift || true
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
# Freed memory is given back soon, so that the peak is the decoder's.
export ASAN_OPTIONS=quarantine_size_mb=8:detect_odr_violation=0
# Largest resident size in MB (the sanitizer's own share and the corpus in it), and seconds an input may take.
readonly memory=800 timeout=10 largest=131072 most_findings=10

targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cd targets && ls -- *.rs | sed 's/\.rs$//')
[ -n "${SKIP_BUILD:-}" ] || cargo +nightly fuzz build --fuzz-dir . "${targets[@]:0:$(($# == 1))}"
[ -d corpus ] || ./seed.sh

# Seconds of processor time that the programs called so far have used.
used() {
    awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print int(($14 + $15) / tick) }' "/proc/$$/stat"
}

# The last number behind a word of the log.
number() { sed -n "s/.*$1[: ]*\([0-9]\+\).*/\1/p" "$log" | tail -1 | grep . || echo 0; }

printf '%-15s %7s %11s %8s %9s %8s %8s %9s\n' target seconds executions cov features 'peak MB' 'slowest' findings
for target in "${targets[@]}"; do
    artifacts=artifacts/$target
    mkdir -p "$artifacts" "corpus/$target"
    log=$artifacts/log.txt
    begin=$(used) executions=0 peak=0 slowest=0 findings=0
    while left=$((seconds - ($(used) - begin))) && [ "$left" -gt 0 ] && [ "$findings" -lt "$most_findings" ]; do
        found=0
        "$CARGO_TARGET_DIR/x86_64-unknown-linux-gnu/release/$target" "corpus/$target" -artifact_prefix="$artifacts/" \
            -max_total_time="$left" -rss_limit_mb=$memory -timeout=$timeout -report_slow_units=2 \
            -max_len=$largest -print_final_stats=1 >"$log" 2>&1 || found=1
        findings=$((findings + found))
        executions=$((executions + $(number stat::number_of_executed_units)))
        peak=$(printf '%s\n' "$peak" "$(number stat::peak_rss_mb)" | sort -n | tail -1)
        slowest=$(printf '%s\n' "$slowest" "$(number stat::slowest_unit_time_sec)" | sort -n | tail -1)
    done
    findings=$(find "$artifacts" -type f ! -name log.txt | wc -l)
    printf '%-15s %7d %11d %8s %9s %8s %7ss %9d\n' "$target" $(($(used) - begin)) "$executions" \
        "$(number ' cov')" "$(number ' ft')" "$peak" "$slowest" "$findings"
done
