#pragma once

/* "verify SOURCE [--at TIME | --kept] < request.http": reports whether the signature of a captured request is valid for
 * a source, why not, and how a responder would answer the request.  Prints no secret, and no digest that would be a
 * valid signature.  With --kept the request is one that "payload" has printed, and is judged as of the time at which it
 * was received.  Returns the exit status: 0 the signature is valid or the source needs none, 1 it is not valid, 2 an
 * argument, a setting or the request cannot be read. */
int verify_run(int argc, char **argv);
