/* test_roles.c - the rights of each database role on every object of the schema, and rights that no role may have. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/fresh_database.h"

TestSuite(roles, .init = database_init, .fini = database_drop);

/* A right is a line "object privilege" or "object privilege(columns)"; functions are named by their signature. */
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
		"payhook_app,payhook_console,payhook_operator,payhook_worker");
}

Test(roles, the_app_may_store_and_read_and_change_nothing)
{
	expect_rights("payhook_app",
		"activate(bigint[]) EXECUTE\n"
		"add_auth_failures(text[],text[],text[],bigint[],text[],text[],bigint[]) EXECUTE\n"
		"add_rates(text[],bigint[],bigint[],bigint[],bigint[]) EXECUTE\n"
		"add_rejections(text[],text[],text[],bigint[],text[],text[],bigint[]) EXECUTE\n"
		"add_validation_errors(text[],bigint[],bigint[],text[],text[],text[],bigint[]) EXECUTE\n"
		"jobs INSERT(source,transaction_id,traceparent)\n"
		"keep_unreadable(text[],text[],text[],text[],bytea[],text[],text[]) EXECUTE\n"
		"lane_numbers USAGE\n"
		"lane_of(text,text) EXECUTE\n"
		"older_workers(integer) EXECUTE\n"
		"parked_jobs INSERT(lane,lane_no,source,transaction_id,traceparent,continues)\n"
		"payload_ids USAGE\n"
		"payloads INSERT\n"
		"payloads_day(date) EXECUTE\n"
		"payment_state(payment_event[]) EXECUTE\n"
		"payments SELECT\n"
		"remember_transmissions(text[],text[],bytea[]) EXECUTE\n"
		"schema USAGE\n"
		"transaction_conflicts INSERT(transaction_id,source,ordinal,body_sha256,body,request_id)\n"
		"transaction_conflicts SELECT(transaction_id,source,ordinal,body_sha256,count,unkept)\n"
		"transaction_conflicts UPDATE(last_seen,count,unkept)\n"
		"transactions INSERT(transaction_id,source,source_account,destination_account,amount,currency,"
		"payload_id,payload_at,payment_id,kind,part,is_total,occurred_at)\n"
		"transactions SELECT");
}

Test(roles, a_worker_may_move_jobs_and_settle)
{
	expect_rights("payhook_worker",
		"activate(bigint[]) EXECUTE\n"
		"add_rates(text[],bigint[],bigint[],bigint[],bigint[]) EXECUTE\n"
		"dead_jobs INSERT(transaction_id,source,attempts,error,enqueued_at,traceparent,lane,lane_no)\n"
		"dead_jobs SELECT(transaction_id,source,died_at)\n"
		"job_attempts INSERT(transaction_id,source,attempt,started_at,finished_at,outcome,error,worker)\n"
		"jobs DELETE\n"
		"jobs INSERT(source,transaction_id,attempt,enqueued_at,run_at,last_error,traceparent,lane,lane_no,continues)\n"
		"jobs SELECT\n"
		"jobs UPDATE(id,attempt,run_at,owner,claimed_at)\n"
		"keep_attempts(integer) EXECUTE\n"
		"keep_partitions(integer,integer) EXECUTE\n"
		"lane_numbers SELECT\n"
		"parked_jobs SELECT\n"
		"pauses SELECT\n"
		"payloads SELECT\n"
		"retention_clock SELECT\n"
		"retention_clock UPDATE(at)\n"
		"run_operations() EXECUTE\n"
		"schema USAGE\n"
		"source_pauses SELECT\n"
		"transaction_conflicts DELETE\n"
		"transaction_conflicts SELECT(transaction_id,source)\n"
		"transactions DELETE\n"
		"transactions SELECT\n"
		"transactions UPDATE(status,processed_at,failure)\n"
		"workers DELETE\n"
		"workers INSERT(owner,host,pid,version,level,processor)\n"
		"workers SELECT\n"
		"workers UPDATE(beat_at,in_flight,circuit_open_since)");
}

