// SPDX-License-Identifier: GPL-2.0
#include "perfconv/machine/dso.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"
#include "perfconv/sidefile/jitdump.h"

static void add(struct dsos *d, enum dso_kind kind, const char *key)
{
	struct dso *dso = vec__add(&d->list);

	dso->kind = kind;
	dso->path = mem__strdup(key);
	strtab__intern(&d->keys, key);
}

void dsos__init(struct dsos *d)
{
	memset(d, 0, sizeof(*d));
	add(d, DSO_UNKNOWN, "[unknown]");
	add(d, DSO_KERNEL, "[kernel]");
	add(d, DSO_UNKNOWN, "[guest]");
	add(d, DSO_UNKNOWN, "[hypervisor]");
}

void dsos__release(struct dsos *d)
{
	for (size_t i = 0; i < d->list.n; i++)
		free(d->list.data[i].path);
	for (size_t i = 0; i < d->kernel_symbols.n; i++)
		free(d->kernel_symbols.data[i].name);
	vec__release(&d->kernel_symbols);
	idmap__release(&d->kernel_ranges);
	strtab__release(&d->stated_paths);
	vec__release(&d->stated);
	vec__release(&d->list);
	strtab__release(&d->keys);
}

const struct dso *dsos__get(const struct dsos *d, uint32_t id)
{
	return &d->list.data[id];
}

const char *dsos__key(const struct dsos *d, uint32_t id)
{
	return strtab__get(&d->keys, id);
}

/* Names the kernel gives to memory that no file backs. */
static bool is_memory(const char *path)
{
	static const char *const prefixes[] = {
		"//anon",    "[anon", "[heap",	 "[stack",	"/anon_hugepage",
		"/dev/zero", "/SYSV", "/memfd:", "anon_inode:",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(path, prefixes[i], strlen(prefixes[i])))
			return true;
	return *path == '\0';
}

static enum dso_kind classify(struct dso *dso)
{
	if (sidefile__arena_path(dso->path, dso->token, &dso->arena))
		return DSO_TRAMPOLINE;
	if (jitdump__is_path(dso->path))
		return DSO_JITDUMP;
	if (!strcmp(dso->path, "[vdso]"))
		return DSO_VDSO;
	if (!strncmp(dso->path, "[kernel", 7) || !strncmp(dso->path, "[guest.kernel", 13))
		return DSO_KERNEL;
	if (is_memory(dso->path) || *dso->path == '[')
		return DSO_MEMORY;
	return DSO_ELF;
}

static char *make_key(const struct dso *dso)
{
	char id[2 * sizeof(dso->build_id) + 1] = "";

	for (size_t i = 0; i < dso->build_id_bytes; i++)
		snprintf(id + 2 * i, 3, "%02x", dso->build_id[i]);
	if (dso->kind == DSO_MEMORY)
		return mem__format("memory of %u", dso->process);
	if (dso->kind == DSO_JITDUMP)
		return mem__format("%s of %u", dso->path, dso->process);
	if (!dso->build_id_bytes && dso->origin.mount_namespace)
		snprintf(id, sizeof(id), "in %llu",
			 (unsigned long long)dso->origin.mount_namespace);
	return mem__format("%s %s%s", dso->path, id, dso->deleted ? " (deleted)" : "");
}

void dsos__state_build_id(struct dsos *d, const char *path, const uint8_t *bytes, size_t n)
{
	struct path_build_id id = { .n = (uint8_t)n };
	uint32_t at;

	if (!n || n > sizeof(id.bytes))
		return;
	memcpy(id.bytes, bytes, n);
	at = strtab__intern(&d->stated_paths, path);
	if (at == d->stated.n)
		vec__push(&d->stated, id);
	if (d->stated.data[at].n != n || memcmp(d->stated.data[at].bytes, bytes, n))
		d->stated.data[at].n = 0;
}

static void set_build_id(const struct dsos *d, struct dso *dso, const char *path,
			 const uint8_t *bytes, size_t n)
{
	uint32_t at = n ? IDMAP_NONE : strtab__find(&d->stated_paths, path);

	if (at < d->stated.n) {
		bytes = d->stated.data[at].bytes;
		n = d->stated.data[at].n;
	}
	if (!n || n > sizeof(dso->build_id))
		return;
	memcpy(dso->build_id, bytes, n);
	dso->build_id_bytes = (uint8_t)n;
}

/* A copy, without the mark of a file that was unlinked while it was mapped. */
static char *without_deleted(const char *path, bool *deleted)
{
	static const char mark[] = " (deleted)";
	size_t n = strlen(path), m = sizeof(mark) - 1;

	*deleted = n > m && !strcmp(path + n - m, mark);
	return mem__format("%.*s", (int)(*deleted ? n - m : n), path);
}

uint32_t dsos__findnew(struct dsos *d, const char *path, const uint8_t *build_id,
		       size_t build_id_bytes, uint32_t process)
{
	static const struct origin nobody;

	return dsos__findnew_of(d, path, build_id, build_id_bytes, process, &nobody);
}

uint32_t dsos__findnew_of(struct dsos *d, const char *path, const uint8_t *build_id,
			  size_t build_id_bytes, uint32_t process, const struct origin *origin)
{
	struct dso dso = { .process = process, .origin = *origin };
	size_t before = d->keys.n;
	uint32_t id;
	char *key;

	dso.path = without_deleted(path, &dso.deleted);
	dso.kind = classify(&dso);
	if (dso.kind == DSO_KERNEL) {
		free(dso.path);
		return DSO_ID_KERNEL;
	}
	set_build_id(d, &dso, path, build_id, build_id_bytes);
	key = make_key(&dso);
	id = strtab__intern(&d->keys, key);
	free(key);
	if (id == before)
		vec__push(&d->list, dso);
	else
		free(dso.path);
	return id;
}

/* "/lib/modules/6.1.0/kernel/net/nf-tables.ko.xz" and "[nf_tables]" are one. */
uint32_t dsos__findnew_module(struct dsos *d, const char *path)
{
	const char *base = *path == '[' ? path + 1 : file__base(path);
	struct dso dso = { .kind = DSO_KERNEL };
	size_t before = d->keys.n;
	uint32_t id;

	dso.path = mem__format("[%.*s]", (int)strcspn(base, ".]"), base);
	for (char *at = strchr(dso.path, '-'); at; at = strchr(at, '-'))
		*at = '_';
	id = strtab__intern(&d->keys, dso.path);
	if (id == before)
		vec__push(&d->list, dso);
	else
		free(dso.path);
	return id;
}

void dsos__add_kernel_symbol(struct dsos *d, uint64_t start, uint64_t length, const char *name)
{
	struct kernel_symbol s = { .start = start, .end = start + length }, *same;
	uint32_t at;

	if (!length || s.end < start)
		return;
	at = idmap__intern(&d->kernel_ranges, start, s.end);
	same = at < d->kernel_symbols.n ? &d->kernel_symbols.data[at] : NULL;
	if (same) { /* each file of a series states them again */
		free(same->name);
		same->name = mem__strdup(name);
		return;
	}
	s.name = mem__strdup(name);
	vec__push(&d->kernel_symbols, s);
}

void dsos__set_mapped_at(struct dsos *d, uint32_t id, uint64_t mapped_at)
{
	d->list.data[id].holds_code = true;
	if (!d->list.data[id].mapped_at)
		d->list.data[id].mapped_at = mapped_at;
}

const char *dso__short_name(const struct dso *dso)
{
	return dso->kind == DSO_MEMORY ? "[memory]" : file__base(dso->path);
}
