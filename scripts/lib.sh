# shellcheck shell=bash
# Shared by the scripts beside it: stages that are named, timed and counted. Sourced, not run.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export PATH="$PWD/.tools/bin:$PATH:/usr/sbin:/sbin"
export CARGO_NET_RETRY="${CARGO_NET_RETRY:-5}"

# The tests talk to servers on this machine; a proxy from the environment must not get in between.
export NO_PROXY="127.0.0.1,localhost,::1${NO_PROXY:+,$NO_PROXY}"
export no_proxy="$NO_PROXY"

# One set of compiler flags for every stage: another would compile everything a second time.
if [ -n "${RUSTFLAGS:-}" ]; then echo "note: RUSTFLAGS='$RUSTFLAGS' is yours; all stages use it" >&2; fi

passed=0
failed=0
skipped=0
report=()
started=$SECONDS
# Only a script that sources this may set them, not somebody's environment.
KEEP_GOING=
MAY_SKIP=

# stage NAME CURE COMMAND...: runs the command; on failure says what to do and closes, or goes on if KEEP_GOING is set.
# Where MAY_SKIP is set (never in scripts/test), exit 77 means "could not be run here" and is counted as such.
stage() {
  local name=$1 cure=$2 begin=$SECONDS status=0
  shift 2
  printf '\n=== %s\n' "$name"
  "$@" </dev/null || status=$?
  local took=$((SECONDS - begin))
  if [ "$status" = 0 ]; then
    passed=$((passed + 1))
    report+=("$(printf '  ok      %5d s  %s' "$took" "$name")")
    printf '=== %s: ok, %d s\n' "$name" "$took"
    return 0
  fi
  if [ "$status" = 77 ] && [ -n "${MAY_SKIP:-}" ]; then
    skipped=$((skipped + 1))
    report+=("$(printf '  SKIPPED %5d s  %s' "$took" "$name")")
    printf '=== %s: SKIPPED, %d s\n    %s\n' "$name" "$took" "$cure" >&2
    return 0
  fi
  failed=$((failed + 1))
  report+=("$(printf '  FAILED  %5d s  %s' "$took" "$name")")
  printf '=== %s: FAILED (exit %d), %d s\n    %s\n' "$name" "$status" "$took" "$cure" >&2
  [ -n "${KEEP_GOING:-}" ] || close
}

# The last word: the table, and a plain line that counts.
close() {
  printf '\n'
  [ ${#report[@]} -eq 0 ] || printf '%s\n' "${report[@]}"
  printf '  total   %5d s\n\nstages: %d passed, %d failed' $((SECONDS - started)) "$passed" "$failed"
  [ "$skipped" = 0 ] || printf ', %d skipped' "$skipped"
  printf '\n'
  [ "$failed" = 0 ] || exit 1
  exit 0
}

# A script that another part of the tree owns. If it is gone, that is a failure and not a stage less.
must_have() {
  [ -x "$1" ] || { echo "$1 is missing or not executable: a stage is not dropped by deleting its script" >&2; return 1; }
  "$@"
}
