/* check.c - checks the configuration, and whether the database server that it names keeps the promise of a 202.
 *
 * The server is asked by one statement, on a connection as the programs make it.  Nothing is written.  The command gives
 * up after a few attempts, each of which tries every host of DATABASE_URL. */

#include "check.h"

#include <stdio.h>

#include "ask.h"
#include "base/utf8.h"
#include "ctl.h"
#include "durability.h"
#include "runtime/configuration.h"

/* What only receives the WAL, such as pg_receivewal, is no standby that could take over.  Its state is null for a role that
 * may not read it. */
static const struct statement CHECK = {"check",
	"SELECT pg_is_in_recovery()::text, current_setting('default_transaction_read_only'), current_setting('fsync'),"
	"  current_setting('full_page_writes'), current_setting('data_checksums'), current_setting('synchronous_commit'),"
	"  current_setting('synchronous_standby_names'),"
	"  count(*) FILTER (WHERE coalesce(state, 'streaming') = 'streaming' AND application_name <> 'pg_receivewal'),"
	"  count(*) FILTER (WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')),"
	"  pg_has_role('pg_read_all_stats', 'USAGE')::text"
	" FROM pg_stat_replication"};
enum {
	IN_RECOVERY,
	READ_ONLY,
	FSYNC,
	FULL_WRITES,
	DATA_CHECKSUMS,
	COMMIT,
	STANDBY_NAMES,
	STANDBYS,
	SYNCHRONOUS,
	SEES_STANDBYS,
};

static bool check_is_true(const struct pg_result *r, int column)
{
	return db_text(r, 0, column)[0] == 't';
}

static void check_on_answer(void *ctx, const struct pg_result *r)
{
	bool *is_kept = ctx;
	struct durability d = {
		.is_standby = check_is_true(r, IN_RECOVERY),
		.read_only = db_text(r, 0, READ_ONLY),
		.fsync = db_text(r, 0, FSYNC),
		.full_page_writes = db_text(r, 0, FULL_WRITES),
		.data_checksums = db_text(r, 0, DATA_CHECKSUMS),
		.commit = db_text(r, 0, COMMIT),
		.standby_names = db_text(r, 0, STANDBY_NAMES),
		.standbys = (int)db_int8(r, 0, STANDBYS),
		.synchronous = (int)db_int8(r, 0, SYNCHRONOUS),
		.sees_standbys = check_is_true(r, SEES_STANDBYS),
	};
	*is_kept = durability_print(&d, stdout);
}

/* Returns the exit status. */
static int check_server(const char *conninfo)
{
	const struct db_params none = {0};
	struct fault f;
	bool is_kept = false;
	if (!ask_server(conninfo, &CHECK, &none, check_on_answer, &is_kept, &f)) {
		char why[FAULT_TEXT_MAX];
		fprintf(stderr, CTL_PROGRAM ": the server cannot be checked: %s\n",
			utf8_printable(why, sizeof why, f.text));
	}
	return is_kept ? 0 : 1;
}

int check_run(int argc, char **argv)
{
	static struct settings settings;
	(void)argv;
	if (argc > 0) {
		ctl_complain("usage: check");
		return 2;
	}
	if (!configuration_check(stdout, ctl_complain) || !settings_read(&settings, ctl_complain) ||
		!settings_name_processor(&settings, ctl_complain))
		return 2;
	/* What is printed so far precedes an error on standard error. */
	if (fflush(stdout) != 0) {
		ctl_complain("the report cannot be written");
		return 1;
	}
	return check_server(settings.database);
}
