#pragma once

/* The sender that hostile ones must not hurt: a process of its own that posts webhooks on connections of its own, all
 * the while that a test does something else.  To be ended in the test itself: an assertion in a .fini fails nothing. */

/* Begins to post.  Returns when the first answer is there. */
void background_sender_begin(void);

/* Ends it.  Fails the test unless every post was answered 202 in less than BACKGROUND_SENDER_SECONDS and stands in the database
 * once, and every process of the instance (nginx, responders, worker, PostgreSQL's first) is the one that it was. */
void background_sender_end(void);

/* The same, while parts of the instance may have been killed and started again. */
void background_sender_end_after_faults(void);

/* How many posts were answered; of an honest sender that has ended. */
long background_sender_posts(void);

#define BACKGROUND_SENDER_SECONDS 1.0
