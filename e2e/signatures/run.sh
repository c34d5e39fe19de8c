#!/bin/sh
# Signed requests, verified by another implementation of RFC 9421 in another language, and the reverse. See README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
many=${YAOPAI_SIGNATURES:-5000}

# shellcheck source=scripts/client.sh
. "$root/scripts/client.sh"
npm_install "$here"
cd "$here"

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
