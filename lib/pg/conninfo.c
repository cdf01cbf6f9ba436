/* conninfo.c - starts an attempt to connect, from the operator's connection string and our own values.
 *
 * What the operator sets in the string overrides our values, but for the server settings, where both are used.  The
 * string is parsed by libpq, and nothing of it is kept.  Deadlines, and the attempt's further steps, are left to
 * connection.c. */

#include "pg/conninfo.h"

#include <libpq-fe.h>
#include <string.h>

#include "base/buf.h"
#include "pg/hosts.h"

#define OPTIONS_MAX 64 /* keywords passed to libpq: six set here, and those of the string; libpq 15 has 36 */

/* libpq tries the hosts in their order, and a silent host uses up the whole time of the attempt.  Therefore each
 * attempt after a failed one begins with the next host. */
static void turn_hosts(PQconninfoOption *parsed, unsigned turns)
{
	for (; parsed->keyword; parsed++) {
		if (parsed->val && (strcmp(parsed->keyword, "host") == 0 || strcmp(parsed->keyword, "hostaddr") == 0 ||
					   strcmp(parsed->keyword, "port") == 0))
			hosts_turn(parsed->val, turns);
	}
}

/* The warning that db_left_standby() looks for must arrive, whatever the database or the role says.
 *
 * Joins our server settings and those of the connection string, and removes the latter from parsed.  libpq would use
 * the string's alone.  Where both set a value, the string's is used, because it comes later. */
static void add_options(const char *ours, int answer_ms, PQconninfoOption *parsed, struct buf *options)
{
	buf_add_format(
		options, "-c client_min_messages=warning -c statement_timeout=%d %s", answer_ms, ours ? ours : "");
	for (; parsed && parsed->keyword; parsed++) {
		if (parsed->val && strcmp(parsed->keyword, "options") == 0) {
			buf_add_format(options, " %s", parsed->val);
			PQfreemem(parsed->val);
			parsed->val = NULL;
		}
	}
}

/* Of two equal keywords libpq uses the later one, so the connection string overrides the values set here.  A string
 * that cannot be parsed is passed on as it is, so that libpq's own error message is reported. */
PGconn *conninfo_connect(const char *conninfo, const char *name, const char *ours, int answer_ms, unsigned turns)
{
	const char *keys[OPTIONS_MAX + 1] = {"options", "keepalives_idle", "keepalives_interval", "keepalives_count",
		"tcp_user_timeout", "fallback_application_name"};
	const char *values[OPTIONS_MAX + 1] = {NULL, "10", "3", "3", "5000", name};
	struct buf options = BUF_INIT(65536);
	size_t count = 6;
	PQconninfoOption *parsed = PQconninfoParse(conninfo, NULL);
	if (parsed)
		turn_hosts(parsed, turns);
	add_options(ours, answer_ms, parsed, &options);
	values[0] = options.data;
	for (const PQconninfoOption *o = parsed; o && o->keyword && count < OPTIONS_MAX; o++) {
		if (o->val) {
			keys[count] = o->keyword;
			values[count++] = o->val;
		}
	}
	if (!parsed) {
		keys[count] = "dbname";
		values[count++] = conninfo;
	}
	PGconn *conn = buf_ok(&options) ? PQconnectStartParams(keys, values, parsed == NULL) : NULL;
	PQconninfoFree(parsed);
	buf_finish(&options);
	return conn;
}

static const char *conninfo_value(const PQconninfoOption *o, const char *keyword)
{
	for (; o->keyword; o++) {
		if (strcmp(o->keyword, keyword) == 0)
			return o->val ? o->val : "";
	}
	return "";
}

/* libpq reports the host and the port, not the place. */
unsigned conninfo_place(PGconn *conn)
{
	PQconninfoOption *used = PQconninfo(conn);
	if (!used)
		return 0;
	const char *hosts = conninfo_value(used, "host"), *ports = conninfo_value(used, "port");
	if (!*hosts)
		hosts = conninfo_value(used, "hostaddr");
	unsigned place = 0, count = hosts_count(hosts);
	while (place < count && !(hosts_has(hosts, place, PQhost(conn)) && hosts_has(ports, place, PQport(conn))))
		place++;
	PQconninfoFree(used);
	return place < count ? place : 0;
}
