// SPDX-License-Identifier: GPL-2.0
/*
 * A process from outside: nothing of it runs and nothing stops it.  Its files are
 * opened inside its own root; what it mapped is told apart by inode from what the
 * name stands for by now.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/doctor/target.h"
#include "perfconv/machine/living.h"

#define SMALL_FILE ((size_t)1 << 20)
#define MAPS_LIMIT ((size_t)64 << 20)

struct range {
	uint64_t start, end;
};

struct look {
	struct target *target;
	uint64_t inode;		  /* of the interpreter's file */
	VEC(struct range) stacks; /* memory without a file, by address */
	VEC(char *) prefixes;	  /* folders that may hold packages */
};

/* *@text is freed by the caller; NULL if it cannot be read. */
static void read_proc(pid_t pid, const char *name, size_t limit, char **text, size_t *n)
{
	char *path = mem__format("/proc/%d/%s", (int)pid, name);

	*n = 0;
	if (file__read(path, limit, text, n, NULL))
		*text = NULL;
	free(path);
}

/* The number behind "\nKEY:" of a status file; 0 if it is not there. */
static uint64_t status_number(const char *status, const char *key)
{
	const char *at = status ? strstr(status, key) : NULL;

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* NSpid lists the pids from ours inwards. */
static pid_t inner_pid(const char *status, pid_t pid)
{
	const char *at = status ? strstr(status, "\nNSpid:") : NULL;
	pid_t last = pid;

	if (!at)
		return pid;
	for (at += 7; *at == '\t' || *at == ' ' || isdigit((unsigned char)*at);) {
		char *end;

		last = (pid_t)strtol(at, &end, 10);
		if (end == at)
			break;
		at = end;
	}
	return last ? last : pid;
}

static void read_comm(pid_t pid, pid_t tid, char *out, size_t size)
{
	char name[64], *text;
	size_t n;

	snprintf(name, sizeof(name), "task/%d/comm", (int)tid);
	read_proc(pid, name, SMALL_FILE, &text, &n);
	snprintf(out, size, "%.*s", text ? (int)strcspn(text, "\n") : 0, text ? text : "");
	free(text);
}

static void look_at_status(struct target *t)
{
	char *path = mem__format("/proc/%d/ns/mnt", (int)t->pid), *status;
	struct stat its, ours;
	size_t n;

	read_proc(t->pid, "status", SMALL_FILE, &status, &n);
	t->user = (uid_t)status_number(status, "\nUid:");
	t->tracer = (pid_t)status_number(status, "\nTracerPid:");
	t->inner_pid = inner_pid(status, t->pid);
	if (t->tracer)
		read_comm(t->tracer, t->tracer, t->tracer_comm, sizeof(t->tracer_comm));
	t->other_files = !stat(path, &its) && !stat("/proc/self/ns/mnt", &ours) &&
			 its.st_ino != ours.st_ino;
	read_comm(t->pid, t->pid, t->comm, sizeof(t->comm));
	free(path);
	free(status);
}

static void add_hook(struct target *t, const char *name)
{
	for (size_t i = 0; i < t->hooks.n; i++)
		if (!strcmp(t->hooks.data[i], name))
			return;
	vec__push(&t->hooks, name);
}

/* Libraries that set or can set a frame evaluator of their own. */
static void look_for_hooks(struct target *t, const char *path)
{
	static const struct {
		const char *in_path, *name;
	} known[] = {
		{ "/pydevd_frame_evaluator", "a debugger (pydevd, debugpy)" },
		{ "/libtorch_python.so", "PyTorch (TorchDynamo sets one when it compiles)" },
		{ "/_cinderx", "Cinder's JIT" },
		{ "/pyston_lite", "Pyston's JIT" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strstr(path, known[i].in_path))
			add_hook(t, known[i].name);
}

static void add_prefix(struct look *l, const char *path, size_t n)
{
	for (size_t i = 0; i < l->prefixes.n; i++)
		if (strlen(l->prefixes.data[i]) == n && !memcmp(l->prefixes.data[i], path, n))
			return;
	vec__push(&l->prefixes, mem__format("%.*s", (int)n, path));
}

/* The folder of packages that a mapped extension lies in. */
static void look_for_packages(struct look *l, const char *path)
{
	static const char *const folders[] = { "/site-packages/", "/dist-packages/" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		const char *at = strstr(path, folders[i]);

		if (at)
			add_prefix(l, path, (size_t)(at - path) + strlen(folders[i]) - 1);
	}
}

static void look_at_pyframes(struct target *t, const char *path)
{
	const char *base = file__base(path);
	size_t digits = strspn(base + (strncmp(base, "pyframes-", 9) ? 0 : 9), "0123456789abcdef");

	if (!strncmp(base, "pyframes-", 9) && digits == 32 && strstr(base, ".so"))
		t->pyframes = PYFRAMES_ACTIVE;
	else if (!strncmp(base, "_pyframes.", 10) && t->pyframes != PYFRAMES_ACTIVE)
		t->pyframes = PYFRAMES_LOADED;
}

static void look_at_mapping(struct look *l, const struct range *range, uint64_t inode,
			    const char *path)
{
	struct target *t = l->target;
	const char *base = file__base(path);

	if (*path != '/') {
		vec__push(&l->stacks, *range);
		return;
	}
	look_for_hooks(t, path);
	look_for_packages(l, path);
	look_at_pyframes(t, path);
	if (t->file)
		return;
	if (!strncmp(base, "libpython3", 10))
		t->implementation = "CPython";
	else if (!strncmp(base, "libpypy3", 8))
		t->implementation = "PyPy";
	else if (!strncmp(base, "libpythonvm", 11))
		t->implementation = "GraalPy";
	else
		return;
	t->file = mem__strdup(path);
	l->inode = inode;
}

static void look_at_maps(struct look *l)
{
	char *text, *line, *rest;
	size_t n;

	read_proc(l->target->pid, "maps", MAPS_LIMIT, &text, &n);
	rest = text;
	l->target->readable = text && n;
	while (text && (line = strsep(&rest, "\n"))) {
		struct range range;
		uint64_t inode;
		int path = 0;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*x %*x:%*x %" SCNu64 " %n",
			   &range.start, &range.end, &inode, &path) == 3 &&
		    path)
			look_at_mapping(l, &range, inode, line + path);
	}
	free(text);
}

