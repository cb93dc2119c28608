// SPDX-License-Identifier: GPL-2.0
/* A sample's stack from callchain, branches, or a record that comes later. */
#include "perfconv/pipeline/collect.h"

#include <linux/perf_event.h>

#include "perfconv/pipeline/deferred.h"
#include "perfconv/unwind/callchain.h"
#include "perfconv/unwind/regs.h"
#include "tests/unit/support.h"

#define KERNEL ((uint64_t)-128)
#define USER ((uint64_t)-512)
#define DEFERRED ((uint64_t)-640)
#define KIP(n) (0xffffffff81000000 + (n))

struct fixture {
	struct machine machine;
	struct images images;
	struct sidefiles sidefiles;
	struct store store;
	struct collector collector;
	struct perfdata_event event;
	struct record rec;
	uint32_t process;
};

static void start(struct fixture *f)
{
	uint32_t thread;

	memset(f, 0, sizeof(*f));
	machine__init(&f->machine);
	images__init(&f->images, "perf.data", NULL);
	sidefiles__init(&f->sidefiles, &f->images, false);
	thread = machine__thread(&f->machine, 7, 7);
	f->process = f->machine.threads.data[thread].process;
	collector__init(&f->collector, "x86_64", &f->machine, &f->images, &f->sidefiles, &f->store);
	f->rec.type = PERF_RECORD_SAMPLE;
	f->rec.misc = PERF_RECORD_MISC_USER;
	f->rec.sample.ip = 0x1111;
	f->event.sample_type = PERF_SAMPLE_CALLCHAIN;
}

static void end(struct fixture *f)
{
	collector__release(&f->collector);
	store__release(&f->store);
	sidefiles__release(&f->sidefiles);
	images__release(&f->images);
	machine__release(&f->machine);
}

static void set_chain(struct fixture *f, const uint64_t *chain, size_t n)
{
	f->rec.sample.callchain = chain;
	f->rec.sample.callchain_n = n;
}

/* @expected: addresses, leaf first. */
static void stack_is(const struct fixture *f, uint32_t stack, const uint64_t *expected, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_int_not_equal(stack, STORE_NO_STACK);
		assert_int_equal(
			store__get_location(&f->store, store__leaf(&f->store, stack)).place.address,
			expected[i]);
		stack = store__parent(&f->store, stack);
	}
	assert_int_equal(stack, STORE_NO_STACK);
}

