#!/bin/bash
# test_hostile_values.sh - what a database server, its cluster's superuser or a file may say is text for the scripts, and never
# a command; prints TAP.
set -euo pipefail

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$HERE/tests/support/tap.sh"
deadline 300 "$@"
tap_folder hostile
unset "${!PG@}"
export PAYHOOK_VAR=$DIR/var PAYHOOK_ENV_FILE=/dev/null
mkdir "$PAYHOOK_VAR"
# Bash runs the command if it evaluates this text.
EVIL="BASH_VERSINFO[\$(>$DIR/ran)]"
# A terminal gets another title by this text, and is cleared.
CONTROL=$'\e]0;OWNED\a\xc2\x9b2J\e[2J\x7f'
SERVER=

clean_up() {
	[[ -z $SERVER ]] || kill -KILL "$SERVER" 2>/dev/null || true
}

# serve TEXT [WORD=ANSWER...] - a hostile server, in place of the one before.
serve() {
	clean_up
	rm -rf -- "$DIR/server"
	mkdir -- "$DIR/server"
	"$HERE/tests/support/hostile_server.py" "$DIR/server" "$@" &
	SERVER=$!
	trap clean_up EXIT
	await 30 test -S "$DIR/server/.s.PGSQL.5432"
	export DATABASE_URL="host=$DIR/server user=nobody dbname=none"
}

# ran_nothing TEXT - the command of the attacker did not run, and the output has this text.
ran_nothing() {
	[[ ! -e $DIR/ran ]] || { rm -- "$DIR/ran" && echo "the text was run as a command" && return 1; }
	grep -qF -- "$1" "$DIR/out" || { echo "the output lacks: $1" && return 1; }
}

# controls_nothing TEXT - the output has this text and the attacker's, without a byte that controls a terminal.
controls_nothing() {
	equal "$(tr -d '\n\t' <"$DIR/out" | LC_ALL=C grep -acP '[\x00-\x1f\x7f]|\xc2[\x80-\x9f]')" 0
	ran_nothing "$1"
	ran_nothing '?]0;OWNED?'
}

migrates() {
	local status=0
	"$HERE/schema/migrate" >"$DIR/out" 2>&1 || status=$?
	expect status "$status" 1
}

version_of_the_server() {
	serve "$EVIL"
	migrates
	ran_nothing "is not a number"
}

# The name of an applied migration is evaluated as a subscript, too.
applied_migrations() {
	serve "$EVIL" server_version_num=150000 no_schema=f
	migrates
	ran_nothing "is not a number"
	serve "1 x';\$(>$DIR/ran)" server_version_num=150000 no_schema=f
	migrates
	ran_nothing "has changed since it was applied"
}

tries_of_the_caller() {
	serve "$EVIL" server_version_num=150000 no_schema=f "version, sha256="
	PAYHOOK_LOCK_TRIES=$EVIL migrates
	ran_nothing "is not a number"
}

# imports [checked [ARG...]] - "checked": the old table is looked at first.
imports() {
	local status=0
	(
		# shellcheck disable=SC2030
		export CONNINFO=$DATABASE_URL
		# shellcheck source=ops/settings.sh
		source "$HERE/ops/settings.sh"
		# shellcheck source=ops/conninfo.sh
		source "$HERE/ops/conninfo.sh"
		# shellcheck source=ops/import.sh
		source "$HERE/ops/import.sh"
		printf 'x\n' >"$DIR/rows"
		[[ ${1-} == checked ]] || import_check_source() { true; }
		import_read() { cat "$DIR/rows"; }
		import_run "$PAYHOOK_BUILD/ctl/payhook-ctl" "$DIR/refused" "${@:2}"
	) >"$DIR/out" 2>&1 || status=$?
	expect status "$status" 1
}

counts_of_an_import() {
	serve '' pauses=t "'counts'=counts	$EVIL	$EVIL	0	0	0	0	0"
	imports
	ran_nothing "stopped"
	serve '' pauses=t "'counts'=counts	1	0	0	0	0	1	0" "'refused'=refused	x	-	] $EVIL"
	imports
	ran_nothing "check the refused rows"
}

