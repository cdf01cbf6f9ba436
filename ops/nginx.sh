# shellcheck shell=bash disable=SC2154
# The configuration of nginx, and its ports.

# Binds and listens on a port as nginx will, and closes it again.  Prints "4", or "46" if IPv6 is available too; prints
# the reason if the port cannot be used.
port_try() {
	perl -MSocket=:all -e '
		my ($port, $found) = ($ARGV[0], "");
		for my $v (4, 6) {
			my $address = $v == 4 ? pack_sockaddr_in($port, INADDR_ANY) : pack_sockaddr_in6($port, IN6ADDR_ANY);
			socket(my $s, $v == 4 ? AF_INET : AF_INET6, SOCK_STREAM, 0) or next;
			setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
			setsockopt($s, IPPROTO_IPV6, IPV6_V6ONLY, 1) if $v == 6;
			if (!bind($s, $address) || !listen($s, 1)) {
				next if $v == 6 && $!{EADDRNOTAVAIL};
				print $!{EACCES} ? "forbidden" : $!{EADDRINUSE} ? "taken" : "$!";
				exit 1;
			}
			$found .= $v;
		}
		print $found;
		exit($found eq "");
	' "$1"
}

# port_check NAME - checks the port in this setting.  Sets PORT_KINDS.
port_check() {
	PORT_KINDS=$(port_try "${!1}") && return 0
	case $PORT_KINDS in
	taken) fail 1 "$1=${!1}: the port is taken by another program" ;;
	forbidden) fail 1 "$1=${!1}: this user may not listen on the port; try one above 1023" ;;
	*) fail 1 "$1=${!1}: cannot listen on the port: ${PORT_KINDS:-no network}" ;;
	esac
}

ports_check() {
	((PAYHOOK_PORT == 0)) || port_check PAYHOOK_PORT
	[[ -z $TLS_PORT ]] || port_check TLS_PORT
}

cores() {
	local n
	n=$(nproc)
	is_number "$n" || n=1
	echo $((n < $1 ? n : $1))
}

# Sets FILES.  A soft limit of 1024 open files is less than the slots of a responder, so all parts get as many as the
# hard limit allows.
files_limit() {
	local hard
	hard=$(ulimit -Hn)
	if ! is_number "$hard" || ((hard > 65536)); then
		hard=65536
	fi
	ulimit -Sn "$hard"
	FILES=$hard
}

