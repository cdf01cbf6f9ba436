# shellcheck shell=bash
# Tests of the shell: a PostgreSQL for the file, a database for each test, TAP on standard output.
#
# Who sources it defines fresh(), which readies what its tests share, and calls run_all.

# Nobody's PGHOST or PGOPTIONS.
unset "${!PG@}"
PGBIN=${PAYHOOK_TEST_PGBIN:-/usr/lib/postgresql/15/bin}
DIR=$(mktemp -d /tmp/payhook-shell.XXXXXX)
SERVER=
COUNT=0
FAILED=0

stop() {
	if [[ -n $SERVER ]]; then
		kill -INT "$SERVER" 2>/dev/null || true
		wait "$SERVER" 2>/dev/null || true
	fi
	rm -rf -- "$DIR"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

as_postgres() {
	local -a drop=()
	[[ $EUID -ne 0 ]] || drop=(--reuid=postgres --regid=postgres --init-groups)
	exec setpriv "${drop[@]}" --pdeathsig INT -- "$@"
}

start() {
	chmod 755 "$DIR"
	[[ $EUID -ne 0 ]] || chown postgres: "$DIR"
	cd "$DIR"
	(as_postgres "$PGBIN/initdb" -D "$DIR/data" -U postgres -A trust --no-sync --no-instructions \
		--encoding=UTF8 --locale=C.UTF-8) >"$DIR/log" 2>&1
	(as_postgres "$PGBIN/postgres" -D "$DIR/data" -k "$DIR" -c listen_addresses= -c fsync=off) >>"$DIR/log" 2>&1 &
	SERVER=$!
	local try
	for ((try = 0; try < 200; try++)); do
		! "$PGBIN/pg_isready" -q -h "$DIR" || return 0
		sleep 0.05
	done
	echo "Bail out! PostgreSQL does not start"
	sed 's/^/# /' "$DIR/log"
	exit 1
}

value() {
	psql -X -q -At -d "$DB" -c "$1"
}

# await CONDITION: on one connection of this database.
await() {
	until [[ $(value "SELECT count(*) FROM pg_stat_activity WHERE $1 AND datname = current_database()") == 1 ]]; do
		sleep 0.02
	done
}

# expect WHAT GOT WANTED
expect() {
	if [[ $2 != "$3" ]]; then
		printf '# %s: got "%s", wanted "%s"\n' "$1" "$2" "$3"
		return 1
	fi
}

# run NAME: a function that ends with status 0, and is named like the sentence that it proves.
run() {
	local status
	COUNT=$((COUNT + 1))
	DB="host=$DIR user=postgres dbname=t$COUNT"
	psql -X -q -h "$DIR" -U postgres -d postgres -c "CREATE DATABASE t$COUNT"
	fresh
	# Not "( ... ) || status=$?": on the left of an "||" nothing that fails inside would end it.
	set +e
	(
		set -e
		"$1"
	) >"$DIR/out" 2>&1
	status=$?
	set -e
	if [[ $status -eq 0 ]]; then
		echo "ok $COUNT - $1"
	else
		FAILED=$((FAILED + 1))
		echo "not ok $COUNT - $1"
		sed 's/^/# /' "$DIR/out"
	fi
}

# run_all NAME...
run_all() {
	local name
	start
	echo "1..$#"
	for name in "$@"; do
		run "$name"
	done
	exit "$((FAILED > 0))"
}