/* A statically linked interpreter is the executable itself, which /proc opens for us
 * also when its file was replaced. */
static void look_at_interpreter(struct look *l)
{
	struct target *t = l->target;
	char *exe = mem__format("/proc/%d/exe", (int)t->pid), path[4096];
	ssize_t n = readlink(exe, path, sizeof(path) - 1);
	struct stat st;
	int fd;

	if (t->file) {
		fd = living__open_in_root((uint32_t)t->pid, t->file, 0);
		if (fd >= 0 && (fstat(fd, &st) || st.st_ino != l->inode)) {
			close(fd);
			fd = -1;
		}
	} else {
		path[n < 0 ? 0 : n] = '\0';
		fd = n < 0 ? -1 : file__open(exe, NULL, NULL);
		t->file = n < 0 ? NULL : mem__strdup(path);
	}
	free(exe);
	if (fd < 0 || interpreter__read(&t->interpreter, fd, t->file))
		return;
	t->looked = true;
	if (t->interpreter.cpython)
		t->implementation = "CPython";
	if (!t->implementation) { /* a program of another kind */
		free(t->file);
		t->file = NULL;
		t->looked = false;
	}
}

static void add_packages_of(struct look *l, const char *folder, const char *minor)
{
	char *path = mem__format("%s/lib/python%s/site-packages", folder, minor);

	add_prefix(l, path, strlen(path));
	free(path);
}

/* The folder above the one that a program lies in. */
static void add_packages_beside(struct look *l, const char *program, const char *minor)
{
	const char *slash = strrchr(program, '/');
	char *folder;

	if (*program != '/' || slash == program)
		return;
	folder = mem__format("%.*s/..", (int)(slash - program), program);
	add_packages_of(l, folder, minor);
	free(folder);
}

/* Return: what follows "NAME=" in an environment of @n bytes, or NULL. */
static const char *variable(const char *environment, size_t n, const char *name)
{
	const char *end = environment + n;

	for (const char *at = environment; at && at < end; at += strlen(at) + 1)
		if (!strncmp(at, name, strlen(name)) && at[strlen(name)] == '=')
			return at + strlen(name) + 1;
	return NULL;
}

/* Where a Python of this version looks for packages. */
static void guess_packages(struct look *l, const char *program, const char *venv)
{
	const char *version = l->target->interpreter.version;
	char minor[16], *exe, path[4096], debian[64];
	ssize_t n;

	if (!*version)
		return;
	snprintf(minor, sizeof(minor), "%.*s", (int)(2 + strcspn(version + 2, ".")), version);
	if (program)
		add_packages_beside(l, program, minor);
	if (venv)
		add_packages_of(l, venv, minor);
	exe = mem__format("/proc/%d/exe", (int)l->target->pid);
	n = readlink(exe, path, sizeof(path) - 1);
	free(exe);
	path[n < 0 ? 0 : n] = '\0';
	if (*path)
		add_packages_beside(l, path, minor);
	add_packages_of(l, "/usr/local", minor);
	snprintf(debian, sizeof(debian), "/usr/local/lib/python%s/dist-packages", minor);
	add_prefix(l, debian, strlen(debian));
	add_prefix(l, "/usr/lib/python3/dist-packages", strlen("/usr/lib/python3/dist-packages"));
}

