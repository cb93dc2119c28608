/* SPDX-License-Identifier: MIT */
/*
 * privdir.c - see privdir.h for what is promised and why.
 */
#include "privdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define MAX_INTERRUPTIONS 1000u /* of one request for disk space */

static int privdir__check(int fd, const char *path, mode_t forbidden, struct stat *st,
			  struct errbuf *err)
{
	if (fstat(fd, st) < 0)
		return errbuf__set(err, -errno, "%s: %s", path, strerror(errno));
	if (st->st_uid != geteuid())
		return errbuf__set(err, -EPERM, "%s belongs to user %u, not to us", path,
				   (unsigned int)st->st_uid);
	if (st->st_mode & forbidden)
		return errbuf__set(err, -EPERM, "%s has mode %04o; chmod 700 keeps other users out",
				   path, (unsigned int)(st->st_mode & 07777));
	return 0;
}

/* Whoever can rename in a directory above can replace what lies below.  A group that is
 * ours is let in: distributions give each user one of his own and 0775 to what he makes. */
static bool ancestor__is_safe(const struct stat *st, uid_t root_owner)
{
	if (st->st_uid && st->st_uid != geteuid() && st->st_uid != root_owner)
		return false;
	if (st->st_mode & S_ISVTX)
		return true;
	return !(st->st_mode & S_IWOTH) &&
	       (!(st->st_mode & S_IWGRP) || !st->st_gid || st->st_gid == getegid());
}

/* @path is real, and is changed and put back. */
static int privdir__check_ancestors(char *path, struct errbuf *err)
{
	struct stat st;
	uid_t root_owner;
	char *slash;
	int ret;

	if (lstat("/", &st) < 0)
		return errbuf__set(err, -errno, "/: %s", strerror(errno));
	root_owner = st.st_uid;
	for (slash = strrchr(path + 1, '/'); slash; slash = strrchr(path + 1, '/')) {
		*slash = 0;
		ret = lstat(path, &st) < 0 ? -errno : 0;
		if (ret)
			return errbuf__set(err, ret, "%s: %s", path, strerror(-ret));
		if (!ancestor__is_safe(&st, root_owner))
			return errbuf__set(err, -EPERM,
					   "%s (user %u, mode %04o) lets other users replace what "
					   "is in it; choose another PYFRAMES_DIR",
					   path, (unsigned int)st.st_uid,
					   (unsigned int)(st.st_mode & 07777));
	}
	return 0;
}

int privdir__init(struct privdir *dir, const char *wanted, struct errbuf *err)
{
	char standard[64];
	mode_t forbidden = S_IWGRP | S_IWOTH;
	struct stat st;
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
	ret = privdir__check(fd, wanted, forbidden, &st, err);
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
	if (!ret)
		ret = privdir__check_ancestors(real, err);
	free(real);
	dir->device = st.st_dev;
	dir->inode = st.st_ino;
	return ret;
}

/* The directory that was checked, or -errno. */
static int privdir__open(const struct privdir *dir)
{
	int fd = open(dir->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && st.st_dev == dir->device && st.st_ino == dir->inode)
		return fd;
	close(fd);
	return -ESTALE;
}

int privdir__create(const struct privdir *dir, const char *name, struct errbuf *err)
{
	int dir_fd = privdir__open(dir);
	int fd = dir_fd;

	if (dir_fd >= 0) {
		fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		fd = fd < 0 ? -errno : fd;
		close(dir_fd);
	}
	if (fd < 0)
		return errbuf__set(err, fd, "cannot create %s/%s: %s", dir->path, name,
				   strerror(-fd));
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

int privdir__allocate(int fd, uint64_t offset, uint64_t bytes)
{
	unsigned int interruptions = 0;
	int error;

	do
		error = posix_fallocate(fd, (off_t)offset, (off_t)bytes);
	while (error == EINTR && ++interruptions < MAX_INTERRUPTIONS);
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
