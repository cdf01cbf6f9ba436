# shellcheck shell=bash disable=SC2154
# ./payhook status: the parts of "up", and what the database knows.
#
# Its exit status is for scripts: 0 all is well; 1 something needs attention; 2 an argument or a setting is wrong; 3 payhook is
# down: not running, not ready, no worker lives, or the database does not answer.

ago() {
	local s=$(($1 < 0 ? 0 : $1))
	if ((s < 120)); then
		echo "$s s"
	elif ((s < 7200)); then
		echo "$((s / 60)) min"
	elif ((s < 172800)); then
		echo "$((s / 3600)) h"
	else
		echo "$((s / 86400)) days"
	fi
}

# status_part PART - returns 1 if it is down; the supervisor starts it again.
status_part() {
	local more=''
	if ! part_runs "$1"; then
		printf '  %-9s down\n' "$1"
		return 1
	fi
	if [[ $1 == pool ]]; then
		part_members pool
		more="  (responders: ${#MEMBERS[@]})"
	fi
	printf '  %-9s pid %-8s up %-8s since %(%F %T)T  restarts %s%s\n' \
		"$1" "$R_PID" "$(ago $((EPOCHSECONDS - R_SINCE)))" "$R_SINCE" "$R_RESTARTS" "$more"
}

# open_sources URL - prints the sources that accept unsigned webhooks, and from where; nothing if there are none.
open_sources() {
	local answer
	answer=$(readyz "$1") || return 0
	[[ $answer =~ \"open_sources\":\[([^]]*)\],\"open_source_from\":\"([^\"]*)\" ]] || return 0
	answer=${BASH_REMATCH[1]//\"/}
	printf 'webhooks to %s; OPEN_SOURCE_FROM=%s\n' "${answer//,/, }" "${BASH_REMATCH[2]}" | printable
}

# processor_note - prints the processor of the running worker.  The settings may have changed since it started; the responders
# have the variable too, and "up" has written their environment into a file.
processor_note() {
	local name
	[[ -r $RUN/pool.env ]] || return 0
	name=$(sed -zn 's/^PROCESSOR=//p' "$RUN/pool.env" | tr -d '\0')
	if [[ ${name:-simulated} == simulated ]]; then
		printf 'simulated: it calls nobody, and transactions become PROCESSED\n'
	else
		printf '%s\n' "$name"
	fi
}

# database_status [--json] - prints what the database knows, by the running payhook's own tool, and returns its status.
database_status() {
	local tool
	for tool in "$STATE/bin/payhook-ctl" "$BUILD/ctl/payhook-ctl"; do
		"$tool" status --help >/dev/null 2>&1 || continue
		"$tool" status "$@" || return
		return 0
	done
	info "the running programs are of an earlier version, without \"status\": ./payhook reload" >&2
	return 1
}

# status_begin - sets URL, or ends with status 3 if payhook is not running, as init scripts do.
status_begin() {
	URL=''
	if ! is_running; then
		info "not running; data folder $STATE"
		exit 3
	fi
	{ read -r URL <"$RUN/port"; } 2>/dev/null || true
	if [[ -z $URL ]]; then
		info "starting or stopping; data folder $STATE"
		exit 3
	fi
}

# status_certificate - prints the line of nginx's certificate, if it has one; returns 1 if that has expired.
status_certificate() {
	local certificate status=0
	certificate=$(tls_expiry_note) || status=1
	[[ -z $certificate ]] || printf '  TLS       %s\n' "$certificate"
	return "$status"
}

cmd_status() {
	local URL part open status=0 of_database=0
	if [[ ${1-} == --json ]]; then
		status_begin >&2
		database_status --json || status=$?
		exit "$status"
	fi
	status_begin
	if [[ $(ready_code "$URL") == 200 ]]; then
		info "running at $URL, ready"
	else
		info "running at $URL, not ready"
		status=3
	fi
	for part in "${ALL_PARTS[@]}"; do
		[[ $part != postgres || -n $DB_PRIVATE ]] || continue
		[[ $part != console || -e $RUN/console.pid ]] || continue
		status_part "$part" || status=$(worse "$status" 1)
	done
	database_status || of_database=$?
	status=$(worse "$status" "$of_database")
	status_certificate || status=$(worse "$status" 1)
	open=$(open_sources "$URL")
	[[ -z $open ]] || printf '  unsigned  %s\n' "$open"
	[[ -n $DB_PRIVATE ]] || printf '  database  an existing server\n'
	printf '  data      %s\n  sockets   %s\n' "$STATE" "$RUN"
	exit "$status"
}
