# shellcheck shell=bash disable=SC2034,SC2154
# The four parts as processes: how each is started, recorded, found again and ended.
#
# Every part is a session of its own, so that the terminal's Ctrl-C reaches the supervisor alone, and has a record
# $RUN/<part>.pid: "pid start restarts since".  The start time (clock ticks, as /proc gives it) tells it from a stranger
# that was given the same pid later.

ALL_PARTS=(nginx pool worker postgres)


now_ms() {
	local now=${EPOCHREALTIME/[.,]/}
	NOW=$((now / 1000))
}

nap() {
	sleep 0.05 9>&-
}

# Sets P_STATE, P_SESSION and P_START of a process.
proc_read() {
	local line=
	{ IFS= read -r -d '' line <"/proc/$1/stat"; } 2>/dev/null || [[ -n $line ]] || return 1
	local -a field
	# The name before the last parenthesis may hold anything.
	read -ra field <<<"${line##*) }"
	P_STATE=${field[0]} P_SESSION=${field[3]} P_START=${field[19]}
}

record_write() {
	proc_read "$2" || P_START=0
	printf '%s %s %s %(%s)T\n' "$2" "$P_START" "$3" -1 >"$RUN/$1.pid"
}

# Sets R_PID, R_START, R_RESTARTS, R_SINCE.
record_read() {
	R_PID='' R_START='' R_RESTARTS=0 R_SINCE=0
	{ read -r R_PID R_START R_RESTARTS R_SINCE <"$RUN/$1.pid"; } 2>/dev/null
}

# The process of the record itself, not another one with its pid and not a zombie.
part_runs() {
	record_read "$1" && proc_read "$R_PID" && [[ $P_START == "$R_START" && $P_STATE != Z ]]
}

part_has_name() {
	case $1 in
	nginx) [[ $2 == nginx ]] ;;
	pool) [[ $2 == multiwatch || $2 == payhook-app || $2 == spawn-fcgi ]] ;;
	worker) [[ $2 == payhook-worker ]] ;;
	postgres) [[ $2 == postgres ]] ;;
	esac
}