texts_of_a_migration() {
	serve "$CONTROL"
	migrates
	controls_nothing "is not a number"
	serve "1"$'\n'"$CONTROL" server_version_num=150000 no_schema=f
	migrates
	controls_nothing "a version is not a number"
	serve '' server_version_num=150000 no_schema="ERROR $CONTROL"
	migrates
	controls_nothing "ERROR:"
	serve '' server_version_num=150000 no_schema=f "sha256 FROM=" "LOCK TABLE=ERROR $CONTROL"
	migrates
	controls_nothing "nothing of it was kept"
	serve "ERROR $CONTROL"
	expect status "$("$HERE/schema/migrate" >"$DIR/out" 2>&1 || echo $?)" 3
	controls_nothing "no connection to the database"
}

texts_of_an_import() {
	serve "ERROR $CONTROL"
	imports
	controls_nothing "payhook's database does not answer"
	serve "$CONTROL" pauses=t
	imports checked --from "$DATABASE_URL"
	controls_nothing "public.transactions_transaction: "
	serve "ERROR $CONTROL" pauses=t
	imports checked --from "$DATABASE_URL"
	controls_nothing "the old table's database cannot be read"
	imports checked --view
	controls_nothing "the old table's database cannot be read"
	serve "$CONTROL" pauses=t "wanted=numeric||$CONTROL"
	imports checked --from "$DATABASE_URL"
	controls_nothing "public.transactions_transaction: "
	serve '' pauses=t "'counts'=counts	1	0	0	0	0	1	0" "'refused'=refused	x$CONTROL	-	$CONTROL"
	imports
	controls_nothing "check the refused rows"
	grep -q OWNED "$DIR/refused"
	imports unchecked --refused -
	controls_nothing "x?]0;OWNED?"
	serve '' pauses=t "CREATE=ERROR $CONTROL"
	imports
	controls_nothing "ERROR:"
}

texts_of_an_erasure() {
	serve "key $CONTROL"
	"$HERE/payhook" forget --account x --yes >"$DIR/out" 2>&1
	controls_nothing "is for the person: ?]0;OWNED?"
	serve "ERROR $CONTROL"
	expect status "$("$HERE/payhook" forget --account x --yes >"$DIR/out" 2>&1 || echo $?)" 1
	controls_nothing "nothing was erased"
}

# backs_up FUNCTION ARG... - runs a function of ops/backup.sh.
backs_up() {
	local status=0
	(
		# shellcheck disable=SC2030,SC2031
		export CONNINFO=$DATABASE_URL
		# shellcheck source=ops/settings.sh
		source "$HERE/ops/settings.sh"
		# shellcheck source=ops/backup.sh
		source "$HERE/ops/backup.sh"
		"$@"
	) >"$DIR/out" 2>&1 || status=$?
	expect status "$status" "$STATUS"
}

texts_of_a_backup() {
	local STATUS=1
	serve "$CONTROL"
	backs_up backup_run "$DIR/backup"
	controls_nothing "is not a number"
	serve "ERROR $CONTROL" server_version_num=150000
	backs_up backup_run "$DIR/backup"
	controls_nothing "the backup failed"
	backs_up backup_run -
	controls_nothing "the backup failed"
	backs_up restore_run "$DIR/out"
	controls_nothing "nothing was restored"
	serve "1|$CONTROL|2"
	STATUS=0 backs_up restore_report
	controls_nothing "restored 1 transactions"
}

texts_of_a_check() {
	serve "ERROR $CONTROL"
	"$PAYHOOK_BUILD/ctl/payhook-ctl" check >"$DIR/out" 2>&1 || true
	controls_nothing "the server cannot be checked"
}

# record FIELD... - what a record says of a part; status shows it.
shows_record() {
	(
		# shellcheck source=ops/settings.sh
		source "$HERE/ops/settings.sh"
		# shellcheck source=ops/records.sh
		source "$HERE/ops/records.sh"
		# shellcheck source=ops/up.sh
		source "$HERE/ops/up.sh"
		# shellcheck source=ops/commands.sh
		source "$HERE/ops/commands.sh"
		# shellcheck source=ops/status.sh
		source "$HERE/ops/status.sh"
		RUN=$DIR/records
		mkdir -p -- "$RUN"
		printf '%s\n' "$*" >"$RUN/worker.pid"
		status_part worker
		part_stays worker
	) >"$DIR/out" 2>&1 || true
}

