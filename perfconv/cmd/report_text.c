// SPDX-License-Identifier: GPL-2.0
#include "perfconv/cmd/report_text.h"

#include <stdio.h>
#include <string.h>

#include "perfconv/analyze/summary.h"
#include "perfconv/base/file.h"
#include "perfconv/base/mem.h"
#include "perfconv/cmd/lines.h"
#include "perfconv/cmd/message.h"
#include "perfconv/cmd/report_waits.h"
#include "perfconv/machine/codemap.h"
#include "perfconv/pipeline/chains.h"

#define SHOWN_THREADS 8u
#define SHOWN_FRAMES 10u
#define TINY_SHARE 0.001

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static unsigned long long u(uint64_t v)
{
	return v;
}

static void warn_of_file(const struct capture *c, const char *path)
{
	const struct perfdata_stats *s = perfdata__stats(c->data);

	if (s->unfinished)
		message__warning("%s: perf did not finish it (killed?); what was written until "
				 "then is converted",
				 path);
	if (s->cut)
		message__warning("%s: cannot be read on from offset 0x%llx; the %llu samples "
				 "before it are converted",
				 s->cut_path, u(s->cut_offset), u(c->profile->samples));
	if (s->lost)
		message__warning("%llu events were lost while recording; record with a larger "
				 "buffer (-m 8M) or a lower rate (-F)",
				 u(s->lost));
	if (s->bad_records)
		message__warning("%s: skipped %llu damaged records, the first at offset 0x%llx",
				 s->bad_path ? s->bad_path : path, u(s->bad_records),
				 u(s->bad_offset));
	if (s->unknown_types || s->unknown_ids || s->unordered)
		message__warning("skipped %llu records of unknown type, %llu of no event; %llu "
				 "were out of order",
				 u(s->unknown_types), u(s->unknown_ids), u(s->unordered));
	if (s->unreadable)
		message__warning("%s: changed while it was read; %llu records are missing", path,
				 u(s->unreadable));
	if (s->bad_features)
		message__warning("%s: left out %llu damaged parts of the header", path,
				 u(s->bad_features));
	if (!c->profile->samples && !c->profile->exact)
		message__warning("%s: holds no samples, so the profile is empty; was the program "
				 "idle, or recorded with another event?",
				 path);
}

static bool shows_python(const struct resolved *r)
{
	for (size_t i = 0; i < r->frames.n; i++)
		if (r->frames.data[i].kind == FRAME_PYTHON)
			return true;
	return false;
}

static void warn_of_python(const struct capture *c)
{
	struct python_files f = python__files(c->python);

	if (f.side.missing && f.arenas_missing)
		message__warning("the files of pyframes were not found for %llu processes, so "
				 "their Python functions are missing; name their folder with "
				 "--side-dir",
				 u(f.side.missing));
	else if (f.side.missing)
		message__warning("the side files of pyframes were not found for %llu processes, "
				 "so threads have short names and functions no lines; name "
				 "their folder with --side-dir",
				 u(f.side.missing));
	if (f.side.broken)
		message__warning("%s%s", python__broken(c->python),
				 f.side.broken > 1 ? " (and more like it)" : "");
	if (f.side.dropped || f.side.bad_records || f.side.unknown_records)
		message__warning("side files of pyframes: %llu records found no room while "
				 "recording, %llu are damaged, %llu of unknown type",
				 u(f.side.dropped), u(f.side.bad_records),
				 u(f.side.unknown_records));
	if (f.side.read && c->profile->samples && c->options.resolve.mode != FRAMES_NATIVE &&
	    !shows_python(c->profile->resolved))
		message__warning("pyframes was active, but no stack reaches a Python function; "
				 "record with --call-graph dwarf,65528");
}

static bool shows_kernel(const struct resolved *r)
{
	for (size_t i = 0; i < r->frames.n; i++)
		if (r->frames.data[i].kind == FRAME_KERNEL)
			return true;
	return false;
}

