// SPDX-License-Identifier: GPL-2.0
#include "dlfilter/places.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/symbol/kallsyms.h"

/* The answer as perf 5.14 had it.  Later ones want al_cleanup() called for longer ones. */
#define AL_BYTES (offsetof(struct perf_dlfilter_al, comm) + sizeof(const char *))

#define KALLSYMS "/proc/kallsyms"
#define KERNEL_TRIES 4u /* functions looked up there: a name may be several functions' */

#define PAGE_MASK (~(uint64_t)(CAPTURE_FILE_PAGE - 1))

bool places__resolve(const struct perf_dlfilter_fns *fns, void *ctx, uint64_t address,
		     struct perf_dlfilter_al *al)
{
	memset(al, 0, sizeof(*al));
	al->size = AL_BYTES;
	return !fns->resolve_address(ctx, address, al) && al->dso;
}

/* perf calls memory without a file after the map that may name its code. */
static const char *object_name(const struct perf_dlfilter_al *al)
{
	unsigned int pid;
	int end = 0;

	if (sscanf(al->dso, "/tmp/perf-%u.map%n", &pid, &end) == 1 && end && !al->dso[end])
		return "//anon";
	return al->dso;
}

/* Counts the programs that a process has run. */
static uint32_t *run_of(struct places *p, uint32_t pid)
{
	uint32_t at = idmap__intern(&p->pids, pid, 0);

	if (at == p->runs.n)
		vec__push(&p->runs, 0);
	return &p->runs.data[at];
}

/* Return: whether that is news. */
static bool note_page(struct places *p, uint32_t pid, uint64_t page, const char *object,
		      uint64_t offset)
{
	uint32_t at = idmap__intern(&p->pages, (uint64_t)*run_of(p, pid) << 32 | pid, page);
	struct places_page now = { strtab__intern(&p->objects, object), offset };

	if (at < p->page.n && p->page.data[at].object == now.object &&
	    p->page.data[at].offset == now.offset)
		return false;
	if (at == p->page.n)
		vec__push(&p->page, now);
	p->page.data[at] = now;
	return true;
}

static void state_kernel(struct places *p, const struct perf_dlfilter_sample *sample, uint64_t ip,
			 const struct perf_dlfilter_al *al)
{
	uint64_t start = ip - al->symoff, page = ip & PAGE_MASK,
		 length = al->sym_end - al->sym_start;
	struct capture_file_map map = {
		.time_ns = sample->time,
		.start = page,
		.length = CAPTURE_FILE_PAGE,
		.path = al->dso,
	};

	if (al->sym && length && length <= UINT32_MAX &&
	    idmap__intern(&p->functions, start, 0) == p->symbols.n)
		vec__push(&p->symbols,
			  ((struct places_symbol){ start, (uint32_t)length,
						   strtab__intern(&p->objects, al->sym) }));
	if (!strncmp(al->dso, "[kernel", 7) || !strncmp(al->dso, "[guest", 6))
		return;
	if (note_page(p, UINT32_MAX, page, al->dso, 0))
		capture_file__kernel_map(p->file, &map);
}

static void state_user(struct places *p, const struct perf_dlfilter_sample *sample, uint64_t ip,
		       const struct perf_dlfilter_al *al)
{
	uint32_t pid = (uint32_t)sample->pid;
	struct capture_file_map map = {
		.pid = pid,
		.tid = (uint32_t)sample->tid,
		.time_ns = sample->time,
		.start = ip & PAGE_MASK,
		.length = CAPTURE_FILE_PAGE,
		.offset = al->addr - (ip & ~PAGE_MASK),
		.path = object_name(al),
		.build_id = al->buildid,
		.build_id_bytes = al->buildid_size,
	};

	if (note_page(p, pid, map.start, map.path, map.offset))
		capture_file__map(p->file, &map);
}

static void state(struct places *p, const struct perf_dlfilter_sample *sample, void *ctx,
		  uint64_t ip)
{
	struct perf_dlfilter_al al;

	if (places__is_marker(ip) || !places__resolve(p->fns, ctx, ip, &al))
		return;
	if (al.is_kernel_ip)
		state_kernel(p, sample, ip, &al);
	else
		state_user(p, sample, ip, &al);
}

/* A process that gets another name may run another program by now.  If it does not, no
 * harm is done: its pages are stated again when they are needed. */
static void state_comm(struct places *p, const struct perf_dlfilter_sample *sample, void *ctx)
{
	const struct perf_dlfilter_al *al = p->fns->resolve_ip(ctx);
	uint32_t pid = (uint32_t)sample->pid, tid = (uint32_t)sample->tid, at, comm;

	if (!al || !al->comm || *al->comm == ':') /* ":1234": perf has not seen its name */
		return;
	comm = strtab__intern(&p->comms, al->comm);
	at = idmap__intern(&p->threads, pid, tid);
	if (at < p->comm.n && p->comm.data[at] == comm)
		return;
	if (at == p->comm.n)
		vec__push(&p->comm, comm);
	else if (pid == tid)
		++*run_of(p, pid);
	capture_file__comm(p->file, sample->time, pid, tid, al->comm,
			   p->comm.data[at] != comm && pid == tid);
	p->comm.data[at] = comm;
}

void places__of(struct places *p, const struct perf_dlfilter_sample *sample, void *ctx)
{
	state_comm(p, sample, ctx);
	state(p, sample, ctx, sample->ip);
	for (uint64_t i = 0; i < sample->raw_callchain_nr; i++)
		state(p, sample, ctx, sample->raw_callchain[i]);
	for (uint64_t i = 0; i < sample->brstack_nr; i++) {
		state(p, sample, ctx, sample->brstack[i].from);
		state(p, sample, ctx, sample->brstack[i].to);
	}
}

/* A function that the running kernel has at the same address, or NULL. */
static const struct places_symbol *shared_symbol(const struct places *p)
{
	const struct places_symbol *found = NULL;

	for (size_t i = 0; i < p->symbols.n && i < KERNEL_TRIES && !found; i++) {
		const struct places_symbol *s = &p->symbols.data[i];
		struct symtab table = { 0 };
		struct errbuf err;

		if (!kallsyms__read(&table, KALLSYMS, strtab__get(&p->objects, s->name), s->start,
				    &err))
			found = s;
		symtab__release(&table);
	}
	return found;
}

void places__name_kernel(struct places *p, uint64_t time_ns)
{
	const struct places_symbol *shared = shared_symbol(p);
	struct capture_file_map map = { .time_ns = time_ns };

	if (shared) {
		char *path =
			mem__format("[kernel.kallsyms]%s", strtab__get(&p->objects, shared->name));

		map.path = path;
		map.start = map.offset = shared->start;
		map.length = shared->length;
		capture_file__kernel_map(p->file, &map);
		free(path);
		return;
	}
	for (size_t i = 0; i < p->symbols.n; i++)
		capture_file__kernel_symbol(p->file, time_ns, p->symbols.data[i].start,
					    p->symbols.data[i].length,
					    strtab__get(&p->objects, p->symbols.data[i].name));
}

void places__release(struct places *p)
{
	strtab__release(&p->objects);
	strtab__release(&p->comms);
	idmap__release(&p->pages);
	vec__release(&p->page);
	idmap__release(&p->threads);
	vec__release(&p->comm);
	idmap__release(&p->functions);
	vec__release(&p->symbols);
	idmap__release(&p->pids);
	vec__release(&p->runs);
}
