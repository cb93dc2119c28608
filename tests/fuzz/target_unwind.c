// SPDX-License-Identifier: GPL-2.0
/*
 * Unwinding with hostile registers and stack: 17 registers as perf orders them
 * (u64 each, the first byte of all says where the instruction pointer goes),
 * then the stack copy.  The code is the program's own and libc's.
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

struct world {
	struct machine machine;
	struct images images;
	struct unwinder *unwinder;
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

static struct world *make_world(void)
{
	struct world *w = mem__alloc(1, sizeof(*w));
	uint32_t thread;

	machine__init(&w->machine);
	images__init(&w->images, "./none", NULL);
	dl_iterate_phdr(add_object, w);
	thread = machine__thread(&w->machine, PID, PID);
	w->process = w->machine.threads.data[thread].process;
	w->unwinder = unwinder__new("x86_64", &w->machine, &w->images);
	return w;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct world *w;
	uint64_t regs[REGS_N];
	struct record_sample sample = { .user_abi = 2,
					.user_regs_mask = REGS_MASK,
					.user_regs = regs };
	uint8_t where;
	uint8_t *stack;

	if (!w)
		w = make_world();
	if (n < 1 + sizeof(regs) || !w->n)
		return 0;
	where = *bytes;
	sample.user_abi = where & 0x80 ? 1 : 2; /* a 32-bit task that has 64-bit code */
	memcpy(regs, bytes + 1, sizeof(regs));
	if (where < 0xf0) /* else it stays wild */
		regs[IP_AT] = w->text[where % w->n] + regs[IP_AT] % w->length[where % w->n];
	sample.stack_bytes = sample.stack_asked = n - 1 - sizeof(regs);
	stack = malloc(sample.stack_bytes + 1);
	if (!stack)
		return 0;
	memcpy(stack, bytes + 1 + sizeof(regs), sample.stack_bytes);
	sample.stack = stack;
	unwinder__unwind(w->unwinder, w->process, &sample, &w->stack);
	free(stack);
	return 0;
}