static void warn_of_generated_code(const struct capture *c)
{
	struct codemap_counts n = codemap__counts(c->machine.codemap);

	if (n.missing)
		message__warning("%llu processes ran code that they generated and nobody names: no "
				 "/tmp/perf-PID.map or jit-PID.dump was found; name their folder "
				 "with --side-dir",
				 u(n.missing));
	if (n.refused)
		message__warning("%s%s", codemap__refused(c->machine.codemap),
				 n.refused > 1 ? " (and more like it)" : "");
	if (n.stale)
		message__warning("%llu perf maps or jitdumps are of other processes with the same "
				 "number and name nothing; convert right after recording",
				 u(n.stale));
	if (n.untimed)
		message__warning("%llu jitdumps have times that cannot be compared with the "
				 "capture's, so memory used again has its last name; record "
				 "with -k CLOCK_MONOTONIC",
				 u(n.untimed));
	if (n.cut)
		message__warning(
			"%llu jitdumps end inside a record, and what follows has no names: "
			"does the program still run, or did it fork (CPython's -X perf_jit "
			"then damages its file)?",
			u(n.cut));
	if (n.bad || n.dropped)
		message__warning("perf maps and jitdumps: %llu entries make no sense, %llu are "
				 "more than perfconv keeps; they name nothing",
				 u(n.bad), u(n.dropped));
}

static void warn_of_objects(const struct capture *c)
{
	if (c->images.missing)
		message__warning("%llu files that the program ran are not here: their functions "
				 "have no names, and stacks end in them; bundle the capture where "
				 "it was recorded, or give --symfs or --debuginfod",
				 u(c->images.missing));
	if (c->images.mismatched)
		message__warning("%llu files have changed since the capture and name nothing; "
				 "give those of then with --symfs or --debuginfod",
				 u(c->images.mismatched));
	if (symbols__kernel_unnamed(c->symbols) && shows_kernel(c->profile->resolved))
		message__warning("%s", symbols__kernel_unnamed(c->symbols));
	if (c->profile->has_dumps && !c->unwindable)
		message__warning("stack dumps of a %s machine cannot be unwound; record with "
				 "--call-graph fp there",
				 perfdata__info(c->data)->arch);
	if (c->compat_lost)
		message__warning("stack dumps of 32-bit tasks on a 64-bit %s machine cannot be "
				 "unwound (%llu samples); record with --call-graph fp there",
				 perfdata__info(c->data)->arch, u(c->compat_lost));
	if (c->machine.bare_processes)
		message__warning("more than %u mappings were copied by forks; %llu processes "
				 "have none and their frames no names",
				 MACHINE_MAX_COPIED_MAPS, u(c->machine.bare_processes));
	if (c->frames_capped)
		message__warning("%llu stacks were deeper than %u frames and were cut",
				 u(c->frames_capped), UNWIND_MAX_FRAMES);
}

/* The kernel's name of a process: that of its first thread. */
static const char *process_name(const struct capture *c, uint32_t process)
{
	for (uint32_t t = 0; t < c->machine.threads.n; t++)
		if (c->machine.threads.data[t].process == process)
			return machine__comm(&c->machine, t);
	return "";
}

static void warn_of_chains(const struct capture *c)
{
	struct chains_verdict v = chains__judge(c);
	char more[64] = "";

	if (!v.processes)
		return;
	if (v.processes > 1)
		snprintf(more, sizeof(more), ", and so do %llu more processes", u(v.processes - 1));
	message__warning(
		"%s (pid %u) lacks frame pointers: %.0f %% of its callchains end on the "
		"way, half of them have at most %u user frames%s; record with " CHAINS_REMEDY,
		process_name(c, v.worst.process), c->machine.processes.data[v.worst.process].pid,
		100 * (1 - share(v.worst.reaching, v.worst.samples)), v.worst.median_depth, more);
}

void report_text__warnings(const struct capture *c, const char *path)
{
	warn_of_file(c, path);
	warn_of_python(c);
	warn_of_generated_code(c);
	warn_of_chains(c);
	warn_of_objects(c);
	report_waits__warnings(c);
}

static void print_quality(const struct capture *c, const struct profile *p)
{
	struct lines_counts n = lines__counts(c->lines);
	uint64_t of =
		p->endings[STACK_COMPLETE] + p->endings[STACK_TRUNCATED] + p->endings[STACK_LOST];

	char stitched[32] = "";

	if (!p->has_dumps || !of)
		return;
	if (p->stitched)
		snprintf(stitched, sizeof(stitched), " (stitched %.1f %%)",
			 100 * share(p->stitched, of));
	message__line("  complete stacks %.1f %%%s  truncated by the dump %.1f %%  lost %.1f %%",
		      100 * share(p->endings[STACK_COMPLETE], of), stitched,
		      100 * share(p->endings[STACK_TRUNCATED], of),
		      100 * share(p->endings[STACK_LOST], of));
	if (n.leaves + n.callers)
		message__line("  Python frames with their current line %.1f %%",
			      100 * share(n.given_leaves + n.given_callers, n.leaves + n.callers));
}

