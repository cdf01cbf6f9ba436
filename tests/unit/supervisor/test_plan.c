/* test_plan.c - the words that the supervisor reads: parts with their options, steps, and what is refused. */

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "plan.h"

/* A pipe holds all of a plan that is shorter than its buffer of 64 kB. */
static bool read_text(const char *text, size_t len, struct plan *ret, struct fault *f)
{
	int ends[2];
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], text, len), (ssize_t)len);
	close(ends[1]);
	bool ok = plan_read(ends[0], ret, f);
	close(ends[0]);
	return ok;
}

Test(plan, has_parts_and_steps_in_their_order)
{
	static const char text[] =
		"part\0nginx\0user=www\0wave=2\0stop=QUIT\0patience_ms=6000\0stop_again=TERM\0orphans=USR2\0"
		"own_log=access\0reopen=USR1\0--\0nginx\0-p\0a b\0;\0"
		"step\0ready\0--\0true\0;";
	struct plan plan = {0};
	struct fault f = {0};
	cr_assert(read_text(text, sizeof text, &plan, &f), "%s", f.text);
	cr_assert_eq(plan.count, 2);
	const struct plan_item *item = &plan.items[0];
	cr_expect(item->is_part);
	cr_expect_str_eq(item->name, "nginx");
	cr_expect_str_eq(item->user, "www");
	cr_expect_eq(item->wave, 2);
	cr_expect_eq(item->stop, SIGQUIT);
	cr_expect_eq(item->patience_ms, 6000);
	cr_expect_eq(item->stop_again, SIGTERM);
	cr_expect_eq(item->orphans, SIGUSR2);
	cr_expect_str_eq(item->own_log, "access");
	cr_expect_eq(item->reopen, SIGUSR1);
	cr_expect_str_eq(item->command[2], "a b");
	cr_expect_null(item->command[3]);
	cr_expect_not(plan.items[1].is_part);
	cr_expect_str_eq(plan.items[1].command[0], "true");
}

/* Variables may stand among other options, and their values may look like anything. */
Test(plan, gives_each_item_its_own_variables_only)
{
	static const char text[] = "part\0a\0env=A=1=2\0wave=1\0env=B=\0--\0true\0;\0"
				   "part\0b\0--\0true\0;\0"
				   "step\0c\0env=C=x y\0--\0true\0;";
	struct plan plan = {0};
	struct fault f = {0};
	cr_assert(read_text(text, sizeof text, &plan, &f), "%s", f.text);
	cr_expect_str_eq(plan.items[0].environment[0], "A=1=2");
	cr_expect_str_eq(plan.items[0].environment[1], "B=");
	cr_expect_null(plan.items[0].environment[2]);
	cr_expect_eq(plan.items[0].wave, 1);
	cr_expect_null(plan.items[1].environment[0]);
	cr_expect_str_eq(plan.items[2].environment[0], "C=x y");
	cr_expect_null(plan.items[2].environment[1]);
}

struct refused {
	const char text[80];
	const char named[40];
};

ParameterizedTestParameters(plan, refuses)
{
	static struct refused all[] = {
		{"", "empty"},
		{"service\0a\0--\0true\0;", "service"},
		{"part", "name"},
		{"part\0--\0true\0;", "name"},
		{"part\0a\0--\0true", "a: no command"},
		{"part\0a\0--\0;", "a: no command"},
		{"part\0a\0true\0;", "a: no \"--\""},
		{"part\0a\0env=A\0--\0true\0;", "env=A"},
		{"part\0a\0env==x\0--\0true\0;", "env==x"},
		{"part\0a\0wave=x\0--\0true\0;", "wave=x"},
		{"part\0a\0wave=-1\0--\0true\0;", "wave=-1"},
		{"part\0a\0patience_ms=9999999999\0--\0true\0;", "patience_ms=9999999999"},
		{"part\0a\0stop=SIGTERM\0--\0true\0;", "stop=SIGTERM"},
		{"part\0a\0colour=red\0--\0true\0;", "colour=red"},
		{"step\0a\0wave=1\0--\0true\0;", "wave=1"},
	};
	return cr_make_param_array(struct refused, all, sizeof all / sizeof *all);
}

ParameterizedTest(const struct refused *r, plan, refuses)
{
	struct plan plan = {0};
	struct fault f = {0};
	size_t len = sizeof r->text;
	while (len > 0 && r->text[len - 1] == '\0')
		len--;
	cr_assert_not(read_text(r->text, len > 0 ? len + 1 : 0, &plan, &f));
	cr_expect_not_null(strstr(f.text, r->named), "%s", f.text);
	cr_expect_eq(f.kind, FAULT_INPUT);
}
