#!/bin/bash
# systemd.sh - runs the Debian package as an operator does, in a booted system: installs, configures, starts, uses,
# breaks, upgrades and purges it.  Prints TAP.
set -uo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
# shellcheck source=tests/deploy/trees.sh
source "$ROOT/tests/deploy/trees.sh"
# shellcheck source=tests/deploy/box.sh
source "$ROOT/tests/deploy/box.sh"
# shellcheck source=tests/deploy/installed.sh
source "$ROOT/tests/deploy/installed.sh"
deadline 1000 "$@"

BOX=$(mktemp -d /tmp/payhook-systemd.XXXXXX)
DIR=$BOX
CACHE=$ROOT/var/deploy
ACCEPTED=$BOX/accepted
UNITS=(payhook-app.service payhook-worker@1.service payhook-console.service payhook-console.socket payhook-migrate.service payhook.target)
export PAYHOOK_BUILD=${PAYHOOK_BUILD:-$ROOT/build}

clean_up() {
	trap '' TERM INT HUP
	[[ -z ${SENDER-} ]] || kill -KILL "$SENDER" 2>/dev/null
	box_stop
	rm -rf --one-file-system -- "$BOX"
}
trap clean_up EXIT

# ---- installing ----

# Lists all files except those that other packages write while they run.
files() {
	box find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/tmp -o -path /var/log -o \
		-path /var/cache -o -path /var/lib/dpkg -o -path /var/lib/systemd -o -path /var/lib/postgresql -o -path /root -o \
		-path /var/lib/nginx -o -path /etc/ssl/certs -o -path '/etc/*-' -o -path /etc/.pwd.lock \) -prune -o -print | sort
}

install_package() {
	files >"$BOX/before"
	box dpkg -i /root/payhook.deb
}

nothing_runs() {
	local unit
	for unit in payhook-app payhook-worker@1 payhook-console.service payhook-console.socket payhook.target; do
		equal "$unit $(box systemctl is-active "$unit") $(box systemctl is-enabled "$unit")" "$unit inactive disabled" || return
	done
	equal "$(box stat -c '%a %U:%G' /etc/payhook/payhook.env)" '640 root:payhook' || return
	equal "$(box getent passwd payhook payhook-worker payhook-console payhook-owner | grep -c ':/usr/sbin/nologin$')" 4
}

# The settings name no database: the responders log that once and are not restarted.
unconfigured_stays_down() {
	box systemctl start payhook-app
	await 5 is payhook-app ActiveState failed || return
	is payhook-app NRestarts 0 || return
	box journalctl -t payhook-app -o cat | grep 'DATABASE_URL is not set' || return
	box systemctl stop payhook-app payhook-migrate
	box systemctl reset-failed
}

units_are_clean() {
	local unit out
	out=$(box systemd-analyze verify --man=no "${UNITS[@]}" 2>&1)
	equal "$out" '' || return
	for unit in payhook-app.service payhook-worker@.service payhook-console.service payhook-migrate.service; do
		box systemd-analyze security --no-pager --offline=true --threshold=15 "/lib/systemd/system/$unit" >"$BOX/security" ||
			{ cat "$BOX/security" && return 1; }
		tail -n 1 "$BOX/security"
	done
}

start() {
	box systemctl enable --now payhook.target payhook-app payhook-worker@1 payhook-worker@2 || return
	await 10 ready || return
	is payhook-worker@1 ActiveState active || return
	is payhook-worker@1 StatusText 'works; 0 in flight; processor simulated' || return
	equal "$(box stat -c '%a %U:%G' /run/payhook /run/payhook/app.sock | paste -sd' ')" '750 payhook:www-data 660 payhook:www-data'
}

# roles - prints the roles in which the services are connected.
roles() {
	as_postgres psql -X -At -d payhook -c "SELECT string_agg(DISTINCT usename || ' ' || split_part(application_name, ' ', 1), ', ')
		FROM pg_stat_activity WHERE application_name LIKE 'payhook-%'"
}

users_have_roles() {
	equal "$(roles)" 'payhook payhook-app, payhook-worker payhook-worker' || return
	equal "$(box payhook psql -X -At -c 'SELECT session_user')" payhook-owner || return
	# As a responder that was taken over would try it.
	! box setpriv --reuid=payhook --regid=payhook --init-groups psql -X -d payhook -c 'DELETE FROM payhook.jobs' || return 1
	! box setpriv --reuid=payhook --regid=payhook --init-groups psql -X -d 'dbname=payhook user=payhook-worker' -c '' || return 1
}