/* The file's name, with its folder where the name alone says nothing. */
static const char *short_path(const char *path)
{
	const char *base = file__base(path), *folder = base;

	if (strcmp(base, "__init__.py") || base - path < 2)
		return base;
	for (folder = base - 1; folder > path && folder[-1] != '/'; folder--)
		;
	return folder;
}

/* file:line for Python, the object for native code. */
static void format_where(const struct profile *p, const struct frame *f, char *out, size_t size)
{
	const char *file = short_path(strtab__get(&p->resolved->strings, f->file));

	if (f->line || f->first_line)
		snprintf(out, size, "%s:%u", file, f->line ? f->line : f->first_line);
	else
		snprintf(out, size, "%s", file);
}

static const char *frame_name(const struct profile *p, uint32_t frame)
{
	return strtab__get(&p->resolved->strings, p->resolved->frames.data[frame].name);
}

static void print_threads(const struct profile *p, const struct summary *s)
{
	size_t shown = 0;

	message__line("%s", "");
	message__line("%-30s %8s   %s", "thread", p->timed ? "CPU" : "share",
		      p->waits ? "waiting on" : "mostly in");
	for (size_t i = 0; i < s->threads.n; i++) {
		const struct summary_thread *st = &s->threads.data[i];
		const struct profile_thread *t = &p->threads.data[st->thread];
		double part = share(t->weight, p->timed ? p->duration : p->weight);
		char waits[128];

		if (shown == SHOWN_THREADS || (shown && part < TINY_SHARE))
			break;
		if (p->waits) {
			report_waits__format(p, t, waits, sizeof(waits));
			message__line("%s %6.1f %%   %s", column(t->name, 30).text, 100 * part,
				      waits);
		} else {
			message__line("%s %6.1f %%   %s %5.1f %%", column(t->name, 30).text,
				      100 * part, column(frame_name(p, st->frame), 28).text,
				      100 * share(st->own, t->weight));
		}
		shown++;
	}
	if (p->threads.n > shown)
		message__line("(%zu more%s)", p->threads.n - shown,
			      shown < SHOWN_THREADS ? " below 0.1 %" : "");
}

static void print_frames(const struct profile *p, const struct summary *s)
{
	message__line("%s", "");
	message__line("%7s %7s  %-32s %s", "own", "total", "function", "where");
	for (size_t i = 0; i < s->frames.n && i < SHOWN_FRAMES; i++) {
		const struct summary_frame *sf = &s->frames.data[i];
		char where[256];

		format_where(p, &p->resolved->frames.data[sf->frame], where, sizeof(where));
		message__line("%5.1f %% %5.1f %%  %s %s", 100 * share(sf->own, p->weight),
			      100 * share(sf->total, p->weight),
			      column(frame_name(p, sf->frame), 32).text, column(where, 28).text);
	}
	if (shows_python(p->resolved))
		message__line("(own: the function and the native code it called)");
}

void report_text__summary(const struct capture *c)
{
	const struct profile *p = c->profile;
	const struct perfdata_stats *stats = perfdata__stats(c->data);
	const char *event = perfdata__event(c->data, p->event)->name;
	bool whole = !stats->lost && !stats->cut && !stats->bad_records;
	char seconds[32] = "";
	struct summary s;

	if (!p->samples && !p->exact)
		return;
	if (p->timed)
		snprintf(seconds, sizeof(seconds), "%.1f s, ", (double)p->duration / 1e9);
	/* "cpu-clock:ppp": the modifiers are perf's choice, not the user's */
	message__line("%s%llu stacks of %.*s, %s", seconds, u(p->samples),
		      p->timed ? (int)strcspn(event, ":") : (int)strlen(event), event,
		      whole ? "nothing lost" : "not all there, see above");
	for (size_t i = 0; i < c->others.n; i++)
		message__line("and %llu of %s", u(c->others.data[i]->samples),
			      perfdata__event(c->data, c->others.data[i]->event)->name);
	summary__init(&s, p);
	print_quality(c, p);
	report_waits__quality(p);
	print_threads(p, &s);
	print_frames(p, &s);
	summary__release(&s);
}

void report_text__file(const char *path, uint64_t bytes, const struct output_format *format)
{
	bool small = bytes < 1000000;

	message__line("%s", "");
	message__line("%s   %.*f %s", path, small ? 0 : 1, (double)bytes / (small ? 1e3 : 1e6),
		      small ? "kB" : "MB");
	message__line("look:    %s", format->look);
}
