#!/usr/bin/env bash
# Becomes a command in an unpacked image, as a cluster would start it: as its user, without capabilities and without a way to get
# any, on a root that is read-only but for /data and a /tmp in memory. Network and processes are those of this machine. For root.
#   scripts/images/unpacked.sh start ROOT DATA UID:GID FOLDER NAME=VALUE... COMMAND...
#   scripts/images/unpacked.sh exec PID UID:GID FOLDER NAME=VALUE... COMMAND...     beside one that was started
set -euo pipefail
verb=$1
shift

case $verb in
start)
  root=$1 data=$2
  shift 2
  # shellcheck disable=SC2016 # expanded by the shell in the new namespace
  mounts='
    mount --bind "$1" "$1"
    mount --rbind /dev "$1/dev"
    mount -t proc proc "$1/proc"
    mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$1/tmp"
    mount --bind "$2" "$1/data"
    mount -o remount,bind,ro "$1"
    shift 2
    exec "$@"'
  enter=(unshare --mount bash -euc "$mounts" mounts "$root" "$data" chroot "$root")
  ;;
exec)
  enter=(nsenter --target "$1" --mount --root)
  shift
  ;;
*)
  echo "unpacked: start or exec, not $verb" >&2
  exit 2
  ;;
esac

user=$1 folder=$2
shift 2
exec "${enter[@]}" \
  setpriv --reuid "${user%:*}" --regid "${user#*:}" --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs \
  env --ignore-environment --chdir="$folder" "$@"
