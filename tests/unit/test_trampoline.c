// SPDX-License-Identifier: GPL-2.0
/*
 * Stepping through generated code: CPython's stubs, as a perf map and as a
 * jitdump tell of them, and unwinding tables.  Stacks are put together by hand.
 */
#include <inttypes.h>

#include "perfconv/machine/codemap.h"
#include "perfconv/unwind/trampoline.h"
#include "perfconv/unwind/unwind.h"
#include "tests/unit/jitdump_builder.h"

enum { MMAP = 1, MISC_USER = 2, EXEC = 4 };

#define ARENA 0x10000000u
#define PLAIN (ARENA + 0x100) /* code without any rule: it keeps frame pointers */
#define STACK 0x7ffd0000u

/* --- the rules ------------------------------------------------------------ */

static const struct cfi_rule *rule_at(const char *arch, const char *name, uint64_t bytes,
				      uint64_t at)
{
	struct codemap_code code = { .name = name, .bytes = bytes, .at = at };

	return trampoline__rule(&code, regs_arch__find(arch));
}

/* The CFA's distance from the stack pointer at each byte of a stub: one digit is 8 bytes. */
static void assert_cfa(const char *arch, const char *expected)
{
	for (size_t i = 0; expected[i]; i++) {
		const struct cfi_rule *rule = rule_at(arch, "py::f:p.py", strlen(expected), i);

		assert_non_null(rule);
		assert_int_equal(rule->cfa_register, regs_arch__find(arch)->dwarf_n == 32 ? 31 : 7);
		if (rule->cfa_offset != 8 * (expected[i] - '0'))
			fail_msg("%s, %zu bytes, at %zu: CFA is SP + %d", arch, strlen(expected), i,
				 rule->cfa_offset);
	}
}

static void the_frame_is_known_at_each_byte(void **state)
{
	(void)state;
	assert_cfa("x86_64", "11112222221");
	assert_cfa("x86_64", "111111112222221");
	assert_cfa("x86_64", "12222221");
	assert_cfa("x86_64", "111112222221");
	assert_cfa("aarch64", "00002222222222220000");
	assert_cfa("aarch64", "000000002222222222220000");
	assert_cfa("aarch64", "0000000022222222222200000000");
}

static void only_pythons_stubs_have_a_rule(void **state)
{
	(void)state;
	assert_null(rule_at("x86_64", "f", 11, 6));
	assert_null(rule_at("x86_64", "py::f", 10, 6));
	assert_null(rule_at("x86_64", "py::f", 20, 6));
	assert_null(rule_at("i386", "py::f", 11, 6));
	assert_null(rule_at("aarch64", "py::f", 11, 6));
}

static void recorded_bytes_must_be_a_stubs(void **state)
{
	struct codemap_code code = { .name = "py::f", .bytes = 11, .at = 6 };
	const struct regs_arch *arch = regs_arch__find("x86_64");
	uint8_t other[11] = { 0x90 };
	(void)state;

	code.head = jit_stub;
	code.head_bytes = 11;
	assert_non_null(trampoline__rule(&code, arch));
	code.head_bytes = 10;
	assert_null(trampoline__rule(&code, arch));
	code.head = other;
	code.head_bytes = 11;
	assert_null(trampoline__rule(&code, arch));
}

/* --- whole stacks --------------------------------------------------------- */

struct fixture {
	struct machine machine;
	struct images images;
	struct unwinder *unwinder;
	struct unwind_stack out;
	uint64_t regs[33];
	uint64_t words[32];
};

static void begin(struct fixture *f, const char *folder, const char *arch)
{
	struct codemap_capture about = { .path = scratch__path(folder, "perf.data"),
					 .hostname = "elsewhere",
					 .clockid = 1 };
	struct record r = { .type = MMAP, .misc = MISC_USER };

	memset(f, 0, sizeof(*f));
	machine__init(&f->machine);
	images__init(&f->images, about.path, folder);
	f->machine.codemap = codemap__new(&f->machine, &f->images, &about);
	r.mmap = (struct record_mmap){ .pid = JIT_PID,
				       .tid = JIT_PID,
				       .start = ARENA,
				       .length = 0x10000,
				       .prot = EXEC,
				       .path = "//anon" };
	machine__apply(&f->machine, &r);
	r.mmap.start = 0x30000000;
	r.mmap.path = "/tmp/jit-100.dump";
	machine__apply(&f->machine, &r);
	machine__set_time(&f->machine, 1000);
	f->unwinder = unwinder__new(arch, &f->machine, &f->images);
}

