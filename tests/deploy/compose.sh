#!/bin/bash
# compose.sh - runs docker compose as an operator does: builds, starts, uses, scales, breaks and removes the services.
# Prints TAP.
set -uo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
# shellcheck source=tests/deploy/trees.sh
source "$ROOT/tests/deploy/trees.sh"
# shellcheck source=tests/deploy/engine.sh
source "$ROOT/tests/deploy/engine.sh"
# shellcheck source=tests/deploy/old_readme.sh
source "$ROOT/tests/deploy/old_readme.sh"
deadline 1200 "$@"

CACHE=$ROOT/var/deploy
SEND=$ROOT/tests/deploy/send.py
PORT=$((20000 + $$ % 10000))
TLS_PORT=$((PORT + 1))
# Port 8000 of an address of the test's own, which counts as 127.0.0.1 does.
COMPAT_ADDRESS=127.77.$(($$ / 250 % 250 + 1)).$(($$ % 250 + 1))
DELAY_MS=200
engine_folder_make
DIR=$ENGINE
ACCEPTED=$ENGINE/accepted
export DOCKER_HOST=unix://$ENGINE/docker.sock DOCKER_CONFIG=$ENGINE/config

# Runs docker compose as in an operator's shell: the settings are in a file, and none comes from the test's environment.
compose() {
	env -i PATH="$PATH" HOME="$ENGINE" DOCKER_HOST="$DOCKER_HOST" DOCKER_CONFIG="$DOCKER_CONFIG" \
		docker compose --progress plain -p payhook-test --project-directory "$ROOT" --env-file "$ENGINE/env" "$@"
}

clean_up() {
	trap '' TERM INT HUP
	[[ -z ${SENDER-} ]] || kill -KILL "$SENDER" 2>/dev/null
	[[ -z ${UP-} ]] || kill -KILL "$UP" 2>/dev/null
	if [[ -n ${DOCKERD-} ]]; then
		timeout 20 docker ps -aq 2>/dev/null | timeout 20 xargs -r docker rm -f >/dev/null 2>&1
		engine_stop
	fi
	engine_folder_remove
}
trap clean_up EXIT

# ids SERVICE - its running containers.
ids() {
	compose ps -q "$1"
}

# sql STATEMENT - as the superuser, inside the container.
sql() {
	docker exec -i "$(ids db)" psql -X -q -At -v ON_ERROR_STOP=1 -U postgres -d payhook -c "$1" "${@:2}"
}

# ---- a load that goes on while something else happens ----

load_begin() {
	"$SEND" "$PORT" "$1" 0 "$ACCEPTED" 8 >"$ENGINE/load" 2>&1 &
	SENDER=$!
	sleep 1
}

# Must not run inside a check: only the shell that started the sender can wait for it.
load_end() {
	sleep 1
	kill -TERM "$SENDER"
	wait "$SENDER"
	SENDER=
}

# The sender's output must report that every webhook was accepted.
load_was_accepted() {
	local id
	! grep -x '202: [0-9]*' "$ENGINE/load" || return 0
	cat "$ENGINE/load"
	docker logs "$(ids nginx)" 2>&1 | grep -v '"status":202' | tail -n 10
	for id in $(ids app); do
		docker logs "$id" 2>&1 | tail -n 12
	done
	return 1
}

# ---- containers ----

only_nginx_is_published() {
	local id ports
	for id in $(docker ps -aq); do
		ports=$(docker inspect -f '{{index .Config.Labels "com.docker.compose.service"}} {{json .HostConfig.PortBindings}}' "$id")
		[[ $ports =~ ^(nginx|web)\  || $ports == *' {}' || $ports == *' null' ]] || { echo "$ports" && return 1; }
	done
	equal "$(docker inspect -f '{{range $port, $_ := .HostConfig.PortBindings}}{{$port}} {{end}}' "$(ids nginx)" "$(ids web)" | paste -sd' ')" '8080/tcp  8000/tcp '
}

