// SPDX-License-Identifier: GPL-2.0
#include "perfconv/analyze/frames.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"

/* A Python function: the end of its file's path, and a pattern for the last part of
 * its qualified name; NULL stands for any. */
struct python_rule {
	const char *file, *name;
	uint32_t marks;
	enum message_kind message;
};

static const struct python_rule python_rules[] = {
	{ "asyncio/runners.py", NULL, MARK_LOOP, MESSAGE_NONE },
	{ "asyncio/base_events.py", "run_forever", MARK_LOOP, MESSAGE_NONE },
	{ "asyncio/base_events.py", "run_until_complete", MARK_LOOP, MESSAGE_NONE },
	{ "asyncio/base_events.py", "_run_once", MARK_LOOP, MESSAGE_NONE },
	{ "asyncio/events.py", "_run", MARK_LOOP, MESSAGE_NONE },
	{ "/selectors.py", NULL, MARK_SELECT, MESSAGE_NONE },
	{ "<frozen importlib._bootstrap>", NULL, MARK_IMPORT, MESSAGE_NONE },
	{ "<frozen importlib._bootstrap_external>", NULL, MARK_IMPORT, MESSAGE_NONE },
	{ "/threading.py", "is_set", MARK_CHECK, MESSAGE_NONE },
	{ "/threading.py", "is_alive", MARK_CHECK, MESSAGE_NONE },
	{ "/threading.py", "wait*", MARK_WAITER, MESSAGE_NONE },
	{ "/threading.py", "join", MARK_WAITER, MESSAGE_NONE },
	{ "/threading.py", "_wait_for_tstate_lock", MARK_WAITER, MESSAGE_NONE },
	{ "/threading.py", "_shutdown", MARK_WAITER, MESSAGE_NONE },
	{ "/threading.py", "start", MARK_WAITER, MESSAGE_NONE },
	{ "/queue.py", "empty", MARK_CHECK, MESSAGE_NONE },
	{ "/queue.py", "full", MARK_CHECK, MESSAGE_NONE },
	{ "/queue.py", "qsize", MARK_CHECK, MESSAGE_NONE },
	{ "/queue.py", "_qsize", MARK_CHECK, MESSAGE_NONE },
	{ "/queue.py", "get_nowait", MARK_CHECK, MESSAGE_NONE },
	{ "/queue.py", NULL, MARK_WAITER, MESSAGE_NONE },
	{ "concurrent/futures/_base.py", "done", MARK_CHECK, MESSAGE_NONE },
	{ "concurrent/futures/thread.py", "_worker", MARK_WAITER, MESSAGE_NONE },
	{ "json/__init__.py", "dump*", 0, MESSAGE_JSON_DUMPS },
	{ "json/__init__.py", "load*", 0, MESSAGE_JSON_LOADS },
	{ "json/encoder.py", NULL, 0, MESSAGE_JSON_DUMPS },
	{ "json/decoder.py", NULL, 0, MESSAGE_JSON_LOADS },
	{ "json/scanner.py", NULL, 0, MESSAGE_JSON_LOADS },
	{ "/pickle.py", "*dump*", 0, MESSAGE_PICKLE_DUMPS },
	{ "/pickle.py", "*load*", 0, MESSAGE_PICKLE_LOADS },
	{ "/pickle.py", "save*", 0, MESSAGE_PICKLE_DUMPS },
	{ "/copy.py", NULL, 0, MESSAGE_COPY },
	{ "/struct.py", NULL, 0, MESSAGE_STRUCT },
	{ "*/pymavlink/*", "pack", 0, MESSAGE_MAVLINK_PACK },
	{ "*/pymavlink/*", "*_encode", 0, MESSAGE_MAVLINK_PACK },
	{ "*/pymavlink/*", "decode", 0, MESSAGE_MAVLINK_PARSE },
	{ "*/pymavlink/*", "parse_*", 0, MESSAGE_MAVLINK_PARSE },
	{ "*/pymavlink/*", "__parse_*", 0, MESSAGE_MAVLINK_PARSE },
	{ "/http/client.py", NULL, MARK_HTTP, MESSAGE_NONE },
	{ "/urllib/request.py", NULL, MARK_HTTP, MESSAGE_NONE },
	{ "*/requests/*.py", NULL, MARK_HTTP, MESSAGE_NONE },
	{ "*/urllib3/*.py", NULL, MARK_HTTP, MESSAGE_NONE },
	{ NULL, "is_set", MARK_CHECK, MESSAGE_NONE },
	{ NULL, "is_connected", MARK_CHECK, MESSAGE_NONE },
	{ NULL, "is_ready", MARK_CHECK, MESSAGE_NONE },
	{ NULL, "poll", MARK_CHECK, MESSAGE_NONE },
	{ NULL, "check_*", MARK_CHECK, MESSAGE_NONE },
	{ NULL, "_dispatch*", 0, MESSAGE_ROUTE },
	{ NULL, "dispatch*", 0, MESSAGE_ROUTE },
	{ NULL, "_route*", 0, MESSAGE_ROUTE },
	{ NULL, "route_*", 0, MESSAGE_ROUTE },
	{ NULL, "_process_message*", 0, MESSAGE_ROUTE },
};

