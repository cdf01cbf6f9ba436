#!/bin/bash
# test_conninfo.sh - the connection string of psql and pg_dump contains no password, in none of the forms that libpq accepts;
# prints TAP.
set -euo pipefail

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$HERE/tests/support/tap.sh"
deadline 60 "$@"
tap_folder conninfo
# shellcheck source=ops/conninfo.sh
source "$HERE/ops/conninfo.sh"
unset "${!PG@}" DATABASE_URL

clean_up() {
	[[ -z ${LISTENER-} ]] || kill "$LISTENER" 2>/dev/null || true
}

# hides TEXT CONNINFO PASSWORD [SSLPASSWORD]
hides() (
	unset "${!PG@}"
	CONNINFO=$1
	conninfo_hide_passwords
	expect "conninfo of $1" "${CONNINFO% }" "$2"
	expect "password of $1" "${PGPASSWORD-}" "$3"
	expect "sslpassword of $1" "$(sed -n 's/^sslpassword=//p' "${PGSERVICEFILE:-/dev/null}")" "${4-}"
)

uris() {
	hides 'postgresql://me:s%40e%63\ret@host/db' 'postgresql://me@host/db' 's@ec\ret'
	hides 'postgres://me:a?b@host/db' 'postgres://me@host/db' 'a?b'
	hides 'postgresql://me@host/db?sslmode=require&password=secret' 'postgresql://me@host/db?sslmode=require' secret
	hides 'postgresql://host/db?password=secret&sslmode=require' 'postgresql://host/db?sslmode=require' secret
	hides 'postgresql://host?%70assword=se%26cret' 'postgresql://host' 'se&cret'
	hides 'postgresql://me:first@host/db?password=second&password=third' 'postgresql://me@host/db' third
	hides 'postgresql:///db?host=/run&sslpassword=key' 'postgresql:///db?host=/run&service=payhook' '' key
	hides 'postgresql://:secret@host,other:5433/db' 'postgresql://@host,other:5433/db' secret
}

keywords() {
	hides "host=h password='s@ec\\\\ret' dbname=db" 'host=h dbname=db' 's@ec\ret'
	hides 'password = s@ec\\ret host=h' 'host=h' 's@ec\ret'
	hides 'host=h password=first user=me password=second' 'host=h user=me' second
	hides "host=h password='a'password=b dbname = 'd b'" "host=h dbname = 'd b'" b
	hides "host=h dbname=db password=" 'host=h dbname=db' ''
	# libpq skips the space.
	hides "host=h password= dbname=db" 'host=h' 'dbname=db'
	hides "host=h password=a\\ b'c" 'host=h' "a b'c"
	hides "host=h sslpassword='k ey' sslkey=/k" 'host=h sslkey=/k service=payhook' '' 'k ey'
}

# What has no password stays as it is, as does the password of the environment.
others() {
	local text
	for text in 'host=/run dbname=x' 'postgresql://host/db?sslmode=require' 'postgres://me@host:5432/db' payhook ''; do
		CONNINFO=$text PGPASSWORD=untouched
		conninfo_hide_passwords
		equal "$CONNINFO/$PGPASSWORD" "$text/untouched"
	done
}

# refused TEXT REASON
refused() {
	local REASON=
	CONNINFO=$1
	! conninfo_hide_passwords || { echo "$1 is accepted" && return 1; }
	[[ $REASON == *"$2"* && $REASON != *secret* ]] || { echo "$REASON" && return 1; }
}

invalid() {
	refused 'host=h pass word=secret' 'not valid'
	refused "host=h password='secret" 'not valid'
	refused 'service=other sslpassword=secret' 'service'
	refused 'postgresql://h/db?service=other&sslpassword=secret' 'service'
}

listen() {
	perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die;
		open(my $f, ">", "$ARGV[0].new") or die;
		print {$f} $s->sockport;
		close($f) && rename("$ARGV[0].new", $ARGV[0]) or die;
		sleep 1000' "$DIR/port" &
	LISTENER=$!
	await 10 test -s "$DIR/port"
}

# psql_arguments - prints those of the psql that waits for the listener.
psql_arguments() {
	local pid
	for pid in $(pgrep -x psql); do
		tr '\0' ' ' <"/proc/$pid/cmdline" | grep -F "port=$(<"$DIR/port")" && return
	done
	return 1
}

# The server is silent, so psql is seen while it has a connection.
real_psql() {
	local migrate arguments
	DATABASE_URL="host=127.0.0.1 port=$(<"$DIR/port") user=u dbname=d password=planted1 sslpassword=planted2 password=planted3" \
		PGCONNECT_TIMEOUT=20 "$HERE/schema/migrate" &
	migrate=$!
	arguments=$(await 10 psql_arguments)
	pkill -P "$migrate" || true
	kill "$migrate" 2>/dev/null || true
	wait "$migrate" || true
	[[ $arguments == *service=payhook* && $arguments != *planted* ]] || { echo "$arguments" && return 1; }
}

check "a URI: user information and parameters, escaped or repeated" uris
check "keywords: quoted, escaped or repeated" keywords
check "a string without a password stays as it is" others
check "a string that cannot be read is refused, without repeating it" invalid
# Here, as a check is a subshell, the listener of which clean_up would not know.
listen
check "psql has no password among its arguments" real_psql
finish