#define EXECUTE " EXECUTE "
#define CONSOLE_FUNCTIONS                                                                                              \
	"console_actions(text,text,text,text,text,text)" EXECUTE "console_auth_failures(text,text,text,text)" EXECUTE  \
	"console_cancel_operation(text,text,text,text)" EXECUTE                                                        \
	"console_conflict_body(text,text,text,text,text)" EXECUTE "console_conflicts(text,text,text,text)" EXECUTE     \
	"console_operation(text)" EXECUTE "console_operations(text,text)" EXECUTE "console_overview()" EXECUTE         \
	"console_pause(text,text,text,text)" EXECUTE "console_payload(text,text,text,text)" EXECUTE                    \
	"console_payment(text,text)" EXECUTE CONSOLE_REFUSED "console_resume(text,text,text,text)" EXECUTE             \
	"console_retry(text,text,text,text,text,text)" EXECUTE CONSOLE_SIGN_INS                                        \
	"console_skip(text,text,text,text,text)" EXECUTE "console_sources()" EXECUTE                                   \
	"console_start_operation(text,text,text,text,text,text,text)" EXECUTE "console_transaction(text,text)" EXECUTE \
	"console_transactions(text,text,text,text,text,text,text,text,text,text,text,text,text,text)" EXECUTE          \
	"console_unreadable(text,text,text)" EXECUTE "console_validation_errors(text,text,text)" EXECUTE               \
	"console_workers() EXECUTE"

/* Everything that the console's role may do, of any kind; and nothing in another schema, but what everybody may. */
Test(roles, the_console_may_call_its_functions_and_nothing_else)
{
#define CONSOLE_REFUSED "console_refused(text,text,text,text,text,text,text)" EXECUTE
#define CONSOLE_SIGN_INS "console_sign_ins_failed(text[],text[],text[],bigint[])" EXECUTE
	cr_expect_str_eq(database_value(RIGHTS " SELECT string_agg(line, ' ' ORDER BY line COLLATE \"C\") FROM lines"
					       " WHERE grantee = 'payhook_console'::regrole"),
		CONSOLE_FUNCTIONS " schema USAGE");
#undef CONSOLE_REFUSED
#undef CONSOLE_SIGN_INS
	cr_expect_str_eq(
		database_value(
			"SELECT setconfig[1] FROM pg_db_role_setting WHERE setrole = 'payhook_console'::regrole"),
		"statement_timeout=2s");
}

#define CONSOLE_REFUSED ""
#define CONSOLE_SIGN_INS ""

Test(roles, an_operator_may_read_everything_and_call_what_mends)
{
	cr_expect_str_eq(database_value(RIGHTS " SELECT string_agg(line, ' ' ORDER BY line COLLATE \"C\") FROM lines"
					       " WHERE grantee = 'payhook_operator'::regrole AND line !~ ' SELECT$'"),
		CONSOLE_FUNCTIONS
		" drop_unreadable(bigint) EXECUTE forget(text,boolean) EXECUTE pause() EXECUTE pause(text) EXECUTE"
		" payment_state(payment_event[]) EXECUTE resume() EXECUTE resume(text) EXECUTE retry(text,text) EXECUTE"
		" retry_all(timestamp with time zone,text) EXECUTE schema USAGE skip(text,text) EXECUTE");
	cr_expect_eq(database_number("SELECT count(*) FROM pg_class WHERE relnamespace = 'payhook'::regnamespace"
				     " AND relkind IN ('r', 'p', 'v')"
				     " AND NOT has_table_privilege('payhook_operator', oid, 'SELECT')"),
		0);
}

/* The SQLSTATE of a statement that this role executes, or "accepted". */
static const char *tries(const char *role, const char *statement)
{
	static char outcome[64];
	database_exec("SET ROLE %s", role);
	strncpy(outcome, database_error("%s", statement), sizeof(outcome) - 1);
	database_exec("RESET ROLE");
	return outcome;
}

#define DENIED "42501" /* insufficient_privilege */

static void expect_denied(const char *role, const char *const *statements, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *outcome = tries(role, statements[i]);
		cr_expect_str_eq(outcome, DENIED, "%s: %s: %s", role, statements[i], outcome);
	}
}

Test(roles, a_responder_taken_over_cannot_make_a_transaction_processed)
{
	static const char *const STATEMENTS[] = {
		"UPDATE payhook.transactions SET status = 'PROCESSED', processed_at = now()",
		"UPDATE payhook.transactions SET amount = 1",
		"INSERT INTO payhook.transactions (status, processed_at) VALUES ('PROCESSED', now())",
		("INSERT INTO payhook.transactions (transaction_id, source_account, destination_account, amount, currency)"
		 " VALUES ('t', 'a', 'b', 1, 'INR') ON CONFLICT (transaction_id, source) DO UPDATE SET amount = 1"),
		"SELECT * FROM payhook.transactions FOR UPDATE",
		"DELETE FROM payhook.transactions",
		"TRUNCATE payhook.transactions",
		"SELECT * FROM payhook.jobs",
		"INSERT INTO payhook.jobs (source, transaction_id, attempt) VALUES ('s', 't', 1000)",
		"UPDATE payhook.jobs SET run_at = 'infinity'",
		"DELETE FROM payhook.jobs",
		"SELECT payhook.retry('t', 's')",
		"SELECT payhook.retry_all()",
		"SELECT payhook.skip('t', 's')",
		"DELETE FROM payhook.parked_jobs",
		"SELECT * FROM payhook.parked_jobs",
		"SELECT payhook.pause()",
		"SELECT payhook.resume()",
		"SELECT payhook.keep_attempts(1)",
		"SELECT payhook.forget('a')",
		"SELECT payhook.keep_partitions(0, 0)",
		"SELECT payhook.grant_rights()",
	};
	expect_denied("payhook_app", STATEMENTS, COUNT_OF(STATEMENTS));
}

