#!/bin/bash
# test_upgrade_database.sh - ./payhook upgrade-database: what it refuses, what it moves, and what a kill at any moment leaves; prints TAP.
#
# Debian has one version of PostgreSQL in each release.  pg_upgrade also copies a cluster to its own version, so that is how the
# steps are tested here; where a newer server is installed, they are tested with that as well.  tests/deploy/newer.sh moves a
# cluster from 15 to 17.
set -euo pipefail

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$HERE/tests/support/tap.sh"
deadline 340 "$@"
tap_folder upgrade
unset "${!PG@}" DATABASE_URL "${!POSTGRES_@}"
: >"$DIR/env"
export HERE DIR ME=$HERE/payhook PAYHOOK_ENV_FILE=$DIR/env PAYHOOK_VAR=$DIR/var
mkdir -m 755 -- "$PAYHOOK_VAR" "$DIR/versions"
# In memory, if that can be: everything is flushed a dozen times.
mount -t tmpfs -o mode=755 tmpfs "$PAYHOOK_VAR" 2>/dev/null || true

# The commands' functions, as "./payhook upgrade-database" has them.
cat >"$DIR/functions" <<'SCRIPT'
set -euo pipefail
for file in settings conninfo packages database upgrade records up commands; do
	source "$HERE/ops/$file.sh"
done
settings_read
folders_find up
database_find
begin() {
	lock_take
	trap upgrade_end EXIT
	database_sockets_make
}
SCRIPT

# To the same version, and killed before the command that matches KILL_BEFORE.
cat >"$DIR/move" <<'SCRIPT'
source "$DIR/functions"
begin
upgrade_settle
OLD=$(database_version) NEW=${1:-$OLD}
if [[ -n ${KILL_BEFORE-} ]]; then
	set -o functrace
	trap '[[ $BASH_COMMAND != $KILL_BEFORE ]] || kill -KILL $BASHPID $$' DEBUG
fi
upgrade_run
SCRIPT

functions() {
	bash -c 'source "$DIR/functions" && begin && "$@"' bash "$@"
}

payhook() {
	local expected=$1 status=0
	output=$("$HERE/payhook" "${@:2}" 2>&1) || status=$?
	expect "exit status of $2, printing $output" "$status" "$expected"
}

clean_up() {
	functions upgrade_processes_end >/dev/null 2>&1 || true
	umount -l -- "$PAYHOOK_VAR" 2>/dev/null || true
}

# A cluster with two databases of rows, as a server that was killed leaves it.
cluster() {
	rm -rf -- "$PAYHOOK_VAR"/pg*
	cp -a -- "$DIR/cluster" "$PAYHOOK_VAR/pg"
}

cluster_make() {
	# shellcheck disable=SC2016
	bash -c 'source "$DIR/functions"
		begin
		users_make
		database_prepare
		echo "work_mem = 5MB" | database_write local.conf
		OLD=$(database_version) NEW=$OLD
		upgrade_folder_make
		upgrade_start "$OLD" "$STATE/pg"
		upgrade_psql postgres <<<"CREATE DATABASE \"other one\"; CREATE TABLE a AS SELECT n FROM generate_series(1, 1000) n"
		upgrade_psql "other one" <<<"CREATE SCHEMA s; CREATE TABLE s.\"b c\" (id bigserial, t text); INSERT INTO s.\"b c\" (t) VALUES (1), (2)"
		upgrade_processes_end
		rm -rf -- "$STATE/pg.upgrade"'
	cp -a -- "$PAYHOOK_VAR/pg" "$DIR/cluster"
	rows >"$DIR/rows"
}

# rows - prints what the cluster holds; it starts.
rows() {
	# shellcheck disable=SC2016
	bash -c 'source "$DIR/functions"
		begin
		database_programs >&2
		OLD=$(database_version) NEW=$OLD
		database_unlock
		upgrade_folder_make
		upgrade_start "$OLD" "$STATE/pg"
		upgrade_rows
		upgrade_psql postgres <<<"SHOW work_mem; SELECT count(*) FROM pg_stat_activity WHERE backend_type = '\''client backend'\''"
		upgrade_stop "$OLD" "$STATE/pg"
		rm -rf -- "$STATE/pg.upgrade"'
}

