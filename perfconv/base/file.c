// SPDX-License-Identifier: GPL-2.0
#include "perfconv/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "perfconv/base/mem.h"

int file__open(const char *path, uint64_t *size, struct errbuf *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return errbuf__set(err, -errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0) {
		int code = -errno;

		close(fd);
		return errbuf__set(err, code, "%s: %s", path, strerror(-code));
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return errbuf__set(err, -EINVAL, "%s: is a %s, needs a regular file", path,
				   S_ISDIR(st.st_mode) ? "folder" : "special file");
	}
	if (size)
		*size = (uint64_t)st.st_size;
	return fd;
}

int file__open_in_root(const char *root, const char *path, int flags)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (unsigned int)flags,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, code;
	struct stat st;

	if (folder < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));
	code = fd < 0 ? -errno : 0;
	close(folder);
	if (!code && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		close(fd);
		code = -EINVAL;
	}
	return code ? code : fd;
}

int file__read(const char *path, size_t limit, char **bytes, size_t *n, struct errbuf *err)
{
	VEC(char) v = { 0 };
	int fd = file__open(path, NULL, err), code = 0;

	if (fd < 0)
		return fd;
	for (;;) {
		ssize_t got;

		vec__reserve(&v, v.n + 65536);
		got = read(fd, v.data + v.n, v.cap - v.n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			code = errbuf__set(err, -errno, "%s: %s", path, strerror(errno));
		if (got <= 0)
			break;
		v.n += (size_t)got;
		if (v.n > limit) {
			code = errbuf__set(err, -EFBIG, "%s: is larger than %zu bytes", path,
					   limit);
			break;
		}
	}
	close(fd);
	if (code) {
		vec__release(&v);
		return code;
	}
	v.data[v.n] = '\0';
	*bytes = v.data;
	*n = v.n;
	return 0;
}

int file__read_at(int fd, void *out, size_t n, uint64_t offset)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = pread(fd, (char *)out + done, n - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -ENODATA;
		done += (size_t)got;
	}
	return 0;
}

bool file__is_same(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

const char *file__base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
