#pragma once

#include "bench.h"
#include "machine.h"

/* The figures as files, in the folder b->out: figures.json, what gnuplot reads (*.dat), and its plots (*.svg). */
MUST_USE bool figures_write(const struct bench *b, const struct machine *m, const char *plots, struct fault *f);
