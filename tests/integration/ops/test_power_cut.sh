#!/bin/bash
# test_power_cut.sh - a power cut right after the private cluster was created: on disk it is either whole or not there;
# prints TAP.
#
# The cluster is created on a file system inside a file.  A copy of that file is what a power cut would leave: it has what
# the file system has written, and nothing of what is only in its cache.
set -euo pipefail

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$HERE/tests/support/tap.sh"
deadline 120 "$@"
tap_folder power-cut
# shellcheck source=ops/database.sh
source "$HERE/ops/database.sh"

if [[ $EUID -ne 0 ]] || ! command -v mkfs.ext4 >/dev/null; then
	echo '1..0 # SKIP not root, or no e2fsprogs'
	exit 0
fi

clean_up() {
	umount -l "$DIR/after" "$STATE" 2>/dev/null || true
}

info() {
	printf '%s\n' "$*"
}

fail() {
	printf '%s\n' "$2"
	exit "$1"
}

STATE=$DIR/before APP_USER=payhook AS_DB=(setpriv --reuid=postgres --regid=postgres --init-groups --)
mkdir "$STATE" "$DIR/after"

# The journal of the file system is written for every fsync, so the rename is on disk even if the data is not.
cluster_is_whole() {
	truncate -s 400M "$DIR/image"
	mkfs.ext4 -q "$DIR/image"
	mount -o loop "$DIR/image" "$STATE"
	chmod 755 "$STATE"
	database_create
	: >"$STATE/other"
	sync "$STATE/other"
	cp --sparse=always "$DIR/image" "$DIR/copy"
	mount -o loop "$DIR/copy" "$DIR/after"
	[[ -e $DIR/after/pg ]] || fail 1 "the rename is not on disk"
	diff -r "$STATE/pg" "$DIR/after/pg"
}

check 'after a power cut the new cluster is whole' cluster_is_whole
finish
