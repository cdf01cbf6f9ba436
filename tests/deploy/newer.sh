#!/bin/bash
# newer.sh - payhook with PostgreSQL 17, the server of the next Debian: a private cluster of 15 is moved to it, the programs of this
# machine run with it, and backups are made and restored.  Prints TAP.
#
# The servers run in a container with both versions, as an upgrade of Debian leaves them.  PostgreSQL 16 is in no Debian.
set -uo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
# shellcheck source=tests/deploy/trees.sh
source "$ROOT/tests/deploy/trees.sh"
# shellcheck source=tests/deploy/box.sh
source "$ROOT/tests/deploy/box.sh"
deadline 400 "$@"

BOX=$(mktemp -d /tmp/payhook-newer.XXXXXX)
chmod 755 "$BOX"
DIR=$BOX
CACHE=$ROOT/var/deploy
PORT=$((20000 + $$ % 10000))
SOCKETS=$BOX/tree/srv/sockets
unset "${!PG@}" "${!POSTGRES_@}"
: >"$BOX/env"
export PAYHOOK_BUILD=${PAYHOOK_BUILD:-$ROOT/build} PAYHOOK_ENV_FILE=$BOX/env PAYHOOK_VAR=$BOX/var PAYHOOK_PORT=$PORT
export WORKER_METRICS_PORT=0 PROCESSOR_DELAY_MS=0 DATABASE_URL="host=$SOCKETS user=payhook dbname=payhook"

clean_up() {
	trap '' TERM INT HUP
	"$ROOT/payhook" down >/dev/null 2>&1
	box_stop
	rm -rf --one-file-system -- "$BOX"
}
trap clean_up EXIT

make_box() {
	tree_newer || return
	mkdir "$BOX/tree" && tar -C "$BOX/tree" --numeric-owner -xpf "$CACHE/newer.tar" || return
	mkdir -m 755 "$SOCKETS" && printf 'local all all trust\n' >"$BOX/tree/srv/hba.conf"
}

# Must not run inside a check: the shell that starts the box must be the one that waits for it.
box_start() {
	systemd-nspawn -q -D "$BOX/tree" -M payhook-newer --register=no --keep-unit --private-network --as-pid2 \
		--bind-ro="$ROOT:/payhook" --console=pipe tail -f /dev/null </dev/null >"$BOX/console" 2>&1 &
	NSPAWN=$!
	await 20 box_find >/dev/null
	box_find
}

as_postgres() {
	box setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
}

# commands URL ARGS... - ./payhook inside the box; without a URL with the private cluster.
commands() {
	box env PAYHOOK_VAR=/srv/var PAYHOOK_ENV_FILE=/dev/null ${1:+"DATABASE_URL=$1"} /payhook/payhook "${@:2}"
}

# server_start VERSION FOLDER [SOCKETS] - a cluster, which everybody of this machine may use.
server_start() {
	box chown postgres "${3-/srv/sockets}"
	as_postgres "/usr/lib/postgresql/$1/bin/pg_ctl" start -s -w -D "$2" -l "${3-/srv/sockets}/log" \
		-o "-k ${3-/srv/sockets} -c hba_file=/srv/hba.conf" || { cat "$BOX/tree${3-/srv/sockets}/log" && return 1; }
}

server_stop() {
	as_postgres "/usr/lib/postgresql/$1/bin/pg_ctl" stop -s -w -m fast -D "$2"
}

value() {
	psql -X -q -At -d "$DATABASE_URL" -c "$1"
}

# As "./payhook up" makes it, where only 15 is installed.
cluster_of_15() {
	# shellcheck disable=SC2016
	box env PAYHOOK_VAR=/srv/var PAYHOOK_ENV_FILE=/dev/null HERE=/payhook bash -euo pipefail -c '
		for file in settings conninfo packages database upgrade records up; do
			source "$HERE/ops/$file.sh"
		done
		settings_read
		folders_find up
		database_find
		users_make
		lock_take
		mkdir /tmp/only
		ln -s /usr/lib/postgresql/15 /tmp/only/15
		POSTGRES_FOLDERS=/tmp/only
		database_prepare
		run_folder_remove' || return
	equal "$(<"$BOX/tree/srv/var/pg/PG_VERSION")" 15 || return
	server_start 15 /srv/var/pg || return
	psql -X -q -h "$SOCKETS" -U postgres -d postgres -c 'CREATE ROLE payhook LOGIN' -c 'CREATE DATABASE payhook OWNER payhook'
}

