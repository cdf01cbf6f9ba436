#pragma once

/* One scrape of /metrics, as Prometheus would read it. */

struct scrape {
	char *text;
};

/* Scrapes a port of 127.0.0.1; 0: that of the shared instance.  Fails the test if the answer is not in Prometheus' text
 * format. */
void scrape_take(struct scrape *s, int port);
void scrape_finish(struct scrape *s);

/* Returns the value of a series that is named as in the format: payhook_webhooks_total{outcome="accepted"}.  Returns 0
 * if the series is absent, as a counter is that has not counted yet. *reported, if not NULL, receives whether it is
 * present. */
double scrape_value(const struct scrape *s, const char *series, int *reported);

/* The same for a scrape of the shared instance now. */
double scrape_now(const char *series);

/* Passes the text through "promtool check metrics". */
void scrape_check(const struct scrape *s);