# Checks the options with which docker created every container, including those that have exited, and the privileges
# that the kernel reports for their processes.
containers_are_confined() {
	local id options pid status
	for id in $(docker ps -aq); do
		options=$(docker inspect -f '{{.Name}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}} {{.HostConfig.SecurityOpt}} {{.HostConfig.Privileged}}' "$id")
		[[ $options == *' true [ALL] [] [no-new-privileges:true] false' ]] || { echo "$options" && return 1; }
		options=$(docker inspect -f '{{.Name}} {{.Config.User}}' "$id")
		[[ $options != *' ' && $options !=  *' root'* && $options !=  *' 0'* ]] || { echo "$options: root" && return 1; }
	done
	for id in $(docker ps -q); do
		for pid in $(docker top "$id" -o pid | tail -n +2); do
			status=$(awk '/^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):/ { print $1, $2 }' "/proc/$pid/status" 2>/dev/null | paste -sd' ')
			[[ -z $status || $status =~ ^Uid:\ [1-9][0-9]*\ CapEff:\ 0+\ CapBnd:\ 0+\ NoNewPrivs:\ 1\ Seccomp:\ 2$ ]] ||
				{ docker inspect -f '{{.Name}}' "$id" && echo "$pid: $status" && return 1; }
		done
		! docker exec "$id" touch /etc/new 2>/dev/null || { docker inspect -f '{{.Name}}: / can be written to' "$id" && return 1; }
	done
}

# connects_as USER:GROUP - connects to the responders' socket inside the nginx container.
connects_as() {
	docker exec -u "$1" "$(ids nginx)" perl -MSocket -e '
		my ($path) = glob("/run/payhook/*.sock") or die "none is seen\n";
		socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die;
		connect($s, pack_sockaddr_un($path)) or die "$!\n"'
}

# nginx has only the network on which webhooks arrive, and no other service sees the sockets.
sockets_are_nginx_s_alone() {
	local id
	equal "$(docker inspect -f '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}' "$(ids nginx)")" 'payhook-test_front ' || return
	for id in $(ids worker) $(ids db); do
		! docker exec "$id" test -e /run/payhook || { docker inspect -f '{{.Name}} has the sockets' "$id" && return 1; }
	done
	docker exec "$(ids nginx)" bash -c '[[ -S $(echo /run/payhook/*.sock) ]]' || return
	docker exec "$(ids app)" stat -c '%a %U %G' /run/payhook | grep -qx '750 payhook payhook' || return
	docker exec "$(ids app)" bash -c 'stat -c "%a %U %G" /run/payhook/*.sock' | grep -qx '660 payhook payhook' || return
	connects_as 10002:10001 || return
	! connects_as 65534:65534 || { echo "a user of another group connects" && return 1; }
}

# No service can read the password of another role.
each_has_its_role() {
	equal "$(sql "SELECT string_agg(DISTINCT usename, ' ' ORDER BY usename) FROM pg_stat_activity
		WHERE datname = 'payhook' AND client_addr IS NOT NULL")" 'payhook_app payhook_worker' || return
	local service known=''
	for service in app worker db; do
		known+=$(docker exec "$(ids "$service")" find /run/password -type f ! -name user -exec sha256sum {} + | cut -c 1-64 | sort -u | wc -l)
	done
	equal "$known" 113 || return
	for service in app nginx worker; do
		docker exec "$(ids "$service")" id -u
	done >"$ENGINE/users"
	equal "$(paste -sd' ' "$ENGINE/users")" '10001 10002 10003'
}

# healthy SERVICE... - all containers of these services are healthy.
healthy() {
	local service id
	for service in "$@"; do
		for id in $(ids "$service"); do
			equal "$service $(docker inspect -f '{{.State.Health.Status}}' "$id")" "$service healthy" || return
		done
	done
}

# nginx's error log quotes a header of a body that is too long.
logs_control_no_terminal() {
	head -c 70000 /dev/zero | curl -s -o /dev/null -H $'Referer: \e]0;OWNED\a' --data-binary @- \
		"http://127.0.0.1:$PORT/v1/webhooks/transactions" || true
	await 10 nginx_logged '?]0;OWNED?'
	! nginx_logged $'\e'
}

nginx_logged() {
	docker logs "$(ids nginx)" 2>&1 | grep -cF -- "$1"
}

# ---- scaling ----

scale() {
	compose up -d --wait --wait-timeout 90 --no-recreate --scale "app=$1" --scale "worker=$2"
}

# webhooks_by_responder PREFIX - counts the last webhooks by the socket to which nginx sent them.
webhooks_by_responder() {
	"$SEND" "$PORT" "$1" 200 "$ACCEPTED" >/dev/null || return
	sleep 1.5
	docker logs "$(ids nginx)" 2>&1 | grep '"path":"/v1/webhooks/transactions"' | tail -n 200 |
		grep -o '"pool":"[^"]*"' | sort | uniq -c
}

