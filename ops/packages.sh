# shellcheck shell=bash disable=SC2154
# Finds the packages of packages.txt that are missing, and installs them without letting a package start a service.

# packages_list SECTION...
packages_list() {
	local line section='' wanted=" $* "
	while read -r line; do
		case $line in
		'' | '#'*) ;;
		'['*']') section=${line:1:-1} ;;
		*) [[ $wanted != *" $section "* ]] || echo "$line" ;;
		esac
	done <"$HERE/packages.txt"
}

# packages_missing SECTION...
packages_missing() {
	local -a names
	local name status
	local -A have=()
	mapfile -t names < <(packages_list "$@")
	while read -r name status; do
		have[$name]=$status
	done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${names[@]}" 2>/dev/null)
	for name in "${names[@]}"; do
		[[ ${have[$name]-} == installed ]] || packages_provided "$name" || echo "$name"
	done
}

# packages_provided NAME - whether another package that is installed provides it, as nodejs of other archives does npm.
packages_provided() {
	dpkg-query -W -f '${db:Status-Status} ,${Provides},\n' | grep "^installed .*[ ,]$1[ ,]" >/dev/null
}

# packages_need SECTION...
packages_need() {
	local -a missing
	command -v dpkg-query >/dev/null || fail 1 "this is not a Debian system: install by hand what packages.txt lists"
	mapfile -t missing < <(packages_missing "$@")
	[[ ${#missing[@]} -gt 0 ]] || return 0
	if [[ $EUID -ne 0 ]]; then
		info "these Debian packages are missing: ${missing[*]}"
		fail 1 "install them with: sudo apt-get install --no-install-recommends ${missing[*]}"
	fi
	info "installing ${#missing[@]} Debian packages: ${missing[*]}"
	(packages_install "${missing[@]}") || exit 1
}

# In a subshell of its own, whose EXIT trap removes the policy that prevents services from starting.
packages_install() {
	PACKAGES_LOG=$(mktemp)
	trap packages_allow_services EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	packages_forbid_services
	export DEBIAN_FRONTEND=noninteractive
	info "  apt-get update"
	packages_apt update || fail 1 "apt-get update failed"
	info "  apt-get install"
	packages_apt install -y --no-install-recommends "$@" || fail 1 "apt-get install failed"
}

# Prints the output only if apt-get fails.
packages_apt() {
	if apt-get -q -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confdef "$@" </dev/null >"$PACKAGES_LOG" 2>&1 9>&-; then
		return 0
	fi
	tail -n 30 -- "$PACKAGES_LOG" >&2
	return 1
}

POLICY=/usr/sbin/policy-rc.d
NO_CLUSTER=/etc/postgresql-common/createcluster.d/payhook-none.conf

# Prevents nginx from taking port 80, and PostgreSQL from creating a cluster "main".  An existing policy-rc.d is kept,
# since the administrator has chosen it; if it allows services to start, that is the machine's normal behaviour.
packages_forbid_services() {
	POLICY_MADE='' FOLDERS_MADE=()
	if [[ ! -e $POLICY ]]; then
		POLICY_MADE=yes
		printf '#!/bin/sh\n# Made by payhook while it installs packages; removed right after.\nexit 101\n' >"$POLICY"
		chmod 755 "$POLICY"
	fi
	local folder
	for folder in /etc/postgresql-common /etc/postgresql-common/createcluster.d; do
		[[ -d $folder ]] || { mkdir "$folder" && FOLDERS_MADE=("$folder" "${FOLDERS_MADE[@]}"); }
	done
	printf 'create_main_cluster = false\n' >"$NO_CLUSTER"
}

packages_allow_services() {
	rm -f -- "$NO_CLUSTER" "$PACKAGES_LOG"
	[[ -z $POLICY_MADE ]] || rm -f -- "$POLICY"
	# A directory that a package has used meanwhile is not empty, and stays.
	local folder
	for folder in "${FOLDERS_MADE[@]}"; do
		rmdir -- "$folder" 2>/dev/null || true
	done
}

# The responders, the worker and the console are three users, so that none has another's rights in the database.  Those of the group
# payhook-db can reach the private cluster's socket.
users_make() {
	local user
	[[ $EUID -eq 0 ]] || return 0
	getent group payhook-db >/dev/null || groupadd --system payhook-db || fail 1 "the group payhook-db cannot be made"
	for user in payhook payhook-worker payhook-console; do
		user_make "$user"
		[[ " $(id -nG -- "$user") " == *" payhook-db "* ]] || usermod --append --groups payhook-db "$user" ||
			fail 1 "the user $user cannot be added to the group payhook-db"
	done
}

user_make() {
	getent passwd "$1" >/dev/null && getent group "$1" >/dev/null && return 0
	info "creating the system user $1"
	useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$1" ||
		fail 1 "the user $1 cannot be made"
}