#define IS(f, stack, ...)                                                                          \
	stack_is(f, stack, (const uint64_t[]){ __VA_ARGS__ },                                      \
		 sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

static struct collected collect(struct fixture *f)
{
	return collector__sample(&f->collector, &f->event, f->process, &f->rec);
}

static void call_stack_branches_stand_in_for_the_users_part(void **state)
{
	static const uint64_t chain[] = { KERNEL, KIP(1) };
	static const struct record_branch branches[] = { { 0x2000, 0x1000 }, { 0x3000, 0x2000 } };
	struct fixture f;

	(void)state;
	start(&f);
	f.event.branch_sample_type = PERF_SAMPLE_BRANCH_CALL_STACK;
	f.rec.sample.branches = branches;
	f.rec.sample.branches_n = 2;
	IS(&f, collect(&f).stack, 0x1111, 0x2000, 0x3000);
	f.rec.misc = PERF_RECORD_MISC_KERNEL;
	set_chain(&f, chain, 2);
	IS(&f, collect(&f).stack, KIP(1), 0x1000, 0x2000, 0x3000);
	end(&f);
}

/* Other branches than calls are no stack; a chain of the kernel's is preferred. */
static void other_branches_are_no_stack(void **state)
{
	static const uint64_t chain[] = { USER, 0x1111, 0x5000 };
	static const struct record_branch branches[] = { { 0x2000, 0x1000 } };
	struct fixture f;

	(void)state;
	start(&f);
	f.rec.sample.branches = branches;
	f.rec.sample.branches_n = 1;
	IS(&f, collect(&f).stack, 0x1111);
	f.event.branch_sample_type = PERF_SAMPLE_BRANCH_CALL_STACK;
	set_chain(&f, chain, 3);
	IS(&f, collect(&f).stack, 0x1111, 0x5000);
	end(&f);
}

static void guests_have_no_places_of_ours(void **state)
{
	static const uint16_t modes[] = { PERF_RECORD_MISC_HYPERVISOR,
					  PERF_RECORD_MISC_GUEST_KERNEL,
					  PERF_RECORD_MISC_GUEST_USER };
	struct fixture f;

	(void)state;
	start(&f);
	for (size_t i = 0; i < 3; i++) {
		uint32_t stack;

		f.rec.misc = modes[i];
		stack = collect(&f).stack;
		IS(&f, stack, 0x1111);
		assert_int_equal(
			store__get_location(&f.store, store__leaf(&f.store, stack)).place.dso,
			modes[i] == PERF_RECORD_MISC_HYPERVISOR ? DSO_ID_HYPERVISOR : DSO_ID_GUEST);
	}
	end(&f);
}

static void the_deferred_part_is_put_below(void **state)
{
	static const uint64_t chain[] = { KERNEL, KIP(1), KIP(2), DEFERRED, 77 };
	static const uint64_t later[] = { USER, 0x1000, 0x2000 };
	struct collected c;
	struct fixture f;

	(void)state;
	start(&f);
	f.rec.misc = PERF_RECORD_MISC_KERNEL;
	set_chain(&f, chain, 5);
	c = collect(&f);
	assert_true(c.deferred);
	assert_int_equal(c.cookie, 77);
	IS(&f, c.stack, KIP(1), KIP(2));
	IS(&f, collector__prepend(&f.collector, f.process, later, 3, c.stack), KIP(1), KIP(2),
	   0x1000, 0x2000);
	end(&f);
}

/* A sample in user mode has no kernel part: the later chain begins with its address. */
static void a_deferred_user_sample_is_not_doubled(void **state)
{
	static const uint64_t chain[] = { DEFERRED, 78 };
	static const uint64_t later[] = { USER, 0x1111, 0x2000 };
	struct collected c;
	struct fixture f;

	(void)state;
	start(&f);
	set_chain(&f, chain, 2);
	c = collect(&f);
	assert_true(c.deferred);
	IS(&f, c.stack, 0x1111);
	IS(&f, collector__prepend(&f.collector, f.process, later, 3, c.stack), 0x1111, 0x2000);
	end(&f);
}

static void a_marker_without_its_cookie_is_no_more_than_a_marker(void **state)
{
	static const uint64_t chain[] = { KERNEL, KIP(1), DEFERRED };
	struct collected c;
	struct fixture f;

	(void)state;
	start(&f);
	set_chain(&f, chain, 3);
	c = collect(&f);
	assert_false(c.deferred);
	IS(&f, c.stack, KIP(1));
	end(&f);
}

static void waiting_samples_are_told_apart_by_thread_and_cookie(void **state)
{
	struct deferred d = { 0 };
	size_t sample = 0;

	(void)state;
	deferred__wait(&d, 7, 1, 10);
	deferred__wait(&d, 7, 1, 11);
	deferred__wait(&d, 8, 1, 12);
	deferred__wait(&d, 7, 2, 13);
	assert_false(deferred__take(&d, 9, 1, &sample));
	assert_true(deferred__take(&d, 7, 1, &sample));
	assert_int_equal(sample, 11);
	assert_true(deferred__take(&d, 7, 1, &sample));
	assert_int_equal(sample, 10);
	assert_false(deferred__take(&d, 7, 1, &sample));
	assert_int_equal(d.waiting, 2);
	deferred__wait(&d, 7, 1, 14);
	assert_true(deferred__take(&d, 7, 1, &sample));
	assert_int_equal(sample, 14);
	deferred__release(&d);
}

/* perf's AX BX CX DX SI DI BP SP IP against DWARF's EAX ECX EDX EBX ESP EBP ESI EDI EIP. */
static void tasks_of_32_bits_have_other_registers(void **state)
{
	static const uint64_t perf[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	static const uint64_t dwarf[] = { 0, 2, 3, 1, 7, 6, 4, 5, 8 };
	const struct regs_arch *host = regs_arch__find("x86_64");
	const struct regs_arch *arch = regs_arch__of_task(host, PERF_SAMPLE_REGS_ABI_32);
	struct regs regs;

	(void)state;
	assert_ptr_equal(regs_arch__of_task(host, PERF_SAMPLE_REGS_ABI_64), host);
	assert_ptr_equal(arch, regs_arch__find("i686"));
	assert_int_equal(arch->word_bytes, 4);
	assert_true(regs__from_sample(arch, 0x1ff, perf, &regs));
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(regs.value[i], dwarf[i]);
	assert_int_equal(regs.value[arch->ip], 8);
	assert_int_equal(regs.value[arch->sp], 7);
	assert_null(regs_arch__of_task(regs_arch__find("aarch64"), PERF_SAMPLE_REGS_ABI_32));
	arch = regs_arch__find("armv7l");
	assert_ptr_equal(regs_arch__of_task(arch, PERF_SAMPLE_REGS_ABI_32), arch);
	assert_int_equal(arch->ip, 15);
	assert_int_equal(arch->sp, 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(call_stack_branches_stand_in_for_the_users_part),
		cmocka_unit_test(other_branches_are_no_stack),
		cmocka_unit_test(guests_have_no_places_of_ours),
		cmocka_unit_test(the_deferred_part_is_put_below),
		cmocka_unit_test(a_deferred_user_sample_is_not_doubled),
		cmocka_unit_test(a_marker_without_its_cookie_is_no_more_than_a_marker),
		cmocka_unit_test(waiting_samples_are_told_apart_by_thread_and_cookie),
		cmocka_unit_test(tasks_of_32_bits_have_other_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