# count_answered PREFIX NUMBER
count_answered() {
	local lines
	lines=$(webhooks_by_responder "$1") || { echo "a webhook was not accepted" && return 1; }
	equal "$(grep -c . <<<"$lines") $lines" "$2 $lines"
}

# 127.0.0.1 may read the metrics.
metrics() {
	docker exec "$(ids nginx)" bash -c 'exec 3<>/dev/tcp/127.0.0.1/8000
		printf "GET /metrics HTTP/1.0\r\n\r\n" >&3; cat <&3'
}

# The result does not depend on the container that nginx chooses.
counted_together() {
	local metrics
	metrics=$(metrics)
	equal "$(sed -n 's/^payhook_webhooks_total{outcome="accepted"} //p' <<<"$metrics")" \
		"$(sql 'SELECT count(*) FROM payhook.transactions')"
}

worker_rows() {
	equal "$(sql "SELECT count(DISTINCT host) FROM payhook.workers WHERE beat_at > now() - interval '15 s'")" "$1"
}

# The procedure of docs/compose.md.
replace_app() {
	local old
	old=$(ids app)
	compose run --rm migrate && compose up -d --wait --no-deps --no-recreate --scale app=2 app || return
	# shellcheck disable=SC2086
	docker stop $old && docker rm $old || return
	[[ $(ids app) != "$old" && $(ids app | wc -l) == 1 ]]
}

responders() {
	docker top "$(ids app)" -o pid,args | awk '$2 ~ /payhook-app/ && !/multiwatch|pool/ { print $1 }' | sort
}

reload_app() {
	local before
	before=$(responders)
	[[ -n $before ]] && compose kill -s USR2 app && await 10 all_new "$before"
}

all_new() {
	local now
	now=$(responders)
	[[ $(wc -l <<<"$now") == "$(wc -l <<<"$1")" && -z $(comm -12 <(echo "$1") <(echo "$now")) ]] || { echo "$1 -> $now" && return 1; }
}

# ---- breaking ----

# crash SERVICE - kills the first process of one of its containers, as the kernel may, and waits until docker has
# restarted it.
crash() {
	local id
	id=$(ids "$1" | head -n 1)
	kill -KILL "$(docker inspect -f '{{.State.Pid}}' "$id")" || return
	await 20 restarted "$id"
}

nginx_has_pools() {
	docker logs "$(ids nginx)" 2>&1 | grep '"event":"nginx reloads"' | tail -n 1 | grep "\"pools\":$1}"
}

restarted() {
	equal "$(docker inspect -f '{{.RestartCount}} {{.State.Running}}' "$1")" '1 true'
}

restart_database() {
	local status=0
	"$SEND" --again "$PORT" restart 300 "$ACCEPTED" 4 >"$ENGINE/load" 2>&1 &
	compose restart db || status=$?
	wait "$!" || status=$?
	cat "$ENGINE/load"
	return "$status"
}

