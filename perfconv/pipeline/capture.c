// SPDX-License-Identifier: GPL-2.0
#include "perfconv/pipeline/capture.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "perfconv/unwind/callchain.h"
#include "perfconv/unwind/unwind.h"

/* What the pass over the records needs beside the capture. */
struct pass {
	struct capture *capture;
	struct unwinder *unwinder;    /* NULL: of no known architecture */
	struct unwind_stack *unwound; /* scratch */
	VEC(uint32_t) leaf_first;     /* scratch: location ids */
	uint32_t texts_wanted;
};

static void add_location(struct pass *p, struct place place, bool return_address)
{
	vec__push(&p->leaf_first, store__location(&p->capture->store, place, return_address));
}

/* The kernel's part of the chain, and the user's too where no stack copy gives it. */
static void add_callchain(struct pass *p, uint32_t process, const struct record *rec, bool user)
{
	struct callchain chain;
	struct callchain_entry e;

	callchain__init(&chain, rec->sample.callchain, rec->sample.callchain_n, rec->misc);
	while (callchain__next(&chain, &e)) {
		if (e.space == CALLCHAIN_KERNEL)
			add_location(p, machine__kernel_place(e.ip), e.return_address);
		else if (e.space == CALLCHAIN_USER && user)
			add_location(p, machine__user_place(&p->capture->machine, process, e.ip),
				     e.return_address);
	}
}

static void add_ip(struct pass *p, uint32_t process, const struct record *rec)
{
	uint16_t mode = rec->misc & PERF_RECORD_MISC_CPUMODE_MASK;

	if (mode == PERF_RECORD_MISC_KERNEL)
		add_location(p, machine__kernel_place(rec->sample.ip), false);
	else
		add_location(p, machine__user_place(&p->capture->machine, process, rec->sample.ip),
			     false);
}

static enum stack_ending add_unwound(struct pass *p, uint32_t process, const struct record *rec)
{
	const struct unwind_stack *stack = p->unwound;

	if (!p->unwinder)
		return STACK_LOST;
	unwinder__unwind(p->unwinder, process, &rec->sample, p->unwound);
	for (size_t i = 0; i < stack->n; i++)
		add_location(
			p, machine__user_place(&p->capture->machine, process, stack->frames[i].ip),
			stack->frames[i].return_address);
	p->capture->frames_capped += stack->n == UNWIND_MAX_FRAMES;
	return stack->ending;
}

static enum stack_ending collect_stack(struct pass *p, uint32_t process, const struct record *rec)
{
	const struct perfdata_event *e = perfdata__event(p->capture->data, rec->event);
	bool dumped = e->sample_type & PERF_SAMPLE_STACK_USER;
	enum stack_ending ending = STACK_CHAIN;

	p->leaf_first.n = 0;
	add_callchain(p, process, rec, !dumped);
	/* A kernel thread has no user registers: its chain is all there is. */
	if (dumped && rec->sample.user_abi)
		ending = add_unwound(p, process, rec);
	if (!p->leaf_first.n)
		add_ip(p, process, rec);
	return ending;
}

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
		.stack = STORE_NO_STACK,
		.event = (uint16_t)rec->event,
	};

	add_text(p, rec, thread);
	if (is_doubled(c, count, rec->time_ns))
		return;
	s.ending = (uint8_t)collect_stack(p, process, rec);
	count->endings[s.ending]++;
	for (size_t i = p->leaf_first.n; i-- > 0;)
		s.stack = store__push(&c->store, s.stack, p->leaf_first.data[i]);
	vec__push(&c->store.samples, s);
}

/* Losses of the thread that the record names, if it names one: -1 is none, and what
 * perf itself adds at the end, without a time, is nobody's. */
