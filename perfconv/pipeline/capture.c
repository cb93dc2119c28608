// SPDX-License-Identifier: GPL-2.0
#include "perfconv/pipeline/capture.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "perfconv/machine/codemap.h"
#include "perfconv/machine/debuginfod.h"
#include "perfconv/pipeline/collect.h"
#include "perfconv/pipeline/deferred.h"
#include "perfconv/pipeline/switching.h"
#include "perfconv/pipeline/timelines.h"
#include "perfconv/unwind/regs.h"

/* What the pass over the records needs beside the capture. */
struct pass {
	struct capture *capture;
	struct collector collector;
	struct deferred deferred;
	struct switching switching;
	uint32_t texts_wanted;
	bool is_64_bit;	     /* the machine */
	bool compat_unwinds; /* stack copies of its 32-bit tasks can be */
};

static struct capture_count *count_of(struct capture *c, uint32_t thread, uint32_t event)
{
	uint32_t at = idmap__intern(&c->count_keys, thread, event);

	if (at == c->counts.n)
		(void)vec__add(&c->counts);
	return &c->counts.data[at];
}

/* The kernel can deliver one overflow twice; both copies have one time. */
static bool is_doubled(struct capture *c, struct capture_count *count, uint64_t time_ns)
{
	bool doubled = count->samples && time_ns != RECORD_NO_TIME && count->last_ns == time_ns;

	count->samples++;
	count->last_ns = time_ns;
	c->doubled += doubled;
	return doubled;
}

static void add_text(struct pass *p, const struct record *rec, uint32_t thread)
{
	struct capture *c = p->capture;
	struct capture_text t = { .time_ns = rec->time_ns, .thread = thread, .event = rec->event };
	struct tracing *tracing = perfdata__tracing(c->data);
	const struct perfdata_event *e = perfdata__event(c->data, rec->event);

	if (c->texts.n == p->texts_wanted || !tracing || !rec->sample.raw ||
	    e->type != PERF_TYPE_TRACEPOINT)
		return;
	t.text = tracing__text(tracing, e->config, rec->sample.raw, rec->sample.raw_bytes);
	if (t.text)
		vec__push(&c->texts, t);
}

static void count_compat(struct pass *p, const struct record *rec)
{
	if (rec->sample.user_abi != PERF_SAMPLE_REGS_ABI_32 || !p->is_64_bit)
		return;
	p->capture->compat++;
	p->capture->compat_lost += rec->sample.stack && !p->compat_unwinds;
}

static void keep_dump(struct capture *c, uint32_t process, const struct record *rec)
{
	uint32_t file, part;

	perfdata__source(c->data, &file, &part);
	dumps__sample(&c->dumps, process, rec, file, part);
}

static void add_sample(struct pass *p, const struct record *rec)
{
	struct capture *c = p->capture;
	uint32_t thread = machine__thread(&c->machine, rec->pid, rec->tid);
	uint32_t process = c->machine.threads.data[thread].process;
	struct capture_count *count = count_of(c, thread, rec->event);
	struct store_sample s = {
		.time_ns = rec->time_ns == RECORD_NO_TIME ? 0 : rec->time_ns,
		.weight = rec->sample.period,
		.thread = thread,
		.event = (uint16_t)rec->event,
	};
	struct collected stack;

	if (c->options.keep_dumps)
		keep_dump(c, process, rec);
	add_text(p, rec, thread);
	c->modes[rec->misc & PERF_RECORD_MISC_CPUMODE_MASK]++;
	count_compat(p, rec);
	if (is_doubled(c, count, rec->time_ns))
		return;
	if (switching__sample(&p->switching, rec, thread) == SWITCHING_TAKEN)
		return;
	stack = collector__sample(&p->collector, perfdata__event(c->data, rec->event), process,
				  rec);
	if (c->options.keep_dumps && stack.ending == STACK_COMPLETE)
		dumps__complete(&c->dumps, &c->store, stack.activation, rec->pid == rec->tid);
	s.stack = stack.stack;
	s.activation = stack.activation;
	s.ending = (uint8_t)stack.ending;
	count->endings[s.ending]++;
	if (stack.cut)
		evidence_table__cut(&c->store.evidence, (uint32_t)c->store.samples.n, &stack.held);
	if (stack.deferred)
		deferred__wait(&p->deferred, rec->tid, stack.cookie, c->store.samples.n);
	if (stack.positions != POSITIONS_NONE)
		positions__set(&c->store.positions, (uint32_t)c->store.samples.n, stack.positions);
	switching__stored(&p->switching, rec, (uint32_t)c->store.samples.n);
	vec__push(&c->store.samples, s);
}

static void count_loss(struct capture_loss *loss, const struct record *rec)
{
	if (rec->type == PERF_RECORD_THROTTLE)
		loss->throttled++;
	else if (rec->time_ns == RECORD_NO_TIME)
		loss->recounted += rec->lost.count;
	else
		loss->lost += rec->lost.count;
}

