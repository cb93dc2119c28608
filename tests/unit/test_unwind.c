// SPDX-License-Identifier: GPL-2.0
/*
 * Unwinding this program itself: its registers, a copy of its stack and its own
 * mappings are what a sample and a machine would hold.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/ucontext.h>
#include <ucontext.h>
#include <unistd.h>

#include "perfconv/symbol/symbols.h"
#include "perfconv/unwind/unwind.h"
#include "tests/unit/support.h"

#ifdef __clang__
#define KEEP __attribute__((noinline))
#else
#define KEEP __attribute__((noinline, noclone))
#endif
#define X86_REGS 0xff0fffull /* all but DS ES FS GS, as perf asks for */

enum { MMAP = 1, MISC_USER = 2, EXEC = 4, REG_BP_AT = 6, REG_SP_AT = 7, REG_IP_AT = 8 };

struct taken {
	uint64_t regs[20];
	uint8_t *stack;
	size_t stack_bytes;
	struct machine machine;
	struct images images;
	struct unwinder *unwinder;
	struct unwind_stack out;
};

/* All that can be read of @max bytes from @sp up; past the sanitizers. */
static size_t copy_stack(uint64_t sp, uint8_t *to, size_t max)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	ssize_t n = pread(fd, to, max, (off_t)sp);

	close(fd);
	return n > 0 ? (size_t)n : 0;
}

#ifdef __x86_64__
static void take_registers(struct taken *t, const ucontext_t *context)
{
	static const int order[20] = { REG_RAX,	   REG_RBX,    REG_RCX, REG_RDX, REG_RSI,
				       REG_RDI,	   REG_RBP,    REG_RSP, REG_RIP, REG_EFL,
				       REG_CSGSFS, REG_CSGSFS, REG_R8,	REG_R9,	 REG_R10,
				       REG_R11,	   REG_R12,    REG_R13, REG_R14, REG_R15 };

	for (size_t i = 0; i < 20; i++)
		t->regs[i] = (uint64_t)context->uc_mcontext.gregs[order[i]];
}
#else
static void take_registers(struct taken *t, const ucontext_t *context)
{
	(void)t, (void)context;
}
#endif

static KEEP void innermost(struct taken *t)
{
	ucontext_t context;

	getcontext(&context);
	take_registers(t, &context);
	t->stack_bytes = copy_stack(t->regs[REG_SP_AT], t->stack, 1 << 20);
}

static KEEP void middle(struct taken *t)
{
	innermost(t);
	t->regs[9] = 0; /* no tail call: the frame stays */
}

static KEEP void outermost(struct taken *t)
{
	middle(t);
	t->regs[9] = 0;
}

static void map_ourselves(struct machine *m)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[1024];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		struct record r = { .type = MMAP, .misc = MISC_USER };
		uint64_t start, end, offset;
		char perms[8], path[512] = "";

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %*s %511s", &start,
			   &end, perms, &offset, path) < 4 ||
		    perms[2] != 'x')
			continue;
		r.mmap = (struct record_mmap){ .pid = 1,
					       .tid = 1,
					       .start = start,
					       .length = end - start,
					       .offset = offset,
					       .prot = EXEC,
					       .path = path };
		machine__apply(m, &r);
	}
	fclose(f);
}

static int setup(void **state)
{
	struct taken *t = mem__alloc(1, sizeof(*t));

	t->stack = mem__alloc(1, 1 << 20);
	machine__init(&t->machine);
	images__init(&t->images, "perf.data", NULL);
	map_ourselves(&t->machine);
	t->unwinder = unwinder__new("x86_64", &t->machine, &t->images);
	outermost(t);
	*state = t;
	return t->unwinder ? 0 : -1;
}

static int teardown(void **state)
{
	struct taken *t = *state;

	unwinder__free(t->unwinder);
	images__release(&t->images);
	machine__release(&t->machine);
	free(t->stack);
	free(t);
	return 0;
}