Test(roles, a_responder_taken_over_cannot_look_around)
{
	static const char *const STATEMENTS[] = {
		"SELECT body FROM payhook.payloads",
		"SELECT payload_id FROM payhook.payloads",
		"UPDATE payhook.payloads SET body = ''",
		"DELETE FROM payhook.payloads",
		"SELECT * FROM payhook.needed_payloads('2026-01-01')",
		"SELECT body FROM payhook.transaction_conflicts",
		"SELECT request_id FROM payhook.transaction_conflicts",
		"UPDATE payhook.transaction_conflicts SET body = ''",
		"DELETE FROM payhook.transaction_conflicts",
		"SELECT * FROM payhook.dead_jobs",
		"SELECT * FROM payhook.job_attempts",
		"SELECT * FROM payhook.workers",
		"SELECT * FROM payhook.pauses",
		"SELECT * FROM payhook.migrations",
		"SELECT * FROM payhook.queue",
		"SELECT * FROM payhook.conflicts",
		"SELECT detail FROM payhook.rejected_requests",
		"SELECT count(*) FROM payhook.rejected_requests",
		"SELECT * FROM payhook.auth_failures",
		"INSERT INTO payhook.rejected_requests (detail) VALUES ('')",
		"UPDATE payhook.rejected_requests SET detail = ''",
		"DELETE FROM payhook.rejected_requests",
		"SELECT problems FROM payhook.invalid_webhooks",
		"SELECT * FROM payhook.validation_errors",
		"INSERT INTO payhook.invalid_webhooks (problems) VALUES ('')",
		"DELETE FROM payhook.invalid_webhooks",
		"SELECT body FROM payhook.unreadable_webhooks",
		"SELECT * FROM payhook.unreadable",
		"SELECT source FROM payhook.unreadable_sources",
		"INSERT INTO payhook.unreadable_webhooks (body) VALUES ('')",
		"UPDATE payhook.unreadable_webhooks SET body = ''",
		"DELETE FROM payhook.unreadable_webhooks",
		"SELECT payhook.drop_unreadable(1)",
		"SELECT transmission_id FROM payhook.transmissions",
		"INSERT INTO payhook.transmissions (source) VALUES ('')",
		"UPDATE payhook.transmissions SET body_sha256 = ''",
		"DELETE FROM payhook.transmissions",
	};
	expect_denied("payhook_app", STATEMENTS, COUNT_OF(STATEMENTS));
}

Test(roles, a_worker_taken_over_cannot_invent_or_alter_a_payment)
{
	static const char *const STATEMENTS[] = {
		"INSERT INTO payhook.transactions (transaction_id) VALUES ('t')",
		("INSERT INTO payhook.transactions (transaction_id, source_account, destination_account, amount, currency)"
		 " VALUES ('t', 'a', 'b', 1, 'INR')"),
		"UPDATE payhook.transactions SET transaction_id = 't'",
		"UPDATE payhook.transactions SET source = 's'",
		"UPDATE payhook.transactions SET source_account = 'a'",
		"UPDATE payhook.transactions SET destination_account = 'b'",
		"UPDATE payhook.transactions SET amount = 1",
		"UPDATE payhook.transactions SET currency = 'INR'",
		"UPDATE payhook.transactions SET created_at = now()",
		"UPDATE payhook.transactions SET status = 'PROCESSED', amount = 1",
		"TRUNCATE payhook.transactions",
		"SELECT body FROM payhook.transaction_conflicts",
		"UPDATE payhook.transaction_conflicts SET count = 1",
		"SELECT * FROM payhook.rejected_requests",
		"SELECT * FROM payhook.auth_failures",
		"DELETE FROM payhook.rejected_requests",
		"SELECT * FROM payhook.validation_errors",
		"DELETE FROM payhook.invalid_webhooks",
		"SELECT body FROM payhook.unreadable_webhooks",
		"DELETE FROM payhook.unreadable_webhooks",
		"SELECT payhook.drop_unreadable(1)",
		"UPDATE payhook.jobs SET transaction_id = 't'",
		"UPDATE payhook.payloads SET body = ''",
		"DELETE FROM payhook.payloads",
		"SELECT payhook.drop_partition('transactions', '2026-01-01')",
		"SELECT payhook.make_partitions('payloads')",
		"ALTER TABLE payhook.payloads DETACH PARTITION payhook.payloads_20260101",
		"DELETE FROM payhook.dead_jobs",
		"SELECT * FROM payhook.job_attempts",
		"DELETE FROM payhook.job_attempts",
		"DELETE FROM payhook.pauses",
		"SELECT payhook.retry_all()",
		"SELECT payhook.pause()",
		"SELECT payhook.resume()",
		"SELECT payhook.forget('a')",
	};
	expect_denied("payhook_worker", STATEMENTS, COUNT_OF(STATEMENTS));
}

