/* SPDX-License-Identifier: MIT */
/*
 * privdir.c - see privdir.h for what is promised and why.
 */
#include "privdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static int privdir__check(int fd, const char *path, mode_t forbidden, struct errbuf *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return errbuf__set(err, -errno, "%s: %s", path, strerror(errno));
	if (st.st_uid != geteuid())
		return errbuf__set(err, -EPERM, "%s belongs to user %u, not to us", path,
				   (unsigned int)st.st_uid);
	if (st.st_mode & forbidden)
		return errbuf__set(err, -EPERM, "%s has mode %04o; other users must be kept out",
				   path, (unsigned int)(st.st_mode & 07777));
	return 0;
}

int privdir__init(struct privdir *dir, const char *wanted, struct errbuf *err)
{
	char standard[64];
	mode_t forbidden = S_IWGRP | S_IWOTH;
	char *real;
	int fd, ret;

	if (!wanted || !*wanted) {
		snprintf(standard, sizeof(standard), "/tmp/pyframes-%u", (unsigned int)geteuid());
		wanted = standard;
		forbidden = S_IRWXG | S_IRWXO;
	}
	if (mkdir(wanted, 0700) < 0 && errno != EEXIST)
		return errbuf__set(err, -errno, "cannot make directory %s: %s", wanted,
				   strerror(errno));
	fd = open(wanted, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errbuf__set(err, -errno, "cannot open directory %s: %s", wanted,
				   strerror(errno));
	ret = privdir__check(fd, wanted, forbidden, err);
	close(fd);
	if (ret)
		return ret;

	real = realpath(wanted, NULL);
	if (!real)
		return errbuf__set(err, -errno, "%s: %s", wanted, strerror(errno));
	if (strlen(real) >= sizeof(dir->path))
		ret = errbuf__set(err, -ENAMETOOLONG, "%s: the path is too long", wanted);
	else
		strcpy(dir->path, real);
	free(real);
	return ret;
}

int privdir__create(const struct privdir *dir, const char *name, struct errbuf *err)
{
	int dir_fd = open(dir->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd = -1, error;

	if (dir_fd >= 0)
		fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	error = errno;
	if (dir_fd >= 0)
		close(dir_fd);
	if (fd < 0)
		return errbuf__set(err, -error, "cannot create %s/%s: %s", dir->path, name,
				   strerror(error));
	return fd;
}

int privdir__reopen(const char *path, uint64_t device, uint64_t inode)
{
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int error;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && st.st_dev == device && st.st_ino == inode)
		return fd;
	error = ESTALE;
	close(fd);
	return -error;
}

int privdir__random(void *bytes, size_t count)
{
	ssize_t got = getrandom(bytes, count, GRND_NONBLOCK);

	if (got < 0)
		return -errno;
	return (size_t)got == count ? 0 : -EAGAIN;
}

void privdir__token_text(const uint8_t token[PYFRAMES_TOKEN_BYTES], char text[33])
{
	unsigned int i;

	for (i = 0; i < PYFRAMES_TOKEN_BYTES; i++)
		snprintf(text + (size_t)2 * i, 3, "%02x", token[i]);
}