static void unwind(struct taken *t, size_t stack_bytes)
{
	struct record_sample s = {
		.user_abi = 2,
		.user_regs_mask = X86_REGS,
		.user_regs = t->regs,
		.stack = t->stack,
		.stack_bytes = stack_bytes,
		.stack_asked = 65528,
	};

	unwinder__unwind(t->unwinder, 0, &s, &t->out);
}

static const char *name_of(struct taken *t, struct symbols *symbols, size_t i)
{
	const struct unwind_frame *f = &t->out.frames[i];
	struct place p = machine__user_place(&t->machine, 0, f->ip - f->return_address);
	const char *name = symbols__find(symbols, p);

	return name ? name : "?";
}

static void need_x86(void)
{
#ifndef __x86_64__
	print_message("skipped: takes its own registers on x86_64 only\n");
	skip();
#endif
}

static void our_own_stack_is_complete(void **state)
{
	struct taken *t = *state;
	struct symbols *symbols = symbols__new(&t->machine.dsos, &t->images);

	need_x86();
	unwind(t, t->stack_bytes);
	assert_int_equal(t->out.ending, STACK_COMPLETE);
	assert_true(t->out.n > 5);
	assert_string_equal(name_of(t, symbols, 0), "innermost");
	assert_string_equal(name_of(t, symbols, 1), "middle");
	assert_string_equal(name_of(t, symbols, 2), "outermost");
	assert_string_equal(name_of(t, symbols, t->out.n - 1), "_start");
	assert_false(t->out.frames[0].return_address);
	for (size_t i = 1; i < t->out.n; i++)
		assert_true(t->out.frames[i].return_address);
	symbols__free(symbols);
}

static void frames_lie_one_above_the_other(void **state)
{
	struct taken *t = *state;

	need_x86();
	unwind(t, t->stack_bytes);
	assert_true(t->out.frames[0].cfa > t->regs[REG_SP_AT]);
	for (size_t i = 1; i + 1 < t->out.n; i++)
		assert_true(t->out.frames[i].cfa > t->out.frames[i - 1].cfa);
}

/* What a function has in preserved registers is the same before and after a call. */
static KEEP void registers_after_the_call(struct taken *t, struct taken *after)
{
	ucontext_t context;

	outermost(t);
	getcontext(&context);
	take_registers(after, &context);
}

static void frames_carry_what_they_have_in_preserved_registers(void **state)
{
	static const size_t perf_numbers[] = { 1, REG_BP_AT, 16, 17, 18, 19 };
	struct taken *t = *state, *after = mem__alloc(1, sizeof(*after));

	need_x86();
	registers_after_the_call(t, after);
	unwind(t, t->stack_bytes);
	assert_int_equal(t->out.ending, STACK_COMPLETE);
	for (size_t i = 0; i < 6; i++) {
		assert_true(t->out.frames[0].known >> i & 1);
		assert_int_equal(t->out.frames[0].preserved[i], t->regs[perf_numbers[i]]);
		assert_true(t->out.frames[3].known >> i & 1);
		assert_int_equal(t->out.frames[3].preserved[i], after->regs[perf_numbers[i]]);
	}
	assert_int_equal(t->out.frames[0].sp, t->regs[REG_SP_AT]);
	for (size_t i = 1; i + 1 < t->out.n; i++)
		assert_int_equal(t->out.frames[i].sp, t->out.frames[i - 1].cfa);
	free(after);
}

/* Copies of every length: a shorter one gives the same frames, only fewer. */
static void a_short_copy_is_truncated(void **state)
{
	struct taken *t = *state;
	struct unwind_stack *whole = mem__alloc(1, sizeof(*whole));
	size_t last = 0, needed;

	need_x86();
	unwind(t, t->stack_bytes);
	*whole = t->out;
	/* the last frame is entered by what lies just below its CFA */
	needed = (size_t)(whole->frames[whole->n - 2].cfa - t->regs[REG_SP_AT]);
	for (size_t n = 0; n < needed; n += n < 1024 ? 1 : 97) {
		unwind(t, n);
		assert_int_equal(t->out.ending, STACK_TRUNCATED);
		assert_true(t->out.n >= 1 && t->out.n < whole->n);
		assert_true(t->out.n >= last);
		last = t->out.n;
		for (size_t i = 0; i < t->out.n; i++)
			assert_int_equal(t->out.frames[i].ip, whole->frames[i].ip);
	}
	unwind(t, needed);
	assert_int_equal(t->out.ending, STACK_COMPLETE);
	free(whole);
}