/* A native function: a pattern for its name. */
static const struct {
	const char *name;
	uint32_t marks;
} native_rules[] = {
	{ "*uvloop*Loop__run*", MARK_LOOP },
	{ "uv_run", MARK_LOOP },
	{ "uv__io_poll", MARK_LOOP },
	{ "gc_collect*", MARK_GC },
	{ "_PyGC_Collect*", MARK_GC },
	{ "PyGC_Collect*", MARK_GC },
	{ "_Py_RunGC", MARK_GC },
	{ "deduce_unreachable*", MARK_GC },
	{ "visit_decref*", MARK_GC },
	{ "visit_reachable*", MARK_GC },
	{ "__vdso_clock_gettime", MARK_CHECK },
	{ "clock_gettime", MARK_CHECK },
	{ "*_sys_sched_yield", MARK_CHECK },
	{ "*_sys_poll", MARK_CHECK },
	{ "*_sys_ppoll", MARK_CHECK },
	{ "*_sys_pselect6", MARK_CHECK },
	{ "*_sys_select", MARK_CHECK },
	{ "*_sys_epoll_wait", MARK_CHECK },
	{ "*_sys_epoll_pwait", MARK_CHECK },
	{ "*_sys_recvfrom", MARK_CHECK },
	{ "*_sys_clock_nanosleep", MARK_CHECK },
	{ "ksys_read", MARK_FILE },
	{ "ksys_pread64", MARK_FILE },
	{ "ksys_write", MARK_FILE },
	{ "vfs_fsync*", MARK_FILE },
};

/* Packages that others write and many use; what calls them is the user's. */
static const char *const packages[] = {
	"requests",	 "urllib3",    "httpx",
	"httpcore",	 "h11",	       "aiohttp",
	"redis",	 "hiredis",    "pymavlink",
	"uvicorn",	 "uvloop",     "starlette",
	"fastapi",	 "anyio",      "sniffio",
	"paho",		 "boto3",      "botocore",
	"click",	 "pydantic",   "pydantic_core",
	"numpy",	 "yaml",       "websockets",
	"serial",	 "tenacity",   "orjson",
	"msgpack",	 "s3transfer", "pip",
	"pkg_resources", "setuptools", "typing_extensions",
	"pyframes",
};

static bool file_matches(const char *pattern, const char *file)
{
	size_t n = strlen(pattern), of = strlen(file);

	if (!n)
		return true;
	if (*pattern == '*')
		return !fnmatch(pattern, file, 0);
	return of >= n && !strcmp(file + of - n, pattern);
}

static bool is_package(const char *path)
{
	size_t n = strcspn(path, "/");

	for (size_t i = 0; i < sizeof(packages) / sizeof(*packages); i++)
		if (strlen(packages[i]) == n && !strncmp(path, packages[i], n))
			return true;
	return false;
}