static void end(struct fixture *f)
{
	unwinder__free(f->unwinder);
	codemap__free(f->machine.codemap);
	images__release(&f->images);
	machine__release(&f->machine);
}

static void unwind(struct fixture *f, uint64_t mask)
{
	uint32_t thread = machine__thread(&f->machine, JIT_PID, JIT_PID);
	struct record_sample s = {
		.user_abi = 2,
		.user_regs_mask = mask,
		.user_regs = f->regs,
		.stack = (const uint8_t *)f->words,
		.stack_bytes = sizeof(f->words),
	};

	unwinder__unwind(f->unwinder, f->machine.threads.data[thread].process, &s, &f->out);
}

static void unwind_x86(struct fixture *f, uint64_t ip, uint64_t bp)
{
	f->regs[6] = bp; /* perf's order */
	f->regs[7] = STACK;
	f->regs[8] = ip;
	unwind(f, 0x1ff);
}

/* The frames' addresses in the arena, leaf first, and how the stack ended. */
static void assert_frames(const struct fixture *f, const char *expected)
{
	char text[256] = "", *at = text;

	for (size_t i = 0; i < f->out.n && i < 16; i++)
		at += sprintf(at, "%" PRIx64 " ", f->out.frames[i].ip - ARENA);
	sprintf(at, "%s",
		f->out.ending == STACK_COMPLETE ? "complete"
		: f->out.ending == STACK_LOST	? "lost"
						: "truncated");
	assert_string_equal(text, expected);
}

static void write_map(const char *folder, const char *text)
{
	scratch__write(folder, "perf-100.map", text, strlen(text));
}

static void a_stack_of_sub_stubs_is_complete(void **state)
{
	struct fixture f;

	write_map(*state, "10000000 b py::f:p.py\n10000010 b py::g:p.py\n");
	begin(&f, *state, "x86_64");
	f.words[1] = ARENA + 0x16; /* [SP + 8]: back in g, after its call */
	f.words[3] = ARENA + 0x06; /* f */
	f.words[5] = 0;		   /* the start of all */
	unwind_x86(&f, ARENA + 6, 0);
	assert_frames(&f, "6 16 6 complete");
	assert_int_equal(f.out.frames[0].cfa, STACK + 16);
	assert_int_equal(f.out.frames[1].cfa, STACK + 32);
	end(&f);
}

static void a_sampled_stub_may_have_no_frame_yet(void **state)
{
	struct fixture f;

	write_map(*state, "10000000 b py::f:p.py\n");
	begin(&f, *state, "x86_64");
	f.words[0] = ARENA + 6;
	f.words[2] = 0;
	unwind_x86(&f, ARENA, 0); /* at its first instruction */
	assert_frames(&f, "0 6 complete");
	unwind_x86(&f, ARENA + 10, 0); /* at its return */
	assert_frames(&f, "a 6 complete");
	end(&f);
}

/* The caller of a push stub has its frame pointer back, and here needs it. */
static void a_push_stub_restores_the_frame_pointer(void **state)
{
	struct fixture f;

	write_map(*state, "10000000 8 py::f:p.py\n");
	begin(&f, *state, "x86_64");
	f.words[0] = STACK + 10 * 8; /* pushed */
	f.words[1] = PLAIN;
	f.words[10] = 0;
	f.words[11] = ARENA + 6; /* PLAIN was called by a stub again */
	f.words[13] = 0;
	unwind_x86(&f, ARENA + 6, STACK + 8); /* a frame pointer that leads astray */
	assert_frames(&f, "6 100 6 complete");
	end(&f);
}

