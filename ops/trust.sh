# shellcheck shell=bash disable=SC2154
# The owners of the folders and files that a command uses.
#
# A command reads settings, records and configuration, and as root it writes, installs and signals.  Whoever can change a file
# on the way decides what it does.  So every folder on the way to what a command trusts has to belong to root, to the user who
# runs it, or to the owner of ./payhook itself, whose program it runs anyway; and nobody else may write to it.

# The owner of ./payhook.
SCRIPT_OWNER=$(stat -c %u -- "${ME:-$0}" 2>/dev/null || echo "$EUID")

# trust_reason PATH [BELOW [UID...]] - prints why another user could change the file or folder PATH, or what would be made
# there, and returns 1; nothing if none could.  BELOW is a folder on the way that is not looked at, nor are those before it.
# PATH itself has to belong to root, the user or one of these others.
trust_reason() {
	local path=$1
	[[ $path == /* ]] || path=$PWD/$path
	perl -e '
		my ($path, $below, $me, $owner, @last) = @ARGV;
		my %on_the_way = map { $_ => 1 } 0, $me, $owner;
		my %at_the_end = map { $_ => 1 } 0, $me, @last;
		my $links = 0;

		sub end_with { print @_; exit 1 }

		# Of a group that is one trusted user alone, as each user has one where the umask is 002.
		sub is_private {
			my ($group, $trusted) = @_;
			my (undef, undef, undef, $members) = getgrgid $group;
			for (split / /, $members // "") {
				my $user = getpwnam $_;
				return 0 unless defined $user && $$trusted{$user};
			}
			setpwent;
			while (my @user = getpwent) {
				return 0 if $user[3] == $group && !$$trusted{$user[2]};
			}
			return 1;
		}

		sub look_at {
			my ($file, $is_last, @stat) = @_;
			my ($mode, $user, $group) = @stat[2, 4, 5];
			my $trusted = $is_last ? \%at_the_end : \%on_the_way;
			# What is written to a terminal is not what is read from it.
			my $is_open = !-c _ && ($mode & 0002 || $mode & 0020 && !is_private($group, $trusted));
			end_with("$file belongs to ", getpwuid($user) // "user $user") unless $$trusted{$user};
			return if -l _;
			# In a folder such as /tmp nobody can rename what is another user\x27s.
			end_with("other users can write to $file") if $is_open && ($is_last || !(-d _ && $mode & 01000));
		}

		my @rest = grep { length && $_ ne "." } split m{/}, $path;
		my $at = "";
		my $is_below = $below eq "" || $path !~ m{^\Q$below\E/};
		look_at("/", 0, lstat "/") if $is_below;
		while (@rest) {
			my $name = shift @rest;
			if ($name eq "..") {
				$at =~ s{/[^/]*$}{};
				next;
			}
			my @stat = lstat "$at/$name" or exit 0;
			# /dev/null holds nothing, whoever it belongs to: in a container that may be a user of the host.
			exit 0 if !@rest && -c _ && $stat[6] == 0x103;
			my $is_link = -l _;
			look_at("$at/$name", !@rest && !$is_link, @stat) if $is_below;
			if ($is_link) {
				end_with("$at/$name: too many links") if ++$links > 40;
				my $target = readlink "$at/$name";
				$at = "" if $target =~ m{^/};
				unshift @rest, grep { length && $_ ne "." } split m{/}, $target;
				next;
			}
			$at = "$at/$name";
			$is_below = 1 if $at eq $below;
		}
	' -- "$path" "${2-}" "$EUID" "$SCRIPT_OWNER" "${@:3}"
}

# trust_check NAME PATH [UID...] - fails if another user could change the PATH of this setting (or '').  Whoever can change the
# folder of ./payhook decides what it does anyway, so what lies there is looked at from there on.
trust_check() {
	local cause
	cause=$(trust_reason "$2" "$HERE" "${@:3}") ||
		fail 2 "${1:+$1=}$2: ${cause:-it cannot be looked at}; other users must not be able to change it"
}

# Checks the files that these settings name.
trust_check_files() {
	local name
	for name; do
		[[ -z ${!name-} ]] || trust_check "$name" "${!name}" "$SCRIPT_OWNER"
	done
}

# Checks the lists of sources and of API keys, and the secrets that the first one names: whoever can change one can sign webhooks.
# A secret may belong to the responders' user, which reads it anyway.
trust_check_lists() {
	local file user
	local -a files users=("$SCRIPT_OWNER")
	trust_check_files SOURCES_FILE API_KEYS_FILE
	user=$(id -u -- "${APP_USER:-root}" 2>/dev/null) || user=0
	users+=("$user")
	mapfile -d '' -t files < <(source_files)
	for file in "${files[@]}"; do
		trust_check "SOURCES_FILE: file" "$file" "${users[@]}"
	done
}

# Checks the files of the http processor, and the secrets that the first one names: whoever can change one decides what the
# worker calls, and under which name.  A secret and a key may belong to the worker's user, which reads them anyway.
trust_check_processor() {
	local file user
	local -a files users=("$SCRIPT_OWNER")
	trust_check_files PROCESSOR_HEADERS PROCESSOR_CA PROCESSOR_CLIENT_CERTIFICATE
	user=$(id -u -- "${WORKER_USER:-root}" 2>/dev/null) || user=0
	users+=("$user")
	for file in PROCESSOR_SIGNING_SECRETS_FILE PROCESSOR_CLIENT_KEY; do
		[[ -z ${!file-} ]] || trust_check "$file" "${!file}" "${users[@]}"
	done
	mapfile -d '' -t files < <(header_files)
	for file in "${files[@]}"; do
		trust_check "PROCESSOR_HEADERS: file" "$file" "${users[@]}"
	done
}

# Warns if another user decides what this command does.
trust_warn() {
	local cause owner
	owner=$SCRIPT_OWNER
	if [[ $owner != 0 && $owner != "$EUID" ]]; then
		info "warning: $HERE belongs to another user (uid $owner), which decides what this command runs"
	elif ! cause=$(trust_reason "$ME"); then
		info "warning: $cause, and so change what this command runs"
	fi
}
