/* test_endpoints.c - the table of the console's routes: which endpoint a path has, and what every kind of key may do. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "endpoints.h"

static const struct endpoint *finds(const char *method, const char *target, const char **allow)
{
	static struct path path;
	struct fault f;
	cr_assert(path_read(target, &path, &f), "%s", target);
	return endpoint_find(method, &path, allow);
}

static void leads_to(const char *method, const char *target, const char *statement)
{
	const char *allow;
	const struct endpoint *e = finds(method, target, &allow);
	cr_assert_not_null(e, "%s %s", method, target);
	cr_expect_str_eq(e->statement.name, statement, "%s %s", method, target);
	cr_expect_null(allow);
}

static void leads_nowhere(const char *method, const char *target, const char *allowed)
{
	const char *allow;
	cr_expect_null(finds(method, target, &allow), "%s %s", method, target);
	if (allowed)
		cr_expect(allow && strcmp(allow, allowed) == 0, "%s %s: %s", method, target, allow ? allow : "nothing");
	else
		cr_expect_null(allow, "%s %s", method, target);
}

Test(endpoints, are_found_by_method_and_path)
{
	leads_to("GET", "/console/api/v1/overview", "overview");
	leads_to("HEAD", "/console/api/v1/overview?x=1", "overview");
	leads_to("GET", "/console/api/v1/transactions", "transactions");
	leads_to("GET", "/console/api/v1/transactions/stripe/a%2Fb", "transaction");
	leads_to("GET", "/console/api/v1/transactions/stripe/payload/payload", "payload");
	leads_to("GET", "/console/api/v1/transactions/stripe/a/conflicts/1", "conflict_body");
	leads_to("POST", "/console/api/v1/transactions/stripe/a/retry", "retry");
	leads_to("GET", "/console/api/v1/operations", "operations");
	leads_to("POST", "/console/api/v1/operations", "start_operation");
	leads_to("GET", "/console/api/v1/operations/7", "operation");
	leads_to("POST", "/console/api/v1/operations/7/cancel", "cancel_operation");
}

Test(endpoints, are_not_found_by_anything_else)
{
	leads_nowhere("GET", "/console/api/v1", NULL);
	leads_nowhere("GET", "/console/api/v1/", NULL);
	leads_nowhere("GET", "/console/api/v2/overview", NULL);
	leads_nowhere("GET", "/overview", NULL);
	leads_nowhere("GET", "/console/api/v1/overview/", NULL);
	leads_nowhere("GET", "/console/api/v1/transactions/stripe/", NULL);
	leads_nowhere("GET", "/console/api/v1/transactions/%7Bsource%7D", NULL);
	leads_nowhere("GET", "/console/api/v1/transactions//a", NULL);
}

Test(endpoints, name_the_methods_of_a_path)
{
	leads_nowhere("POST", "/console/api/v1/overview", "GET, HEAD");
	leads_nowhere("GET", "/console/api/v1/pause", "POST");
	leads_nowhere("DELETE", "/console/api/v1/operations", "GET, HEAD, POST");
	leads_nowhere("get", "/console/api/v1/overview", "GET, HEAD");
}

/* Each reads, acts or shows a webhook, and the scope is that of what it does. */
Test(endpoints, have_the_scope_of_what_they_do)
{
	size_t count;
	const struct endpoint *all = endpoints_all(&count);
	cr_assert_eq(count, 21);
	for (size_t i = 0; i < count; i++) {
		const struct endpoint *e = &all[i];
		bool acts = strcmp(e->method, "POST") == 0;
		enum api_scope wanted = acts ? API_OPERATE : e->is_file ? API_PAYLOAD : API_READ;
		cr_expect_eq(e->scope, wanted, "%s", e->statement.name);
		cr_expect_eq(e->action != NULL, acts || e->is_file, "%s", e->statement.name);
	}
}

/* The statement has the endpoint's parameters, and the operator and the request id if it is on record. */
Test(endpoints, have_as_many_parameters_as_their_statements)
{
	size_t count;
	const struct endpoint *all = endpoints_all(&count);
	for (size_t i = 0; i < count; i++) {
		int named = 0, numbered = 0;
		while (all[i].parameters[named])
			named++;
		for (const char *at = all[i].statement.sql; (at = strchr(at, '$')); at++)
			numbered++;
		cr_expect_eq(numbered, named + (all[i].action ? 2 : 0), "%s", all[i].statement.name);
	}
}

/* A parameter that stands in no list would be dropped. */
Test(endpoints, know_each_parameter_of_their_paths)
{
	size_t count, len;
	const struct endpoint *all = endpoints_all(&count);
	for (size_t i = 0; i < count; i++) {
		for (int n = 0; all[i].segments[n]; n++) {
			const char *name = endpoint_segment_name(&all[i], n, &len);
			if (name)
				cr_expect_geq(endpoint_parameter(&all[i], name, len), 0, "%s", all[i].segments[n]);
		}
	}
}

/* Beside those of the endpoints, a refused act and failed sign-ins are recorded by one each. */
Test(endpoints, are_all_prepared_and_each_under_a_name_of_its_own)
{
	size_t count, statements;
	endpoints_all(&count);
	const struct statement *const *all = endpoints_statements(&statements);
	cr_assert_eq(statements, count + 2);
	for (size_t i = 0; i < statements; i++) {
		for (size_t other = 0; other < i; other++)
			cr_expect_str_neq(all[i]->name, all[other]->name);
	}
}
