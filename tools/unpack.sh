#!/usr/bin/env bash
# Puts Debian packages into a directory and prints that. They are unpacked there and not installed, because installing them
# would start services. Quick and without network when they are there.
#
#   tools/unpack.sh GROUP DIRECTORY FILE…     group of tools/packages.txt; FILEs are programs that are there when all is
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "unpack: $*" >&2
  exit 1
}

[ $# -ge 3 ] || fail "usage: tools/unpack.sh GROUP DIRECTORY FILE…"
group=$1 target=$(realpath -m "$2")
shift 2

complete() {
  local file
  for file in "$@"; do
    [ -x "$target/$file" ] || return 1
  done
}

if complete "$@"; then
  echo "$target"
  exit 0
fi
command -v apt-get >/dev/null || fail "this is not a Debian system; put $* into $target."
mapfile -t packages < <(awk -v group="$group" '$1 == group { print $2 }' tools/packages.txt)
[ ${#packages[@]} -gt 0 ] || fail "tools/packages.txt has no group '$group'."
mkdir -p "$(dirname "$target")"
unpacked=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf "$unpacked"' EXIT

download() {
  (cd "$unpacked" && apt-get -q download "${packages[@]}") >"$unpacked/log" 2>&1
}
echo "unpack: downloading Debian's ${packages[*]}" >&2
if ! download; then
  # There may be no lists yet of what there is.
  if [ "$(id -u)" -eq 0 ]; then
    apt-get -q -o DPkg::Lock::Timeout=300 update >/dev/null 2>&1 || true
  elif command -v sudo >/dev/null; then
    sudo apt-get -q -o DPkg::Lock::Timeout=300 update >/dev/null 2>&1 || true
  fi
  download || fail "apt-get could not download it: $(tail -1 "$unpacked/log")"
fi
for package in "$unpacked"/*.deb; do
  dpkg-deb -x "$package" "$unpacked/root"
done
rm -rf "$target"
mv "$unpacked/root" "$target"
chmod 755 "$target"
complete "$@" || fail "the packages do not hold $*"
echo "$target"
