#!/bin/sh
# Compiles the example with Taro and walks through it on the phone of e2e/phone, against the shop of examples/miniprogram.
# YAOPAI names the server's binary, CHROMIUM the browser; nginx is needed, too.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# A proxy of this machine must not get between the browser and the phone.
export NO_PROXY="127.0.0.1,localhost,${NO_PROXY:-}" no_proxy="127.0.0.1,localhost,${no_proxy:-}"

CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
[ -n "$CHROMIUM" ] || { echo "no Chromium: scripts/setup installs it, or set CHROMIUM=/path/to/it" >&2; exit 1; }
export CHROMIUM

# What is pinned is what is installed: the lock file is hashed, and a change of it installs anew.
# Here not by `npm ci`: it refuses a lock file without Taro 4.2.1's optional binaries for other systems, which npm doesn't have.
for folder in "$root/sdk" "$root/e2e/phone" "$here"; do
  cd "$folder"
  if ! cmp -s package-lock.json node_modules/.installed; then
    case $folder in "$here") how='install --no-save' ;; *) how=ci ;; esac
    # shellcheck disable=SC2086 # two words
    npm $how --silent --no-audit --no-fund --ignore-scripts
    cp package-lock.json node_modules/.installed
  fi
done

(cd "$root/sdk" && npm run --silent build)
cd "$here"
for patch in yes no; do
  PATCH=$patch npm run --silent build >build.log 2>&1 || { cat build.log; exit 1; }
done
if [ -z "${YAOPAI:-}" ]; then
  cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p yaopai
  YAOPAI="${CARGO_TARGET_DIR:-$root/target}/debug/yaopai"
fi
export YAOPAI
exec node --test tests/
