#pragma once

/* A sender that must not be affected by hostile requests or faults: a process that posts valid webhooks on its own
 * connections while a test does something else.  End it in the test itself: a failed assertion in a .fini does not fail
 * the test. */

/* Starts to post.  Returns when the first answer has arrived. */
void background_sender_begin(void);

/* Stops posting.  Fails the test unless every post was answered 202 within BACKGROUND_SENDER_SECONDS and is stored in
 * the database once, and unless every process of the instance (nginx, responders, worker, the postmaster) is still the
 * same one. */
void background_sender_end(void);

/* The same, but processes of the instance may have been killed and restarted meanwhile. */
void background_sender_end_after_faults(void);

/* The number of posts that were answered.  Complete only after the sender has ended. */
long background_sender_posts(void);

#define BACKGROUND_SENDER_SECONDS 1.0
