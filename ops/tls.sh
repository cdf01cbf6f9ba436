# shellcheck shell=bash disable=SC2154
# TLS: checks the certificate and its key, and creates a self-signed one for trials.

# tls_refuses NAME TEXT
tls_refuses() {
	fail 1 "$1=${!1}: $2"
}

# tls_file NAME KIND COMMAND... - checks that the file in this setting exists, and that this OpenSSL command can read
# it.
tls_file() {
	local file=${!1} kind=$2
	[[ $file != *[\"\\\$\;[:cntrl:]]* ]] || tls_refuses "$1" "nginx cannot read a path with quotes, backslashes, dollar signs, semicolons or control characters"
	[[ -e $file ]] || tls_refuses "$1" "there is no such file"
	[[ -f $file && -r $file ]] || tls_refuses "$1" "the file cannot be read"
	"${@:3}" -noout -in "$file" >/dev/null 2>&1 </dev/null || tls_refuses "$1" "the file holds no $kind in PEM"
}

# Checks the files before nginx does, whose messages contain only OpenSSL's texts.  A key must have no passphrase: there
# is nobody to enter it.
tls_check() {
	tls_file TLS_CERTIFICATE certificate openssl x509
	tls_file TLS_KEY "key without a passphrase" openssl pkey -passin pass:
	if [[ $(openssl x509 -noout -pubkey -in "$TLS_CERTIFICATE") != $(openssl pkey -pubout -in "$TLS_KEY" -passin pass:) ]]; then
		tls_refuses TLS_KEY "the key is not that of the certificate in $TLS_CERTIFICATE; the server's own must be the first there"
	fi
	[[ -z ${TLS_CLIENT_CA-} ]] || tls_file TLS_CLIENT_CA certificate openssl x509
	openssl x509 -noout -checkend 0 -in "$TLS_CERTIFICATE" >/dev/null ||
		info "TLS_CERTIFICATE=$TLS_CERTIFICATE: the certificate has expired; providers will reject it"
	[[ -z ${TLS_CLIENT_CRL-} ]] || tls_crl_check
}

# With a list that has expired, no certificate of its authority verifies.
tls_crl_check() {
	local next
	tls_file TLS_CLIENT_CRL "list of revoked certificates" openssl crl
	next=$(openssl crl -noout -nextupdate -in "$TLS_CLIENT_CRL")
	next=$(date -d "${next#*=}" +%s 2>/dev/null) || next=
	[[ ! $next =~ ^[0-9]{1,12}$ ]] || ((next > EPOCHSECONDS)) ||
		info "TLS_CLIENT_CRL=$TLS_CLIENT_CRL: the list has expired; requests with a client certificate are refused until it is renewed"
}

# For trials: only clients that are configured to trust it accept it.  It is kept until it expires within a week.
tls_self_sign() {
	TLS_CERTIFICATE=$STATE/nginx/self-signed.crt TLS_KEY=$STATE/nginx/self-signed.key
	info "TLS with a self-signed certificate, for trials only: $TLS_CERTIFICATE"
	if [[ -r $TLS_KEY ]] && openssl x509 -noout -checkend 604800 -in "$TLS_CERTIFICATE" >/dev/null 2>&1; then
		return 0
	fi
	rm -f -- "$TLS_KEY"
	(umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 90 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1 -addext extendedKeyUsage=serverAuth \
		-keyout "$TLS_KEY" -out "$TLS_CERTIFICATE" 2>/dev/null) || fail 1 "openssl cannot make a certificate in $STATE/nginx"
	chmod 644 -- "$TLS_CERTIFICATE"
}

# Writes when the certificate in TLS_CERTIFICATE expires.  nginx passes that on to the responders, for /metrics.  It is written
# when nginx reads the certificate, so it is that of the certificate in use, whatever has been put into the file since.
tls_expiry_write() {
	local expires
	expires=$(openssl x509 -noout -enddate -in "$TLS_CERTIFICATE")
	expires=$(date -d "${expires#*=}" +%s 2>/dev/null) || expires=0
	is_number "$expires" || expires=0
	printf 'fastcgi_param PAYHOOK_CERTIFICATE_EXPIRES %s;\n' "$expires" >"$STATE/nginx/certificate.conf"
}

# tls_expiry_note - prints the time at which the certificate of the running nginx expires, and returns 1 if that has passed;
# nothing if it has none.
tls_expiry_note() {
	local expires
	tls_in_use || return 0
	expires=$(sed -n 's/^fastcgi_param PAYHOOK_CERTIFICATE_EXPIRES \(.*\);$/\1/p' "$STATE/nginx/certificate.conf" 2>/dev/null)
	is_number "$expires" && ((expires > 0)) || return 0
	certificate_note "$TLS_CERTIFICATE" "$expires"
}

# Adds the directives for TLS to FILL.
tls_fill() {
	local text
	[[ -n $TLS_PORT ]] || return 0
	[[ -n ${TLS_CERTIFICATE-} ]] || tls_self_sign
	tls_check
	tls_expiry_write
	text="listen $TLS_PORT ssl http2 default_server backlog=4096;"
	if [[ $PORT_KINDS == *6* ]]; then
		text+=$'\n\t'"listen [::]:$TLS_PORT ssl http2 default_server ipv6only=on backlog=4096;"
	fi
	text+=$'\n\t'"ssl_certificate \"$TLS_CERTIFICATE\";"$'\n\t'"ssl_certificate_key \"$TLS_KEY\";"$'\n\t'"include ${FILL[PARTS]}tls.conf; include certificate.conf;"
	if [[ -z ${TLS_CLIENT_CA-} ]]; then
		text+=$'\n\t'"include ${FILL[PARTS]}tls_sessions.conf;"
	else
		# nginx accepts a client certificate that does not verify; the responder rejects it if the source
		# requires one.  Other sources do not depend on client certificates.  Sessions are not resumed: the
		# certificate of a resumed one was verified when it began, and may have been revoked or expired since.
		text+=$'\n\t'"ssl_client_certificate \"$TLS_CLIENT_CA\"; ssl_verify_client optional_no_ca; ssl_verify_depth 3;"
	fi
	[[ -z ${TLS_CLIENT_CRL-} ]] || text+=$'\n\t'"ssl_crl \"$TLS_CLIENT_CRL\";"
	FILL[TLS]=$text
}

# Sets TLS_CERTIFICATE, TLS_KEY, TLS_CLIENT_CA and TLS_CLIENT_CRL to the files of the running nginx.  Returns 1 if it has no TLS.
tls_in_use() {
	local conf=$STATE/nginx/site.conf
	TLS_CERTIFICATE=$(sed -n 's/^\tssl_certificate "\(.*\)";$/\1/p' "$conf")
	TLS_KEY=$(sed -n 's/^\tssl_certificate_key "\(.*\)";$/\1/p' "$conf")
	TLS_CLIENT_CA=$(sed -n 's/^\tssl_client_certificate "\([^"]*\)";.*/\1/p' "$conf")
	TLS_CLIENT_CRL=$(sed -n 's/^\tssl_crl "\([^"]*\)";.*/\1/p' "$conf")
	[[ -n $TLS_CERTIFICATE ]]
}

# Called by a reload before anything is changed: when nginx is reloaded with a certificate that it cannot use, it
# continues with the old one and reports that in its log only.
nginx_certificates_check() {
	tls_in_use || return 0
	trust_check_files TLS_CERTIFICATE TLS_KEY TLS_CLIENT_CA TLS_CLIENT_CRL
	tls_check
	nginx_test
}

nginx_certificates_reload() {
	tls_in_use || return 0
	tls_expiry_write
	part_signal nginx HUP
}
