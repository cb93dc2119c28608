// SPDX-License-Identifier: GPL-2.0
#include "perfconv/machine/machine.h"

#include <perf/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "perfconv/machine/codemap.h"

void machine__init(struct machine *m)
{
	memset(m, 0, sizeof(*m));
	dsos__init(&m->dsos);
}

void machine__release(struct machine *m)
{
	for (size_t i = 0; i < m->processes.n; i++) {
		maps__release(&m->processes.data[i].maps);
		maps__release(&m->processes.data[i].generated);
	}
	maps__release(&m->modules);
	vec__release(&m->processes);
	vec__release(&m->threads);
	vec__release(&m->current_process);
	vec__release(&m->current_thread);
	idmap__release(&m->pids);
	idmap__release(&m->tids);
	strtab__release(&m->names);
	dsos__release(&m->dsos);
}

static uint32_t new_process(struct machine *m, uint32_t pid)
{
	struct process *p = vec__add(&m->processes);

	p->pid = pid;
	return (uint32_t)(m->processes.n - 1);
}

/* The slot that says which process has @pid now; a new one holds a new process. */
static uint32_t *process_slot(struct machine *m, uint32_t pid)
{
	uint32_t at = idmap__intern(&m->pids, pid, 0);

	if (at == m->current_process.n)
		vec__push(&m->current_process, new_process(m, pid));
	return &m->current_process.data[at];
}

static uint32_t new_thread(struct machine *m, uint32_t pid, uint32_t tid)
{
	struct thread t = { .process = *process_slot(m, pid), .tid = tid, .comm = MACHINE_NO_NAME };

	vec__push(&m->threads, t);
	return (uint32_t)(m->threads.n - 1);
}

static uint32_t *thread_slot(struct machine *m, uint32_t pid, uint32_t tid)
{
	uint32_t at = idmap__intern(&m->tids, tid, 0);

	if (at == m->current_thread.n)
		vec__push(&m->current_thread, new_thread(m, pid, tid));
	return &m->current_thread.data[at];
}

uint32_t machine__thread(struct machine *m, uint32_t pid, uint32_t tid)
{
	uint32_t *slot = thread_slot(m, pid, tid);

	/* Samples without a FORK before them: the tid has gone to another process. */
	if (m->processes.data[m->threads.data[*slot].process].pid != pid)
		*slot = new_thread(m, pid, tid);
	return *slot;
}

/* From now on, @pid means process @id. */
static void set_process(struct machine *m, uint32_t pid, uint32_t id)
{
	uint32_t at = idmap__intern(&m->pids, pid, 0);

	if (at == m->current_process.n)
		vec__push(&m->current_process, id);
	m->current_process.data[at] = id;
}

static void set_thread(struct machine *m, uint32_t tid, uint32_t id)
{
	uint32_t at = idmap__intern(&m->tids, tid, 0);

	if (at == m->current_thread.n)
		vec__push(&m->current_thread, id);
	m->current_thread.data[at] = id;
}

static void copy_maps(struct machine *m, uint32_t to, uint32_t from)
{
	struct process *parent = &m->processes.data[from], *child = &m->processes.data[to];
	size_t n = parent->maps.n + parent->generated.n;

	if (n > MACHINE_MAX_COPIED_MAPS - m->copied_maps) {
		m->bare_processes++;
		return;
	}
	m->copied_maps += n;
	maps__copy(&child->maps, &parent->maps);
	maps__copy(&child->generated, &parent->generated);
}

/* What perf synthesises, at the start of each file of a series, about who lives. */
static bool is_known(const struct machine *m, const struct record_task *t)
{
	uint32_t at = idmap__find(&m->tids, t->tid, 0);
	const struct thread *thread;

	if (at == IDMAP_NONE)
		return false;
	thread = &m->threads.data[m->current_thread.data[at]];
	return !thread->end_ns && m->processes.data[thread->process].pid == t->pid;
}

static void apply_fork(struct machine *m, const struct record *rec)
{
	const struct record_task *t = &rec->task;
	uint32_t parent, child;

	if (rec->time_ns == RECORD_NO_TIME && is_known(m, t))
		return;
	parent = *thread_slot(m, t->ppid, t->ptid);
	if (t->pid != t->ppid) {
		uint32_t from = *process_slot(m, t->ppid), to = new_process(m, t->pid);

		set_process(m, t->pid, to);
		if (!(rec->misc & PERF_RECORD_MISC_FORK_EXEC)) /* else perf states all its maps */
			copy_maps(m, to, from);
		if (rec->time_ns != RECORD_NO_TIME)
			m->processes.data[to].start_ns = rec->time_ns;
		m->processes.data[to].pid_namespace = m->processes.data[from].pid_namespace;
		m->processes.data[to].mount_namespace = m->processes.data[from].mount_namespace;
	}
	child = new_thread(m, t->pid, t->tid);
	m->threads.data[child].comm = m->threads.data[parent].comm;
	if (rec->time_ns != RECORD_NO_TIME)
		m->threads.data[child].start_ns = rec->time_ns;
	set_thread(m, t->tid, child);
}

static void apply_exit(struct machine *m, const struct record *rec)
{
	uint32_t thread = machine__thread(m, rec->task.pid, rec->task.tid);

	if (rec->time_ns != RECORD_NO_TIME)
		m->threads.data[thread].end_ns = rec->time_ns;
}

