// SPDX-License-Identifier: GPL-2.0
/*
 * Names like /tmp/perf-812.map can be foreseen and pids repeat, so what is found
 * is looked at twice: here whose it is, in codemap.c whether it is too old.
 * /proc/PID is asked only if it can still be the process that was recorded.
 */
#include "perfconv/machine/codefiles.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "perfconv/base/file.h"

#define STATUS_LIMIT ((size_t)1 << 16)

static bool is_absent(int code)
{
	return code == -ENOENT || code == -ENOTDIR;
}

/* Takes @path over. */
static int try(struct codefile *out, char *path, const struct owners *owners, struct errbuf *err)
{
	int code = owned__open(&out->file, path, owners, err);

	if (code)
		free(path);
	else
		out->path = path;
	return code;
}

static int try_folder(struct codefile *out, const char *folder, const char *name,
		      const char *capture, struct errbuf *err)
{
	struct owners owners = { 0 };

	if (!folder)
		return -ENOENT;
	owners__add(&owners, folder);
	if (capture)
		owners__add(&owners, capture);
	return try(out, mem__format("%s/%s", folder, name), &owners, err);
}

/* Copies of the file: whoever made the capture is trusted as far as the capture is. */
static int try_copies(const struct codefiles *c, struct codefile *out, const char *name,
		      struct errbuf *err)
{
	int code = try_folder(out, c->images->side_dir, name, NULL, err);

	out->recorded = false;
	if (is_absent(code) && strcmp(c->capture_path, "-"))
		code = try_folder(out, c->images->capture_dir, name, c->capture_path, err);
	return code;
}

/* The process's number in its own namespace; 0 if it has ended or is another by now. */
static uint32_t inner_pid(uint32_t pid, uint64_t pid_namespace)
{
	char path[64], *text = NULL, *at;
	struct stat st;
	uint32_t inner = 0;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/ns/pid", pid);
	if (pid_namespace && (stat(path, &st) || st.st_ino != pid_namespace))
		return 0;
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/status", pid);
	if (file__read(path, STATUS_LIMIT, &text, &n, NULL))
		return 0;
	at = strstr(text, "\nNSpid:");
	if (at) {
		at[1 + strcspn(at + 1, "\n")] = '\0';
		inner = (uint32_t)strtoul(strrchr(at, '\t') ? strrchr(at, '\t') : at, NULL, 10);
	}
	free(text);
	return inner;
}

/* Links in a container's folders are its owner's, and must not lead out of it. */
static int try_inside(struct codefile *out, uint32_t pid, const char *inner, struct errbuf *err)
{
	char process[32], *path;
	struct owners owners = { 0 };
	int code;

	snprintf(process, sizeof(process), "/proc/%" PRIu32, pid);
	owners__add(&owners, process);
	path = mem__format("%s/root%s", process, inner);
	code = owned__take(&out->file, living__open_in_root(pid, inner, O_NOFOLLOW), path, &owners,
			   err);
	if (code)
		free(path);
	else
		out->path = path;
	return code;
}

/* @path as the process @pid sees it, then as we do. */
static int try_recorded(struct codefile *out, uint32_t pid, const char *inner, const char *path,
			struct errbuf *err)
{
	struct owners owners = { 0 };
	int code = -ENOENT;

	out->recorded = true;
	if (inner)
		code = try_inside(out, pid, inner, err);
	/* Another user's process, or a kernel before 5.6: it may see what we do. */
	if (is_absent(code) || code == -EACCES || code == -ESRCH || code == -ENOSYS)
		code = try(out, mem__strdup(path), &owners, err);
	return code;
}

/* The file that a bundle has. */
static int take_given(const struct answer *a, struct codefile *out, struct errbuf *err)
{
	struct owners owners = { 0 };
	int code;

	if (!a)
		return -ENOENT;
	if (a->code)
		return errbuf__set(err, a->code, "%s", a->reason);
	code = try(out, mem__strdup(a->path), &owners, err);
	if (code)
		return code;
	out->recorded = a->recorded;
	out->file.inode = a->inode;
	out->file.changed_ns = a->changed_ns;
	return 0;
}

/* The descriptor stays open: what the name stands for may change. */
static void keep_answer(struct answer *a, int code, const struct codefile *out,
			const struct errbuf *err)
{
	if (!a)
		return;
	a->code = code;
	if (code && code != -ENOENT) {
		free(a->reason);
		a->reason = mem__strdup(err->text);
	}
	if (code)
		return;
	a->path = mem__strdup(out->path);
	a->recorded = out->recorded;
	a->inode = out->file.inode;
	a->changed_ns = out->file.changed_ns;
	a->fd = fcntl(out->file.fd, F_DUPFD_CLOEXEC, 0);
}

static int search_perfmap(const struct codefiles *c, uint32_t pid, uint64_t pid_namespace,
			  struct codefile *out, struct errbuf *err)
{
	char path[64], inner[64];
	uint32_t inside;
	int code;

	snprintf(path, sizeof(path), "/tmp/perf-%" PRIu32 ".map", pid);
	code = try_copies(c, out, file__base(path), err);
	if (!is_absent(code) || !c->local)
		return is_absent(code) ? -ENOENT : code;
	inside = inner_pid(pid, pid_namespace);
	snprintf(inner, sizeof(inner), "/tmp/perf-%" PRIu32 ".map", inside);
	code = try_recorded(out, pid, inside ? inner : NULL, path, err);
	return is_absent(code) ? -ENOENT : code;
}

static int search_jitdump(const struct codefiles *c, uint32_t pid, uint64_t pid_namespace,
			  const char *recorded, struct codefile *out, struct errbuf *err)
{
	int code = try_copies(c, out, file__base(recorded), err);

	if (is_absent(code) && c->local && *recorded == '/')
		code = try_recorded(out, pid, inner_pid(pid, pid_namespace) ? recorded : NULL,
				    recorded, err);
	return is_absent(code) ? -ENOENT : code;
}

/* @recorded: "" for a perf map. */
static int find(const struct codefiles *c, uint32_t pid, uint64_t pid_namespace,
		const char *recorded, struct codefile *out, struct errbuf *err)
{
	enum answer_kind kind = *recorded ? ANSWER_JITDUMP : ANSWER_PERFMAP;
	struct answers *answers = c->images->answers;
	char *key = answers__process_key(pid, pid_namespace, recorded);
	int code;

	if (images__are_given(c->images)) {
		code = take_given(answers__find(answers, kind, key), out, err);
	} else {
		code = *recorded ? search_jitdump(c, pid, pid_namespace, recorded, out, err)
				 : search_perfmap(c, pid, pid_namespace, out, err);
		if (answers)
			keep_answer(answers__add(answers, kind, key), code, out, err);
	}
	free(key);
	return code;
}

int codefiles__perfmap(const struct codefiles *c, uint32_t pid, uint64_t pid_namespace,
		       struct codefile *out, struct errbuf *err)
{
	return find(c, pid, pid_namespace, "", out, err);
}

int codefiles__jitdump(const struct codefiles *c, uint32_t pid, uint64_t pid_namespace,
		       const char *recorded, struct codefile *out, struct errbuf *err)
{
	return find(c, pid, pid_namespace, recorded, out, err);
}
