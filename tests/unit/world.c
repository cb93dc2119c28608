// SPDX-License-Identifier: GPL-2.0
#include "tests/unit/world.h"

#include "tests/unit/elf_builder.h"

enum { MMAP = 1, COMM = 3, FORK = 7, MISC_USER = 2, EXEC = 4 };

#define SLOT_BYTES 64u
#define CODE_OFFSET 0x1000u /* of a file's functions */
#define MAPPED_BYTES 0x8000u

static void map(struct world *w, uint64_t start, const char *path)
{
	struct record r = { .type = MMAP, .misc = MISC_USER };

	r.mmap = (struct record_mmap){ .pid = WORLD_PID,
				       .tid = WORLD_PID,
				       .start = start + CODE_OFFSET,
				       .length = MAPPED_BYTES,
				       .offset = CODE_OFFSET,
				       .prot = EXEC,
				       .path = path };
	machine__apply(&w->machine, &r);
}

/* An ELF file with these functions, 0x100 bytes each, mapped at @start. */
static void add_elf(struct world *w, const char *folder, const char *name, uint64_t start,
		    const char *const *functions, size_t n)
{
	struct elf_symbol symbols[4];

	for (size_t i = 0; i < n; i++)
		symbols[i] = (struct elf_symbol){ functions[i], CODE_OFFSET + 0x100 * i, 0x100,
						  STB_GLOBAL };
	map(w, start, elf_builder__write(folder, name, symbols, n, NULL));
}

static void add_trampolines(struct world *w, const char *folder, bool side_file)
{
	static const char *const names[] = { "unused", "py::_bootstrap:/usr/lib/threading.py",
					     "py::Loop.run:/app/loop.py", "py::recv:/app/link.py",
					     "task:poll vehicle" };
	struct elf_symbol symbols[5];
	struct sidefile_builder b;

	for (size_t i = 0; i < 5; i++)
		symbols[i] = (struct elf_symbol){ names[i], CODE_OFFSET + SLOT_BYTES * i,
						  SLOT_BYTES, STB_GLOBAL };
	map(w, WORLD_PYTHON_BASE,
	    elf_builder__write(folder, "pyframes-" BUILDER_TOKEN "-0.so", symbols, 5, NULL));
	if (!side_file)
		return;
	sidefile_builder__init(&b);
	side__arena(&b, 0, WORLD_PYTHON_BASE + CODE_OFFSET, 40, SLOT_BYTES);
	side__code(&b, 1, PYFRAMES_CODE_FUNCTION, 0, 1, "_bootstrap", "/usr/lib/threading.py",
		   1000);
	side__code(&b, 2, PYFRAMES_CODE_FUNCTION, 0, 2, "Loop.run", "/app/loop.py", 20);
	side__code(&b, 3, PYFRAMES_CODE_FUNCTION, 0, 3, "recv", "/app/link.py", 30);
	side__code(&b, 4, PYFRAMES_CODE_TASK, 0, 4, "poll vehicle", "", 0);
	side__thread(&b, 1, WORLD_PID, 0, "MainThread", PYFRAMES_THREAD_MAIN);
	side__thread(&b, 2, 101, 0, "MavLinkExternalProxy-Recv", 0);
	side__snapshot(&b, 1000, WORLD_PID, (const uint32_t[]){ 2, 1 }, 2);
	b.header.runtime_addr = 0x900000;
	b.header.runtime_bytes = 0x1000;
	sidefile_builder__write(&b, folder);
	sidefile_builder__release(&b);
}

void world__init(struct world *w, const char *folder, bool side_file)
{
	static const char *const python[] = { "_PyEval_EvalFrameDefault", "_PyObject_Vectorcall",
					      "sock_recv" };
	static const char *const libc[] = { "_start", "start_thread", "recv" };
	static const char *const hook[] = { "pyframes_eval" };

	memset(w, 0, sizeof(*w));
	machine__init(&w->machine);
	images__init(&w->images, scratch__path(folder, "perf.data"), NULL);
	sidefiles__init(&w->sidefiles, &w->images, false);
	add_trampolines(w, folder, side_file);
	add_elf(w, folder, "libpython3.11.so.1.0", 0x20000000, python, 3);
	add_elf(w, folder, "libc.so.6", 0x30000000, libc, 3);
	add_elf(w, folder, "stripped.so", 0x40000000, NULL, 0);
	add_elf(w, folder, "_pyframes.cpython-311.so", 0x50000000, hook, 1);
}

