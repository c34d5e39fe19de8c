#!/bin/sh
# End to end: everything here against the real binary. Each fails by itself, and the first failure ends it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
for part in signatures cookie-jar third-party-sdk spring demo-page phone miniprogram back-ends move; do
  echo "--- e2e/$part"
  "$here/$part/run.sh" || { echo "e2e/$part failed" >&2; exit 1; }
done
