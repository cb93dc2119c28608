/* SPDX-License-Identifier: MIT */
/*
 * session.c - see session.h.
 */
#include "session.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "procinfo.h"

#define HOST_PID_NAMESPACE 0xeffffffcu /* PROC_PID_INIT_INO, fixed in the kernel's ABI */

/* glibc's; false from the first thread on.  Where it is missing, threads are assumed. */
extern char __libc_single_threaded __attribute__((weak));

struct session session;

static uint32_t no_generation;
static volatile uint32_t *generation_page = &no_generation;
const volatile uint32_t *session__generation = &no_generation;
static uint32_t last_generation;
static bool warned;
static struct pyframes_header image_facts; /* what forks do not change */
static bool fork_beside_threads;

static void before_fork(void)
{
	fork_beside_threads = !&__libc_single_threaded || !__libc_single_threaded;
}

static void after_fork_in_child(void)
{
	*generation_page = 0;
	session.forked = true;
	session.loader_unsafe |= fork_beside_threads;
}

/* Asks the loader, which a forked child must not do. */
static void session__find_image_facts(void)
{
	struct pyframes_header *facts = &image_facts;

	facts->python_hex = PY_VERSION_HEX;
	facts->eval_addr = (uint64_t)(uintptr_t)_PyEval_EvalFrameDefault;
	procinfo__runtime(&facts->runtime_addr, &facts->runtime_bytes);
	facts->exe_build_id_bytes = procinfo__build_id(facts->eval_addr, facts->exe_build_id,
						       sizeof(facts->exe_build_id));
}

/* Once per process image: the page, the handlers and the facts are inherited and stay. */
static int session__prepare(struct errbuf *err)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	void *page;
	int ret;

	if (generation_page != &no_generation)
		return 0;
	page = mmap(NULL, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return errbuf__set(err, -errno, "no memory: %s", strerror(errno));
	ret = -pthread_atfork(before_fork, NULL, after_fork_in_child);
	if (ret) {
		munmap(page, page_bytes);
		return errbuf__set(err, ret, "pthread_atfork: %s", strerror(-ret));
	}
	madvise(page, page_bytes, MADV_WIPEONFORK); /* before Linux 4.14 atfork must do */
	session__find_image_facts();
	generation_page = page;
	session__generation = page;
	return 0;
}

static void session__fill_header(struct pyframes_header *header)
{
	struct stat st;

	*header = image_facts;
	header->machine = stub__native()->elf_machine;
	header->pid = (uint32_t)getpid();
	session.host_namespace = stat("/proc/self/ns/pid", &st) == 0 &&
				 st.st_ino == HOST_PID_NAMESPACE;
	header->outer_pid = procinfo__outer_tid((pid_t)header->pid, session.host_namespace);
}

static int session__add_arena(struct errbuf *err)
{
	struct arena *arena = &session.arenas[session.arenas_open];
	uint32_t id = session.arenas_open;
	struct pyframes_arena *record;
	uint32_t path;
	int ret;

	ret = arena__open(arena, &session.dir, session.token, id, session.options.slots << id,
			  session.loader_unsafe ? ARENA_MAPPED : ARENA_LOADED, err);
	if (ret)
		return ret;
	session.arenas_open++;
	path = sidefile__string(&session.side, arena->path, strlen(arena->path));
	record = sidefile__begin(&session.side, PYFRAMES_RECORD_ARENA, SIDEFILE_NAMES,
				 sizeof(*record));
	if (!record)
		return 0;
	record->id = arena->id;
	record->path = path;
	record->base = arena->base;
	record->slots = arena->layout.slots;
	record->slot_bytes = arena->layout.machine->slot_bytes;
	memcpy(record->build_id, arena->build_id, sizeof(record->build_id));
	record->device = arena->device;
	record->inode = arena->inode;
	sidefile__commit(&session.side);
	return 0;
}

/* Drops what is open without touching the files: after fork they are the parent's. */
static void session__forget(void)
{
	unsigned int i;

	for (i = 0; i < session.arenas_open; i++)
		arena__forget(&session.arenas[i]);
	session.arenas_open = 0;
	session.arenas_full = false;
	session.generation = 0;
	sidefile__close(&session.side);
	if (session.strings)
		PyDict_Clear(session.strings);
}

static int session__open_files(struct errbuf *err)
{
	struct pyframes_header header;
	int ret;

	if (!stub__native())
		return errbuf__set(err, -ENOSYS, "no trampolines for this machine");
	session__fill_header(&header);
	ret = privdir__random(header.token, sizeof(header.token));
	if (ret)
		return errbuf__set(err, ret, "no random bytes: %s", strerror(-ret));
	privdir__token_text(header.token, session.token);
	ret = privdir__init(&session.dir, session.options.directory, err);
	if (ret)
		return ret;
	ret = sidefile__open(&session.side, &session.dir, session.token, &header,
			     session.options.side_bytes, session.options.ring_entries, err);
	if (ret)
		return ret;
	ret = session__add_arena(err);
	if (ret) {
		unlink(session.side.path);
		sidefile__close(&session.side);
		return ret;
	}
	session.generation = ++last_generation;
	session.forked = false;
	return 0;
}

