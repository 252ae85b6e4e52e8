#!/usr/bin/env bash
# Puts Debian's Prometheus into a directory and prints that: for the tests. It is unpacked there and not installed, because
# installing it would start a service and bring a web interface along. Quick and without network when it is there.
#
#   tools/prometheus.sh [directory]     without one: build/prometheus
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "prometheus: $*" >&2
  exit 1
}

target=$(realpath -m "${1:-build/prometheus}")
if [ -x "$target/usr/bin/prometheus" ] && [ -x "$target/usr/bin/promtool" ]; then
  echo "$target"
  exit 0
fi
command -v apt-get >/dev/null || fail "this is not a Debian system; put prometheus and promtool into $target/usr/bin."
package=$(awk '$1 == "metrics" { print $2 }' tools/packages.txt)
mkdir -p "$(dirname "$target")"
unpacked=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf "$unpacked"' EXIT

download() {
  (cd "$unpacked" && apt-get -q download "$package") >"$unpacked/log" 2>&1
}
echo "prometheus: downloading Debian's $package" >&2
if ! download; then
  # There may be no lists yet of what there is.
  if [ "$(id -u)" -eq 0 ]; then
    apt-get -q -o DPkg::Lock::Timeout=300 update >/dev/null 2>&1 || true
  elif command -v sudo >/dev/null; then
    sudo apt-get -q -o DPkg::Lock::Timeout=300 update >/dev/null 2>&1 || true
  fi
  download || fail "apt-get could not download it: $(tail -1 "$unpacked/log")"
fi
dpkg-deb -x "$unpacked"/*.deb "$unpacked/root"
rm -rf "$target"
mv "$unpacked/root" "$target"
echo "$target"
