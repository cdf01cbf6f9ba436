#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"
#include "metric.h"

/* The cells of a program's processes on one host, in a file that they share: what one of them is asked, all have
 * counted.
 *
 * Each process has a slot, held by a lock that ends with the process, however that ends.  Who gets a dead one's slot goes
 * on counting from its numbers: so sums never fall when processes come and go, and nothing has to be moved. */

#define PAGE_SLOTS 128 /* processes that live at a time */

struct page;

/* Takes a slot of the folder's file for this program and table.  A process opens one page once. */
MUST_USE bool page_open(
	const char *folder, const char *program, const struct metrics *m, struct page **ret, struct fault *f);
void page_close(struct page *p);

/* The slot's cells, to be written by us alone. */
_Atomic int64_t *page_cells(const struct page *p);

/* The sum of each cell: counters and histograms of all who ever counted here, gauges of those who live.  Returns how
 * many live. */
int page_sum(const struct page *p, int64_t *ret);
