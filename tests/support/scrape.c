/* scrape.c - reads /metrics as Prometheus does. */

#include "support/scrape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "support/client.h"
#include "support/instance.h"

#define FORMAT "text/plain; version=0.0.4; charset=utf-8"

void scrape_take(struct scrape *s, int port)
{
	struct answer a;
	char type[128];

	call_send(&(struct call){.target = "/metrics", .port = port}, &a);
	cr_assert_eq(a.status, 200, "/metrics answers %d %s%s", a.status, a.body, a.trouble);
	answer_header(&a, "Content-Type", type, sizeof(type));
	cr_assert_str_eq(type, FORMAT);
	s->text = strdup(a.body);
	answer_finish(&a);
}

void scrape_finish(struct scrape *s)
{
	free(s->text);
	s->text = NULL;
}

double scrape_value(const struct scrape *s, const char *series, int *reported)
{
	size_t len = strlen(series);

	for (const char *line = s->text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, series, len) != 0 || line[len] != ' ')
			continue;
		if (reported != NULL)
			*reported = 1;
		return strtod(line + len, NULL);
	}
	if (reported != NULL)
		*reported = 0;
	return 0;
}

double scrape_now(const char *series)
{
	struct scrape s;

	scrape_take(&s, 0);
	double value = scrape_value(&s, series, NULL);
	scrape_finish(&s);
	return value;
}

void scrape_check(const struct scrape *s)
{
	char file[128], log[160], command[300], printed[2048] = "";
	int status = -1;

	snprintf(file, sizeof(file), "%s/scraped-%d", instance()->folder, (int)getpid());
	snprintf(log, sizeof(log), "%s.log", file);
	snprintf(command, sizeof(command), "exec promtool check metrics <%s", file);
	FILE *f = fopen(file, "w");
	cr_assert_not_null(f);
	fputs(s->text, f);
	fclose(f);
	pid_t pid = process_start((const char *const[]){"sh", "-c", command, NULL}, (const char *const[]){NULL}, log);
	cr_assert(process_wait(pid, 20000, &status));
	f = fopen(log, "r");
	if (f != NULL) {
		printed[fread(printed, 1, sizeof(printed) - 1, f)] = '\0';
		fclose(f);
	}
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s\nof\n%s", printed, s->text);
}