/* `__version__ = "0.1.0"` in its __init__.py. */
static void read_pyframes_version(struct target *t, int fd)
{
	char text[4096];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	const char *at;

	text[n < 0 ? 0 : n] = '\0';
	at = strstr(text, "\n__version__ = \"");
	if (at)
		snprintf(t->pyframes_version, sizeof(t->pyframes_version), "%.*s",
			 (int)strcspn(at + 16, "\""), at + 16);
}

static void find_pyframes(struct look *l)
{
	struct target *t = l->target;

	for (size_t i = 0; i < l->prefixes.n; i++) {
		char *init = mem__format("%s/pyframes/__init__.py", l->prefixes.data[i]);
		int fd = living__open_in_root((uint32_t)t->pid, init, 0);

		free(init);
		if (fd < 0)
			continue;
		read_pyframes_version(t, fd);
		close(fd);
		if (t->pyframes == PYFRAMES_UNKNOWN)
			t->pyframes = PYFRAMES_INSTALLED;
		return;
	}
}

static void look_at_environment(struct look *l)
{
	struct target *t = l->target;
	const char *asked, *perf;
	char *environment, *command;
	size_t n, words;

	read_proc(t->pid, "environ", SMALL_FILE, &environment, &n);
	read_proc(t->pid, "cmdline", SMALL_FILE, &command, &words);
	asked = environment ? variable(environment, n, "PYFRAMES") : NULL;
	perf = environment ? variable(environment, n, "PYTHONPERFSUPPORT") : NULL;
	t->asked_to_start = asked ? mem__strdup(asked) : NULL;
	for (const char *at = command; at && at < command + words; at += strlen(at) + 1)
		if (!strcmp(at, "-Xperf") || !strcmp(at, "perf"))
			perf = "1";
	if (perf && *perf && strcmp(perf, "0"))
		add_hook(t, "CPython's own perf trampolines (-X perf)");
	guess_packages(l, command, environment ? variable(environment, n, "VIRTUAL_ENV") : NULL);
	free(environment);
	free(command);
}

/* /proc says where a thread's stack pointer is while it waits. */
static uint64_t stack_pointer(pid_t pid, pid_t tid)
{
	char name[64], *text, *last;
	uint64_t sp = 0;
	size_t n;

	snprintf(name, sizeof(name), "task/%d/syscall", (int)tid);
	read_proc(pid, name, SMALL_FILE, &text, &n);
	last = text ? strrchr(text, ' ') : NULL; /* the instruction pointer */
	if (last) {
		*last = '\0';
		last = strrchr(text, ' ');
		sp = last ? strtoull(last, NULL, 16) : 0;
	}
	free(text);
	return sp;
}

static void look_at_thread(struct look *l, pid_t tid)
{
	struct target *t = l->target;
	uint64_t sp;

	t->threads++;
	if (tid == t->pid)
		return;
	sp = stack_pointer(t->pid, tid);
	for (size_t i = 0; sp && i < l->stacks.n; i++) {
		const struct range *r = &l->stacks.data[i];

		if (sp < r->start || sp >= r->end)
			continue;
		t->stacks++;
		if (!t->smallest_stack || r->end - r->start < t->smallest_stack) {
			t->smallest_stack = r->end - r->start;
			read_comm(t->pid, tid, t->smallest_comm, sizeof(t->smallest_comm));
		}
	}
}

static void look_at_threads(struct look *l)
{
	char *path = mem__format("/proc/%d/task", (int)l->target->pid);
	DIR *folder = opendir(path);
	struct dirent *entry;
	const char *at;
	char *limits;
	size_t n;

	while (folder && (entry = readdir(folder)))
		if (isdigit((unsigned char)*entry->d_name))
			look_at_thread(l, (pid_t)strtol(entry->d_name, NULL, 10));
	if (folder)
		closedir(folder);
	read_proc(l->target->pid, "limits", SMALL_FILE, &limits, &n);
	at = limits ? strstr(limits, "Max stack size") : NULL;
	if (at) /* "unlimited" reads as 0 */
		l->target->main_stack = strtoull(at + strlen("Max stack size"), NULL, 10);
	free(limits);
	free(path);
}

int target__of_process(struct target *t, pid_t pid, struct errbuf *err)
{
	struct look l = { .target = t };
	char *path = mem__format("/proc/%d", (int)pid);
	int code = access(path, F_OK);

	*t = (struct target){ .pid = pid };
	free(path);
	if (code)
		return errbuf__set(err, -ESRCH,
				   "there is no process %d here: give --pid one that runs, "
				   "as ps shows it",
				   (int)pid);
	look_at_status(t);
	look_at_maps(&l);
	if (t->readable)
		look_at_interpreter(&l);
	if (t->file) {
		look_at_environment(&l);
		find_pyframes(&l);
	}
	look_at_threads(&l);
	for (size_t i = 0; i < l.prefixes.n; i++)
		free(l.prefixes.data[i]);
	vec__release(&l.prefixes);
	vec__release(&l.stacks);
	return 0;
}