Test(roles, an_operator_mends_but_writes_no_table)
{
	static const char *const STATEMENTS[] = {
		("INSERT INTO payhook.transactions (transaction_id, source_account, destination_account, amount, currency)"
		 " VALUES ('t', 'a', 'b', 1, 'INR')"),
		"UPDATE payhook.transactions SET status = 'FAILED'",
		"UPDATE payhook.transactions SET amount = 1",
		"DELETE FROM payhook.transactions",
		"TRUNCATE payhook.transactions",
		"SELECT * FROM payhook.transactions FOR UPDATE",
		"DELETE FROM payhook.jobs",
		"INSERT INTO payhook.pauses DEFAULT VALUES",
		"DELETE FROM payhook.rejected_requests",
		"DELETE FROM payhook.invalid_webhooks",
		"DELETE FROM payhook.unreadable_webhooks",
		"SELECT payhook.keep_attempts(1)",
		"SELECT payhook.body_names('', 'a')",
		"DELETE FROM payhook.operator_actions",
		"INSERT INTO payhook.source_pauses (source) VALUES ('s')",
		"SELECT payhook.record_action('retry', 's', 't', NULL, '', 'a', '', 'done', 'd')",
		"SELECT * FROM payhook.console_refused('retry', 's', 't', '', 'a', '', '')",
		"SELECT payhook.keep_partitions(0, 0)",
		"SELECT payhook.grant_rights()",
	};
	cr_expect_str_eq(tries("payhook_operator", "SELECT payhook.pause()"), "accepted");
	cr_expect_str_eq(tries("payhook_operator", "SELECT payhook.forget('a', true)"), "accepted");
	cr_expect_str_eq(tries("payhook_operator", "SELECT payhook.resume()"), "accepted");
	cr_expect_str_eq(tries("payhook_operator", "SELECT payhook.drop_unreadable(1)"), "accepted");
	cr_expect_str_eq(tries("payhook_operator", "SELECT payhook.retry_all()"), "accepted");
	cr_expect_str_eq(
		tries("payhook_operator", "SELECT * FROM payhook.queue, payhook.conflicts, payhook.auth_failures"),
		"accepted");
	expect_denied("payhook_operator", STATEMENTS, COUNT_OF(STATEMENTS));
}

Test(roles, a_console_taken_over_reads_and_writes_no_table)
{
	static const char *const STATEMENTS[] = {
		"SELECT * FROM payhook.transactions",
		"SELECT body FROM payhook.payloads",
		"SELECT * FROM payhook.operator_actions",
		"SELECT * FROM payhook.overview_cache",
		"INSERT INTO payhook.operator_actions (actor) VALUES ('a')",
		"DELETE FROM payhook.operator_actions",
		"UPDATE payhook.operations SET total = 0",
		"DELETE FROM payhook.source_pauses",
		"SELECT payhook.retry_all()",
		"SELECT payhook.retry_dead('-infinity', '%', NULL, NULL)",
		"SELECT payhook.retry_members('{t}', '{s}')",
		"SELECT payhook.retry_processed('t', 's')",
		"SELECT payhook.record_action('retry', 's', 't', NULL, '', 'a', '', 'done', 'd')",
		"SELECT payhook.forget('a')",
		"SELECT payhook.run_operations()",
		"SELECT payhook.add_rates('{}', '{}', '{}', '{}', '{}')",
		"SELECT payhook.add_auth_failures('{}', '{}', '{}', '{}', '{}', '{}', '{}')",
		"SELECT payhook.grant_rights()",
		"SELECT payhook.grant_console_rights()",
		"LISTEN payhook; SELECT * FROM payhook.jobs",
	};
	expect_denied("payhook_console", STATEMENTS, COUNT_OF(STATEMENTS));
	cr_expect_str_eq(tries("payhook_console", "SELECT * FROM payhook.console_overview()"), "accepted");
	cr_expect_str_eq(tries("payhook_console", "SELECT * FROM payhook.console_retry('s', 't', '', '', 'key', 'r')"),
		"accepted");
}

