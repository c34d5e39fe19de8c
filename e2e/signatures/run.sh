#!/bin/sh
# Signed requests, verified by another implementation of RFC 9421 in another language, and the reverse. See README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
many=${YAOPAI_SIGNATURES:-5000}

# What is pinned is what is installed: the lock file is hashed, and a change of it installs anew.
cd "$here"
if ! cmp -s package-lock.json node_modules/.installed; then
  npm ci --silent --no-audit --no-fund --ignore-scripts
  cp package-lock.json node_modules/.installed
fi

cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p yaopai-wire --example signatures
ours="${CARGO_TARGET_DIR:-$root/target}/debug/examples/signatures"
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
"$ours" make "$many" >"$lines"
verified=$(node signatures.mjs check <"$lines")
echo "ours by http-message-signatures: $verified"
node signatures.mjs make "$many" >"$lines"
verified=$("$ours" check <"$lines")
echo "http-message-signatures' by us: $verified"
