/* failing_calls.c - a library to preload, which makes one call of a program's start fail.
 *
 * FAILING_CALL names it.  Lack of memory or descriptors cannot be produced at one place of a start; this can. */

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void *event_base_new(void);
void *event_base_new_with_config(const void *config);
void *evhttp_new(void *base);
void *curl_multi_init(void);
int FCGX_Init(void);

/* Writes the real function to *ret, by the form that POSIX gives for dlsym().  False: it is the one that shall fail. */
static bool finds(const char *name, void *ret)
{
	const char *failing = getenv("FAILING_CALL");
	void *found = failing && strcmp(failing, name) == 0 ? NULL : dlsym(RTLD_NEXT, name);
	memcpy(ret, &found, sizeof found);
	errno = EMFILE;
	return found;
}

void *event_base_new(void)
{
	void *(*call)(void);
	return finds("event_base_new", &call) ? call() : NULL;
}

void *event_base_new_with_config(const void *config)
{
	void *(*call)(const void *);
	return finds("event_base_new_with_config", &call) ? call(config) : NULL;
}

void *evhttp_new(void *base)
{
	void *(*call)(void *);
	return finds("evhttp_new", &call) ? call(base) : NULL;
}

void *curl_multi_init(void)
{
	void *(*call)(void);
	return finds("curl_multi_init", &call) ? call() : NULL;
}

int FCGX_Init(void)
{
	int (*call)(void);
	return finds("FCGX_Init", &call) ? call() : EMFILE;
}