/* Python's own library lies in lib/python3.N/, what was installed below site-packages. */
static bool is_library(const char *file)
{
	static const char *const folders[] = { "/site-packages/", "/dist-packages/" };
	const char *lib;

	if (!*file || !strncmp(file, "<frozen ", 8))
		return true;
	for (size_t i = 0; i < 2; i++) {
		const char *at = strstr(file, folders[i]);

		if (at)
			return is_package(at + strlen(folders[i]));
	}
	lib = strstr(file, "/lib/python3.");
	return lib != NULL;
}

static void mark_python(struct frames *f, uint32_t frame, uint32_t *marks, uint8_t *message)
{
	const char *file = frames__file(f, frame), *name = frames__name(f, frame);
	const char *dot = strrchr(name, '.');

	name = dot ? dot + 1 : name;
	*marks = is_library(file) ? MARK_LIBRARY : 0;
	for (size_t i = 0; i < sizeof(python_rules) / sizeof(*python_rules); i++) {
		const struct python_rule *r = &python_rules[i];

		if ((r->file && !file_matches(r->file, file)) ||
		    (r->name && fnmatch(r->name, name, 0)))
			continue;
		*marks |= r->marks;
		*message = (uint8_t)r->message;
		return;
	}
}

static const char *object_of(const struct frames *f, uint32_t frame)
{
	const struct frame *fr = &f->resolved->frames.data[frame];

	return strtab__get(&f->resolved->strings, fr->object ? fr->object : fr->file);
}

static void mark_native(struct frames *f, uint32_t frame, uint32_t *marks, uint8_t *message)
{
	const char *name = frames__name(f, frame), *object = file__base(object_of(f, frame));

	*marks = 0;
	if (!strncmp(object, "python", 6) || !strncmp(object, "libpython", 9))
		*marks |= MARK_INTERPRETER;
	if (!strncmp(object, "libc.", 5) || !strncmp(object, "libc-", 5) ||
	    !strncmp(object, "libpthread", 10) || !strncmp(object, "libm.", 5) ||
	    !strncmp(object, "ld-", 3) || !strcmp(object, "[vdso]"))
		*marks |= MARK_LIBC;
	if (!strncmp(object, "_queue.", 7) || !strncmp(name, "_queue_", 7))
		*marks |= MARK_WAITER;
	if (!strncmp(object, "_struct.", 8))
		*message = MESSAGE_STRUCT;
	for (size_t i = 0; i < sizeof(native_rules) / sizeof(*native_rules); i++)
		if (!fnmatch(native_rules[i].name, name, 0))
			*marks |= native_rules[i].marks;
}

/* Each frame once; a frame's number says where it stands in the tables. */
static void look_at_frames(struct frames *f)
{
	for (uint32_t i = (uint32_t)f->marks.n; i < f->resolved->frames.n; i++) {
		const struct frame *frame = &f->resolved->frames.data[i];
		uint64_t kind = frame->kind;
		uint32_t marks = 0;
		uint8_t message = MESSAGE_NONE;

		if (frame->kind == FRAME_PYTHON)
			mark_python(f, i, &marks, &message);
		else if (frame->kind == FRAME_NATIVE || frame->kind == FRAME_KERNEL)
			mark_native(f, i, &marks, &message);
		vec__push(&f->marks, marks);
		vec__push(&f->messages, message);
		vec__push(&f->functions, idmap__intern(&f->function_keys,
						       (uint64_t)frame->name << 32 | frame->file,
						       (uint64_t)frame->object << 32 |
							       frame->first_line << 3 | kind));
	}
}

/* "uvloop" for .../uvloop/loop.cpython-311-x86_64-linux-gnu.so, "libssl" for libssl.so.3. */
static uint32_t library_of_object(struct frames *f, const char *object)
{
	const char *at = strstr(object, "-packages/"), *base = file__base(object);
	char *name;
	uint32_t id;

	if (at && strchr(at + 10, '/'))
		name = mem__format("%.*s", (int)strcspn(at + 10, "/"), at + 10);
	else
		name = mem__format("%.*s", (int)strcspn(base, "."), base);
	id = strtab__intern(&f->libraries, name);
	free(name);
	return id;
}

