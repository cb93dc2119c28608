// SPDX-License-Identifier: GPL-2.0
#include "perfconv/machine/sidefiles.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"

void sidefiles__init(struct sidefiles *s, const struct images *images, bool live)
{
	memset(s, 0, sizeof(*s));
	s->images = images;
	s->live = live;
}

void sidefiles__release(struct sidefiles *s)
{
	for (size_t i = 0; i < s->list.n; i++) {
		free(s->list.data[i].path);
		sidefile__free(s->list.data[i].file);
	}
	vec__release(&s->list);
}

static void open_file(struct sidefiles *s, struct sidefiles_entry *e)
{
	struct errbuf err;

	if (e->path && sidefile__open(&e->file, e->path, &err) && !*s->broken.text)
		s->broken = err;
}

static struct sidefiles_entry *entry_of(struct sidefiles *s, const struct dso *dso)
{
	struct sidefiles_entry *e;
	char *recorded;

	for (size_t i = 0; i < s->list.n; i++)
		if (!strcmp(s->list.data[i].token, dso->token))
			return &s->list.data[i];
	e = vec__add(&s->list);
	memcpy(e->token, dso->token, sizeof(e->token));
	recorded = mem__format("%.*spyframes-%s.side", (int)(file__base(dso->path) - dso->path),
			       dso->path, dso->token);
	e->path = images__find_beside(s->images, &dso->origin, recorded);
	free(recorded);
	open_file(s, e);
	return e;
}

const struct sidefile *sidefiles__get(struct sidefiles *s, const struct dso *dso)
{
	return dso->kind == DSO_TRAMPOLINE ? entry_of(s, dso)->file : NULL;
}

static const struct sidefile_code *find(const struct sidefile *file, const struct dso *dso,
					uint64_t address)
{
	const struct sidefile_arena *arena = file ? sidefile__arena(file, dso->arena) : NULL;

	address += dso->mapped_at;
	if (!arena || address < arena->base ||
	    address - arena->base >= (uint64_t)arena->slots * arena->slot_bytes)
		return NULL;
	return sidefile__code(file, dso->arena,
			      (uint32_t)((address - arena->base) / arena->slot_bytes));
}

static void read_again(struct sidefiles *s, struct sidefiles_entry *e)
{
	struct sidefile *old = e->file;

	e->file = NULL;
	open_file(s, e);
	if (e->file)
		sidefile__free(old);
	else
		e->file = old;
}

const struct sidefile_code *sidefiles__code(struct sidefiles *s, const struct dso *dso,
					    uint64_t address)
{
	struct sidefiles_entry *e;
	const struct sidefile_code *code;

	if (dso->kind != DSO_TRAMPOLINE)
		return NULL;
	e = entry_of(s, dso);
	code = find(e->file, dso, address);
	if (code || !s->live)
		return code;
	e->missed++; /* tried ever more seldom: it may be that nobody will ever say */
	if (e->missed & (e->missed - 1))
		return NULL;
	read_again(s, e);
	return find(e->file, dso, address);
}

void sidefiles__complete(struct sidefiles *s)
{
	for (size_t i = 0; s->live && i < s->list.n; i++)
		read_again(s, &s->list.data[i]);
	s->live = false;
}

struct sidefiles_counts sidefiles__counts(const struct sidefiles *s)
{
	struct sidefiles_counts n = { 0 };

	for (size_t i = 0; i < s->list.n; i++) {
		const struct sidefiles_entry *e = &s->list.data[i];

		n.missing += !e->path;
		n.broken += e->path && !e->file;
		if (!e->file)
			continue;
		n.read++;
		n.dropped += e->file->dropped;
		n.bad_records += e->file->bad_records;
		n.unknown_records += e->file->unknown_types;
	}
	return n;
}
