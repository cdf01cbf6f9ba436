#pragma once

/* "verify SOURCE [--at TIME] < request.http": explains why a captured request does or does not verify, and how a responder
 * would answer it.  Prints no secret, and no digest that would verify.  Returns the exit status: 0 it verifies, 1 it does
 * not, 2 there was nothing to verify. */
int verify_run(int argc, char **argv);