# Every accepted id is stored and processed.
all_processed() {
	local left
	left=$(sql 'CREATE TEMP TABLE accepted (id text)' -c 'COPY accepted FROM STDIN' \
		-c "SELECT count(*) || ' of ' || (SELECT count(*) FROM accepted) || ': ' || coalesce(min(status), 'missing')
			FROM accepted a LEFT JOIN payhook.transactions t ON t.transaction_id = a.id
			WHERE t.status IS DISTINCT FROM 'PROCESSED'" <"$ACCEPTED")
	[[ $left == '0 of '[1-9]* ]] || { echo "not processed: $left" && return 1; }
	equal "$(sql "SELECT count(*) FROM payhook.transactions")" "$(sort -u "$ACCEPTED" | wc -l)"
}

# ---- reading ----

# read_status URL CURL-ARGS... - prints the status of a read of a transaction.
read_status() {
	curl -s --noproxy '*' --max-time 5 -o /dev/null -w '%{http_code}' "$1/v1/transactions/first-0" "${@:2}"
}

# Through the port of the old service no key is needed, through the others one is.
read_by_the_old_port() {
	equal "$(read_status "http://$COMPAT_ADDRESS:8000")" 200 || return
	equal "$(read_status "http://$COMPAT_ADDRESS:8000" -H 'Host: evil.example')" 403 || return
	equal "$(read_status "http://$COMPAT_ADDRESS:8000" -H 'X-Forwarded-For: 127.0.0.1')" 403 || return
	equal "$(read_status "http://127.0.0.1:$PORT")" 403 || return
	equal "$(curl -s --noproxy '*' --max-time 5 "http://127.0.0.1:$PORT/readyz")" '{"status":"ready"}'
}

# One command makes a key, which every responder accepts soon.
read_with_a_key() {
	local key
	key=$(compose run --rm -T key reader read) && [[ $key == payhook_* ]] || return
	await 20 read_is 200 "$key" || return
	equal "$(read_status "http://127.0.0.1:$PORT")" 401 || return
	equal "$(read_status "http://$COMPAT_ADDRESS:8000")" 200 || return
	! compose run --rm -T key --remove nobody || return
	compose run --rm -T key --remove reader && await 20 read_is 403 "$key"
}

# read_is STATUS KEY - several reads in turn, since each responder reads the file by itself.
read_is() {
	local _
	for _ in {1..20}; do
		equal "$(read_status "http://127.0.0.1:$PORT" -H "Authorization: Bearer $2")" "$1" || return
	done
}

# Published to an address that others reach, port 8000 is as the others.  Not 0.0.0.0, as other tests may use the port.
old_port_is_opened() {
	local address
	address=$(hostname -I)
	address=${address%% *}
	printf 'PAYHOOK_COMPAT_ADDRESS=%s\n' "$address" >>"$ENGINE/env"
	compose up -d --wait --wait-timeout 60 --no-deps web || return
	equal "$(read_status "http://$address:8000")" 403 || return
	sed -i '$d' "$ENGINE/env"
	compose up -d --wait --wait-timeout 60 --no-deps web
}

# ---- TLS ----

with_tls() {
	compose -f "$ROOT/docker-compose.yml" -f "$ROOT/docker-compose.tls.yml" "$@"
}

# certificate NAME - writes into the files that compose mounts, as a renewal does according to docs/compose.md.
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 2 -subj "/CN=$1" \
		-addext subjectAltName=DNS:localhost -keyout "$ENGINE/key.new" -out "$ENGINE/crt.new" 2>/dev/null || return
	cat "$ENGINE/key.new" >"$ENGINE/tls.key"
	cat "$ENGINE/crt.new" >"$ENGINE/tls.crt"
	chown 10002 "$ENGINE/tls.key" && chmod 400 "$ENGINE/tls.key"
}

shows_certificate() {
	curl -sS -m 5 --noproxy '*' --cacert "$ENGINE/tls.crt" "https://localhost:$TLS_PORT/readyz" | grep -q '^{"status":"ready"'
}

expiry_is_measured() {
	equal "$(metrics | tr -d '\r' | sed -n 's/^payhook_certificate_expiry_timestamp_seconds //p')" \
		"$(date -d "$(openssl x509 -noout -enddate -in "$ENGINE/tls.crt" | cut -d= -f2)" +%s)"
}

tls_is_spoken() {
	certificate first || return
	printf 'TLS_PORT=%d\nTLS_CERTIFICATE=%s\nTLS_KEY=%s\n' "$TLS_PORT" "$ENGINE/tls.crt" "$ENGINE/tls.key" >>"$ENGINE/env"
	with_tls up -d --wait --wait-timeout 60 --no-deps nginx && shows_certificate || return
	certificate second
	! shows_certificate || { echo "the second before HUP" && return 1; }
	with_tls kill -s HUP nginx && await 10 shows_certificate || return
	await 10 expiry_is_measured || return
	# An invalid certificate is not used; the previous one stays in the container's memory.
	cp "$ENGINE/tls.crt" "$ENGINE/good.crt"
	echo nonsense >"$ENGINE/tls.crt"
	with_tls kill -s HUP nginx
	await 10 certificates_are_kept || return
	cat "$ENGINE/good.crt" >"$ENGINE/tls.crt"
	shows_certificate
}

# docker publishes an arbitrary port then, on which nothing answers.
tls_alone_is_spoken() {
	local published
	printf 'PAYHOOK_PORT=0\n' >>"$ENGINE/env"
	with_tls up -d --wait --wait-timeout 60 --no-deps nginx && shows_certificate || return
	published=$(docker port "$(ids nginx)" 8080/tcp | head -n 1) && [[ $published == *:[1-9]* ]] || return
	! curl -s --noproxy '*' --max-time 5 "http://127.0.0.1:${published##*:}/livez" || { echo "without TLS it answers" && return 1; }
	sed -i '$d' "$ENGINE/env"
	with_tls up -d --wait --wait-timeout 60 --no-deps nginx
}

