#include <criterion/criterion.h>
#include <string.h>

#include "database.h"

/* test_roles.c - who may do what: every right on anything of ours, and some that must not be there. */

TestSuite(roles, .init = database_init, .fini = database_drop);

/* A right is a line "what privilege" or "what privilege(columns)"; functions by their signature. */
#define RIGHTS                                                                                                                \
	"WITH rights AS ("                                                                                                    \
	"  SELECT c.relname::text AS what, privilege_type AS privilege, NULL AS col, 0 AS num, grantee FROM pg_class c,"      \
	"    aclexplode(c.relacl) WHERE c.relnamespace = 'payhook'::regnamespace AND grantee <> c.relowner"                   \
	"  UNION ALL SELECT c.relname, privilege_type, a.attname, a.attnum, grantee FROM pg_class c"                          \
	"    JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl)"                                                 \
	"    WHERE c.relnamespace = 'payhook'::regnamespace AND grantee <> c.relowner"                                        \
	"  UNION ALL SELECT replace(p.oid::regprocedure::text, 'payhook.', ''), privilege_type, NULL, 0, grantee"             \
	"    FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner)))"                                     \
	"    WHERE p.pronamespace = 'payhook'::regnamespace AND grantee <> p.proowner"                                        \
	"  UNION ALL SELECT 'schema', privilege_type, NULL, 0, grantee FROM pg_namespace n, aclexplode(n.nspacl)"             \
	"    WHERE n.nspname = 'payhook' AND grantee <> n.nspowner"                                                           \
	"), lines AS ("                                                                                                       \
	"  SELECT grantee, what || ' ' || privilege || coalesce('(' || string_agg(col, ',' ORDER BY num) || ')', '') AS line" \
	"  FROM rights GROUP BY grantee, what, privilege"                                                                     \
	")"

static void expect_rights(const char *role, const char *expected)
{
	const char *found = database_value(RIGHTS
		" SELECT coalesce(string_agg(line, E'\n' ORDER BY line COLLATE \"C\"), '') FROM lines"
		" WHERE grantee = CASE '%s' WHEN 'public' THEN 0 ELSE to_regrole('%s')::oid END",
		role, role);
	cr_expect_str_eq(found, expected, "rights of %s are\n%s\n\nnot\n%s", role, found, expected);
}

Test(roles, everybody_else_may_do_nothing)
{
	expect_rights("public", "");
	cr_expect_str_eq(database_value(RIGHTS " SELECT string_agg(DISTINCT grantee::regrole::text, ',') FROM lines"),
		"payhook_app,payhook_operator,payhook_worker");
}

Test(roles, the_app_may_store_and_read_and_change_nothing)
{
	expect_rights("payhook_app",
		"add_rejections(text[],text[],text[],bigint[],text[],text[],bigint[]) EXECUTE\n"
		"jobs INSERT(source,transaction_id,traceparent)\n"
		"schema USAGE\n"
		"transaction_conflicts INSERT(transaction_id,source,ordinal,body_sha256,body,request_id)\n"
		"transaction_conflicts SELECT(transaction_id,source,ordinal,body_sha256,count,unkept)\n"
		"transaction_conflicts UPDATE(last_seen,count,unkept)\n"
		"transactions INSERT(transaction_id,source,source_account,destination_account,amount,currency)\n"
		"transactions SELECT");
}

Test(roles, a_worker_may_move_jobs_and_settle)
{
	expect_rights("payhook_worker",
		"dead_jobs INSERT(transaction_id,source,attempts,error,enqueued_at,traceparent)\n"
		"dead_jobs SELECT(transaction_id,source,died_at)\n"
		"job_attempts INSERT(transaction_id,source,attempt,started_at,finished_at,outcome,error,worker)\n"
		"jobs DELETE\n"
		"jobs INSERT(source,transaction_id,attempt,enqueued_at,run_at,last_error,traceparent)\n"
		"jobs SELECT\n"
		"jobs UPDATE(id,attempt,run_at,owner,claimed_at)\n"
		"keep_attempts(integer) EXECUTE\n"
		"pauses SELECT\n"
		"schema USAGE\n"
		"transaction_conflicts DELETE\n"
		"transaction_conflicts SELECT(transaction_id,source)\n"
		"transactions DELETE\n"
		"transactions SELECT\n"
		"transactions UPDATE(status,processed_at,failure)\n"
		"workers DELETE\n"
		"workers INSERT(owner,host,pid,version)\n"
		"workers SELECT\n"
		"workers UPDATE(beat_at,in_flight,circuit_open_since)");
}

