// SPDX-License-Identifier: GPL-2.0
/*
 * Unwinding through libdw: one Dwfl session per process, kept for the whole
 * capture, so that each file's CFI is found and parsed once.
 *
 * A session follows its process's mappings: new files are reported when the
 * mappings have changed; when one that was reported is gone, the session is
 * made anew.  libdw calls back for memory and registers; both come from the
 * sample in hand, and every address is hostile.
 */
#include "perfconv/unwind/unwind.h"

#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perfconv/unwind/regs.h"

#define THE_THREAD 1 /* libdw wants a thread id: every sample is this one */

struct module { /* a file that was reported */
	uint32_t dso;
	uint64_t bias; /* runtime address minus ELF address */
	bool seen;     /* among the mappings, at the last look */
};

struct session {
	Dwfl *dwfl;
	bool attached;
	uint32_t generation; /* of the mappings, when last looked at */
	VEC(struct module) modules;
};

struct unwinder {
	const struct regs_arch *arch;
	const struct machine *machine;
	struct images *images;
	VEC(struct session) sessions; /* by process id */

	/* the sample in hand */
	const struct regs_arch *task; /* of its task: a 64-bit machine runs 32-bit ones */
	struct regs regs;
	const uint8_t *stack;
	uint64_t stack_start, stack_end; /* addresses of the copy: [start, end) */
	bool read_past_copy;		 /* a step failed because the copy ended */
	struct unwind_stack *out;
};

/* Debug files are not looked for: .eh_frame is in the file itself, and libdw's own
 * search would ask servers. */
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
	struct unwinder *u = arg;
	size_t n = u->task->word_bytes;
	uint32_t half;
	uint64_t word;

	(void)dwfl;
	if (address < u->stack_start)
		return false;
	if (address >= u->stack_end || u->stack_end - address < n) {
		u->read_past_copy = true;
		return false;
	}
	if (n == sizeof(half)) {
		memcpy(&half, u->stack + (address - u->stack_start), sizeof(half));
		*result = half;
	} else {
		memcpy(&word, u->stack + (address - u->stack_start), sizeof(word));
		*result = word;
	}
	return true;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	const struct unwinder *u = arg;
	Dwarf_Word values[REGS_MAX];

	for (size_t i = 0; i < u->task->n; i++)
		values[i] = u->regs.value[i];
	dwfl_thread_state_register_pc(thread, u->regs.value[u->task->ip]);
	return dwfl_thread_state_registers(thread, 0, (unsigned int)u->task->dwarf_n, values);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

struct unwinder *unwinder__new(const char *arch, const struct machine *machine,
			       struct images *images)
{
	const struct regs_arch *found = regs_arch__find(arch);
	struct unwinder *u;

	if (!found)
		return NULL;
	u = mem__alloc(1, sizeof(*u));
	u->arch = found;
	u->machine = machine;
	u->images = images;
	return u;
}

static void session__release(struct session *s)
{
	if (s->dwfl)
		dwfl_end(s->dwfl);
	vec__release(&s->modules);
	memset(s, 0, sizeof(*s));
}

void unwinder__free(struct unwinder *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->sessions.n; i++)
		session__release(&u->sessions.data[i]);
	vec__release(&u->sessions);
	free(u);
}

static struct module *session__module(struct session *s, uint32_t dso, uint64_t bias)
{
	for (size_t i = 0; i < s->modules.n; i++)
		if (s->modules.data[i].dso == dso && s->modules.data[i].bias == bias)
			return &s->modules.data[i];
	return NULL;
}

