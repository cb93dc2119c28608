// SPDX-License-Identifier: GPL-2.0
#include "perfconv/machine/codemap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/machine/codefiles.h"
#include "perfconv/machine/living.h"
#include "perfconv/sidefile/jitdump.h"
#include "perfconv/sidefile/limits.h"
#include "perfconv/sidefile/perfmap.h"

/* Files' times come from a coarser clock than events'. */
#define STALE_MARGIN_NS 1000000000
#define GROWTH_NS 10000000u /* how often a growing dump is looked at, capture time */

struct map_of { /* by process id */
	bool tried;
	char *path;
	uint64_t bytes;
	struct perfmap *map; /* NULL: none that can be used */
};

struct dump {
	uint32_t dso, process;
	char *path;
	uint64_t bytes;
	uint64_t looked_ns;   /* when it was last looked at */
	size_t next;	      /* event that has not happened yet */
	bool reused;	      /* memory was, and times cannot tell when */
	struct jitdump *file; /* NULL: none that can be used */
};

struct codemap {
	struct machine *machine;
	struct codefiles files;
	bool growing; /* what is read may still be written */
	bool monotonic;
	uint64_t clock_wall_ns, clock_ns;
	VEC(struct map_of) maps;
	VEC(struct dump) dumps;
	VEC(uint32_t) unfinished;  /* numbers of the dumps of which more may come */
	VEC(uint32_t) dump_of_dso; /* number + 1; 0: none */
	struct codemap_counts counts;
	struct errbuf refused;
};

struct codemap *codemap__new(struct machine *machine, const struct images *images,
			     const struct codemap_capture *capture)
{
	struct codemap *c = mem__alloc(1, sizeof(*c));

	c->machine = machine;
	c->files.images = images;
	c->files.capture_path = capture->path;
	c->files.local = capture->local_kernel && living__is_host(capture->hostname);
	c->growing = !strcmp(capture->path, "-");
	c->monotonic = capture->clockid == CLOCK_MONOTONIC;
	c->clock_wall_ns = capture->clock_wall_ns;
	c->clock_ns = capture->clock_ns;
	return c;
}

void codemap__free(struct codemap *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->maps.n; i++) {
		free(c->maps.data[i].path);
		perfmap__free(c->maps.data[i].map);
	}
	for (size_t i = 0; i < c->dumps.n; i++) {
		free(c->dumps.data[i].path);
		jitdump__free(c->dumps.data[i].file);
	}
	vec__release(&c->maps);
	vec__release(&c->dumps);
	vec__release(&c->unfinished);
	vec__release(&c->dump_of_dso);
	free(c);
}

static void refuse(struct codemap *c, const struct errbuf *err)
{
	if (!c->counts.refused++)
		c->refused = *err;
}

/* --- perf maps ---------------------------------------------------------- */

/* Was the file last written before the process began that has the pid now? */
static bool is_stale(const struct codemap *c, const struct process *p, int64_t changed_ns)
{
	int64_t start;

	if (!p->start_ns || !c->clock_wall_ns)
		return false;
	start = (int64_t)(c->clock_wall_ns + (p->start_ns - c->clock_ns));
	return changed_ns < start - STALE_MARGIN_NS;
}

static int read_text(const struct codefile *f, char **text, struct errbuf *err)
{
	int code;

	if (f->file.bytes > PERFMAP_MAX_BYTES)
		return errbuf__set(err, -EFBIG,
				   "%s: is larger than %zu bytes and not read, so what it names "
				   "has no names",
				   f->path, PERFMAP_MAX_BYTES);
	*text = mem__alloc(f->file.bytes + 1, 1);
	code = file__read_at(f->file.fd, *text, f->file.bytes, 0);
	if (code) {
		free(*text);
		return errbuf__set(err, code, "%s: cannot be read: %s", f->path, strerror(-code));
	}
	return 0;
}

static struct perfmap *read_map(struct codemap *c, const struct codefile *f)
{
	struct errbuf err;
	char *text = NULL;

