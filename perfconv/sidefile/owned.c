// SPDX-License-Identifier: GPL-2.0
#include "perfconv/sidefile/owned.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void owners__add(struct owners *o, const char *path)
{
	struct stat st;

	if (o->n < sizeof(o->uids) / sizeof(*o->uids) && !stat(path, &st))
		o->uids[o->n++] = st.st_uid;
}

static bool is_trusted(const struct owners *o, uid_t uid)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->uids[i] == uid)
			return true;
	return !uid || uid == geteuid();
}

static int check(const struct stat *st, const char *path, const struct owners *owners,
		 struct errbuf *err)
{
	if (!S_ISREG(st->st_mode))
		return errbuf__set(err, -EINVAL, "%s: is a %s and not read; it needs to be a file",
				   path, S_ISDIR(st->st_mode) ? "folder" : "special file");
	if (!is_trusted(owners, st->st_uid))
		return errbuf__set(err, -EPERM,
				   "%s: belongs to user %u, neither to you nor to whom it was "
				   "recorded for, and is not read; if you trust it, copy it into a "
				   "folder of your own and name that with --side-dir",
				   path, st->st_uid);
	return 0;
}

int owned__open(struct owned_file *out, const char *path, const struct owners *owners,
		struct errbuf *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);

	return owned__take(out, fd < 0 ? -errno : fd, path, owners, err);
}

int owned__take(struct owned_file *out, int fd, const char *path, const struct owners *owners,
		struct errbuf *err)
{
	struct stat st;
	int code;

	if (fd == -ELOOP)
		return errbuf__set(err, -ELOOP,
				   "%s: is a symbolic link and not followed; put the file itself "
				   "into a folder and name that with --side-dir",
				   path);
	if (fd == -EACCES)
		return errbuf__set(err, -EACCES,
				   "%s: is another user's and cannot be read; convert as that user "
				   "or as root",
				   path);
	if (fd == -EINVAL)
		return errbuf__set(err, fd, "%s: is no regular file and not read", path);
	if (fd < 0)
		return errbuf__set(err, fd, "%s: %s", path, strerror(-fd));
	code = fstat(fd, &st) ? errbuf__set(err, -errno, "%s: %s", path, strerror(errno))
			      : check(&st, path, owners, err);
	if (code) {
		close(fd);
		return code;
	}
	*out = (struct owned_file){
		.fd = fd,
		.bytes = (uint64_t)st.st_size,
		.inode = st.st_ino,
		.changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
	};
	return 0;
}
