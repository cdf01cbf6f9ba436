# shellcheck shell=bash disable=SC2153,SC2154
# "purge" removes what the commands of this checkout have left on the machine, before the checkout itself is removed.
#
# It names everything first, the data before all else.  It does not touch what may be anybody else's: packages, a database server
# that payhook was given, a folder that PAYHOOK_BUILD names, and users that another payhook has.

PURGE_NAMES=(bin log nginx web keys.json keys.lock bench deploy initdb.log import-refused.tsv elsewhere pg.new pg.upgrade pg) # below PAYHOOK_VAR
PURGE_USERS=(payhook payhook-worker payhook-console)

# Sets PURGE to the files and folders, and PURGE_DATA to the folder of the data.
purge_find() {
	local name
	PURGE=() PURGE_DATA=''
	# Before the link that leads to it.
	[[ $STATE == "$VAR" || ! -e $STATE ]] || PURGE+=("$STATE")
	[[ ! -d $STATE/pg ]] || PURGE_DATA=$STATE/pg
	for name in "${PURGE_NAMES[@]}"; do
		[[ ! -e $VAR/$name && ! -L $VAR/$name ]] || PURGE+=("$VAR/$name")
	done
	# Of an upgrade-database.
	for name in "$VAR"/pg.old-*; do
		[[ ! -d $name ]] || PURGE+=("$name")
	done
	if [[ -z ${PAYHOOK_BUILD-} ]] && build_is_ours; then
		PURGE+=("$BUILD")
	fi
}

# Sets PURGE_ACCOUNTS to the users that only this payhook has, and PURGE_KEPT to the reason if there are others.
purge_find_accounts() {
	local user folder
	PURGE_ACCOUNTS=() PURGE_KEPT=''
	[[ $EUID -eq 0 ]] || return 0
	for user in "${PURGE_USERS[@]}"; do
		! getent passwd "$user" >/dev/null || PURGE_ACCOUNTS+=("$user")
	done
	[[ ${#PURGE_ACCOUNTS[@]} -gt 0 ]] || return 0
	for folder in /run/payhook-up/* /var/lib/payhook/*; do
		[[ ! -e $folder || $folder == "$RUN" || $folder == "$STATE" ]] || PURGE_KEPT="another payhook has $folder"
	done
	[[ $(dpkg-query -W -f '${db:Status-Status}' payhook 2>/dev/null) != installed ]] || PURGE_KEPT="the package payhook is installed"
	for user in "${PURGE_ACCOUNTS[@]}"; do
		[[ -z $(find /proc -mindepth 1 -maxdepth 1 -user "$user" -print -quit 2>/dev/null) ]] || PURGE_KEPT="processes of $user run"
	done
}

# What payhook is given, or asks root for, may be of use to others.
purge_announce() {
	info "this removes:"
	[[ -z $PURGE_DATA ]] || printf '  ALL TRANSACTIONS, in %s (%s)\n' "$PURGE_DATA" "$(du -sh -- "$PURGE_DATA" | cut -f1)"
	[[ ${#PURGE[@]} -eq 0 ]] || printf '  %s\n' "${PURGE[@]}"
	if [[ -n $PURGE_KEPT ]]; then
		printf 'The users %s stay: %s.\n' "${PURGE_ACCOUNTS[*]}" "$PURGE_KEPT"
	elif [[ ${#PURGE_ACCOUNTS[@]} -gt 0 ]]; then
		printf '  the system users %s, and the group payhook-db\n' "${PURGE_ACCOUNTS[*]}"
	fi
	[[ -n $DB_PRIVATE ]] || printf 'The database server that the settings name keeps its schema payhook.\n'
	printf 'Debian packages, .env and the checkout stay.\n'
}

purge_accounts() {
	local user
	[[ -z $PURGE_KEPT ]] || return 0
	for user in "${PURGE_ACCOUNTS[@]}"; do
		userdel "$user" || fail 1 "the user $user cannot be removed"
	done
	[[ ${#PURGE_ACCOUNTS[@]} -eq 0 ]] || ! getent group payhook-db >/dev/null || groupdel payhook-db ||
		fail 1 "the group payhook-db cannot be removed"
}

cmd_purge() {
	local answer=''
	[[ $# -eq 0 || $* == --yes ]] || fail 2 "purge takes --yes or nothing, not: $*"
	! is_running || fail 1 "it is running; stop it first: ./payhook down"
	purge_find
	purge_find_accounts
	if [[ ${#PURGE[@]} -eq 0 && (${#PURGE_ACCOUNTS[@]} -eq 0 || -n $PURGE_KEPT) && ! -e $RUN ]]; then
		info "there is nothing to remove${PURGE_KEPT:+; the users ${PURGE_ACCOUNTS[*]} stay: $PURGE_KEPT}"
		return
	fi
	purge_announce
	if [[ $# -eq 0 ]]; then
		read -r -p "Type yes to remove it: " answer || true
		[[ $answer == yes ]] || fail 1 "nothing was removed"
	fi
	# With the lock held, so that no other process starts payhook meanwhile.
	if [[ -e $VAR ]]; then
		lock_take || fail 1 "another payhook for $VAR is starting"
		leftovers_end
	fi
	[[ ${#PURGE[@]} -eq 0 ]] || rm -rf -- "${PURGE[@]}" || fail 1 "not all of it could be removed"
	run_folder_remove
	# What others have put there stays.
	rmdir -- "$VAR" 2>/dev/null || true
	[[ $EUID -ne 0 ]] || rmdir -- "${RUN%/*}" /var/lib/payhook 2>/dev/null || true
	purge_accounts
	info "removed"
}