	if (read_text(f, &text, &err)) {
		refuse(c, &err);
		return NULL;
	}
	return perfmap__new(text, f->file.bytes);
}

/* Has the file at @path, which we have open to read or read once, another size by now? */
static bool has_grown(const struct codemap *c, const char *path, uint64_t bytes)
{
	struct stat st;

	return c->growing && path && !lstat(path, &st) && (uint64_t)st.st_size != bytes;
}

static void open_map(struct codemap *c, uint32_t process, struct map_of *m)
{
	const struct process *p = &c->machine->processes.data[process];
	uint32_t main_id = idmap__find(&c->machine->pids, p->pid, 0);
	struct codefile f = { 0 };
	struct errbuf err;
	int code = codefiles__perfmap(&c->files, p->pid, p->pid_namespace, &f, &err);

	m->tried = true;
	if (code == -ENOENT) {
		c->counts.missing += !p->jitdump;
		return;
	}
	if (code) {
		refuse(c, &err);
		return;
	}
	/* Two processes had the pid: the file is the later one's. */
	if (c->machine->current_process.data[main_id] != process ||
	    is_stale(c, p, f.file.changed_ns)) {
		c->counts.stale++;
		free(f.path);
	} else {
		perfmap__free(m->map);
		m->map = read_map(c, &f);
		c->counts.maps_read += m->map && !m->path;
		free(m->path);
		m->path = f.path;
		m->bytes = f.file.bytes;
	}
	close(f.file.fd);
}

static bool find_in_map(struct codemap *c, const struct dso *dso, uint64_t address,
			struct codemap_code *out)
{
	const struct perfmap_entry *e;
	struct map_of *m;

	if (!dso->holds_code)
		return false;
	while (c->maps.n <= dso->process)
		(void)vec__add(&c->maps);
	m = &c->maps.data[dso->process];
	if (!m->tried)
		open_map(c, dso->process, m);
	e = m->map ? perfmap__find(m->map, address) : NULL;
	if (!e && has_grown(c, m->path, m->bytes)) {
		open_map(c, dso->process, m);
		e = m->map ? perfmap__find(m->map, address) : NULL;
	}
	if (!e)
		return false;
	*out = (struct codemap_code){
		.name = e->name, .file = "", .at = address - e->first, .bytes = e->bytes
	};
	return true;
}

/* --- jitdumps ------------------------------------------------------------ */

static void read_dump(struct codemap *c, struct dump *d, const struct codefile *f)
{
	struct jitdump *file;
	struct errbuf err;

	if (jitdump__read(&file, f->file.fd, f->path, &err)) {
		refuse(c, &err);
		return;
	}
	c->counts.dumps_read += !d->file;
	jitdump__free(d->file);
	d->file = file;
	d->bytes = f->file.bytes;
}

static void open_dump(struct codemap *c, struct dump *d, uint64_t inode)
{
	const struct process *p = &c->machine->processes.data[d->process];
	struct codefile f = { 0 };
	struct errbuf err;
	int code = codefiles__jitdump(&c->files, p->pid, p->pid_namespace,
				      dsos__get(&c->machine->dsos, d->dso)->path, &f, &err);

	if (code == -ENOENT) {
		c->counts.missing += !d->file;
		return;
	}
	if (code) {
		refuse(c, &err);
		return;
	}
	if (f.recorded && inode && inode != f.file.inode)
		c->counts.stale++;
	else
		read_dump(c, d, &f);
	free(d->path);
	d->path = f.path;
	close(f.file.fd);
}

void codemap__add_jitdump(struct codemap *c, uint32_t dso, uint64_t inode)
{
	uint32_t process = dsos__get(&c->machine->dsos, dso)->process;

	while (c->dump_of_dso.n <= dso)
		vec__push(&c->dump_of_dso, 0);
	if (!c->dump_of_dso.data[dso]) {
		struct dump *d = vec__add(&c->dumps);

		d->dso = dso;
		d->process = process;
		open_dump(c, d, inode);
		vec__push(&c->unfinished, (uint32_t)c->dumps.n - 1);
		c->dump_of_dso.data[dso] = (uint32_t)c->dumps.n;
	}
	c->machine->processes.data[process].jitdump = c->dump_of_dso.data[dso];
}