/* What the interpreter does on its own account, where its functions have names. */
static const char *interpreter_part(const char *name, uint32_t marks)
{
	static const struct {
		const char *name, *part;
	} parts[] = {
		{ "*GetAttr*", "attribute look-ups" },
		{ "*GetMethod*", "attribute look-ups" },
		{ "_PyType_Lookup*", "attribute look-ups" },
		{ "*lookdict*", "attribute look-ups" },
		{ "*Malloc*", "allocation" },
		{ "*Free*", "allocation" },
		{ "*Realloc*", "allocation" },
		{ "*dealloc*", "allocation" },
		{ "PyObject_GC_*", "allocation" },
		{ "PyEval_RestoreThread", "GIL" },
		{ "PyEval_SaveThread", "GIL" },
		{ "PyGILState_*", "GIL" },
	};

	if (marks & MARK_GC)
		return "garbage collection";
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (!fnmatch(parts[i].name, name, 0))
			return parts[i].part;
	return "interpreter";
}

/* The outermost object that is neither the interpreter nor the C library has called what
 * follows; without one, the kernel; then the C library; then the interpreter's parts. */
static void note_library(struct frames *f, struct stack_facts *s, uint32_t frame,
			 bool native_before)
{
	const struct frame *fr = &f->resolved->frames.data[frame];
	uint32_t marks = f->marks.data[frame];
	const char *name = frames__name(f, frame);

	if (native_before && s->library && !(s->library & 1u << 31))
		return;
	if (fr->kind == FRAME_KERNEL)
		s->library = strtab__intern(&f->libraries, "kernel") | 1u << 31;
	else if (marks & MARK_INTERPRETER)
		s->library = strtab__intern(&f->libraries,
					    interpreter_part(name, marks | (s->marks & MARK_GC))) |
			     1u << 31;
	else if (marks & MARK_LIBC)
		s->library = strtab__intern(&f->libraries, "C library") | 1u << 31;
	else
		s->library = library_of_object(f, object_of(f, frame));
}

/* It is a part of the function around it. */
static bool is_comprehension(const struct frames *f, uint32_t frame)
{
	static const char *const ends[] = { ".<listcomp>", ".<dictcomp>", ".<setcomp>",
					    ".<genexpr>" };
	const char *end = strrchr(frames__name(f, frame), '.');

	for (size_t i = 0; end && i < sizeof(ends) / sizeof(*ends); i++)
		if (!strcmp(end, ends[i]))
			return true;
	return false;
}

static void add_python(struct frames *f, struct stack_facts *s, uint32_t frame)
{
	uint32_t marks = f->marks.data[frame];

	s->python = frame;
	s->depth++;
	s->library = 0;
	s->marks = (uint16_t)(s->marks & ~MARK_LIBRARY);
	s->marks |= (uint16_t)marks;
	if (!(marks & MARK_LIBRARY) && (s->user == NO_FRAME || !is_comprehension(f, frame)))
		s->user = s->inner = frame;
	if (marks & MARK_LOOP) {
		s->loop = LOOP_ITSELF;
		s->entry = s->task = s->inner = NO_FRAME;
	} else if (s->loop == LOOP_ITSELF && !(marks & MARK_SELECT)) {
		s->loop = LOOP_BELOW;
		s->entry = frame;
	}
}

static void add_message(struct stack_facts *s, enum message_kind kind, uint32_t parent)
{
	if (kind == MESSAGE_NONE)
		return;
	if (message__name(kind) != message__name((enum message_kind)s->message))
		s->caller = parent;
	s->message = (uint8_t)kind;
}

static void add_frame(struct frames *f, struct stack_facts *s, uint32_t frame, uint32_t parent)
{
	switch (f->resolved->frames.data[frame].kind) {
	case FRAME_PYTHON:
		add_python(f, s, frame);
		break;
	case FRAME_TASK:
		s->loop = LOOP_BELOW;
		s->entry = s->task = frame;
		s->inner = NO_FRAME;
		break;
	case FRAME_NATIVE:
	case FRAME_KERNEL:
		note_library(f, s, frame, s->library != 0);
		s->marks |= (uint16_t)(f->marks.data[frame] &
				       ~(uint32_t)(MARK_INTERPRETER | MARK_LIBC));
		if (f->marks.data[frame] & MARK_LOOP && s->loop == LOOP_NONE) {
			s->loop = LOOP_ITSELF;
			s->inner = NO_FRAME;
		}
		break;
	case FRAME_NOTE:
		s->cut |= parent == RESOLVE_NO_STACK;
		break;
	case FRAME_THREAD:
	default:
		break;
	}
	add_message(s, (enum message_kind)f->messages.data[frame], parent);
}

