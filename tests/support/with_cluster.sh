#!/usr/bin/env bash
# with_cluster.sh COMMAND [ARGS] - runs COMMAND with a PostgreSQL of its own, which is removed afterwards.
#
# The command finds the server's conninfo in PAYHOOK_TEST_CLUSTER, and on the server the database template_payhook,
# freshly migrated, to make its own databases from (fresh_database.h does).  When PAYHOOK_TEST_CLUSTER is set already, that
# server is used: tests/run starts one for a whole suite, a single binary under gdb or meson gets one of its own.
set -euo pipefail

if [[ $# -eq 0 ]]; then
	echo "usage: with_cluster.sh COMMAND [ARGS]" >&2
	exit 2
fi
if [[ -n ${PAYHOOK_TEST_CLUSTER-} ]]; then
	exec "$@"
fi

# PGHOST, PGOPTIONS and the like must not affect the tests.
unset "${!PG@}"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=${PAYHOOK_TEST_PGBIN:-/usr/lib/postgresql/15/bin}
dir=
server=
child=

fail() {
	echo "with_cluster.sh: $*" >&2
	if [[ -n $dir && -s $dir/log ]]; then
		tail -n 20 "$dir/log" >&2
	fi
	exit 1
}

# PostgreSQL refuses to run as root.  If this script is killed, the kernel sends SIGINT to the server, which is a fast
# shutdown.
as_postgres() {
	local -a drop=()
	if [[ $EUID -eq 0 ]]; then
		drop=(--reuid=postgres --regid=postgres --init-groups)
	fi
	cd "$dir"
	exec setpriv "${drop[@]}" --pdeathsig INT -- "$@"
}

end() {
	trap - EXIT INT TERM HUP
	if [[ -n $child ]]; then
		kill -TERM "$child" 2>/dev/null || true
		wait "$child" 2>/dev/null || true
	fi
	if [[ -n $server ]]; then
		kill -INT "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
	fi
	if [[ -n $dir ]]; then
		rm -rf "$dir"
	fi
}

# In /tmp, whatever TMPDIR is: the server's user must be able to enter the directory, and the path of a socket has at
# most 107 bytes.
make_cluster() {
	dir=$(mktemp -d /tmp/payhook-test.XXXXXX)
	chmod 0755 "$dir"
	if [[ $EUID -eq 0 ]]; then
		chown postgres: "$dir"
	fi
	(as_postgres "$bin/initdb" -D "$dir/data" -U postgres -A trust --no-sync --no-instructions \
		--encoding=UTF8 --locale=C.UTF-8) >"$dir/log" 2>&1 || fail "initdb failed"
}

# The tests need no durable disk and no automatic vacuum.  synchronous_commit keeps its default.  jit is off as in
# ops/postgresql.conf.in: a plan without sequential scans may be estimated as expensive enough to be compiled, which
# takes a second.  wal_keep_size lets several tests copy the server at once (pg_server.c).
start_server() {
	(as_postgres "$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c unix_socket_permissions=0700 \
		-c fsync=off -c full_page_writes=off -c autovacuum=off -c jit=off -c max_connections=200 \
		-c shared_buffers=32MB -c wal_keep_size=64MB) \
		>>"$dir/log" 2>&1 &
	server=$!
	export PAYHOOK_TEST_CLUSTER="host=$dir user=postgres"
	local try
	for ((try = 0; try < 300; try++)); do
		if "$bin/pg_isready" -q -d "$PAYHOOK_TEST_CLUSTER dbname=postgres"; then
			return
		fi
		kill -0 "$server" 2>/dev/null || fail "the server ended"
		sleep 0.1
	done
	fail "the server does not answer"
}

make_template() {
	psql -X -q -d "$PAYHOOK_TEST_CLUSTER dbname=postgres" -c 'CREATE DATABASE template_payhook' >>"$dir/log" 2>&1 ||
		fail "CREATE DATABASE failed"
	"$root/schema/migrate" "$PAYHOOK_TEST_CLUSTER dbname=template_payhook" >>"$dir/log" 2>&1 ||
		fail "the migrations failed"
}

trap end EXIT
trap 'end; exit 130' INT
trap 'end; exit 143' TERM HUP

make_cluster
start_server
make_template
# In the background, so that a signal is handled at once.
"$@" <&0 &
child=$!
status=0
wait "$child" || status=$?
child=
exit "$status"