Test(roles, an_operator_may_read_everything_and_call_what_mends)
{
	cr_expect_str_eq(database_value(RIGHTS " SELECT string_agg(line, ' ' ORDER BY line COLLATE \"C\") FROM lines"
					       " WHERE grantee = 'payhook_operator'::regrole AND line !~ ' SELECT$'"),
		"pause() EXECUTE resume() EXECUTE retry(text,text) EXECUTE"
		" retry_all(timestamp with time zone,text) EXECUTE schema USAGE");
	cr_expect_eq(database_number("SELECT count(*) FROM pg_class WHERE relnamespace = 'payhook'::regnamespace"
				     " AND relkind IN ('r', 'p', 'v')"
				     " AND NOT has_table_privilege('payhook_operator', oid, 'SELECT')"),
		0);
}

/* What happens to a statement of this role. */
static const char *tries(const char *role, const char *statement)
{
	static char outcome[64];
	database_exec("SET ROLE %s", role);
	strncpy(outcome, database_refusal("%s", statement), sizeof(outcome) - 1);
	database_exec("RESET ROLE");
	return outcome;
}

#define DENIED "42501" /* insufficient_privilege */

Test(roles, a_responder_taken_over_cannot_make_a_transaction_processed)
{
	static const char *const STATEMENTS[] = {
		"UPDATE payhook.transactions SET status = 'PROCESSED', processed_at = now()",
		"INSERT INTO payhook.transactions (status, processed_at) VALUES ('PROCESSED', now())",
		"DELETE FROM payhook.transactions",
		"SELECT * FROM payhook.jobs",
		"DELETE FROM payhook.jobs",
		"SELECT body FROM payhook.transaction_conflicts",
		"SELECT * FROM payhook.dead_jobs",
		"SELECT * FROM payhook.workers",
		"SELECT detail FROM payhook.rejected_requests",
		"SELECT * FROM payhook.rejections",
		"UPDATE payhook.rejected_requests SET detail = ''",
		"SELECT payhook.retry_all()",
		"SELECT payhook.pause()",
		"SELECT payhook.keep_attempts(1)",
		"SELECT payhook.grant_rights()",
	};
	for (size_t i = 0; i < sizeof(STATEMENTS) / sizeof(*STATEMENTS); i++)
		cr_expect_str_eq(tries("payhook_app", STATEMENTS[i]), DENIED, "%s", STATEMENTS[i]);
}

Test(roles, a_worker_taken_over_cannot_invent_or_alter_a_payment)
{
	static const char *const STATEMENTS[] = {
		"INSERT INTO payhook.transactions (transaction_id) VALUES ('t')",
		"UPDATE payhook.transactions SET amount = 1",
		"SELECT body FROM payhook.transaction_conflicts",
		"SELECT payhook.retry_all()",
		"DELETE FROM payhook.job_attempts",
	};
	for (size_t i = 0; i < sizeof(STATEMENTS) / sizeof(*STATEMENTS); i++)
		cr_expect_str_eq(tries("payhook_worker", STATEMENTS[i]), DENIED, "%s", STATEMENTS[i]);
}

Test(roles, an_operator_mends_but_writes_no_table)
{
	cr_expect_str_eq(tries("payhook_operator", "SELECT payhook.pause()"), "accepted");
	cr_expect_str_eq(tries("payhook_operator", "SELECT payhook.resume()"), "accepted");
	cr_expect_str_eq(tries("payhook_operator", "SELECT payhook.retry_all()"), "accepted");
	cr_expect_str_eq(
		tries("payhook_operator", "SELECT * FROM payhook.queue, payhook.conflicts, payhook.rejections"),
		"accepted");
	cr_expect_str_eq(tries("payhook_operator", "DELETE FROM payhook.jobs"), DENIED);
	cr_expect_str_eq(tries("payhook_operator", "UPDATE payhook.transactions SET status = 'FAILED'"), DENIED);
}
