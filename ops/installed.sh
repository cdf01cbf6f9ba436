# shellcheck shell=bash disable=SC2154
# What the package's payhook knows of its host: services, certificates, and the files of settings.
#
# PAYHOOK_ENV_FILE is the file of all services, beside which are those of one service; SITE is nginx's site.

# ---- status ----

# unit_show UNIT LABEL - prints a line about a service.  Returns 3 if it should run and does not.
unit_show() {
	local unit=$1 state since
	state=$(systemctl show -P ActiveState "$unit" 2>/dev/null) || state=unknown
	since=$(systemctl show -P StateChangeTimestamp "$unit" 2>/dev/null) || since=''
	if [[ $state != active ]] && ! systemctl is-enabled -q "$unit" 2>/dev/null; then
		printf '  %-9s %s, not enabled here\n' "$2" "$state"
		return 0
	fi
	printf '  %-9s %s%s\n' "$2" "$state" "${since:+ since $since}"
	[[ $state == active ]] || return 3
}

systemd_runs() {
	[[ -d /run/systemd/system ]]
}

# services_show - prints a line for each service of this host; returns the status that follows.  A container has none.
services_show() {
	local unit status=0
	local -a workers=()
	systemd_runs || return 0
	mapfile -t workers < <(systemctl list-units --all --plain --no-legend 'payhook-worker@*.service' 2>/dev/null | awk '{ print $1 }')
	unit_show payhook-app.service app || status=$?
	unit_show payhook-console.service console || status=$(worse "$status" 1)
	for unit in "${workers[@]}"; do
		unit_show "$unit" "${unit:8:-8}" || status=$(worse "$status" 1)
	done
	[[ $(systemctl show -P ActiveState payhook-migrate.service 2>/dev/null) != failed ]] || {
		printf '  %-9s failed: journalctl -u payhook-migrate\n' migrate
		status=$(worse "$status" 1)
	}
	return "$status"
}

# certificates_of_site - prints the paths of the certificates in nginx's site, or that of docker compose's nginx.
certificates_of_site() {
	[[ -z ${CERTIFICATE_IN_USE-} ]] || printf '%s\n' "$CERTIFICATE_IN_USE"
	[[ ! -r $SITE ]] || sed -nE 's/^[^#]*\bssl_certificate[[:space:]]+"?([^";]+)"?;.*/\1/p' "$SITE" | grep -v '^data:' || true
}

# certificates_show - prints a line for each certificate; returns 1 if one has expired.
certificates_show() {
	local file expires note status=0
	while IFS= read -r file; do
		expires=$(certificate_expires "$file")
		if [[ -z $expires ]]; then
			note="$file cannot be read by this user, or there is no openssl"
		else
			note=$(certificate_note "$file" "$expires") || status=1
		fi
		printf '  %-9s %s\n' TLS "$note" | printable
	done < <(certificates_of_site)
	return "$status"
}

# The services and the certificate as the caller sees them, then what the database knows.  $0 is the package's payhook.
status_show() {
	local status=0 more=0
	services_show || status=$?
	certificates_show || status=$(worse "$status" 1)
	"$0" status --database || more=$?
	exit "$(worse "$status" "$more")"
}

# ---- the files of settings ----

# own_file_read NAME - reads the file of one service.  Its settings count before those of all.  Others than root cannot.
own_file_read() {
	local file=${PAYHOOK_ENV_FILE%/*}/$1 sources
	[[ -r $file ]] || return 0
	# SOURCES_FILE names the variables of its secrets, and may be in the file of all services.
	if [[ -z ${SOURCES_FILE-} ]] && ! names_of_file "$file" | grep -qx SOURCES_FILE; then
		sources=$(env_file_read && printf '%s' "${SOURCES_FILE-}") || exit 2
		[[ -z $sources ]] || export SOURCES_FILE=$sources
	fi
	PAYHOOK_ENV_FILE=$file env_file_read
}

# files_check - refuses a name that is no setting in a file that a service reads, as that service does when it starts.
files_check() {
	local file refused=''
	(
		own_file_read payhook-app.env
		env_file_read
		for file in "${PAYHOOK_ENV_FILE%/*}"/payhook-{app,worker,migrate,console}.env; do
			if [[ -e $file && ! -r $file ]]; then
				info "$file cannot be read by this user, and is not checked" >&2
			elif [[ -e $file ]]; then
				names_check_file "$file" "$file" || refused=yes
			fi
		done
		names_check_file "$PAYHOOK_ENV_FILE" "$PAYHOOK_ENV_FILE" || refused=yes
		[[ -z $refused ]] || exit 2
	) || exit 2
}
