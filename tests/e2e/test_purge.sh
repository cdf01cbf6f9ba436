#!/bin/bash
# test_purge.sh - purge names and removes what a checkout has left on the machine, and nothing else; prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
tap_folder purge
PORT=$((10000 + $$ % 3000 * 3))
: >"$DIR/env"
export PAYHOOK_ENV_FILE=$DIR/env PAYHOOK_VAR=$DIR/state PAYHOOK_PORT=$PORT WORKER_METRICS_PORT=$((PORT + 2))

clean_up() {
	"$ROOT/payhook" down >/dev/null 2>&1 || true
}

# alone COMMAND... - as root in a machine of its own, as far as purge sees it: with a copy of the users, and without the processes
# and the folders of other payhooks.
alone() {
	if [[ $EUID -ne 0 ]]; then
		"$@"
		return
	fi
	rm -rf -- "${DIR:?}/etc"
	cp -a /etc "$DIR/etc"
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --mount-proc bash -ec '
		mount --bind "$1/etc" /etc
		mount -t tmpfs -o mode=755 tmpfs /run
		[[ ! -d /var/lib/payhook ]] || mount -t tmpfs tmpfs /var/lib/payhook
		[[ -z $2 ]] || mkdir -p "$2"
		exec "${@:3}"' bash "$DIR" "${OTHER-}" "$@"
}

# answers STATUS TEXT COMMAND... - writes the output to $DIR/out.
answers() {
	local status=0
	"${@:3}" >"$DIR/out" 2>&1 </dev/null || status=$?
	expect status "$status" "$1"
	grep -qF -- "$2" "$DIR/out"
}

has_users() {
	grep -E '^payhook(-worker|-console|-db)?:' "$DIR/etc/passwd" "$DIR/etc/group"
}

refuses_while_running() {
	"$ROOT/payhook" up -d
	answers 1 'it is running; stop it first' "$ROOT/payhook" purge --yes
	answers 0 'ready' "$ROOT/payhook" status
	answers 0 'payhook_' "$ROOT/payhook" key --save reader read
	# No other user can open it, and so lock it.
	equal "$(stat -c %a "$DIR/state/keys.lock")" 600
	"$ROOT/payhook" down
}

asks_first() {
	answers 1 'nothing was removed' alone "$ROOT/payhook" purge
	grep -qF "  ALL TRANSACTIONS, in $DIR/state/pg (" "$DIR/out"
	grep -qxF "  $DIR/state/log" "$DIR/out"
	[[ $EUID -ne 0 ]] || grep -qF "  the system users payhook payhook-worker payhook-console, and the group payhook-db" "$DIR/out"
	answers 2 'purge takes --yes or nothing' "$ROOT/payhook" purge --no
	[[ -s $DIR/state/pg/PG_VERSION ]]
}

leaves_users_of_others() {
	[[ $EUID -eq 0 ]] || return 0
	OTHER=/run/payhook-up/other answers 1 'The users payhook payhook-worker payhook-console stay: another payhook has /run/payhook-up/other.' \
		alone "$ROOT/payhook" purge
}

removes_all_of_it() {
	: >"$DIR/state/mine"
	mkdir "$DIR/state/pg.old-14" "$DIR/state/pg.upgrade"
	answers 0 'payhook: removed' alone "$ROOT/payhook" purge --yes
	grep -qF "  ALL TRANSACTIONS, in $DIR/state/pg (" "$DIR/out"
	equal "$(ls -A "$DIR/state")" mine
	rm "$DIR/state/mine"
	if [[ $EUID -eq 0 ]] && has_users; then
		return 1
	fi
	[[ -x $PAYHOOK_BUILD/app/payhook-app ]]
}

removes_the_build() {
	mkdir "$DIR/checkout"
	tar -C "$ROOT" -c --exclude="./build*" --exclude=./var --exclude=./.git --exclude=./.env . | tar -C "$DIR/checkout" -x
	meson setup -Dtests=false -Dbench=false -- "$DIR/checkout/build" "$DIR/checkout" >/dev/null
	answers 0 "  $DIR/checkout/build" alone env -u PAYHOOK_BUILD -u PAYHOOK_VAR "$DIR/checkout/payhook" purge --yes
	[[ ! -e $DIR/checkout/build && -x $DIR/checkout/payhook ]]
}

finds_nothing() {
	rmdir "$DIR/state" 2>/dev/null || true
	if [[ $EUID -eq 0 ]]; then
		OTHER=/run/payhook-up/other answers 0 'there is nothing to remove' alone "$ROOT/payhook" purge
	else
		answers 0 'there is nothing to remove' "$ROOT/payhook" purge
	fi
}

check "it refuses while payhook is running" refuses_while_running
check "it names the data and all else, and removes nothing without a yes" asks_first
check "users that another payhook has stay" leaves_users_of_others
check "with --yes it removes data, logs and users, and nothing that it does not know" removes_all_of_it
check "it removes the build of the checkout" removes_the_build
check "where nothing is left, it has nothing to do" finds_nothing
finish