record_of_a_part() {
	local -a field
	read -ra field <"/proc/$$/stat"
	shows_record "$$" "${field[21]}" "$EVIL" "$EVIL"
	ran_nothing "down"
	shows_record "../$$" "${field[21]}" 0 0
	ran_nothing "down"
	shows_record "$$" "${field[21]}" 0 0
	ran_nothing "up"
}

# shows_status FUNCTION... - a function of "status".
shows_status() {
	(
		# shellcheck disable=SC2030,SC2031
		export CONNINFO=$DATABASE_URL
		# shellcheck source=ops/settings.sh
		source "$HERE/ops/settings.sh"
		# shellcheck source=ops/status.sh
		source "$HERE/ops/status.sh"
		# shellcheck disable=SC2031
		STATE=$DIR/none BUILD=$PAYHOOK_BUILD
		readyz() { printf '{"open_sources":["a"],"open_source_from":"%s"}\n' "$CONTROL"; }
		"$@"
	) >"$DIR/out" 2>&1
}

# What the database knows goes through payhook-ctl, which shows an error of the server too.
texts_of_status() {
	serve "ERROR $CONTROL"
	shows_status open_sources http://localhost
	controls_nothing "webhooks to a"
	shows_status is_down
	controls_nothing "the database cannot be asked"
}

silence_for_status() {
	local began
	serve SILENCE
	began=$SECONDS
	shows_status is_down
	ran_nothing "the database cannot be asked"
	((SECONDS - began < 20))
	# It takes the connection, and does not answer what is asked.
	serve '' =SILENCE
	began=$SECONDS
	shows_status is_down
	((SECONDS - began < 20))
}

# is_down - "status" ends with that status.
is_down() {
	local status=0
	database_status || status=$?
	equal "$status" 3
}

# A library that is loaded when PostgreSQL is asked for a setting, as its superuser may arrange, prints anything.
setting_of_postgres() {
	mkdir -m 755 -- "$DIR/state"
	printf '#include <stdio.h>\n#include <stdlib.h>\nvoid _PG_init(void);\nvoid _PG_init(void)\n{\n\tputs(getenv("PRINTED"));\n\texit(0);\n}\n' >"$DIR/state/print.c"
	printf 'const void *Pg_magic_func(void);\nconst void *Pg_magic_func(void)\n{\n\tvoid _PG_init(void);\n\t_PG_init();\n\treturn 0;\n}\n' >>"$DIR/state/print.c"
	cc -shared -fPIC -o "$DIR/state/print.so" "$DIR/state/print.c"
	(
		# shellcheck source=ops/settings.sh
		source "$HERE/ops/settings.sh"
		# shellcheck source=ops/database.sh
		source "$HERE/ops/database.sh"
		export PRINTED=$EVIL
		STATE=$DIR/state APP_USER='' AS_DB=(env) INFO_LOG=$DIR/out
		if [[ $EUID -eq 0 ]]; then
			APP_USER=payhook AS_DB=(setpriv --reuid=postgres --regid=postgres --init-groups --)
		fi
		database_create
		: >"$STATE/pg/payhook.conf"
		printf "shared_preload_libraries = '%s'\n" "$DIR/state/print.so" >>"$STATE/pg/postgresql.auto.conf"
		equal "$("${AS_DB[@]}" "$PGBIN/postgres" -D "$STATE/pg" -C shared_memory_size_in_huge_pages)" "$EVIL"
		database_allow_huge_pages
	)
	ran_nothing creating
}

check "the version that a server reports is never run" version_of_the_server
check "neither are the migrations that it says are applied" applied_migrations
check "nor the number of tries in the caller's environment" tries_of_the_caller
check "nor the counts and reasons of an import" counts_of_an_import
check "nor the record of a part" record_of_a_part
check "what a server says to a migration controls no terminal" texts_of_a_migration
check "nor does what it says to an import" texts_of_an_import
check "nor to an erasure" texts_of_an_erasure
check "nor to a backup or a restore" texts_of_a_backup
check "nor to a check of its settings" texts_of_a_check
check "nor what it and a responder say to status" texts_of_status
check "status does not wait for a server that says nothing" silence_for_status
if [[ -w /proc/sys/vm/nr_overcommit_hugepages ]]; then
	check "nor what the cluster's superuser makes PostgreSQL say of its settings" setting_of_postgres
fi
finish
