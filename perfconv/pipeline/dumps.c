// SPDX-License-Identifier: GPL-2.0
#include "perfconv/pipeline/dumps.h"

#include <ctype.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/store/activation.h"

#define STRINGS_WANTED 3u /* so many in a row are an environment */

void dumps__release(struct dumps *d)
{
	vec__release(&d->list);
	vec__release(&d->execs);
	vec__release(&d->lives);
	idmap__release(&d->life_ids);
}

static uint32_t *execs_of(struct dumps *d, uint32_t process)
{
	while (d->execs.n <= process)
		vec__push(&d->execs, 0);
	return &d->execs.data[process];
}

static uint32_t life_of(struct dumps *d, uint32_t process)
{
	uint32_t execs = *execs_of(d, process);
	uint32_t life = idmap__intern(&d->life_ids, process, execs);

	if (life == d->lives.n)
		vec__push(&d->lives, 0);
	return life;
}

void dumps__record(struct dumps *d, struct machine *m, const struct record *rec)
{
	uint32_t thread;

	if (rec->type != PERF_RECORD_COMM || !rec->comm.exec)
		return;
	thread = machine__thread(m, rec->comm.pid, rec->comm.tid);
	++*execs_of(d, m->threads.data[thread].process);
}

/* NAME=text and a zero.  Return: its length with the zero; 0: it is none. */
static size_t variable_at(const uint8_t *text, size_t n)
{
	size_t at = 0;

	if (!isalpha(*text) && *text != '_')
		return 0;
	while (at < n && (isalnum(text[at]) || text[at] == '_'))
		at++;
	if (at == n || text[at] != '=')
		return 0;
	while (at < n && text[at])
		at++;
	return at == n ? 0 : at + 1;
}

/* Arguments stand in front of an environment, strings like these. */
static size_t back_over_strings(const uint8_t *text, size_t at)
{
	while (at && (text[at - 1] >= 0x20 || (!text[at - 1] && at > 1 && text[at - 2] >= 0x20)))
		at--;
	return at;
}

static size_t find_strings(const uint8_t *text, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t end = at, length = 0;
		unsigned int found = 0;
		const uint8_t *zero;

		while (end < n && (length = variable_at(text + end, n - end)) != 0) {
			found++;
			end += length;
		}
		if (found >= STRINGS_WANTED)
			return back_over_strings(text, at);
		zero = memchr(text + end, '\0', n - end);
		if (!zero)
			break;
		at = (size_t)(zero - text) + 1;
	}
	return n;
}

/* The address of the copy's first byte.  Return: false if no register tells. */
static bool stack_pointer(const struct dumps *d, const struct record_sample *s, uint64_t *sp)
{
	const struct regs_arch *task = d->arch ? regs_arch__of_task(d->arch, s->user_abi) : NULL;
	struct regs regs;

	if (!task || !s->user_regs ||
	    !regs__from_sample(task, s->user_regs_mask, s->user_regs, &regs))
		return false;
	*sp = regs.value[task->sp];
	return true;
}

void dumps__sample(struct dumps *d, uint32_t process, const struct record *rec, uint32_t file,
		   uint32_t part)
{
	const struct record_sample *s = &rec->sample;
	uint32_t life = life_of(d, process);
	struct dump *dump;

	if (!s->stack)
		return;
	dump = vec__add(&d->list);
	dump->life = life;
	dump->offset = rec->offset + s->stack_at;
	dump->valid = (uint32_t)s->stack_bytes;
	dump->asked = (uint32_t)s->stack_asked;
	dump->strings_at = dump->valid;
	if (rec->pid == rec->tid) /* else the stack is no place for an environment */
		dump->strings_at = (uint32_t)find_strings(s->stack, s->stack_bytes);
	dump->file = file;
	dump->part = part;
	if (!stack_pointer(d, s, &dump->sp))
		dump->sp = 0;
}

void dumps__complete(struct dumps *d, const struct store *s, uint32_t activation, bool main)
{
	struct dump *dump;
	uint64_t root = 0, *lowest;

	if (!d->list.n)
		return;
	dump = &d->list.data[d->list.n - 1];
	for (; activation != STORE_NO_ACTIVATION; activation = activation__parent(s, activation))
		if (activation__cfa(s, activation) > root)
			root = activation__cfa(s, activation);
	if (!root || root < dump->sp)
		return;
	dump->root = root;
	lowest = &d->lives.data[dump->life];
	if (main && (!*lowest || root < *lowest))
		*lowest = root;
}

/* Where in the copy, from its first byte; behind its end if there is nothing private. */
static uint64_t private_from(const struct dumps *d, const struct dump *dump)
{
	uint64_t root = dump->root ? dump->root : d->lives.data[dump->life];

	if (!root || !dump->sp)
		return dump->strings_at;
	return root >= dump->sp ? root - dump->sp : dump->asked;
}

static int by_start(const void *a, const void *b)
{
	const struct dump_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void dumps__private(const struct dumps *d, uint32_t file, uint32_t part, struct dump_ranges *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < d->list.n; i++) {
		const struct dump *dump = &d->list.data[i];
		uint64_t from = private_from(d, dump);

		if (dump->file != file || dump->part != part)
			continue;
		if (from > dump->valid)
			from = dump->valid; /* what lies behind that is no copy of anything */
		if (from < dump->asked)
			vec__push(&out->list, ((struct dump_range){ dump->offset + from,
								    dump->offset + dump->asked }));
	}
	if (out->list.n)
		qsort(out->list.data, out->list.n, sizeof(*out->list.data), by_start);
}
