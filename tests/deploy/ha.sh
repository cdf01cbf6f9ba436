#!/bin/bash
# ha.sh - runs docker-compose.ha.yml, and takes nodes away while webhooks arrive: nothing that was answered 202 is lost.
# Prints TAP.
set -uo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$ROOT/tests/support/tap.sh"
# shellcheck source=tests/deploy/trees.sh
source "$ROOT/tests/deploy/trees.sh"
# shellcheck source=tests/deploy/engine.sh
source "$ROOT/tests/deploy/engine.sh"
deadline 800 "$@"

CACHE=$ROOT/var/deploy
LOAD=$ROOT/tests/deploy/ha_load.py
PORT=$((20000 + $$ % 10000))
SECOND_PORT=$((PORT + 1))
# A lost node: ttl, and 8 s for the election, the promotion and the programs' new connections.
LOST_MOST_S=28
SWITCHOVER_MOST_S=5
# On a slow machine PostgreSQL and Patroni themselves need longer.
AFTER_DATABASE_MOST_S=5
engine_folder_make
DIR=$ENGINE
RECORD=$ENGINE/record
export DOCKER_HOST=unix://$ENGINE/docker.sock DOCKER_CONFIG=$ENGINE/config

compose() {
	env -i PATH="$PATH" HOME="$ENGINE" DOCKER_HOST="$DOCKER_HOST" DOCKER_CONFIG="$DOCKER_CONFIG" \
		docker compose --progress plain -p payhook-test --project-directory "$ROOT" --env-file "$ENGINE/env" \
		-f "$ROOT/docker-compose.yml" -f "$ROOT/docker-compose.ha.yml" "$@"
}

clean_up() {
	trap '' TERM INT HUP
	[[ -z ${LOADER-} ]] || kill -KILL "$LOADER" 2>/dev/null
	if [[ -n ${DOCKERD-} ]]; then
		timeout 20 docker ps -aq 2>/dev/null | timeout 20 xargs -r docker rm -f >/dev/null 2>&1
		engine_stop
	fi
	engine_folder_remove
}
trap clean_up EXIT

# Only this image is needed from elsewhere.
base_image() {
	tree_debian && docker import -c 'CMD ["bash"]' "$CACHE/debian.tar" debian:bookworm-slim
}

# What compose.sh has just built is not built again.
images_build() {
	engine_images_take programs || { compose build password app worker nginx && engine_images_keep programs; } || return
	engine_images_take nodes || { compose build etcd1 db1 && engine_images_keep nodes; }
}

container() {
	echo "payhook-test-$1-1"
}

# ---- the cluster, as patronictl sees it ----

# patroni_ctl ARGS - in the first database container that runs.
patroni_ctl() {
	local node
	for node in db1 db2 db3; do
		if [[ $(docker inspect -f '{{.State.Running}}' "$(container "$node")") == true ]]; then
			docker exec "$(container "$node")" docker/patroni ctl "$@"
			return
		fi
	done
	return 1
}

# with_role ROLE [LIST] - the nodes that have it and work: Leader, "Sync Standby", Replica.
with_role() {
	local list
	list=${2-$(patroni_ctl list -f json)}
	python3 -c '
import json, sys
print(*(node["Member"] for node in json.load(sys.stdin)
	if node["Role"] == sys.argv[1] and node["State"] in ("running", "streaming")))' "$1" <<<"$list"
}

# One leader, one standby that every commit waits for, and one more that follows.  It is asked until it is true, and patronictl is
# Python: it is called once, and not again at once.
is_whole() {
	local list leader sync replica
	list=$(patroni_ctl list -f json)
	leader=$(with_role Leader "$list") && sync=$(with_role 'Sync Standby' "$list") && replica=$(with_role Replica "$list")
	[[ -n $leader && -n $sync && -n $replica ]] || { echo "$list" && sleep 2 && return 1; }
	equal "$(wc -w <<<"$leader $sync $replica")" 3 || return
	equal "$(sql "$leader" "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")" 2
}

# sql NODE STATEMENT - as the superuser, inside the container.
sql() {
	docker exec -i "$(container "$1")" psql -X -q -At -v ON_ERROR_STOP=1 -U postgres -d payhook -c "$2" "${@:3}"
}

