#!/usr/bin/env bash
# Installs the Debian packages Strife needs. Does nothing, quickly and without network, when they are there.
#
#   tools/bootstrap.sh [group…]     groups of tools/packages.txt; without any: build
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "bootstrap: $*" >&2
  exit 1
}

[ $# -gt 0 ] || set -- build
wanted=()
for group in "$@"; do
  mapfile -t packages < <(awk -v group="$group" '$1 == group { print $2 }' tools/packages.txt)
  [ ${#packages[@]} -gt 0 ] || fail "tools/packages.txt has no group '$group'; use one of those it names."
  wanted+=("${packages[@]}")
done

command -v dpkg-query >/dev/null ||
  fail "this is not a Debian system; install what tools/packages.txt lists by your own means and call cmake directly."

installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package} ' 2>/dev/null) "
missing=()
for package in "${wanted[@]}"; do
  [[ $installed == *" installed $package "* ]] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null ||
    fail "these packages are missing: ${missing[*]}; run this as root, or install them with apt-get."
  as_root=(sudo)
fi

echo "bootstrap: installing ${missing[*]}"
apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null
}
apt_get update || fail "apt-get update failed; check the network and /etc/apt."
apt_get install -y --no-install-recommends "${missing[@]}" ||
  fail "apt-get could not install the packages; Strife needs Debian 12 (bookworm) with its main section."
