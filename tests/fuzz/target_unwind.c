// SPDX-License-Identifier: GPL-2.0
/*
 * Unwinding with hostile registers and stack: 17 registers as perf orders them
 * (u64 each, the first byte of all says where the instruction pointer goes),
 * then the stack copy.  The code is the program's own and libc's.  Bit 6 of the first
 * byte asks for an aarch64 program of tests/files in their place, with 33 registers,
 * and also for its leaf's caller.
 */
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "perfconv/unwind/unwind.h"
#include "tests/fuzz/target.h"

#define PID 100u
#define REGS_MASK 0xff0fffull
#define REGS_N 20u
#define IP_AT 8u
#define ARM64 0x40u
#define ARM64_FILE "tests/files/levels-aarch64-pac"
#define ARM64_TEXT 0x400000u
#define ARM64_BYTES 0x1000u
#define ARM64_REGS_MASK 0x1ffffffffull
#define ARM64_REGS_N 33u
#define ARM64_IP_AT 32u

struct world {
	struct machine machine;
	struct images images;
	struct unwinder *unwinder, *arm64;
	struct unwind_stack stack;
	uint64_t text[16]; /* starts of executable mappings */
	uint64_t length[16];
	size_t n;
	uint32_t process;
};

static int add_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct world *w = arg;
	const char *path = *info->dlpi_name ? info->dlpi_name : "/proc/self/exe";

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		struct record rec = { .type = 1, .misc = 2, .time_ns = RECORD_NO_TIME };

		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X) || w->n == 16 || *path != '/')
			continue;
		rec.mmap = (struct record_mmap){
			.pid = PID,
			.tid = PID,
			.start = info->dlpi_addr + ph->p_vaddr,
			.length = ph->p_memsz,
			.offset = ph->p_offset,
			.prot = PROT_EXEC,
			.path = path,
		};
		machine__apply(&w->machine, &rec);
		w->text[w->n] = rec.mmap.start;
		w->length[w->n++] = rec.mmap.length;
	}
	return 0;
}

static void add_arm64(struct world *w)
{
	struct record rec = { .type = 1, .misc = 2, .time_ns = RECORD_NO_TIME };

	rec.mmap = (struct record_mmap){
		.pid = PID,
		.tid = PID,
		.start = ARM64_TEXT,
		.length = ARM64_BYTES,
		.prot = PROT_EXEC,
		.path = ARM64_FILE,
	};
	machine__apply(&w->machine, &rec);
	w->arm64 = unwinder__new("aarch64", &w->machine, &w->images);
}

static struct world *make_world(void)
{
	struct world *w = mem__alloc(1, sizeof(*w));
	uint32_t thread;

	machine__init(&w->machine);
	images__init(&w->images, "./none", NULL);
	dl_iterate_phdr(add_object, w);
	add_arm64(w);
	thread = machine__thread(&w->machine, PID, PID);
	w->process = w->machine.threads.data[thread].process;
	w->unwinder = unwinder__new("x86_64", &w->machine, &w->images);
	return w;
}

/* Unwinds what follows the registers, in memory of its own size, so that reads beyond it show. */
static void unwind(struct world *w, struct unwinder *u, struct record_sample *sample,
		   const uint8_t *bytes, size_t n)
{
	uint8_t *stack = malloc(n + 1);

	if (!stack)
		return;
	memcpy(stack, bytes, n);
	sample->stack = stack;
	sample->stack_bytes = sample->stack_asked = n;
	unwinder__unwind(u, w->process, sample, &w->stack);
	free(stack);
}

static void unwind_x86_64(struct world *w, uint8_t where, const uint8_t *bytes, size_t n)
{
	uint64_t regs[REGS_N];
	struct record_sample sample = { .user_regs_mask = REGS_MASK, .user_regs = regs };

	if (n < sizeof(regs))
		return;
	sample.user_abi = where & 0x80 ? 1 : 2; /* a 32-bit task that has 64-bit code */
	memcpy(regs, bytes, sizeof(regs));
	if (where < 0xf0) /* else it stays wild */
		regs[IP_AT] = w->text[where % w->n] + regs[IP_AT] % w->length[where % w->n];
	unwind(w, w->unwinder, &sample, bytes + sizeof(regs), n - sizeof(regs));
}

static void unwind_aarch64(struct world *w, const uint8_t *bytes, size_t n)
{
	uint64_t regs[ARM64_REGS_N], caller;
	struct record_sample sample = { .user_abi = 2,
					.user_regs_mask = ARM64_REGS_MASK,
					.user_regs = regs };

	if (n < sizeof(regs))
		return;
	memcpy(regs, bytes, sizeof(regs));
	regs[ARM64_IP_AT] = ARM64_TEXT + regs[ARM64_IP_AT] % ARM64_BYTES;
	unwind(w, w->arm64, &sample, bytes + sizeof(regs), n - sizeof(regs));
	(void)unwinder__leaf_caller(w->arm64, w->process, &sample, regs[ARM64_IP_AT], &caller);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct world *w;

	if (!w)
		w = make_world();
	if (!n || !w->n)
		return 0;
	if (*bytes & ARM64)
		unwind_aarch64(w, bytes + 1, n - 1);
	else
		unwind_x86_64(w, *bytes, bytes + 1, n - 1);
	return 0;
}
