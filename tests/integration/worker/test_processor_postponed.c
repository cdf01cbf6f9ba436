/* test_processor_postponed.c - calls of the http processor that this machine cannot make: the processor is not at fault. */

#include <criterion/criterion.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/caller.h"

static struct caller c;

static void open_all(void)
{
	caller_open(&c);
}

static void close_all(void)
{
	caller_close(&c);
	call_options_finish(&c.options);
}

TestSuite(processor_postponed, .init = open_all, .fini = close_all);

/* In place of curl's functions: a call for which there is no memory. */
static bool curl_has_no_memory, libevent_has_no_memory;

CURL *curl_easy_init(void)
{
	CURL *(*real)(void);
	*(void **)&real = dlsym(RTLD_NEXT, "curl_easy_init");
	return curl_has_no_memory ? NULL : real();
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
	CURLMcode (*real)(CURLM *, CURL *);
	*(void **)&real = dlsym(RTLD_NEXT, "curl_multi_add_handle");
	return curl_has_no_memory ? CURLM_OUT_OF_MEMORY : real(multi, easy);
}

static void expect_postponed(const struct made *m, const char *why)
{
	cr_expect_eq(m->result, CALL_POSTPONED, "%s", m->why);
	cr_expect_not_null(strstr(m->why, why), "%s is not in: %s", why, m->why);
}

Test(processor_postponed, postpones_a_call_for_which_there_is_no_memory)
{
	struct made first = made_of("transactions", "tx_1"), second = made_of("transactions", "tx_2"),
		    third = made_of("transactions", "tx_3");
	http_server_hold(c.server);
	caller_start(&c, &first);
	caller_until_heard(&c, 1);
	curl_has_no_memory = true; /* for another handle */
	caller_start(&c, &second);
	caller_until_ended(&c, 1);
	expect_postponed(&second, "out of memory");
	http_server_release(c.server);
	caller_until_ended(&c, 2);
	cr_expect_eq(first.result, CALL_DONE, "%s", first.why);
	caller_start(&c, &third); /* with a handle that exists */
	caller_until_ended(&c, 3);
	expect_postponed(&third, "out of memory");
	curl_has_no_memory = false;
	cr_expect_eq(http_server_calls(c.server), 1);
}

Test(processor_postponed, postpones_a_call_for_which_there_is_no_descriptor)
{
	struct made first = made_of("transactions", "tx_1"), second = made_of("transactions", "tx_2");
	struct rlimit limit;
	http_server_hold(c.server);
	caller_start(&c, &first);
	caller_until_heard(&c, 1);
	getrlimit(RLIMIT_NOFILE, &limit);
	int lowest_free = dup(0);
	close(lowest_free);
	limit.rlim_cur = (rlim_t)lowest_free;
	setrlimit(RLIMIT_NOFILE, &limit);
	caller_call(&c, &second);
	expect_postponed(&second, "Too many open files");
}

/* As OpenSSL refuses a certificate with too weak a key, though it fits its key. */
Test(processor_postponed, postpones_a_call_for_which_the_client_certificate_cannot_be_used)
{
	struct made m = made_of("transactions", "tx_1");
	snprintf(c.settings.processor_url, sizeof c.settings.processor_url, "https://127.0.0.1:%d/pay",
		http_server_port(c.server));
	c.options.certificate = BUF_INIT(64);
	buf_add_text(&c.options.certificate, "no certificate");
	c.options.key = BUF_INIT(64);
	buf_add_text(&c.options.key, "no key");
	caller_call(&c, &m);
	expect_postponed(&m, "this machine could not make the call: Problem with the local SSL certificate");
}

/* libevent's memory: an event is allocated with this size and nothing else is. */
static void *malloc_without_events(size_t size)
{
	return libevent_has_no_memory && size == event_get_struct_event_size() ? NULL : malloc(size);
}

Test(processor_postponed, postpones_a_call_if_its_socket_cannot_be_watched)
{
	struct made first = made_of("transactions", "tx_1"), second = made_of("transactions", "tx_2"),
		    third = made_of("transactions", "tx_3");
	event_set_mem_functions(malloc_without_events, realloc, free);
	c.settings.processor_timeout_ms = 300;
	caller_call(&c, &first);
	cr_expect_eq(first.result, CALL_DONE, "%s", first.why);
	libevent_has_no_memory = true;
	caller_call(&c, &second);
	libevent_has_no_memory = false;
	expect_postponed(&second, "Cannot allocate memory");
	http_server_hold(c.server);
	caller_call(&c, &third);
	cr_expect_eq(third.result, CALL_AGAIN, "a timeout is the processor's: %s", third.why);
}
