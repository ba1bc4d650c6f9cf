#!/usr/bin/env bash
# Installs Asterisk 16 (Debian bullseye: chan_sip, app_macro, PJSIP) and Asterisk 22 (Debian sid:
# PJSIP only) into two folders, so that the lab can run both without touching this machine's /etc.
#
#   setup.sh FOLDER [16|22 ...]       FOLDER/16 and FOLDER/22 afterwards hold a whole small system
#
# Needs root and a Debian machine.  The mirror is the one that this machine's apt uses; DEBIAN_MIRROR
# overrides it.  A finished folder is left alone; one that an interrupted run left behind is redone.
set -euo pipefail

folder=${1:?usage: setup.sh FOLDER [16|22 ...]}
shift
versions=("$@")
[ ${#versions[@]} -gt 0 ] || versions=(16 22)

suite_of() {
  case $1 in
    16) echo bullseye ;;
    22) echo sid ;;
    *) echo "setup: there is no Asterisk $1 here, only 16 and 22" >&2; exit 2 ;;
  esac
}

# The archive that apt uses on this machine: the first one labelled Debian (security is labelled otherwise).
# shellcheck disable=SC2016  # apt expands $(REPO_URI) itself
mirror_of_this_machine() {
  apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 'Label: Debian' | head -n 1
}

# Runs a command inside the folder with a clean environment and without starting services.
inside() {
  local root=$1
  shift
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    chroot "$root" "$@"
}

install_asterisk() {
  local version=$1 suite root started=$SECONDS
  suite=$(suite_of "$version")
  root=$folder/$version
  if [ -e "$root/.complete" ]; then
    echo "setup: Asterisk $version is there: $(cat "$root/.complete")"
    return
  fi
  rm -rf --one-file-system "$root"
  mkdir -p "$root"
  debootstrap --variant=minbase --keyring="$keyring" "$suite" "$root" "$mirror"
  printf 'deb [signed-by=%s] %s %s main\n' "/usr/share/keyrings/debian-archive-keyring.gpg" \
    "$mirror" "$suite" >"$root/etc/apt/sources.list"
  # sid's index may be older than its own "valid until"; fsync is a waste for a folder that can be redone.
  printf '%s\n' 'Acquire::Check-Valid-Until "false";' 'APT::Install-Recommends "false";' \
    'Acquire::Languages "none";' >"$root/etc/apt/apt.conf.d/99lab"
  echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/lab"
  printf '%s\n' 'path-exclude=/usr/share/doc/*' 'path-exclude=/usr/share/man/*' \
    'path-exclude=/usr/share/locale/*' >>"$root/etc/dpkg/dpkg.cfg.d/lab"
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  [ -e "$root/usr/share/keyrings/debian-archive-keyring.gpg" ] ||
    { mkdir -p "$root/usr/share/keyrings" && cp "$keyring" "$root/usr/share/keyrings/debian-archive-keyring.gpg"; }
  inside "$root" apt-get -q update
  inside "$root" apt-get -q -y install asterisk
  inside "$root" apt-get -q clean
  # shellcheck disable=SC2016  # dpkg expands ${Version} itself
  inside "$root" dpkg-query -W -f '${Version}' asterisk >"$root/.complete.new"
  mv "$root/.complete.new" "$root/.complete"
  echo "setup: Asterisk $version installed in $((SECONDS - started)) s: $(cat "$root/.complete")"
}

missing=()
for version in "${versions[@]}"; do
  suite_of "$version" >/dev/null
  [ -e "$folder/$version/.complete" ] || missing+=("$version")
done
if [ ${#missing[@]} -eq 0 ]; then
  for version in "${versions[@]}"; do install_asterisk "$version"; done
  exit 0
fi

[ "$(id -u)" = 0 ] || { echo "setup: debootstrap and chroot need root" >&2; exit 2; }
packages=()
command -v debootstrap >/dev/null || packages+=(debootstrap)
command -v openssl >/dev/null || packages+=(openssl)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || packages+=(debian-archive-keyring)
if [ ${#packages[@]} -gt 0 ]; then
  apt-get -q update
  DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "${packages[@]}"
fi
mirror=${DEBIAN_MIRROR:-$(mirror_of_this_machine)}
if [ -z "$mirror" ]; then # a fresh image has no lists yet
  apt-get -q update
  mirror=$(mirror_of_this_machine)
fi
[ -n "$mirror" ] || {
  echo "setup: this machine's apt knows no Debian archive; set DEBIAN_MIRROR=http://HOST/debian" >&2
  exit 2
}

# Both at once: one unpacks while the other downloads.
mkdir -p "$folder"
declare -A job
set -m # each in a process group of its own, so that it can be stopped whole
for version in "${missing[@]}"; do
  install_asterisk "$version" >"$folder/setup-$version.log" 2>&1 &
  job[$version]=$!
done
trap 'for group in "${job[@]}"; do kill -- "-$group" 2>/dev/null; done; exit 130' INT TERM
failed=0
for version in "${missing[@]}"; do
  if wait "${job[$version]}"; then
    tail -n 1 "$folder/setup-$version.log"
  else
    failed=1
    echo "setup: Asterisk $version failed; the end of $folder/setup-$version.log:" >&2
    tail -n 15 "$folder/setup-$version.log" >&2
  fi
done
exit "$failed"
