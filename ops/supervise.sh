# shellcheck shell=bash disable=SC2034,SC2154
# "up": brings the parts up in order, waits until a webhook could be accepted, and then keeps them running.

READY_WITHIN_MS=20000

is_running() {
	[[ -e $RUN/lock ]] && ! flock -n -s "$RUN/lock" true 2>/dev/null
}

# stopped_await SECONDS
stopped_await() {
	local until
	now_ms
	until=$((NOW + $1 * 1000))
	while is_running; do
		now_ms
		((NOW < until)) || return 1
		nap
	done
}

address() {
	local port=${1:-$PAYHOOK_PORT}
	[[ $port != 80 ]] || { echo http://localhost && return; }
	echo "http://localhost:$port"
}

# The lock is the proof that an instance runs: it goes with its process, however that ends, and no part inherits it.
lock_take() {
	run_folder_make
	exec 9>>"$RUN/lock"
	flock -w 0.5 9 || return 1
	# Its last holder has removed it with the folder while we waited.
	if ! [[ $RUN/lock -ef /proc/self/fd/9 ]]; then
		lock_take
		return
	fi
	record_write payhook $$ 0
	rm -f -- "$RUN/port"
}

# Only by who has the lock: nothing that is left there says anything then.
run_folder_remove() {
	rm -rf -- "$RUN"
}

already_running() {
	local port=
	{ read -r port <"$RUN/port"; } 2>/dev/null || true
	[[ -n $port ]] || fail 1 "another \"payhook up\" for $VAR is starting"
	[[ $port == "$PAYHOOK_PORT" ]] ||
		fail 1 "already running at port $port, not PAYHOOK_PORT=$PAYHOOK_PORT; \"payhook down\" stops it"
	say "already running at $(address "$port")"
	exit "$1"
}

cmd_up() {
	local detach=''
	case "$*" in
	'') ;;
	-d | --detach) detach=yes ;;
	*) fail 2 "up takes -d (in the background) or nothing, not: $*" ;;
	esac
	! is_running || already_running "$([[ -n $detach ]] && echo 0 || echo 1)"
	now_ms
	BEGUN=$NOW
	up_prepare
	if [[ -n $detach ]]; then
		up_detached
	else
		supervise foreground
	fi
}

up_prepare() {
	packages_need run build ${DB_PRIVATE:+database}
	user_make
	lock_take || already_running 1
	leftovers_end
	# Until the supervisor sees to it.
	trap run_folder_remove EXIT
	ports_check
	state_folder_make
	logs_bound
	build_programs
	programs_copy
	programs_check_settings
	files_limit
	nginx_prepare "$RUN/app.sock"
}

# The supervisor in a session of its own.  It says what it does on a pipe until it is ready, or ends.
up_detached() {
	local out line supervisor status=0
	exec {out}< <(BEGUN=$BEGUN exec setsid "$ME" supervise </dev/null 2>&1)
	supervisor=$!
	exec 9>&-
	trap - EXIT
	trap 'kill -TERM "$supervisor" 2>/dev/null' INT TERM
	while IFS= read -r line <&"$out"; do
		printf '%s\n' "$line"
	done
	if [[ -e $RUN/port ]] && kill -0 "$supervisor" 2>/dev/null; then
		exit 0
	fi
	wait "$supervisor" || status=$?
	exit "$((status > 0 ? status : 1))"
}

# What "up -d" starts: the lock comes with it as descriptor 9.
cmd_supervise() {
	[[ -e /proc/self/fd/9 && -d $RUN ]] || fail 2 "supervise is started by \"up -d\" only"
	record_write payhook $$ 0
	supervise background
}

stop_ask() {
	STOP=yes
	[[ -z ${TICKER-} ]] || kill "$TICKER" 2>/dev/null || true
}

supervise() {
	STOP='' TICKER='' FOLLOWER=''
	SAY_LOG=$STATE/log/payhook.log
	PARTS=(worker pool nginx)
	[[ -z $DB_PRIVATE ]] || PARTS=(postgres "${PARTS[@]}")
	declare -gA BEGAN=() DEAD=() DEATHS=()
	trap stop_ask INT TERM HUP
	# Handled, not ignored: an ignored signal would be inherited by the parts.
	trap : PIPE
	trap finish EXIT
	bring_up
	printf '%s\n' "$PAYHOOK_PORT" >"$RUN/port"
	announce "$1"
	if [[ $1 == background ]]; then
		exec >/dev/null 2>>"$SAY_LOG"
	else
		follow
	fi
	keep_up
	say "stopping"
}

# However the supervisor ends, by a fault of its own too, its parts end with it.
finish() {
	local status=$?
	trap '' INT TERM HUP
	trap - EXIT
	rm -f -- "$RUN/port"
	# bash would tell of every child that a signal ended.
	parts_stop 2>/dev/null
	say "stopped"
	if [[ -n $FOLLOWER ]]; then
		sleep 0.1
		kill -TERM -- "-$FOLLOWER" 2>/dev/null || true
	fi
	run_folder_remove
	[[ $STOP != yes ]] || status=0
	exit "$status"
}

