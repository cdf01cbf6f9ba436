/* test_source_lives.c - the life of a payment as providers report it: each event of
 * docs/sources/<provider>/life.json, read with the sources.json beside it. */

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json/scan.h"
#include "source/sources_file.h"

#define FILE_MAX 32768
#define IGNORED NULL /* for the transaction_id: no filter lets the event pass */

static const struct currency_extras extras = {0};
static struct sources sources;
static char text[FILE_MAX];

struct event {
	const char *transaction_id, *payment_id, *part;
	enum txn_kind kind;
	const char *digits, *currency;
	bool is_total;
	int64_t occurred_ms;
	const char *source_account, *destination_account;
};

static void fail_with(const char *complaint)
{
	cr_assert_fail("%s", complaint);
}

static struct json_value read_life(const char *provider)
{
	char path[400];
	struct fault f;
	struct json_value events;
	snprintf(path, sizeof path, DOCS "/sources/%s/sources.json", provider);
	cr_assert(sources_load(path, &extras, fail_with, &sources));
	snprintf(path, sizeof path, DOCS "/sources/%s/life.json", provider);
	FILE *file = fopen(path, "rb");
	cr_assert(file, "%s", path);
	size_t len = fread(text, 1, sizeof text, file);
	fclose(file);
	cr_assert(len < sizeof text && json_scan(text, len, &f), "%s", path);
	cr_assert(json_value_find(json_value_of(text, len), "/events", &events));
	return events;
}

static void is_read_as(struct json_value item, int n, const struct event *e)
{
	struct txn txn;
	struct txn_problems problems;
	struct fault f;
	const struct mapping *m = source_mapping_for(&sources.list[0], &(struct places){.item = item});
	cr_assert_eq(m != NULL, e->transaction_id != IGNORED, "event %d", n);
	if (!m)
		return;
	cr_assert(mapping_read(m, &(struct places){.item = item}, "", &extras, &txn, &problems, &f), "event %d: %s", n,
		f.text);
	cr_expect_str_eq(txn.transaction_id, e->transaction_id, "event %d: %s", n, txn.transaction_id);
	cr_expect_str_eq(txn.payment_id, e->payment_id, "event %d: %s", n, txn.payment_id);
	cr_expect_str_eq(txn.part, e->part, "event %d: %s", n, txn.part);
	cr_expect_eq(txn.kind, e->kind, "event %d: %s", n, txn_kind_word(txn.kind));
	cr_expect_str_eq(txn.amount.digits, e->digits, "event %d: %s", n, txn.amount.digits);
	cr_expect_str_eq(txn.currency, e->currency, "event %d: %s", n, txn.currency);
	cr_expect_eq(txn.is_total, e->is_total, "event %d", n);
	cr_expect_eq(txn.has_occurred, e->occurred_ms > 0, "event %d", n);
	cr_expect_eq(txn.occurred_us, e->occurred_ms * 1000, "event %d: %" PRId64, n, txn.occurred_us);
	cr_expect_str_eq(txn.source_account, e->source_account, "event %d: %s", n, txn.source_account);
	cr_expect_str_eq(txn.destination_account, e->destination_account, "event %d: %s", n, txn.destination_account);
}

static void lives(const char *provider, const struct event *wanted, int count)
{
	struct json_value events = read_life(provider), event, items, item;
	int n = 0;
	for (struct json_walk w = json_walk_into(events); json_walk_next(&w, NULL, &event); n++) {
		cr_assert_lt(n, count);
		if (!*sources.list[0].items) {
			is_read_as(event, n, &wanted[n]);
			continue;
		}
		cr_assert(json_value_find(event, sources.list[0].items, &items));
		struct json_walk into = json_walk_into(items);
		cr_assert(json_walk_next(&into, NULL, &item));
		is_read_as(item, n, &wanted[n]);
	}
	cr_expect_eq(n, count);
	sources_finish(&sources);
}