/* Tell libdw of one executable mapping.  Return: false if it overlaps an older one. */
static bool session__report(struct unwinder *u, struct session *s, const struct map *map)
{
	const struct image *image = images__get(u->images, &u->machine->dsos, map->dso);
	struct module *known, m = { .dso = map->dso, .seen = true };
	uint64_t address;
	int fd;

	if (!image || !image__address(image, map->offset, &address))
		return true;
	m.bias = map->start - address;
	known = session__module(s, map->dso, m.bias);
	if (known) {
		known->seen = true;
		return true;
	}
	fd = dup(image->fd);
	if (!dwfl_report_elf(s->dwfl, image->path, image->path, fd, m.bias, true)) {
		close(fd);
		return false;
	}
	vec__push(&s->modules, m);
	return true;
}

/* Return: false if the session no longer fits the mappings and has to be made anew. */
static bool session__update(struct unwinder *u, struct session *s, const struct maps *maps)
{
	bool fits = true;

	if (!s->dwfl)
		s->dwfl = dwfl_begin(&dwfl_callbacks);
	if (!s->dwfl)
		return true; /* every stack of the process is then lost, and counted so */
	for (size_t i = 0; i < s->modules.n; i++)
		s->modules.data[i].seen = false;
	dwfl_report_begin_add(s->dwfl);
	for (size_t i = 0; i < maps->list.n && fits; i++)
		if (maps->list.data[i].executable)
			fits = session__report(u, s, &maps->list.data[i]);
	dwfl_report_end(s->dwfl, NULL, NULL);
	for (size_t i = 0; i < s->modules.n; i++)
		fits = fits && s->modules.data[i].seen;
	s->generation = maps->generation;
	return fits;
}

static struct session *unwinder__session(struct unwinder *u, uint32_t process)
{
	const struct maps *maps = &u->machine->processes.data[process].maps;
	struct session *s;

	while (u->sessions.n <= process)
		(void)vec__add(&u->sessions);
	s = &u->sessions.data[process];
	if (s->dwfl && s->generation == maps->generation)
		return s;
	if (!session__update(u, s, maps)) {
		session__release(s);
		session__update(u, s, maps);
	}
	if (s->dwfl && !s->attached)
		s->attached = dwfl_attach_state(s->dwfl, NULL, THE_THREAD, &thread_callbacks, u);
	return s;
}

static int take_frame(Dwfl_Frame *state, void *arg)
{
	struct unwinder *u = arg;
	struct unwind_stack *out = u->out;
	struct unwind_frame *f;
	Dwarf_Addr pc;
	Dwarf_Word sp;
	bool activation;

	if (out->n == UNWIND_MAX_FRAMES || !dwfl_frame_pc(state, &pc, &activation))
		return DWARF_CB_ABORT;
	f = &out->frames[out->n++];
	f->ip = pc;
	f->cfa = 0;
	f->return_address = !activation;
	if (out->n > 1 && !dwfl_frame_reg(state, (unsigned int)u->task->sp, &sp))
		f[-1].cfa = sp;
	u->read_past_copy = false;
	return DWARF_CB_OK;
}

void unwinder__unwind(struct unwinder *u, uint32_t process, const struct record_sample *sample,
		      struct unwind_stack *out)
{
	struct session *s;
	int end;

	out->n = 0;
	out->ending = STACK_LOST;
	u->task = regs_arch__of_task(u->arch, sample->user_abi);
	if (!u->task || !sample->user_regs ||
	    !regs__from_sample(u->task, sample->user_regs_mask, sample->user_regs, &u->regs))
		return;
	u->stack = sample->stack;
	u->stack_start = u->regs.value[u->task->sp];
	u->stack_end = u->stack_start + sample->stack_bytes;
	if (u->stack_end < u->stack_start)
		u->stack_end = u->stack_start;
	u->read_past_copy = false;
	u->out = out;
	s = unwinder__session(u, process);
	end = s->attached ? dwfl_getthread_frames(s->dwfl, THE_THREAD, take_frame, u) : -1;
	if (end == 0)
		out->ending = STACK_COMPLETE;
	else if (u->read_past_copy)
		out->ending = STACK_TRUNCATED;
	if (!out->n)
		out->frames[out->n++] = (struct unwind_frame){ .ip = u->regs.value[u->task->ip] };
}