void world__release(struct world *w)
{
	resolver__free(w->resolver);
	python__free(w->python);
	symbols__free(w->symbols);
	store__release(&w->store);
	sidefiles__release(&w->sidefiles);
	images__release(&w->images);
	machine__release(&w->machine);
}

void world__fork(struct world *w, uint32_t pid, uint32_t tid, uint64_t time_ns)
{
	struct record r = { .type = FORK, .time_ns = time_ns };

	r.task = (struct record_task){ .pid = pid, .tid = tid, .ppid = pid, .ptid = pid };
	machine__apply(&w->machine, &r);
}

void world__comm(struct world *w, uint32_t pid, uint32_t tid, const char *comm)
{
	struct record r = { .type = COMM };

	r.comm = (struct record_comm){ .pid = pid, .tid = tid, .comm = comm };
	machine__apply(&w->machine, &r);
}

uint32_t world__stack(struct world *w, const uint64_t *ips)
{
	uint32_t main_thread = machine__thread(&w->machine, WORLD_PID, WORLD_PID);
	uint32_t process = w->machine.threads.data[main_thread].process;
	uint32_t stack = STORE_NO_STACK;

	for (size_t i = 0; ips[i]; i++) {
		bool caller = ips[i + 1] != 0;
		struct place p = ips[i] >> 63 ? machine__kernel_place(ips[i])
					      : machine__user_place(&w->machine, process, ips[i]);

		p.address += caller ? 16 : 8; /* inside the function, not at its start */
		stack = store__push(&w->store, stack, store__location(&w->store, p, caller));
	}
	return stack;
}

void world__sample(struct world *w, uint32_t pid, uint32_t tid, uint64_t time_ns, uint64_t weight,
		   uint32_t stack)
{
	struct store_sample s = {
		.time_ns = time_ns,
		.weight = weight,
		.thread = machine__thread(&w->machine, pid, tid),
		.stack = stack,
		.ending = STACK_COMPLETE,
		.activation = STORE_NO_ACTIVATION,
	};

	vec__push(&w->store.samples, s);
}

void world__resolve(struct world *w, enum frames_mode mode)
{
	w->symbols = symbols__new(&w->machine.dsos, &w->images);
	w->python = python__new(&w->machine, &w->images, w->symbols, &w->sidefiles);
	w->resolver = resolver__new(&w->store, &w->machine, w->symbols, w->python,
				    &(struct resolve_options){ .mode = mode });
}

static size_t append(const struct resolved *r, uint32_t stack, char *out, size_t size)
{
	size_t used = 0;
	uint32_t parent = resolved__parent(r, stack);

	if (parent != RESOLVE_NO_STACK) {
		used = append(r, parent, out, size);
		used += (size_t)snprintf(out + used, size - used, " > ");
	}
	used += (size_t)snprintf(out + used, size - used, "%s",
				 strtab__get(&r->strings,
					     r->frames.data[resolved__leaf(r, stack)].name));
	return used;
}

const char *world__text(const struct world *w, uint32_t resolved)
{
	static char text[2048];

	if (resolved == RESOLVE_NO_STACK)
		return "-";
	append(resolver__resolved(w->resolver), resolved, text, sizeof(text));
	return text;
}

struct profile *world__profile(struct world *w, const struct perfdata_event *event)
{
	struct profile_sources from = {
		.event = event,
		.store = &w->store,
		.machine = &w->machine,
		.python = w->python,
		.resolver = w->resolver,
		.window = { 0, UINT64_MAX },
	};

	return profile__new(&from);
}
