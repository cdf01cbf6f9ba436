# shellcheck shell=bash disable=SC2119,SC2120,SC2154
# The Debian package in a box (box.sh): builds it, configures it as an operator does, and puts load on it.
#
# BOX is the directory of the test, ACCEPTED the file with the ids of accepted webhooks.

sql() {
	box payhook psql -X -q -At -v ON_ERROR_STOP=1 "$@"
}

# Must run in a subshell, which it replaces: a signal to the subshell then reaches the sender.
send() {
	near "$ROOT/tests/deploy/send.py" "$@"
}

ready() {
	(near curl -s -m 2 --noproxy '*' 127.0.0.1/readyz) | grep -q '^{"status":"ready"'
}

# show UNIT PROPERTY
show() {
	box systemctl show -P "$2" "$1"
}

# is UNIT PROPERTY VALUE
is() {
	equal "$1: $(show "$1" "$2")" "$1: $3"
}

responders() {
	box pgrep -x payhook-app
}

# ---- load during an event ----

# load_begin PREFIX [--again] - some hundred webhooks a second; with --again fewer, each sent until it is accepted.
load_begin() {
	send "${@:2}" 80 "$1" 0 "$ACCEPTED" 8 >"$BOX/load" 2>&1 &
	SENDER=$!
	sleep 1
}

# Fails if a single request failed; with --again, if a webhook was not accepted.
load_end() {
	local status=0
	sleep 1
	kill -TERM "$SENDER"
	wait "$SENDER" || status=$?
	SENDER=
	cat "$BOX/load"
	return "$status"
}

build_package() {
	"$ROOT/payhook" deb || return
	cp "$PAYHOOK_BUILD"/deb/payhook_*.deb "$BOX/payhook.deb"
}

# The package's dependencies; tree_system has nginx, which it recommends, and a PostgreSQL server.
make_tree() {
	local -a needs
	mapfile -t needs < <(dpkg-deb -f "$BOX/payhook.deb" Depends | sed 's/, /\n/g; s/ *([^)]*)//g; s/ |[^\n]*//g' | sed 's/ |.*//')
	box_make "${needs[@]}" || return
	cp "$BOX/payhook.deb" "$BOX/tree/root/"
}

# as_postgres COMMAND...
as_postgres() {
	box setpriv --reuid=postgres --regid=postgres --init-groups "$@"
}

# superuser SQL - in payhook's database.
superuser() {
	as_postgres psql -X -q -At -v ON_ERROR_STOP=1 -d payhook -c "$1"
}

# readme FIRST - prints the commands of README.Debian from the line that begins with this to the end of its paragraph, as a
# script for root.
readme() {
	awk -v first="    $1" 'index($0, first) == 1 { shown = 1 } shown && !/^    / { exit } shown { print substr($0, 5) }' \
		"$ROOT/debian/README.Debian" | sed -E '/sudoedit/d; s/sudo -u postgres/setpriv --reuid=postgres --regid=postgres --init-groups/'
}

configure() {
	readme 'sudo -u postgres createuser payhook-owner' | sed '/^systemctl/d' >"$BOX/tree/root/first-steps"
	(cd / && box sh -ec 'cd /tmp; . /root/first-steps') || return
	sed -i 's/^#DATABASE_URL=/DATABASE_URL=/; s/^#PROCESSOR_DELAY_MS=.*/PROCESSOR_DELAY_MS=200/' \
		"$BOX/tree/etc/payhook/payhook.env"
	rm "$BOX/tree/etc/nginx/sites-enabled/default"
	ln -s ../sites-available/payhook "$BOX/tree/etc/nginx/sites-enabled/payhook"
	box nginx -t -q || return
	box systemctl restart nginx
}

all_processed() {
	{
		echo 'CREATE TEMP TABLE accepted (id text); COPY accepted FROM STDIN;'
		cat "$ACCEPTED"
		echo '\.'
		# The number of accepted transactions, and of those that are processed.
		echo "SELECT count(*) || ' ' || count(*) FILTER (WHERE status = 'PROCESSED')
			FROM (SELECT DISTINCT id FROM accepted) a LEFT JOIN transactions t ON t.transaction_id = a.id;"
	} | sql >"$BOX/processed" || return
	local count
	count=$(sort -u "$ACCEPTED" | wc -l)
	equal "$(<"$BOX/processed")" "$count $count"
}

# others_than PIDS - there are responders, and none of those is left.
others_than() {
	local now
	now=$(responders)
	[[ -n $now ]] || return 1
	[[ -z $(comm -12 <(sort <<<"$1") <(sort <<<"$now")) ]] || { echo "still there: $now" && return 1; }
}
