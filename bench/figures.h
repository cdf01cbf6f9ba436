#pragma once

#include "bench.h"
#include "machine.h"

/* Writes the figures to the folder b->out, which is created if necessary: figures.json, the input of gnuplot
 * (*.dat), and its plots (*.svg).  plots is the path of gnuplot's script. */
MUST_USE bool figures_write(const struct bench *b, const struct machine *m, const char *plots, struct fault *f);