bring_up() {
	if [[ -n $DB_PRIVATE ]]; then
		database_prepare
		part_begin postgres
		database_await
		database_roles || fail 1 "the role payhook and its database cannot be made"
	fi
	database_migrate || fail 1 "the database could not be migrated"
	part_begin worker
	part_begin pool
	part_begin nginx
	ready_await
}

part_begin() {
	now_ms
	BEGAN[$1]=$NOW DEAD[$1]=''
	part_start "$1" "${DEATHS[$1]:-0}"
}

stop_check() {
	[[ -z $STOP ]] || exit 0
}

# After a crash PostgreSQL first replays its log, which may take minutes: as long as it lives, it is waited for.
database_await() {
	local told
	now_ms
	told=$NOW
	until database_is_ready; do
		stop_check
		part_runs postgres || part_failed postgres "PostgreSQL ended"
		now_ms
		if ((NOW - told > 3000)); then
			told=$NOW
			say "waiting for PostgreSQL, which recovers its data"
		fi
		nap
	done
}

# part_failed PART TEXT: with the end of what the part had to say.
part_failed() {
	printf -- '--- the end of %s\n' "$STATE/log/$1.log" >&2
	tail -n 15 -- "$STATE/log/$1.log" >&2 || true
	printf -- '---\n' >&2
	fail 1 "$2"
}

ready_code() {
	curl -s -o /dev/null -m 2 --noproxy '*' -w '%{http_code}' "http://127.0.0.1:$1/readyz" 9>&- || true
}

ready_await() {
	local until part code
	now_ms
	until=$((NOW + READY_WITHIN_MS))
	while :; do
		stop_check
		code=$(ready_code "$PAYHOOK_PORT")
		[[ $code != 200 ]] || return 0
		parts_tend
		for part in "${PARTS[@]}"; do
			((${DEATHS[$part]:-0} < 3)) || part_failed "$part" "$part does not stay up"
		done
		now_ms
		((NOW < until)) || break
		nap
	done
	[[ $code != 000 ]] || part_failed nginx "nginx does not answer on port $PAYHOOK_PORT"
	part_failed pool "not ready within $((READY_WITHIN_MS / 1000)) s: GET /readyz answers $code"
}

announce() {
	local url
	url=$(address)
	now_ms
	say "ready at $url after $(((NOW - BEGUN) / 1000)).$(((NOW - BEGUN) % 1000 / 100)) s; send it a webhook:"
	cat <<-END || true
		  curl -i $url/v1/webhooks/transactions -H 'Content-Type: application/json' \\
		    -d '{"transaction_id":"txn_1","source_account":"acc_a","destination_account":"acc_b","amount":1500,"currency":"INR"}'
	END
	[[ -z $TLS_PORT ]] || say "and with TLS at https://localhost:$TLS_PORT"
	if [[ $1 == foreground ]]; then
		say "Ctrl-C stops it"
	fi
}

# Shows on the terminal what the parts log from now on.  It ends with this process, even when that is killed.
follow() {
	local -a files=("${PARTS[@]/#/$STATE/log/}")
	setsid bash -c "$(declare -f logs_show); logs_show -n 0 -F --pid=$$ -- \"\$@\"" logs "${files[@]/%/.log}" </dev/null 9>&- &
	FOLLOWER=$!
}

keep_up() {
	local tick=5
	while :; do
		sleep "$tick" 9>&- >/dev/null 2>&1 &
		TICKER=$!
		# After the ticker exists: a signal before this line is seen here, one after it ends the ticker.
		[[ -z $STOP ]] || break
		wait -n 2>/dev/null || true
		kill "$TICKER" 2>/dev/null || true
		wait "$TICKER" 2>/dev/null || true
		TICKER=''
		[[ -z $STOP ]] || break
		parts_tend
		tick=$TEND_AGAIN
		logs_bound
	done
	kill "$TICKER" 2>/dev/null || true
}

how_it_ended() {
	local status=0
	wait "$1" 2>/dev/null || status=$?
	if ((status > 128)); then
		echo "killed by SIG$(kill -l "$status" 2>/dev/null || echo "$((status - 128))")"
	else
		echo "status $status"
	fi
}

# Starts again what has died: at once when it had lived for a second, else a second after its last start.
# Sets TEND_AGAIN: in how many seconds to look again at the latest.  Soon, when something died: another part may be dying,
# and when it ends while this looks, bash's wait -n does not tell of it.
parts_tend() {
	local part wait_ms found=''
	TEND_AGAIN=5
	for part in "${PARTS[@]}"; do
		! part_runs "$part" || continue
		[[ -n $STOP ]] && return 0
		if [[ -z ${DEAD[$part]} ]]; then
			DEAD[$part]=yes found=yes
			DEATHS[$part]=$((${DEATHS[$part]:-0} + 1))
			say "$part ended ($(how_it_ended "$R_PID")); starting it again"
		fi
		now_ms
		wait_ms=$((BEGAN[$part] + 1000 - NOW))
		if ((wait_ms > 0)); then
			TEND_AGAIN=$(printf '0.%03d' "$((wait_ms < 999 ? wait_ms : 999))")
			continue
		fi
		part_end_members "$part"
		part_begin "$part"
	done
	[[ -z $found ]] || TEND_AGAIN=0.2
}