Test(source_lives, stripe)
{
#define PI "pi_3PayhookLife0001"
#define ACCT "stripe:acct_1PayhookExample"
#define CUS "stripe:cus_PayhookExample"
	static const struct event wanted[] = {
		{"evt_3PayhookLife0001", PI, "", TXN_AUTHORISED, "1000.00", "USD", true, 1771502400000, CUS, ACCT},
		{"evt_3PayhookLife0002", PI, "", TXN_CAPTURED, "1000.00", "USD", false, 1771512400000, CUS, ACCT},
		{"evt_3PayhookLife0003", PI, "re_3PayhookLife0001", TXN_REFUNDED, "250.00", "USD", false, 1771602400000,
			ACCT, ""},
		{"evt_3PayhookLife0004", PI, "re_3PayhookLife0002", TXN_OTHER, "150.00", "USD", false, 1771602500000,
			ACCT, ""},
		{"evt_3PayhookLife0005", PI, "re_3PayhookLife0002", TXN_REFUNDED, "150.00", "USD", false, 1771602600000,
			ACCT, ""},
		{"evt_3PayhookLife0006", PI, "", TXN_REFUNDED, "400.00", "USD", true, 1771602600000, ACCT, CUS},
		{"evt_3PayhookLife0007", PI, "du_1PayhookLife0001", TXN_DISPUTED, "600.00", "USD", false, 1771702400000,
			ACCT, ""},
		{"evt_3PayhookLife0008", PI, "du_1PayhookLife0001", TXN_DISPUTE_LOST, "600.00", "USD", false,
			1772702400000, ACCT, ""},
		/* A refund of a charge without an intent. */
		{"evt_3PayhookLife0009", "ch_3PayhookLife0001", "re_3PayhookLife0009", TXN_REFUNDED, "5.00", "USD",
			false, 1771602400000, ACCT, ""},
		/* A thin event has neither an amount nor the object. */
		{"evt_test_65PayhookLife0010", "ibt_test_PayhookLife0001", "", TXN_OTHER, "", "", false, 1771502452246,
			ACCT, ""},
	};
	lives("stripe", wanted, COUNT_OF(wanted));
}

Test(source_lives, adyen)
{
#define PSP "PAYHOOKLIFE00001"
#define ORDER "adyen:order:1001", "adyen:PayhookExampleECOM"
	static const struct event wanted[] = {
		{"AUTHORISATION:" PSP ":true", PSP, "", TXN_AUTHORISED, "1000.00", "EUR", false, 1771502400000, ORDER},
		{"AUTHORISATION_ADJUSTMENT:PAYHOOKLIFE00002:true", PSP, "", TXN_AUTHORISED, "1200.00", "EUR", true,
			1771503000000, ORDER},
		{"CAPTURE:PAYHOOKLIFE00003:true", PSP, "PAYHOOKLIFE00003", TXN_CAPTURED, "1200.00", "EUR", false,
			1771574400000, ORDER},
		{"REFUND:PAYHOOKLIFE00004:true", PSP, "PAYHOOKLIFE00004", TXN_REFUNDED, "250.00", "EUR", false,
			1771660800000, ORDER},
		{"REFUND:PAYHOOKLIFE00005:true", PSP, "PAYHOOKLIFE00005", TXN_REFUNDED, "150.00", "EUR", false,
			1771661100000, ORDER},
		{"REFUND:PAYHOOKLIFE00006:false", PSP, "PAYHOOKLIFE00006", TXN_REFUND_FAILED, "150.00", "EUR", false,
			1771661160000, ORDER},
		{"NOTIFICATION_OF_CHARGEBACK:PAYHOOKLIFE00007:true", PSP, "PAYHOOKLIFE00007", TXN_DISPUTE_NOTICE,
			"800.00", "EUR", false, 1772352000000, ORDER},
		{"CHARGEBACK:PAYHOOKLIFE00007:true", PSP, "PAYHOOKLIFE00007", TXN_DISPUTED, "800.00", "EUR", false,
			1772438400000, ORDER},
		{"CHARGEBACK_REVERSED:PAYHOOKLIFE00007:true", PSP, "PAYHOOKLIFE00007", TXN_DISPUTE_WON, "800.00", "EUR",
			false, 1773043200000, ORDER},
		{"SECOND_CHARGEBACK:PAYHOOKLIFE00007:true", PSP, "PAYHOOKLIFE00007", TXN_DISPUTE_LOST, "800.00", "EUR",
			false, 1773907200000, ORDER},
		{"AUTHORISATION:PAYHOOKLIFE00008:false", "PAYHOOKLIFE00008", "", TXN_FAILED, "1000.00", "EUR", false,
			1771502400000, ORDER},
		{"REPORT_AVAILABLE:payments_accounting_report_2026_02_19.csv:true", "", "", TXN_OTHER, "0.00", "EUR",
			false, 1771556400000, "", "adyen:PayhookExampleECOM"},
	};
	lives("adyen", wanted, COUNT_OF(wanted));
}