# console_get PATH - the status of the console's answer to this host, which needs no key without API_KEYS_FILE.
console_get() {
	(near curl -s -o /dev/null -w '%{http_code}' -m 5 --noproxy '*' "127.0.0.1/console/$1")
}

console_answers() {
	equal "$(console_get api/v1/overview)" 200
}

# Its socket stays while the program is replaced, and stopping the target stops it.
console_works() {
	local status=0 pid
	box systemctl enable --now payhook-console || return
	await 10 console_answers || status=1
	equal "$(console_get '')" 200 || status=1
	equal "$(roles)" 'payhook payhook-app, payhook-console payhook-console, payhook-worker payhook-worker' || status=1
	equal "$(box stat -c '%a %U:%G' /run/payhook-console/console.sock)" '660 payhook-console:www-data' || status=1
	pid=$(show payhook-console MainPID)
	box systemctl reload payhook-console || status=1
	await 10 console_answers || status=1
	[[ $(show payhook-console MainPID) != "$pid" ]] || { echo "it is the old one" && status=1; }
	box systemctl kill -s KILL payhook-console || status=1
	await 10 console_answers || status=1
	box journalctl -u payhook-console -o cat | grep -q '"event":"console starts"' || status=1
	box systemctl disable --now payhook-console.service payhook-console.socket || status=1
	equal "$(console_get api/v1/overview)" 502 || status=1
	return "$status"
}

# ---- faults ----

# Sends a thousand webhooks while responders and a worker are killed.
kill_while_sending() {
	local _ status=0
	send --again 80 thousand 1000 "$ACCEPTED" 4 >"$BOX/load" 2>&1 &
	SENDER=$!
	for _ in 1 2 3; do
		sleep 0.3
		box kill -KILL "$(responders | tail -n 1)" || status=1
	done
	box systemctl kill -s KILL payhook-worker@1 || status=1
	wait "$SENDER" || status=1
	SENDER=
	cat "$BOX/load"
	is payhook-app NRestarts 0 || status=1
	await 5 is payhook-worker@1 NRestarts 1 || status=1
	return "$status"
}

restart_database() {
	local status=0
	send --again 80 restart 300 "$ACCEPTED" 4 >"$BOX/load" 2>&1 &
	SENDER=$!
	box systemctl restart postgresql || status=1
	wait "$SENDER" || status=1
	SENDER=
	cat "$BOX/load"
	await 10 is payhook-worker@1 ActiveState active || status=1
	return "$status"
}

reload_under_load() {
	local _ status=0 before
	load_begin reload
	for _ in 1 2 3 4 5; do
		before=$(responders)
		box systemctl reload payhook-app || status=1
		await 5 others_than "$before" || status=1
		sleep 0.3
	done
	load_end && return "$status"
}

# The worker releases its jobs and removes its row.
stop_a_worker() {
	local status=0 pid
	pid=$(show payhook-worker@2 MainPID)
	load_begin stop
	box systemctl stop payhook-worker@2 || status=1
	load_end || status=1
	is payhook-worker@2 Result success || status=1
	equal "$(sql -c "SELECT count(*) FROM workers WHERE pid = $pid")" 0 || status=1
	box journalctl -u payhook-worker@2 -o cat | grep -q '"event":"worker stopping"' || status=1
	return "$status"
}

# A frozen worker does not notify the watchdog.
watchdog_bites() {
	mkdir -p "$BOX/tree/etc/systemd/system/payhook-worker@3.service.d"
	printf '[Service]\nWatchdogSec=2s\n' >"$BOX/tree/etc/systemd/system/payhook-worker@3.service.d/test.conf"
	box systemctl daemon-reload
	box systemctl start payhook-worker@3 || return
	# systemd leaves the worker alone as long as its event loop runs ...
	sleep 3
	is payhook-worker@3 NRestarts 0 || return
	box systemctl kill -s STOP payhook-worker@3
	# ... and kills and restarts it after the loop has stopped.
	await 15 is payhook-worker@3 NRestarts 1 || return
	await 10 is payhook-worker@3 ActiveState active || return
	box journalctl -u payhook-worker@3 -o cat | grep -q 'Watchdog timeout' || return
	box systemctl stop payhook-worker@3
	rm -r "$BOX/tree/etc/systemd/system/payhook-worker@3.service.d"
	box systemctl daemon-reload
}