moves_to_its_own_version() {
	cluster
	local before
	before=$(<"$DIR/rows")
	[[ $before == *"b c"*"|2"* && $before == *"a|1000"* && $before == *5MB* ]] || { echo "$before" && return 1; }
	bash "$DIR/move" >"$DIR/out" 2>&1
	grep 'the database is of PostgreSQL' "$DIR/out"
	expect "rows" "$(rows)" "$(<"$DIR/rows")"
	equal "$(cd "$PAYHOOK_VAR" && echo pg*)" "pg pg.old-$VERSION"
	equal "$(stat -c '%a %U' -- "$PAYHOOK_VAR/pg")" "$(stat -c '%a %U' -- "$PAYHOOK_VAR/pg.old-$VERSION")"
	bash "$DIR/move" >"$DIR/out" 2>&1 && return 1
	grep "pg.old-$VERSION, which an earlier upgrade has kept, is in the way" "$DIR/out"
}

# killed_before PATTERN RESULT - kills the command there; the next one finds the cluster as it was, or the copy in its place.
killed_before() {
	cluster
	! KILL_BEFORE=$1 bash "$DIR/move" >"$DIR/out" 2>&1 || { echo "it was not killed" && return 1; }
	[[ -d $PAYHOOK_VAR/pg.upgrade ]]
	expect "what the next command prints" "$(functions upgrade_settle)" "${2:+payhook: $2}"
	[[ ! -e $PAYHOOK_VAR/pg.upgrade ]]
	expect "rows" "$(rows)" "$(<"$DIR/rows")"
}

# killed_and_again PATTERN - the command itself, called again, succeeds.
killed_and_again() {
	cluster
	! KILL_BEFORE=$1 bash "$DIR/move" >"$DIR/out" 2>&1 || { echo "it was not killed" && return 1; }
	bash "$DIR/move" >"$DIR/out" 2>&1
	grep 'removing the copy of an upgrade' "$DIR/out"
	expect "rows" "$(rows)" "$(<"$DIR/rows")"
	[[ -d $PAYHOOK_VAR/pg.old-$VERSION ]]
}

# While pg_upgrade runs, with the servers that it starts.
killed_within_pg_upgrade() {
	cluster
	local moving
	# Not the log of the last test.
	rm -f -- "$PAYHOOK_VAR/log/upgrade.log"
	bash "$DIR/move" >"$DIR/out" 2>&1 &
	moving=$!
	await 60 grep -q 'Performing Consistency Checks' "$PAYHOOK_VAR/log/upgrade.log"
	kill -KILL "$moving"
	functions upgrade_settle >"$DIR/out" 2>&1
	[[ ! -e $PAYHOOK_VAR/pg.upgrade ]]
	expect "rows" "$(rows)" "$(<"$DIR/rows")"
}

interrupted() {
	cluster
	local moving status=0
	rm -f -- "$PAYHOOK_VAR/log/upgrade.log"
	bash "$DIR/move" >"$DIR/out" 2>&1 &
	moving=$!
	await 60 grep -q 'Performing Consistency Checks' "$PAYHOOK_VAR/log/upgrade.log"
	kill -TERM "$moving"
	wait "$moving" || status=$?
	[[ $status != 0 && ! -e $PAYHOOK_VAR/pg.upgrade ]]
	expect "rows" "$(rows)" "$(<"$DIR/rows")"
}

