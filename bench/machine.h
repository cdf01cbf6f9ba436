#pragma once

#include <stdio.h>

#include "base/base.h"
#include "base/fault.h"
#include "stage.h"

/* The machine and the PostgreSQL on which the figures depend. */

struct machine {
	int cores;
	char processor[128];
	char kernel[128];
	double memory_gb;
	char file_system[64]; /* type, under the database's folder */
	double fdatasync_us;  /* of 8 kB, by pg_test_fsync */
	int huge_pages;       /* of the kernel's pool, while an instance runs */
	char postgres[512];   /* version and settings */
};

/* Reads all of them; pg_test_fsync takes up to 20 s of this.  A PostgreSQL whose commits are not durable is a fault:
 * its figures would mean nothing. */
MUST_USE bool machine_read(struct machine *ret, struct stage *s, struct fault *f);
void machine_print(const struct machine *m, FILE *out);