# The settings in force are those of docker/patroni.yml, and docs/ha.md has the same.
settings_are_in_force() {
	patroni_ctl show-config >"$ENGINE/config.yml" && "$ROOT/tests/deploy/ha_settings.py" "$ENGINE/config.yml"
}

# As the responders see it.
keeps_the_promise() {
	docker exec "$(container app)" payhook-ctl check
}

# ---- containers ----

containers_are_confined() {
	local id options
	for id in $(docker ps -aq); do
		options=$(docker inspect -f '{{.Name}} {{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}} {{.HostConfig.SecurityOpt}} {{.HostConfig.Privileged}}' "$id")
		[[ $options =~ \ (payhook|postgres|web)\ true\ \[ALL\]\ \[\]\ \[no-new-privileges:true\]\ false$ ]] ||
			{ echo "$options" && return 1; }
	done
}

# Only the nodes reach etcd and Patroni, which trust the network.
consensus_is_the_nodes_alone() {
	local names
	names=$(docker network inspect -f '{{range .Containers}}{{.Name}}{{"\n"}}{{end}}' payhook-test_consensus | sed -n 's/^payhook-test-\(.*\)-1$/\1/p' | sort | paste -sd' ')
	equal "$names" 'db1 db2 db3 etcd1 etcd2 etcd3' || return
	! docker exec "$(container app)" timeout 2 bash -c 'exec 3<>/dev/tcp/10.89.78.21/2379' 2>/dev/null ||
		{ echo "app connects to etcd" && return 1; }
}

# ---- the load, and what it recorded ----

load_begin() {
	"$LOAD" "$RECORD" txn "$PORT" "$SECOND_PORT" >"$ENGINE/load" 2>&1 &
	LOADER=$!
}

# Must not run inside a check: only the shell that started the load can wait for it.
load_end() {
	kill -TERM "$LOADER"
	wait "$LOADER"
	LOADER=
	note "answers: $(cat "$ENGINE/load"); ids answered 202: $(cut -f 1 "$RECORD" | sort -u | wc -l)"
}

# Seconds since the start of the machine, as in the record.
now() {
	cut -d ' ' -f 1 /proc/uptime
}

accepted_after() {
	tail -n 1 "$RECORD" | awk -F '\t' -v at="$1" '{ exit !($3 > at) }'
}

# Another node than this one leads.
led_by_another() {
	local leader
	leader=$(with_role Leader)
	[[ -n $leader && $leader != "$1" ]] || { patroni_ctl list && return 1; }
}

