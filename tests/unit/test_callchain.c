// SPDX-License-Identifier: GPL-2.0
#include "perfconv/unwind/callchain.h"
#include "tests/unit/support.h"

#define HYPERVISOR ((uint64_t)-32)
#define KERNEL ((uint64_t)-128)
#define USER ((uint64_t)-512)
#define GUEST ((uint64_t)-2048)
#define GUEST_KERNEL ((uint64_t)-2176)
#define GUEST_USER ((uint64_t)-2560)

enum { MISC_KERNEL = 1, MISC_USER = 2, MISC_GUEST = 5 };

struct expected {
	uint64_t ip;
	enum callchain_space space;
	bool return_address;
};

static void walk(const uint64_t *ips, size_t n, uint16_t misc, const struct expected *expected,
		 size_t expected_n)
{
	struct callchain_entry e;
	struct callchain c;

	callchain__init(&c, ips, n, misc);
	for (size_t i = 0; i < expected_n; i++) {
		assert_true(callchain__next(&c, &e));
		assert_int_equal(e.ip, expected[i].ip);
		assert_int_equal(e.space, expected[i].space);
		assert_int_equal(e.return_address, expected[i].return_address);
	}
	assert_false(callchain__next(&c, &e));
	assert_false(callchain__next(&c, &e));
}

#define WALK(ips, misc, expected)                                                                  \
	walk(ips, sizeof(ips) / sizeof(*(ips)), misc, expected,                                    \
	     sizeof(expected) / sizeof(*(expected)))

static void markers_tell_whose_addresses_follow(void **state)
{
	static const uint64_t ips[] = { KERNEL, 0xffffffff81000010, 0xffffffff81000020,
					USER,	0x401000,	    0x402000 };
	static const struct expected expected[] = {
		{ 0xffffffff81000010, CALLCHAIN_KERNEL, false },
		{ 0xffffffff81000020, CALLCHAIN_KERNEL, true },
		{ 0x401000, CALLCHAIN_USER, false },
		{ 0x402000, CALLCHAIN_USER, true },
	};

	(void)state;
	WALK(ips, MISC_KERNEL, expected);
	WALK(ips, MISC_USER, expected);
}

static void without_a_marker_the_record_tells(void **state)
{
	static const uint64_t ips[] = { 0x1000, 0x2000 };
	static const struct expected user[] = { { 0x1000, CALLCHAIN_USER, false },
						{ 0x2000, CALLCHAIN_USER, true } };
	static const struct expected kernel[] = { { 0x1000, CALLCHAIN_KERNEL, false },
						  { 0x2000, CALLCHAIN_KERNEL, true } };
	static const struct expected other[] = { { 0x1000, CALLCHAIN_OTHER, false },
						 { 0x2000, CALLCHAIN_OTHER, true } };

	(void)state;
	WALK(ips, MISC_USER, user);
	WALK(ips, MISC_KERNEL, kernel);
	WALK(ips, MISC_GUEST, other);
	WALK(ips, (uint16_t)(MISC_USER | 1u << 14), user);
}

static void guests_and_hypervisors_are_not_ours(void **state)
{
	static const uint64_t ips[] = { GUEST,		0x1000, GUEST_KERNEL, 0x2000,
					GUEST_USER,	0x3000, HYPERVISOR,   0x4000,
					(uint64_t)-640, 0x5000, USER,	      0x6000 };
	static const struct expected expected[] = {
		{ 0x1000, CALLCHAIN_OTHER, false }, { 0x2000, CALLCHAIN_OTHER, false },
		{ 0x3000, CALLCHAIN_OTHER, false }, { 0x4000, CALLCHAIN_OTHER, false },
		{ 0x6000, CALLCHAIN_USER, false }, /* 0x5000 is the deferred chain's cookie */
	};

	(void)state;
	WALK(ips, MISC_USER, expected);
}

/* Values from -4095 up are markers, also ones made after this was written. */
static void the_border_of_markers_is_exact(void **state)
{
	static const uint64_t ips[] = { KERNEL, (uint64_t)-4096, (uint64_t)-4095, 0x1000 };
	static const struct expected expected[] = {
		{ (uint64_t)-4096, CALLCHAIN_KERNEL, false },
		{ 0x1000, CALLCHAIN_OTHER, false },
	};

	(void)state;
	WALK(ips, MISC_USER, expected);
}

static void empty_chains_end_at_once(void **state)
{
	static const uint64_t markers[] = { KERNEL, USER };

	(void)state;
	walk(NULL, 0, MISC_USER, NULL, 0);
	walk(markers, 2, MISC_USER, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(markers_tell_whose_addresses_follow),
		cmocka_unit_test(without_a_marker_the_record_tells),
		cmocka_unit_test(guests_and_hypervisors_are_not_ours),
		cmocka_unit_test(the_border_of_markers_is_exact),
		cmocka_unit_test(empty_chains_end_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