/* Losses of the thread that the record names, if it names one: -1 is none, and what
 * perf itself adds at the end, without a time, is nobody's. */
static void add_loss(struct capture *c, const struct record *rec)
{
	uint32_t thread;

	if (rec->type != PERF_RECORD_LOST && rec->type != PERF_RECORD_LOST_SAMPLES &&
	    rec->type != PERF_RECORD_THROTTLE)
		return;
	if (rec->event != RECORD_NO_EVENT) {
		while (c->event_losses.n <= rec->event)
			(void)vec__add(&c->event_losses);
		count_loss(&c->event_losses.data[rec->event], rec);
	}
	if (rec->tid == UINT32_MAX || rec->time_ns == RECORD_NO_TIME)
		return;
	thread = machine__thread(&c->machine, rec->pid, rec->tid);
	while (c->losses.n <= thread)
		(void)vec__add(&c->losses);
	count_loss(&c->losses.data[thread], rec);
}

/* The user's part of a sample that came before. */
static void add_deferred(struct pass *p, const struct record *rec)
{
	struct capture *c = p->capture;
	size_t sample;

	while (deferred__take(&p->deferred, rec->tid, rec->deferred.cookie, &sample)) {
		struct store_sample *s = &c->store.samples.data[sample];
		uint32_t process = c->machine.threads.data[s->thread].process;

		s->stack = collector__prepend(&p->collector, process, rec->deferred.callchain,
					      rec->deferred.callchain_n, s->stack);
	}
}

static void note_time(struct capture *c, uint64_t time_ns)
{
	if (time_ns == RECORD_NO_TIME)
		return;
	if (!c->first_ns || time_ns < c->first_ns)
		c->first_ns = time_ns;
	if (time_ns > c->last_ns)
		c->last_ns = time_ns;
}

/* As if the kernel had copied less. */
static void shorten_dump(const struct capture *c, struct record *rec)
{
	if (c->options.max_dump && rec->sample.stack_bytes > c->options.max_dump &&
	    !perfdata__is_calibration(c->data, rec->event))
		rec->sample.stack_bytes = c->options.max_dump;
}

static int read_records(struct pass *p, struct errbuf *err)
{
	struct record rec;
	int code;

	while ((code = perfdata__next(p->capture->data, &rec, err)) > 0) {
		note_time(p->capture, rec.time_ns);
		machine__set_time(&p->capture->machine, rec.time_ns);
		if (rec.type != PERF_RECORD_SAMPLE)
			switching__record(&p->switching, &rec);
		if (rec.type == PERF_RECORD_SAMPLE) {
			shorten_dump(p->capture, &rec);
			add_sample(p, &rec);
		} else if (rec.type == RECORD_TYPE_CALLCHAIN_DEFERRED) {
			add_deferred(p, &rec);
		} else {
			machine__apply(&p->capture->machine, &rec);
			dumps__record(&p->capture->dumps, &p->capture->machine, &rec);
		}
		add_loss(p->capture, &rec);
	}
	return code;
}