static void load(struct codemap *c, struct dump *d, const struct jitdump_event *e, bool timed)
{
	struct process *p = &c->machine->processes.data[d->process];
	const struct jitdump_code *code = &d->file->codes.data[e->code];
	struct map map = { .start = e->start,
			   .end = e->start + code->bytes,
			   .offset = code->offset,
			   .dso = d->dso,
			   .executable = true };

	if (!timed && !d->reused && maps__find(&p->generated, e->start)) {
		d->reused = true;
		c->counts.untimed++;
	}
	maps__insert(&p->generated, &map);
}

static void set_time_of(struct codemap *c, struct dump *d, uint64_t time_ns)
{
	bool timed = c->monotonic && d->file && !d->file->own_clock;

	if (time_ns - d->looked_ns > GROWTH_NS) {
		d->looked_ns = time_ns;
		if (has_grown(c, d->path, d->bytes))
			open_dump(c, d, 0);
	}
	while (d->file && d->next < d->file->events.n &&
	       (!timed || d->file->events.data[d->next].time_ns <= time_ns))
		load(c, d, &d->file->events.data[d->next++], timed);
}

void codemap__set_time(struct codemap *c, uint64_t time_ns)
{
	size_t n = 0;

	for (size_t i = 0; i < c->unfinished.n; i++) {
		uint32_t number = c->unfinished.data[i];
		struct dump *d = &c->dumps.data[number];

		if (c->machine->processes.data[d->process].jitdump == number + 1)
			set_time_of(c, d, time_ns);
		if ((c->growing && d->path) || (d->file && d->next < d->file->events.n))
			c->unfinished.data[n++] = number;
	}
	c->unfinished.n = n;
}

void codemap__complete(struct codemap *c)
{
	c->growing = false;
}

static bool find_in_dump(const struct codemap *c, uint32_t dso, uint64_t offset,
			 struct codemap_code *out)
{
	uint32_t number = dso < c->dump_of_dso.n ? c->dump_of_dso.data[dso] : 0;
	const struct jitdump *file = number ? c->dumps.data[number - 1].file : NULL;
	const struct jitdump_code *code = file ? jitdump__code(file, offset) : NULL;

	if (!code || !file->text.data[code->name])
		return false;
	*out = (struct codemap_code){
		.name = file->text.data + code->name,
		.file = file->text.data + code->file,
		.line = code->line,
		.at = offset - code->offset,
		.bytes = code->bytes,
		.head = code->head,
		.head_bytes = code->bytes < sizeof(code->head) ? code->bytes : sizeof(code->head),
		.tables = code->tables_bytes ? file->tables.data + code->tables : NULL,
		.tables_bytes = code->tables_bytes,
		.header_bytes = code->header_bytes,
	};
	return true;
}

bool codemap__find(struct codemap *c, struct place place, struct codemap_code *out)
{
	const struct dso *dso = dsos__get(&c->machine->dsos, place.dso);

	if (dso->kind == DSO_MEMORY)
		return find_in_map(c, dso, place.address, out);
	if (dso->kind == DSO_JITDUMP)
		return find_in_dump(c, place.dso, place.address, out);
	return false;
}

/* A file that was read again has its own faults once. */
struct codemap_counts codemap__counts(const struct codemap *c)
{
	struct codemap_counts counts = c->counts;

	for (size_t i = 0; i < c->maps.n; i++) {
		const struct perfmap *map = c->maps.data[i].map;

		counts.bad += map ? map->bad_lines : 0;
		counts.dropped += map ? map->dropped : 0;
	}
	for (size_t i = 0; i < c->dumps.n; i++) {
		const struct jitdump *dump = c->dumps.data[i].file;

		counts.bad += dump ? dump->bad_records : 0;
		counts.dropped += dump ? dump->dropped : 0;
		counts.cut += dump && dump->cut;
	}
	return counts;
}

const char *codemap__refused(const struct codemap *c)
{
	return c->refused.text;
}
