/* test_source.c - which addresses and client certificates may send to a source; these are checked before any
 * signature. */

#include <criterion/criterion.h>
#include <string.h>

#include "source/source.h"

static struct source s;
static struct fault why;

static enum source_admission admits(const char *address, const char *verify, const char *subject)
{
	struct source_sender sender = {.address = address, .client_verify = verify, .client_subject = subject};
	why.text[0] = '\0';
	return source_admits(&s, &sender, &why);
}

static void allow(const char *network)
{
	cr_assert(network_read(network, &s.allow[s.allow_count++], &why), "%s", why.text);
}

Test(source, without_a_list_or_a_certificate_accepts_any_sender)
{
	cr_expect_eq(admits("203.0.113.1", "", ""), SOURCE_ADMITS);
	cr_expect_eq(admits("", "NONE", ""), SOURCE_ADMITS);
	cr_expect_eq(admits("::1", "FAILED:unable to verify the first certificate", ""), SOURCE_ADMITS);
}

Test(source, with_a_list_is_for_those_on_it)
{
	allow("192.0.2.0/24");
	allow("2001:db8::7");
	cr_expect_eq(admits("192.0.2.1", "", ""), SOURCE_ADMITS);
	cr_expect_eq(admits("::ffff:192.0.2.1", "", ""), SOURCE_ADMITS);
	cr_expect_eq(admits("2001:db8::7", "", ""), SOURCE_ADMITS);
	cr_expect_eq(admits("192.0.3.1", "", ""), SOURCE_REFUSES_ADDRESS);
	cr_expect_str_eq(why.text, "the address is not on the list: \"192.0.3.1\"");
	cr_expect_eq(admits("2001:db8::8", "SUCCESS", "CN=x"), SOURCE_REFUSES_ADDRESS);
	cr_expect_eq(admits("", "", ""), SOURCE_REFUSES_ADDRESS);
	cr_expect_eq(admits("unix:", "", ""), SOURCE_REFUSES_ADDRESS);
}

Test(source, wants_a_certificate_that_verifies)
{
	s.client = SOURCE_KNOWN_CLIENT;
	cr_expect_eq(admits("192.0.2.1", "SUCCESS", "CN=anybody"), SOURCE_ADMITS);
	cr_expect_eq(admits("192.0.2.1", "NONE", ""), SOURCE_REFUSES_CERTIFICATE);
	cr_expect_str_eq(why.text, "no client certificate was shown");
	cr_expect_eq(admits("192.0.2.1", "", ""), SOURCE_REFUSES_CERTIFICATE);
	cr_expect_str_eq(why.text, "no client certificate was shown");
	cr_expect_eq(admits("192.0.2.1", "FAILED:self-signed certificate", "CN=anybody"), SOURCE_REFUSES_CERTIFICATE);
	cr_expect_str_eq(why.text, "the client certificate does not verify: \"FAILED:self-signed certificate\"");
	cr_expect_eq(admits("192.0.2.1", "success", "CN=anybody"), SOURCE_REFUSES_CERTIFICATE);
	cr_expect_eq(admits("192.0.2.1", "SUCCESSFUL", "CN=anybody"), SOURCE_REFUSES_CERTIFICATE);
}

Test(source, wants_the_certificate_of_one_subject)
{
	s.client = SOURCE_CERTAIN_CLIENT;
	memcpy(s.subject, "CN=stripe,O=Stripe", sizeof "CN=stripe,O=Stripe");
	cr_expect_eq(admits("192.0.2.1", "SUCCESS", "CN=stripe,O=Stripe"), SOURCE_ADMITS);
	cr_expect_eq(admits("192.0.2.1", "SUCCESS", "CN=stripe,O=Stripe,C=US"), SOURCE_REFUSES_CERTIFICATE);
	cr_expect_eq(admits("192.0.2.1", "SUCCESS", "CN=stripe"), SOURCE_REFUSES_CERTIFICATE);
	cr_expect_str_eq(why.text, "the client certificate is another's: \"CN=stripe\"");
	cr_expect_eq(admits("192.0.2.1", "SUCCESS", ""), SOURCE_REFUSES_CERTIFICATE);
	cr_expect_eq(admits("192.0.2.1", "FAILED:x", "CN=stripe,O=Stripe"), SOURCE_REFUSES_CERTIFICATE);
}