static const struct stack_facts nothing = {
	.known = true,
	.python = NO_FRAME,
	.user = NO_FRAME,
	.inner = NO_FRAME,
	.entry = NO_FRAME,
	.task = NO_FRAME,
	.caller = RESOLVE_NO_STACK,
};

const struct stack_facts *frames__facts(struct frames *f, uint32_t stack)
{
	struct stack_facts s = nothing;
	uint32_t at = stack;

	if (stack == RESOLVE_NO_STACK)
		return &nothing;
	look_at_frames(f);
	while (f->stacks.n < f->resolved->stacks.n)
		(void)vec__add(&f->stacks);
	f->path.n = 0;
	for (; at != RESOLVE_NO_STACK && !f->stacks.data[at].known;
	     at = resolved__parent(f->resolved, at))
		vec__push(&f->path, at);
	if (at != RESOLVE_NO_STACK)
		s = f->stacks.data[at];
	for (size_t i = f->path.n; i-- > 0; at = f->path.data[i]) {
		add_frame(f, &s, resolved__leaf(f->resolved, f->path.data[i]), at);
		f->stacks.data[f->path.data[i]] = s;
	}
	return &f->stacks.data[stack];
}

void frames__init(struct frames *f, const struct resolved *resolved)
{
	memset(f, 0, sizeof(*f));
	f->resolved = resolved;
	strtab__intern(&f->libraries, "");
}

void frames__release(struct frames *f)
{
	strtab__release(&f->libraries);
	vec__release(&f->stacks);
	vec__release(&f->path);
	vec__release(&f->functions);
	vec__release(&f->marks);
	vec__release(&f->messages);
	idmap__release(&f->function_keys);
}

uint32_t frames__function(struct frames *f, uint32_t frame)
{
	look_at_frames(f);
	return frame == NO_FRAME ? NO_FUNCTION : f->functions.data[frame];
}

uint32_t frames__functions(const struct frames *f)
{
	return (uint32_t)f->function_keys.n;
}

const char *frames__name(const struct frames *f, uint32_t frame)
{
	return strtab__get(&f->resolved->strings, f->resolved->frames.data[frame].name);
}

const char *frames__file(const struct frames *f, uint32_t frame)
{
	return strtab__get(&f->resolved->strings, f->resolved->frames.data[frame].file);
}

uint32_t frames__marks(struct frames *f, uint32_t frame)
{
	look_at_frames(f);
	return f->marks.data[frame];
}

struct report_frame frames__report(const struct frames *f, struct report *r, uint32_t frame)
{
	const struct frame *fr = frame == NO_FRAME ? NULL : &f->resolved->frames.data[frame];

	if (!fr)
		return (struct report_frame){ .name = "", .file = "" };
	return (struct report_frame){
		.name = report__string(r, frames__name(f, frame)),
		.file = report__string(r, frames__file(f, frame)),
		.line = fr->line       ? fr->line
			: f->all_lines ? fr->hot_line
				       : 0,
		.first_line = fr->first_line,
		.python = fr->kind == FRAME_PYTHON,
	};
}

const char *message__name(enum message_kind kind)
{
	static const char *const names[MESSAGE_KINDS] = {
		[MESSAGE_NONE] = "",
		[MESSAGE_JSON_DUMPS] = "json",
		[MESSAGE_JSON_LOADS] = "json",
		[MESSAGE_PICKLE_DUMPS] = "pickle",
		[MESSAGE_PICKLE_LOADS] = "pickle",
		[MESSAGE_MAVLINK_PACK] = "mavlink",
		[MESSAGE_MAVLINK_PARSE] = "mavlink",
		[MESSAGE_STRUCT] = "struct",
		[MESSAGE_COPY] = "copying",
		[MESSAGE_ROUTE] = "routing",
	};

	return names[kind];
}