uses() {
	"$ROOT/payhook" up -d || return
	"$ROOT/tests/deploy/send.py" "$PORT" "$1" 300 "$BOX/accepted" 4 || return
	await 60 all_processed || return
	equal "$(value 'SELECT sum(abs(difference)) FROM payhook.reconciliation')" 0
}

all_processed() {
	equal "$(value "SELECT count(*) FROM payhook.transactions WHERE status <> 'PROCESSED'")" 0
}

stopped() {
	"$ROOT/payhook" down && server_stop 15 /srv/var/pg
}

# A kill in the midst of it costs nothing.
upgrade_killed() {
	# shellcheck disable=SC2016
	box env PAYHOOK_VAR=/srv/var PAYHOOK_ENV_FILE=/dev/null \
		bash -c 'echo $$ >/srv/pid && exec /payhook/payhook upgrade-database' >"$BOX/out" 2>&1 &
	await 60 grep -q 'Performing Upgrade' "$BOX/tree/srv/var/log/upgrade.log" || { cat "$BOX/out" && return 1; }
	# shellcheck disable=SC2016
	box bash -c 'kill -KILL "$(</srv/pid)"' || return
	[[ -d $BOX/tree/srv/var/pg.upgrade/new && $(<"$BOX/tree/srv/var/pg/PG_VERSION") == 15 ]]
}

upgraded() {
	commands '' upgrade-database >"$BOX/out" 2>&1 || { cat "$BOX/out" && return 1; }
	cat "$BOX/out"
	grep 'removing the copy of an upgrade that did not end' "$BOX/out" || return
	equal "$(<"$BOX/tree/srv/var/pg/PG_VERSION")" 17 || return
	equal "$(cd "$BOX/tree/srv/var" && echo pg*)" 'pg pg.old-15' || return
	commands '' upgrade-database | grep 'the database is of PostgreSQL 17 already'
}

uses_17() {
	server_start 17 /srv/var/pg || return
	[[ $(value 'SHOW server_version_num') == 17* ]] || return
	uses new || return
	equal "$(value 'SELECT count(*) FROM payhook.transactions')" 600 || return
	# What was accepted before is known: the same webhooks change nothing.
	"$ROOT/tests/deploy/send.py" "$PORT" old 300 "$BOX/accepted" 4 || return
	equal "$(value 'SELECT count(*) FROM payhook.transactions')" 600
}

# With Debian 12's programs on this machine.
backup_names_the_package() {
	if [[ -x /usr/lib/postgresql/17/bin/pg_dump ]]; then
		echo "this machine has pg_dump 17" && return
	fi
	! "$ROOT/payhook" backup "$BOX/backup" >"$BOX/out" 2>&1 || return 1
	grep 'the server is PostgreSQL 17, .* install package postgresql-client-17' "$BOX/out"
}

# restored SOCKETS - the backup in this server, in a database of its own.
restored() {
	box psql -X -q -h "$1" -U postgres -d postgres -c 'CREATE DATABASE restored' || return
	commands "host=$1 user=postgres dbname=restored" restore /srv/backup || return
	equal "$(box psql -X -q -At -h "$1" -U postgres -d restored -c "SELECT count(*) FROM payhook.transactions WHERE status = 'PROCESSED'")" 600
}

backup_and_restore() {
	commands 'host=/srv/sockets user=payhook dbname=payhook' backup /srv/backup || return
	restored /srv/sockets || return
	# Into the old server, which does not know all settings of 17.
	box mkdir /srv/old && server_start 15 /srv/var/pg.old-15 /srv/old || return
	restored /srv/old
	local status=$?
	server_stop 15 /srv/var/pg.old-15
	return "$status"
}

if ! box_possible >"$BOX/reason"; then
	echo "1..0 # SKIP $(<"$BOX/reason")"
	exit 0
fi
need "there is a machine with PostgreSQL 15 and 17" make_box
box_start
need "it has a private cluster of 15" cluster_of_15
need "payhook accepts and processes webhooks with it" uses old
need "payhook is stopped" stopped
check "an upgrade to 17 that is killed leaves the cluster as it was" upgrade_killed
need "the next one completes it, and keeps the old cluster" upgraded
check "payhook works with 17, and knows what it accepted with 15" uses_17
check "a backup with older programs names the package" backup_names_the_package
check "17's programs back it up, and restore it into 17 and into 15" backup_and_restore
finish
