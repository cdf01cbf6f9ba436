# shellcheck shell=bash disable=SC2034,SC2154
# Which names a file of settings may have.  A misspelt name would leave its setting at the default without a word: with
# PROCESOR=http the processor would be the simulated one.

# Of the libraries: PostgreSQL's variables (PG...), trusted certificates, Kerberos, names of hosts; and of the sanitizers in a
# build that has them.
LIBRARY_VARIABLES=(SSL_CERT_FILE SSL_CERT_DIR OPENSSL_CONF KRB5_CONFIG KRB5CCNAME KRB5_CLIENT_KTNAME LOCALDOMAIN RES_OPTIONS
	HOSTALIASES ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS)

# Of other programs that read the same file, such as docker compose.
FOREIGN_VARIABLES=(PAYHOOK_ENV_FILE 'COMPOSE_*' 'DOCKER_*' 'BUILDKIT_*' 'BUILDX_*')

# name_matches NAME PATTERN...
name_matches() {
	local pattern
	for pattern in "${@:2}"; do
		# shellcheck disable=SC2053
		[[ $1 != $pattern ]] || return 0
	done
	return 1
}

# name_is_ignored NAME - whether it may be in a file of settings and has no meaning for payhook.
name_is_ignored() {
	setting_is_old "$1" || name_matches "$1" "${FOREIGN_VARIABLES[@]}"
}

name_is_known() {
	local KIND RANGE DEFAULT READERS MEANING
	setting_find "$1" || name_is_ignored "$1" || name_matches "$1" "${LIBRARY_VARIABLES[@]}" 'PG*' 'LC_*' LANG TZ
}

# source_variables - prints the names of the variables that SOURCES_FILE names as secrets.  A file that is not read here is
# refused by payhook-app.
source_variables() {
	[[ ! -f ${SOURCES_FILE-} || ! -r $SOURCES_FILE ]] ||
		perl -0777 -ne 'print "$1\n" while /"env"\s*:\s*"([A-Z_][A-Z0-9_]*)"/g' -- "$SOURCES_FILE"
}

# source_files - prints the paths of the files that SOURCES_FILE names as secrets, each with a zero byte after it.  As for
# payhook-app, a relative one begins in the folder of the list.
source_files() {
	[[ ! -f ${SOURCES_FILE-} || ! -r $SOURCES_FILE ]] ||
		perl -0777 -ne '
			sub unescape {
				my ($digits, $other) = @_;
				my $character = defined $digits ? chr hex $digits : $other;
				utf8::encode($character) if defined $digits;
				return $character;
			}
			my ($folder) = $ARGV =~ m{^(.*/)}s;
			while (/"file"\s*:\s*"((?:[^"\\]|\\.)+)"/g) {
				my $name = $1;
				$name =~ s/\\(?:u([0-9A-Fa-f]{4})|(.))/unescape($1, $2)/ge;
				print $name =~ m{^/} ? "" : $folder // "", $name, "\0";
			}' -- "$SOURCES_FILE"
}

# header_files - prints the paths of the files that PROCESSOR_HEADERS names in values, each with a zero byte after it.  As for
# payhook-worker, a relative one begins in the folder of the list.
header_files() {
	[[ ! -f ${PROCESSOR_HEADERS-} || ! -r $PROCESSOR_HEADERS ]] ||
		perl -ne '
			my ($folder) = $ARGV =~ m{^(.*/)}s;
			next if /^\s*#/;
			while (/\{file:([^}\n]+)\}/g) {
				print $1 =~ m{^/} ? "" : $folder // "", $1, "\0";
			}' -- "$PROCESSOR_HEADERS"
}

# names_near NAME... - prints each name, and after a tab the setting that differs from it in one letter, or in two of a longer
# one.  Two letters in the wrong order count as one.
names_near() {
	perl -MList::Util=min -e '
		my @settings = split / /, shift;

		sub distance {
			my ($a, $b) = map { [split //] } @_;
			my @row = ([0 .. @$b]);
			for my $i (1 .. @$a) {
				$row[$i][0] = $i;
				for my $j (1 .. @$b) {
					my $is_other = $$a[$i - 1] ne $$b[$j - 1];
					$row[$i][$j] = min($row[$i - 1][$j] + 1, $row[$i][$j - 1] + 1, $row[$i - 1][$j - 1] + $is_other);
					$row[$i][$j] = min($row[$i][$j], $row[$i - 2][$j - 2] + 1)
						if $i > 1 && $j > 1 && $$a[$i - 1] eq $$b[$j - 2] && $$a[$i - 2] eq $$b[$j - 1];
				}
			}
			return $row[@$a][@$b];
		}

		for my $name (@ARGV) {
			my ($least, $near) = (length $name < 8 ? 2 : 3, "");
			for (@settings) {
				next if abs(length($name) - length) >= $least;
				my $distance = distance(uc $name, $_);
				($least, $near) = ($distance, $_) if $distance < $least;
			}
			print "$name\t$near\n";
		}
	' -- "${SETTINGS[*]%%|*}" "$@"
}

# names_refused NAME... - prints a sentence for each name that a file of settings may not have.  A process that may not read
# SOURCES_FILE cannot know its variables, and refuses what looks like a setting.
names_refused() {
	local name near hidden=''
	local -a unknown=()
	local -A of_sources=()
	for name; do
		name_is_known "$name" || unknown+=("$name")
	done
	[[ ${#unknown[@]} -gt 0 ]] || return 0
	[[ -z ${SOURCES_FILE-} || -r $SOURCES_FILE ]] || hidden=yes
	while IFS= read -r name; do
		of_sources[$name]=yes
	done < <(source_variables)
	while IFS=$'\t' read -r name near; do
		[[ -z ${of_sources[$name]-} && ($near || -z $hidden) ]] || continue
		printf '%s is not a setting of payhook%s\n' "$name" "${near:+; did you mean $near?}"
	done < <(names_near "${unknown[@]}")
}

# names_warn - warns of variables that look like a misspelt setting.  The environment has variables of many programs, so none is
# refused.
names_warn() {
	local name near
	local -a unknown=()
	while IFS= read -r name; do
		name_is_known "$name" || unknown+=("$name")
	done < <(compgen -e)
	while IFS=$'\t' read -r name near; do
		[[ -z $near ]] || info "warning: $name is not a setting of payhook; did you mean $near?"
	done < <(names_near "${unknown[@]}")
}

# names_of_file FILE - prints the names in a file as systemd reads it (EnvironmentFile=): a value may have several lines, with a
# backslash before the end of a line or in quotes.  A line without "=" is printed whole.
names_of_file() {
	perl -0777 -ne '
		pos = 0;
		while (pos() < length) {
			next if /\G\s*(?:[#;][^\n]*)?(?:\n|\z)/gc;
			/\G\s*([^=\n]*?)[ \t]*(?:=(?:[ \t]+|\x27[^\x27]*\x27|"(?:[^"\\]|\\.)*")*(?:[^\\\n]|\\.)*|)\\?(?:\n|\z)/gcs;
			print "$1\n";
		}
	' -- "$1"
}

# names_check_file FILE NAME - prints each name in the file that is no setting on standard error, after the NAME of the file;
# returns 1 if there is one.
names_check_file() {
	local line refused=''
	local -a names
	mapfile -t names < <(names_of_file "$1")
	while IFS= read -r line; do
		info "$2: $line" >&2
		refused=yes
	done < <(names_refused "${names[@]}")
	[[ -z $refused ]]
}
