/* durability.c - judges whether a PostgreSQL server keeps the promise of a 202.
 *
 * Each setting is judged by itself, with a reason that an operator can act on.  What the promise rests on and is not there
 * breaks it.  What bounds it, such as a single server, is a note: the operator may have decided so.
 *
 * What a server does not know is not judged: whether its disk obeys a flush, and whether a manager such as Patroni empties
 * the list of synchronous standbys when none is left. */

#include "durability.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

#define VALUE_MAX 1024 /* bytes that are shown of a setting's value, such as a list of standbys */

enum grade { GRADE_OK, GRADE_NOTE, GRADE_BROKEN };

static const char *const GRADES[] = {
	[GRADE_OK] = "ok",
	[GRADE_NOTE] = "note",
	[GRADE_BROKEN] = "NOT KEPT",
};

struct report {
	FILE *out;
	bool is_broken;
};

static void durability_report_line(
	struct report *r, const char *name, const char *value, enum grade grade, const char *why)
{
	char shown[VALUE_MAX];
	utf8_printable(shown, sizeof shown, *value ? value : "(empty)");
	fprintf(r->out, "%-26s %-10s %-8s %s\n", name, shown, GRADES[grade], why);
	r->is_broken = r->is_broken || grade == GRADE_BROKEN;
}

static bool is_on(const char *value)
{
	return strcmp(value, "on") == 0;
}

/* A list without a number is FIRST 1. */
int durability_needed(const char *standby_names)
{
	const char *at = standby_names + strspn(standby_names, " ");
	if (!*at)
		return 0;
	if (strncasecmp(at, "FIRST ", 6) == 0)
		at += 6;
	else if (strncasecmp(at, "ANY ", 4) == 0)
		at += 4;
	char *end;
	long count = strtol(at, &end, 10);
	end += strspn(end, " ");
	return *end == '(' && count > 0 && count < 1000 ? (int)count : 1;
}

static void durability_report_server(struct report *r, const struct durability *d)
{
	if (d->is_standby)
		durability_report_line(r, "server", "a standby", GRADE_BROKEN,
			"it stores nothing; with several hosts, DATABASE_URL needs target_session_attrs=read-write");
	else
		durability_report_line(r, "server", "writable", GRADE_OK, "it is no standby");
	if (is_on(d->read_only))
		durability_report_line(r, "default_transaction_read_only", d->read_only, GRADE_BROKEN,
			"every webhook is answered 503");
}

static void durability_report_disk(struct report *r, const struct durability *d)
{
	if (is_on(d->fsync))
		durability_report_line(
			r, "fsync", d->fsync, GRADE_OK, "a commit is on the disk, if the disk obeys a flush");
	else
		durability_report_line(r, "fsync", d->fsync, GRADE_BROKEN, "a power cut loses or damages the data");
	if (is_on(d->full_page_writes))
		durability_report_line(r, "full_page_writes", d->full_page_writes, GRADE_OK,
			"a page that a power cut left half-written is restored");
	else
		durability_report_line(r, "full_page_writes", d->full_page_writes, GRADE_BROKEN,
			"a page that a power cut left half-written stays damaged");
	if (is_on(d->data_checksums))
		durability_report_line(r, "data_checksums", d->data_checksums, GRADE_OK,
			"a page that the disk has damaged is noticed when it is read");
	else
		durability_report_line(r, "data_checksums", d->data_checksums, GRADE_NOTE,
			"damage by the disk goes unnoticed; pg_checksums --enable turns them on while the server is down");
}

static void durability_report_commit(struct report *r, const struct durability *d)
{
	bool has_standby = *d->standby_names;
	enum grade grade = GRADE_OK;
	const char *why = has_standby ? "a 202 follows the flush here and on the standby" : "a 202 follows the flush";
	if (strcmp(d->commit, "off") == 0) {
		grade = GRADE_BROKEN;
		why = "a 202 precedes the flush: a crash loses the latest transactions";
	} else if (has_standby && strcmp(d->commit, "local") == 0) {
		grade = GRADE_BROKEN;
		why = "a 202 does not wait for the standby: a failover loses the latest transactions";
	} else if (has_standby && strcmp(d->commit, "remote_write") == 0) {
		grade = GRADE_NOTE;
		why = "the standby has it in memory only: a power cut of both loses the latest transactions";
	}
	durability_report_line(r, "synchronous_commit", d->commit, grade, why);
}

/* While the list is set, PostgreSQL acknowledges nothing without the standby.  Whether it stays set is not its decision. */
static void durability_report_standbys(struct report *r, const struct durability *d)
{
	int needed = durability_needed(d->standby_names);
	int present = d->synchronous < needed ? d->synchronous : needed;
	char why[160];
	enum grade grade = GRADE_NOTE;
	if (needed == 0 && d->standbys > 0) {
		grade = GRADE_BROKEN;
		snprintf(why, sizeof why,
			"a 202 waits for none of %d standbys: a failover loses the latest transactions", d->standbys);
	} else if (needed == 0) {
		snprintf(why, sizeof why, "the data is on this server alone");
	} else if (!d->sees_standbys) {
		snprintf(why, sizeof why, "whether a standby streams is hidden: GRANT pg_read_all_stats TO this role");
	} else {
		grade = present == needed ? GRADE_OK : GRADE_NOTE;
		snprintf(why, sizeof why, "%d of %d standbys that a 202 waits for stream now%s", present, needed,
			grade == GRADE_OK ? "" : ": every webhook is answered 503");
	}
	durability_report_line(r, "synchronous_standby_names", d->standby_names, grade, why);
	if (needed > 0)
		durability_report_line(r, "strict", "as far as seen", GRADE_NOTE,
			"without a standby nothing is accepted, unless a manager empties the list: Patroni does, without "
			"synchronous_mode_strict");
}

bool durability_print(const struct durability *d, FILE *out)
{
	struct report r = {.out = out};
	durability_report_server(&r, d);
	durability_report_disk(&r, d);
	durability_report_commit(&r, d);
	durability_report_standbys(&r, d);
	fprintf(out, "Promise: %s\n",
		r.is_broken         ? "NOT KEPT"
		: *d->standby_names ? "kept, also if this server is lost."
				    : "kept, as long as the disk of this one server is.");
	return !r.is_broken;
}
