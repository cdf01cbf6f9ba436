/* test_signature_message.c - "form" and "signed" of the configuration: what is read, and what would be ambiguous. */

#include <criterion/criterion.h>
#include <string.h>

#include "auth/signer.h"

static void refuses_form(const char *text, const char *words)
{
	struct signature_form form = {.text = "untouched"};
	struct fault f = {FAULT_BUG, ""};
	cr_expect_not(signature_form_read(text, &form, &f), "%s", text);
	cr_expect_eq(f.kind, FAULT_INPUT);
	cr_expect_not_null(strstr(f.text, words), "%s: \"%s\" lacks \"%s\"", text, f.text, words);
	cr_expect_str_eq(form.text, "untouched");
}

Test(signature_message, refuses_a_form_that_has_several_readings)
{
	char longer[SIGNATURE_FORM_MAX + 2];
	memset(longer, 'a', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	refuses_form("", "form is empty");
	refuses_form(longer, "longer than 255 bytes");
	refuses_form("t={time}", "no {signature}");
	refuses_form("{signature},{signature}", "{signature} twice");
	refuses_form("a={signature} b={signature}", "{signature} twice");
	refuses_form("t={time};t={time};{signature}", "{time} twice");
	refuses_form("{time},{signature}", "begin alike");
	refuses_form("v{time},v1={signature}", "begin alike");
	refuses_form("{any}={time},v1={signature}", "begin alike");
	refuses_form("{time}.{signature}", "text after {time}");
	refuses_form("v1={signature}=", "text after {signature}");
	refuses_form("{any}{signature}", "{any} with no text after it");
	refuses_form("{any},{signature}", "{any} with no text after it");
	refuses_form("{any}/{any}/{signature}", "neither {time} nor {signature}");
	refuses_form("v1,{signature}", "neither {time} nor {signature}");
	refuses_form("v1={digest}", "a brace that begins none");
	refuses_form("v1={signature", "a brace that begins none");
	refuses_form("v1=\xc3\xa9{signature}", "not visible ASCII");
}

static void refuses_message(const char *text, const char *words)
{
	struct signature_message m = {.count = 77};
	struct fault f = {FAULT_BUG, ""};
	cr_expect_not(signature_message_read(text, &m, &f), "%s", text);
	cr_expect_eq(f.kind, FAULT_INPUT);
	cr_expect_not_null(strstr(f.text, words), "%s: \"%s\" lacks \"%s\"", text, f.text, words);
	cr_expect_eq(m.count, 77);
}

Test(signature_message, refuses_a_signed_text_that_has_several_readings)
{
	char longer[SIGNATURE_MESSAGE_MAX + 2];
	memset(longer, 'a', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	refuses_message("", "signed is empty");
	refuses_message(longer, "longer than 255 bytes");
	refuses_message("{time}", "neither {body} nor a value");
	refuses_message("text", "neither {body} nor a value");
	refuses_message("{query.a}{body}", "without text beside it");
	refuses_message("{query.a}{header.b}", "without text beside it");
	refuses_message("{query.a}{time}.{body}", "without text beside it");
	refuses_message("{time}1{body}", "without text beside it");
	refuses_message("{body}{time}", "without text beside it");
	refuses_message("{body}.1{time}", "without text beside it");
	refuses_message("{body}.{query.a}{query.b}", "without text beside it");
	refuses_message("{body}.{body}", "twice");
	refuses_message("{time}.{time}.{body}", "twice");
	refuses_message("{query.a}.{query.a|lower}.{body}", "twice");
	refuses_message("{header.A}.{header.a}.{body}", "twice");
	refuses_message("{query.a}.{query.b}.{query.c}.{query.d}.{header.e}.{body}", "4 values of query and headers");
	refuses_message("{nothing}.{body}", "signed has {nothing}");
	refuses_message("{}.{body}", "signed has {}");
	refuses_message("{query.}.{body}", "no name of a parameter");
	refuses_message("{query.a&b}.{body}", "no name of a parameter");
	refuses_message("{query.a%20b}.{body}", "no name of a parameter");
	refuses_message("{header.}.{body}", "no name of a header");
	refuses_message("{header.x_time}.{body}", "no name of a header");
	refuses_message("{header.a|upper}.{body}", "only |lower");
	refuses_message("{body|lower}", "only |lower");
	refuses_message("{time|lower}.{body}", "only |lower");
	refuses_message("{body", "a brace without its other one");
	refuses_message("{body}}", "a brace without its other one");
	refuses_message("{body}\xc3\xa9", "not visible ASCII");
}

Test(signature_message, knows_what_ends_each_value)
{
	struct signature_message m;
	struct fault f;
	cr_assert(signature_message_read("a{query.x};b{header.X-Y|lower}-{time}/{body}", &m, &f), "%s", f.text);
	cr_assert_eq(m.count, 8);
	cr_expect(m.has_time && m.has_body && !m.is_time_bare);
	cr_expect_eq(signature_message_find(&m, MESSAGE_QUERY, "x")->border, ';');
	cr_expect_not(signature_message_find(&m, MESSAGE_QUERY, "x")->is_lower);
	cr_expect_eq(signature_message_find(&m, MESSAGE_HEADER, "x-y")->border, '-');
	cr_expect(signature_message_find(&m, MESSAGE_HEADER, "x-y")->is_lower);
	cr_expect_null(signature_message_find(&m, MESSAGE_HEADER, "x"));
	cr_assert(signature_message_read("{body}.{query.x}:{query.y}", &m, &f), "%s", f.text);
	cr_expect_eq(signature_message_find(&m, MESSAGE_QUERY, "x")->border, '.');
	cr_expect_eq(signature_message_find(&m, MESSAGE_QUERY, "y")->border, ':');
	cr_assert(signature_message_read("{time}{body}", &m, &f), "%s", f.text);
	cr_expect(m.is_time_bare);
	cr_assert(signature_message_read("{body}", &m, &f), "%s", f.text);
	cr_assert(signature_message_read("{query.id}", &m, &f), "%s", f.text);
	cr_expect_not(m.has_body);
	cr_expect_eq(m.part[0].border, '\0');
}

static void refuses_settings(struct signer_settings settings, const char *words)
{
	struct signer s = {.count = 77};
	struct fault f = {FAULT_BUG, ""};
	settings.header = settings.scheme == SCHEME_HMAC ? "X-Sig" : NULL;
	cr_expect_not(signer_init(&s, &settings, &f), "accepted; expected \"%s\"", words);
	cr_expect_not_null(strstr(f.text, words), "\"%s\" lacks \"%s\"", f.text, words);
	cr_expect_eq(s.count, 77);
}

Test(signature_message, refuses_options_that_contradict_each_other)
{
	refuses_settings((struct signer_settings){.scheme = SCHEME_HMAC, .form = "v1={signature}", .prefix = "v1="},
		"prefix has no meaning beside form");
	refuses_settings(
		(struct signer_settings){
			.scheme = SCHEME_HMAC, .form = "t={time},v1={signature}", .timestamp_header = "X-Time"},
		"timestamp_header has no meaning");
	refuses_settings((struct signer_settings){.scheme = SCHEME_HMAC, .form = "v1={signature}", .separator = "."},
		"separator has no meaning without");
	refuses_settings((struct signer_settings){.scheme = SCHEME_HMAC, .timestamp_unit = TIME_MILLISECONDS},
		"timestamp_unit has no meaning without");
	refuses_settings((struct signer_settings){.scheme = SCHEME_HMAC,
				 .timestamp_header = "X-Time",
				 .message = "{time}.{body}",
				 .separator = "."},
		"separator has no meaning beside signed");
	refuses_settings((struct signer_settings){.scheme = SCHEME_HMAC, .message = "{time}.{body}"},
		"signed has a {time}, which neither");
	refuses_settings(
		(struct signer_settings){.scheme = SCHEME_HMAC, .timestamp_header = "X-Time", .message = "{body}"},
		"would not be signed");
	refuses_settings((struct signer_settings){.scheme = SCHEME_STRIPE, .form = "v1={signature}"},
		"form has no meaning for stripe");
	refuses_settings((struct signer_settings){.scheme = SCHEME_STRIPE, .message = "{body}"},
		"signed has no meaning for stripe");
	refuses_settings((struct signer_settings){.scheme = SCHEME_HMAC, .message = "{body}", .tolerance_s = 3},
		"no time is signed");
	refuses_settings(
		(struct signer_settings){.scheme = SCHEME_HMAC, .form = "v1="}, "neither {time} nor {signature}");
	refuses_settings((struct signer_settings){.scheme = SCHEME_HMAC, .form = "v1={signature}", .message = "{x}"},
		"signed has {x}");
}
