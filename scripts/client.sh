# shellcheck shell=sh disable=SC2154 # `root` is the sourcing script's
# What the run.sh scripts of sdk/, e2e/ and examples/ have in common. They source it with `root` set to the repository's folder.

# A proxy of this machine must not get between programs that run on it.
export NO_PROXY="127.0.0.1,localhost,${NO_PROXY:-}" no_proxy="127.0.0.1,localhost,${no_proxy:-}"

# What is pinned is what is installed: the lock file is hashed, and a change of it installs anew. In the folder $1; what follows takes
# the place of `ci`.
npm_install() {
  (
    cd "$1" || exit
    shift
    [ $# != 0 ] || set -- ci
    if ! cmp -s package-lock.json node_modules/.installed; then
      npm "$@" --silent --no-audit --no-fund --ignore-scripts
      cp package-lock.json node_modules/.installed
    fi
  )
}

# Exports CHROMIUM: the one that was named, or one that is installed.
need_chromium() {
  CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
  [ -n "$CHROMIUM" ] || { echo "no Chromium: scripts/setup installs it, or set CHROMIUM=/path/to/it" >&2; exit 1; }
  export CHROMIUM
}

# Exports YAOPAI, the server's binary: the one that was named, or it is built.
need_server() {
  if [ -z "${YAOPAI:-}" ]; then
    cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p yaopai
    YAOPAI="${CARGO_TARGET_DIR:-$root/target}/debug/yaopai"
  fi
  [ -x "$YAOPAI" ] || { echo "no server: $YAOPAI is not a program" >&2; exit 1; }
  export YAOPAI
}