# database_back - the time at which the leader could first commit, by its log: it was ready, and a standby had connected, for which
# commits wait.
database_back() {
	local at
	at=$(docker logs -t "$(container "$(with_role Leader)")" 2>&1 |
		awk '/system is ready to accept connections/ { at = $1; is_ready = 1 } is_ready && /is now a synchronous standby/ { at = $1; is_ready = 0 }
			END { print at }')
	awk -v at="$(date -d "$at" +%s.%N)" -v wall="$(date +%s.%N)" -v now="$(now)" 'BEGIN { printf "%.3f\n", now - (wall - at) }'
}

# back_within SECONDS FROM OLD-LEADER - when another node leads and webhooks are accepted again, compares the longest time
# without a 202 since FROM; or else the longest since the database is back.  The record is looked at first: patronictl is Python,
# and asked again and again it would take the processor from what is measured.
back_within() {
	local gap after
	await 60 accepted_after "$(now)" && await 60 led_by_another "$3" && await 60 accepted_after "$(now)" || return
	gap=$("$LOAD" --gap "$RECORD" "$2" "$(now)")
	after=$("$LOAD" --gap "$RECORD" "$(database_back)" "$(now)")
	echo "$gap s, of them $after s after the database was back" >"$ENGINE/gap"
	awk -v gap="$gap" -v most="$1" -v after="$after" -v after_most="$AFTER_DATABASE_MOST_S" \
		'BEGIN { exit !(gap <= most || after <= after_most) }' || { cat "$ENGINE/gap" && return 1; }
}

gap_note() {
	note "longest time without a 202: $(cat "$ENGINE/gap"); load of the machine: $(cut -d ' ' -f 1-3 /proc/loadavg)"
}

# Three tries for what has to come within some seconds: other work on the machine only ever makes one longer.
switched_over() {
	switch_over || { await 60 is_whole && switch_over; } || { await 60 is_whole && switch_over; }
}

switch_over() {
	local leader sync began
	leader=$(with_role Leader) sync=$(with_role 'Sync Standby') began=$(now)
	patroni_ctl switchover payhook --leader "$leader" --candidate "$sync" --force &&
		back_within "$SWITCHOVER_MOST_S" "$began" "$leader"
}

# Two tries, likewise.
node_is_lost() {
	lose_node || { node_comes_back && lose_node; }
}

# The node that leads, and the etcd beside it.
lose_node() {
	local leader began
	leader=$(with_role Leader)
	echo "$leader" >"$ENGINE/lost"
	began=$(now)
	docker kill "$(container "$leader")" "$(container "etcd${leader#db}")" &&
		back_within "$LOST_MOST_S" "$began" "$leader"
}

node_comes_back() {
	local lost
	lost=$(<"$ENGINE/lost")
	docker start "$(container "$lost")" "$(container "etcd${lost#db}")" && await 60 is_whole
}

# post ID - prints the status.
post() {
	curl -s -m 5 -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' \
		-d "{\"transaction_id\": \"$1\", \"source_account\": \"a\", \"destination_account\": \"b\", \"amount\": \"1\", \"currency\": \"EUR\"}" \
		"http://127.0.0.1:$PORT/v1/webhooks/transactions"
}

answered() {
	equal "$(post "$1")" "$2"
}

# Strict: what only one node has is not acknowledged, however often it is sent.
alone_accepts_nothing() {
	local leader node try
	local -a others=()
	leader=$(with_role Leader)
	for node in db1 db2 db3; do
		[[ $node == "$leader" ]] || others+=("$(container "$node")")
	done
	docker kill "${others[@]}" || return
	for ((try = 0; try < 20; try++)); do
		answered alone 503 || return
	done
	docker start "${others[@]}" && await 60 answered alone 202
}

# Every id that was answered 202 is stored with its amount, and is processed.
all_processed() {
	local left leader
	leader=$(with_role Leader)
	left=$(sql "$leader" 'CREATE TEMP TABLE record (id text, amount numeric, at numeric)' -c 'COPY record FROM STDIN' \
		-c "SELECT count(*) || ' of ' || (SELECT count(DISTINCT id) FROM record) || ': ' ||
				coalesce(min(r.id || ' ' || coalesce(status, 'missing')), '')
			FROM record r LEFT JOIN payhook.transactions t ON t.transaction_id = r.id AND t.amount = r.amount
			WHERE t.status IS DISTINCT FROM 'PROCESSED'" <"$RECORD")
	[[ $left == '0 of '[1-9]* ]] || { echo "not stored and processed: $left" && return 1; }
	equal "$(sql "$leader" 'SELECT count(*) FROM payhook.reconciliation WHERE difference <> 0')" 0
}

# ---- the run ----

printf 'PAYHOOK_PORT=%d\nSECOND_PORT=%d\nPROCESSOR_DELAY_MS=20\n' "$PORT" "$SECOND_PORT" >"$ENGINE/env"
need "this machine can run docker" engine_possible
need "docker's plugins are there" engine_plugins
engine_start
need "dockerd answers" await 30 engine_answers
need "the base image is there" base_image
need "the images build" images_build
need "three nodes, three etcd, two nginx and two workers start" compose up -d --wait --wait-timeout 120
need "a leader, a synchronous standby and a replica" await 30 is_whole
check "the settings in force are those of docs/ha.md" settings_are_in_force
check "payhook-ctl check says that the server keeps the promise" keeps_the_promise
check "every container is confined" containers_are_confined
check "etcd and Patroni are reached by the nodes alone" consensus_is_the_nodes_alone
load_begin
need "webhooks are accepted" await 20 accepted_after "$(now)"
check "switchover: back within $SWITCHOVER_MOST_S s, or $AFTER_DATABASE_MOST_S s after the database" switched_over
gap_note
check "the old leader follows the new one" await 60 is_whole
check "the leader's node is lost: back within $LOST_MOST_S s, or $AFTER_DATABASE_MOST_S s after the database" node_is_lost
gap_note
check "the lost node comes back" node_comes_back
load_end
check "everything that was answered 202 is stored and processed" await 60 all_processed
check "with one node left, no webhook is accepted" alone_accepts_nothing
check "everything is still stored and processed" await 60 all_processed
finish