/* The header names the objects that samples hit; without --buildid-mmap nothing else does. */
static void state_build_ids(struct capture *c)
{
	for (size_t i = 0; i < perfdata__build_ids(c->data); i++) {
		const struct perfdata_build_id *b = perfdata__build_id(c->data, i);

		if ((b->misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_USER)
			dsos__state_build_id(&c->machine.dsos, b->path, b->bytes, b->size);
	}
}

static struct codemap *make_codemap(struct capture *c)
{
	const struct perfdata_info *info = perfdata__info(c->data);
	struct codemap_capture about = {
		.path = c->options.path,
		.hostname = info->hostname,
		.local_kernel = c->images.local_kernel,
		.clockid = info->clockid,
		.clock_wall_ns = info->clock_wall_ns,
		.clock_ns = info->clock_ns,
	};

	return codemap__new(&c->machine, &c->images, &about);
}

static struct living living_of(const struct capture *c)
{
	const struct perfdata_info *info = perfdata__info(c->data);

	return (struct living){
		.local = c->images.local_kernel && living__is_host(info->hostname),
		.since_boot = info->clockid != CLOCK_REALTIME && info->clockid != CLOCK_TAI,
		.first_ns = info->first_sample_ns,
	};
}

/* Stitched stacks are complete ones from here on, in the counts too. */
static void stitch(struct capture *c)
{
	c->stitch = stitch__all(&c->store, &c->machine, &c->images);
	for (size_t i = 0; i < c->store.stitches.n; i++) {
		const struct store_sample *s =
			&c->store.samples.data[c->store.stitches.data[i].sample];
		struct capture_count *count = count_of(c, s->thread, s->event);

		count->endings[STACK_TRUNCATED]--;
		count->endings[STACK_COMPLETE]++;
		count->stitched++;
	}
}

/* A kernel that was built again has the same release and other addresses. */
static bool is_of_kernel(const struct perfdata *data, const char *release)
{
	static const char name[] = "[kernel.kallsyms]";
	const char *stated = perfdata__info(data)->os_release;

	if (*stated && strcmp(stated, release) != 0)
		return false;
	for (size_t i = 0; i < perfdata__build_ids(data); i++) {
		const struct perfdata_build_id *b = perfdata__build_id(data, i);

		if ((b->misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_KERNEL &&
		    !strncmp(b->path, name, sizeof(name) - 1) &&
		    !living__is_kernel(b->bytes, b->size))
			return false;
	}
	return true;
}

static int run_pass(struct capture *c, const struct capture_options *options, struct errbuf *err)
{
	struct pass p = { .capture = c, .texts_wanted = options->texts };
	const char *arch = perfdata__info(c->data)->arch;
	const struct regs_arch *task;
	struct utsname here;
	int code;

	/* A killed perf leaves no header features: the capture is most likely our own. */
	if (c->bundle && !*arch)
		arch = bundle__manifest(c->bundle)->machine;
	if (!c->bundle && !uname(&here)) {
		if (!*arch)
			arch = here.machine;
		c->images.local_kernel = is_of_kernel(c->data, here.release);
	}
	c->images.living = living_of(c);
	task = regs_arch__find(arch);
	p.is_64_bit = task && task->word_bytes == 8;
	p.compat_unwinds = p.is_64_bit && regs_arch__of_task(task, PERF_SAMPLE_REGS_ABI_32);
	c->dumps.arch = task;
	collector__init(&p.collector, arch, &c->machine, &c->images, &c->sidefiles, &c->store);
	c->unwindable = p.collector.unwinder != NULL;
	switching__init(&p.switching, c->data, arch, &c->machine, &c->store, &c->switches);
	state_build_ids(c);
	c->machine.codemap = make_codemap(c);
	code = read_records(&p, err);
	codemap__complete(c->machine.codemap);
	sidefiles__complete(&c->sidefiles);
	if (!options->no_stitch)
		stitch(c);
	c->frames_capped = p.collector.frames_capped;
	c->leaf_callers = p.collector.leaf_callers;
	c->deferred_missing = p.deferred.waiting;
	collector__release(&p.collector);
	switching__release(&p.switching);
	deferred__release(&p.deferred);
	return code;
}

static void name_everything(struct capture *c, const struct resolve_options *options)
{
	c->images.kernel_symbol = c->machine.kernel_symbol;
	c->images.kernel_symbol_address = c->machine.kernel_symbol_address;
	c->symbols = symbols__new(&c->machine.dsos, &c->images);
	symbols__set_codemap(c->symbols, c->machine.codemap);
	c->python = python__new(&c->machine, &c->images, c->symbols, &c->sidefiles);
	c->resolver = resolver__new(&c->store, &c->machine, c->symbols, c->python, options);
	c->lines = lines__new(&c->store, &c->machine, &c->images, c->python);
	resolver__set_lines(c->resolver, c->lines);
}

/* "cpu-clock" also finds "cpu-clock:ppp" and "cpu-clock/period=1/": the rest says how it
 * was recorded. */
static bool event_is_named(const struct perfdata_event *e, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(e->name, name, n) &&
	       (!e->name[n] || e->name[n] == ':' || e->name[n] == '/');
}

/* The events to show, in order, each once. */
struct chosen {
	VEC(uint32_t) list;
};

static void choose(struct chosen *chosen, uint32_t event)
{
	for (size_t i = 0; i < chosen->list.n; i++)
		if (chosen->list.data[i] == event)
			return;
	vec__push(&chosen->list, event);
}

static void choose_all(struct chosen *chosen, const struct capture *c)
{
	size_t n = perfdata__events(c->data);
	bool *has_samples = mem__alloc(n, sizeof(*has_samples));

	for (size_t i = 0; i < c->store.samples.n; i++)
		has_samples[c->store.samples.data[i].event] = true;
	choose(chosen, profile__event(c->data, &c->store));
	for (uint32_t i = 0; i < n; i++)
		if (has_samples[i] && !perfdata__is_calibration(c->data, i))
			choose(chosen, i);
	free(has_samples);
}

static int choose_named(struct chosen *chosen, const struct capture *c, const char *name,
			struct errbuf *err)
{
	for (uint32_t i = 0; i < perfdata__events(c->data); i++)
		if (event_is_named(perfdata__event(c->data, i), name)) {
			choose(chosen, i);
			return 0;
		}
	return errbuf__set(err, -ENOENT, "%s: has no event %s; perfconv info %s lists them",
			   c->options.path, name, c->options.path);
}

static int choose_events(struct chosen *chosen, const struct capture *c, struct errbuf *err)
{
	int code = 0;

	if (!c->options.events_n)
		choose(chosen, profile__event(c->data, &c->store));
	for (size_t i = 0; i < c->options.events_n && !code; i++)
		if (!strcmp(c->options.events[i], "all"))
			choose_all(chosen, c);
		else
			code = choose_named(chosen, c, c->options.events[i], err);
	return code;
}

/* The bundle among the files to read, or NULL. */
static const char *find_bundle(const struct capture_options *options)
{
	for (size_t i = 0; i < options->files_n; i++)
		if (bundle__is(options->files[i]))
			return options->files[i];
	return !options->files_n && bundle__is(options->path) ? options->path : NULL;
}

/* What is in it takes the place of what was asked for. */
static int open_bundle(struct capture *c, struct errbuf *err)
{
	const char *path = find_bundle(&c->options);
	int code;

	if (!path)
		return 0;
	if (c->options.files_n > 1)
		return errbuf__set(err, -EINVAL,
				   "%s: is a bundle, which holds all files of its capture; give it "
				   "alone",
				   path);
	if (c->options.keep_answers)
		return errbuf__set(err, -EINVAL, "%s: is a bundle already", path);
	code = bundle__open(&c->bundle, path, err);
	if (code)
		return code;
	c->options.path = bundle__manifest(c->bundle)->name;
	c->options.files = bundle__captures(c->bundle, &c->options.files_n);
	c->options.side_dir = NULL;
	return 0;
}

static int open_data(struct capture *c, struct errbuf *err)
{
	const struct capture_options *o = &c->options;

	images__init(&c->images, o->path, o->side_dir);
	if (o->debuginfod && !c->bundle) {
		int code = debuginfod__new(&c->debuginfod, err);

		if (code)
			return code;
	}
	c->images.search = (struct debug_search){ o->symfs, c->debuginfod };
	if (c->bundle)
		c->images.answers = &bundle__manifest(c->bundle)->answers;
	else if (o->keep_answers)
		c->images.answers = &c->answers;
	sidefiles__init(&c->sidefiles, &c->images, !strcmp(o->path, "-"));
	if (o->files_n > 1)
		return perfdata__open_series(&c->data, o->files, o->files_n, err);
	return perfdata__open(&c->data, o->files_n ? o->files[0] : o->path, err);
}

int capture__read(struct capture **out, const struct capture_options *options, struct errbuf *err)
{
	struct capture *c = mem__alloc(1, sizeof(*c));
	struct chosen chosen = { 0 };
	int code;

	c->options = *options;
	report__init(&c->report);
	machine__init(&c->machine);
	code = open_bundle(c, err);
	if (!code)
		code = open_data(c, err);
	if (!code)
		code = run_pass(c, options, err);
	if (!code && options->strict)
		code = perfdata__check_strict(c->data, err);
	if (!code)
		code = choose_events(&chosen, c, err);
	if (!code) {
		name_everything(c, &options->resolve);
		code = timelines__make(c, chosen.list.data, chosen.list.n, err);
	}
	if (code) {
		if (c->bundle)
			bundle__rename(c->bundle, err);
		capture__free(c);
	} else {
		*out = c;
	}
	vec__release(&chosen.list);
	return code;
}

const char *capture__file(const struct capture *c, size_t i)
{
	const struct manifest *m = c->bundle ? bundle__manifest(c->bundle) : NULL;

	for (size_t part = 0; m && part < m->parts.n; part++)
		if (m->parts.data[part].capture == i)
			return m->parts.data[part].path;
	return perfdata__file(c->data, i);
}

void capture__free(struct capture *c)
{
	if (!c)
		return;
	report__release(&c->report);
	profile__free(c->profile);
	for (size_t i = 0; i < c->others.n; i++)
		profile__free(c->others.data[i]);
	vec__release(&c->others);
	waits__free(c->waits);
	threads_file__free(c->threads_file);
	switches__release(&c->switches);
	resolver__free(c->resolver);
	lines__free(c->lines);
	python__free(c->python);
	symbols__free(c->symbols);
	store__release(&c->store);
	sidefiles__release(&c->sidefiles);
	images__release(&c->images);
	codemap__free(c->machine.codemap);
	machine__release(&c->machine);
	perfdata__free(c->data);
	bundle__free(c->bundle);
	debuginfod__free(c->debuginfod);
	answers__release(&c->answers);
	dumps__release(&c->dumps);
	idmap__release(&c->count_keys);
	vec__release(&c->counts);
	vec__release(&c->losses);
	vec__release(&c->event_losses);
	for (size_t i = 0; i < c->texts.n; i++)
		free(c->texts.data[i].text);
	vec__release(&c->texts);
	free(c);
}
