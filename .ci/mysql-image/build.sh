#!/usr/bin/env bash
# Builds the image backend-migrations-ci/mysql:9.7 from Debian's own packages, for machines that reach no
# container registry. It keeps the contract of the official `mysql` image (see docker-entrypoint.sh).
#
#   build.sh            builds the image unless it is there
#   build.sh --force    builds it again
#
# Needs root (or user namespaces), mmdebstrap and a Docker engine. The mirror is the one this machine's own apt uses.
set -euo pipefail

image=backend-migrations-ci/mysql:9.7
suite=sid # the only Debian suite that carries MySQL itself
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [[ ${1:-} != --force ]] && docker image inspect "$image" >/dev/null 2>&1; then
  echo "image $image is there already"
  exit 0
fi

# The archive this machine installs its own release from: a source whose release is the machine's codename and that
# has Debian's `main`. One that calls itself Debian goes before one whose lists were never fetched (no origin known).
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
sources=$(apt-get indextargets --format '$(ORIGIN)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)|$(SIGNED_BY)' 'Created-By: Packages')
source=$(awk -F'|' -v codename="$codename" '
  $2 == codename && $3 == "main" && $1 == "Debian" { print; exit }' <<<"$sources")
if [[ -z $source ]]; then
  source=$(awk -F'|' -v codename="$codename" '
    $2 == codename && $3 == "main" && $1 ~ /^(\$\(ORIGIN\))?$/ { print; exit }' <<<"$sources")
fi
if [[ -z $source ]]; then
  echo "error: apt on this machine names no Debian archive (release '$codename', component main)" >&2
  echo "hint: set THROWAWAY_MYSQL_IMAGE to a MySQL image that is on this machine instead" >&2
  exit 1
fi
IFS='|' read -r _ _ _ mirror keyring <<<"$source"
case $keyring in
  /*) ;;
  *) keyring=/usr/share/keyrings/debian-archive-keyring.gpg ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "unpacking MySQL of suite $suite"
# Without Check-Valid-Until an archive that is a frozen snapshot would be refused.
timeout 600 mmdebstrap --quiet --variant=extract \
  --aptopt='Acquire::Check-Valid-Until "false"' \
  --include=mysql-server-core,mysql-client-core,bash,coreutils,sed,base-files,util-linux \
  "$suite" "$work/rootfs.tar" "deb [signed-by=$keyring] $mirror $suite main"

cp "$here/Dockerfile" "$here/docker-entrypoint.sh" "$work/"
echo "building $image"
timeout 300 docker build --quiet --tag "$image" "$work"
