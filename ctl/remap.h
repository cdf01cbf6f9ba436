#pragma once

/* payhook-ctl remap [SOURCE] [--dry-run] [--sources FILE] (ctl.h). */
int remap_run(int argc, char **argv);
