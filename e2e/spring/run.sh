#!/bin/sh
# examples/spring-boot, unmodified, against the real server: both profiles. See README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=scripts/client.sh
. "$root/scripts/client.sh"

for program in mvn java; do
  command -v "$program" >/dev/null || { echo "no $program: scripts/setup installs it" >&2; exit 1; }
done
need_server
mvn --batch-mode --quiet -Dstyle.color=never -Dmaven.wagon.http.retryHandler.count=3 -DskipTests \
  --file "$root/examples/spring-boot/pom.xml" package
ORDERS="$root/examples/spring-boot/target/orders-1.0.0.jar" exec node --test "$here/spring.test.mjs"