int session__open(const struct session_options *options, struct errbuf *err)
{
	int ret;

	if (session__is_ours())
		return 0;
	ret = session__prepare(err);
	if (ret)
		return ret;
	if (!session.strings)
		session.strings = PyDict_New();
	if (!session.strings) {
		PyErr_Clear();
		return errbuf__set(err, -ENOMEM, "out of memory");
	}
	session__forget();
	session.options = *options;
	return session__open_files(err);
}

void session__resume(void)
{
	*generation_page = session.generation;
	sidefile__set_state(&session.side, PYFRAMES_STATE_ACTIVE);
}

void session__pause(void)
{
	if (!session__is_on())
		return;
	sidefile__set_state(&session.side, PYFRAMES_STATE_STOPPED);
	*generation_page = SESSION_PAUSED;
}

int session__renew(void)
{
	struct errbuf err;
	int ret;

	if (session__is_on())
		return 0;
	if (session__is_ours() || !session.forked)
		return -EPERM;
	session__forget();
	session.forked = false;
	ret = session__open_files(&err);
	if (ret) {
		session__warn(err.text);
		return ret;
	}
	session__resume();
	return 1;
}

void session__finish(void)
{
	session__pause();
	session__forget();
	*generation_page = 0;
}

void session__remove(void)
{
	unsigned int i;

	if (!session__is_ours())
		return;
	session__pause();
	for (i = 0; i < session.arenas_open; i++)
		unlink(session.arenas[i].path);
	unlink(session.side.path);
	session__forget();
	*generation_page = 0;
}

const char *session__text(PyObject *string, Py_ssize_t *bytes, PyObject **holder)
{
	const char *text = PyUnicode_AsUTF8AndSize(string, bytes);

	if (text) {
		Py_INCREF(string);
		*holder = string;
		return text;
	}
	PyErr_Clear();
	*holder = PyUnicode_AsEncodedString(string, "utf-8", "replace");
	if (!*holder) {
		PyErr_Clear();
		return NULL;
	}
	*bytes = PyBytes_GET_SIZE(*holder);
	return PyBytes_AS_STRING(*holder);
}

uint32_t session__string(PyObject *string)
{
	PyObject *known, *holder;
	const char *text;
	Py_ssize_t bytes;
	uint32_t id;

	if (!PyUnicode_CheckExact(string))
		return 0;
	known = PyDict_GetItemWithError(session.strings, string);
	if (known)
		return (uint32_t)PyLong_AsUnsignedLong(known);
	text = session__text(string, &bytes, &holder);
	if (!text)
		return 0;
	id = sidefile__string(&session.side, text, (size_t)bytes);
	Py_DECREF(holder);
	known = id ? PyLong_FromUnsignedLong(id) : NULL;
	if (known)
		PyDict_SetItem(session.strings, string, known);
	Py_XDECREF(known);
	PyErr_Clear(); /* an id that could not be remembered is written again */
	return id;
}

void *session__slot(const char *name, size_t name_bytes, uint32_t *arena, uint32_t *slot)
{
	struct errbuf err;

	while (session.arenas_open && !session.arenas_full) {
		struct arena *last = &session.arenas[session.arenas_open - 1];

		*slot = arena__add(last, name, name_bytes);
		*arena = last->id;
		if (*slot)
			return arena__entry(last, *slot);
		snprintf(err.text, sizeof(err.text),
			 "all trampolines are in use; newer functions "
			 "are not named");
		if (session.arenas_open == SESSION_MAX_ARENAS || session__add_arena(&err)) {
			session.arenas_full = true;
			session__warn(err.text);
		}
	}
	return NULL;
}

void session__warn(const char *text)
{
	struct pyframes_warning *record;
	size_t length = strlen(text);
	char line[512];
	int bytes;

	if (session__is_ours()) {
		record = sidefile__begin(&session.side, PYFRAMES_RECORD_WARNING, SIDEFILE_NAMES,
					 sizeof(*record) + length);
		if (record) {
			record->length = (uint32_t)length;
			memcpy(record + 1, text, length);
			sidefile__commit(&session.side);
		}
	}
	if (warned)
		return;
	warned = true;
	bytes = snprintf(line, sizeof(line), "pyframes: %s\n", text);
	if (write(STDERR_FILENO, line, (size_t)bytes) < 0)
		return; /* there is nobody to tell */
}