static void without_registers_a_stack_is_lost(void **state)
{
	struct taken *t = *state;
	struct record_sample s = { .stack = t->stack, .stack_bytes = t->stack_bytes };

	unwinder__unwind(t->unwinder, 0, &s, &t->out);
	assert_int_equal(t->out.n, 0);
	assert_int_equal(t->out.ending, STACK_LOST);
	s.user_abi = 2;
	s.user_regs = t->regs;
	s.user_regs_mask = 1; /* AX alone */
	unwinder__unwind(t->unwinder, 0, &s, &t->out);
	assert_int_equal(t->out.n, 0);
	assert_int_equal(t->out.ending, STACK_LOST);
}

static void unknown_code_is_shown_as_it_is(void **state)
{
	struct taken *t = *state;
	uint64_t ip = t->regs[REG_IP_AT];

	t->regs[REG_IP_AT] = 0x123456;
	unwind(t, t->stack_bytes);
	assert_true(t->out.n >= 1);
	assert_int_equal(t->out.frames[0].ip, 0x123456);
	t->regs[REG_IP_AT] = ip;
}

/* Addresses at both ends of the address space must not wrap around the copy. */
static void hostile_registers_do_no_harm(void **state)
{
	static const uint64_t values[] = {
		0, 1, 7, 8, UINT64_MAX, UINT64_MAX - 7, UINT64_MAX - 8, 1ull << 63, (1ull << 63) - 8
	};
	struct taken *t = *state;
	uint64_t saved[20];

	memcpy(saved, t->regs, sizeof(saved));
	for (size_t i = 0; i < 9; i++)
		for (size_t k = 0; k < 9; k++) {
			t->regs[REG_SP_AT] = values[i];
			t->regs[REG_BP_AT] = values[k];
			unwind(t, t->stack_bytes);
			assert_true(t->out.n >= 1 && t->out.n <= UNWIND_MAX_FRAMES);
			unwind(t, 0);
			assert_true(t->out.n >= 1);
		}
	memcpy(t->regs, saved, sizeof(saved));
}

static void damaged_stacks_do_no_harm(void **state)
{
	struct taken *t = *state;
	uint8_t *good = mem__alloc(t->stack_bytes + 1, 1);
	uint32_t seed = 7;

	memcpy(good, t->stack, t->stack_bytes);
	for (size_t round = 0; round < 300; round++) {
		for (size_t i = 0; i < 40; i++) {
			seed = seed * 1103515245u + 12345u;
			t->stack[(seed >> 8) % (t->stack_bytes < 4096 ? t->stack_bytes : 4096)] =
				(uint8_t)(seed >> 24);
		}
		unwind(t, t->stack_bytes);
		assert_true(t->out.n >= 1 && t->out.n <= UNWIND_MAX_FRAMES);
		assert_int_equal(t->out.frames[0].ip, t->regs[REG_IP_AT]);
		memcpy(t->stack, good, t->stack_bytes);
	}
	free(good);
}

static void other_machines_cannot_be_unwound(void **state)
{
	struct taken *t = *state;

	assert_null(unwinder__new("sparc64", &t->machine, &t->images));
	assert_null(unwinder__new("", &t->machine, &t->images));
	unwinder__free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_stack_is_complete),
		cmocka_unit_test(frames_lie_one_above_the_other),
		cmocka_unit_test(frames_carry_what_they_have_in_preserved_registers),
		cmocka_unit_test(a_short_copy_is_truncated),
		cmocka_unit_test(without_registers_a_stack_is_lost),
		cmocka_unit_test(unknown_code_is_shown_as_it_is),
		cmocka_unit_test(hostile_registers_do_no_harm),
		cmocka_unit_test(damaged_stacks_do_no_harm),
		cmocka_unit_test(other_machines_cannot_be_unwound),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