Test(source_lives, razorpay)
{
#define PAY "pay_PayhookLife00001"
#define ACC "razorpay:acc_PayhookExample"
#define CONTACT "razorpay:+910000000000"
	static const struct event wanted[] = {
		{"payment.authorized:" PAY ":1771502372", PAY, PAY, TXN_AUTHORISED, "1000.00", "INR", false,
			1771502372000, CONTACT, ACC},
		{"payment.captured:" PAY ":1771502380", PAY, PAY, TXN_CAPTURED, "1000.00", "INR", false, 1771502380000,
			CONTACT, ACC},
		{.transaction_id = IGNORED}, /* order.paid is the same fact */
		{"refund.created:rfnd_PayhookLife0001:1771602400", PAY, "rfnd_PayhookLife0001", TXN_OTHER, "250.00",
			"INR", false, 1771602400000, ACC, CONTACT},
		{"refund.processed:rfnd_PayhookLife0001:1771602401", PAY, "rfnd_PayhookLife0001", TXN_REFUNDED,
			"250.00", "INR", false, 1771602401000, ACC, CONTACT},
		{"refund.processed:rfnd_PayhookLife0002:1771602401", PAY, "rfnd_PayhookLife0002", TXN_REFUNDED,
			"150.00", "INR", false, 1771602401000, ACC, CONTACT},
		{"payment.dispute.created:disp_PayhookLife0001:1771702400", PAY, "disp_PayhookLife0001", TXN_DISPUTED,
			"600.00", "INR", false, 1771702400000, ACC, CONTACT},
		{"payment.dispute.lost:disp_PayhookLife0001:1772302400", PAY, "disp_PayhookLife0001", TXN_DISPUTE_LOST,
			"600.00", "INR", false, 1772302400000, ACC, CONTACT},
	};
	lives("razorpay", wanted, COUNT_OF(wanted));
}

Test(source_lives, square)
{
#define EVENT "11111111-2222-4333-8444-00000000000"
#define SQ "PayhookLifePayment000000001ZY"
#define PAID "square:PayhookExampleOrder000001ZY", "square:PAYHOOKLOCATION"
#define BACK "square:PAYHOOKLOCATION", "square:PayhookExampleOrder000002ZY"
	static const struct event wanted[] = {
		{EVENT "1", SQ, SQ, TXN_AUTHORISED, "1000.00", "USD", false, 1771502396101, PAID},
		{EVENT "2", SQ, SQ, TXN_CAPTURED, "1000.00", "USD", false, 1771502398308, PAID},
		/* COMPLETED again, as the fees become known: the same part. */
		{EVENT "3", SQ, SQ, TXN_CAPTURED, "1000.00", "USD", false, 1771509598308, PAID},
		{EVENT "4", SQ, SQ "_1", TXN_OTHER, "250.00", "USD", false, 1771581600500, BACK},
		{EVENT "5", SQ, SQ "_1", TXN_REFUNDED, "250.00", "USD", false, 1771581601500, BACK},
		{EVENT "6", SQ, SQ "_2", TXN_REFUNDED, "150.00", "USD", false, 1771585201500, BACK},
		{EVENT "7", SQ, "PayhookLifeDispute01", TXN_DISPUTED, "600.00", "USD", false, 1772359201000,
			"square:PAYHOOKLOCATION", "square:" SQ},
		{EVENT "8", SQ, "PayhookLifeDispute01", TXN_DISPUTE_LOST, "600.00", "USD", false, 1774000801000,
			"square:PAYHOOKLOCATION", "square:" SQ},
	};
	lives("square", wanted, COUNT_OF(wanted));
}

