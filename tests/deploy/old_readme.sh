# shellcheck shell=bash disable=SC2154
# old_readme.sh - for compose.sh: the .env and the commands of the replaced service's README, and the upgrade from the release whose
# database was the service "database".

# The file of that README, and ports of the test's own.
readme_env() {
	cat >"$ENGINE/env" <<-END
		DEBUG=True
		SECRET_KEY=django-insecure-)7#x(s&$=^v
		POSTGRES_DB=payments
		POSTGRES_USER=postgres
		POSTGRES_PASSWORD=postgres
		POSTGRES_HOST=db
		POSTGRES_PORT=5432
		CELERY_BROKER_URL=redis://redis:6379/0
		PAYHOOK_PORT=$PORT
		PAYHOOK_COMPAT_ADDRESS=$COMPAT_ADDRESS
		PROCESSOR_DELAY_MS=$DELAY_MS
	END
}

# readme_get PATH CURL-ARGS... - curl http://localhost:8000PATH, whichever address localhost is for this test.
readme_get() {
	curl -s --noproxy '*' --max-time 5 --resolve "localhost:8000:$COMPAT_ADDRESS" "http://localhost:8000$1" "${@:2}"
}

readme_healthy() {
	[[ $(readme_get /) == *'"HEALTHY"'* ]]
}

# In the foreground, as the README has it: UP is its process, and its output is in $ENGINE/up.  Must not run inside a check.
readme_up() {
	compose up --build >"$ENGINE/up" 2>&1 &
	UP=$!
}

readme_is_up() {
	await 180 readme_healthy || { tail -n 40 "$ENGINE/up" && return 1; }
}

readme_names_are_reported() {
	equal "$(grep -c 'have no effect: DEBUG SECRET_KEY CELERY_BROKER_URL$' "$ENGINE/up")" 1
}

readme_processed() {
	[[ $(readme_get /v1/transactions/txn_readme) == *'"PROCESSED"'* ]]
}

readme_takes_a_webhook() {
	equal "$(readme_get /v1/webhooks/transactions -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' \
		-d '{"transaction_id":"txn_readme","source_account":"a","destination_account":"b","amount":1500,"currency":"INR"}')" 202 &&
		await 20 readme_processed
}

# readme_psql SQL... - docker compose exec db psql -U postgres -d payments, with these lines typed.
readme_psql() {
	printf '%s\n' "$@" | compose exec -T db psql -U postgres -d payments
}

readme_selects() {
	readme_psql 'select * from transactions_transaction;' | grep -E '^ txn_readme +\| a +\| b +\| +1500 \| INR +\| PROCESSED \|'
}

# No program is the superuser, and the README's password is that of no role.
readme_roles_are_payhook_s_own() {
	local role
	equal "$(readme_psql "\\pset format unaligned" "\\pset tuples_only" "SELECT string_agg(DISTINCT usename, ' ' ORDER BY usename) FROM pg_stat_activity
		WHERE client_addr IS NOT NULL AND client_addr <> '127.0.0.1'" | tail -n 1)" 'payhook_app payhook_console payhook_worker' || return
	equal "$(readme_psql "\\pset format unaligned" "\\pset tuples_only" "SELECT rolname FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba
		WHERE datname = 'payments'" | tail -n 1)" payhook || return
	for role in postgres payhook payhook_app payhook_worker payhook_console payhook_operator; do
		! compose exec -T -e PGPASSWORD=postgres db psql -h 127.0.0.1 -U "$role" -d payments -c '' || { echo "$role has it" && return 1; }
	done
}

readme_web_answers() {
	local answer
	! answer=$(compose exec -T web python manage.py migrate 2>&1) || { echo "$answer" && return 1; }
	[[ $answer == *'docker compose exec db psql'* ]] || { echo "$answer" && return 1; }
}

readme_restarts() {
	compose restart && await 60 readme_healthy && readme_processed
}

readme_ends() {
	compose down && wait_for_up || return
	compose up -d --wait --wait-timeout 120 && readme_processed && readme_selects || return
	nothing_is_left
}

# Whatever its status: the containers were removed.
wait_for_up() {
	timeout 30 tail --pid="$UP" -f /dev/null
}

# Port 8000 can be left out; the other one stays.
web_is_left_out() {
	printf 'PAYHOOK_COMPAT=0\n' >>"$ENGINE/env"
	compose up -d --wait --wait-timeout 120 || return
	equal "$(ids web)" '' || return
	! readme_get / || { echo "port 8000 answers" && return 1; }
	equal "$(curl -s --noproxy '*' --max-time 5 "http://127.0.0.1:$PORT/readyz")" '{"status":"ready"}' || return
	sed -i '$d' "$ENGINE/env"
	nothing_is_left
}

# ---- half-made clusters ----

data_folder() {
	docker volume inspect -f '{{.Mountpoint}}' payhook-test_data
}

# Kills the container in the middle, as a power cut may; docker starts it again.
half_made_is_made_anew() {
	local id folder until=$((SECONDS + 60))
	compose run --rm --no-deps password && compose up --no-start --no-deps db || return
	id=$(compose ps -aq db) folder=$(data_folder)
	docker start "$id" || return
	until [[ -s $folder/15.new/PG_VERSION ]]; do
		((SECONDS < until)) || { docker logs "$id" && return 1; }
	done
	kill -KILL "$(docker inspect -f '{{.State.Pid}}' "$id")" || return
	[[ ! -e $folder/15 ]] || { echo "it was whole when it was killed" && return 1; }
	compose up -d --wait --wait-timeout 120 && readme_takes_a_webhook && readme_selects || return
	[[ ! -e $folder/15.new ]]
}