static void apply_comm(struct machine *m, const struct record *rec)
{
	uint32_t thread = machine__thread(m, rec->comm.pid, rec->comm.tid);
	struct process *p = &m->processes.data[m->threads.data[thread].process];

	m->threads.data[thread].comm = strtab__intern(&m->names, rec->comm.comm);
	if (!rec->comm.exec)
		return;
	maps__clear(&p->maps);
	maps__clear(&p->generated);
	p->jitdump = 0;
}

/* A module's code; "[guest.kernel.kallsyms]" is none. */
static void note_module(struct machine *m, const struct record_mmap *r)
{
	struct map map = { .start = r->start, .end = r->start + r->length, .executable = true };

	if (!strncmp(r->path, "[kernel", 7) || !strncmp(r->path, "[guest", 6))
		return;
	map.dso = dsos__findnew_module(&m->dsos, r->path);
	maps__insert(&m->modules, &map);
}

/* "[kernel.kallsyms]_text": the offset is that symbol's address, which the next boot moves. */
static void note_kernel(struct machine *m, const struct record_mmap *r)
{
	static const char prefix[] = "[kernel.kallsyms]";

	if (strncmp(r->path, prefix, sizeof(prefix) - 1)) {
		note_module(m, r);
		return;
	}
	snprintf(m->kernel_symbol, sizeof(m->kernel_symbol), "%s", r->path + sizeof(prefix) - 1);
	m->kernel_symbol_address = r->offset;
}

static void apply_mmap(struct machine *m, const struct record *rec)
{
	const struct record_mmap *r = &rec->mmap;
	struct map map = {
		.start = r->start,
		.end = r->start + r->length,
		.offset = r->offset,
		.executable = r->prot & PROT_EXEC,
	};
	struct origin origin;
	uint32_t process;

	if ((rec->misc & PERF_RECORD_MISC_CPUMODE_MASK) != PERF_RECORD_MISC_USER) {
		if ((rec->misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_KERNEL)
			note_kernel(m, r); /* its addresses, and its modules', stay absolute */
		return;
	}
	process = *process_slot(m, r->pid);
	origin = (struct origin){ r->pid, m->processes.data[process].mount_namespace,
				  m->processes.data[process].start_ns, r->inode };
	map.dso = dsos__findnew_of(&m->dsos, r->path, r->build_id, r->build_id_bytes, process,
				   &origin);
	if (map.executable)
		dsos__set_mapped_at(&m->dsos, map.dso, map.start - map.offset);
	maps__insert(&m->processes.data[process].maps, &map);
	if (m->codemap && map.executable && dsos__get(&m->dsos, map.dso)->kind == DSO_JITDUMP)
		codemap__add_jitdump(m->codemap, map.dso, r->inode);
}

static void apply_namespaces(struct machine *m, const struct record *rec)
{
	uint32_t thread = machine__thread(m, rec->namespaces.pid, rec->namespaces.tid);
	struct process *p = &m->processes.data[m->threads.data[thread].process];

	p->pid_namespace = rec->namespaces.pid_inode;
	p->mount_namespace = rec->namespaces.mount_inode;
}

void machine__apply(struct machine *m, const struct record *rec)
{
	switch (rec->type) {
	case PERF_RECORD_FORK:
		apply_fork(m, rec);
		break;
	case PERF_RECORD_KSYMBOL:
		if (!rec->ksymbol.gone)
			dsos__add_kernel_symbol(&m->dsos, rec->ksymbol.start, rec->ksymbol.length,
						rec->ksymbol.name);
		break;
	case PERF_RECORD_NAMESPACES:
		apply_namespaces(m, rec);
		break;
	case PERF_RECORD_EXIT:
		apply_exit(m, rec);
		break;
	case PERF_RECORD_COMM:
		apply_comm(m, rec);
		break;
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		apply_mmap(m, rec);
		break;
	default:
		break;
	}
}

const char *machine__comm(const struct machine *m, uint32_t thread)
{
	uint32_t comm = m->threads.data[thread].comm;

	return comm == MACHINE_NO_NAME ? "" : strtab__get(&m->names, comm);
}

const struct process *machine__process_of(const struct machine *m, uint32_t thread)
{
	return &m->processes.data[m->threads.data[thread].process];
}

void machine__set_time(struct machine *m, uint64_t time_ns)
{
	if (m->codemap && time_ns != RECORD_NO_TIME)
		codemap__set_time(m->codemap, time_ns);
}

const struct map *machine__find_map(const struct machine *m, uint32_t process, uint64_t ip)
{
	const struct process *p = &m->processes.data[process];
	const struct map *map = maps__find(&p->maps, ip), *code;

	if (!p->generated.n || (map && dsos__get(&m->dsos, map->dso)->kind != DSO_MEMORY))
		return map;
	code = maps__find(&p->generated, ip);
	return code ? code : map;
}

uint32_t machine__maps_generation(const struct machine *m, uint32_t process)
{
	const struct process *p = &m->processes.data[process];

	return p->maps.generation + p->generated.generation;
}

struct place machine__user_place(const struct machine *m, uint32_t process, uint64_t ip)
{
	const struct map *map = machine__find_map(m, process, ip);

	if (!map)
		return (struct place){ DSO_ID_UNKNOWN, ip };
	if (dsos__get(&m->dsos, map->dso)->kind == DSO_MEMORY)
		return (struct place){ map->dso, ip };
	return (struct place){ map->dso, ip - map->start + map->offset };
}

const char *machine__module(const struct machine *m, uint64_t ip)
{
	const struct map *map = maps__find(&m->modules, ip);

	return map ? dsos__get(&m->dsos, map->dso)->path : NULL;
}

struct place machine__kernel_place(uint64_t ip)
{
	return (struct place){ DSO_ID_KERNEL, ip };
}