Test(source_lives, paypal)
{
#define WH(n) "WH-0PAYHOOK0LIFE000" n "-1PAYHOOK0EXAMPLE01"
#define CAPTURE "0PAYHOOKLIFE00001"
#define SALE "0PAYHOOKSALE00001"
#define PARENT "paypal:PAY-0PAYHOOKLIFE00001"
	static const struct event wanted[] = {
		{WH("1"), CAPTURE, CAPTURE, TXN_PENDING, "1000.00", "USD", false, 1771502393000,
			"paypal:1PAYHOOKLIFE00001", "paypal:PAYHOOKMERCH1"},
		{WH("2"), CAPTURE, CAPTURE, TXN_CAPTURED, "1000.00", "USD", false, 1771502397338,
			"paypal:1PAYHOOKLIFE00001", "paypal:PAYHOOKMERCH1"},
		{WH("3"), CAPTURE, "0PAYHOOKREFUND001", TXN_REFUNDED, "250.00", "USD", false, 1771606801100,
			"paypal:us", ""},
		{WH("4"), CAPTURE, "0PAYHOOKREFUND002", TXN_REFUNDED, "150.00", "USD", false, 1771610401100,
			"paypal:us", ""},
		{WH("5"), CAPTURE, "PP-D-0001", TXN_DISPUTED, "600.00", "USD", false, 1772359205000, "paypal:us", ""},
		{WH("6"), CAPTURE, "PP-D-0001", TXN_DISPUTE_LOST, "600.00", "USD", false, 1774000805000, "paypal:us",
			""},
		/* The older API: a refund is below zero. */
		{WH("7"), SALE, SALE, TXN_CAPTURED, "0.50", "USD", false, 1771503000000, PARENT, "paypal:us"},
		{WH("8"), SALE, "0PAYHOOKREFUND003", TXN_REFUNDED, "0.01", "USD", false, 1771589400000, "paypal:us",
			PARENT},
	};
	lives("paypal", wanted, COUNT_OF(wanted));
}

Test(source_lives, paystack)
{
#define REF "PayhookLife01"
#define PAYER "paystack:CUS_payhookexample"
#define MAIL "paystack:payer@example.com"
	static const struct event wanted[] = {
		{"charge.success:302962", REF, "", TXN_CAPTURED, "10000.00", "NGN", false, 1771502398000, PAYER,
			"paystack:us"},
		{"refund.pending:" REF ":250000", REF, "", TXN_OTHER, "2500.00", "NGN", false, 0, "paystack:us", MAIL},
		{"refund.processed:" REF ":PAYHOOKREFUND0001", REF, "PAYHOOKREFUND0001", TXN_REFUNDED, "2500.00", "NGN",
			false, 0, "paystack:us", MAIL},
		{"refund.processed:" REF ":PAYHOOKREFUND0002", REF, "PAYHOOKREFUND0002", TXN_REFUNDED, "1500.00", "NGN",
			false, 0, "paystack:us", MAIL},
		{"charge.dispute.create:358950:awaiting-merchant-feedback", REF, "358950", TXN_DISPUTED, "6000.00",
			"NGN", false, 0, "paystack:us", PAYER},
		{"charge.dispute.resolve:358950:resolved", REF, "358950", TXN_DISPUTE_LOST, "6000.00", "NGN", false, 0,
			"paystack:us", PAYER},
	};
	lives("paystack", wanted, COUNT_OF(wanted));
}

Test(source_lives, paddle)
{
#define TXN "txn_01payhooklife0000000000001"
#define EVT(kind, n) kind ":evt_01payhooklife000000000000" n
#define ADJ(n) "adj_01payhooklife000000000000" n
#define CTM "paddle:ctm_01payhookexample00000000001"
	static const struct event wanted[] = {
		{EVT("transaction.completed", "1"), TXN, "", TXN_CAPTURED, "1000.00", "USD", false, 1771502398204, CTM,
			"paddle:us"},
		{EVT("adjustment.created", "2"), TXN, ADJ("1"), TXN_OTHER, "250.00", "USD", false, 1771602400000,
			"paddle:us", CTM},
		{EVT("adjustment.updated", "3"), TXN, ADJ("1"), TXN_REFUNDED, "250.00", "USD", false, 1771603200000,
			"paddle:us", CTM},
		{EVT("adjustment.created", "4"), TXN, ADJ("2"), TXN_REFUNDED, "150.00", "USD", false, 1771606800000,
			"paddle:us", CTM},
		{EVT("adjustment.updated", "5"), TXN, ADJ("3"), TXN_REFUND_FAILED, "50.00", "USD", false, 1771610400000,
			"paddle:us", CTM},
		{EVT("adjustment.created", "6"), TXN, ADJ("4"), TXN_DISPUTE_LOST, "600.00", "USD", false, 1774000805000,
			"paddle:us", CTM},
	};
	lives("paddle", wanted, COUNT_OF(wanted));
}