# ---- the upgrade from the service "database" ----

# old_compose ARGS - the release before: its database service, with an owner that POSTGRES_USER named.
old_compose() {
	mkdir -p "$ENGINE/old"
	cat >"$ENGINE/old/roles" <<-'END'
		#!/bin/bash
		psql -q -v ON_ERROR_STOP=1 -U postgres -d postgres <<'SQL'
			CREATE ROLE shop LOGIN PASSWORD 'x';
			CREATE ROLE payhook_app LOGIN PASSWORD 'x';
			CREATE DATABASE payments OWNER shop TEMPLATE template0;
			\connect payments
			SET ROLE shop;
			CREATE SCHEMA payhook;
			CREATE TABLE payhook.kept AS SELECT 'kept'::text AS what;
		SQL
	END
	chmod 755 "$ENGINE/old" "$ENGINE/old/roles"
	cat >"$ENGINE/old.yml" <<-END
		services:
		  database:
		    image: postgres:15
		    user: postgres
		    command: postgres -c listen_addresses=*
		    environment: {POSTGRES_PASSWORD_FILE: /etc/hostname, POSTGRES_INITDB_ARGS: --data-checksums --encoding=UTF8 --locale=C.UTF-8}
		    volumes: ["data:/var/lib/postgresql/data", "$ENGINE/old:/docker-entrypoint-initdb.d:ro"]
		    tmpfs: [/tmp, "/var/run/postgresql:uid=999,gid=999"]
		    stop_signal: SIGINT
		    healthcheck: {test: [CMD, pg_isready, -q, -h, 127.0.0.1], interval: 1s, start_period: 1m}
		volumes: {data: }
	END
	env -i PATH="$PATH" HOME="$ENGINE" DOCKER_HOST="$DOCKER_HOST" DOCKER_CONFIG="$DOCKER_CONFIG" \
		docker compose --progress plain -p payhook-test -f "$ENGINE/old.yml" "$@"
}

old_sql() {
	docker exec payhook-test-database-1 psql -X -q -At -U postgres -d payments -c "$1"
}

# logs_contain ID TEXT
logs_contain() {
	docker logs "$1" 2>&1 | grep -F "$2"
}

# While the orphan runs, no second server starts on its files.
orphan_keeps_its_data() {
	old_compose up -d --wait --wait-timeout 60 || return
	compose run --rm --no-deps password && compose up -d --no-deps db || return
	await 20 logs_contain "$(compose ps -aq db)" 'docker compose up -d --remove-orphans' || return
	equal "$(old_sql 'SELECT what FROM payhook.kept')" kept || return
	[[ -e $(data_folder)/postmaster.pid && ! -e $(data_folder)/15 && ! -e $(data_folder)/15.moving ]]
}

upgraded_sql() {
	docker exec "$(ids db)" psql -X -q -At -U postgres -d payments -c "$1"
}

orphan_is_replaced() {
	local id
	# With the name of another database it does not go on with an empty one.
	sed -i 's/^POSTGRES_DB=.*/POSTGRES_DB=elsewhere/' "$ENGINE/env"
	compose up -d --remove-orphans --no-deps db || return
	id=$(compose ps -aq db)
	await 60 logs_contain "$id" 'there is no database elsewhere: set POSTGRES_DB to payments' || return
	sed -i 's/^POSTGRES_DB=.*/POSTGRES_DB=payments/' "$ENGINE/env"
	compose up -d --remove-orphans --wait --wait-timeout 180 || return
	equal "$(upgraded_sql 'SELECT what FROM payhook.kept')" kept || return
	equal "$(upgraded_sql "SELECT tableowner FROM pg_tables WHERE schemaname = 'payhook' AND tablename = 'kept'")" payhook || return
	readme_takes_a_webhook
}

# Somebody goes back to the release before and leaves the new server running.
old_release_finds_no_cluster() {
	local id
	old_compose up -d || return
	await 20 old_ended || return
	logs_contain payhook-test-database-1 'exists but is not empty' || return
	readme_processed && readme_takes_a_webhook || return
	old_compose rm -f database
}

# The procedure of docs/compose.md.
old_release_gets_it_back() {
	compose down || return
	# shellcheck disable=SC2016
	compose run --rm --no-deps db sh -c 'mv "$PGDATA"/* "$PGDATA"/.. && rmdir "$PGDATA"' || return
	old_compose up -d --wait --wait-timeout 60 || return
	equal "$(old_sql 'SELECT what FROM payhook.kept')" kept || return
	equal "$(old_sql "SELECT status FROM payhook.transactions WHERE transaction_id = 'txn_readme'")" PROCESSED || return
	old_compose down && nothing_is_left
}

old_ended() {
	equal "$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' payhook-test-database-1)" 'exited 1'
}

# A second container on the same volume waits for nothing and changes nothing.
second_is_refused() {
	local output
	! output=$(compose run --rm --no-deps db 2>&1) || { echo "$output" && return 1; }
	[[ $output == *'another container runs PostgreSQL on this volume'* ]] || { echo "$output" && return 1; }
	readme_processed
}
