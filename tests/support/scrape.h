#pragma once

/* What Prometheus would read: /metrics at one moment. */

struct scrape {
	char *text;
};

/* Asks a port of 127.0.0.1; 0: the shared instance's.  Fails the test when there is no answer in Prometheus' format. */
void scrape_take(struct scrape *s, int port);
void scrape_finish(struct scrape *s);

/* The value of a series, named as it is written: payhook_webhooks_total{outcome="accepted"}.  0 when it is not told, as
 * of a counter that has not counted yet; *told says whether it is, unless told is NULL. */
double scrape_value(const struct scrape *s, const char *series, int *reported);

/* The same of the shared instance, now. */
double scrape_now(const char *series);

/* Passes the text through "promtool check metrics". */
void scrape_check(const struct scrape *s);