# nginx_fill NAME - writes nginx/NAME.in with its @NAMES@ replaced to the instance's directory.
nginx_fill() {
	local text name
	text=$(<"$HERE/nginx/$1.in")
	for name in "${!FILL[@]}"; do
		text=${text//@$name@/"${FILL[$name]}"}
	done
	printf '%s\n' "$text" >"$STATE/nginx/$1"
}

# sockets_join SOCKET... - prints one server for a single socket, and two for each of several: one that nginx leaves out
# for 10 s after a failure, because it may be frozen, and a backup that it never leaves out (max_fails=0).  A kept
# connection that was closed counts as a failure too; without the backups, the answer would be 502 once all are left out.
sockets_join() {
	local socket=$1
	if [[ $# -gt 1 ]]; then
		socket+=" max_fails=1 fail_timeout=10s"
		socket+=$(printf '; server unix:%s max_fails=1 fail_timeout=10s' "${@:2}")
		socket+=$(printf '; server unix:%s backup max_fails=0' "$@")
	fi
	printf '%s' "$socket"
}

# limits_fill - sets the limits in FILL.  A request that one limit rejects is not counted by the other: an address
# beyond its own limit does not use up that of the source.  The access log has these answers, so the error log omits
# them.
limits_fill() {
	local rate=$((10#${RATE_LIMIT:-0})) of_source=$((10#${SOURCE_RATE_LIMIT:-0})) connections=$((10#${CONNECTION_LIMIT:-0}))
	if ((rate > 0)); then
		FILL[LIMIT_ZONES]+="limit_req_zone \$payhook_client zone=payhook_address:10m rate=${rate}r/s; "
		FILL[LIMIT]+="limit_req zone=payhook_address burst=$rate nodelay; "
	fi
	if ((of_source > 0)); then
		FILL[LIMIT_ZONES]+="limit_req_zone \$payhook_source zone=payhook_source:10m rate=${of_source}r/s; "
		FILL[LIMIT]+="limit_req zone=payhook_source burst=$of_source nodelay; "
	fi
	if ((connections > 0)); then
		FILL[LIMIT_ZONES]+="limit_conn_zone \$payhook_client zone=payhook_connections:10m; "
		FILL[LIMIT]+="limit_conn payhook_connections $connections; "
	fi
	[[ -z ${FILL[LIMIT]} ]] || FILL[LIMIT]+="limit_req_status 429; limit_conn_status 429; limit_req_log_level info; limit_conn_log_level info;"
}

# addresses_fill NAME BEFORE LIST AFTER - appends one directive for each address to FILL. settings_check has validated
# the list.
addresses_fill() {
	local address
	for address in ${3//,/ }; do
		FILL[$1]+="$2 $address; "
	done
	[[ -z ${FILL[$1]} ]] || FILL[$1]+=$4
}

# The page's files are in WEB, by default beside nginx's prefix: a relative path needs no quotes, whatever the folder is called.
CHART=/usr/share/javascript/chart.js/chart.min.js

# Adds the operators' console to FILL, for the addresses that CONSOLE_ALLOW has, if it is on.
console_fill() {
	local CONSOLE_ALLOW=${CONSOLE_ALLOW:-127.0.0.0/8 ::1 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 fc00::/7 fe80::/10}
	[[ ${CONSOLE:-on} == on ]] || return 0
	addresses_fill CONSOLE_ALLOW allow "$CONSOLE_ALLOW" 'deny all;'
	FILL[CONSOLE]="location /console {"$'\n\t\t'"${FILL[CONSOLE_ALLOW]}"$'\n\t\t'"include ${FILL[PARTS]}console.conf;"
	FILL[CONSOLE]+=$'\n\t\t'"include ${FILL[PARTS]}console_api.conf;"$'\n\t\t'"return 404;"$'\n\t'"}"
	FILL[CONSOLE]+=$'\n\t'"include ${FILL[PARTS]}console_root.conf;"
}

# Adds the directives for the port without TLS to FILL.
listen_fill() {
	((PAYHOOK_PORT > 0)) || return 0
	FILL[LISTEN]="listen $PAYHOOK_PORT default_server backlog=4096;"
	if [[ $PORT_KINDS == *6* ]]; then
		FILL[LISTEN]+=$'\n\t'"listen [::]:$PAYHOOK_PORT default_server ipv6only=on backlog=4096;"
	fi
}

# Adds the port of the old service to FILL, if this installation has one: COMPAT_PORT is its number, COMPAT_CLIENTS and CLIENTS
# say where its clients and those of the other ports are (nginx/payhook.conf.in).  Without it the responder decides by the
# address, and nginx evaluates no map for each request.
compat_fill() {
	[[ -n ${COMPAT_PORT-} ]] || return 0
	FILL[LISTEN]+=$'\n\t'"listen $COMPAT_PORT default_server backlog=4096;"
	FILL[CLIENTS_MAP]="map \$server_port \$payhook_clients { default $CLIENTS; $COMPAT_PORT $COMPAT_CLIENTS; }"
	FILL[CLIENTS]="fastcgi_param PAYHOOK_CLIENTS \$payhook_clients;"
}

# web_copy - copies the console's page to the instance's directory, which nginx's user can enter; where another one is, each file that
# differs by rename.
web_copy() {
	local file
	if [[ ! -e $STATE/web ]]; then
		rm -rf -- "$STATE/web.new"
		cp -R -- "$HERE/web" "$STATE/web.new"
		chmod -R u=rwX,go=rX -- "$STATE/web.new"
		mv -T -- "$STATE/web.new" "$STATE/web"
	fi
	! diff -rq -- "$HERE/web" "$STATE/web" >/dev/null || return 0
	while IFS= read -r -d '' file; do
		cmp -s -- "$HERE/web/$file" "$STATE/web/$file" && continue
		install -D -m 644 -- "$HERE/web/$file" "$STATE/web/$file.new"
		mv -f -- "$STATE/web/$file.new" "$STATE/web/$file"
	done < <(find "$HERE/web" -type f -printf '%P\0')
}

# nginx_prepare SOCKET... - writes the configuration for pools of responders that listen on these sockets, and for the console at
# CONSOLE_SOCKET.
nginx_prepare() {
	local -A FILL=(
		[USER]=${APP_USER:+user www-data payhook;}
		[WORKERS]=$(cores 4)
		[FILES]=$FILES
		[CONNECTIONS]=$((FILES / 2 < 8192 ? FILES / 2 : 8192))
		[SOCKET]=$(sockets_join "$@")
		[CLIENTS_MAP]='' [CLIENTS]=''
		[CONSOLE]='' [CONSOLE_ALLOW]='' [CONSOLE_SOCKET]=${CONSOLE_SOCKET:-$STATE/none.sock} [WEB]=${WEB:-../web} [CHART]=$CHART
		[LISTEN]='' [TLS]='' [LIMIT_ZONES]='' [LIMIT]='' [REAL_IP]='' [PARTS]='' [METRICS_ALLOW]=''
		[ACCESS_LOG]=../log/access.log [ERROR_LOG]='' [BODY_LIMIT]=$((10#${BODY_LIMIT:-65536}))
	)
	limits_fill
	console_fill
	addresses_fill METRICS_ALLOW allow "${METRICS_ALLOW-}" ''
	addresses_fill REAL_IP set_real_ip_from "${REAL_IP_FROM-}" 'real_ip_header X-Forwarded-For; real_ip_recursive on;'
	listen_fill
	compat_fill
	tls_fill
	nginx_fill nginx.conf
	nginx_fill site.conf
	nginx_fill payhook.conf
	nginx_fill server.conf
	nginx_fill problem.conf
	nginx_fill console.conf
	nginx_fill console_api.conf
	cp -- "$HERE"/nginx/*.conf "$STATE/nginx/"
	nginx_test
}

nginx_test() {
	local answer
	answer=$("${EMPTY[@]}" nginx -t -q -p "$STATE/nginx/" -c nginx.conf -e stderr 2>&1 9>&-) && return 0
	printf '%s\n' "$answer" >&2
	fail 1 "nginx rejects $STATE/nginx/nginx.conf"
}