# What the copy must be like is found out before the cluster is touched.
other_rows() {
	cluster
	cp -- "$DIR/move" "$DIR/move.rows"
	# shellcheck disable=SC2016
	sed -i 's/^upgrade_run$/upgrade_copied() { :; }; eval "$(declare -f upgrade_copy | sed "s,^upgrade_copy,upgrade_copied,")"\
		upgrade_copy() { upgrade_copied; upgrade_start "$NEW" "$STATE\/pg.upgrade\/new"; upgrade_psql postgres <<<"DELETE FROM a WHERE n = 1"; upgrade_stop "$NEW" "$STATE\/pg.upgrade\/new"; }\
		upgrade_run/' "$DIR/move.rows"
	! bash "$DIR/move.rows" >"$DIR/out" 2>&1 || return 1
	grep 'the copy has other rows' "$DIR/out"
	grep '^> public.a|999' "$DIR/out"
	equal "$(cd "$PAYHOOK_VAR" && echo pg*)" pg
	expect "rows" "$(rows)" "$(<"$DIR/rows")"
}

# What a program of the upgrade prints is shown.
settings_that_no_server_takes() {
	cluster
	# shellcheck disable=SC2016
	bash -c 'source "$DIR/functions" && begin && echo "no_such_setting = 1" | database_write local.conf'
	! bash "$DIR/move" >"$DIR/out" 2>&1 || return 1
	grep 'no_such_setting' "$DIR/out"
	grep 'does not start' "$DIR/out"
	equal "$(cd "$PAYHOOK_VAR" && echo pg*)" pg
}

# stand_in VERSION PRINTED - a folder of programs that print this version.
stand_in() {
	local program
	mkdir -p -- "$DIR/versions/$1/bin"
	for program in postgres pg_ctl initdb pg_upgrade psql vacuumdb; do
		printf '#!/bin/sh\necho "%s (PostgreSQL) %s"\n' "$program" "$2" >"$DIR/versions/$1/bin/$program"
		chmod 755 "$DIR/versions/$1/bin/$program"
	done
}