/* The events have no amounts, and a refund names no payment. */
Test(source_lives, gocardless)
{
#define PM "PM0PAYHOOKLIFE1"
#define RF "RF0PAYHOOKLIFE1"
#define PAYS "gocardless:customer", "gocardless:us"
#define IS_PAID "gocardless:us", "gocardless:customer"
	static const struct event wanted[] = {
		{"payments:EV0PAYHOOKLIFE1", PM, "", TXN_PENDING, "", "", false, 1771502390000, PAYS},
		{"payments:EV0PAYHOOKLIFE2", PM, "", TXN_CAPTURED, "", "", false, 1771502400000, PAYS},
		{"refunds:EV0PAYHOOKLIFE3", RF, RF, TXN_OTHER, "", "", false, 1771602400000, IS_PAID},
		{"refunds:EV0PAYHOOKLIFE4", RF, RF, TXN_REFUNDED, "", "", false, 1771688800000, IS_PAID},
		{"payments:EV0PAYHOOKLIFE5", PM, "", TXN_DISPUTED, "", "", false, 1772359200000, PAYS},
	};
	lives("gocardless", wanted, COUNT_OF(wanted));
}

Test(source_lives, cashfree)
{
#define OID "order_PayhookLife_1"
#define BUYS "cashfree:PayhookCustomer1", "cashfree:us"
#define RETURNS "cashfree:us", "cashfree:customer"
	static const struct event wanted[] = {
		{"PAYMENT_FAILED_WEBHOOK:1453002800", OID, "1453002800", TXN_FAILED, "1000.0", "INR", false,
			1771502390000, BUYS},
		{"PAYMENT_SUCCESS_WEBHOOK:1453002801", OID, "1453002801", TXN_CAPTURED, "1000.0", "INR", false,
			1771502400000, BUYS},
		{"REFUND_STATUS_WEBHOOK:11325632:SUCCESS", OID, "11325632", TXN_REFUNDED, "250.0", "INR", false,
			1771602400000, RETURNS},
		{"REFUND_STATUS_WEBHOOK:11325633:SUCCESS", OID, "11325633", TXN_REFUNDED, "150.5", "INR", false,
			1771606000000, RETURNS},
		{"REFUND_STATUS_WEBHOOK:11325634:CANCELLED", OID, "11325634", TXN_REFUND_FAILED, "50", "INR", false,
			1771609600000, RETURNS},
	};
	lives("cashfree", wanted, COUNT_OF(wanted));
}

Test(source_lives, xendit)
{
#define INVOICE "579c8d61f23fa4ca35e52da5"
#define BUYER "xendit:payer@example.com", "xendit:5781d19b2e2385880609791c"
#define BACK_TO "xendit:5781d19b2e2385880609791c", "xendit:customer"
#define RFD1 "rfd-6f4a377d-a201-437f-9119-f8b00cbbe857"
#define RFD2 "rfd-fca8d8bc-497c-42a5-b16f-97825323502a"
#define RFD3 "rfd-0b1f8a2e-3c1c-4d7a-9f0e-2a7c5b6d8e9f"
	static const struct event wanted[] = {
		{INVOICE ":PAID", INVOICE, "", TXN_CAPTURED, "100000", "IDR", false, 1771502400404, BUYER},
		{INVOICE ":SETTLED", INVOICE, "", TXN_OTHER, "100000", "IDR", false, 1771588800404, BUYER},
		{"refund.succeeded:" RFD1, INVOICE, RFD1, TXN_REFUNDED, "25000", "IDR", false, 1771602400001, BACK_TO},
		{"refund.failed:" RFD2, INVOICE, RFD2, TXN_REFUND_FAILED, "15000", "IDR", false, 1771606000001,
			BACK_TO},
		/* A refund of a payment without an invoice. */
		{"refund.succeeded:" RFD3, "ddpy-3cd658ae-25b9-4659-aa36-596ae41a809f", RFD3, TXN_REFUNDED, "5000",
			"IDR", false, 1771609600001, BACK_TO},
	};
	lives("xendit", wanted, COUNT_OF(wanted));
}
