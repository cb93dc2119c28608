// SPDX-License-Identifier: GPL-2.0
/*
 * Frames a second: perfconv's unwinder and libdw's, in turns, over the same samples.
 *
 *     unwind_speed CAPTURE [ROUNDS]
 *
 * The samples with stack dumps are read into memory first.  libdw gets what suits
 * it best: one Dwfl per process, kept, with every file reported once, and memory
 * and registers through its public call-backs.  Samples are copied in small batches
 * before the clock runs, so that both find them in the caches, as behind a reader.  The first round warms both up and
 * is not counted; in the others the two take turns in being first.  Prints JSON:
 * per round nanoseconds and frames of each, and how the stacks agree.
 */
#include <elfutils/libdwfl.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "perfconv/machine/codemap.h"
#include "perfconv/machine/images.h"
#include "perfconv/machine/machine.h"
#include "perfconv/perfdata/perfdata.h"
#include "perfconv/unwind/regs.h"
#include "perfconv/unwind/unwind.h"

#define THE_THREAD 1 /* libdw wants a thread id: every sample is this one */
#define BATCH 16u
#define MAX_STACK_BYTES ((size_t)3 << 30)

struct kept { /* a sample, in memory of its own */
	uint32_t process;
	struct record_sample sample;
};

struct session {
	Dwfl *dwfl;
	bool attached;
};

struct hot {
	uint8_t stack[1 << 16];
	uint64_t regs[64];
};

struct bench {
	struct machine machine;
	struct images images;
	const struct regs_arch *arch;
	VEC(struct kept) samples;
	size_t stack_bytes;
	struct hot hot[BATCH];

	VEC(struct session) sessions; /* by process id */
	/* libdw's sample in hand */
	struct regs regs;
	const uint8_t *stack;
	uint64_t stack_start, stack_end;
	uint64_t ips[UNWIND_MAX_FRAMES];
	size_t n;
};

static int no_debuginfo(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
			const char *file, const char *link, GElf_Word crc, char **path)
{
	(void)module, (void)user, (void)name, (void)base, (void)file, (void)link, (void)crc;
	(void)path;
	return -1;
}

static int no_elf(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base, char **path,
		  Elf **elf)
{
	(void)module, (void)user, (void)name, (void)base, (void)path, (void)elf;
	return -1;
}