# ---- confinement ----

# Checks what the kernel reports for every process of the services.
processes_are_confined() {
	local pid status path
	local -a all
	mapfile -t all < <(box pgrep -x 'multiwatch|payhook-app|payhook-worker')
	((${#all[@]} >= 3)) || { echo "only these: ${all[*]}" && return 1; }
	for pid in "${all[@]}"; do
		# shellcheck disable=SC2016
		status=$(box awk '/^(Name|Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):/ { print $1, $2 }' "/proc/$pid/status" | paste -sd' ')
		[[ $status =~ \ Uid:\ [1-9][0-9]*\ CapEff:\ 0+\ CapBnd:\ 0+\ NoNewPrivs:\ 1\ Seccomp:\ 2$ ]] ||
			{ echo "$status" && return 1; }
		for path in / /etc /usr /var /srv; do
			! box nsenter -t "$pid" -m touch "$path/new" 2>/dev/null || { echo "$status: $path can be written to" && return 1; }
		done
	done
}

# connects_as USER - connects to the responders' socket.
connects_as() {
	# shellcheck disable=SC2016
	box setpriv --reuid="$1" --regid="$(box id -g "$1")" --init-groups perl -MSocket -e '
		socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die;
		connect($s, pack_sockaddr_un("/run/payhook/app.sock")) or die "$!\n"'
}

socket_is_nginx_s_alone() {
	equal "$(box stat -c '%a %U:%G' /run/payhook /run/payhook/app.sock | paste -sd' ')" '750 payhook:www-data 660 payhook:www-data' || return
	connects_as www-data || return
	! connects_as payhook-worker || { echo "payhook-worker connects" && return 1; }
	! connects_as postgres || { echo "postgres connects" && return 1; }
	! connects_as nobody || { echo "nobody connects" && return 1; }
}

# Uncomments the lines for TLS and limits in the site's configuration, and makes a certificate as docs/operations.md
# shows.
site_is_ready_for_tls() {
	local site=$BOX/tree/etc/nginx/sites-available/payhook status=0
	cp "$site" "$BOX/site"
	box mkdir -m 755 /etc/ssl/payhook
	box openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 90 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost -keyout /etc/ssl/payhook/key.pem -out /etc/ssl/payhook/fullchain.pem 2>/dev/null || status=1
	cp "$BOX/tree/etc/ssl/payhook/fullchain.pem" "$BOX/tree/etc/ssl/payhook/senders.pem"
	printf '[ca]\ndefault_ca = one\n[one]\ndatabase = /dev/null\ndefault_md = sha256\n' >"$BOX/tree/etc/ssl/payhook/ca.conf"
	box openssl ca -config /etc/ssl/payhook/ca.conf -gencrl -crldays 1 -keyfile /etc/ssl/payhook/key.pem \
		-cert /etc/ssl/payhook/fullchain.pem -out /etc/ssl/payhook/revoked.pem 2>/dev/null || status=1
	sed -i -E 's/^(\t*)# (listen|ssl_|include|limit_|set_real_ip_from)/\1\2/' "$site"
	grep -q '^[[:space:]]*listen 443 ssl http2' "$site" && grep -q '^limit_req_zone' "$site" || status=1
	box nginx -t -q && box systemctl reload nginx || status=1
	await 5 speaks_tls || status=1
	cp "$BOX/site" "$site"
	rm -r "$BOX/tree/etc/ssl/payhook"
	box systemctl reload nginx || status=1
	return "$status"
}

speaks_tls() {
	(near curl -sS -m 2 --noproxy '*' --cacert "$BOX/tree/etc/ssl/payhook/fullchain.pem" --resolve localhost:443:127.0.0.1 \
		https://localhost/readyz) | grep -q '^{"status":"ready"'
}

# nginx opens the new file, as its own user.
a_long_log_is_renamed() {
	local log=$BOX/tree/var/log/payhook/access.log
	is logrotate-payhook.timer ActiveState active || return
	box sh -c 'head -c 60000000 /dev/zero | tr "\0" "\n" >>/var/log/payhook/access.log' || return
	await 30 test -s "$log.1" || return
	(near curl -s -m 2 --noproxy '*' 127.0.0.1/after-the-rotation) >/dev/null || return
	await 10 grep -q after-the-rotation "$log" || return
	equal "$(box stat -c '%a %U:%G' /var/log/payhook /var/log/payhook/access.log | paste -sd' ')" '755 root:root 640 www-data:adm' || return
	equal "$(box journalctl -u logrotate-payhook.service -o cat | grep -c Start)" 0
}

# The name of this service gives it the drop-in of payhook's services; it tries what the programs never need.
forbidden_is_refused() {
	local status=0
	cat >"$BOX/tree/root/try" <<-'END'
		#!/bin/bash
		may() { echo "may: $*"; exit 1; }
		for path in /etc /usr /var/lib /opt; do ! touch "$path/new" || may write "$path"; done
		! cat /etc/shadow || may read passwords
		! ls /root || may look into /root
		! unshare -r true || may make namespaces
		! mount -t tmpfs none /mnt || may mount
		! renice -n -1 $$ || may raise its priority
		! ulimit -n 1000000 || may have more files than its limit
		! kill -0 1 || may signal others
		! exec 3<>/dev/kmsg || may write the kernel log
		[[ -z $(ls -d /proc/1) ]] || may see other processes
		exit 0
	END
	cat >"$BOX/tree/run-probe" <<-'END'
		[Service]
		Type=oneshot
		User=payhook
		ExecStart=/bin/bash /usr/local/lib/payhook-try
	END
	install -m 755 "$BOX/tree/root/try" "$BOX/tree/usr/local/lib/payhook-try"
	mv "$BOX/tree/run-probe" "$BOX/tree/etc/systemd/system/payhook-probe.service"
	box systemctl daemon-reload
	box systemctl start payhook-probe || status=1
	rm "$BOX/tree/etc/systemd/system/payhook-probe.service" "$BOX/tree/usr/local/lib/payhook-try"
	box systemctl daemon-reload
	box journalctl -u payhook-probe -o cat
	return "$status"
}

# ---- logs, processor, upgrade, removal ----

logs_are_json() {
	local program
	for program in payhook-app payhook-worker; do
		# Errors in settings are reported before the log is opened.
		box journalctl -t "$program" -o cat "_COMM=$program" | grep -v "^$program: DATABASE_URL is not set" >"$BOX/logs"
		python3 - "$BOX/logs" "$program" <<-'END' || return
			import json, sys
			programs = [json.loads(line)["program"] for line in open(sys.argv[1])]
			assert len(programs) > 3 and set(programs) == {sys.argv[2]}, programs
		END
	done
}

# metrics_at PORT
metrics_at() {
	(near curl -sS -m 5 --noproxy '*' "127.0.0.1:$1/metrics") >"$BOX/metrics" || return
	grep -q '^payhook_build_info{' "$BOX/metrics" || { head -n 20 "$BOX/metrics" && return 1; }
}

# Two workers were configured for one port.  The one that is left retries every 5 s.
metrics_are_served() {
	metrics_at 80 && await 10 metrics_at 9464
}

# By name and with TLS: curl resolves names in a thread, and reads the system's certificates.
http_processor_works() {
	echo '127.0.0.1 processor.test' >>"$BOX/tree/etc/hosts"
	box openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=processor.test -addext subjectAltName=DNS:processor.test \
		-keyout /etc/nginx/test.key -out /usr/local/share/ca-certificates/processor.test.crt 2>/dev/null || return
	box update-ca-certificates >/dev/null 2>&1 || return
	cat >"$BOX/tree/etc/nginx/conf.d/processor.conf" <<-'END'
		server {
			listen 127.0.0.1:9443 ssl;
			server_name processor.test;
			ssl_certificate /usr/local/share/ca-certificates/processor.test.crt;
			ssl_certificate_key /etc/nginx/test.key;
			access_log /var/log/nginx/processor.log;
			location / { return 200; }
		}
	END
	box systemctl reload nginx || return
	printf 'PROCESSOR=http\nPROCESSOR_URL=https://processor.test:9443/\n' >>"$BOX/tree/etc/payhook/payhook.env"
	box systemctl restart 'payhook-worker@*' || return
	(send 80 http 100 "$ACCEPTED") || return
	await 10 all_processed || return
	equal "$(box grep -c '^127.*"POST / HTTP/[12.]*" 200' /var/log/nginx/processor.log)" 100
}

# The services do not start, are not started again and again, and log the name.  The variable of a source is none of the worker's,
# whose user cannot read SOURCES_FILE.
misspelt_is_refused() {
	local env=$BOX/tree/etc/payhook/payhook.env status=0 unit
	cp -p "$env" "$BOX/payhook.env"
	printf 'PROCESOR=http\n' >>"$env"
	for unit in payhook-worker@1 payhook-app payhook-migrate; do
		box systemctl restart "$unit"
		await 10 is "$unit" ActiveState failed || status=1
		is "$unit" NRestarts 0 || status=1
		box journalctl -u "$unit" -o cat | grep 'payhook.env: PROCESOR is not a setting of payhook; did you mean PROCESSOR?' || status=1
	done
	printf '{"sources": [{"name": "s", "scheme": "github", "secrets": [{"env": "SECRET_OF_S"}]}, {"name": "transactions", "scheme": "none"}]}' |
		box install -m 400 -o payhook /dev/stdin /etc/payhook/sources.json || status=1
	cp -p "$BOX/payhook.env" "$env"
	printf 'SECRET_OF_S=0123456789abcdef\nSOURCES_FILE=/etc/payhook/sources.json\nDEBUG=True\n' >>"$env"
	box systemctl restart payhook-migrate payhook-app payhook-worker@1 || status=1
	await 10 ready || status=1
	is payhook-worker@1 ActiveState active || status=1
	cp -p "$BOX/payhook.env" "$env"
	rm "$BOX/tree/etc/payhook/sources.json"
	box systemctl restart payhook-app payhook-worker@1 || status=1
	await 10 ready || status=1
	return "$status"
}

# The method that payhook.env describes: the service manager reads the file, the services' user cannot.
secret_is_a_credential() {
	local env=$BOX/tree/etc/payhook/payhook.env folder=$BOX/tree/etc/systemd/system/payhook-.service.d status=0
	grep '^DATABASE_URL=' "$env" | cut -d= -f2- | install -m 600 /dev/stdin "$BOX/tree/etc/payhook/database_url"
	sed -i 's/^DATABASE_URL=/#&/' "$env"
	mkdir "$folder"
	printf '[Service]\nLoadCredential=%s\nEnvironment=%s\n' database_url:/etc/payhook/database_url \
		DATABASE_URL_FILE=%d/database_url >"$folder/secret.conf"
	box systemctl daemon-reload
	box systemctl restart payhook-migrate payhook-app payhook-worker@1 || status=1
	await 10 ready || status=1
	(send 80 secret 10 "$ACCEPTED") || status=1
	sed -i 's/^#DATABASE_URL=/DATABASE_URL=/' "$env"
	rm -r "$folder" "$BOX/tree/etc/payhook/database_url"
	box systemctl daemon-reload
	box systemctl restart payhook-app payhook-worker@1 || status=1
	await 10 ready || status=1
	return "$status"
}

# Responders and workers connect as users of their own, which have no more rights than they need.
each_service_has_its_role() {
	local conf=$BOX/tree/etc/payhook url=postgresql://%s:secret@127.0.0.1/payhook status=0
	as_postgres psql -X -q -d payhook \
		-c "CREATE ROLE responder LOGIN PASSWORD 'secret' IN ROLE payhook_app" \
		-c "CREATE ROLE processor LOGIN PASSWORD 'secret' IN ROLE payhook_worker" || return
	# shellcheck disable=SC2059
	printf "DATABASE_URL=$url\n" responder >"$conf/payhook-app.env"
	# shellcheck disable=SC2059
	printf "DATABASE_URL=$url\n" processor >"$conf/payhook-worker.env"
	box systemctl restart payhook-app payhook-worker@1 || status=1
	await 10 ready || status=1
	(send 80 roles 10 "$ACCEPTED") || status=1
	await 10 all_processed || status=1
	equal "$(roles)" 'processor payhook-worker, responder payhook-app' || status=1
	rm "$conf/payhook-app.env" "$conf/payhook-worker.env"
	box systemctl restart payhook-app payhook-worker@1 || status=1
	await 10 ready || status=1
	return "$status"
}

# The content of the backup is tested in tests/integration.
operator_has_a_command() {
	local line
	box payhook help | grep -q payhook.target || return
	box payhook ls --json | grep -q '"data"' || return
	# Its exit status is 1 if an earlier test has left something that needs attention.
	{ box payhook status || true; } >"$BOX/status" 2>&1
	for line in 'app +active since ' 'worker@1 +active since ' 'health +'; do
		grep -E "^  $line" "$BOX/status" || { cat "$BOX/status" && return 1; }
	done
	box payhook backup - >"$BOX/backup" || return
	head -c 5 "$BOX/backup" | grep -q PGDMP
}

# For the package's scripts, installing the same version again is an upgrade.
upgrade_under_load() {
	local before worker status=0
	before=$(responders)
	worker=$(show payhook-worker@1 MainPID)
	load_begin upgrade
	box dpkg -i /root/payhook.deb || status=1
	await 5 others_than "$before" || status=1
	load_end || status=1
	[[ $(show payhook-worker@1 MainPID) != "$worker" ]] || { echo "the worker is the old one" && status=1; }
	is payhook-worker@2 ActiveState inactive || status=1
	ready || status=1
	return "$status"
}

# Makes the installation one of the time when all services ran as payhook, which owned the tables.
age() {
	box systemctl stop payhook.target payhook-app 'payhook-worker@*' payhook-migrate || return
	superuser 'REVOKE payhook_app FROM payhook; REASSIGN OWNED BY "payhook-owner" TO payhook' || return
	superuser 'DROP OWNED BY "payhook-owner", "payhook-worker", "payhook-console"; DROP ROLE "payhook-owner", "payhook-worker", "payhook-console"' || return
	superuser 'DROP OWNED BY payhook_app, payhook_worker, payhook_console; DROP ROLE payhook_app, payhook_worker, payhook_console' || return
	sed -i -E '/^Group=payhook/d; s/^User=.*/User=payhook/' "$BOX"/tree/lib/systemd/system/payhook-*.service
	sed -i 's/^\(DATABASE_URL=.*\)/\1 user=payhook/' "$BOX/tree/etc/payhook/payhook.env"
	box userdel payhook-owner && box userdel payhook-worker && box systemctl daemon-reload || return
	box systemctl start payhook.target payhook-app payhook-worker@1 || return
	await 10 ready || return
	equal "$(roles)" 'payhook payhook-app, payhook payhook-worker'
}

upgrade_of_one_user() {
	local status=0
	age || return
	load_begin one-user
	box dpkg -i /root/payhook.deb || status=1
	load_end || status=1
	await 10 ready || status=1
	await 10 is payhook-worker@1 ActiveState active || status=1
	(send 80 one-user-after 10 "$ACCEPTED") || status=1
	await 60 all_processed || status=1
	equal "$(roles)" 'payhook payhook-app, payhook payhook-worker' || status=1
	equal "$(box payhook psql -X -At -c 'SELECT session_user')" payhook || status=1
	return "$status"
}

separate() {
	local status=0
	readme "systemctl stop payhook.target" >"$BOX/tree/root/separate"
	sed -i '/^DATABASE_URL=/s/ user=payhook//' "$BOX/tree/etc/payhook/payhook.env"
	box sh -ec 'cd /tmp; . /root/separate' || return
	await 10 ready || status=1
	(send 80 separated 10 "$ACCEPTED") || status=1
	await 60 all_processed || status=1
	users_have_roles || status=1
	return "$status"
}

# Run by root, which becomes the user of the services.  tests/integration tests what the commands do.
tools_work() {
	local output
	sql -o /dev/null <<-'SQL' || return
		DROP VIEW public.transactions_transaction;
		CREATE TABLE public.transactions_transaction AS
		SELECT 'old'::varchar AS transaction_id, 'imported'::varchar AS source_account, 'b'::varchar AS destination_account,
			1.50::numeric AS amount, 'INR'::varchar AS currency, 'PROCESSED'::varchar AS status, now() AS created_at,
			now() AS processed_at;
		SELECT pause();
	SQL
	output=$(box payhook import 2>&1) || { echo "$output" && return 1; }
	[[ $output == *"1 imported"*"0 refused"* ]] || { echo "$output" && return 1; }
	sql -c 'SELECT resume()' || return
	output=$(box payhook forget --account imported --yes 2>&1) || { echo "$output" && return 1; }
	[[ $output == *"erased    1 transactions"* ]] || { echo "$output" && return 1; }
	box payhook backup - >"$BOX/backup" || return
	[[ $(head -c 5 "$BOX/backup") == PGDMP ]] || { echo "no backup" && return 1; }
	! output=$(box payhook restore - <"$BOX/backup" 2>&1) || { echo "$output" && return 1; }
	[[ $output == *"this payhook has transactions"* ]] || { echo "$output" && return 1; }
}

stop() {
	box systemctl stop payhook.target || return
	await 20 is payhook-app ActiveState inactive || return
	await 20 is payhook-worker@1 ActiveState inactive || return
	is payhook-worker@1 Result success || return
	box test ! -e /run/payhook
}

purge() {
	local data
	data=$(box setpriv --reuid=postgres --regid=postgres --init-groups psql -X -At -d payhook -c 'SELECT count(*) FROM payhook.transactions') || return
	box systemctl start payhook.target || return
	box dpkg --remove payhook || return
	box nginx -t -q || return
	box dpkg --purge payhook || return
	rm -f "$BOX"/tree/etc/nginx/conf.d/processor.conf "$BOX/tree/etc/nginx/test.key" \
		"$BOX/tree/usr/local/share/ca-certificates/processor.test.crt"
	ln -s ../sites-available/default "$BOX/tree/etc/nginx/sites-enabled/default"
	files >"$BOX/after"
	! diff "$BOX/before" "$BOX/after" | grep '^[<>]' || return 1
	! box getent passwd payhook payhook-worker payhook-console payhook-owner || return 1
	equal "$(box ls /run/systemd/system /etc/systemd/system | grep payhook)" '' || return
	equal "$(box setpriv --reuid=postgres --regid=postgres --init-groups psql -X -At -d payhook -c 'SELECT count(*) FROM payhook.transactions')" "$data"
}

need "a container can be booted here" box_possible
need "the package is built" build_package
need "there is a Debian 12 with what the package depends on" make_tree
box_boot
await 30 box_is_up >/dev/null
box_find
need "systemd is up" box_is_up
need "the package can be installed" install_package
check "nothing is started or enabled, and the settings are root's" nothing_runs
check "responders without a configured database report that and stay down" unconfigured_stays_down
check "the units verify without a word, and are 1.5 or better by systemd-analyze security" units_are_clean
need "what is left to do is a database, one setting and nginx's site" configure
need "all is started, and ready" start
check "each service and the operator's command connect in a role of their own" users_have_roles
check "the console answers on a socket of its own, over a reload and a kill" console_works
check "a thousand webhooks are accepted while responders and a worker are killed" kill_while_sending
check "every accepted one is processed" await 60 all_processed
check "the database is restarted, and senders that try again are served" restart_database
check "a reload under load loses no request" reload_under_load
check "one of two workers is stopped, and no request is lost" stop_a_worker
check "every accepted one is still processed" await 60 all_processed
check "a frozen worker is killed by the watchdog and started anew" watchdog_bites
check "no process of payhook has a privilege or a place to write to" processes_are_confined
check "the responders' socket is nginx's alone" socket_is_nginx_s_alone
check "nginx's site is ready for TLS and limits" site_is_ready_for_tls
check "a log of nginx that is too long is renamed, and nginx writes to a new one" a_long_log_is_renamed
check "what the programs never need is refused to all of payhook's services" forbidden_is_refused
check "the journal has the logs as they are, JSON" logs_are_json
check "responders and worker serve their metrics on the host" metrics_are_served
check "the http processor is reached by name and TLS" http_processor_works
check 'responders and workers have database users of their own' each_service_has_its_role
check "the database's address may be a secret that only root can read" secret_is_a_credential
check "a misspelt setting keeps the services from starting, variables of sources do not" misspelt_is_refused
check "the operator's command finds its parts and the database" operator_has_a_command
check "an upgrade under load loses no request" upgrade_under_load
check "every accepted one is processed, in the end" await 60 all_processed
check "an upgrade of an installation with one user for all services loses no request" upgrade_of_one_user
check "the steps of README.Debian give its services users of their own" separate
check "the package's command imports, saves, and restores over nothing" tools_work
check "the target stops all of it" stop
check "purging the package leaves nothing but the data" purge
finish