certificates_are_kept() {
	docker logs "$(ids nginx)" 2>&1 | grep -q 'the certificates stay as they were'
}

# ---- ending ----

ended_in_order() {
	compose stop || return
	local id status
	for id in $(docker ps -aq); do
		status=$(docker inspect -f '{{.Name}} {{.State.ExitCode}}' "$id")
		[[ $status == *' 0' ]] || { docker logs --tail 20 "$id" && echo "$status" && return 1; }
	done
}

kept_by_the_volume() {
	compose down || return
	compose up -d --wait --wait-timeout 120 || return
	curl -s --noproxy '*' --max-time 5 "http://$COMPAT_ADDRESS:8000/v1/transactions/first-0" | grep '"PROCESSED"'
}

# A name that is no setting stops the first service, and what runs goes on; those of the replaced service and of compose do not.
misspelt_is_refused() {
	local status=0
	printf 'DEBUG=True\nCOMPOSE_PROJECT_NAME=payhook-test\nPROCESOR=http\n' >>"$ENGINE/env"
	! compose up -d --wait --wait-timeout 60 || status=1
	compose logs password 2>&1 | grep 'password: .env: PROCESOR is not a setting of payhook; did you mean PROCESSOR?' || status=1
	healthy app worker nginx || status=1
	sed -i '$d' "$ENGINE/env"
	compose up -d --wait --wait-timeout 60 || status=1
	sed -i '/^DEBUG=/d; /^COMPOSE_PROJECT_NAME=/d' "$ENGINE/env"
	return "$status"
}

# migrate_explains SETTING TEXT - with this setting the migrations fail, and these words explain why.
migrate_explains() {
	local output status=0
	printf '%s\n' "$1" >>"$ENGINE/env"
	! output=$(compose run --rm -T migrate 2>&1) || status=1
	sed -i '$d' "$ENGINE/env"
	[[ $status == 0 && $output == *"migrate: $2"* ]] || { echo "$output" && return 1; }
}

changed_settings_are_explained() {
	migrate_explains POSTGRES_PORT=5433 "POSTGRES_PORT=5433: docker compose's own database listens on port 5432" || return
	migrate_explains POSTGRES_DB=other "POSTGRES_DB=other: docker compose's own database got its name when" || return
	migrate_explains POSTGRES_PASSWORD=changed "" && return 1
	compose logs password 2>&1 | grep "password: POSTGRES_USER and POSTGRES_PASSWORD have no effect on docker compose's own database"
}

# As after a volume of passwords was removed.
other_passwords_are_explained() {
	sql "ALTER ROLE payhook PASSWORD 'other'" || return
	migrate_explains LOG_LEVEL= 'the passwords in the volumes are not those of docker compose' || return
	compose exec -T db docker/roles && compose run --rm -T migrate
}

# The content of DATABASE_URL_FILE reaches the programs: the file names a database that does not exist.
secret_file_is_read() {
	local output
	echo "host=nowhere.invalid user=payhook" >"$ENGINE/url"
	printf 'DATABASE_URL_FILE=%s\n' "$ENGINE/url" >>"$ENGINE/env"
	output=$(compose run --rm --no-deps migrate 2>&1)
	sed -i '$d' "$ENGINE/env"
	[[ $output == *nowhere.invalid* ]] || { echo "$output" && return 1; }
}

backed_up() {
	compose run --rm -T migrate payhook backup - >"$ENGINE/backup" && [[ -s $ENGINE/backup ]]
}

# Removes everything, including the passwords, and restores the backup into a new deployment.
restored() {
	local before
	before=$(sql 'SELECT count(*) FROM payhook.transactions')
	compose down -v && compose up -d --wait --wait-timeout 120 || return
	compose run --rm -T migrate payhook restore - <"$ENGINE/backup" || return
	equal "$(compose run --rm -T migrate payhook psql -X -q -At -c 'SELECT count(*) FROM transactions')" "$before"
}

nothing_is_left() {
	compose down -v || return
	equal "$(docker ps -aq)$(docker volume ls -q)" ''
	equal "$(docker network ls -q -f name=payhook)" ''
}

