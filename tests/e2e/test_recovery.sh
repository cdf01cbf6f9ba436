#!/bin/bash
# test_recovery.sh - recovery to a point in time with pgBackRest, by the steps of docs/recovery.md; prints TAP.
#
# Webhooks are accepted before, during and after a full backup, and again after the point in time.  Everything that is lost then
# comes back to that point: each webhook accepted before it is there, and none of those after it.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
unset "${!PG@}" DATABASE_URL "${!POSTGRES_@}"
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
deadline 240 "$@"
tap_folder recovery
SEND=$ROOT/tests/deploy/send.py
SENDER=
PORT=$((10000 + $$ % 3000 * 3))
: >"$DIR/env"
export PAYHOOK_ENV_FILE=$DIR/env PAYHOOK_VAR=$DIR/var PAYHOOK_PORT=$PORT WORKER_METRICS_PORT=$((PORT + 2))
export PROCESSOR_DELAY_MS=10 WORKER_GRACE_MS=200

clean_up() {
	[[ -z $SENDER ]] || kill -TERM "$SENDER" 2>/dev/null || true
	"$ROOT/payhook" down >/dev/null 2>&1 || true
}

as_postgres() {
	local -a drop=()
	[[ $EUID -ne 0 ]] || drop=(--reuid=postgres --regid=postgres --init-groups)
	(cd "$DIR/var" && exec env -i PATH="$PATH" setpriv "${drop[@]}" -- "$@")
}

pgbackrest() {
	as_postgres pgbackrest --config="$DIR/pgbackrest.conf" --stanza=payhook "$@"
}

value() {
	"$ROOT/payhook" psql -X -q -At -c "$1"
}

up() {
	"$ROOT/payhook" up -d
}

archiving_is_set_up() {
	up
	local sockets
	sockets=$("$ROOT/payhook" status | sed -n 's/^  sockets *//p')
	"$ROOT/payhook" down
	mkdir -m 700 -- "$DIR/repo" "$DIR/spool"
	[[ $EUID -ne 0 ]] || chown postgres: "$DIR/repo" "$DIR/spool"
	cat >"$DIR/pgbackrest.conf" <<-CONF
		[global]
		repo1-path=$DIR/repo
		repo1-retention-full=2
		start-fast=y
		log-level-file=off
		lock-path=$DIR/spool
		spool-path=$DIR/spool

		[payhook]
		pg1-path=$DIR/var/pg
		pg1-socket-path=$sockets/pg
		pg1-user=postgres
	CONF
	cat >>"$DIR/var/pg/local.conf" <<-CONF
		archive_mode = on
		archive_command = 'pgbackrest --config=$DIR/pgbackrest.conf --stanza=payhook archive-push %p'
		archive_timeout = 60
	CONF
	up
	pgbackrest stanza-create
	pgbackrest check
}

# send PREFIX COUNT - all must be accepted.
send() {
	"$SEND" "$PORT" "$1" "$2" "$DIR/accepted.$1" 4
}

full_backup_under_load() {
	send before 100
	"$SEND" "$PORT" during 0 "$DIR/accepted.during" 2 >"$DIR/load" 2>&1 &
	SENDER=$!
	await 20 test -s "$DIR/accepted.during"
	pgbackrest --type=full backup
	date +%s >"$DIR/backed_up"
	kill -TERM "$SENDER"
	wait "$SENDER"
	pgbackrest info | grep 'full backup'
}

# For pgBackRest a backup ends at a whole second, and serves times of later seconds only.
the_backup_s_second_is_over() {
	[[ $(date +%s) != "$(<"$DIR/backed_up")" ]]
}

# The WAL with the first commit after the point in time has to be in the archive, or PostgreSQL cannot see where to stop.
loss_after_a_point_in_time() {
	send after 100
	await 5 the_backup_s_second_is_over
	value 'SELECT clock_timestamp()' >"$DIR/time"
	send late 50
	pgbackrest check
	"$ROOT/payhook" down
	mv -- "$DIR/var/pg" "$DIR/var/pg.lost"
	mkdir -m 700 -- "$DIR/var/pg"
	[[ $EUID -ne 0 ]] || chown postgres: "$DIR/var/pg"
}

# The workers must not start before they are paused: PostgreSQL alone, on a socket that nobody else can reach.
restored_and_paused() {
	local bin
	bin=/usr/lib/postgresql/$(<"$DIR/var/pg.lost/PG_VERSION")/bin
	pgbackrest --type=time --target="$(<"$DIR/time")" --target-action=promote restore
	as_postgres "$bin/pg_ctl" start -s -w -D "$DIR/var/pg" -l "$DIR/spool/log" -o "-k $DIR/var/pg" || { cat "$DIR/spool/log" && return 1; }
	await 30 paused
	as_postgres "$bin/pg_ctl" stop -s -w -D "$DIR/var/pg"
}

paused() {
	as_postgres psql -X -q -h "$DIR/var/pg" -U postgres -d payhook -c 'select pause()'
}

# ids PREFIX... - the accepted ones.
ids() {
	local prefix
	for prefix in "$@"; do
		cat -- "$DIR/accepted.$prefix"
	done | sort
}

everything_up_to_then_is_there() {
	up
	equal "$(value 'SELECT paused FROM queue_depth')" t
	value 'SELECT transaction_id FROM transactions' | sort >"$DIR/there"
	ids before during after >"$DIR/promised"
	echo "accepted before the point in time: $(wc -l <"$DIR/promised"); restored: $(wc -l <"$DIR/there")"
	equal "$(comm -23 "$DIR/promised" "$DIR/there" | wc -l)" 0
	equal "$(grep -c '^late-' "$DIR/there" || true)" 0
	equal "$(value 'SELECT coalesce(sum(abs(difference)), 0) FROM reconciliation')" 0
}

goes_on() {
	value 'SELECT resume()'
	# As providers do that are asked to send again.
	send late 50
	await 60 all_processed
	equal "$(value 'SELECT coalesce(sum(abs(difference)), 0) FROM reconciliation')" 0
	pgbackrest --type=full backup
	pgbackrest check
}

all_processed() {
	equal "$(value "SELECT count(*) FILTER (WHERE status <> 'PROCESSED') || ' of ' || (count(*) > 300) FROM transactions")" "0 of true"
}

need "the WAL is archived" archiving_is_set_up
need "a full backup is made while webhooks are accepted" full_backup_under_load
need "more are accepted, before and after the point in time; then the cluster is lost" loss_after_a_point_in_time
need "it is restored to the point in time, and paused" restored_and_paused
check "every webhook accepted up to then is there, none after, and the counts add up" everything_up_to_then_is_there
check "it goes on: webhooks that are sent again are accepted, all are processed, and the next backup is made" goes_on
finish