static const char *const ROLES[] = {"payhook_app", "payhook_worker", "payhook_operator", "payhook_console"};

Test(roles, nobody_gets_out_of_the_tables)
{
	static const char *const STATEMENTS[] = {
		"COPY (SELECT 1) TO PROGRAM 'cat'",
		"COPY (SELECT 1) TO '/tmp/payhook'",
		"CREATE TEMPORARY TABLE read (line text); COPY read FROM '/etc/passwd'",
		"SELECT pg_read_file('/etc/passwd')",
		"SELECT pg_ls_dir('/')",
		"SELECT lo_import('/etc/passwd')",
		"SELECT * FROM pg_authid",
		"CREATE TABLE payhook.mine ()",
		"CREATE TABLE public.mine ()",
		"CREATE FUNCTION payhook.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
		"CREATE SCHEMA mine",
		"CREATE EXTENSION dblink",
		"CREATE ROLE payhook_mine",
		"ALTER TABLE payhook.transactions DISABLE TRIGGER ALL",
		"ALTER TABLE payhook.transactions OWNER TO CURRENT_USER",
		"DROP TABLE payhook.transactions",
		"GRANT payhook_worker TO payhook_app",
		"ALTER SYSTEM SET fsync = off",
	};
	for (size_t i = 0; i < COUNT_OF(ROLES); i++)
		expect_denied(ROLES[i], STATEMENTS, COUNT_OF(STATEMENTS));
}

Test(roles, nobody_is_more_than_his_role)
{
	cr_expect_eq(
		database_number(
			"SELECT count(*) FROM pg_roles WHERE rolname IN"
			" ('payhook_app', 'payhook_worker', 'payhook_operator', 'payhook_console') AND NOT (rolsuper OR"
			" rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)"),
		4);
	cr_expect_eq(database_number("SELECT count(*) FROM pg_auth_members WHERE member IN"
				     " ('payhook_app'::regrole, 'payhook_worker'::regrole, 'payhook_operator'::regrole,"
				     " 'payhook_console'::regrole)"),
		0);
}

Test(roles, a_stranger_with_a_login_can_do_nothing)
{
	char stranger[32];
	snprintf(stranger, sizeof(stranger), "stranger_%ld", (long)getpid());
	database_exec("DROP ROLE IF EXISTS %s", stranger);
	database_exec("CREATE ROLE %s LOGIN", stranger);
	char names[8192], statement[256];
	snprintf(names, sizeof(names), "%s",
		database_value("SELECT string_agg('SELECT FROM payhook.' || quote_ident(relname), ';') FROM pg_class"
			       " WHERE relnamespace = 'payhook'::regnamespace AND relkind IN ('r', 'p', 'v')"));
	int tried = 0;
	for (char *rest = names, *one; (one = strsep(&rest, ";")) != NULL; tried++) {
		cr_expect_str_eq(tries(stranger, one), DENIED, "%s", one);
		snprintf(statement, sizeof(statement), "DELETE%s", one + strlen("SELECT"));
		cr_expect_str_eq(tries(stranger, statement), DENIED, "%s", statement);
	}
	cr_expect_geq(tried, 10, "%d tables and views", tried);
	static const char *const STATEMENTS[] = {
		"SELECT payhook.pause()",
		"SELECT payhook.retry_all()",
		"SELECT payhook.keep_attempts(1)",
		"SELECT payhook.forget('a')",
		"SELECT payhook.keep_partitions(0, 0)",
		"SELECT payhook.grant_rights()",
		"SELECT payhook.add_auth_failures('{}', '{}', '{}', '{}', '{}', '{}', '{}')",
		"SELECT * FROM payhook.remember_transmissions('{}', '{}', '{}')",
		"INSERT INTO payhook.jobs (transaction_id) VALUES ('t')",
		"CREATE TABLE payhook.mine ()",
		"CREATE TABLE public.mine ()",
	};
	expect_denied(stranger, STATEMENTS, COUNT_OF(STATEMENTS));
	database_exec("DROP ROLE %s", stranger);
}
