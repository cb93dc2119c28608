// SPDX-License-Identifier: GPL-2.0
/*
 * A signal may come at any time, so the list of what was made is only changed
 * while signals wait.
 */
#include "perfconv/base/tempdir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perfconv/base/mem.h"

#define UNIQUE                                                                                     \
	"XX"                                                                                       \
	"XX"                                                                                       \
	"XX" /* mkdtemp() makes a name of it */

struct made {
	char *path;
	bool folder;
};

struct tempdir {
	struct tempdir *next;
	VEC(struct made) made; /* the first is the folder itself */
};

static struct tempdir *all;

static void block_signals(sigset_t *before)
{
	sigset_t every;

	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, before);
}

static void allow_signals(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

static void remove_made(const struct tempdir *t)
{
	for (size_t i = t->made.n; i-- > 0;)
		if (t->made.data[i].folder)
			rmdir(t->made.data[i].path);
		else
			unlink(t->made.data[i].path);
}

void tempdir__remove_unfinished(void)
{
	for (const struct tempdir *t = all; t; t = t->next)
		remove_made(t);
}

static const char *parent_folder(void)
{
	const char *folder = getenv("TMPDIR");

	if (folder && *folder == '/')
		return folder;
	return access("/var/tmp", W_OK | X_OK) ? "/tmp" : "/var/tmp";
}

int tempdir__new(struct tempdir **out, struct errbuf *err)
{
	char *path = mem__format("%s/perfconv-" UNIQUE, parent_folder());
	struct tempdir *t = mem__alloc(1, sizeof(*t));
	sigset_t before;
	int code = 0;

	if (!all)
		atexit(tempdir__remove_unfinished); /* memory may be out */
	vec__reserve(&t->made, 1);
	block_signals(&before);
	if (!mkdtemp(path)) {
		code = errbuf__set(err, -errno, "%s: cannot be made: %s; set TMPDIR", path,
				   strerror(errno));
	} else {
		vec__push(&t->made, ((struct made){ path, true }));
		t->next = all;
		all = t;
		*out = t;
	}
	allow_signals(&before);
	if (code) {
		vec__release(&t->made);
		free(path);
		free(t);
	}
	return code;
}

void tempdir__free(struct tempdir *t)
{
	struct tempdir **at = &all;
	sigset_t before;

	if (!t)
		return;
	block_signals(&before);
	remove_made(t);
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	allow_signals(&before);
	for (size_t i = 0; i < t->made.n; i++)
		free(t->made.data[i].path);
	vec__release(&t->made);
	free(t);
}

const char *tempdir__path(const struct tempdir *t)
{
	return t->made.data[0].path;
}

static int make(struct tempdir *t, const char *name, bool folder, const char **path,
		struct errbuf *err)
{
	char *whole = mem__format("%s/%s", tempdir__path(t), name);
	sigset_t before;
	int result;

	block_signals(&before);
	result = folder ? mkdir(whole, 0700)
			: open(whole, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (result < 0)
		result = errbuf__set(err, -errno, "%s: cannot be made: %s", whole, strerror(errno));
	else
		vec__push(&t->made, ((struct made){ whole, folder }));
	allow_signals(&before);
	if (result < 0)
		free(whole);
	else if (path)
		*path = whole;
	return result;
}

int tempdir__file(struct tempdir *t, const char *name, const char **path, struct errbuf *err)
{
	return make(t, name, false, path, err);
}

int tempdir__folder(struct tempdir *t, const char *name, const char **path, struct errbuf *err)
{
	return make(t, name, true, path, err);
}