static void aarch64_stubs_restore_frame_pointer_and_return_address(void **state)
{
	struct fixture f;

	write_map(*state, "10000000 14 py::f:p.py\n10000020 1c py::g:p.py\n");
	begin(&f, *state, "aarch64");
	f.words[0] = STACK + 10 * 8;
	f.words[1] = (ARENA + 0x20 + 16) | 0x55ull << 56; /* with an authentication code */
	f.words[2] = STACK + 10 * 8;
	f.words[3] = PLAIN;
	f.words[10] = 0;
	f.words[11] = ARENA + 12;
	f.words[12] = 0;
	f.words[13] = 0;
	f.regs[29] = STACK;
	f.regs[31] = STACK;
	f.regs[32] = ARENA + 12;
	unwind(&f, 0x1ffffffff);
	assert_frames(&f, "c 30 100 c complete");
	end(&f);
}

static void code_without_a_rule_is_stepped_by_frame_pointer(void **state)
{
	struct fixture f;

	write_map(*state, "10000000 b no Python\n10000010 b py::f:p.py\n");
	begin(&f, *state, "x86_64");
	f.words[1] = PLAIN; /* would be the caller if it were a stub */
	f.words[5] = ARENA + 0x16;
	unwind_x86(&f, ARENA + 6, STACK + 4 * 8);
	assert_int_equal(f.out.frames[1].ip, ARENA + 0x16);
	end(&f);
}

/* The same stub under a name that has no rule: only its tables tell. */
static void tables_of_a_jitdump_are_used(void **state)
{
	struct bytes b = { 0 };
	struct fixture f;

	jit__header(&b, 1, 0);
	jit__tables(&b, jit_stub_tables, JIT_STUB_TABLES_BYTES, JIT_STUB_HEADER_BYTES);
	jit__load(&b, 10, ARENA, 1, "some code", jit_stub, sizeof(jit_stub));
	scratch__write(*state, "jit-100.dump", b.v.data, b.v.n);
	bytes__release(&b);
	begin(&f, *state, "x86_64");
	f.words[1] = ARENA + 6;
	f.words[3] = ARENA + 6;
	f.words[5] = 0;
	unwind_x86(&f, ARENA + 6, STACK + 8);
	assert_frames(&f, "6 6 6 complete");
	f.words[0] = ARENA + 6;
	f.words[2] = 0;
	unwind_x86(&f, ARENA, 0);
	assert_frames(&f, "0 6 complete");
	end(&f);
}

static void damaged_tables_are_no_rule(void **state)
{
	uint8_t tables[JIT_STUB_TABLES_BYTES];

	for (size_t i = 0; i < JIT_STUB_TABLES_BYTES - JIT_STUB_HEADER_BYTES; i++) {
		struct bytes b = { 0 };
		struct fixture f;

		memcpy(tables, jit_stub_tables, sizeof(tables));
		tables[i] ^= 0xff;
		jit__header(&b, 1, 0);
		jit__tables(&b, tables, sizeof(tables), JIT_STUB_HEADER_BYTES);
		jit__load(&b, 10, ARENA, 1, "some code", jit_stub, sizeof(jit_stub));
		scratch__write(*state, "jit-100.dump", b.v.data, b.v.n);
		bytes__release(&b);
		begin(&f, *state, "x86_64");
		f.words[1] = ARENA + 6;
		unwind_x86(&f, ARENA + 6, 0);
		assert_true(f.out.n > 0);
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_frame_is_known_at_each_byte),
		cmocka_unit_test(only_pythons_stubs_have_a_rule),
		cmocka_unit_test(recorded_bytes_must_be_a_stubs),
		scratch_test(a_stack_of_sub_stubs_is_complete),
		scratch_test(a_sampled_stub_may_have_no_frame_yet),
		scratch_test(a_push_stub_restores_the_frame_pointer),
		scratch_test(aarch64_stubs_restore_frame_pointer_and_return_address),
		scratch_test(code_without_a_rule_is_stepped_by_frame_pointer),
		scratch_test(tables_of_a_jitdump_are_used),
		scratch_test(damaged_tables_are_no_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