static void add_loss(struct capture *c, const struct record *rec)
{
	bool is_lost = rec->type == PERF_RECORD_LOST || rec->type == PERF_RECORD_LOST_SAMPLES;
	uint32_t thread;

	if (rec->tid == UINT32_MAX || rec->time_ns == RECORD_NO_TIME ||
	    (!is_lost && rec->type != PERF_RECORD_THROTTLE))
		return;
	thread = machine__thread(&c->machine, rec->pid, rec->tid);
	while (c->losses.n <= thread)
		(void)vec__add(&c->losses);
	if (is_lost)
		c->losses.data[thread].lost += rec->lost.count;
	else
		c->losses.data[thread].throttled++;
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

static int read_records(struct pass *p, struct errbuf *err)
{
	struct record rec;
	int code;

	while ((code = perfdata__next(p->capture->data, &rec, err)) > 0) {
		note_time(p->capture, rec.time_ns);
		if (rec.type == PERF_RECORD_SAMPLE)
			add_sample(p, &rec);
		else
			machine__apply(&p->capture->machine, &rec);
		add_loss(p->capture, &rec);
	}
	return code;
}

/* The header's build-ids are for mappings that state none, which is perf's default. */
static void know_build_ids(struct capture *c)
{
	for (size_t i = 0; i < perfdata__build_ids(c->data); i++) {
		const struct perfdata_build_id *b = perfdata__build_id(c->data, i);

		machine__know_build_id(&c->machine, b->path, b->bytes, b->size);
	}
}

static int run_pass(struct capture *c, const struct capture_options *options, struct errbuf *err)
{
	struct pass p = { .capture = c, .texts_wanted = options->texts };
	const char *arch = perfdata__info(c->data)->arch;
	struct utsname here;
	int code;

	/* A killed perf leaves no header features: the capture is most likely our own. */
	if (!uname(&here)) {
		if (!*arch)
			arch = here.machine;
		c->images.local_kernel = !*perfdata__info(c->data)->os_release ||
					 !strcmp(perfdata__info(c->data)->os_release, here.release);
	}
	know_build_ids(c);
	p.unwinder = unwinder__new(arch, &c->machine, &c->images);
	c->unwindable = p.unwinder != NULL;
	p.unwound = mem__alloc(1, sizeof(*p.unwound));
	code = read_records(&p, err);
	unwinder__free(p.unwinder);
	free(p.unwound);
	vec__release(&p.leaf_first);
	return code;
}

static void name_everything(struct capture *c, enum frames_mode mode)
{
	c->images.kernel_symbol = c->machine.kernel_symbol;
	c->images.kernel_symbol_address = c->machine.kernel_symbol_address;
	c->symbols = symbols__new(&c->machine.dsos, &c->images);
	c->python = python__new(&c->machine, &c->images, c->symbols);
	c->resolver = resolver__new(&c->store, &c->machine, c->symbols, c->python, mode);
}

/* "cpu-clock" also finds "cpu-clock:ppp": the modifiers are perf's, not the user's. */
static bool event_is_named(const struct perfdata_event *e, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(e->name, name, n) && (!e->name[n] || e->name[n] == ':');
}

static int find_event(const struct capture *c, const struct capture_options *options,
		      uint32_t *event, struct errbuf *err)
{
	size_t n = perfdata__events(c->data);

	*event = profile__event(c->data, &c->store);
	if (!options->event)
		return 0;
	for (uint32_t i = 0; i < n; i++)
		if (event_is_named(perfdata__event(c->data, i), options->event)) {
			*event = i;
			return 0;
		}
	return errbuf__set(err, -ENOENT, "%s: has no event %s; perfconv info %s lists them",
			   options->path, options->event, options->path);
}

int capture__read(struct capture **out, const struct capture_options *options, struct errbuf *err)
{
	struct capture *c = mem__alloc(1, sizeof(*c));
	uint32_t event;
	int code;

	c->options = *options;
	machine__init(&c->machine);
	images__init(&c->images, options->path, options->side_dir);
	code = perfdata__open(&c->data, options->path, err);
	if (!code)
		code = run_pass(c, options, err);
	if (!code && options->strict)
		code = perfdata__check_strict(c->data, err);
	if (!code)
		code = find_event(c, options, &event, err);
	if (code) {
		capture__free(c);
		return code;
	}
	name_everything(c, options->frames);
	c->profile = profile__new(perfdata__event(c->data, event), event, &c->store, &c->machine,
				  c->python, c->resolver);
	*out = c;
	return 0;
}

void capture__free(struct capture *c)
{
	if (!c)
		return;
	profile__free(c->profile);
	resolver__free(c->resolver);
	python__free(c->python);
	symbols__free(c->symbols);
	store__release(&c->store);
	images__release(&c->images);
	machine__release(&c->machine);
	perfdata__free(c->data);
	idmap__release(&c->count_keys);
	vec__release(&c->counts);
	vec__release(&c->losses);
	for (size_t i = 0; i < c->texts.n; i++)
		free(c->texts.data[i].text);
	vec__release(&c->texts);
	free(c);
}