printf 'PAYHOOK_ENV_FILE=%s\nPAYHOOK_PORT=%d\nPAYHOOK_COMPAT_ADDRESS=%s\nPROCESSOR_DELAY_MS=%d\nLOG_LEVEL=\n' "$ENGINE/env" "$PORT" \
	"$COMPAT_ADDRESS" "$DELAY_MS" >"$ENGINE/env"

need "this machine can run docker" engine_possible
need "compose and buildx are there" engine_plugins
engine_start
need "dockerd answers" await 60 engine_answers
need "Debian 12 and PostgreSQL have images" engine_images
need "docker compose builds" compose build
check "the images are kept for ha.sh" engine_images_keep programs
need "docker compose up --wait brings every service up, healthy" compose up -d --wait --wait-timeout 120
check "nothing but nginx's port is published" only_nginx_is_published
check "no container has root, capabilities, new privileges or a root it can write to" containers_are_confined
check "the responders' sockets are nginx's alone" sockets_are_nginx_s_alone
check "each program connects in its own role, and knows no other's password" each_has_its_role
check "what a client writes into nginx's log controls no terminal" logs_control_no_terminal
check "a thousand webhooks are accepted" "$SEND" "$PORT" first 1000 "$ACCEPTED"
load_begin up
check "app is scaled to 2, worker to 3" scale 2 3
load_end
check "no webhook fails meanwhile" load_was_accepted
check "both containers of responders get webhooks" count_answered both 2
check "the metrics count what both took" counted_together
check "three workers beat" await 15 worker_rows 3
load_begin crash
check "a container of responders that is killed comes back" crash app
load_end
check "no webhook fails meanwhile, as nginx asks the other" load_was_accepted
check "a worker that is killed comes back" crash worker
# Otherwise the one that nginx knows could be the one that is stopped.
check "nginx knows the one that came back" await 10 nginx_has_pools 2
load_begin down
check "app is scaled to 1" scale 1 3
load_end
check "no webhook fails meanwhile" load_was_accepted
check "the one that is left gets them all" count_answered one 1
load_begin reload
check "responders are started anew by USR2" reload_app
load_end
check "no webhook fails meanwhile" load_was_accepted
load_begin replace
check "a new container of responders takes the place of the old one" replace_app
load_end
check "no webhook fails meanwhile" load_was_accepted
check "the database is restarted, and senders that try again are served" restart_database
check "every service is healthy again" await 60 healthy db app worker nginx
check "every accepted transaction is processed, and no other is there" await 60 all_processed
check "port 8000 reads without a key, under a known name" read_by_the_old_port
check "a key for the other port is made by one command" read_with_a_key
check "port 8000 needs a key once it is published to others" old_port_is_opened
check "TLS is spoken with certificates from the machine, which HUP reads anew" tls_is_spoken
check "with PAYHOOK_PORT=0 there is TLS only" tls_alone_is_spoken
check "every container ends with status 0" ended_in_order
check "the data and the password outlast the containers" kept_by_the_volume
check "a misspelt setting in .env stops the first service" misspelt_is_refused
check "a database is named by a file on the machine" secret_file_is_read
check "a port and a name that the database does not have are explained" changed_settings_are_explained
check "so are other passwords, and what to do" other_passwords_are_explained
check "the data is backed up" backed_up
check "the backup is restored into a new deployment" restored
check "down -v leaves nothing" nothing_is_left
readme_env
readme_up
check "the replaced service's .env and \"docker compose up --build\" start payhook, healthy at port 8000" readme_is_up
check "its settings that have no effect are named once" readme_names_are_reported
check "a webhook is taken, processed and read at port 8000 without a key" readme_takes_a_webhook
check "psql as postgres finds it under the name of the old table" readme_selects
check "no program is the superuser, and the password of that file is set on no role" readme_roles_are_payhook_s_own
check "\"exec web python\" says what to do instead" readme_web_answers
check "a second container on the volume is refused" second_is_refused
check "docker compose restart" readme_restarts
check "docker compose down keeps the data, and down -v leaves nothing" readme_ends
UP=
check "PAYHOOK_COMPAT=0 leaves port 8000 out" web_is_left_out
check "a half-made cluster is made anew" half_made_is_made_anew
check "down -v leaves nothing of it" nothing_is_left
check "beside an orphan of the release before no second server starts" orphan_keeps_its_data
check "--remove-orphans replaces it, and keeps its data" orphan_is_replaced
check "the release before, started again beside it, finds no cluster" old_release_finds_no_cluster
check "the files moved back, the release before has its data again" old_release_gets_it_back
finish