static const Dwfl_Callbacks dwfl_callbacks = {
	.find_elf = no_elf,
	.find_debuginfo = no_debuginfo,
	.section_address = dwfl_offline_section_address,
};

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
	(void)dwfl;
	if (*thread_arg)
		return 0;
	*thread_arg = arg;
	return THE_THREAD;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread_arg)
{
	(void)dwfl;
	*thread_arg = arg;
	return tid == THE_THREAD;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *result, void *arg)
{
	const struct bench *b = arg;

	(void)dwfl;
	if (address < b->stack_start || address >= b->stack_end ||
	    b->stack_end - address < sizeof(*result))
		return false;
	memcpy(result, b->stack + (address - b->stack_start), sizeof(*result));
	return true;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	const struct bench *b = arg;
	Dwarf_Word values[REGS_MAX];

	for (size_t i = 0; i < b->arch->n; i++)
		values[i] = b->regs.value[i];
	dwfl_thread_state_register_pc(thread, b->regs.value[b->arch->ip]);
	return dwfl_thread_state_registers(thread, 0, (unsigned int)b->arch->dwarf_n, values);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

static void report_files(struct bench *b, Dwfl *dwfl, const struct maps *maps)
{
	dwfl_report_begin(dwfl);
	for (size_t i = 0; i < maps->list.n; i++) {
		const struct map *map = &maps->list.data[i];
		uint64_t middle = (map->end - map->start) / 2; /* in its segment for certain */
		const struct image *image;
		uint64_t address;

		image = map->executable ? images__get(&b->images, &b->machine.dsos, map->dso)
					: NULL;
		if (image && *image->path == '/' &&
		    image__address(image, map->offset + middle, &address))
			dwfl_report_elf(dwfl, image->path, image->path, -1,
					map->start + middle - address, true);
	}
	dwfl_report_end(dwfl, NULL, NULL);
}

static struct session *session_of(struct bench *b, uint32_t process)
{
	struct session *s;

	while (b->sessions.n <= process)
		(void)vec__add(&b->sessions);
	s = &b->sessions.data[process];
	if (s->dwfl)
		return s;
	s->dwfl = dwfl_begin(&dwfl_callbacks);
	report_files(b, s->dwfl, &b->machine.processes.data[process].maps);
	s->attached = dwfl_attach_state(s->dwfl, NULL, THE_THREAD, &thread_callbacks, b);
	return s;
}

static int take_frame(Dwfl_Frame *state, void *arg)
{
	struct bench *b = arg;
	Dwarf_Addr pc;
	bool activation;

	if (b->n == UNWIND_MAX_FRAMES || !dwfl_frame_pc(state, &pc, &activation))
		return DWARF_CB_ABORT;
	b->ips[b->n++] = pc;
	return DWARF_CB_OK;
}

static void unwind_by_libdw(struct bench *b, const struct kept *k)
{
	struct session *s = session_of(b, k->process);

	b->n = 0;
	if (!regs__from_sample(b->arch, k->sample.user_regs_mask, k->sample.user_regs, &b->regs))
		return;
	b->stack = k->sample.stack;
	b->stack_start = b->regs.value[b->arch->sp];
	b->stack_end = b->stack_start + k->sample.stack_bytes;
	if (s->attached)
		dwfl_getthread_frames(s->dwfl, THE_THREAD, take_frame, b);
}

static void keep(struct bench *b, const struct record *rec)
{
	uint32_t thread = machine__thread(&b->machine, rec->pid, rec->tid);
	struct kept k = { b->machine.threads.data[thread].process, rec->sample };
	size_t regs = (size_t)__builtin_popcountll(k.sample.user_regs_mask);
	uint64_t *values;
	uint8_t *stack;

	if (k.sample.user_abi != 2 || !k.sample.stack_bytes ||
	    b->stack_bytes + k.sample.stack_bytes > MAX_STACK_BYTES)
		return;
	values = mem__alloc(regs, sizeof(*values));
	memcpy(values, k.sample.user_regs, regs * sizeof(*values));
	stack = mem__alloc(k.sample.stack_bytes, 1);
	memcpy(stack, k.sample.stack, k.sample.stack_bytes);
	b->stack_bytes += k.sample.stack_bytes;
	k.sample.user_regs = values;
	k.sample.stack = stack;
	vec__push(&b->samples, k);
}

static int read_capture(struct bench *b, const char *path, struct errbuf *err)
{
	struct codemap_capture about = { .path = path, .local_kernel = true, .clockid = -1 };
	struct perfdata *data;
	struct record rec;
	int code = perfdata__open(&data, path, err);

	if (code)
		return code;
	about.hostname = mem__strdup(perfdata__info(data)->hostname);
	b->machine.codemap = codemap__new(&b->machine, &b->images, &about);
	b->arch = regs_arch__find(perfdata__info(data)->arch);
	b->images.local_kernel = true;
	while ((code = perfdata__next(data, &rec, err)) > 0) {
		if (rec.type == PERF_RECORD_SAMPLE)
			keep(b, &rec);
		else
			machine__apply(&b->machine, &rec);
	}
	codemap__complete(b->machine.codemap);
	perfdata__free(data);
	return code;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

struct result {
	uint64_t ns, frames;
};

/* A few samples, where the reader would just have put them: in the caches. */
static size_t load_batch(struct bench *b, size_t first, struct kept *batch)
{
	size_t n = 0;

	for (; n < BATCH && first + n < b->samples.n; n++) {
		struct record_sample *s = &batch[n].sample;

		batch[n] = b->samples.data[first + n];
		s->stack = memcpy(b->hot[n].stack, s->stack, s->stack_bytes);
		s->user_regs = memcpy(b->hot[n].regs, s->user_regs,
				      (size_t)__builtin_popcountll(s->user_regs_mask) *
					      sizeof(*s->user_regs));
	}
	return n;
}

static struct result run_ours(struct bench *b, struct unwinder *u, struct unwind_stack *stack)
{
	struct result r = { 0 };
	struct kept batch[BATCH];
	size_t n;

	for (size_t i = 0; (n = load_batch(b, i, batch)) > 0; i += n) {
		uint64_t start = now_ns();

		for (size_t k = 0; k < n; k++) {
			unwinder__unwind(u, batch[k].process, &batch[k].sample, stack);
			r.frames += stack->n;
		}
		r.ns += now_ns() - start;
	}
	return r;
}

static struct result run_libdw(struct bench *b)
{
	struct result r = { 0 };
	struct kept batch[BATCH];
	size_t n;

	for (size_t i = 0; (n = load_batch(b, i, batch)) > 0; i += n) {
		uint64_t start = now_ns();

		for (size_t k = 0; k < n; k++) {
			unwind_by_libdw(b, &batch[k]);
			r.frames += b->n;
		}
		r.ns += now_ns() - start;
	}
	return r;
}

/* Warms up, and says how the two agree and how our stacks ended. */
static void compare(struct bench *b, struct unwinder *u, struct unwind_stack *stack)
{
	uint64_t equal = 0, longer = 0, shorter = 0, endings[STACK_ENDINGS] = { 0 };

	for (size_t i = 0; i < b->samples.n; i++) {
		size_t n = 0;

		unwinder__unwind(u, b->samples.data[i].process, &b->samples.data[i].sample, stack);
		unwind_by_libdw(b, &b->samples.data[i]);
		while (n < stack->n && n < b->n && stack->frames[n].ip == b->ips[n])
			n++;
		equal += n == stack->n && n == b->n;
		longer += n == b->n && n < stack->n;
		shorter += n == stack->n && n < b->n;
		endings[stack->ending]++;
	}
	printf("{\"samples\": %zu, \"stack_bytes\": %zu, \"equal\": %" PRIu64
	       ", \"longer\": %" PRIu64 ", \"shorter\": %" PRIu64 ", \"complete\": %" PRIu64
	       ", \"truncated\": %" PRIu64 ", \"lost\": %" PRIu64 ",\n \"rounds\": [",
	       b->samples.n, b->stack_bytes, equal, longer, shorter, endings[STACK_COMPLETE],
	       endings[STACK_TRUNCATED], endings[STACK_LOST]);
}

static void measure(struct bench *b, int rounds)
{
	struct unwinder *u = unwinder__new(b->arch->name, &b->machine, &b->images);
	struct unwind_stack *stack = mem__alloc(1, sizeof(*stack));

	compare(b, u, stack);
	for (int i = 0; i < rounds; i++) {
		struct result ours = { 0 }, libdw;

		if (i % 2)
			ours = run_ours(b, u, stack);
		libdw = run_libdw(b);
		if (!(i % 2))
			ours = run_ours(b, u, stack);
		printf("%s\n  {\"ours_ns\": %" PRIu64 ", \"ours_frames\": %" PRIu64
		       ", \"libdw_ns\": %" PRIu64 ", \"libdw_frames\": %" PRIu64 "}",
		       i ? "," : "", ours.ns, ours.frames, libdw.ns, libdw.frames);
	}
	printf("]}\n");
	unwinder__free(u);
	free(stack);
}

int main(int argc, char **argv)
{
	struct bench *b = mem__alloc(1, sizeof(*b));
	struct errbuf err;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: unwind_speed CAPTURE [ROUNDS]\n");
		return 2;
	}
	machine__init(&b->machine);
	images__init(&b->images, argv[1], NULL);
	if (read_capture(b, argv[1], &err) || !b->arch) {
		fprintf(stderr, "unwind_speed: %s\n", b->arch ? err.text : "unknown architecture");
		return 1;
	}
	measure(b, argc > 2 ? atoi(argv[2]) : 5);
	return 0;
}