# chooses EXPECTED ARGS... - the versions, or the message with which the programs are refused.
chooses() {
	# shellcheck disable=SC2016
	output=$(bash -c 'source "$DIR/functions"
		begin
		POSTGRES_FOLDERS=$DIR/versions
		upgrade_versions "${@:1}"
		for version in "$OLD" "$NEW"; do
			upgrade_programs "$version" postgres pg_ctl initdb pg_upgrade
		done
		echo "from $OLD to $NEW"' bash "${@:2}" 2>&1) || true
	[[ $output == *"$1"* ]] || { echo "wanted \"$1\", got: $output" && return 1; }
}

versions_are_checked() {
	cluster
	rm -rf -- "$DIR/versions"
	stand_in "$VERSION" "$VERSION.20 (Debian)"
	chooses "the database is of PostgreSQL $VERSION already"
	stand_in 97 97.3
	stand_in 98 98beta1
	chooses "from $VERSION to 98"
	chooses "from $VERSION to 97" 97
	chooses "cannot go back to 9" 9
	# shellcheck disable=SC2016
	chooses 'takes a major version of PostgreSQL, not: a[$(id)]' 'a[$(id)]'
	chooses "bin/postgres is missing: package postgresql-99" 99
	stand_in 98 9
	chooses 'is not of PostgreSQL 98: it prints "postgres (PostgreSQL) 9"'
	rm "$DIR/versions/98/bin/pg_upgrade"
	chooses "from $VERSION to 97"
	rm -r -- "$DIR/versions/$VERSION"
	chooses "bin/postgres is missing: package postgresql-$VERSION"
}

commands_refuse() {
	cluster
	payhook 0 upgrade-database "$VERSION"
	[[ $output == *"the database is of PostgreSQL $VERSION already"* ]]
	payhook 2 upgrade-database 1 2
	DATABASE_URL=host=nowhere payhook 1 upgrade-database
	[[ $output == *"the database is not payhook's own"* ]]
	PAYHOOK_VAR=$DIR/empty payhook 1 upgrade-database
	[[ $output == *"there is no data in $DIR/empty"* ]]
	# A process that holds the lock.
	mkfifo "$DIR/pipe"
	exec 8<>"$DIR/pipe"
	# shellcheck disable=SC2016
	bash -c 'source "$DIR/functions" && lock_take && echo locked && read -r && run_folder_remove' <"$DIR/pipe" >"$DIR/locked" &
	await 10 grep -q locked "$DIR/locked"
	payhook 1 upgrade-database
	[[ $output == *"it is running; stop it first: ./payhook down"* ]]
	echo >&8
	wait "$!"
}

# What an upgrade keeps or leaves holds transactions, too.
reset_removes_everything() {
	cluster
	mkdir -p -- "$PAYHOOK_VAR/pg.old-14" "$PAYHOOK_VAR/pg.upgrade/work"
	payhook 0 reset --yes
	equal "$(find "$PAYHOOK_VAR" -name 'pg*')" ''
	payhook 0 reset --yes
	[[ $output == *"there is no data in $PAYHOOK_VAR"* ]]
}

# Another version's cluster: "up" runs the programs of that version, and says which package has them.
programs_of_the_cluster() {
	cluster
	rm -rf -- "$DIR/versions"
	stand_in 97 97.3
	# shellcheck disable=SC2016
	prepare='source "$DIR/functions"; begin; POSTGRES_FOLDERS=$DIR/versions; database_programs; echo "$PGBIN"'
	output=$(bash -c "$prepare" 2>&1) && return 1
	[[ $output == *"was made by PostgreSQL $VERSION: install package postgresql-$VERSION, not 97; with both, ./payhook upgrade-database"* ]]
	stand_in "$VERSION" "$VERSION.1"
	output=$(bash -c "$prepare" 2>&1)
	[[ $output == *"the database is of PostgreSQL $VERSION, and 97 is installed: to move to it"*"versions/$VERSION/bin" ]]
}

moves_to_a_newer_version() {
	local newest
	newest=$(functions postgres_newest postgres initdb pg_upgrade)
	if [[ $newest == "$VERSION" ]]; then
		echo "there is no PostgreSQL newer than $VERSION here"
		return
	fi
	cluster
	payhook 0 upgrade-database "$newest"
	expect "rows" "$(rows)" "$(<"$DIR/rows")"
	equal "$(<"$PAYHOOK_VAR/pg/PG_VERSION")" "$newest"
}

VERSION=$(functions postgres_newest postgres initdb pg_upgrade)
UNDONE='removing the copy of an upgrade that did not end; the database is what it was'
need "a cluster is made" cluster_make
check "a cluster is moved with its rows, its databases, its sequences and its settings, and the old one is kept" moves_to_its_own_version
# shellcheck disable=SC2016
{
	check "killed while the old server runs, it leaves the cluster as it was" killed_before 'upgrade_stop "$OLD" *' ''
	check "killed while the copy is made, too" killed_before 'upgrade_as "$PGBIN/pg_upgrade" *' "$UNDONE"
	check "killed within pg_upgrade, too" killed_within_pg_upgrade
	check "killed while the copy runs, too, and called again it succeeds" killed_and_again 'upgrade_stop "$NEW" *'
	check "killed before the first rename, too" killed_before 'mv -T -- "$STATE/pg" *' "$UNDONE"
	check "killed between the renames, it is completed" killed_before 'mv -T -- "$STATE/pg.upgrade/new" *' \
		"the upgrade of the database to PostgreSQL $VERSION is complete now; it had been interrupted"
	check "killed after the renames, it is complete" killed_before 'rm -rf -- "$STATE/pg.upgrade"' ''
}
check "an interrupt ends it at once, and leaves nothing" interrupted
check "a copy with other rows is not taken" other_rows
check "a server that does not start is shown with its reason" settings_that_no_server_takes
check "both versions' programs are checked" versions_are_checked
check "the command refuses what is not its to upgrade, and a payhook that runs" commands_refuse
check "a reset removes the kept cluster as well" reset_removes_everything
check "a cluster runs with the programs of its version, or the package is named" programs_of_the_cluster
check "a newer version that is installed gets the rows" moves_to_a_newer_version
finish