# Sets MEMBERS: what is left of a part besides its first process, for it may have died before its children.  They are
# of its session and carry its program's name; PostgreSQL's processes have sessions of their own but stand in its folder.
part_members() {
	local folder pid name
	MEMBERS=()
	record_read "$1" || return 0
	for folder in /proc/[0-9]*; do
		pid=${folder#/proc/}
		{ read -r name <"$folder/comm"; } 2>/dev/null || continue
		part_has_name "$1" "$name" || continue
		proc_read "$pid" || continue
		[[ $pid != "$R_PID" && $P_STATE != Z ]] || continue
		if [[ $P_SESSION == "$R_PID" || ($1 == postgres && "$folder/cwd" -ef $STATE/pg) ]]; then
			MEMBERS+=("$pid")
		fi
	done
}

part_is_left() {
	part_runs "$1" && return 0
	part_members "$1"
	[[ ${#MEMBERS[@]} -gt 0 ]]
}

# CONT, so that a frozen part hears it too, its children included; and before the signal, since what ends by it may stop
# itself on its way: the leak sanitizer attaches to its process as a debugger does, and hangs when CONT undoes that.
part_signal() {
	if part_runs "$1"; then
		part_members "$1"
		kill -CONT "$R_PID" "${MEMBERS[@]}" 2>/dev/null || true
		kill "-$2" "$R_PID" 2>/dev/null || true
	fi
}

# part_await PART MS
part_await() {
	local until
	now_ms
	until=$((NOW + $2))
	while part_is_left "$1"; do
		now_ms
		((NOW < until)) || return 1
		nap
	done
}

part_kill() {
	part_members "$1"
	part_signal "$1" KILL
	[[ ${#MEMBERS[@]} -eq 0 ]] || kill -KILL "${MEMBERS[@]}" 2>/dev/null || true
	part_await "$1" 5000 || true
}

# What a dead part's children hold (nginx its port, the pool its socket) would keep it from starting again.
part_end_members() {
	local signal=QUIT
	[[ $1 != pool ]] || signal=USR2
	part_members "$1"
	[[ ${#MEMBERS[@]} -gt 0 ]] || return 0
	# PostgreSQL's see for themselves that their first process is gone.
	[[ $1 == postgres ]] || kill "-$signal" "${MEMBERS[@]}" 2>/dev/null || true
	part_await "$1" 500 || part_kill "$1"
}

start_postgres() {
	database_unlock
	exec setsid "${AS_DB[@]}" "$PGBIN/postgres" -D "$STATE/pg"
}

# connects_as ROLE: of a private cluster the programs are not the owner; see schema/0010_roles.sql.
connects_as() {
	[[ -z $DB_PRIVATE ]] || export DATABASE_URL=${DATABASE_URL/ user=payhook / user=$1 }
}

start_worker() {
	connects_as payhook_worker
	export HOME=/nonexistent
	exec setsid "${AS_APP[@]}" "$STATE/bin/payhook-worker"
}

# Beside the sockets, in memory: the counts outlive a responder, not the instance.
metrics_folder_make() {
	[[ -z ${METRICS_FOLDER-} ]] || return 0
	export METRICS_FOLDER=$RUN/metrics
	mkdir -p -- "$METRICS_FOLDER"
	chmod 700 -- "$METRICS_FOLDER"
	[[ -z $APP_USER ]] || chown payhook:payhook -- "$METRICS_FOLDER"
}

start_pool() {
	local -a owner=()
	[[ -z $APP_USER ]] || owner=(-U payhook -G payhook -u payhook -g payhook)
	connects_as payhook_app
	metrics_folder_make
	export HOME=/nonexistent
	exec setsid "${BARE[@]}" -- "$HERE/ops/pool" "$STATE/bin/payhook-app" -s "$RUN/app.sock" -M 0660 "${owner[@]}"
}

# Whether responders that are started now will stay: with the environment of the pool that runs, which they inherit, and
# as its user.  No variable becomes an argument, which everybody could see.
pool_check() {
	local answer variable
	local -a inherited=()
	part_runs pool || fail 1 "the pool does not run"
	mapfile -d '' -t inherited < <("${AS_APP[@]}" cat "/proc/$R_PID/environ" 2>/dev/null)
	[[ ${#inherited[@]} -gt 0 ]] || fail 1 "the pool's environment cannot be read; its responders go on as they are"
	answer=$(
		for variable in $(compgen -e); do
			export -n "${variable?}"
		done
		for variable in "${inherited[@]}"; do
			[[ ! $variable =~ ^[A-Za-z_][A-Za-z0-9_]*= ]] || export "${variable?}" 2>/dev/null || true
		done
		"${AS_APP[@]}" "$STATE/bin/payhook-app" --check 2>&1 >/dev/null
	) && return 0
	[[ -z $answer ]] || printf '%s\n' "$answer" >&2
	fail 2 "refused; the responders go on with what they have"
}

start_nginx() {
	# So that the times in its log are those of the programs.
	export TZ=UTC
	exec setsid "${BARE[@]}" -- nginx -p "$STATE/nginx/" -c nginx.conf -e stderr
}

# part_start PART RESTARTS
part_start() {
	"start_$1" >>"$STATE/log/$1.log" 2>&1 </dev/null 9>&- &
	record_write "$1" "$!" "$2"
}

# Ends a part that does not listen: asks again with a second signal, then kills.
part_finish() {
	local part=$1 patience_ms=$2 signal=$3
	part_await "$part" "$patience_ms" && return 0
	say "$part did not stop within $((patience_ms / 1000)) s; ending it"
	part_signal "$part" "$signal"
	part_await "$part" 3000 || part_kill "$part"
}

# In the order that loses nothing: no new requests; then those who answer and those who work; the database last.
parts_stop() {
	local part
	# By SIGQUIT nginx and the responders finish what they have begun.
	part_signal nginx QUIT
	part_signal worker TERM
	part_finish nginx 6000 TERM
	part_signal pool TERM
	part_finish pool 5000 TERM
	part_finish worker "$((10#${WORKER_GRACE_MS:-2000} + 3000))" KILL
	if part_runs postgres; then
		part_signal postgres INT
	fi
	part_finish postgres 60000 QUIT
	for part in "${ALL_PARTS[@]}"; do
		rm -f -- "$RUN/$part.pid"
	done
}

# Ends what a supervisor that was killed left behind.
leftovers_end() {
	local part found=()
	for part in "${ALL_PARTS[@]}"; do
		if part_is_left "$part"; then
			found+=("$part")
		else
			rm -f -- "$RUN/$part.pid"
		fi
	done
	[[ ${#found[@]} -gt 0 ]] || return 0
	say "ending what an earlier run left behind: ${found[*]}"
	for part in "${found[@]}"; do
		part_runs "$part" || part_end_members "$part"
	done
	parts_stop
}
