# shellcheck shell=bash
# shell_database.sh - tests of the shell with a database: a PostgreSQL for the script, a database for each test.
#
# A script sources this, may define fresh(), which readies what its tests share, and calls run_all.  With SCHEMA=yes each database
# has payhook's schema already.

# shellcheck source=tests/support/tap.sh
source "${BASH_SOURCE[0]%/*}/tap.sh"

# Nobody's PGHOST or PGOPTIONS.
unset "${!PG@}"
PGBIN=${PAYHOOK_TEST_PGBIN:-/usr/lib/postgresql/15/bin}
SERVER=
COUNT=0 # databases
SCHEMA=
tap_folder shell
# The server's user can write here, and not to DIR.
SOCKETS=$DIR/server

clean_up() {
	if [[ -n $SERVER ]]; then
		kill -INT "$SERVER" 2>/dev/null || true
		wait "$SERVER" 2>/dev/null || true
	fi
}

as_postgres() {
	local -a drop=()
	[[ $EUID -ne 0 ]] || drop=(--reuid=postgres --regid=postgres --init-groups)
	exec setpriv "${drop[@]}" --pdeathsig INT -- "$@"
}

start() {
	mkdir -m 755 -- "$SOCKETS"
	[[ $EUID -ne 0 ]] || chown postgres: "$SOCKETS"
	cd "$SOCKETS"
	(as_postgres "$PGBIN/initdb" -D "$SOCKETS/data" -U postgres -A trust --no-sync --no-instructions \
		--encoding=UTF8 --locale=C.UTF-8) >"$DIR/log" 2>&1
	(as_postgres "$PGBIN/postgres" -D "$SOCKETS/data" -k "$SOCKETS" -c listen_addresses= -c fsync=off -c jit=off) >>"$DIR/log" 2>&1 &
	SERVER=$!
	! await 10 "$PGBIN/pg_isready" -q -h "$SOCKETS" || return 0
	echo "Bail out! PostgreSQL does not start"
	sed 's/^/# /' "$DIR/log"
	exit 1
}

value() {
	psql -X -q -At -d "$DB" -c "$1"
}

# session_meets CONDITION: one connection of this database does.
session_meets() {
	[[ $(value "SELECT count(*) FROM pg_stat_activity WHERE $1 AND datname = current_database()") == 1 ]]
}

# await_session CONDITION: until one does.
await_session() {
	await 10 session_meets "$1"
}

# create NAME [TEMPLATE]: a database, which DB names.
create() {
	DB="host=$SOCKETS user=postgres dbname=$1"
	psql -X -q -h "$SOCKETS" -U postgres -d postgres -c "CREATE DATABASE $1${2+ TEMPLATE $2}"
}

# create_payhook NAME: with payhook's schema, from a template: to migrate each takes seconds.
create_payhook() {
	if [[ ! -e $DIR/template ]]; then
		create template_payhook
		"$ROOT/schema/migrate" "$DB" >"$DIR/template"
	fi
	create "$1" template_payhook
	# A template's settings are not copied.
	psql -X -q -d "$DB" -c "ALTER DATABASE $1 SET search_path = payhook, public"
}

# run_all NAME...: functions that end with status 0, each named like the sentence that it proves.
run_all() {
	local name
	start
	for name in "$@"; do
		COUNT=$((COUNT + 1))
		"create${SCHEMA:+_payhook}" "t$COUNT"
		! declare -F fresh >/dev/null || fresh
		check "$name" "$name"
	done
	finish
}
